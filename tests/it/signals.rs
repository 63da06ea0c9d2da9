//! Asked to stop, or killed, wherever it is: it ends in time with its code, nothing of it runs on, its lock is free, no
//! index is left invalid, and the next run completes.

use std::time::{Duration, Instant};

use crate::client::Client;
use crate::complaint::complaint;
use crate::servers::{self, postgres, postgres::Database};
use crate::twostep::{Outcome, Project, Running};
use crate::wait;

/// What [`Project`]s here begin with.
const TABLE: (&str, &str) =
    ("1_t.up.sql", "create table t (id int primary key, n int);\ninsert into t values (1, 1);\n");

const SOON: Duration = Duration::from_secs(30);

/// Sessions of the runner and of its watcher.
fn sessions(database: &Database<'_>) -> String {
    database.psql(
        "select count(*) from pg_stat_activity where datname = current_database() and application_name like 'twostep%'",
    )
}

fn locks(database: &Database<'_>) -> String {
    database.psql(
        "select count(*) from pg_locks where locktype = 'advisory' \
         and database = (select oid from pg_database where datname = current_database())",
    )
}

/// Waits until a session of the runner waits on the server for `event` (`pg_stat_activity.wait_event_type`).
fn wait_until_it_waits(database: &Database<'_>, event_type: &str) {
    let waiting = format!(
        "select count(*) from pg_stat_activity where datname = current_database() and application_name = 'twostep' \
         and state = 'active' and wait_event_type = '{event_type}'"
    );
    wait::until_true("the runner waits on the server", SOON, || database.psql(&waiting) == "1");
}

/// Sends the signal, and asserts that the run ends within ten seconds with one of `codes`, and nothing of it is left.
#[track_caller]
fn stops(running: Running, database: &Database<'_>, signal: &str, codes: &[i32]) -> Outcome {
    let sent = Instant::now();
    running.signal(signal);
    let outcome = running.wait();
    assert!(sent.elapsed() < Duration::from_secs(10), "{:?}: {}", sent.elapsed(), outcome.stderr);
    assert!(codes.contains(&outcome.code()), "{} is none of {codes:?}:\n{}", outcome.code(), outcome.stderr);
    complaint(&outcome);
    wait::until_true("its sessions are gone", Duration::from_secs(5), || sessions(database) == "0");
    assert_eq!(locks(database), "0");
    outcome
}

fn invalid_indexes(database: &Database<'_>) -> String {
    database.psql("select count(*) from pg_index where not indisvalid")
}

/// The next run applies everything, and leaves nothing open.
#[track_caller]
fn completes(project: &Project, database: &Database<'_>) {
    project.on(&database.url(), &["migrate"]).run().expect(0);
    let status = project.on(&database.url(), &["status", "--exit-code"]).run().expect(0);
    assert!(status.stdout.contains("0 pending"), "{}", status.stdout);
    assert_eq!(database.psql("select count(*) from twostep.statement"), "0");
    assert_eq!(invalid_indexes(database), "0");
}

#[test]
fn in_a_transaction() {
    let Some(server) = postgres() else { return };
    for signal in ["TERM", "INT", "HUP"] {
        let database = server.fresh_database();
        let sleeping = "create table a (id int);\nselect pg_sleep(600);\n";
        let project = Project::with_migrations(&[("1_a.up.sql", sleeping)]);
        let running = project.on(&database.url(), &["migrate"]).spawn();
        wait_until_it_waits(&database, "Timeout");
        let outcome = stops(running, &database, signal, &[6]);
        assert!(outcome.stderr.contains("nothing changed"), "{}", outcome.stderr);
        assert_eq!(
            database.psql("select to_regclass('a'), exit_code, outcome from twostep.run"),
            "|6|interrupted"
        );
        project.write_migrations(&[("1_a.up.sql", "create table a (id int);\nselect 1;\n")]);
        completes(&project, &database);
    }
}

#[test]
fn in_rows_that_are_copied() {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    database.psql("create function slow() returns trigger language plpgsql as 'begin perform pg_sleep(600); return new; end'");
    let rows = "create table a (id int);\ncreate trigger s before insert on a for each row execute function slow();\n\
                copy a from stdin;\n1\n2\n\\.\n";
    let project = Project::with_migrations(&[("1_a.up.sql", rows)]);
    let running = project.on(&database.url(), &["migrate"]).spawn();
    wait_until_it_waits(&database, "Timeout");
    stops(running, &database, "TERM", &[6]);
    database.psql(
        "create or replace function slow() returns trigger language plpgsql as 'begin return new; end'",
    );
    completes(&project, &database);
    assert_eq!(database.psql("select count(*) from a"), "2");
}

