//! Backfills: chunks that are resumed where they stopped, and held contracts.

use super::{Case, Deployment};
use crate::servers;
use crate::wait;
use std::time::Duration;

const CASE: Case<'static> = Case {
    schema: "CREATE TABLE items (a int, b text, sku text, n int NOT NULL DEFAULT 0, PRIMARY KEY (a, b));",
    rows: "insert into items select n, 'b''' || n % 7, 's' || n from generate_series(1, 30000) n",
    plain: "-- twostep: no-transaction\n-- twostep: backfill\nUPDATE items SET n = n + 1 WHERE sku IS NOT NULL;",
    plain_down: "",
    fill: None,
    between: &[],
    after: &[],
    moves_columns: false,
    moves_copies: false,
    single: true,
    differs: &[],
    one_way: false,
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
