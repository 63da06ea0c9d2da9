//! What becomes of queries when a migration changes what they use.

use super::judge::{Judgement, Verdict};
use super::matrix::{Prepared, Stage, matrix};
use crate::dialect::Dialect;
use crate::schema::apply::apply;
use crate::schema::model::Schema;
use crate::sql::split::split;

const BEFORE: &str = "
    create type mood as enum ('sad', 'happy');
    create table users (id bigint primary key, name text not null, email text, age int default 3, mood mood);
    create table posts (id bigint primary key, user_id bigint, title varchar(40));
    create view names as select id, name from users;
    create function age_of(n bigint) returns int language sql as $$ select 1 $$;";

fn applied(mut schema: Schema, sql: &str) -> Schema {
    for statement in split(sql, schema.dialect).statements {
        for change in crate::engine::lower(statement.text, schema.dialect) {
            apply(&mut schema, &change);
        }
    }
    schema
}

fn judged(dialect: Dialect, before: &str, migration: &str, query: &str) -> Judgement {
    let before = applied(Schema::new(dialect), before);
    let after = applied(before.clone(), migration);
    let stages = [Stage { label: "after".to_owned(), schema: after }];
    let mut found = matrix(&[Prepared::new(query, dialect)], &before, &stages);
    found.rows.remove(0).remove(0)
}

fn check(migration: &str, query: &str, verdict: Verdict, why: &str) {
    let found = judged(Dialect::Postgres, BEFORE, migration, query);
    assert_eq!(found.verdict, verdict, "{migration}; {query}: {:?}", found.why);
    assert!(found.why.join("; ").contains(why), "{migration}; {query}: {:?}", found.why);
    assert_eq!(found.why.is_empty(), verdict == Verdict::Works);
}

#[test]
fn what_is_dropped_fails_where_it_is_used() {
    let drop = "alter table users drop column email";
    check(drop, "select id from users", Verdict::Works, "");
    check(drop, "select email from users", Verdict::Fails, "email");
    check(drop, "select u.id from users u where u.email = $1", Verdict::Fails, "u.email");
    check(drop, "update users set email = $1", Verdict::Fails, "email");
    check(drop, "select * from users", Verdict::OtherResult, "loses `email`");
    check(drop, "select name from names", Verdict::Works, "");
    check(
        "drop table posts",
        "select 1 from users u where exists (select 1 from posts)",
        Verdict::Fails,
        "posts",
    );
    check("drop view names", "select name from names", Verdict::Fails, "names");
    check("drop function age_of(bigint)", "select age_of(id) from users", Verdict::Fails, "age_of");
}

#[test]
fn what_is_renamed_fails_under_its_old_name() {
    check("alter table users rename to people", "select id from users", Verdict::Fails, "users");
    check(
        "alter table users rename column name to full_name",
        "select name from users",
        Verdict::Fails,
        "name",
    );
    check("alter table users rename column name to full_name", "select name from names", Verdict::Works, "");
    check(
        "alter type mood rename value 'sad' to 'blue'",
        "select id from users where mood = $1",
        Verdict::NotCertain,
        "sad",
    );
}

