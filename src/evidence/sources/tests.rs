//! Every source, and that no data gets from any of them into the file.

use super::{DIGESTS, JSON_LINES, POSTGRES_LOG, SOURCES, SQL_FILES, SQLX, STATEMENTS, Source, TextSource};
use crate::dialect::Dialect;
use crate::engine::lower;
use crate::engine::query::constants::Constants;
use crate::engine::query::normal::{Literal, LiteralKind};
use crate::evidence::facts::{Database, Look};
use crate::evidence::model::{Evidence, SeenQuery, Sent};
use crate::schema::apply::apply;
use crate::schema::model::Schema;
use crate::sql::split::split;

const SECRET: &str = "hunter2";

fn read(source: &TextSource, text: &str) -> Vec<Sent> {
    (source.read)("a", text, Dialect::Postgres).unwrap().sent
}

fn kept(source: &TextSource, text: &str) -> Vec<String> {
    let mut evidence = Evidence::new(Dialect::Postgres);
    evidence.add(&source.about, "web", "2026-01-31", &Look::of(read(source, text)));
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
    // Servers leave literals in what they do not understand as a query.
    for source in [STATEMENTS, DIGESTS] {
        let mut evidence = Evidence::new(Dialect::Postgres);
        let texts = [
            "create user x password 'hunter2'",
            "select a from t where b = 'hunter2' /* hunter2 */",
            "call p(4111",
        ];
        let sent = texts.map(|sql| Sent { sql: sql.to_owned(), ..Sent::default() });
        evidence.add(source, "web", "2026-01-31", &Look::of(sent.to_vec()));
        let json = evidence.to_json();
        assert!(!json.contains(SECRET) && !json.contains("4111") && json.contains("b = $1"), "{json}");
    }
    assert_eq!(SOURCES.len(), 6, "a new source needs its secrets here");
}

/// The constants of a schema that has the secrets too, in other columns.
fn constants() -> Constants {
    let sql = "create type mood as enum ('sad', 'happy');
        create table t (a text default 'new', b text, n int default 0, m mood, kind text check (kind in ('x', 'y')));
        create table other (password text default 'hunter2', code int default 4111);";
    let mut schema = Schema::new(Dialect::Postgres);
    for statement in split(sql, Dialect::Postgres).statements {
        for change in lower(statement.text, Dialect::Postgres) {
            apply(&mut schema, &change);
        }
    }
    let mut constants = Constants::default();
    crate::evidence::constants::add(&mut constants, &schema, &Schema::new(Dialect::Postgres));
    constants
}

#[test]
fn only_the_schemas_own_words_stay_from_any_source() {
    let texts = [
        "select a from t where m = 'sad' and b = 'hunter2' and a = 'new' and n = 4111",
        "update t set kind = 'x', b = 'hunter2', n = 0 where m in ('happy', 'hunter2')",
        "insert into t (a, b, m) values ('new', 'hunter2', 'sad'), ('sad', 'new', 'happy')",
        "select 'hunter2'::mood, 'sad'::mood, 'x', m from t where b = 'sad' and code = 4111.0",
    ];
    let expect = [
        "insert into t (a, b, m) values ('new', $1, 'sad'), ($2, $3, 'happy')",
        "select $1::mood, 'sad'::mood, $2, m from t where b = $3 and code = $4",
        "select a from t where m = 'sad' and b = $1 and a = 'new' and n = $2",
        "update t set kind = 'x', b = $1, n = 0 where m in ('happy', $2)",
    ];
    for source in SOURCES {
        let mut evidence = Evidence::new(Dialect::Postgres);
        let sent = texts.map(|sql| Sent { sql: sql.to_owned(), ..Sent::default() });
        let look = Look { constants: constants(), ..Look::of(sent.to_vec()) };
        evidence.add(source, "web", "2026-01-31", &look);
        let json = evidence.to_json();
        assert!(!json.contains(SECRET) && !json.contains("4111"), "{json}");
        assert_eq!(Evidence::parse(&json).unwrap(), evidence);
        let kept: Vec<&str> = evidence.queries.iter().map(|query| query.sql.as_str()).collect();
        assert_eq!(kept, expect, "{}", source.id);
        // Of the others their length is told where they stand in code, and nothing where they were sent.
        let is_code = source.id == SQLX.about.id || source.id == SQL_FILES.about.id;
        assert_eq!(json.contains("\"literals\": \"1:text:7 2:number:4\""), is_code, "{}: {json}", source.id);
        assert_eq!(json.contains("literals"), is_code, "{json}");
    }
}

