//! `twostep capture` and `compat`, and `lint` with what they know of the running code.

use serde_json::Value;

use crate::json_schema;
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