#[test]
fn labels_that_go_or_get_other_names() {
    let rename = "alter type mood rename value 'sad' to 'blue'";
    check(rename, "select id from users where mood = 'sad'", Verdict::Fails, "no longer takes 'sad'");
    check(rename, "select id from users where mood = 'happy'", Verdict::Works, "");
    check(rename, "select id from users where mood in ('happy', $1)", Verdict::NotCertain, "sad");
    check(rename, "select id from users where mood = any (array['happy', 'sad'])", Verdict::Fails, "sad");
    check(rename, "select id from users where 'sad' <> mood", Verdict::Fails, "sad");
    check(rename, "select id from users where mood::text = 'sad'", Verdict::NotCertain, "sad");
    check(rename, "select id from users where mood is not null order by mood", Verdict::Works, "");
    check(rename, "select a.id from users a join users b on a.mood = b.mood", Verdict::Works, "");
    check(rename, "select mood from users where id = $1", Verdict::NotCertain, "can hold blue");
    check(rename, "select * from users", Verdict::NotCertain, "can hold blue");
    check(rename, "select row_to_json(users) from users", Verdict::NotCertain, "can hold blue");
    check(rename, "select case mood when 'sad' then 1 else 2 end from users", Verdict::Fails, "sad");
    check(rename, "select 'sad'::mood", Verdict::Fails, "'sad'");
    check(rename, "select $1::mood", Verdict::NotCertain, "casts");
    check(rename, "select 'happy'::mood", Verdict::Works, "");
    check(rename, "update users set mood = 'sad' where id = $1", Verdict::Fails, "sad");
    check(rename, "update users set mood = 'happy' where id = $1", Verdict::Works, "");
    check(
        rename,
        "update users set mood = case when age > 3 then 'happy' else 'sad' end",
        Verdict::Fails,
        "sad",
    );
    check(rename, "update users set mood = $1", Verdict::NotCertain, "sad");
    check(rename, "insert into users (id, name, mood) values ($1, $2, 'happy')", Verdict::Works, "");
    check(rename, "insert into users (id, name) values ($1, $2)", Verdict::Works, "");
    check(rename, "insert into users (id, name, mood) select $1, $2, 'sad'", Verdict::Fails, "sad");
    check(
        rename,
        "insert into users (id, mood) values ($1, 'happy') on conflict (id) do update set mood = excluded.mood",
        Verdict::Works,
        "",
    );
    check(
        rename,
        "with x as (select mood as m from users) select 1 from x where m = 'sad'",
        Verdict::Fails,
        "sad",
    );
    let rebuilt = "alter type mood rename to mood_old; create type mood as enum ('happy');
        alter table users alter column mood type mood using mood::text::mood; drop type mood_old;";
    check(rebuilt, "select id from users where mood = 'sad'", Verdict::Fails, "sad");
    check(rebuilt, "select mood from users where id = $1", Verdict::OtherResult, "cached plan");
    check(rebuilt, "update users set mood = 'happy' where id = $1", Verdict::Works, "");
}

#[test]
fn constants_that_a_check_takes_or_refuses() {
    let list = "alter table posts add constraint c check (title in ('draft', 'done')) not valid";
    let refuses = "the new check `c` refuses";
    check(list, "insert into posts (id, title) values ($1, 'draft')", Verdict::Works, "");
    check(list, "insert into posts (id, title) values ($1, 'other')", Verdict::WritesWrongly, refuses);
    check(
        list,
        "insert into posts (id, title) values ($1, 'done'), ($2, 'other')",
        Verdict::WritesWrongly,
        refuses,
    );
    check(list, "insert into posts (id, title) values ($1, $2)", Verdict::NotCertain, "`c`");
    check(list, "insert into posts (id) values ($1)", Verdict::Works, "");
    check(list, "update posts set title = 'other' where title = 'done'", Verdict::WritesWrongly, refuses);
    check(list, "update posts set title = title", Verdict::Works, "");
    check(list, "select id from posts where title = 'other'", Verdict::Works, "");
    let ages = "alter table users add constraint c check (age > 3)";
    check(
        ages,
        "insert into users (id, name) values ($1, $2)",
        Verdict::WritesWrongly,
        "writes '3' to `public.users.age`",
    );
    check(
        ages,
        "insert into users (id, name, age) values ($1, $2, default)",
        Verdict::WritesWrongly,
        refuses,
    );
    check(ages, "insert into users (id, name, age) values ($1, $2, 4)", Verdict::Works, "");
    let both = "alter table users add constraint c check (age > 3 or email is not null)";
    check(both, "insert into users (id, name, age) values ($1, $2, 3)", Verdict::NotCertain, "`c`");
}

