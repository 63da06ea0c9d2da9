//! A migration never stands in front of the application: it asks for its locks without queueing, names who is in the
//! way, and waits where waiting keeps nobody else waiting.

use std::time::Duration;

use crate::client::{Client, Load};
use crate::complaint::complaint;
use crate::servers::{self, Postgres, postgres, postgres::Database};
use crate::twostep::Project;
use crate::wait;

const SOON: Duration = Duration::from_secs(30);

/// A database with a table and a few rows, and a project that knows it.
fn shop(server: &'static Postgres) -> (Database<'static>, Project) {
    let database = server.fresh_database();
    let project = Project::with_migrations(&[(
        "1_t.up.sql",
        "create table t (id int primary key, n int);\ninsert into t select i, i from generate_series(1, 100) i;\n",
    )]);
    project.on(&database.url(), &["migrate"]).run().expect(0);
    (database, project)
}

#[test]
fn a_long_transaction_of_another_keeps_no_third_one_waiting() {
    let Some(server) = postgres() else { return };
    // Locks that are asked for beforehand, and one that only the server knows of (the view is resolved by it).
    let statements = [
        "alter table t add column m int;\n",
        "do $$ begin execute 'alter table t add column m int'; end $$;\n",
    ];
    for sql in statements {
        let (database, project) = shop(server);
        project.write_migrations(&[("2_m.up.sql", sql)]);
        let mut report = Client::connect(&database.url(), "nightly_report");
        report.run("begin; select count(*) from t");
        let pid = report.pid();
        let clients = [
            Load::start(&database.url(), "select * from t where id = 5"),
            Load::start(&database.url(), "update t set n = n + 1 where id = 7"),
        ];
        wait::until_true("the clients work", SOON, || clients.iter().all(|client| client.count() > 5));

        let outcome = project.on(&database.url(), &["migrate", "--lock-deadline", "3s"]).run().expect(5);
        let state = complaint(&outcome);
        assert!(state.contains("nothing changed"), "{state}");
        let on = if sql.starts_with("alter") { "on \"t\"" } else { "ACCESS SHARE on t" };
        for part in [&format!("session {pid} (`nightly_report`"), "ACCESS SHARE", on, "pg_terminate_backend"]
        {
            assert!(outcome.stderr.contains(part), "`{part}` is not in\n{}", outcome.stderr);
        }
        // The transaction ends while we try: then it goes through, with the clients at work.
        let mut running = project.on(&database.url(), &["migrate"]).spawn();
        running.wait_for_stderr("waiting for");
        report.run("commit");
        running.wait().expect(0);
        assert_eq!(database.psql("select count(m) from t"), "0");

        let worst: Vec<_> = clients.into_iter().map(Load::stop).collect();
        let longest = worst.iter().map(|worst| worst.longest).max().unwrap();
        let count: u64 = worst.iter().map(|worst| worst.count).sum();
        servers::tell(&format!(
            "`{}` against a long transaction: the longest of {count} queries of others took {longest:?}\n",
            sql.trim()
        ));
        assert!(longest < Duration::from_secs(1), "{worst:?}");
    }
}

#[test]
fn after_something_was_committed_the_code_says_so() {
    let Some(server) = postgres() else { return };
    let (database, project) = shop(server);
    project.write_migrations(&[
        ("2_a.up.sql", "create table a (id int);"),
        ("3_m.up.sql", "alter table t add column m int;"),
    ]);
    let mut report = Client::connect(&database.url(), "nightly_report");
    report.run("begin; select count(*) from t");
    let outcome = project.on(&database.url(), &["migrate", "--lock-deadline", "500ms"]).run().expect(4);
    let state = complaint(&outcome);
    assert!(state.contains("2_a is done"), "{state}");
    assert_eq!(database.psql("select to_regclass('a')"), "a");
    report.run("commit");
    project.on(&database.url(), &["migrate"]).run().expect(0);
}

