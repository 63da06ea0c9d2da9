//! `twostep roundtrip`: the chain, its seeds, generated rows, what is allowed, and what is new.

use serde_json::Value;
use std::process::Command;

use crate::servers;
use crate::twostep::{Outcome, Project};

const SHOP: &[(&str, &str)] = &[
    ("1_goods.up.sql", "create table goods (id integer primary key, name varchar(40) not null);"),
    ("1_goods.down.sql", "drop table goods;"),
    ("2_price.up.sql", "alter table goods add column price integer;"),
    ("2_price.down.sql", "alter table goods drop column price;"),
];

/// A run on SQLite with the findings as JSON.
fn on_sqlite(project: &Project, more: &[&str], code: i32) -> Value {
    let mut arguments = vec!["roundtrip", "--engine", "sqlite", "--format", "json"];
    arguments.extend(more);
    found(&project.twostep(&arguments).run().expect(code))
}

fn found(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome:?}"))
}

/// The verdicts by label.
fn verdicts(found: &Value) -> Vec<(&str, &str)> {
    let migrations = found["migrations"].as_array().expect("a list");
    migrations.iter().map(|one| (one["label"].as_str().unwrap(), one["verdict"].as_str().unwrap())).collect()
}

#[test]
fn the_chain_finds_what_single_downs_hide() {
    let project = Project::with_migrations(SHOP);
    project.write_migrations(&[
        // Each by itself is exact: the trigger's table is there. In a row, the rows of the seeds stop it.
        ("3_names.up.sql", "create unique index goods_name on goods (name);"),
        ("3_names.down.sql", "drop index goods_name; insert into goods (id, name) values (1, 'x');"),
    ]);
    project
        .write("seeds/goods.sql", "insert into goods (id, name) values (1, 'cup') on conflict do nothing;");
    let found = on_sqlite(&project, &[], 1);
    let chain = &found["chain"];
    assert_eq!((&chain["taken_back"], &chain["of"]), (&0.into(), &3.into()), "{chain:#}");
    let problem = chain["problems"][0].as_str().unwrap();
    assert!(
        problem.starts_with("the down of 3_names fails: 3_names.down.sql:1: `insert into goods"),
        "{problem}"
    );
    assert_eq!(chain["notes"][0], "3 of 3 migrations were not taken back, and not compared");
}

#[test]
fn what_all_downs_leave_is_shown() {
    let project = Project::with_migrations(SHOP);
    project.write_migrations(&[
        ("3_more.up.sql", "create table more (id integer);\ncreate table left_over (id integer);"),
        ("3_more.down.sql", "drop table more;"),
    ]);
    let found = on_sqlite(&project, &[], 1);
    let chain = &found["chain"];
    assert_eq!(chain["problems"][0], "after all downs it is not as before the first migration", "{chain:#}");
    assert!(
        chain["problems"][1].as_str().unwrap().starts_with("3_more cannot be applied again"),
        "{chain:#}"
    );
    assert!(chain["diff"].as_str().unwrap().contains("+table left_over"), "{chain:#}");
}

#[test]
fn seeds_must_be_repeatable_unless_told_otherwise() {
    let project = Project::with_migrations(SHOP);
    project.write("seeds/goods.sql", "insert into goods (name) values ('cup');");
    let found = on_sqlite(&project, &[], 1);
    assert_eq!(found["seeds"][0], "run a second time, the seeds change rows: goods: 1 row before, 2 after");
    let found = on_sqlite(&project, &["--seeds-once"], 0);
    assert_eq!((&found["seeds"], &found["failures"]), (&Value::Array(Vec::new()), &0.into()));

    project.write("seeds/goods.sql", "insert into godos (name) values ('cup');");
    let found = on_sqlite(&project, &[], 1);
    let problem = found["seeds"][0].as_str().unwrap();
    assert!(problem.starts_with("the seeds fail: seeds/goods.sql:1: `insert into godos"), "{problem}");
}

#[test]
fn a_seed_command_finds_the_database() {
    let project = Project::with_migrations(SHOP);
    let fill =
        "sqlite3 \"${DATABASE_URL#sqlite:}\" \"insert or ignore into goods (id, name) values (1, 'cup')\"";
    let found = on_sqlite(&project, &["--seed-command", fill], 0);
    assert_eq!(found["chain"]["problems"], Value::Array(Vec::new()));
    let found = on_sqlite(&project, &["--seed-command", "echo no tree here >&2; exit 3"], 1);
    let problem = found["seeds"][0].as_str().unwrap();
    assert!(problem.contains("(exit status: 3): no tree here"), "{problem}");
}

/// What only shows where there are rows: a down that they stop, and one that throws them away.
const WITH_ROWS: &[(&str, &str)] = &[
    (
        "1_owners.up.sql",
        "create table owners (id integer primary key, mail varchar(60) not null unique check (mail like '%@%'), \
         kind varchar(9) not null check (kind in ('person', 'firm')));\n\
         create table pets (id integer primary key, owner integer not null references owners (id), born date not null);",
    ),
    ("1_owners.down.sql", "drop table pets; drop table owners;"),
    ("2_age.up.sql", "alter table pets add column age integer;"),
    (
        "2_age.down.sql",
        "alter table pets drop column age; alter table pets add column x integer not null;\nalter table pets drop column x;",
    ),
    ("3_copy.up.sql", "create table kept (id integer primary key);"),
    ("3_copy.down.sql", "drop table kept; delete from pets;"),
];

