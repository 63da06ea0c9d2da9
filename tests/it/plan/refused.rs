//! What there is no plan for says so, with the lock that it takes, and writes nothing.

use crate::twostep::Project;

/// What `plan` says of `plain` behind `schema`.
pub(super) fn refusal(schema: &str, plain: &str) -> String {
    let project = Project::with_migrations(&[
        ("1_schema.up.sql", schema),
        ("1_schema.down.sql", "select 1;"),
        ("2_change.up.sql", plain),
        ("2_change.down.sql", "select 1;"),
    ]);
    let outcome = project.twostep(&["plan", "--write"]).env("TWOSTEP_LOG", "text").run().expect(1);
    assert_eq!(project.read("migrations/2_change.up.sql"), plain);
    outcome.stderr
}

#[test]
fn what_has_no_online_way_says_so() {
    let table = "create table t (id int primary key, a text, b int, during int4range);";
    let cases = [
        ("alter table t add exclude using gist (during with &&);", "no way to add an EXCLUDE constraint"),
        ("alter table t add column up text generated always as (upper(a)) stored;", "ACCESS EXCLUSIVE"),
        ("alter table t add column c int not null;", "--fill \"t.c=…\""),
        ("alter table t alter column a type int using a::int;", "under a new name"),
        ("alter table t drop column b; alter table t add column b text;", "the new code needs the column"),
        ("alter table t rename column a to c; alter table t rename to u;", "rename or move the table first"),
        (
            "alter table t alter column b type bigint; alter table t rename column b to c;",
            "rename it first, then change it",
        ),
        ("update t set b = 1 from t as o where o.id = t.id;", "cannot be run in chunks"),
        ("delete from t where id = 1;", "no online way is planned yet for `delete from t where id = 1`"),
        (
            "insert into t (id) values (1); alter table t rename column a to c;",
            "what takes `insert into t (id) values (1)` back is not known",
        ),
        ("do $$ begin alter table t drop column a; end $$;", "in a block or a function"),
        ("alter table missing rename column a to b;", "no migration makes `missing`"),
    ];
    for (plain, expected) in cases {
        let said = refusal(table, plain);
        assert!(said.contains(expected), "{plain}\n{said}");
        assert!(said.contains("nothing was written"), "{said}");
    }
}

#[test]
fn tables_that_triggers_cannot_keep_equal_are_refused() {
    let cases = [
        ("create table t (id int, a text);", "rename column a to b", "has no primary key"),
        (
            "create table t (id int generated always as identity primary key, a text);",
            "rename column id to b",
            "GENERATED ALWAYS",
        ),
        (
            "create table t (id int primary key, a text); create table u () inherits (t);",
            "rename column a to b",
            "inherit from `t`",
        ),
        (
            "create table t (id int primary key, a text); create function f() returns trigger language plpgsql as 'begin return new; end'; create trigger \"~~last\" before update on t for each row execute function f();",
            "rename column a to b",
            "the trigger `~~last` of `t` fires before or behind",
        ),
        (
            "create table t (id int, a text, primary key (id, a)) partition by list (a);",
            "rename column a to b",
            "in which partition",
        ),
    ];
    for (schema, change, expected) in cases {
        let said = refusal(schema, &format!("alter table t {change};"));
        assert!(said.contains(expected), "{schema}\n{said}");
    }
}

#[test]
fn what_is_good_as_it_stands_is_left_as_it_is() {
    let table = "create table t (id int primary key, a text not null, b int);";
    let cases = [
        "insert into t (id, a) values (1, 'x');",
        "alter table t alter column a drop not null;",
        "create index concurrently on t (b);",
        "create or replace function f() returns int language sql as 'select 1';",
        "create table if not exists u (id int); alter table t add column if not exists c int;",
    ];
    for plain in cases {
        let project = Project::with_migrations(&[
            ("1_schema.up.sql", table),
            ("1_schema.down.sql", "select 1;"),
            ("2_change.up.sql", plain),
            ("2_change.down.sql", "select 1;"),
        ]);
        let outcome = project.twostep(&["plan", "--write"]).env("TWOSTEP_LOG", "text").run().expect(0);
        assert!(outcome.stderr.contains("good as it stands"), "{plain}\n{}", outcome.stderr);
        assert_eq!(project.read("migrations/2_change.up.sql"), plain);
    }
}
