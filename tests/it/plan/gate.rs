//! Who is asked before a contract: the sessions that are connected, each time that a run would apply it.

use std::time::Duration;

use super::{Case, Deployment};
use crate::client::{Client, Load};
use crate::evidence_live::counting;
use crate::{servers, wait};

const CASE: Case<'static> = Case {
    schema: "CREATE TABLE items (id int PRIMARY KEY, sku text);",
    rows: "",
    plain: "ALTER TABLE items RENAME COLUMN sku TO code;",
    plain_down: "",
    fill: None,
    between: &[],
    after: &[],
    moves_columns: false,
    moves_copies: false,
    single: false,
    differs: &[],
    one_way: false,
};

/// A deploy whose schema r1 has made, and whose first step r2 has applied.
fn expanded<'s>(server: &'s servers::Postgres, case: &Case<'_>) -> Deployment<'s> {
    let deployment = Deployment::new(server, case);
    deployment.database.psql("update twostep.migration set release_id = 'r1-5a2c'");
    deployment.plan(case);
    deployment.twostep(&["migrate", "--release", "r2-77d0"]).expect(0);
    deployment
}

fn is_renamed(deployment: &Deployment<'_>) -> bool {
    let sql =
        "select count(*) from information_schema.columns where table_name = 'items' and column_name = 'sku'";
    deployment.database.psql(sql) == "0"
}

fn migrate(deployment: &Deployment<'_>, arguments: &[&str]) -> String {
    let all: Vec<&str> = ["migrate"].iter().chain(arguments).copied().collect();
    deployment.twostep(&all).expect(0).stderr
}

#[test]
fn a_confirmed_contract_waits_while_older_code_is_there_again() {
    let Some(server) = servers::postgres() else { return };
    let deployment = expanded(server, &CASE);
    deployment.twostep(&["release", "confirm", "--release", "r2-77d0"]).expect(0);
    let older = Client::connect(&deployment.database.url(), "web r1-5a2c");
    let said = migrate(&deployment, &["--release", "r3-0b1e"]);
    assert!(said.contains("older code is there again") && said.contains("called `web r1-5a2c`"), "{said}");
    let shown = deployment.twostep(&["migrate", "--release", "r3-0b1e", "--dry-run"]).expect(0);
    assert!(shown.stderr.contains("older code is there again"), "{}", shown.stderr);
    assert!(!is_renamed(&deployment));
    drop(older);
    migrate(&deployment, &["--release", "r3-0b1e"]);
    assert!(is_renamed(&deployment));
}

#[test]
fn a_person_who_knows_better_is_believed_and_told() {
    let Some(server) = servers::postgres() else { return };
    let deployment = expanded(server, &CASE);
    let _older = Client::connect(&deployment.database.url(), "web r1-5a2c");
    let confirm = ["release", "confirm", "--release", "r2-77d0", "--anyway", "it only looks at the weather"];
    deployment.twostep(&confirm[..4]).expect(1);
    deployment.twostep(&confirm).expect(0);
    let shown = deployment.twostep(&["status"]).expect(0).stdout;
    assert!(shown.contains("release r2-77d0 was confirmed by "), "{shown}");
    assert!(shown.contains("whatever older code is seen: it only looks at the weather"), "{shown}");
    let json = deployment.twostep(&["status", "--format", "json"]).expect(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["confirmed"]["anyway"], "it only looks at the weather");
    migrate(&deployment, &["--release", "r3-0b1e"]);
    assert!(is_renamed(&deployment));

    let deployment = expanded(server, &CASE);
    let _older = Client::connect(&deployment.database.url(), "web r1-5a2c");
    let said = migrate(&deployment, &["--contract", "it only looks at the weather"]);
    assert!(said.contains("applied although older code is there"), "{said}");
    assert!(is_renamed(&deployment));
}

#[test]
fn sessions_that_carry_the_release_confirm_it_for_the_next_one() {
    let Some(server) = servers::postgres() else { return };
    let deployment = expanded(server, &CASE);
    let url = deployment.database.url();
    let unconfirmed = "no release that has its first step is confirmed";
    let holds = |arguments: &[&str], when: &str| {
        let said = migrate(&deployment, arguments);
        assert!(said.contains(unconfirmed) && !is_renamed(&deployment), "{when}: {said}");
    };
    holds(&["--release", "r3-0b1e"], "nobody is connected");
    let _live = Client::connect(&url, "web r2-77d0");
    holds(&["--release", "r2-77d0"], "it may be rolled out now");
    holds(&[], "without an id");
    {
        let _unknown = Client::connect(&url, "reports");
        holds(&["--release", "r3-0b1e"], "nobody knows whose `reports` is");
        let _older = Client::connect(&url, "worker r1-5a2c");
        holds(&["--release", "r3-0b1e"], "older code runs");
    }
    migrate(&deployment, &["--release", "r3-0b1e"]);
    assert!(is_renamed(&deployment));
}

#[test]
fn a_contract_alone_waits_for_the_release_that_brings_it() {
    let Some(server) = servers::postgres() else { return };
    let deployment = Deployment::new(server, &Case { plain: "select 1;", ..CASE });
    deployment.twostep(&["migrate", "--release", "r2-77d0"]).expect(0);
    deployment.twostep(&["release", "confirm", "--release", "r2-77d0"]).expect(0);
    let drop = "-- twostep: phase contract\nalter table items drop column sku;";
    deployment.project.write_migrations(&[("20260301000000_drop.up.sql", drop)]);
    for _ in 0..2 {
        let said = migrate(&deployment, &["--release", "r3-0b1e"]);
        assert!(said.contains("no release that has it among its files"), "{said}");
        assert!(!is_renamed(&deployment));
    }
    deployment.twostep(&["release", "confirm", "--release", "r3-0b1e"]).expect(0);
    migrate(&deployment, &["--release", "r4-1111"]);
    assert!(is_renamed(&deployment));
}

#[test]
fn what_is_still_called_keeps_a_release_from_being_confirmed() {
    let Some(server) = counting() else { return };
    let deployment = expanded(server, &CASE);
    deployment.database.psql("create extension pg_stat_statements");
    let old_code = Load::start(&deployment.database.url(), "select sku from items");
    wait::until_true("the old code runs", Duration::from_secs(20), || old_code.count() > 0);
    let confirm = ["release", "confirm", "--release", "r2-77d0", "--watch", "1s"];
    let refused = deployment.twostep(&confirm).expect(1);
    assert!(refused.stderr.contains("calls of `select sku from items`"), "{}", refused.stderr);
    old_code.stop();
    // What was called while it still ran is told, and does not stand in the way.
    let done = deployment.twostep(&confirm).expect(0);
    assert!(done.stderr.contains("what breaks is still called cannot be told"), "{}", done.stderr);
    migrate(&deployment, &["--release", "r3-0b1e"]);
    assert!(is_renamed(&deployment));
}
