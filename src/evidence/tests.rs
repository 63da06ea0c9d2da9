//! What queries use, told from a schema.

use super::resolve::resolve;
use super::uses::{TableUse, Uses};
use crate::dialect::Dialect;
use crate::engine::query;
use crate::name::{Name, TableName};
use crate::schema::apply::apply;
use crate::schema::model::Schema;
use crate::sql::split::split;

const SCHEMA: &str = "
    create type mood as enum ('sad', 'happy');
    create table users (id bigint generated always as identity primary key, name text not null, email text unique, mood mood);
    create table posts (id bigint primary key, user_id bigint, title varchar(40), body text);
    create view authors as select u.id, u.name, count(*) as posts from users u join posts p on p.user_id = u.id group by 1, 2;
    create function recent(n int) returns setof posts language sql as $$ select * from posts limit n $$;
    create function pair() returns table (a int, b text) language sql as $$ select 1, 'x' $$;
    create schema audit;
    create table audit.log (id bigint, what text);";

pub(super) fn schema(sql: &str, dialect: Dialect) -> Schema {
    let mut schema = Schema::new(dialect);
    for statement in split(sql, dialect).statements {
        for change in crate::engine::lower(statement.text, dialect) {
            apply(&mut schema, &change);
        }
    }
    schema
}

fn uses(text: &str, schema: &Schema) -> Uses {
    resolve(&query::lower(text, schema.dialect), schema)
}

/// `r table.column … w … * table … > result … ! problem … ? doubt`, each part where there is one.
fn shown(uses: &Uses) -> String {
    let table = |name: &TableName| match &name.schema {
        Some(schema) if !["public", "default", "main"].contains(&schema.as_str()) => name.to_string(),
        _ => name.name.to_string(),
    };
    let list = |mark: &str, items: Vec<String>| {
        if items.is_empty() { String::new() } else { format!("{mark} {} ", items.join(" ")) }
    };
    let columns = |write: bool| -> Vec<String> {
        let used = uses.columns.iter().filter(|(_, used)| if write { used.write } else { used.read });
        used.map(|((of, column), _)| format!("{}.{column}", table(of))).collect()
    };
    let result = uses.result.iter().flatten().map(|column| {
        let name = column.name.as_ref().map_or("?".to_owned(), ToString::to_string);
        column.data_type.as_ref().map_or(name.clone(), |data_type| format!("{name}:{data_type}"))
    });
    let text = [
        list("r", columns(false)),
        list("w", columns(true)),
        list("*", uses.stars.iter().map(table).collect()),
        list(">", result.collect()),
        list("!", uses.problems.clone()),
        list("?", uses.doubts.clone()),
    ];
    text.concat().trim_end().to_owned()
}

fn check(text: &str, expect: &str) -> Uses {
    let uses = uses(text, &schema(SCHEMA, Dialect::Postgres));
    assert_eq!(shown(&uses), expect, "{text}");
    uses
}

#[test]
fn columns_are_found_through_aliases_and_joins() {
    check("select name from users where id = $1", "r users.id users.name > name:text");
    check(
        "select u.name as n, p.title from users as u left join posts p on p.user_id = u.id",
        "r posts.title posts.user_id users.id users.name > n:text title:character varying(40)",
    );
    check("select public.users.id from public.users", "r users.id > id:bigint");
    check("select what from audit.log l", "r audit.log.what > what:text");
    check("select users.id from users u", "> id ! missing FROM-clause entry for table \"users\"");
    check("select id from users, posts", "> id ! column reference \"id\" is ambiguous");
    check("select nope from users", "> nope ! column \"nope\" does not exist");
    check("select 1 from nothing", "> ? ! relation \"nothing\" does not exist");
}

#[test]
fn stars_are_expanded() {
    let uses = check(
        "select * from posts",
        "r posts.body posts.id posts.title posts.user_id * posts > id:bigint user_id:bigint title:character varying(40) body:text",
    );
    assert_eq!(uses.tables.len(), 1);
    check(
        "select p.* from posts p, users u where u.email = $1",
        "r posts.body posts.id posts.title posts.user_id users.email * posts > id:bigint user_id:bigint title:character varying(40) body:text",
    );
    check("select l from audit.log l", "r audit.log.id audit.log.what * audit.log > l");
    check("select count(*) from posts", "> count");
    check("table audit.log", "r audit.log.id audit.log.what * audit.log > id:bigint what:text");
}

