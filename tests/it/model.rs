//! The schema model against real servers: after all migrations of real projects, what the model holds is what the
//! server's catalog shows. `TWOSTEP_CORPORA` names the folder that holds them: PROJECT/ENGINE/…. Without it, a script of
//! this project is compared on MariaDB and SQLite.
//!
//! What the server refuses is left out of both: a migration, or its rest where the server cannot take it back. `TWOSTEP_DIFFERENCES=1` lists every difference.

#![allow(clippy::print_stdout, reason = "its tables are for people")]

mod lines;
mod mysql;
mod postgres;
mod sqlite;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use twostep::analysis::{Step, analyze_one};
use twostep::dialect::Dialect;
use twostep::files::read_migrations;
use twostep::schema::change::{ChangeKind, OpaqueReason};
use twostep::schema::model::Schema;
use twostep::source::ReadOptions;

/// What is said of each relation, one fact a line.
type Facts = BTreeMap<String, Vec<String>>;

/// Where a server stopped.
struct Halt {
    /// How many statements it has kept.
    done: usize,
    /// What it said.
    error: String,
}

/// A server that takes migrations, one statement after the other.
trait Server {
    /// Runs the statements of one migration in a session of their own; the first complaint.
    fn run(&mut self, steps: &[Step], transaction: bool) -> Result<(), Halt>;
    /// What the model holds, in the form of its catalog.
    fn model(&self, schema: &Schema) -> Facts {
        lines::of_model(schema)
    }
    /// What its catalog shows.
    fn facts(&mut self) -> Facts;
    /// A default as the server prints it for a column of this type, if it takes it.
    fn printed_default(&mut self, data_type: &str, default: &str) -> Option<String>;
}

/// The projects and engines below the folder of the corpora.
fn folders(engine: &str) -> Vec<(String, PathBuf)> {
    let corpora = PathBuf::from(std::env::var("TWOSTEP_CORPORA").expect("TWOSTEP_CORPORA names a folder"));
    let mut found: Vec<(String, PathBuf)> = Vec::new();
    for project in std::fs::read_dir(corpora).unwrap() {
        let path = project.unwrap().path().join(engine);
        if path.is_dir() {
            let name = path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
            found.push((name, path));
        }
    }
    found.sort();
    found
}

/// What became of one project.
struct Outcome {
    refused: Vec<String>,
    tables: usize,
    equal: usize,
    others: usize,
    others_equal: usize,
    differences: Vec<String>,
}

fn compare(path: &Path, dialect: Dialect, server: &mut dyn Server) -> Outcome {
    let options = ReadOptions { dialect: Some(dialect), ..ReadOptions::default() };
    let folder = read_migrations(path, None, &options).unwrap();
    let mut schema = Schema::new(dialect);
    let mut refused = Vec::new();
    for (number, migration) in folder.migrations.iter().enumerate() {
        let analysis = analyze_one(&migration.up, number, schema.clone());
        match server.run(&analysis.steps, migration.up.transaction) {
            Ok(()) => schema = analysis.end,
            Err(halt) => {
                refused.push(format!("{}: {}", migration.up.path, halt.error));
                if let Some(last) = halt.done.checked_sub(1) {
                    schema = analysis.steps[last].after.clone();
                }
            }
        }
    }
    differences(&schema, dialect, server, refused)
}

