//! Old and new code at work while a deploy goes through its steps: no query fails but those that are foreseen, no write
//! is lost, and how long the longest query took in each step.
//!
//! A few operations in every run of the tests; all of them, with 300,000 rows, by `scripts/load`, which writes
//! docs/plan-load.md.

mod cases;
mod code;

use super::{Case, Deployment};
use crate::servers;
use cases::Operation;
use code::{Code, Seen, Step};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How large a run is.
#[derive(Clone, Copy)]
struct Size {
    rows: usize,
    /// Clients of each version of the code.
    clients: usize,
    /// How many rounds each goes in each step.
    rounds: u64,
}

/// Which way a run goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// First steps, contract.
    Forward,
    /// First steps, back with both codes' writes, first steps again, contract.
    BackFirst,
}

/// What a run came to.
struct Measured {
    operation: &'static str,
    way: Way,
    queries: usize,
    rows_checked: usize,
    foreseen: usize,
    /// The longest query of each step.
    longest: Vec<(Step, Duration)>,
}

/// The schema that all operations begin with.
const SCHEMA: &str = "CREATE TABLE owners (id int PRIMARY KEY);
    CREATE TABLE unused (id int PRIMARY KEY, note text);
    CREATE TYPE mood AS ENUM ('ok', 'bad');
    CREATE TABLE items (id bigserial PRIMARY KEY, owner text UNIQUE, sku text NOT NULL, legacy text, price int DEFAULT 1,
        hits int NOT NULL DEFAULT 0, note text, owner_id int DEFAULT 1, feels mood DEFAULT 'bad');
    CREATE INDEX items_sku ON items (sku);";

/// Runs `operation` under load, and fails where a query failed that was not foreseen or a write is lost.
fn run(operation: &Operation, size: Size, way: Way) -> Option<Measured> {
    let server = servers::postgres()?;
    let rows = format!(
        "insert into owners values (1); insert into items (owner, sku, legacy{}) \
         select 'seed ' || n, 'sku ' || n, 'l'{} from generate_series(1, {}) n; analyze items",
        operation.seed.0, operation.seed.1, size.rows
    );
    let schema = SCHEMA.replace(operation.schema.0, operation.schema.1) + operation.beside;
    let case = Case { schema: &schema, rows: &rows, plain: operation.plain, ..Case::default() };
    let deployment = Deployment::new(server, &case);
    let url = deployment.database.url();
    let step = Arc::new(AtomicUsize::new(Step::Quiet as usize));
    let enter = |next: Step| step.store(next as usize, Ordering::SeqCst);
    let start = |name: &str, writes: cases::Writes| -> Vec<Code> {
        let one = |number| Code::start(&url, format!("{name} {number}"), writes, Arc::clone(&step));
        (0..size.clients).map(one).collect()
    };
    let go_on = |all: &[Code]| all.iter().for_each(|code| code.go_on(size.rounds));

    let old = start("old", operation.old);
    go_on(&old);
    deployment.plan(&case);
    let contract = !deployment.files().iter().all(|file| !file.contains("_contract"));
    enter(Step::First);
    deployment.twostep(&["migrate", "--lock-deadline", "120s"]).expect(0);
    enter(Step::Both);
    let mut new = start("new", operation.new);
    go_on(&old);
    go_on(&new);
    let mut seen: Vec<(Whose, Seen)> = Vec::new();
    if way == Way::BackFirst && operation.first_steps {
        // The new code is taken away before what it needs.
        seen.extend(new.drain(..).map(|code| (Whose::New, code.end())));
        nothing_failed(&seen, operation.name);
        enter(Step::Back);
        deployment.database.psql(operation.before_the_way_back);
        deployment.twostep(&["rollback", "--run", "2", "--lock-deadline", "120s"]).expect(0);
        if operation.new_is_kept_by_a_way_back {
            for (_, seen) in &seen {
                found_as_told(&deployment, operation.old, seen, operation.name);
            }
        } else {
            seen.clear();
        }
        go_on(&old);
        enter(Step::First);
        deployment.twostep(&["migrate", "--lock-deadline", "120s"]).expect(0);
        enter(Step::Both);
        new = start("newer", operation.new);
        go_on(&old);
        go_on(&new);
    }
    seen.extend(old.into_iter().map(|code| (Whose::Old, code.end())));
    nothing_failed(&seen, operation.name);
    for (_, seen) in seen.iter().filter(|(code, _)| *code == Whose::Old) {
        found_as_told(&deployment, operation.old, seen, operation.name);
    }
    enter(Step::Contract);
    if contract {
        deployment.twostep(&["migrate", "--contract", "--lock-deadline", "120s"]).expect(0);
    }
    enter(Step::After);
    go_on(&new);
    seen.extend(new.into_iter().map(|code| (Whose::New, code.end())));
    nothing_failed(&seen, operation.name);
    for (code, seen) in &seen {
        if *code == Whose::New || operation.old_is_kept {
            found_as_told(&deployment, operation.new, seen, operation.name);
        }
    }
    let increments: usize = seen.iter().map(|(_, seen)| seen.increments).sum();
    let hits = deployment.database.psql(&format!("select sum(hits) from {}", operation.new.table));
    if way == Way::Forward || operation.new_is_kept_by_a_way_back {
        assert_eq!(hits, increments.to_string(), "{}: no increment is lost", operation.name);
    }
    let all: Vec<Seen> = seen.into_iter().map(|(_, seen)| seen).collect();
    let longest = |step: Step| all.iter().map(|seen| seen.longest[step as usize]).max().unwrap_or_default();
    Some(Measured {
        operation: operation.name,
        way,
        queries: all.iter().map(|seen| seen.queries).sum(),
        rows_checked: all.iter().map(|seen| seen.told.len()).sum(),
        foreseen: all.iter().map(|seen| seen.foreseen).sum(),
        longest: Step::ALL.into_iter().map(|step| (step, longest(step))).collect(),
    })
}

