//! Any text at all against the splitter and the whole lint: no panic, and no time that grows faster than the text.
//!
//! `TWOSTEP_LINT_CASES` says how many random texts are tried (some hundreds without it), `TWOSTEP_CORPORA` names a
//! folder of real migrations to make mutants of.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use twostep::dialect::Dialect;
use twostep::engine::version::ServerVersion;
use twostep::rules::{Group, Linted, Options, Runner, lint};
use twostep::schema::model::Schema;
use twostep::source::{ReadOptions, SourceFile, read};
use twostep::sql::split::split;

/// Judges a migration and its way back, with all rules.
fn judge(up: &str, down: &str, dialect: Dialect) -> Linted {
    let sources = [
        SourceFile::text("1_a.up.sql".to_owned(), up),
        SourceFile::text("1_a.down.sql".to_owned(), down),
        SourceFile::text("2_b.up.sql".to_owned(), up),
    ];
    let options = ReadOptions { dialect: Some(dialect), ..ReadOptions::default() };
    // A directive that is none is told before anything is judged.
    let Ok(folder) = read(&sources, Some("twostep"), &options) else { return Linted::default() };
    let mut options = Options::new(ServerVersion::usual(dialect));
    options.groups.push(Group::Style);
    options.runner = Runner::Other;
    lint(&folder, &[0, 1], Schema::new(dialect), &options)
}

/// What must hold of any text.
fn check(up: &str, down: &str) {
    for dialect in Dialect::ALL {
        let parts = split(up, dialect);
        for pair in parts.statements.windows(2) {
            assert!(pair[0].span.end <= pair[1].span.start, "{dialect:?}: {up:?}");
        }
        for statement in &parts.statements {
            assert_eq!(statement.span.of(up), statement.text, "{dialect:?}: {up:?}");
        }
        for finding in judge(up, down, dialect).findings {
            assert!(!finding.message.is_empty() && finding.start <= finding.end, "{dialect:?}: {up:?}");
        }
    }
}

/// Pieces that statements are made of, so that some of what comes out is nearly right.
const PIECES: &[&str] = &[
    "create table t (id int primary key, a text not null default 'x')",
    "create table if not exists t",
    "alter table t",
    "alter table only s.t",
    "add column",
    "drop column a",
    "alter column a",
    "type varchar(20)",
    "set not null",
    "using",
    "add constraint c",
    "check (a > 0)",
    "foreign key (a) references u (id)",
    "not valid",
    "validate constraint c",
    "create unique index concurrently i on t (a)",
    "drop index",
    "if exists",
    "cascade",
    "rename to v",
    "rename a to b",
    "create view v as select * from t",
    "insert into t select",
    "values (1, 'a')",
    "on conflict do update set a = 1",
    "update t set a = 1 where",
    "delete from t",
    "with x as (",
    "select a, count(*) from t join u using (id)",
    "group by",
    "begin",
    "commit",
    "rollback",
    "do $$ begin",
    "end $$",
    "execute 'drop table t'",
    "if x then",
    "loop",
    "$$",
    "$a$",
    "create function f(a int) returns trigger language plpgsql as",
    "create trigger g before insert on t for each row",
    "partition by range (a)",
    "partition of t for values from (1) to (2)",
    "attach partition p default",
    "generated always as",
    "(",
    ")",
    ",",
    ";",
    "'",
    "\"",
    "`",
    "--",
    "/*",
    "*/",
    "\\",
    "\n",
    "E'\\'",
    "::int[]",
    "delimiter //",
    "//",
    "é",
    "\0",
    "$1",
    "modify a bigint",
    "change a b int",
    "engine=innodb",
    "enum('a','b')",
    "pragma foreign_keys = off",
    "comment on",
    "as",
    "-- twostep: allow drop-table because x\n",
    "-- twostep: no-transaction\n",
    "set lock_timeout = '1s'",
    "null",
    "a",
    "t",
    "1",
];

fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => proptest::sample::select(PIECES).prop_map(str::to_owned),
        1 => "\\PC{0,6}",
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|words| words.join(" "))
}

/// How many texts are tried where nothing says more.
fn cases(usual: u32) -> u32 {
    std::env::var("TWOSTEP_LINT_CASES").map_or(usual, |text| text.parse().expect("a number"))
}

#[test]
fn nearly_sql_never_panics() {
    let config = Config { cases: cases(300), failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&(pieces(), pieces()), |(up, down)| {
        check(&up, &down);
        Ok(())
    });
    outcome.unwrap();
}

/// Texts of real migrations: those of the folder that the environment names, else those of this project.
fn real_texts() -> Vec<String> {
    fn collect(folder: &Path, texts: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, texts);
            } else if path.extension().is_some_and(|extension| extension == "sql") {
                texts.extend(fs::read_to_string(path).ok().filter(|text| text.len() < 20_000));
            }
        }
    }
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = std::env::var("TWOSTEP_CORPORA").map_or_else(|_| own.join("fixtures"), Into::into);
    let mut texts = Vec::new();
    collect(&root, &mut texts);
    texts.sort();
    texts
}

