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
    let table = "create type mood as enum ('ok', 'bad'); create table t (id int primary key, a text, b int, during int4range, m mood default 'bad');";
    let cases = [
        ("alter table t add exclude using gist (during with &&);", "no way to add an EXCLUDE constraint"),
        ("alter table t add column up text generated always as (upper(a)) stored;", "ACCESS EXCLUSIVE"),
        ("alter table t add column c int not null;", "--fill \"t.c=…\""),
        ("alter table t alter column a type int using a::int;", "under a new name"),
        (
            "create type mood_new as enum ('ok'); alter table t alter column m drop default; alter table t alter column m type mood_new using m::text::mood_new; alter type mood rename to mood_old; alter type mood_new rename to mood; drop type mood_old;",
            "ADD CHECK (m NOT IN ('bad'))",
        ),
        (
            "create type feel as enum ('ok', 'bad', 'best'); alter table t alter column m type feel using m::text::feel;",
            "ADD VALUE adds 'best'",
        ),
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
        (
            "alter table t add unique (b); create table u (id int primary key, b int references t (b));",
            "refers to a key of `t` that this migration adds",
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
fn what_would_go_on_with_a_label_of_before_is_refused() {
    let type_of = "create type mood as enum ('ok', 'bad'); create table t (id int primary key, m mood);";
    let cases = [
        ("alter table t add constraint c check (m <> 'bad');", "the check `c` names 'bad'"),
        ("create index i on t (id) where m = 'bad';", "the index `i` names 'bad'"),
        ("create view v as select id from t where m = 'bad';", "the view `v` names 'bad'"),
        ("create domain d as mood;", "the type `d` is made of it"),
        ("alter table t alter column m set default coalesce(null, 'bad'::mood);", "in an expression"),
        ("create table u (m mood);", "`u` has no key"),
    ];
    for (more, expected) in cases {
        let said = refusal(&format!("{type_of} {more}"), "alter type mood rename value 'bad' to 'poor';");
        assert!(said.contains(expected), "{more}\n{said}");
    }
}

#[test]
fn a_migration_with_others_behind_it_is_history() {
    let rename = "alter table t rename column a to b;";
    let files = |versions: [&str; 3]| {
        Project::with_migrations(&[
            (&format!("{}_schema.up.sql", versions[0]), "create table t (id int primary key, a text);"),
            (&format!("{}_change.up.sql", versions[1]), rename),
            (&format!("{}_later.up.sql", versions[2]), "alter table t drop column b;"),
        ])
    };
    let plan = |project: &Project| {
        project.twostep(&["plan", "2", "--write"]).env("TWOSTEP_LOG", "text").run().expect(2).stderr
    };
    let counted = files(["1", "2", "3"]);
    let said = plan(&counted);
    assert!(said.contains("3_later.up.sql stands behind it") && said.contains("it is history"), "{said}");
    assert_eq!(counted.read("migrations/2_change.up.sql"), rename);

    // Where there is room the contract stands in front of what was written for it, and that is said.
    let stamped = files(["20260101000000", "20260201000000", "20260301000000"]);
    let outcome = stamped.twostep(&["plan", "20260201000000", "--write"]).run().expect(0);
    assert!(outcome.stdout.contains("1 migrations stand behind it"), "{}", outcome.stdout);
    assert!(stamped.path("migrations/20260201000002_change_contract.up.sql").exists());
    let all = stamped.path("migrations");
    let names = std::fs::read_dir(all).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.filter(|name| *name.to_string_lossy() > *"20260301").count(), 1);
}

#[test]
fn the_files_tell_the_dialect_where_no_database_is_named() {
    let project = Project::with_migrations(&[
        (
            "1_schema.up.sql",
            "CREATE TABLE t (id int unsigned AUTO_INCREMENT PRIMARY KEY, a varchar(9)) ENGINE=InnoDB;",
        ),
        ("2_change.up.sql", "ALTER TABLE t RENAME COLUMN a TO b;"),
        ("2_change.down.sql", "ALTER TABLE t RENAME COLUMN b TO a;"),
    ]);
    let shown = project.twostep(&["plan"]).run().expect(0).stdout;
    assert!(shown.contains("<=>") && !shown.contains("plpgsql"), "{shown}");
    let told = project.twostep(&["plan"]).env("TWOSTEP_LINT_ENGINE", "postgres").run();
    assert!(!told.stdout.contains("<=>"), "{}", told.stdout);
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