#[test]
fn subqueries_see_what_is_around_them() {
    check(
        "select name from users u where exists (select 1 from posts where user_id = u.id)",
        "r posts.user_id users.id users.name > name:text",
    );
    check(
        "select d.t from (select title as t, user_id from posts) d where d.user_id = $1",
        "r posts.title posts.user_id > t:character varying(40)",
    );
    check(
        "select x.title from users u cross join lateral (select title from posts p where p.user_id = u.id) x",
        "r posts.title posts.user_id users.id > title:character varying(40)",
    );
    check("select 1 from users u, (select u.id) x", "> ? ! missing FROM-clause entry for table \"u\"");
    check("select coalesce((select max(id) from posts), 0) from users", "r posts.id > coalesce");
}

#[test]
fn with_names_hide_tables() {
    check(
        "with users as (select id, title from posts) select * from users",
        "r posts.id posts.title * posts > id:bigint title:character varying(40)",
    );
    check(
        "with recursive t(n) as (select id from posts union all select n + 1 from t where n < $1) select n from t",
        "r posts.id > n:bigint",
    );
    check(
        "with gone as (delete from posts where id = $1 returning title) insert into audit.log (what) select title from gone",
        "r posts.id posts.title w audit.log.what",
    );
}

#[test]
fn joins_merge_columns() {
    check(
        "select id, title from posts join (select id, name from users) u using (id)",
        "r posts.id posts.title users.id users.name > id:bigint title:character varying(40)",
    );
    check(
        "select * from audit.log natural join (select id from posts) p",
        "r audit.log.id audit.log.what posts.id * audit.log posts > id:bigint what:text",
    );
}

#[test]
fn views_are_looked_through() {
    let uses = check(
        "select name from authors",
        "r authors.name posts.id posts.user_id users.id users.name > name:text",
    );
    assert_eq!(uses.tables.len(), 3);
}

#[test]
fn writes_are_told_from_reads() {
    let insert = check(
        "insert into posts (id, title) values ($1, $2) returning id",
        "r posts.id w posts.id posts.title > id:bigint",
    );
    assert_eq!(insert.inserts[0].columns, [Name::new("id"), Name::new("title")]);
    assert!(insert.inserts[0].listed);
    check("insert into posts values ($1, $2)", "w posts.id posts.user_id * posts");
    check(
        "insert into posts values ($1, $2, $3, $4, $5)",
        "w posts.body posts.id posts.title posts.user_id * posts ! INSERT gives 5 values, but \"posts\" has 4 columns",
    );
    check(
        "insert into users (id, name) values ($1, $2)",
        "w users.id users.name ! cannot insert a non-DEFAULT value into column \"id\" of \"public.users\"",
    );
    check("insert into users (id, name) values (default, $2)", "w users.id users.name");
    check(
        "insert into users (name, email) values ($1, $2) on conflict (email) do update set name = excluded.name where users.mood is null",
        "r users.email users.mood users.name w users.email users.name",
    );
    check(
        "insert into users (name) values ($1) on conflict (name) do nothing",
        "r users.name w users.name ! there is no unique or exclusion constraint matching the ON CONFLICT specification",
    );
    check(
        "update posts p set title = u.name from users u where u.id = p.user_id returning p.id",
        "r posts.id posts.user_id users.id users.name w posts.title > id:bigint",
    );
    check("update posts set (title, body) = ($1, $2) where id = $3", "r posts.id w posts.body posts.title");
    check("update posts set nope = 1", "! column \"nope\" of relation \"posts\" does not exist");
    let delete = check(
        "delete from posts p using users u where p.user_id = u.id and u.mood = 'sad'::mood",
        "r posts.user_id users.id users.mood",
    );
    assert_eq!(
        delete.tables[&TableName::qualified(Name::new("public"), Name::new("posts"))],
        TableUse { read: true, delete: true, ..TableUse::default() }
    );
    assert_eq!(delete.types.len(), 1);
    check(
        "merge into posts p using users u on p.user_id = u.id when matched then update set title = u.name \
           when not matched then insert (id, title) values (u.id, u.name)",
        "r posts.user_id users.id users.name w posts.id posts.title",
    );
}