fn check_with_rows(engine: &str) {
    let project = Project::with_migrations(WITH_ROWS);
    let run = |more: &[&str], code| {
        let mut arguments = vec!["roundtrip", "--engine", engine, "--format", "json", "--no-chain"];
        arguments.extend(more);
        found(&project.twostep(&arguments).run().expect(code))
    };
    let without = run(&[], 0);
    assert_eq!(verdicts(&without), [("1_owners", "exact"), ("2_age", "exact"), ("3_copy", "exact")]);
    let with = run(&["--with-rows"], 1);
    let refused = if engine == "mysql" { "exact" } else { "down-fails" };
    assert_eq!(
        verdicts(&with),
        [("1_owners", "exact"), ("2_age", refused), ("3_copy", "loses-rows")],
        "{with:#}"
    );
    assert!(
        with["migrations"][2]["rows"][0].as_str().unwrap().ends_with("pets: 2 rows before, 0 after"),
        "{with:#}"
    );
}

#[test]
fn generated_rows_find_what_needs_or_loses_rows() {
    check_with_rows("sqlite");
    if servers::postgres().is_some() {
        check_with_rows("postgres");
    }
    if servers::mariadb().is_some() {
        check_with_rows("mysql");
    }
}

#[test]
fn what_is_known_is_allowed_with_a_reason() {
    let project = Project::with_migrations(SHOP);
    project.write_migrations(&[("3_last.up.sql", "create table last_one (id integer);")]);
    on_sqlite(&project, &[], 1);
    let found = on_sqlite(&project, &["--allow", "3_last=the table was never used", "--allow", "2=old"], 0);
    assert_eq!(found["migrations"][2]["allowed"], "the table was never used");
    assert_eq!(found["notes"][0], "`2` is allowed, and nothing needs it any more");
    on_sqlite(&project, &["--allow", "no-down=we only go forward"], 0);
    let complaint = |allow: &str| {
        let arguments = ["roundtrip", "--engine", "sqlite", "--allow", allow];
        project.twostep(&arguments).env("TWOSTEP_LOG", "text").run().expect(2).stderr
    };
    assert!(complaint("3_last").starts_with("error: `3_last` gives no reason\n"));
    assert!(complaint("3_lost=why").contains("did you mean `3_last`?"), "{}", complaint("3_lost=why"));

    project.write("twostep.toml", "[roundtrip.allow]\n\"3_last\" = \"known\"\n");
    on_sqlite(&project, &[], 0);
    project.write("twostep.toml", "[roundtrip]\nseeds_onec = true\n");
    let outcome =
        project.twostep(&["roundtrip", "--engine", "sqlite"]).env("TWOSTEP_LOG", "text").run().expect(2);
    assert!(outcome.stderr.contains("did you mean `seeds_once`?"), "{}", outcome.stderr);
}

#[test]
fn only_what_is_new_is_judged() {
    let project = Project::with_migrations(SHOP);
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@b"]).args(arguments);
        let output = command.current_dir(project.path(".")).env("HOME", project.path(".")).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
    };
    git(&["init", "-q", "-b", "main"]);
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "first"]);
    let found = on_sqlite(&project, &["--since", "main"], 0);
    assert_eq!((verdicts(&found), &found["earlier"]), (vec![], &2.into()));

    git(&["checkout", "-q", "-b", "topic"]);
    project.write_migrations(&[
        ("3_a.up.sql", "create table a (id integer);"),
        ("3_a.down.sql", "drop table a;"),
        ("4_b.up.sql", "create table b (id integer);"),
        ("4_b.down.sql", "select 1;"),
    ]);
    git(&["add", "migrations/3_a.up.sql", "migrations/3_a.down.sql"]);
    git(&["commit", "-q", "-m", "second"]);
    let found = on_sqlite(&project, &["--since", "main"], 1);
    assert_eq!(verdicts(&found), [("3_a", "exact"), ("4_b", "down-does-nothing")]);
    assert_eq!((&found["chain"]["of"], &found["chain"]["behind"]), (&2.into(), &"2_price".into()));

    let arguments = ["roundtrip", "--engine", "sqlite", "--since", "nowhere"];
    let outcome = project.twostep(&arguments).env("TWOSTEP_LOG", "text").run().expect(2);
    assert!(
        outcome.stderr.starts_with("error: git cannot tell what is new since `nowhere`"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_database_is_compared_with_the_files() {
    let project = Project::with_migrations(SHOP);
    project.on("sqlite:shop.db", &["migrate"]).run().expect(0);
    let equal = project.on("sqlite:shop.db", &["db", "diff"]).run().expect(0);
    assert_eq!(equal.stdout, "");
    project.write_migrations(&[
        ("3_index.up.sql", "create index goods_name on goods (name);"),
        ("3_index.down.sql", "drop index goods_name;"),
    ]);
    let other = project.on("sqlite:shop.db", &["db", "diff"]).run().expect(1);
    assert!(
        other.stdout.starts_with("--- the migrations in migrations\n+++ sqlite:shop.db\n"),
        "{}",
        other.stdout
    );
    assert!(other.stdout.contains("\n-  index goods_name"), "{}", other.stdout);
}
