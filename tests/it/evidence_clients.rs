//! What a client really gets when the schema changes under it, in each of the ways to connect, beside what `compat` says
//! of its query. `cargo test --test it -- evidence_clients --nocapture` shows how many verdicts of each kind stand behind
//! each change and way.

use std::collections::BTreeMap;

use twostep::compat::judge::Verdict;
use twostep::compat::matrix::{Prepared, Stage, matrix};
use twostep::dialect::Dialect;
use twostep::evidence::constants;
use twostep::evidence::facts::Look;
use twostep::evidence::model::{Evidence, Sent};
use twostep::evidence::sources::SQL_FILES;
use twostep::schema::apply::apply;
use twostep::schema::model::Schema;
use twostep::sql::split::split;

use crate::client::Client;
use crate::servers::postgres::Database;
use crate::servers::{PoolMode, pgbouncer, postgres, tell};

const BEFORE: &str = "
    create type mood as enum ('sad', 'happy');
    create table t (id bigint generated always as identity primary key, name text, email text, n int,
        kind text default 'new');
    insert into t (name, email, n) values ('a', 'a@example.org', 1);
    create table moods (id int, mood mood);
    insert into moods values (1, 'sad');
    create view v as select id, name from t;
    create function f(x int) returns int language sql as 'select x';";