/// Whose code it was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Old,
    New,
}

/// No query failed but those that were foreseen.
#[track_caller]
fn nothing_failed(all: &[(Whose, Seen)], operation: &str) {
    for (_, seen) in all {
        let failures = &seen.failures;
        assert!(failures.is_empty(), "{operation}: {} failures, first {:?}", failures.len(), failures[0]);
    }
}

/// Each row is what its client was told last.
#[track_caller]
fn found_as_told(deployment: &Deployment<'_>, writes: cases::Writes, seen: &Seen, operation: &str) {
    let found = deployment.database.psql(&format!(
        "select owner || '|' || {} || '|' || note from {} where owner like '{} %' order by id",
        writes.column, writes.table, seen.name
    ));
    let told: Vec<String> = seen.told.iter().map(|(key, value)| format!("{key}|{value}|{key}")).collect();
    assert_eq!(found.lines().collect::<Vec<_>>(), told, "{operation}: what {} was told is there", seen.name);
}

/// In every run of the tests: small, each way.
const SMALL: Size = Size { rows: 20_000, clients: 1, rounds: 15 };

fn small(name: &str) {
    let operation = cases::ALL.iter().find(|one| one.name == name).expect("it is one of the list");
    run(operation, SMALL, Way::BackFirst);
}

#[test]
fn rename_of_a_column_under_load() {
    small("rename a column");
}

#[test]
fn rename_of_a_table_under_load() {
    small("rename a table");
}

#[test]
fn a_change_of_type_under_load() {
    small("change a type");
}

#[test]
fn a_required_column_under_load() {
    small("add a required column");
}

#[test]
fn a_dropped_column_under_load() {
    small("drop a column");
}

#[test]
fn constraints_under_load() {
    small("add constraints");
}

/// By `scripts/load`: all operations, both ways, and the table of what was measured.
#[test]
#[ignore = "takes an hour; scripts/load runs it"]
fn every_operation_under_load() {
    let number =
        |name: &str, usual: usize| std::env::var(name).map_or(usual, |text| text.parse().expect("a number"));
    let size = Size {
        rows: number("TWOSTEP_LOAD_ROWS", 300_000),
        clients: number("TWOSTEP_LOAD_CLIENTS", 2),
        rounds: number("TWOSTEP_LOAD_ROUNDS", 200) as u64,
    };
    let only = std::env::var("TWOSTEP_LOAD_ONLY").unwrap_or_default();
    let mut lines = String::new();
    for operation in cases::ALL.iter().filter(|one| one.name.contains(&only)) {
        for way in [Way::Forward, Way::BackFirst] {
            let Some(measured) = run(operation, size, way) else { return };
            let line = line(&measured);
            print!("{line}");
            lines.push_str(&line);
        }
    }
    if let Some(path) = std::env::var_os("TWOSTEP_LOAD_TABLE") {
        let path = std::path::PathBuf::from(path);
        std::fs::write(&path, lines).expect("the table can be written");
    }
}

/// A line of the table.
fn line(measured: &Measured) -> String {
    let way = match measured.way {
        Way::Forward => "forward",
        Way::BackFirst => "back, then forward",
    };
    let ms = |step: Step| {
        let (_, longest) = measured.longest.iter().find(|(one, _)| *one == step).expect("each step is there");
        if longest.is_zero() { "–".to_owned() } else { longest.as_millis().to_string() }
    };
    let steps: Vec<String> = Step::ALL.into_iter().map(ms).collect();
    format!(
        "| {} | {way} | {} | 0 | {} | {} | 0 | {} |\n",
        measured.operation,
        measured.queries,
        measured.foreseen,
        measured.rows_checked,
        steps.join(" | ")
    )
}