#[test]
fn at_the_commit() {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    database.psql(
        "create function slow() returns trigger language plpgsql as 'begin perform pg_sleep(600); return new; end';
         create table a (id int);
         create constraint trigger s after insert on a initially deferred for each row execute function slow()",
    );
    let project = Project::with_migrations(&[("1_a.up.sql", "insert into a values (1);")]);
    let running = project.on(&database.url(), &["migrate"]).spawn();
    wait_until_it_waits(&database, "Timeout");
    stops(running, &database, "TERM", &[6]);
    assert_eq!(database.psql("select count(*) from a"), "0");
    database.psql("drop trigger s on a");
    completes(&project, &database);
}

/// A client whose transaction is old enough that `CREATE INDEX CONCURRENTLY` has to wait for it. One that has not
/// touched the table lets the invalid index be dropped; one that has, does not.
fn old_transaction(database: &Database<'_>, touch: &str) -> Client {
    let mut client = Client::connect(&database.url(), "nightly_report");
    client.run(&format!("begin isolation level repeatable read; select 1; {touch}"));
    client
}

#[test]
fn in_a_concurrent_index_build() {
    let Some(server) = postgres() else { return };
    for (signal, before) in [("TERM", ""), ("INT", "alter table t add column m int;\n")] {
        let database = server.fresh_database();
        let project = Project::with_migrations(&[TABLE]);
        completes(&project, &database);
        let index = format!("-- twostep: no-transaction\n{before}create index concurrently t_n on t (n);\n");
        project.write_migrations(&[("2_i.up.sql", &index)]);
        let blocker = old_transaction(&database, "");
        let running = project.on(&database.url(), &["migrate"]).spawn();
        wait_until_it_waits(&database, "Lock");
        // Half of the migration is done where a statement of it is.
        let outcome = stops(running, &database, signal, if before.is_empty() { &[6] } else { &[4] });
        assert_eq!(invalid_indexes(&database), "0", "{}", outcome.stderr);
        drop(blocker);
        completes(&project, &database);
        assert_eq!(database.psql("select indisvalid from pg_index where indexrelid = 't_n'::regclass"), "t");
    }
}

#[test]
fn in_a_concurrent_index_build_whose_remains_cannot_be_dropped_yet() {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    let project = Project::with_migrations(&[TABLE]);
    completes(&project, &database);
    project.write_migrations(&[(
        "2_i.up.sql",
        "-- twostep: no-transaction\ncreate index concurrently t_n on t (n);\n",
    )]);
    // Whoever has used the table keeps its indexes from being dropped.
    let blocker = old_transaction(&database, "select * from t");
    let running = project.on(&database.url(), &["migrate"]).spawn();
    wait_until_it_waits(&database, "Lock");
    let outcome = stops(running, &database, "TERM", &[4]);
    assert!(outcome.stderr.contains("the next run"), "{}", outcome.stderr);
    // The next run says who is in the way, and gives up in time.
    let outcome = project.on(&database.url(), &["migrate", "--lock-deadline", "1s"]).run().expect(4);
    complaint(&outcome);
    assert!(outcome.stderr.contains("nightly_report"), "{}", outcome.stderr);
    drop(blocker);
    completes(&project, &database);
    assert_eq!(database.psql("select indisvalid from pg_index where indexrelid = 't_n'::regclass"), "t");
}

#[test]
fn while_it_waits_for_another_run() {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    let project =
        Project::with_migrations(&[("1_a.up.sql", "create table a (id int);\nselect pg_sleep(600);\n")]);
    let first = project.on(&database.url(), &["migrate"]).spawn();
    wait_until_it_waits(&database, "Timeout");
    let mut second = project.on(&database.url(), &["migrate"]).spawn();
    second.wait_for_stderr("another run has the lock");
    let sent = Instant::now();
    second.signal("TERM");
    let outcome = second.wait().expect(6);
    assert!(sent.elapsed() < Duration::from_secs(10));
    assert!(complaint(&outcome).contains("nothing changed"), "{}", outcome.stderr);

    // Who has it is named when the time is over.
    let outcome = project.on(&database.url(), &["migrate", "--run-deadline", "300ms"]).run().expect(5);
    complaint(&outcome);
    assert!(
        outcome.stderr.contains("held by session") && outcome.stderr.contains("run 1 (`migrate`"),
        "{}",
        outcome.stderr
    );
    stops(first, &database, "TERM", &[6]);
    project.write_migrations(&[("1_a.up.sql", "create table a (id int);\n")]);
    completes(&project, &database);
}