#[test]
fn mutants_of_real_migrations_never_panic() {
    let texts = real_texts();
    assert!(!texts.is_empty());
    let config = Config { cases: cases(200), failure_persistence: None, ..Config::default() };
    let mutation = (
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        0..40usize,
        proptest::sample::select(PIECES),
    );
    let strategy = (any::<prop::sample::Index>(), proptest::collection::vec(mutation, 1..4));
    let outcome = TestRunner::new(config).run(&strategy, |(which, mutations)| {
        let mut chars: Vec<char> = which.get(&texts).chars().collect();
        for (at, from, length, piece) in mutations {
            // Cut something out, and put a piece or a part of itself in.
            let at = at.index(chars.len() + 1);
            let end = (at + length).min(chars.len());
            let copied = from.index(chars.len() + 1);
            let copy = chars[copied..(copied + length).min(chars.len())].to_vec();
            chars.splice(at..end, piece.chars().chain(copy));
        }
        let text: String = chars.into_iter().collect();
        check(&text, &text);
        Ok(())
    });
    outcome.unwrap();
}

/// Judges one migration with the usual rules.
fn judge_alone(text: &str) -> (Linted, Duration) {
    let folder =
        read(&[SourceFile::text("1_a.up.sql".to_owned(), text)], Some("twostep"), &ReadOptions::default())
            .unwrap();
    let options = Options::new(ServerVersion::usual(Dialect::Postgres));
    let start = Work::begin();
    let linted = lint(&folder, &[0], Schema::new(Dialect::Postgres), &options);
    (linted, start.done())
}

/// How long this thread has worked: on Linux without the time in which others had the processor.
struct Work {
    on_processor: Option<Duration>,
    start: Instant,
}

impl Work {
    fn begin() -> Self {
        Self { on_processor: on_processor(), start: Instant::now() }
    }

    fn done(&self) -> Duration {
        let worked = self.on_processor.and_then(|before| on_processor()?.checked_sub(before));
        worked.filter(|worked| !worked.is_zero()).unwrap_or_else(|| self.start.elapsed())
    }
}

/// <https://docs.kernel.org/scheduler/sched-stats.html>: nanoseconds on the processor come first.
fn on_processor() -> Option<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

/// That `count` pieces take less than `factor` times as long as a quarter of them: four times and some slack where time
/// grows with the text, sixteen times where it grows with its square.
#[track_caller]
fn check_growth(what: &str, count: usize, text: impl Fn(usize) -> String) {
    let (small, large) = (text(count / 4), text(count));
    // Others use the machine too: the best of a few tries.
    let best = |text: &str| (0..3).map(|_| judge_alone(text).1).min().unwrap();
    let (one, mut four) = (best(&small), best(&large));
    let limit = one * 9 + Duration::from_millis(50);
    for _ in 0..3 {
        four = if four < limit { four } else { four.min(best(&large)) };
    }
    assert!(four < limit, "{what}: {one:?} for {}, {four:?} for {count}", count / 4);
}

#[test]
fn time_grows_with_the_text() {
    check_growth("nested comments", 40_000, |count| {
        format!("{} x {} select 1;", "/* ".repeat(count), " */".repeat(count))
    });
    check_growth("open parentheses", 20_000, |count| format!("select {}1", "(".repeat(count)));
    check_growth("one long insert", 10_000, |count| {
        format!("insert into t values {};", vec!["(1, 'a', now())"; count].join(", "))
    });
    let statements = |one: fn(usize) -> String| {
        move |count: usize| (0..count).fold(String::new(), |text, number| text + &one(number) + ";\n")
    };
    check_growth(
        "tables",
        1_200,
        statements(|n| {
            format!("create table t{n} (id bigint primary key, u int references t0 (id), unique (u))")
        }),
    );
    check_growth("drops", 1_200, statements(|n| format!("drop table t{n} cascade")));
    check_growth(
        "alters",
        1_200,
        statements(|n| format!("alter table t{n} add column a int not null default 1")),
    );
    // A table of MySQL has at most 4,096 columns, one of PostgreSQL 1,600.
    check_growth("columns", 1_600, |count| {
        let column = |text, number| format!("{text}, c{number} int not null default 1 check (c{number} > 0)");
        format!(
            "create table t (id bigint{}); alter table t drop column c1;",
            (0..count).fold(String::new(), column)
        )
    });
    check_growth("columns one by one", 1_600, statements(|n| format!("alter table t add column c{n} int")));
    // That many checks are nobody's, and each is compared with all others by name.
    check_growth(
        "checks of one table",
        400,
        statements(|n| format!("alter table t add check (c{n} > 0) not valid")),
    );
    check_growth("indexes", 800, statements(|n| format!("create index concurrently i{n} on t (a, c{n})")));
    check_growth(
        "timeouts",
        1_200,
        statements(|n| format!("set lock_timeout = '1h'; alter table t{n} add a int")),
    );
    check_growth(
        "checks",
        1_200,
        statements(|n| {
            format!(
                "alter table t{n} add constraint c check (a > 0) not valid; alter table t{n} validate constraint c"
            )
        }),
    );
}

#[test]
fn ten_thousand_statements() {
    let mut text = String::new();
    for number in 0..10_000 {
        let table = number % 1_000;
        let _ = match number % 5 {
            0 => {
                writeln!(text, "create table n{number} (id bigint primary key, u bigint references t0 (id));")
            }
            1 => writeln!(text, "alter table t{table} add column c{number} int not null;"),
            2 => writeln!(text, "create index i{number} on t{table} (a);"),
            3 => writeln!(text, "update t{table} set a = {number};"),
            _ => writeln!(text, "insert into t{table} values ({number}, 'a');"),
        };
    }
    let (linted, took) = judge_alone(&text);
    assert!(linted.statements == 10_000 && linted.findings.len() > 6_000, "{}", linted.findings.len());
    // Not optimized, and on a machine that is busy; with time that grows with the square it takes minutes.
    assert!(took < Duration::from_secs(60), "{took:?}");
}
