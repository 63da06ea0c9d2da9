//! Backfills: chunks that are resumed where they stopped, and held contracts.

use super::{Case, Deployment};
use crate::servers;
use crate::wait;
use std::time::Duration;

const CASE: Case<'static> = Case {
    schema: "CREATE TABLE items (a int, b text, sku text, n int NOT NULL DEFAULT 0, PRIMARY KEY (a, b));",
    rows: "insert into items select n, 'b''' || n % 7, 's' || n from generate_series(1, 30000) n",
    plain: "-- twostep: no-transaction\n-- twostep: backfill\nUPDATE items SET n = n + 1 WHERE sku IS NOT NULL;",
    single: true,
    ..Case::NONE
};

#[test]
fn a_backfill_by_hand_writes_each_row_once() {
    let Some(server) = servers::postgres() else { return };
    let deployment = Deployment::new(server, &CASE);
    deployment.twostep(&["migrate"]).expect(0);
    assert_eq!(deployment.database.psql("select count(*), sum(n) from items"), "30000|30000");
    assert_eq!(deployment.database.psql("select count(*) from twostep.statement"), "0");
}

#[test]
fn killed_in_the_middle_it_goes_on_and_writes_no_row_twice() {
    let Some(server) = servers::postgres() else { return };
    let deployment = Deployment::new(server, &CASE);
    let mut killed = 0;
    for at in 1..=4 {
        // A lock on a row ahead keeps it in the middle.
        let mut locker = crate::client::Client::connect(&deployment.database.url(), "locker");
        locker.run(&format!("begin; select 1 from items where a = {} for update", at * 6000));
        let running =
            deployment.project.on(&deployment.database.url(), &["migrate", "--lock-deadline", "60s"]).spawn();
        let done =
            || deployment.database.psql("select coalesce(sum(n), 0) from items").parse::<u32>().unwrap();
        wait::until_true("chunks are done", Duration::from_secs(60), || {
            let seen = done();
            seen > 0 && {
                std::thread::sleep(Duration::from_millis(300));
                done() == seen
            }
        });
        running.signal("KILL");
        running.wait();
        killed += 1;
        assert!(done() < 30000, "it was killed before its end");
        locker.run("rollback");
    }
    assert_eq!(killed, 4);
    wait::until_true("the killed run's lock is free", Duration::from_secs(30), || {
        deployment.twostep(&["migrate"]).code() == 0
    });
    assert_eq!(deployment.database.psql("select min(n), max(n) from items"), "1|1");
}

/// Runs a backfill that stops at a row that somebody has locked, and does `meanwhile` then.
fn held_at(deployment: &Deployment<'_>, row: u32, meanwhile: impl FnOnce(crate::twostep::Running)) {
    let url = deployment.database.url();
    let mut locker = crate::client::Client::connect(&url, "locker");
    locker.run(&format!("begin; select 1 from items where a = {row} for update"));
    let running = deployment.project.on(&url, &["backfill", "--lock-deadline", "60s"]).spawn();
    wait::until_true("it waits for the row", Duration::from_secs(60), || {
        let waiting = "select count(*) from twostep.run where detail like '%waiting%' and outcome is null";
        deployment.database.psql(waiting) == "1"
    });
    meanwhile(running);
    locker.run("rollback");
}

#[test]
fn a_process_of_its_own_fills_the_rows_while_releases_go_on() {
    let Some(server) = servers::postgres() else { return };
    let deployment = Deployment::new(server, &CASE);
    let left = deployment.twostep(&["migrate", "--backfills", "leave"]).expect(4).stderr;
    assert!(left.contains("the rows of 20260201000000_change are not filled yet"), "{left}");
    assert_eq!(deployment.database.psql("select sum(n) from items"), "0");
    held_at(&deployment, 20_000, |running| {
        let status = deployment.twostep(&["status"]).expect(0).stdout;
        assert!(status.contains("waiting for lock"), "{status}");
        assert!(status.contains("`locker`"), "whose lock it is: {status}");
        assert!(status.contains("`backfill` by"), "{status}");
        // The schema is changed meanwhile, and nobody waits for the rows.
        deployment.project.write("migrations/20260301000000_more.up.sql", "create table other (i int);");
        deployment.project.write("migrations/20260301000000_more.down.sql", "drop table other;");
        let said = deployment.twostep(&["migrate"]).expect(4).stderr;
        assert!(said.contains("applied 20260301000000_more") && said.contains("not filled yet"), "{said}");
        let refused = deployment.twostep(&["rollback"]).expect(5).stderr;
        assert!(refused.contains("`twostep backfill` is filling rows"), "{refused}");
        running.signal("KILL");
        running.wait();
    });
    wait::until_true("the killed process's lock is free", Duration::from_secs(30), || {
        deployment.twostep(&["backfill", "--run-deadline", "1s"]).code() == 0
    });
    assert_eq!(deployment.database.psql("select min(n), max(n) from items"), "1|1");
    deployment.twostep(&["migrate", "--backfills", "leave"]).expect(0);
    deployment.twostep(&["backfill"]).expect(0);
}

