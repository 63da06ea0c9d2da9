//! `twostep roundtrip` finds each way in which a down does not undo its up, on the three engines.

use serde_json::Value;

use crate::servers;
use crate::twostep::{Outcome, Project};

/// A migration for each verdict that every engine can come to, with the words that the finding has to hold.
const MIGRATIONS: &[(&str, &str, &str, &str, &str)] = &[
    (
        "1_people",
        "create table people (id integer primary key, name varchar(40), nick integer, age integer);",
        "drop table people;",
        "exact",
        "",
    ),
    ("2_index", "create index people_name on people (name);", "drop index people_name;", "exact", ""),
    (
        "3_drop_age",
        "alter table people drop column age;",
        "alter table people add column age integer;\n",
        "exact",
        "",
    ),
    ("4_mail", "alter table people add column mail varchar(80);", "select 1;", "down-does-nothing", "mail"),
    (
        "5_pets",
        "create table pets (id integer primary key);\ncreate table toys (id integer primary key);",
        "drop table pets;",
        "not-reversed",
        "toys",
    ),
    (
        "6_typo",
        "create table cars (id integer primary key);",
        "drop tabel cars;",
        "down-fails",
        "6_typo.down.sql:1",
    ),
    ("7_rows", "insert into cars values (1);", "", "no-down", ""),
    (
        "8_more_rows",
        "delete from cars;",
        "create table unused (id integer primary key);\ndrop table unused;",
        "loses-rows",
        "cars: 1 row before, 0 after",
    ),
    (
        "9_again",
        "insert into people (id, name) values (1, 'a');",
        "create table spare (id integer);\ndrop table spare;",
        "second-up-fails",
        "the second up",
    ),
    (
        "10_broken",
        "create tabel nothing (id integer);",
        "drop table nothing;",
        "up-fails",
        "10_broken.up.sql:1",
    ),
    (
        "11_nick",
        "alter table people drop column nick;",
        "alter table people add column nick integer;",
        "column-order",
        "+  column mail",
    ),
    ("12_last", "create table last_one (id integer primary key);", "drop table last_one;", "exact", ""),
];

/// A project of [`MIGRATIONS`], with what differs between the engines.
fn project(engine: &str) -> Project {
    let project = Project::new();
    for (name, up, down, _, _) in MIGRATIONS {
        // MySQL's indexes are their tables'.
        let of_table = *name == "2_index" && engine == "mysql";
        let down = if of_table { "drop index people_name on people;" } else { *down };
        project.write_migrations(&[(&format!("{name}.up.sql"), up), (&format!("{name}.down.sql"), down)]);
    }
    project.write_migrations(&[(
        "13_gone.up.sql",
        "-- twostep: irreversible because the files are deleted\ncreate table gone (id integer primary key);",
    )]);
    project
}

/// The findings that `outcome` printed as JSON.
fn findings(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome:?}"))
}

fn check(engine: &str) {
    let outcome =
        project(engine).twostep(&["roundtrip", "--engine", engine, "--format", "json"]).run().expect(1);
    let found = findings(&outcome);
    let migrations = found["migrations"].as_array().unwrap();
    assert_eq!(migrations.len(), MIGRATIONS.len() + 1, "{found}");
    for (judged, (name, _, _, verdict, words)) in migrations.iter().zip(MIGRATIONS) {
        assert_eq!(
            (judged["label"].as_str(), judged["verdict"].as_str()),
            (Some(*name), Some(*verdict)),
            "{judged:#}"
        );
        assert!(judged.to_string().contains(words), "{words} is missing in {judged:#}");
    }
    let last = &migrations[MIGRATIONS.len()];
    assert_eq!(last["verdict"], "irreversible");
    assert_eq!(last["notes"][0], "the files are deleted");
    // Nothing can be taken back past the last one.
    assert_eq!((&found["chain"]["of"], &found["chain"]["behind"]), (&0.into(), &"13_gone".into()));
}

#[test]
fn every_verdict_on_sqlite() {
    check("sqlite");
}

#[test]
fn every_verdict_on_postgres() {
    if servers::postgres().is_some() {
        check("postgres");
    }
}

#[test]
fn every_verdict_on_mariadb() {
    if servers::mariadb().is_some() {
        check("mysql");
    }
}