/// Compares a schema with what the server has.
fn differences(schema: &Schema, dialect: Dialect, server: &mut dyn Server, refused: Vec<String>) -> Outcome {
    let (mut model, catalog) = (server.model(schema), server.facts());
    for (relation, line, data_type, default) in lines::defaults(schema) {
        // The server prints '1970-01-01' as it reads it; what it does with ours, it can tell.
        let Some(ours) = model.get_mut(&relation) else { continue };
        let theirs = catalog.get(&relation);
        if theirs.is_some_and(|theirs| theirs.contains(&line)) {
            continue;
        }
        if let Some(printed) = server.printed_default(&data_type, &default) {
            let (own, shown) = (lines::normal(&default, dialect), lines::normal(&printed, dialect));
            let at = ours.iter().position(|other| *other == line).unwrap();
            ours[at] = line.replace(&format!("default {own}"), &format!("default {shown}"));
        }
    }
    let mut outcome =
        Outcome { refused, tables: 0, equal: 0, others: 0, others_equal: 0, differences: Vec::new() };
    let names: std::collections::BTreeSet<&String> = model.keys().chain(catalog.keys()).collect();
    for name in names {
        let empty = Vec::new();
        let (ours, theirs) = (model.get(name).unwrap_or(&empty), catalog.get(name).unwrap_or(&empty));
        let missing: Vec<_> = theirs.iter().filter(|line| !ours.contains(line)).collect();
        let extra: Vec<_> = ours.iter().filter(|line| !theirs.contains(line)).collect();
        let same = missing.is_empty() && extra.is_empty();
        if name.starts_with("table ") {
            (outcome.tables, outcome.equal) = (outcome.tables + 1, outcome.equal + usize::from(same));
        } else {
            (outcome.others, outcome.others_equal) =
                (outcome.others + 1, outcome.others_equal + usize::from(same));
        }
        outcome.differences.extend(missing.iter().map(|line| format!("{name}: server only: {line}")));
        outcome.differences.extend(extra.iter().map(|line| format!("{name}: model only:  {line}")));
    }
    outcome
}

/// Compares all projects of an engine, prints the table, and gives those below `least` percent.
fn check(engine: &str, dialect: Dialect, mut server: impl FnMut() -> Box<dyn Server>, least: usize) {
    let mut below = Vec::new();
    println!("{:18} refused  tables  equal     %  others  equal", "project");
    for (project, path) in folders(engine) {
        let outcome = compare(&path, dialect, server().as_mut());
        let percent = (outcome.equal * 100).checked_div(outcome.tables).unwrap_or(100);
        println!(
            "{project:18} {:7} {:7} {:6} {percent:5} {:7} {:6}",
            outcome.refused.len(),
            outcome.tables,
            outcome.equal,
            outcome.others,
            outcome.others_equal
        );
        if std::env::var("TWOSTEP_DIFFERENCES").is_ok() {
            outcome.refused.iter().for_each(|line| println!("    refused: {line}"));
            outcome.differences.iter().for_each(|line| println!("    {line}"));
        }
        if percent < least {
            below.push(project);
        }
    }
    assert!(below.is_empty(), "below {least} %: {below:?}");
}

#[test]
#[ignore = "needs TWOSTEP_CORPORA"]
fn the_model_holds_what_postgres_shows() {
    let Some(server) = crate::servers::postgres::postgres() else { return };
    check("postgresql", Dialect::Postgres, || Box::new(postgres::Catalog::new(server)), 95);
}

#[test]
#[ignore = "needs TWOSTEP_CORPORA"]
fn the_model_holds_what_mariadb_shows() {
    let Some(server) = crate::servers::mariadb::mariadb() else { return };
    check("mysql", Dialect::Mysql, || Box::new(mysql::Catalog::new(server)), 95);
}

#[test]
#[ignore = "needs TWOSTEP_CORPORA"]
fn the_model_holds_what_sqlite_shows() {
    check("sqlite", Dialect::Sqlite, || Box::new(sqlite::Catalog::new()), 95);
}

/// Compares the model of a script with what a server makes of it.
#[track_caller]
fn check_script(sql: &str, dialect: Dialect, server: &mut dyn Server) {
    let source = [twostep::source::SourceFile::text("1_a.up.sql".to_owned(), sql)];
    let options = ReadOptions { dialect: Some(dialect), ..ReadOptions::default() };
    let folder = twostep::source::read(&source, Some("twostep"), &options).unwrap();
    let analysis = analyze_one(&folder.migrations[0].up, 0, Schema::new(dialect));
    if let Err(halt) = server.run(&analysis.steps, false) {
        panic!("{}: {}", analysis.steps[halt.done].sql, halt.error);
    }
    let outcome = differences(&analysis.end, dialect, server, Vec::new());
    assert!(outcome.tables > 2 && outcome.differences.is_empty(), "{:#?}", outcome.differences);
}