#[test]
fn what_is_known_of_a_literal_holds_for_everybody_who_sends_the_query() {
    let mut evidence = Evidence::new(Dialect::Postgres);
    let mut add = |source: &Source, sql: &str| {
        let look = Look::of(vec![Sent { sql: sql.to_owned(), ..Sent::default() }]);
        evidence.add(source, "web", "2026-01-31", &look);
        evidence.queries[0].literals()
    };
    let one = |chars| vec![Literal { parameter: 1, kind: LiteralKind::Text, chars }];
    assert_eq!(add(&SQLX.about, "select a from t where b = 'four'"), one(Some(4)));
    assert_eq!(add(&SQL_FILES.about, "select a from t where b = 'other'"), one(None));
    assert_eq!(add(&SQL_FILES.about, "select a from t where b = $1"), Vec::new());
    assert_eq!(add(&SQL_FILES.about, "select a from t where b = 'five5'"), one(None));
    assert_eq!(add(STATEMENTS, "select a from t where b = $1"), Vec::new());
}

#[test]
fn lines_that_are_none_are_counted_and_logs_may_begin_anywhere() {
    let lines = "\u{feff}starting\n{\"sql\": \"select 1 from t\", \"duration\": 3}\n\n{\"sql\": 3}\nselect 'hunter2'\n";
    let look = (JSON_LINES.read)("a", lines, Dialect::Postgres).unwrap();
    assert_eq!((look.sent.len(), look.blind.len()), (1, 1));
    assert!(
        look.blind[0].starts_with("3 lines are no objects with `sql`, the first at a:1:"),
        "{:?}",
        look.blind
    );
    let record = "2026-01-01 00:00:00 UTC,\"u\",\"d\",1,,x,1,\"SELECT\",2026,3/4,0,LOG,00000,\"statement: select a\nfrom t\",,,,,,,,,\"web\",\"client backend\",,0\n";
    let cut = format!("from u where b = 'hunter2'\",,,,,,,,,\"web\",\"client backend\",,0\n{record}");
    let sent = read(POSTGRES_LOG, &cut);
    assert_eq!(sent.iter().map(|one| one.sql.as_str()).collect::<Vec<_>>(), ["select a\nfrom t"]);
    let json = format!("x\"}}\n{}\n", r#"{"message":"statement: select a from t"}"#);
    assert_eq!(read(POSTGRES_LOG, &json).len(), 1);
    let nothing = (POSTGRES_LOG.read)("a.log", "LOG:  checkpoint starting\n", Dialect::Postgres).unwrap();
    assert!(nothing.blind[0].contains("log_statement"), "{:?}", nothing.blind);
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
    let add = |evidence: &mut Evidence, source: &TextSource, label: &str, day: &str, sent: Vec<Sent>| {
        evidence.add(&source.about, label, day, &Look::of(sent));
    };
    let two = vec![query("select 1 from a", 2), query("select 2 from a", 3)];
    add(&mut evidence, JSON_LINES, "web", "2026-01-01", two.clone());
    add(&mut evidence, JSON_LINES, "web", "2026-01-01", two);
    assert_eq!(evidence.queries.len(), 1, "the same but for a literal");
    assert_eq!(evidence.queries[0].seen[0].calls, Some(5));
    add(&mut evidence, JSON_LINES, "worker", "2026-01-01", vec![query("select 1 from a", 1)]);
    assert_eq!(evidence.queries[0].senders(), "web, 5 calls; worker, 1 calls");
    // What a log no longer shows may still be sent; what the files no longer hold is gone.
    add(&mut evidence, JSON_LINES, "web", "2026-01-09", vec![query("select x from b", 1)]);
    assert_eq!(evidence.queries.len(), 2);
    add(&mut evidence, SQL_FILES, "web", "2026-01-01", vec![query("select x from c", 1)]);
    add(&mut evidence, SQL_FILES, "web", "2026-01-02", vec![query("select x from d", 1)]);
    let all: Vec<&str> = evidence.queries.iter().map(|query| query.sql.as_str()).collect();
    assert_eq!(all, ["select $1 from a", "select x from b", "select x from d"]);
    assert_eq!(evidence.captures.len(), 3);
    assert!(!evidence.gaps().is_empty());
}

#[test]
fn a_file_of_a_newer_form_is_not_read() {
    let today = Evidence::new(Dialect::Postgres).to_json();
    let newer = today.replace("\"form\": 2", "\"form\": 3, \"what\": \"nobody knows\"");
    assert!(Evidence::parse(&newer).unwrap_err().contains("its form is 3"));
    let older = Evidence::parse(&today.replace("\"form\": 2", "\"form\": 1")).unwrap();
    assert_eq!(older.to_json(), today, "what is written is of the form of today");
    assert!(Evidence::parse("{}").is_err());
}

#[test]
fn what_is_old_is_marked_and_captures_of_two_machines_are_merged() {
    let query = |sql: &str, calls: u64| Sent { sql: sql.to_owned(), calls: Some(calls), ..Sent::default() };
    let mut evidence = Evidence::new(Dialect::Postgres);
    evidence.add(
        STATEMENTS,
        "web",
        "2026-01-01",
        &Look::of(vec![query("select a from t", 2), query("select b from t", 1)]),
    );
    evidence.add(
        STATEMENTS,
        "web",
        "2026-02-15",
        &Look::of(vec![query("select a from t", 2), query("select b from t", 5)]),
    );
    let senders =
        |evidence: &Evidence| -> Vec<String> { evidence.queries.iter().map(SeenQuery::senders).collect() };
    assert_eq!(senders(&evidence), ["web, 2 calls, not seen since 2026-01-01", "web, 5 calls"]);

    let mut other = Evidence::new(Dialect::Postgres);
    other.add(STATEMENTS, "web", "2026-01-31", &Look::of(vec![query("select c from t", 1)]));
    other.add(STATEMENTS, "worker", "2026-01-31", &Look::of(vec![query("select a from t", 7)]));
    evidence.merge(other);
    assert_eq!(
        senders(&evidence),
        ["web, 2 calls, not seen since 2026-01-01; worker, 7 calls", "web, 5 calls"],
        "the newer capture of a program and a source holds"
    );
    assert_eq!(evidence.captures.len(), 2);
}

#[test]
fn nobody_uses_it_only_where_a_server_has_seen_everything() {
    let database = |standby, standbys| Database {
        name: "d".to_owned(),
        version: "PostgreSQL 17".to_owned(),
        cluster: Some("7".to_owned()),
        standby,
        standbys,
        ..Database::default()
    };
    let look = |database| Look { window_days: Some(9), database: Some(database), ..Look::default() };
    let mut evidence = Evidence::new(Dialect::Postgres);
    evidence.add(&SQLX.about, "web", "2026-01-01", &Look::default());
    assert!(evidence.gaps()[0].contains("no server was asked"), "{:?}", evidence.gaps());
    evidence.add(STATEMENTS, "primary", "2026-01-01", &look(database(false, 1)));
    assert!(evidence.gaps()[0].contains("1 of them were not captured"), "{:?}", evidence.gaps());
    evidence.add(STATEMENTS, "replica", "2026-01-01", &look(database(true, 0)));
    assert_eq!(evidence.gaps(), Vec::<String>::new());
    for (wrong, text) in [
        (Look { window_days: Some(6), ..look(database(false, 0)) }, "6 days"),
        (Look { window_days: None, ..look(database(false, 0)) }, "not known"),
        (Look { blind: vec!["evicted".to_owned()], ..look(database(false, 0)) }, "evicted"),
    ] {
        let mut evidence = Evidence::new(Dialect::Postgres);
        evidence.add(STATEMENTS, "primary", "2026-01-01", &wrong);
        assert!(evidence.gaps()[0].contains(text), "{:?}", evidence.gaps());
    }
    let mut evidence = Evidence::new(Dialect::Postgres);
    evidence.add(STATEMENTS, "replica", "2026-01-01", &look(database(true, 0)));
    assert!(evidence.gaps()[0].contains("primary was not captured"), "{:?}", evidence.gaps());
}

#[test]
fn what_is_no_query_is_left_out_and_what_holds_one_is_opened() {
    let mut evidence = Evidence::new(Dialect::Postgres);
    let texts = [
        "vacuum analyze t",
        "begin",
        "declare c cursor with hold for select a from t where b = 'hunter2'",
        "explain (analyze) update t set a = 1",
        "copy t (a) from stdin with (freeze on)",
        "truncate t",
    ];
    let sent = texts.map(|sql| Sent { sql: sql.to_owned(), ..Sent::default() });
    evidence.add(STATEMENTS, "web", "2026-01-31", &Look::of(sent.to_vec()));
    let all: Vec<&str> = evidence.queries.iter().map(|query| query.sql.as_str()).collect();
    assert_eq!(
        all,
        [
            "copy t (a) from stdin with (freeze on)",
            "select a from t where b = $1",
            "truncate t",
            "update t set a = $1"
        ]
    );
}