#[test]
fn constants_that_fit_or_not() {
    let shorter = "alter table posts alter column title type varchar(5)";
    check(shorter, "update posts set title = 'draft'", Verdict::Works, "");
    check(shorter, "update posts set title = 'drafts'", Verdict::WritesWrongly, "'drafts'");
    check(shorter, "update posts set title = $1", Verdict::WritesWrongly, "narrower");
    let smaller = "alter table users alter column age type smallint";
    check(smaller, "update users set age = 32767", Verdict::Works, "");
    check(smaller, "update users set age = -32769", Verdict::WritesWrongly, "-32769");
    let required = "alter table users alter column email set not null";
    check(required, "update users set email = 'x'", Verdict::Works, "");
    check(required, "update users set email = case when age > 1 then 'x' end", Verdict::NotCertain, "NULL");
    let text = "alter table users alter column age type text";
    check(text, "select id from users where age > 3", Verdict::Fails, "a number");
    check(text, "select id from users where coalesce(age, 0) = 3", Verdict::Fails, "a number");
    check(text, "select id from users where age || 3 = $1", Verdict::NotCertain, "computes");
}

#[test]
fn what_a_new_unique_index_refuses() {
    let unique = "create unique index u on users (name)";
    check(unique, "insert into users (id, name) values ($1, 'x')", Verdict::WritesWrongly, "second time");
    check(unique, "insert into users (id, name) values ($1, $2)", Verdict::NotCertain, "`u`");
    check(
        unique,
        "insert into users (id, name) values ($1, 'x') on conflict do nothing",
        Verdict::NotCertain,
        "`u`",
    );
    check(unique, "update users set name = 'x' where id = $1", Verdict::NotCertain, "`u`");
    let left_out = "create unique index u on users (age)";
    check(left_out, "insert into users (id, name) values ($1, $2)", Verdict::WritesWrongly, "same `age`");
    check(
        "create unique index u on users (email)",
        "insert into users (id, name) values ($1, $2)",
        Verdict::Works,
        "",
    );
    check(
        "create unique index u on users (id, name)",
        "insert into users (id, name) values ($1, $2)",
        Verdict::Works,
        "",
    );
    check(
        "alter table posts add foreign key (user_id) references users",
        "insert into posts (id, user_id) values ($1, null)",
        Verdict::Works,
        "",
    );
}

#[test]
fn labels_of_mysql_are_its_columns_type() {
    let before = "create table a (id int primary key, kind enum('x', 'y') not null default 'x')";
    let check = |query: &str, verdict: Verdict| {
        let change = "alter table a modify kind enum('y', 'z') not null default 'y'";
        let found = judged(Dialect::Mysql, before, change, query);
        assert_eq!(found.verdict, verdict, "{query}: {:?}", found.why);
    };
    check("update a set kind = 'x' where id = ?", Verdict::WritesWrongly);
    check("update a set kind = 'y' where id = ?", Verdict::Works);
    check("update a set kind = ? where id = ?", Verdict::NotCertain);
    check("select id from a where kind = 'x'", Verdict::NotCertain);
}

#[test]
fn shapes_that_change_are_told() {
    check("alter table users add column x int", "select * from users", Verdict::OtherResult, "cached plan");
    check("alter table users add column x int", "select id from users", Verdict::Works, "");
    check(
        "alter table users alter column age type bigint",
        "select age from users",
        Verdict::OtherResult,
        "integer to bigint",
    );
    check(
        "alter table users alter column age type bigint",
        "select age + $1 as n from users",
        Verdict::OtherResult,
        "users.age",
    );
    check(
        "alter table users alter column age type text",
        "select id from users where age > $1",
        Verdict::NotCertain,
        "computes",
    );
}