#[test]
fn a_script_leaves_on_mariadb_what_the_model_says() {
    // MySQL has not all of what the script makes; its catalog has tests of its own.
    let server = crate::servers::mariadb::mariadb().filter(|server| !server.is_mysql());
    let Some(server) = server else { return };
    check_script(include_str!("model/mariadb.sql"), Dialect::Mysql, &mut mysql::Catalog::new(server));
}

#[test]
fn a_script_leaves_in_sqlite_what_the_model_says() {
    check_script(include_str!("model/sqlite.sql"), Dialect::Sqlite, &mut sqlite::Catalog::new());
}

/// How much of what real projects run stays opaque, and no statement that makes us panic. What the server calls wrong
/// syntax too is understood: `lint` says that the migration fails there.
#[test]
#[ignore = "needs TWOSTEP_CORPORA"]
fn hardly_anything_stays_opaque() {
    let postgres = crate::servers::postgres::postgres();
    let mariadb = crate::servers::mariadb::mariadb();
    let (Some(postgres), Some(mariadb)) = (postgres, mariadb) else { return };
    println!("{:12} statements  opaque  refused  dynamic       %", "engine");
    let mut above = Vec::new();
    for (engine, dialect, most) in [
        ("postgresql", Dialect::Postgres, 0.2),
        ("mysql", Dialect::Mysql, 0.5),
        ("sqlite", Dialect::Sqlite, 0.5),
    ] {
        let mut server: Box<dyn Server> = match dialect {
            Dialect::Postgres => Box::new(postgres::Catalog::new(postgres)),
            Dialect::Mysql => Box::new(mysql::Catalog::new(mariadb)),
            Dialect::Sqlite => Box::new(sqlite::Catalog::new()),
        };
        let (mut statements, mut opaque, mut refused, mut dynamic) = (0, Vec::new(), Vec::new(), 0);
        for (project, path) in folders(engine) {
            let options = ReadOptions { dialect: Some(dialect), ..ReadOptions::default() };
            let folder = read_migrations(&path, None, &options).unwrap();
            let scripts = folder.migrations.iter().flat_map(|one| std::iter::once(&one.up).chain(&one.down));
            for script in scripts {
                for step in analyze_one(script, 0, Schema::new(dialect)).steps {
                    statements += 1;
                    let mut holes = step.changes.iter().filter_map(|applied| match &applied.change.kind {
                        ChangeKind::Opaque(opaque) => Some(opaque),
                        _ => None,
                    });
                    let Some(hole) = holes.next() else { continue };
                    let line = format!("{project} {}: {}", script.path, hole.why);
                    match hole.reason {
                        OpaqueReason::Dynamic => dynamic += 1,
                        OpaqueReason::Syntax if is_wrong_syntax(server.as_mut(), &step) => refused.push(line),
                        OpaqueReason::Syntax | OpaqueReason::Unknown | OpaqueReason::Client => {
                            opaque.push(line)
                        }
                    }
                }
            }
        }
        let share = opaque.len() as f64 * 100.0 / f64::from(statements);
        println!(
            "{engine:12} {statements:10} {:7} {:8} {dynamic:8} {share:7.3}",
            opaque.len(),
            refused.len()
        );
        opaque.iter().for_each(|line| println!("    {line}"));
        refused.iter().for_each(|line| println!("    refused: {line}"));
        if share > most {
            above.push(format!("{engine}: {share:.3} % and not {most} %"));
        }
    }
    assert!(above.is_empty(), "more than may be is opaque: {above:?}");
}

/// Whether the server does not take the text of a statement either, whatever there is in the database.
fn is_wrong_syntax(server: &mut dyn Server, step: &Step) -> bool {
    let answer = server.run(std::slice::from_ref(step), false);
    answer.is_err_and(|halt| halt.error.contains("syntax"))
}