/// What a client gets.
enum Real {
    /// An answer, whatever the way to connect.
    Works,
    /// An error with this in it, whatever the way to connect.
    Fails(&'static str),
    /// An error where the statement was prepared before the change, and else an answer.
    FailsCached,
    /// An answer where the statement was prepared before the change, and else an error with this in it.
    FailsUncached(&'static str),
    /// An answer the first time, then an error with this in it.
    FailsNotFirst(&'static str),
    /// An answer, and then this look gives this.
    Stores(&'static str, &'static str),
}

use Real::{Fails, FailsCached, FailsNotFirst, FailsUncached, Stores, Works};

/// The ways to connect.
const WAYS: [&str; 5] =
    ["simple", "prepared before", "prepared after", "pooled, simple", "pooled, prepared in a transaction"];

/// The clients that are connected while the schema changes.
struct Clients {
    simple: Client,
    prepared: Client,
    pooled: Client,
}

impl Clients {
    fn new(database: &Database<'_>, pooler: &str) -> Clients {
        let direct = || Client::connect(&database.url(), "app");
        Clients { simple: direct(), prepared: direct(), pooled: Client::connect(pooler, "app") }
    }

    /// Sends `sql` in each way of [`WAYS`]; `anew` has not prepared anything yet.
    fn send(&mut self, anew: &mut Client, sql: &str) -> [Result<(), String>; 5] {
        [
            self.simple.try_run(sql),
            self.prepared.try_prepared(sql),
            anew.try_prepared(sql),
            self.pooled.try_run(sql),
            match self.pooled.try_in_transaction(sql) {
                // The driver has asked for a type's name in between; it remembers the answer.
                Err(error) if error.contains("unnamed prepared statement") => {
                    self.pooled.try_in_transaction(sql)
                }
                got => got,
            },
        ]
    }
}

fn applied(mut schema: Schema, sql: &str) -> Schema {
    for statement in split(sql, Dialect::Postgres).statements {
        for change in twostep::engine::lower(statement.text, Dialect::Postgres) {
            apply(&mut schema, &change);
        }
    }
    schema
}

/// What is told of `sql`, which stands in the code, without a server: through the evidence, as `capture` keeps it.
fn told(change: &str, sql: &str) -> (Verdict, String) {
    let nothing = Schema::new(Dialect::Postgres);
    let before = applied(nothing.clone(), BEFORE);
    let after = applied(before.clone(), change);
    let mut look = Look::of(vec![Sent { sql: sql.to_owned(), ..Sent::default() }]);
    for schema in [&before, &after] {
        constants::add(&mut look.constants, schema, &nothing);
    }
    let mut evidence = Evidence::new(Dialect::Postgres);
    evidence.add(&SQL_FILES.about, "app", "2026-01-01", &look);
    let query = &evidence.queries[0];
    let prepared = Prepared::with_literals(&query.sql, &query.literals(), Dialect::Postgres);
    let stage = Stage { label: String::new(), schema: after };
    let judged = matrix(&[prepared], &before, &[stage]).rows.remove(0).remove(0);
    (judged.verdict, judged.why.join("; "))
}

/// A change, and what it does to queries.
struct Case {
    /// What kind of a change it is.
    kind: &'static str,
    change: &'static str,
    /// Queries, with what is told of each and what a client really gets.
    queries: Vec<(&'static str, Verdict, Real)>,
}

/// What clients get whose verdicts are certain, by change, way and verdict.
type Counts = BTreeMap<(&'static str, usize), BTreeMap<Verdict, usize>>;

fn check(case: &Case, pooler: &dyn Fn(&str) -> String, counts: &mut Counts) {
    let Case { kind, change, queries } = case;
    let database = postgres().unwrap().fresh_database();
    database.psql(BEFORE);
    let anew = || Client::connect(&database.url(), "app");
    let mut clients = Clients::new(&database, &pooler(&database.name));
    let mut early = anew();
    for (sql, ..) in queries {
        for (way, got) in clients.send(&mut early, sql).into_iter().enumerate() {
            assert_eq!(got, Ok(()), "{sql} ({}) works before", WAYS[way]);
        }
    }
    database.psql(
        "delete from t where id > 1; update t set name = 'a', email = 'a@example.org', n = 1, kind = 'new';
         delete from moods where id > 1; update moods set mood = 'sad'",
    );
    database.psql(change);
    let mut late = anew();
    for (sql, verdict, real) in queries {
        let (told, why) = told(change, sql);
        assert_eq!(told, *verdict, "{change}: {sql}: {why}");
        for (way, got) in clients.send(&mut late, sql).into_iter().enumerate() {
            let fails = expected(real, way);
            let place = format!("{change}: {sql} ({}): {got:?}", WAYS[way]);
            match fails {
                Some(words) => assert!(got.as_ref().is_err_and(|error| error.contains(words)), "{place}"),
                None => assert!(got.is_ok(), "{place}"),
            }
            // What is certain counts where it is true.
            let is_true = match verdict {
                Verdict::Works => fails.is_none(),
                Verdict::Fails | Verdict::OtherResult => fails.is_some(),
                Verdict::WritesWrongly => fails.is_some() || matches!(real, Stores(..)),
                Verdict::NotCertain => true,
            };
            if is_true {
                *counts.entry((kind, way)).or_default().entry(*verdict).or_default() += 1;
            }
        }
        if let Stores(look, expect) = real {
            assert_eq!(database.psql(look), *expect, "{change}: {sql}");
        }
        match (verdict, real) {
            (Verdict::Works, Works) | (Verdict::Fails, Fails(_) | FailsUncached(_)) => {}
            (Verdict::OtherResult, FailsCached) | (Verdict::NotCertain, _) => {}
            (Verdict::WritesWrongly, Fails(_) | FailsNotFirst(_) | Stores(..)) => {}
            _ => panic!("{change}: {sql}: a verdict that does not go with what a client gets"),
        }
    }
}

/// The words of the error that a client gets in the way of this number; none where it gets an answer.
fn expected(real: &Real, way: usize) -> Option<&'static str> {
    let is_kept = WAYS[way] == "prepared before";
    match real {
        Works | Stores(..) => None,
        Fails(words) => Some(words),
        FailsCached => is_kept.then_some("cached plan must not change result type"),
        FailsUncached(words) => (!is_kept).then_some(words),
        FailsNotFirst(words) => (way > 0).then_some(words),
    }
}

#[test]
fn each_change_in_each_way() {
    let (Some(_), Some(bouncer)) = (postgres(), pgbouncer(PoolMode::Transaction)) else { return };
    let mut counts = Counts::new();
    let cases: Vec<Case> = [
        columns_and_tables(),
        types(),
        not_null_and_defaults(),
        constraints(),
        labels(),
        views_and_functions(),
    ]
    .into_iter()
    .flatten()
    .collect();
    for case in &cases {
        check(case, &|name| bouncer.url(name), &mut counts);
    }
    tell(&shown(&counts));
    for ((kind, way), found) in &counts {
        let of = |verdicts: &[Verdict]| verdicts.iter().filter_map(|one| found.get(one)).sum::<usize>();
        let way = WAYS[*way];
        assert!(of(&[Verdict::Works]) > 0, "{kind}, {way}: nothing that surely works");
        // A statement that was prepared before has the label's number, not its name.
        let is_kept_label = *kind == "rename of a label" && way == "prepared before";
        let broken = of(&[Verdict::Fails, Verdict::OtherResult, Verdict::WritesWrongly]);
        assert!(broken > 0 || is_kept_label, "{kind}, {way}: nothing that surely fails");
    }
    assert_eq!(counts.len(), 14 * WAYS.len(), "each change in each way");
}

/// The counts as a table.
fn shown(counts: &Counts) -> String {
    const VERDICTS: [Verdict; 5] =
        [Verdict::Works, Verdict::Fails, Verdict::OtherResult, Verdict::WritesWrongly, Verdict::NotCertain];
    let mut text = "| change | way | works | fails | other result | writes wrongly | not certain |\n|---|---|---|---|---|---|---|\n".to_owned();
    for ((kind, way), found) in counts {
        let cells = VERDICTS.map(|verdict| found.get(&verdict).copied().unwrap_or(0).to_string());
        text.push_str(&format!("| {kind} | {} | {} |\n", WAYS[*way], cells.join(" | ")));
    }
    text
}

const INSERT: &str = "insert into t (name, n) values ('b', 2)";

fn columns_and_tables() -> Vec<Case> {
    vec![
        Case {
            kind: "drop of a column",
            change: "alter table t drop column email",
            queries: vec![
                ("select email from t", Verdict::Fails, Fails("\"email\" does not exist")),
                ("update t set email = 'x' where id = 1", Verdict::Fails, Fails("\"email\"")),
                ("select * from t", Verdict::OtherResult, FailsCached),
                ("select name from t", Verdict::Works, Works),
                ("select id, name from v", Verdict::Works, Works),
                (INSERT, Verdict::Works, Works),
            ],
        },
        Case {
            kind: "rename of a column",
            change: "alter table t rename column name to title",
            queries: vec![
                ("select name from t", Verdict::Fails, Fails("\"name\" does not exist")),
                (INSERT, Verdict::Fails, Fails("\"name\"")),
                ("select name from v", Verdict::Works, Works),
                ("select * from t", Verdict::OtherResult, FailsCached),
                ("select n from t", Verdict::Works, Works),
            ],
        },
        Case {
            kind: "rename of a table",
            change: "alter table t rename to other",
            queries: vec![
                ("select n from t", Verdict::Fails, Fails("\"t\" does not exist")),
                ("select name from v", Verdict::Works, Works),
            ],
        },
        Case {
            kind: "new column",
            change: "alter table t add column extra int",
            queries: vec![
                ("select * from t", Verdict::OtherResult, FailsCached),
                ("select id from t", Verdict::Works, Works),
                (INSERT, Verdict::Works, Works),
            ],
        },
        Case {
            kind: "new column",
            change: "alter table t add column extra int not null default 0; alter table t alter column extra drop default",
            queries: vec![
                (INSERT, Verdict::WritesWrongly, Fails("null value in column \"extra\"")),
                ("select id from t", Verdict::Works, Works),
            ],
        },
    ]
}

fn types() -> Vec<Case> {
    vec![
        Case {
            kind: "other type",
            change: "alter table t alter column n type bigint",
            queries: vec![
                ("select n from t", Verdict::OtherResult, FailsCached),
                ("select name from t where n > 0", Verdict::Works, Works),
                (INSERT, Verdict::Works, Works),
            ],
        },
        Case {
            kind: "other type",
            change: "alter table t alter column n type text",
            queries: vec![
                ("select name from t where n > 0", Verdict::Fails, Fails("operator does not exist")),
                ("select n from t", Verdict::OtherResult, FailsCached),
                ("select name from t where n = any (select n from t)", Verdict::NotCertain, Works),
                ("select name from t", Verdict::Works, Works),
            ],
        },
        Case {
            kind: "shorter type",
            change: "alter table t alter column email type varchar(20)",
            queries: vec![
                (
                    "update t set email = 'a.very.long.address@example.org' where id = 1",
                    Verdict::WritesWrongly,
                    Fails("value too long"),
                ),
                ("update t set email = 'a@example.org' where id = 1", Verdict::Works, Works),
                ("insert into t (name) values ('x')", Verdict::Works, Works),
            ],
        },
    ]
}

fn not_null_and_defaults() -> Vec<Case> {
    vec![
        Case {
            kind: "NOT NULL",
            change: "alter table t alter column email set not null",
            queries: vec![
                (INSERT, Verdict::WritesWrongly, Fails("null value in column \"email\"")),
                ("insert into t (email) values ('x')", Verdict::Works, Works),
                ("insert into t (email) select 'x' || id from t", Verdict::NotCertain, Works),
                ("update t set email = null where id = 1", Verdict::WritesWrongly, Fails("null value")),
                ("update t set n = 3 where id = 1", Verdict::Works, Works),
            ],
        },
        Case {
            kind: "dropped default",
            change: "alter table t alter column kind drop default",
            queries: vec![
                (INSERT, Verdict::WritesWrongly, Stores("select count(*) from t where kind is null", "5")),
                ("insert into t (kind) values ('x')", Verdict::Works, Works),
            ],
        },
    ]
}

fn constraints() -> Vec<Case> {
    vec![
        Case {
            kind: "new unique index",
            change: "create unique index t_name on t (name)",
            queries: vec![
                (INSERT, Verdict::WritesWrongly, FailsNotFirst("duplicate key")),
                ("insert into t (name) values ('a')", Verdict::WritesWrongly, Fails("duplicate key")),
                ("insert into t (n) values (3)", Verdict::Works, Works),
                ("insert into t (name) select 'c' || max(id) from t", Verdict::NotCertain, Works),
                ("update t set n = 4 where id = 1", Verdict::Works, Works),
            ],
        },
        Case {
            kind: "new unique index",
            change: "update t set kind = 'other'; create unique index t_kind on t (kind)",
            queries: vec![(INSERT, Verdict::WritesWrongly, FailsNotFirst("duplicate key"))],
        },
        Case {
            kind: "new check",
            change: "alter table t add constraint small check (n < 2)",
            queries: vec![
                (INSERT, Verdict::WritesWrongly, Fails("violates check constraint \"small\"")),
                ("insert into t (n) values (1)", Verdict::NotCertain, Works),
                ("insert into t (name) values ('x')", Verdict::Works, Works),
                ("update t set name = 'x' where id = 1", Verdict::Works, Works),
            ],
        },
        Case {
            kind: "new check",
            change: "alter table t add constraint kinds check (kind in ('new', 'done', 'sent'))",
            queries: vec![
                ("insert into t (kind) values ('done')", Verdict::Works, Works),
                (INSERT, Verdict::Works, Works),
                ("insert into t (kind) values ('removed')", Verdict::WritesWrongly, Fails("\"kinds\"")),
                ("update t set kind = 'old' where id = 1", Verdict::NotCertain, Fails("\"kinds\"")),
                ("update t set kind = case when n > 7 then 'done' else 'sent' end", Verdict::Works, Works),
            ],
        },
        Case {
            kind: "new check",
            change: "update t set kind = 'done';
                alter table t add constraint kinds check (kind = any (array['done', 'sent']))",
            queries: vec![(INSERT, Verdict::WritesWrongly, Fails("\"kinds\""))],
        },
    ]
}

fn labels() -> Vec<Case> {
    let sad = "select id from moods where mood = 'sad'";
    vec![
        Case {
            kind: "rename of a label",
            change: "alter type mood rename value 'sad' to 'blue'",
            queries: vec![
                (sad, Verdict::Fails, FailsUncached("invalid input value")),
                ("update moods set mood = 'sad'", Verdict::Fails, FailsUncached("invalid input value")),
                ("select id from moods where mood = 'happy'", Verdict::Works, Works),
                ("insert into moods (id, mood) values (2, 'happy')", Verdict::Works, Works),
                ("select mood from moods where id = 1", Verdict::NotCertain, Works),
                ("select id from t where n = 1", Verdict::Works, Works),
            ],
        },
        Case {
            kind: "label that goes",
            change: "update moods set mood = 'happy'; alter type mood rename to mood_old;
                create type mood as enum ('happy');
                alter table moods alter column mood type mood using mood::text::mood; drop type mood_old",
            queries: vec![
                (sad, Verdict::Fails, Fails("invalid input value")),
                // Where it is kept, the server no longer finds the type.
                ("select 'sad'::mood", Verdict::Fails, Fails("")),
                ("select mood from moods where id = 1", Verdict::OtherResult, FailsCached),
                ("select id from moods where mood = 'happy'", Verdict::Works, Works),
                ("insert into moods (id, mood) values (2, 'happy')", Verdict::Works, Works),
            ],
        },
    ]
}

fn views_and_functions() -> Vec<Case> {
    vec![
        Case {
            kind: "changed view",
            change: "create or replace view v as select id, name, n from t",
            queries: vec![
                ("select * from v", Verdict::OtherResult, FailsCached),
                ("select id from v", Verdict::Works, Works),
            ],
        },
        Case {
            kind: "changed view",
            change: "drop view v; create view v as select id from t",
            queries: vec![
                ("select name from v", Verdict::Fails, Fails("\"name\" does not exist")),
                ("select id from v", Verdict::Works, Works),
            ],
        },
        Case {
            kind: "changed function",
            change: "drop function f(int); create function f(x int, y int) returns int language sql as 'select x'",
            queries: vec![
                ("select f(1)", Verdict::Fails, Fails("function f(integer) does not exist")),
                ("select id from t", Verdict::Works, Works),
            ],
        },
        Case {
            kind: "changed function",
            change: "drop function f(int); create function f(x int) returns bigint language sql as 'select 1::bigint'",
            queries: vec![
                ("select f(1)", Verdict::OtherResult, FailsCached),
                ("select id from t where f(1) = 1", Verdict::NotCertain, Works),
            ],
        },
        Case {
            kind: "changed function",
            change: "create function f(x int, y int) returns int language sql as 'select x'",
            queries: vec![("select f(1)", Verdict::Works, Works)],
        },
    ]
}