#[test]
fn stopped_after_some_time_it_says_how_far_it_is_and_goes_on() {
    let Some(server) = servers::postgres() else { return };
    let deployment = Deployment::new(server, &CASE);
    // A lock on a row ahead keeps it in the middle until its time is over.
    let mut locker = crate::client::Client::connect(&deployment.database.url(), "locker");
    locker.run("begin; select 1 from items where a = 20000 for update");
    let stopped = deployment.twostep(&["backfill", "--lock-deadline", "60s", "--stop-after", "5s"]).expect(4);
    assert!(stopped.stderr.contains("the time is over before the rows are filled"), "{}", stopped.stderr);
    let status = deployment.twostep(&["status"]).expect(0).stdout;
    assert!(status.contains("half applied") && status.contains("it stopped in a backfill"), "{status}");
    locker.run("rollback");
    deployment.twostep(&["backfill", "--migration", "20260201000000"]).expect(0);
    assert_eq!(deployment.database.psql("select min(n), max(n) from items"), "1|1");
    let unknown = deployment.twostep(&["backfill", "--migration", "9"]).expect(2).stderr;
    assert!(unknown.contains("there is no migration 9"), "{unknown}");
    assert!(deployment.twostep(&["backfill"]).expect(0).stderr.contains("no backfill is left"));
}

#[test]
fn what_comes_before_a_backfill_is_applied_first() {
    let Some(server) = servers::postgres() else { return };
    let deployment = Deployment::new(server, &CASE);
    deployment.project.write("migrations/20260115000000_first.up.sql", "create table first (i int);");
    let early = deployment.twostep(&["backfill"]).expect(3).stderr;
    assert!(early.contains("behind 20260115000000_first, which is not applied yet"), "{early}");
    deployment.twostep(&["migrate", "--backfills", "leave"]).expect(4);
    deployment.twostep(&["backfill"]).expect(0);
}

#[test]
fn it_pauses_while_a_replica_is_behind() {
    let (Some(server), Some(standby)) = (servers::postgres(), servers::standby()) else { return };
    let deployment = Deployment::new(server, &CASE);
    standby.server.psql("postgres", "select pg_wal_replay_pause()");
    deployment.database.psql("create table more as select repeat('x', 1000) from generate_series(1, 5000)");
    let url = deployment.database.url();
    let running = deployment.project.on(&url, &["backfill", "--max-lag-mib", "1"]).spawn();
    wait::until_true("it pauses", Duration::from_secs(60), || {
        deployment.twostep(&["status"]).expect(0).stdout.contains("it pauses: a replica is")
    });
    let done = deployment.database.psql("select sum(n) from items");
    assert!(done.parse::<u32>().unwrap() < 30_000, "{done} rows are filled");
    standby.server.psql("postgres", "select pg_wal_replay_resume()");
    running.wait().expect(0);
    assert_eq!(deployment.database.psql("select min(n), max(n) from items"), "1|1");
}

#[test]
fn it_pauses_while_others_wait_for_locks() {
    let Some(server) = servers::postgres() else { return };
    let deployment = Deployment::new(server, &CASE);
    let url = deployment.database.url();
    deployment.database.psql("create table busy (i int)");
    let mut holder = crate::client::Client::connect(&url, "holder");
    holder.run("begin; lock table busy");
    let waiting = {
        let url = url.clone();
        std::thread::spawn(move || crate::client::Client::connect(&url, "waiting").run("select * from busy"))
    };
    wait::until_true("one session has waited for a second", Duration::from_secs(30), || {
        let ask = "select count(*) from pg_stat_activity where datname = current_database() \
                   and wait_event_type = 'Lock' and query_start < clock_timestamp() - interval '1 second'";
        deployment.database.psql(ask) == "1"
    });
    let running = deployment.project.on(&url, &["backfill"]).spawn();
    wait::until_true("it pauses", Duration::from_secs(60), || {
        deployment.twostep(&["status"]).expect(0).stdout.contains("it pauses: 1 sessions wait for a lock")
    });
    holder.run("rollback");
    waiting.join().expect("the client is answered");
    running.wait().expect(0);
    assert_eq!(deployment.database.psql("select min(n), max(n) from items"), "1|1");
}

