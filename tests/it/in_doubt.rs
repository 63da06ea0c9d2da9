//! Backfills that were stopped: what is in doubt of them, and what is not.

use crate::servers::{mariadb, postgres};
use crate::twostep::{Outcome, Project};

/// Rows for more than two chunks.
const ROWS: usize = 4_000;

/// Counts up, so that a row that is written twice shows.
const FILL: &str = "-- twostep: no-transaction\n-- twostep: backfill\nupdate t set n = n + 1;\n";

/// The number of the `nth` point (from 1) that an undisturbed run passes in a chunk.
fn in_chunk(project: &Project, url: &str, nth: usize) -> String {
    let log = project.path("faults.log");
    std::fs::remove_file(&log).ok();
    project.on(url, &["migrate"]).env("TWOSTEP_FAULT_LOG", &log).run().expect(0);
    let points = project.read("faults.log");
    let chunks = points.lines().zip(1..).filter(|(point, _)| point.ends_with("in a chunk"));
    chunks.map(|(_, number): (_, usize)| number).nth(nth - 1).expect("it has chunks").to_string()
}

fn killed(project: &Project, url: &str, point: &str) {
    let killed = project.on(url, &["migrate"]).env("TWOSTEP_FAULT", point).run();
    assert!(killed.signal().is_some(), "{}", killed.stderr);
}

#[track_caller]
fn says(outcome: &Outcome, words: &[&str]) {
    let said = format!("{}{}", outcome.stdout, outcome.stderr);
    for word in words {
        assert!(said.contains(word), "`{word}` is not in\n{said}");
    }
}

/// Where a table has no transactions, a chunk that was being written is asked for, and those before it stay done.
#[test]
fn mariadb_a_backfill_that_no_rollback_takes_back_keeps_what_is_done() {
    let Some(server) = mariadb() else { return };
    let mut engines = vec!["MyISAM"];
    engines.extend((!server.is_mysql()).then_some("Aria transactional = 0"));
    for engine in engines {
        let rows: Vec<String> = (1..=ROWS).map(|id| format!("({id}, 0)")).collect();
        let table = format!(
            "create table t (id int primary key, n int) engine = {engine}; insert into t values {}",
            rows.join(",")
        );
        let project = Project::with_migrations(&[("1_fill.up.sql", FILL)]);
        let fresh = || {
            let database = server.fresh_database();
            database.mysql(&table);
            database
        };
        let other = fresh();
        let (first, second) = (in_chunk(&project, &other.url(), 1), {
            let other = fresh();
            in_chunk(&project, &other.url(), 2)
        });
        assert_eq!(other.mysql("select min(n), max(n) from t"), "1\t1");

        for (point, done) in [(&first, 0), (&second, 1_000)] {
            let database = fresh();
            killed(&project, &database.url(), point);
            let behind = if done == 0 { "its first rows" } else { "the rows behind the key 1000" };
            for _ in 0..2 {
                let told = project.on(&database.url(), &["migrate"]).run().expect(7);
                says(&told, &[behind, "no rollback takes back", "resolve 1 --not-done"]);
            }
            let open = project.on(&database.url(), &["resolve"]).run().expect(0);
            says(&open, &["--done", "--not-done"]);
            if done > 0 {
                says(&open, &["1000 rows are done, unknown of those behind them"]);
            }
            // The person puts the rows in doubt back as they were.
            database.mysql(&format!("update t set n = 0 where id > {done}"));
            project.on(&database.url(), &["resolve", "1", "--not-done"]).run().expect(0);
            project.on(&database.url(), &["migrate"]).run().expect(0);
            assert_eq!(database.mysql("select min(n), max(n), count(*) from t"), format!("1\t1\t{ROWS}"));
        }

        // Or says that all of it is written.
        let database = fresh();
        killed(&project, &database.url(), &second);
        let left = database.mysql("select count(*) from t where n = 0");
        project.on(&database.url(), &["resolve", "1", "--done"]).run().expect(0);
        project.on(&database.url(), &["migrate"]).run().expect(0);
        assert_eq!(database.mysql("select count(*) from t where n = 0"), left);
        assert_eq!(database.mysql("select state from twostep_migration"), "applied");
    }
}

/// Where a chunk and how far it has come commit together, nothing is in doubt, and nobody can say so.
#[test]
fn a_backfill_that_was_stopped_is_not_in_doubt() {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    let table = format!(
        "create table t (id int primary key, n int); insert into t select i, 0 from generate_series(1, {ROWS}) i"
    );
    database.psql(&table);
    let project = Project::with_migrations(&[("1_fill.up.sql", FILL)]);
    let other = server.fresh_database();
    other.psql(&table);
    let point = in_chunk(&project, &other.url(), 2);
    killed(&project, &database.url(), &point);
    let open = project.on(&database.url(), &["resolve"]).run().expect(0);
    says(&open, &["1000 rows are done, the next run goes on behind them"]);
    assert!(!open.stdout.contains("unknown") && !open.stdout.contains("--done"), "{}", open.stdout);
    for answer in ["--done", "--not-done"] {
        let refused = project.on(&database.url(), &["resolve", "1", answer]).run().expect(2);
        says(&refused, &["no statement of 1 has an unknown outcome"]);
    }
    project.on(&database.url(), &["migrate"]).run().expect(0);
    assert_eq!(database.psql("select min(n), max(n), count(*) from t"), format!("1|1|{ROWS}"));
}
