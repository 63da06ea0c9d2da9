//! What a client really gets when the schema changes under it, in each of the ways to connect, beside what `compat` says
//! of its query.

use twostep::compat::judge::Verdict;
use twostep::compat::matrix::{Prepared, Stage, matrix};
use twostep::dialect::Dialect;
use twostep::engine::query::normal::normalize;
use twostep::schema::apply::apply;
use twostep::schema::model::Schema;
use twostep::sql::split::split;

use crate::client::Client;
use crate::servers::postgres::Database;
use crate::servers::{PoolMode, pgbouncer, postgres};

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
struct Ways {
    simple: Client,
    prepared: Client,
    pooled: Client,
}

impl Ways {
    fn new(database: &Database<'_>, pooler: &str) -> Ways {
        let direct = || Client::connect(&database.url(), "app");
        Ways { simple: direct(), prepared: direct(), pooled: Client::connect(pooler, "app") }
    }

    /// Sends `sql` in each way; what each way gets, with its name.
    fn send(&mut self, sql: &str) -> [(&'static str, Result<(), String>); 4] {
        [
            ("simple", self.simple.try_run(sql)),
            ("prepared", self.prepared.try_prepared(sql)),
            ("pooled", self.pooled.try_run(sql)),
            ("pooled, in a transaction", self.pooled.try_in_transaction(sql)),
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

/// What is told of `sql` without a server.
fn told(change: &str, sql: &str) -> (Verdict, String) {
    let before = applied(Schema::new(Dialect::Postgres), BEFORE);
    let after = applied(before.clone(), change);
    let stage = Stage { label: String::new(), schema: after };
    let query = Prepared::new(&normalize(sql, Dialect::Postgres), Dialect::Postgres);
    let judged = matrix(&[query], &before, &[stage]).rows.remove(0).remove(0);
    (judged.verdict, judged.why.join("; "))
}

/// Checks each query of `queries`, with what is told of it and what a client really gets.
fn check(change: &str, queries: &[(&str, Verdict, Real)]) {
    let (Some(server), Some(pooler)) = (postgres(), pgbouncer(PoolMode::Transaction)) else { return };
    let database = server.fresh_database();
    database.psql(BEFORE);
    let mut ways = Ways::new(&database, &pooler.url(&database.name));
    for (sql, ..) in queries {
        for (way, got) in ways.send(sql) {
            assert_eq!(got, Ok(()), "{sql} ({way}) works before");
        }
    }
    database.psql(
        "delete from t where id > 1; update t set name = 'a', email = 'a@example.org', n = 1, kind = 'new'",
    );
    database.psql(change);
    for (sql, verdict, real) in queries {
        let (told, why) = told(change, sql);
        assert_eq!(told, *verdict, "{change}: {sql}: {why}");
        let got = ways.send(sql);
        for (way, got) in &got {
            let place = format!("{change}: {sql} ({way}): {got:?}");
            match real {
                Works | Stores(..) => assert!(got.is_ok(), "{place}"),
                Fails(words) => assert!(got.as_ref().is_err_and(|error| error.contains(words)), "{place}"),
                FailsCached if *way == "prepared" => {
                    let cached = "cached plan must not change result type";
                    assert!(got.as_ref().is_err_and(|error| error.contains(cached)), "{place}");
                }
                FailsCached => assert!(got.is_ok(), "{place}"),
                FailsUncached(_) if *way == "prepared" => assert!(got.is_ok(), "{place}"),
                FailsNotFirst(_) if *way == "simple" => assert!(got.is_ok(), "{place}"),
                FailsUncached(words) | FailsNotFirst(words) => {
                    assert!(got.as_ref().is_err_and(|error| error.contains(words)), "{place}");
                }
            }
        }
        if let Stores(look, expect) = real {
            assert_eq!(database.psql(look), *expect, "{change}: {sql}");
        }
        // What is certain has to be true.
        match (verdict, real) {
            (Verdict::Works, Works) | (Verdict::Fails, Fails(_)) | (Verdict::OtherResult, FailsCached) => {}
            (Verdict::WritesWrongly, Fails(_) | Stores(..)) | (Verdict::NotCertain, _) => {}
            _ => panic!("{change}: {sql}: a verdict that does not go with what a client gets"),
        }
    }
}

const INSERT: &str = "insert into t (name, n) values ('b', 2)";

#[test]
fn dropped_and_renamed_columns_and_tables() {
    check(
        "alter table t drop column email",
        &[
            ("select email from t", Verdict::Fails, Fails("\"email\" does not exist")),
            ("update t set email = 'x' where id = 1", Verdict::Fails, Fails("\"email\"")),
            ("select * from t", Verdict::OtherResult, FailsCached),
            ("select name from t", Verdict::Works, Works),
            ("select id, name from v", Verdict::Works, Works),
            (INSERT, Verdict::Works, Works),
        ],
    );
    check(
        "alter table t rename column name to title",
        &[
            ("select name from t", Verdict::Fails, Fails("\"name\" does not exist")),
            (INSERT, Verdict::Fails, Fails("\"name\"")),
            ("select name from v", Verdict::Works, Works),
            ("select * from t", Verdict::OtherResult, FailsCached),
            ("select n from t", Verdict::Works, Works),
        ],
    );
    check(
        "alter table t rename to other",
        &[
            ("select n from t", Verdict::Fails, Fails("\"t\" does not exist")),
            ("select name from v", Verdict::Works, Works),
        ],
    );
}

#[test]
fn changed_types_and_new_columns() {
    check(
        "alter table t alter column n type bigint",
        &[
            ("select n from t", Verdict::OtherResult, FailsCached),
            ("select name from t where n > 0", Verdict::Works, Works),
            (INSERT, Verdict::Works, Works),
        ],
    );
    check(
        "alter table t alter column n type text",
        &[
            ("select name from t where n > 0", Verdict::NotCertain, Fails("operator does not exist")),
            ("select n from t", Verdict::OtherResult, FailsCached),
        ],
    );
    check(
        "alter table t alter column email type varchar(20)",
        &[(
            "update t set email = 'a.very.long.address@example.org' where id = 1",
            Verdict::WritesWrongly,
            Fails("value too long"),
        )],
    );
    check(
        "alter table t add column extra int",
        &[
            ("select * from t", Verdict::OtherResult, FailsCached),
            ("select id from t", Verdict::Works, Works),
            (INSERT, Verdict::Works, Works),
        ],
    );
    check(
        "alter table t add column extra int not null default 0; alter table t alter column extra drop default",
        &[(INSERT, Verdict::WritesWrongly, Fails("null value in column \"extra\""))],
    );
}

#[test]
fn not_null_and_defaults() {
    check(
        "alter table t alter column email set not null",
        &[
            (INSERT, Verdict::WritesWrongly, Fails("null value in column \"email\"")),
            ("insert into t (email) values ('x')", Verdict::NotCertain, Works),
            ("update t set email = null where id = 1", Verdict::WritesWrongly, Fails("null value")),
            ("update t set n = 3 where id = 1", Verdict::Works, Works),
        ],
    );
    check(
        "alter table t alter column kind drop default",
        &[
            (INSERT, Verdict::WritesWrongly, Stores("select count(*) from t where kind is null", "4")),
            ("insert into t (kind) values ('x')", Verdict::Works, Works),
        ],
    );
}

#[test]
fn new_constraints() {
    check(
        "create unique index t_name on t (name)",
        &[
            (INSERT, Verdict::NotCertain, FailsNotFirst("duplicate key")),
            ("update t set n = 4 where id = 1", Verdict::Works, Works),
        ],
    );
    check(
        "alter table t add constraint positive check (n < 2)",
        &[
            (INSERT, Verdict::NotCertain, Fails("violates check constraint \"positive\"")),
            ("insert into t (n) values (1)", Verdict::NotCertain, Works),
            ("update t set name = 'x' where id = 1", Verdict::Works, Works),
        ],
    );
}

#[test]
fn enums_views_and_functions() {
    check(
        "alter type mood rename value 'sad' to 'blue'",
        &[
            (
                "select id from moods where mood = 'sad'",
                Verdict::NotCertain,
                FailsUncached("invalid input value"),
            ),
            ("select id from moods where mood = 'happy'", Verdict::NotCertain, Works),
            ("select id from t where n = 1", Verdict::Works, Works),
        ],
    );
    check(
        "create or replace view v as select id, name, n from t",
        &[
            ("select * from v", Verdict::OtherResult, FailsCached),
            ("select id from v", Verdict::Works, Works),
        ],
    );
    check(
        "drop view v; create view v as select id from t",
        &[
            ("select name from v", Verdict::Fails, Fails("\"name\" does not exist")),
            ("select id from v", Verdict::Works, Works),
        ],
    );
    check(
        "drop function f(int); create function f(x int, y int) returns int language sql as 'select x'",
        &[
            ("select f(1)", Verdict::Fails, Fails("function f(integer) does not exist")),
            ("select id from t", Verdict::Works, Works),
        ],
    );
}