#[test]
fn while_it_waits_for_a_table() {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    let project = Project::with_migrations(&[TABLE]);
    completes(&project, &database);
    project.write_migrations(&[("2_m.up.sql", "alter table t add column m int;\n")]);
    let blocker = old_transaction(&database, "select * from t");
    let mut running = project.on(&database.url(), &["migrate"]).spawn();
    running.wait_for_stderr("waiting for");
    let outcome = stops(running, &database, "TERM", &[6]);
    assert!(outcome.stderr.contains("nightly_report"), "{}", outcome.stderr);
    drop(blocker);
    completes(&project, &database);
}

#[test]
fn while_it_waits_for_a_row() {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    let project = Project::with_migrations(&[TABLE]);
    completes(&project, &database);
    project.write_migrations(&[("2_m.up.sql", "update t set n = n + 1;\n")]);
    let mut blocker = Client::connect(&database.url(), "shop");
    blocker.run("begin; update t set n = 5");
    let running = project.on(&database.url(), &["migrate"]).spawn();
    wait_until_it_waits(&database, "Lock");
    stops(running, &database, "TERM", &[6]);
    blocker.run("commit");
    completes(&project, &database);
    assert_eq!(database.psql("select n from t"), "6");
}

#[test]
fn while_it_waits_for_a_server() {
    let project = Project::with_migrations(&[TABLE]);
    let mut running = project.on("postgres://me@127.0.0.1:1/shop", &["migrate", "--wait", "10m"]).spawn();
    running.wait_for_stderr("is not ready");
    let sent = Instant::now();
    running.signal("TERM");
    let outcome = running.wait().expect(6);
    assert!(sent.elapsed() < Duration::from_secs(10));
    complaint(&outcome);
}

#[test]
fn in_a_seed() {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    let project = Project::new();
    project.write("seeds/1.sql", "create table a (id int); insert into a values (1);");
    project.write("seeds/2.sql", "insert into a values (2); select pg_sleep(600);");
    let running = project.on(&database.url(), &["db", "seed"]).spawn();
    wait_until_it_waits(&database, "Timeout");
    let outcome = stops(running, &database, "TERM", &[6]);
    assert!(outcome.stderr.contains("one seed file is applied"), "{}", outcome.stderr);
    assert_eq!(database.psql("select count(*) from a"), "1");
}

#[test]
fn in_sqlite() {
    let project = Project::with_migrations(&[(
        "1_a.up.sql",
        "create table a (id int);\ninsert into a with recursive n(i) as (select 1 union all select i + 1 from n) select i from n where i < 0;\n",
    )]);
    let running = project.on("sqlite:db.sqlite", &["migrate"]).spawn();
    wait::until_true("its transaction is open", SOON, || project.path("db.sqlite-journal").exists());
    let sent = Instant::now();
    running.signal("TERM");
    let outcome = running.wait().expect(6);
    assert!(sent.elapsed() < Duration::from_secs(10));
    assert!(complaint(&outcome).contains("nothing changed"), "{}", outcome.stderr);
    project.write_migrations(&[("1_a.up.sql", "create table a (id int);\nselect 1;\n")]);
    project.on("sqlite:db.sqlite", &["migrate"]).run().expect(0);
}

#[test]
fn killed_while_a_statement_runs() {
    let Some(server) = postgres() else { return };
    // In a transaction, in one that waits for a lock, and outside of transactions.
    let statements = [
        ("create table a (id int);\nselect pg_sleep(600);\n", "Timeout"),
        ("update t set n = 2;\n", "Lock"),
        ("-- twostep: no-transaction\ncreate index concurrently t_n on t (n);\n", "Lock"),
    ];
    for (sql, event_type) in statements {
        let database = server.fresh_database();
        let project = Project::with_migrations(&[TABLE]);
        completes(&project, &database);
        project.write_migrations(&[("2_m.up.sql", sql)]);
        let mut blocker = old_transaction(&database, "");
        if sql.starts_with("update") {
            blocker.run("update t set n = 7");
        }
        let running = project.on(&database.url(), &["migrate"]).spawn();
        wait_until_it_waits(&database, event_type);
        let killed = Instant::now();
        running.signal("KILL");
        assert_eq!(running.wait().signal(), Some(9));
        // The server looks every second whether its client is still there.
        wait::until_true("its sessions are gone", Duration::from_secs(8), || sessions(&database) == "0");
        assert_eq!(locks(&database), "0");
        let line =
            format!("killed in `{}`: gone after {:?}\n", sql.lines().last().unwrap(), killed.elapsed());
        servers::tell(&line);
        blocker.run("commit");
        project.write_migrations(&[("2_m.up.sql", &sql.replace("600", "0"))]);
        completes(&project, &database);
    }
}
