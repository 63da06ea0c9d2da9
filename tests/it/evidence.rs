//! `twostep capture` and `compat`, and `lint` with what they know of the running code.

use serde_json::Value;

use crate::json_schema;
use crate::servers::{mariadb, postgres};
use crate::twostep::{Outcome, Project};

fn twostep(project: &Project, arguments: &[&str]) -> Outcome {
    project.twostep(arguments).env("TWOSTEP_LOG", "text").run()
}

/// A project whose newest migration drops a column, with queries as sqlx and sqlc keep them.
fn project() -> Project {
    let project = Project::new();
    project.write(
        "migrations/1_users.up.sql",
        "create table users (id bigint primary key, email text, name text);",
    );
    project.write("migrations/2_drop.up.sql", "alter table users drop column email;");
    project.write(
        ".sqlx/query-1.json",
        r#"{"db_name": "PostgreSQL", "query": "select id from users where email = 'hunter2'", "describe": {}, "hash": "1"}"#,
    );
    project.write(
        "queries/users.sql",
        "-- name: Name :one\nselect name from users where id = $1;\n-- name: All :many\nselect * from users;",
    );
    project
}

#[test]
fn a_drop_names_the_queries_that_use_the_column() {
    let project = project();
    let captured = twostep(&project, &["capture", "--engine", "postgres"]).expect(0);
    assert!(captured.stdout.contains("1 different ones"), "{}", captured.stdout);
    twostep(&project, &["capture", "--label", "worker", "--sql", "queries"]).expect(0);

    let text = project.read("twostep.evidence.json");
    assert!(!text.contains("hunter2"), "{text}");
    let schema =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/evidence.schema.json")).unwrap();
    let (value, schema): (Value, Value) =
        (serde_json::from_str(&text).unwrap(), serde_json::from_str(&schema).unwrap());
    assert_eq!(json_schema::problems(&value, &schema), Vec::<String>::new());
    twostep(&project, &["capture", "--label", "worker", "--sql", "queries"]).expect(0);
    assert_eq!(project.read("twostep.evidence.json"), text, "a second capture of the same changes nothing");

    let compat = twostep(&project, &["compat", "--format", "json"]).expect(1);
    let value: Value = serde_json::from_str(&compat.stdout).unwrap();
    let verdicts: Vec<&str> = value["queries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["verdicts"][0]["verdict"].as_str().unwrap())
        .collect();
    assert_eq!(verdicts, ["other-result", "fails", "works"]);
    let text = twostep(&project, &["compat", "--fail-on", "never"]).expect(0).stdout;
    assert!(text.contains("column \"email\" does not exist") && text.contains("1 fails"), "{text}");

    let lint = twostep(&project, &["lint", "migrations/2_drop.up.sql"]).expect(1);
    assert!(lint.stdout.contains("select id from users where email"), "{}", lint.stdout);
}

#[test]
fn what_is_no_evidence_is_told() {
    let project = project();
    assert!(twostep(&project, &["compat"]).expect(2).stderr.contains("twostep capture"));
    project.write("twostep.evidence.json", "{\"form\": 1");
    assert!(twostep(&project, &["compat"]).expect(2).stderr.contains("is no evidence"));
    project.write("none/a.txt", "");
    let none = twostep(&project, &["capture", "--out", "x.json", "--postgres-log", "nowhere.log"]).expect(2);
    assert!(!none.stderr.is_empty() && !project.path("x.json").exists());
}

#[test]
fn a_server_is_asked_at_each_stage() {
    if postgres().is_none() {
        return;
    }
    let project = Project::new();
    project.write(
        "migrations/1_users.up.sql",
        "create table users (id bigint primary key, email text unique, age int, a int);
         create function age_of(bigint) returns int language sql as 'select 1';",
    );
    project.write(
        "migrations/2_drop.up.sql",
        "drop function age_of(bigint); alter table users drop constraint users_email_key;",
    );
    project.write("migrations/3_type.up.sql", "alter table users alter column a type bigint;");
    project.write(
        "queries.sql",
        "select age_of($1); select id from users; select a from users; select sum(case when id > 3 then 1 else 0 end) from users;
         insert into users (id, email) values ($1, $2) on conflict (email) do nothing;
         select nope from users; select id from users where age > all (select a from users) and xmin is not null;",
    );
    twostep(&project, &["capture", "--engine", "postgres", "--sql", "queries.sql"]).expect(0);
    let server = postgres().unwrap();
    let database = server.fresh_database();
    let scratch = server.url("postgres");
    let asked = |project: &Project, arguments: &[&str]| {
        let all =
            [&["compat", "--verify", "--scratch-url", &scratch, "--format", "json"], arguments].concat();
        let outcome = twostep(project, &all).expect(1);
        let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
        assert!(report["verified"].as_str().unwrap().starts_with("PostgreSQL"), "{report}");
        report
    };
    let report = asked(&project, &["migrations/2_drop.up.sql", "migrations/3_type.up.sql"]);
    let verdicts = |sql: &str, code: &str| -> Vec<String> {
        let rows = report["queries"].as_array().unwrap();
        let row = rows.iter().find(|row| row["sql"].as_str().unwrap().contains(sql) && row["code"] == code);
        let row = row.unwrap_or_else(|| panic!("{sql}: {report:#}"));
        let both = row["verdicts"].as_array().unwrap();
        both.iter().map(|one| format!("{}: {}", one["verdict"].as_str().unwrap(), one["why"])).collect()
    };
    let check = |sql: &str, expect: [(&str, &str); 2]| {
        for (found, (verdict, why)) in verdicts(sql, "old").iter().zip(expect) {
            assert!(found.starts_with(verdict) && found.contains(why), "{sql}: {found}");
        }
    };
    check("age_of", [("fails", "function age_of("), ("fails", "does not exist")]);
    check("select id from users;".trim_end_matches(';'), [("works", "[]"), ("works", "[]")]);
    check("select a from users", [("works", "[]"), ("other-result", "bigint")]);
    check("sum(case", [("works", "[]"), ("works", "[]")]);
    check("on conflict", [("fails", "ON CONFLICT specification"), ("fails", "ON CONFLICT")]);
    check("nope", [("not-certain", "column \\\"nope\\\" does not exist"), ("not-certain", "nope")]);

    // What the new code sends is asked about on what the deploy leaves.
    project.write("new.sql", "select age_of($1); select a from users;");
    twostep(&project, &["capture", "--engine", "postgres", "--sql", "new.sql", "--out", "new.json"])
        .expect(0);
    let report = asked(
        &project,
        &["migrations/2_drop.up.sql", "migrations/3_type.up.sql", "--new-evidence", "new.json"],
    );
    let rows = report["queries"].as_array().unwrap();
    let new: Vec<&Value> = rows.iter().filter(|row| row["code"] == "new").collect();
    assert_eq!(new.len(), 2);
    assert_eq!(new[0]["verdicts"][1]["verdict"], "works");
    assert_eq!(database.psql("select count(*) from pg_database where datname like 'twostep%'"), "0");
}

#[test]
fn sqlite_and_mariadb_are_asked_too() {
    let write = |project: &Project| {
        project.write(
            "migrations/1_t.up.sql",
            "create table t (id integer primary key, old varchar(9), x int);",
        );
        project.write("migrations/2_t.up.sql", "alter table t drop column old;");
        project.write(
            "q.sql",
            "select old from t where id = 3; select * from t; select x from t; select nope from t;",
        );
    };
    let check = |project: &Project, engine: &str, scratch: &[&str]| {
        write(project);
        twostep(project, &["capture", "--engine", engine, "--sql", "q.sql"]).expect(0);
        let all = [&["compat", "--verify", "--format", "json"], scratch].concat();
        let report: Value = serde_json::from_str(&twostep(project, &all).expect(1).stdout).unwrap();
        let rows = report["queries"].as_array().unwrap();
        let all: Vec<&str> = rows.iter().map(|row| row["verdicts"][0]["verdict"].as_str().unwrap()).collect();
        assert_eq!(all, ["other-result", "not-certain", "fails", "works"], "{engine}: {report:#}");
        let why = rows[2]["verdicts"][0]["why"][0].as_str().unwrap();
        assert!(
            why.to_lowercase().contains("column") && !why.contains("does not exist"),
            "the server's words: {why}"
        );
    };
    check(&Project::new(), "sqlite", &[]);
    let Some(server) = mariadb() else { return };
    check(&Project::new(), "mysql", &["--scratch-url", &server.url("mysql")]);
}