#[test]
fn several_tables_are_all_free_or_none_is_held() {
    let Some(server) = postgres() else { return };
    let (database, project) = shop(server);
    database.psql("create table u (id int)");
    // The first lock is there, the second is not: the first must not be held while the second is waited for.
    project.write_migrations(&[(
        "2_m.up.sql",
        "alter table t add column m int;\nalter table u add column m int;\n",
    )]);
    let mut report = Client::connect(&database.url(), "nightly_report");
    report.run("begin; select count(*) from u");
    let client = Load::start(&database.url(), "select * from t where id = 5");
    wait::until_true("the client works", SOON, || client.count() > 5);
    let outcome = project.on(&database.url(), &["migrate", "--lock-deadline", "2s"]).run().expect(5);
    assert!(
        outcome.stderr.contains("on \"u\"") && outcome.stderr.contains("statement 2 of 2"),
        "{}",
        outcome.stderr
    );
    let worst = client.stop();
    servers::tell(&format!(
        "two tables, the second one in use: the longest query on the first took {:?}\n",
        worst.longest
    ));
    assert!(worst.longest < Duration::from_secs(1), "{worst:?}");
    report.run("commit");
}

#[test]
fn a_row_is_waited_for() {
    let Some(server) = postgres() else { return };
    let (database, project) = shop(server);
    project.write_migrations(&[("2_n.up.sql", "update t set n = 0;\n")]);
    let mut shop = Client::connect(&database.url(), "shop");
    shop.run("begin; update t set n = 5 where id = 5");
    let running = project.on(&database.url(), &["migrate"]).spawn();
    // One and the same try for many times the lock timeout.
    let waits = "select query_start from pg_stat_activity where datname = current_database() \
                 and application_name = 'twostep' and wait_event_type = 'Lock' \
                 and clock_timestamp() - query_start > '700 ms'";
    wait::until_true("it has waited for longer than a lock timeout", SOON, || {
        !database.psql(waits).is_empty()
    });
    shop.run("commit");
    let outcome = running.wait().expect(0);
    assert!(!outcome.stderr.contains("waiting for"), "{}", outcome.stderr);
    assert_eq!(database.psql("select sum(n) from t"), "0");
}

#[test]
fn a_deadlock_is_tried_again() {
    let Some(server) = postgres() else { return };
    let (database, project) = shop(server);
    project.write_migrations(&[(
        "2_n.up.sql",
        "update t set n = 0 where id = 2;\nupdate t set n = 0 where id = 1;\n",
    )]);
    let mut shop = Client::connect(&database.url(), "shop");
    shop.run("begin; update t set n = 10 where id = 1");
    let running = project.on(&database.url(), &["migrate"]).spawn();
    wait::until_true("it waits for the first row", SOON, || {
        database.psql(
            "select count(*) from pg_stat_activity where datname = current_database() \
             and application_name = 'twostep' and wait_event_type = 'Lock'",
        ) == "1"
    });
    // It has waited for longer, so that it is the one whose turn it is to look for a deadlock first, and to end.
    shop.run("update t set n = 20 where id = 2; commit");
    running.wait().expect(0);
    assert_eq!(database.psql("select string_agg(n::text, ' ') from t where id <= 2"), "0 0");
    let deadlocks = "select deadlocks from pg_stat_database where datname = current_database()";
    wait::until_true("there was a deadlock", SOON, || database.psql(deadlocks) == "1");
}

#[test]
fn a_serialization_failure_is_tried_again() {
    let Some(server) = postgres() else { return };
    let (database, project) = shop(server);
    project.write_migrations(&[(
        "2_n.up.sql",
        "set transaction isolation level repeatable read;\nupdate t set n = n * 2 where id = 1;\n",
    )]);
    let mut shop = Client::connect(&database.url(), "shop");
    shop.run("begin; update t set n = 10 where id = 1");
    let running = project.on(&database.url(), &["migrate"]).spawn();
    wait::until_true("it waits for the row", SOON, || {
        database.psql(
            "select count(*) from pg_stat_activity where datname = current_database() \
             and application_name = 'twostep' and wait_event_type = 'Lock'",
        ) == "1"
    });
    shop.run("commit");
    running.wait().expect(0);
    assert_eq!(database.psql("select n from t where id = 1"), "20");
}