#[test]
fn a_table_without_a_key_is_filled_by_the_places_of_its_rows() {
    let Some(server) = servers::postgres() else { return };
    let case = Case {
        schema: "CREATE TABLE items (a int, sku text, n int NOT NULL DEFAULT 0);",
        rows: "insert into items select n, 's' || n from generate_series(1, 30000) n",
        plain: "-- twostep: no-transaction\n-- twostep: backfill key=ctid\nUPDATE items SET n = 1 WHERE n = 0;",
        ..CASE
    };
    let deployment = Deployment::new(server, &case);
    deployment.twostep(&["backfill"]).expect(0);
    assert_eq!(deployment.database.psql("select min(n), max(n), count(*) from items"), "1|1|30000");
}

#[test]
fn what_cannot_be_cut_is_refused_before_the_start() {
    let Some(server) = servers::postgres() else { return };
    let refused = |plain: &'static str| {
        let deployment = Deployment::new(server, &Case { plain, rows: "", ..CASE });
        deployment.twostep(&["migrate"]).expect(2).stderr
    };
    assert!(refused("-- twostep: backfill\nUPDATE items SET n = 1;").contains("each chunk of it commits"));
    let other = "-- twostep: no-transaction\n-- twostep: backfill\nDELETE FROM items;";
    assert!(refused(other).contains("cannot be run in chunks"));
    let block = "-- twostep: no-transaction\nBEGIN;\n-- twostep: backfill\nUPDATE items SET n = 1;\nCOMMIT;";
    assert!(refused(block).contains("between BEGIN and COMMIT"));
    let keyless =
        "-- twostep: no-transaction\nCREATE TABLE k (i int);\n-- twostep: backfill\nUPDATE k SET i = 1;";
    let deployment = Deployment::new(server, &Case { plain: keyless, rows: "", ..CASE });
    assert!(deployment.twostep(&["migrate"]).expect(4).stderr.contains("no primary key"));
}

#[test]
fn a_contract_is_held_until_its_release_is_live() {
    let Some(server) = servers::postgres() else { return };
    let case = Case { plain: "ALTER TABLE items RENAME COLUMN sku TO code;", single: false, ..CASE };
    let deployment = Deployment::new(server, &case);
    deployment.plan(&case);
    let said = deployment.twostep(&["migrate", "--release", "r2"]).expect(0).stderr;
    assert!(said.contains("20260201000002_change_contract is held"), "{said}");
    let again = deployment.twostep(&["migrate", "--release", "r2"]).expect(0).stderr;
    assert!(again.contains("no release that has its first step is confirmed"), "{again}");
    assert!(deployment.twostep(&["status"]).expect(0).stdout.contains("held"));

    // What comes behind and touches the same table was written for what the contract leaves.
    deployment
        .project
        .write("migrations/20260301000000_more.up.sql", "alter table items add column more int;");
    let stopped = deployment.twostep(&["migrate"]).expect(3).stderr;
    assert!(stopped.contains("both touch `items`"), "{stopped}");
    deployment.project.write("migrations/20260301000000_more.up.sql", "create table other (i int);");
    deployment.twostep(&["migrate"]).expect(0);

    deployment.twostep(&["release", "confirm", "--release", "r2"]).expect(0);
    assert!(!deployment.twostep(&["migrate", "--phase", "expand"]).expect(0).stderr.contains("applied"));
    deployment.twostep(&["migrate", "--release", "r3"]).expect(0);
    assert_eq!(deployment.database.psql("select count(code) from items"), "30000");
}

#[test]
fn a_new_database_gets_all_steps_at_once() {
    let Some(server) = servers::postgres() else { return };
    let case = Case { plain: "ALTER TABLE items RENAME COLUMN sku TO code;", single: false, ..CASE };
    let deployment = Deployment::new(server, &case);
    deployment.plan(&case);
    let fresh = server.fresh_database();
    deployment.project.on(&fresh.url(), &["migrate"]).run().expect(0);
    assert_eq!(fresh.psql("select count(code) from items"), "0");
    assert_eq!(fresh.psql("select count(*) from pg_trigger where not tgisinternal"), "0");
}
