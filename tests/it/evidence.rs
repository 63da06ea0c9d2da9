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

/// Evidence of a server that has counted everything for `days`, with `queries`.
fn counted(days: u32, queries: &[&str]) -> String {
    let mut queries = queries.to_vec();
    queries.sort_unstable();
    let seen = serde_json::json!([{"label": "web", "source": "pg-stat-statements", "day": "2026-01-31", "calls": 7}]);
    let queries: Vec<Value> =
        queries.iter().map(|sql| serde_json::json!({"sql": sql, "seen": seen})).collect();
    serde_json::json!({
        "form": 1, "engine": "postgres",
        "captures": [{"label": "web", "source": "pg-stat-statements", "day": "2026-01-31", "window_days": days}],
        "databases": [{"label": "web", "day": "2026-01-31", "name": "d", "version": "PostgreSQL 17.1"}],
        "queries": queries,
    })
    .to_string()
}

#[test]
fn rules_about_running_code_ask_its_queries() {
    let cases = [
        ("drop-column", "alter table a drop column x", "select x from a"),
        ("drop-table", "drop table b", "select id from b"),
        ("rename-column", "alter table c rename column x to y", "select x from c"),
        ("rename-table", "alter table d rename to e", "select id from d"),
        (
            "new-write-restriction",
            "alter table f alter column x set not null",
            "insert into f (id) values ($1)",
        ),
        ("add-unique-index-compat", "create unique index u on g (x)", "insert into g (x) values ($1)"),
        ("drop-default", "alter table h alter column n drop default", "insert into h (id) values ($1)"),
        ("change-column-type", "alter table i alter column n type bigint", "select n from i"),
        ("drop-view", "drop view v", "select id from v"),
        (
            "rename-enum-value",
            "alter type mood rename value 'sad' to 'blue'",
            "select id from j where mood = $1",
        ),
        ("drop-function", "drop function fn(int)", "select fn($1)"),
    ];
    let project = Project::new();
    let mut base = String::from("create type mood as enum ('sad', 'happy');");
    for table in ["a", "b", "c", "d", "f", "g", "h", "i", "j"] {
        base.push_str(&format!(
            "create table {table} (id int, x text, n int not null default 0, mood mood);"
        ));
    }
    base.push_str("create view v as select id from j; create function fn(n int) returns int language sql as 'select 1';");
    project.write("migrations/01_base.up.sql", &base);
    let files: Vec<String> =
        (0..cases.len()).map(|at| format!("migrations/{}_change.up.sql", at + 10)).collect();
    for ((_, change, _), file) in cases.iter().zip(&files) {
        project.write(file, change);
    }
    let lint = |evidence: &str| -> Vec<Value> {
        project.write("twostep.evidence.json", evidence);
        let mut arguments = vec!["lint", "--format", "json", "--fail-on", "never"];
        arguments.extend(files.iter().map(String::as_str));
        let found: Value = serde_json::from_str(&twostep(&project, &arguments).expect(0).stdout).unwrap();
        let all = found["findings"].as_array().unwrap();
        let of = |(rule, ..): &(&str, &str, &str)| {
            let one = all.iter().find(|one| one["rule"] == *rule);
            one.unwrap_or_else(|| panic!("no {rule} in {found:#}")).clone()
        };
        cases.iter().map(of).collect()
    };
    let queries = cases.map(|(_, _, query)| query);
    for (finding, (rule, _, query)) in lint(&counted(9, &queries)).iter().zip(cases) {
        let why = finding["why"].as_str().unwrap();
        assert!(why.contains(&format!("`{query}` (web, 7 calls)")), "{rule}: {why}");
        assert_ne!(finding["severity"], "note", "{rule}");
    }
    for (finding, (rule, ..)) in lint(&counted(9, &["select 1"])).iter().zip(cases) {
        assert_eq!(finding["severity"], "note", "{rule}: nobody uses it: {finding:#}");
    }
    for (finding, (rule, ..)) in lint(&counted(2, &["select 1"])).iter().zip(cases) {
        assert_ne!(finding["severity"], "note", "{rule}: two days prove nothing");
        assert!(finding["why"].as_str().unwrap().contains("it has watched 2 days"), "{rule}: {finding:#}");
    }
}