/// It does so only for who waits for a second: that must not be a statement with the application in the queue behind it.
#[test]
fn autovacuum_gives_way_and_nobody_else_waits() {
    // One that takes its time over a table, and begins at once.
    let settings = "autovacuum_naptime = 1s\nautovacuum_vacuum_cost_delay = 100ms\nautovacuum_vacuum_cost_limit = 1\n\
                    autovacuum_vacuum_threshold = 10\nautovacuum_vacuum_scale_factor = 0\nlog_autovacuum_min_duration = 0\n\
                    log_lock_waits = on\n";
    let Some(server) = servers::required("PostgreSQL", Postgres::start(settings)) else { return };
    let database = server.fresh_database();
    database.psql(
        "create table t (id int, filler text) with (fillfactor = 20);
         insert into t select i, repeat('x', 500) from generate_series(1, 5000) i;
         delete from t where id % 2 = 0",
    );
    let at_work = "select count(*) from pg_locks l join pg_stat_activity a using (pid) \
                   where a.backend_type = 'autovacuum worker' and l.relation = 't'::regclass and l.granted \
                   and l.mode = 'ShareUpdateExclusiveLock'";
    wait::until_true("autovacuum works on the table", Duration::from_secs(60), || {
        database.psql(at_work) == "1"
    });
    let project = Project::with_migrations(&[("1_m.up.sql", "alter table t add column m int;")]);
    let outcome = project.on(&database.url(), &["migrate", "--lock-deadline", "20s"]).run().expect(0);
    wait::until_true("autovacuum was cancelled", SOON, || server.log().contains("canceling autovacuum task"));
    assert!(outcome.stderr.contains("autovacuum"), "{}", outcome.stderr);
    // The server logs who has waited for `deadlock_timeout`, and for which lock.
    let log = server.log();
    assert!(log.contains("still waiting for ShareUpdateExclusiveLock"), "{log}");
    assert!(!log.contains("waiting for AccessExclusiveLock"), "{log}");
    servers::tell(&format!("autovacuum gave way after {:?}\n", outcome.elapsed));
}

/// A migration sets limits for itself, and only for itself.
#[test]
fn a_migration_sets_its_own_limits() {
    let Some(server) = postgres() else { return };
    let (database, project) = shop(server);
    let mut report = Client::connect(&database.url(), "nightly_report");
    report.run("begin; select count(*) from t");
    for mark in ["", "-- twostep: no-transaction\n"] {
        let text = format!("{mark}-- twostep: set lock-deadline=1s\nalter table t add column m int;\n");
        project.write_migrations(&[("2_m.up.sql", &text)]);
        let outcome = project.on(&database.url(), &["migrate"]).run().expect(5);
        assert!(outcome.stderr.contains("no lock") && outcome.elapsed < SOON, "{}", outcome.stderr);
    }
    report.run("commit");

    for mark in ["", "-- twostep: no-transaction\n"] {
        let slow = format!("{mark}-- twostep: set statement-timeout=200ms\nselect pg_sleep(60);\n");
        project.write_migrations(&[("2_m.up.sql", &slow)]);
        let outcome = project.on(&database.url(), &["migrate"]).run().expect(3);
        assert!(outcome.stderr.contains("statement timeout"), "{}", outcome.stderr);
    }
    // So does a down that only the history keeps.
    project.write_migrations(&[
        ("2_m.up.sql", "select 1;\n"),
        ("2_m.down.sql", "-- twostep: set statement-timeout=200ms\nselect pg_sleep(60);\n"),
    ]);
    project.on(&database.url(), &["migrate"]).run().expect(0);
    let outcome = Project::new().on(&database.url(), &["rollback"]).run().expect(3);
    assert!(outcome.stderr.contains("statement timeout"), "{}", outcome.stderr);
    database.psql("delete from twostep.migration where version = '2'");
    project.write_migrations(&[(
        "2_m.up.sql",
        "-- twostep: set statement-timeout=200ms\nselect pg_sleep(60);\n",
    )]);
    let shown = project.on(&database.url(), &["migrate", "--dry-run"]).run().expect(0);
    assert!(shown.stdout.contains("select pg_sleep(60);"), "{}", shown.stdout);
    project.write_migrations(&[
        ("2_m.up.sql", "-- twostep: set statement-timeout=200ms\nselect 1;\n"),
        ("3_n.up.sql", "select pg_sleep(0.5);\n"),
        ("4_o.up.sql", "-- twostep: no-transaction\n-- twostep: set statement-timeout=200ms\nselect 1;\n"),
        ("5_p.up.sql", "-- twostep: no-transaction\nselect pg_sleep(0.5);\n"),
    ]);
    project.on(&database.url(), &["migrate"]).run().expect(0);

    project.write_migrations(&[("6_q.up.sql", "-- twostep: set lock-timeout=soon\nselect 1;\n")]);
    let outcome = project.on(&database.url(), &["migrate"]).run().expect(2);
    assert!(outcome.stderr.contains("6_q.up.sql:1: `lock-timeout` cannot be `soon`"), "{}", outcome.stderr);
}