#[test]
fn inserts_that_leave_out_a_column() {
    let insert = "insert into users (id, name) values ($1, $2)";
    check("alter table users add column x int not null", insert, Verdict::WritesWrongly, "users.x");
    check("alter table users add column x int not null default 0", insert, Verdict::Works, "");
    check("alter table users alter column email set not null", insert, Verdict::WritesWrongly, "email");
    check(
        "alter table users alter column age drop default",
        insert,
        Verdict::WritesWrongly,
        "lost its default",
    );
    check("alter table users alter column age set default 4", insert, Verdict::NotCertain, "another one");
    check(
        "alter table users alter column email set not null",
        "update users set email = $1",
        Verdict::NotCertain,
        "NULL",
    );
    check(
        "alter table posts alter column title type varchar(10)",
        "update posts set title = $1",
        Verdict::WritesWrongly,
        "narrower",
    );
    check("alter table posts add column x int", "insert into posts values ($1, $2, $3)", Verdict::Works, "");
    check(
        "alter table posts drop column user_id",
        "insert into posts values ($1, $2)",
        Verdict::WritesWrongly,
        "goes into `title`",
    );
    check(
        "alter table posts drop column user_id",
        "insert into posts values ($1, $2, $3)",
        Verdict::Fails,
        "3 values",
    );
}

#[test]
fn what_is_left_empty_or_set_to_null_is_refused() {
    let check_ = "alter table posts add constraint c check (title is not null) not valid";
    check(check_, "insert into posts (id) values ($1)", Verdict::WritesWrongly, "the new check `c` demands");
    check(check_, "insert into posts (id, title) values ($1, $2)", Verdict::NotCertain, "`c`");
    check(check_, "update posts set title = null where id = $1", Verdict::WritesWrongly, "no value");
    check(check_, "update posts set user_id = null", Verdict::NotCertain, "not validated");
    let required = "alter table posts alter column title set not null";
    check(required, "update posts set title = null", Verdict::WritesWrongly, "to NULL");
    check(required, "insert into posts (id, title) values ($1, null)", Verdict::WritesWrongly, "to NULL");
    check(required, "insert into posts (id, title) select id, title from posts", Verdict::NotCertain, "NULL");
}

#[test]
fn a_check_that_is_not_validated_meets_old_rows() {
    let new = "alter table users add check (age > 0) not valid";
    check(new, "update users set name = $1 where id = $2", Verdict::NotCertain, "not validated");
    check(new, "update users set age = 4 where id = $1", Verdict::Works, "");
    check(new, "insert into users (id, name) values ($1, $2)", Verdict::Works, "");
    check("alter table users add check (age > 0)", "update users set name = $1", Verdict::Works, "");
}

#[test]
fn constraints_may_refuse_what_is_written() {
    check(
        "alter table posts add constraint c check (title <> '')",
        "update posts set title = $1",
        Verdict::NotCertain,
        "`c`",
    );
    check(
        "alter table posts add constraint c check (title <> '')",
        "update posts set user_id = $1",
        Verdict::Works,
        "",
    );
    check(
        "alter table posts add constraint c check (title <> '')",
        "select title from posts",
        Verdict::Works,
        "",
    );
    check(
        "create unique index u on users (email)",
        "insert into users (id, name, email) values ($1, $2, $3)",
        Verdict::NotCertain,
        "`u`",
    );
    check(
        "alter table posts add foreign key (user_id) references users",
        "delete from users where id = $1",
        Verdict::NotCertain,
        "foreign key",
    );
}

#[test]
fn what_was_broken_before_proves_nothing() {
    check(
        "alter table users drop column email",
        "select email, nope from users",
        Verdict::NotCertain,
        "nope",
    );
    check(
        "alter table users drop column email",
        "selec email from users",
        Verdict::NotCertain,
        "not understood",
    );
    check("alter table users drop column email", "selec title from posts", Verdict::Works, "");
}

#[test]
fn mysql_needs_all_columns_of_an_insert() {
    let before = "create table a (id int primary key, x int)";
    let found =
        judged(Dialect::Mysql, before, "alter table a add column y int", "insert into a values (?, ?)");
    assert_eq!(found.verdict, Verdict::Fails);
    let found = judged(Dialect::Mysql, before, "alter table a add column y int", "select * from a");
    assert!(found.verdict == Verdict::OtherResult && !found.why[0].contains("cached plan"));
}
