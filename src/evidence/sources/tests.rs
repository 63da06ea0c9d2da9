//! Every source, and that no data gets from any of them into the file.

use super::{JSON_LINES, POSTGRES_LOG, SOURCES, SQL_FILES, SQLX, Source};
use crate::dialect::Dialect;
use crate::evidence::model::{Evidence, Sent};

const SECRET: &str = "hunter2";

fn read(source: &Source, text: &str) -> Vec<Sent> {
    (source.read)("a", text, Dialect::Postgres).unwrap()
}

fn kept(source: &Source, text: &str) -> Vec<String> {
    let mut evidence = Evidence::new(Dialect::Postgres);
    evidence.add(source, "web", "2026-01-31", &read(source, text), &[]);
    let json = evidence.to_json();
    assert!(!json.contains(SECRET) && !json.contains("4111"), "{json}");
    assert_eq!(Evidence::parse(&json).unwrap(), evidence);
    evidence.queries.into_iter().map(|query| query.sql).collect()
}

#[test]
fn no_data_gets_into_the_file() {
    let offline = r#"{"db_name": "PostgreSQL", "query": "SELECT a FROM t WHERE b = 'hunter2' -- hunter2", "describe": {}, "hash": "x"}"#;
    assert_eq!(kept(SQLX, offline), ["SELECT a FROM t WHERE b = $1"]);
    let files = "-- name: Get :one\nselect a from t where b = E'hunter2\\'' and c = 4111 /* hunter2 */;\ncreate user x password 'hunter2';";
    assert_eq!(kept(SQL_FILES, files), ["select a from t where b = $1 and c = $2"]);
    let lines =
        "{\"sql\": \"select $$hunter2$$, 4111.5 from t\", \"calls\": 3}\n\n{\"query\": \"select 'hunter2\"}";
    assert_eq!(kept(JSON_LINES, lines), ["select $1", "select $1, $2 from t"]);
    let wrong =
        (JSON_LINES.read)("a", "{\"sql\": 3, \"hunter2\": \"hunter2\"}", Dialect::Postgres).unwrap_err();
    assert!(wrong.starts_with("a:1:") && !wrong.contains(SECRET), "{wrong}");
    let stderr = "2026-01-01 00:00:00 UTC [1] LOG:  statement: select a\n\tfrom t where b = 'hunter2'\n\
        2026-01-01 00:00:00 UTC [1] DETAIL:  parameters: $1 = 'hunter2'\n\
        2026-01-01 00:00:00 UTC [1] LOG:  statement: alter user x password 'hunter2'\n\
        2026-01-01 00:00:00 UTC [1] LOG:  duration: 1.5 ms  execute <unnamed>: insert into t (b) values ($1)\n";
    assert_eq!(kept(POSTGRES_LOG, stderr), ["insert into t (b) values ($1)", "select a from t where b = $1"]);
    let json = r#"{"timestamp":"x","user":"u","application_name":"web","message":"statement: delete from t where b = 'hunter2'","detail":"hunter2"}"#;
    assert_eq!(kept(POSTGRES_LOG, json), ["delete from t where b = $1"]);
    let csv = "2026-01-01 00:00:00 UTC,\"u\",\"d\",1,,x,1,\"SELECT\",2026,3/4,0,LOG,00000,\"statement: select \"\"a\"\"\nfrom t where b = 'hunter2'\",\"hunter2\",,,,,,,,\"web\",\"client backend\",,0\n";
    assert_eq!(kept(POSTGRES_LOG, csv), ["select \"a\" from t where b = $1"]);
    let sent = &read(POSTGRES_LOG, csv)[0];
    assert_eq!((sent.role.as_deref(), sent.application.as_deref()), (Some("u"), Some("web")));
    assert_eq!(SOURCES.len(), 4, "a new source needs its secrets here");
}

#[test]
fn queries_of_sqlc_have_names_and_no_macros() {
    let text = "-- name: GetUser :one\nselect sqlc.embed(users), name from users where id = sqlc.arg(id) and x = sqlc.narg('y');\n\
        create table t (id int);\n\n/* @name ListUsers */\nselect id from users;";
    let sent = read(SQL_FILES, text);
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].sql, "select users.*, name from users where id =  :id and x =  :y");
    assert_eq!(sent[0].caller.as_deref(), Some("a: GetUser"));
    assert_eq!(sent[1].caller.as_deref(), Some("a: ListUsers"));
}

#[test]
fn captures_are_merged_by_program_and_source() {
    let query = |sql: &str, calls: u64| Sent { sql: sql.to_owned(), calls: Some(calls), ..Sent::default() };
    let mut evidence = Evidence::new(Dialect::Postgres);
    evidence.add(
        JSON_LINES,
        "web",
        "2026-01-01",
        &[query("select 1 from a", 2), query("select 2 from a", 3)],
        &[],
    );
    assert_eq!(evidence.queries.len(), 1, "the same but for a literal");
    assert_eq!(evidence.queries[0].seen[0].calls, Some(5));
    evidence.add(JSON_LINES, "worker", "2026-01-01", &[query("select 1 from a", 1)], &[]);
    assert_eq!(evidence.queries[0].senders(), "web, 5 calls; worker, 1 calls");
    // What a log no longer shows may still be sent; what the files no longer hold is gone.
    evidence.add(JSON_LINES, "web", "2026-01-09", &[query("select x from b", 1)], &[]);
    assert_eq!(evidence.queries.len(), 2);
    evidence.add(SQL_FILES, "web", "2026-01-01", &[query("select x from c", 1)], &[]);
    evidence.add(SQL_FILES, "web", "2026-01-02", &[query("select x from d", 1)], &[]);
    let all: Vec<&str> = evidence.queries.iter().map(|query| query.sql.as_str()).collect();
    assert_eq!(all, ["select $1 from a", "select x from b", "select x from d"]);
    assert_eq!(evidence.captures.len(), 3);
    assert!(!evidence.gaps().is_empty());
}

#[test]
fn a_file_of_a_newer_form_is_not_read() {
    let newer = Evidence::new(Dialect::Postgres).to_json().replace("\"form\": 1", "\"form\": 2");
    assert!(Evidence::parse(&newer).unwrap_err().contains("its form is 2"));
    assert!(Evidence::parse("{}").is_err());
}