#[test]
fn functions_give_columns() {
    let uses = check("select title from recent($1)", "> title:character varying(40)");
    assert_eq!(uses.routines.values().copied().collect::<Vec<_>>(), [1]);
    check("select a, b from pair() x", "> a:integer b:text");
    check("select g.n, posts.id from generate_series(1, 3) as g(n), posts", "r posts.id > n id:bigint");
    check("select key, value from jsonb_each($1)", "> key value");
}

#[test]
fn what_order_by_names_may_be_a_result() {
    check("select count(*) as n, mood from users group by mood order by n", "r users.mood > n mood:mood");
    check("select id from posts union select id from users order by id", "r posts.id users.id > id:bigint");
}

#[test]
fn what_is_not_known_is_a_doubt() {
    let mut unknown =
        schema("alter table old add column c int; alter table older add column d int", Dialect::Postgres);
    assert_eq!(shown(&uses("select x from old", &unknown)), "r old.x > x");
    assert!(!uses("select x from old, older", &unknown).is_certain());
    unknown.opaque = 1;
    assert!(!uses("select 1 from nowhere", &unknown).is_certain());
    let broken = uses("select from where users )", &unknown);
    assert!(!broken.is_certain() && broken.uses_relation(&TableName::bare(Name::new("users"))));
    assert_eq!(uses("select relname, x from pg_class", &unknown).problems, Vec::<String>::new());
}

#[test]
fn what_only_postgres_takes_is_read() {
    let schema = schema(
        "create table t (id int primary key, a int, b int); create unique index u on t (a) where b > 0;",
        Dialect::Postgres,
    );
    let problems = |sql: &str| {
        let found = uses(sql, &schema);
        assert!(found.is_certain(), "{sql}: {:?}", found.doubts);
        found.problems
    };
    let none = Vec::<String>::new();
    assert_eq!(problems("select a from t for no key update"), none);
    assert_eq!(problems("delete from only t where ctid in (select ctid from t for key share)"), none);
    assert_eq!(problems("insert into t (a) values ($1) on conflict (a) where b > 0 do nothing"), none);
    assert!(!problems("insert into t (a) values ($1) on conflict (a) do nothing").is_empty());
    assert!(!problems("insert into t (a) values ($1) on conflict (b) where b > 0 do nothing").is_empty());
}

#[test]
fn parameters_of_every_kind_are_read() {
    for text in [
        "select id from posts where id = ?",
        "select id from posts where id=:id",
        "select id from posts where id = @id",
    ] {
        check(text, "r posts.id > id:bigint");
    }
    check("select user from users where name = current_user and ctid = $1", "r users.name > user");
}

#[test]
fn other_engines() {
    let sql = "create table a (id int primary key, x int); create table b (id int primary key, a_id int);";
    let mysql = schema(sql, Dialect::Mysql);
    let shown = |text: &str| shown(&uses(text, &mysql));
    assert_eq!(
        shown("update A join b on b.a_id = a.id set a.x = 1, b.a_id = ?").replace("default.", ""),
        "r a.id b.a_id w a.x b.a_id"
    );
    assert_eq!(
        shown("insert into a set id = ?, x = 2 on duplicate key update x = values(x)"),
        "r a.x w a.id a.x"
    );
    assert_eq!(
        shown("insert into a values (1)"),
        "w a.id * a ! INSERT gives 1 values, but \"a\" has 2 columns"
    );
    assert_eq!(shown("delete b from b join a on a.id = b.a_id where a.x = \"y\""), "r a.id a.x b.a_id");
    let sqlite = schema(sql, Dialect::Sqlite);
    assert_eq!(
        self::shown(&uses("insert or replace into a (id, x) values (?1, :x) returning rowid", &sqlite)),
        "w a.id a.x > rowid"
    );
}

#[test]
fn no_text_makes_it_fail() {
    let schema = schema(SCHEMA, Dialect::Postgres);
    let long = format!("select 1 where {}", vec!["a = 1"; 4000].join(" or "));
    let deep = format!("select {}1{}", "(".repeat(3000), ")".repeat(3000));
    for text in [
        "",
        ";",
        "select",
        "'",
        "select 1; select 2",
        "create table x ()",
        &long,
        &deep,
        "select $1 from \u{0}",
    ] {
        let uses = uses(text, &schema);
        assert!(
            !uses.is_certain() || !uses.problems.is_empty() || text == long,
            "{}",
            &text[..text.len().min(40)]
        );
    }
}