#[test]
fn lint_asks_a_server_too() {
    let Some(server) = postgres() else { return };
    let project = project();
    twostep(&project, &["capture", "--engine", "postgres", "--sql", "queries"]).expect(0);
    let all = ["lint", "--verify", "--scratch-url", &server.url("postgres")];
    let whole = twostep(&project, &all).expect(2);
    assert!(whole.stderr.contains("--since main"), "{}", whole.stderr);
    project.write("queries/users.sql", "select lower(email) from users;");
    twostep(&project, &["capture", "--engine", "postgres", "--sql", "queries"]).expect(0);
    let outcome = twostep(&project, &[&all[..], &["migrations/2_drop.up.sql"]].concat()).expect(1);
    assert!(outcome.stdout.contains("fails: column \"email\" does not exist"), "{}", outcome.stdout);
    // What the server refuses behind the migration is told of the statement that it comes from, and of no other.
    project.write(
        "migrations/3_two.up.sql",
        "alter table users drop column email;\ndrop table if exists orders;\n",
    );
    project.write("migrations/2_drop.up.sql", "create table orders (id int primary key);\n");
    let outcome = twostep(&project, &[&all[..], &["migrations/3_two.up.sql"]].concat()).expect(1);
    let (first, second) = outcome.stdout.split_once("drop-table").expect("both are found");
    assert!(first.contains("fails: column \"email\" does not exist"), "{}", outcome.stdout);
    assert!(!second.contains("email\" does not exist"), "{}", outcome.stdout);
    std::fs::remove_file(project.path("twostep.evidence.json")).unwrap();
    let none = twostep(&project, &[&all[..], &["migrations/3_two.up.sql"]].concat()).expect(2);
    assert!(none.stderr.contains("twostep capture"), "{}", none.stderr);
}

#[test]
fn the_queries_of_the_sample_work_at_its_last_migration() {
    let Some(server) = postgres() else { return };
    let root = env!("CARGO_MANIFEST_DIR");
    let project = Project::new();
    let queries = format!("{root}/fixtures/queries");
    twostep(&project, &["capture", "--engine", "postgres", "--sql", &queries]).expect(0);
    let migrations = format!("{root}/migrations");
    let arguments = [
        "compat",
        "--verify",
        "--scratch-url",
        &server.url("postgres"),
        "--format",
        "json",
        "--fail-on",
        "never",
    ];
    let outcome = twostep(
        &project,
        &[&arguments[..], &["--new-evidence", "twostep.evidence.json", &migrations]].concat(),
    );
    let report: Value = serde_json::from_str(&outcome.expect(0).stdout).unwrap();
    let rows = report["queries"].as_array().unwrap();
    assert_eq!(rows.len(), 2 * 19);
    for row in rows {
        let (code, verdict) = (&row["code"], &row["verdicts"][0]["verdict"]);
        // The newest migration brings a column, which one query needs.
        let needs = row["sql"].as_str().unwrap().contains("slug");
        let expect = if code == "old" && needs { "not-certain" } else { "works" };
        let is_star = row["sql"].as_str().unwrap().starts_with("select *");
        assert!(verdict == expect || is_star && verdict == "other-result", "{row:#}");
    }
}

#[test]
fn strings_in_double_quotes_do_not_get_into_the_file() {
    for (engine, table) in [("sqlite", "\"t\""), ("mysql", "`t`")] {
        let project = Project::with_migrations(&[(
            "1_t.up.sql",
            "create table t (id integer primary key, name text);",
        )]);
        let sql = format!(
            "select id from {table} where name = \"hunter2\" and {table}.name <> 'hunter2' -- hunter2\n;"
        );
        project.write("q.sql", sql);
        twostep(&project, &["capture", "--engine", engine, "--sql", "q.sql"]).expect(0);
        let text = project.read("twostep.evidence.json");
        assert!(!text.contains("hunter") && text.contains("name = ? and"), "{engine}: {text}");
        twostep(&project, &["compat"]).expect(0);
    }
}
