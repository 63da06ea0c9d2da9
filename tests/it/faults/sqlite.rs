//! The scenes on SQLite: files, which are copied for each try.

use std::cell::Cell;
use std::path::Path;
use std::process::Command;

use super::scene::{Files, Migrations, Place, Scene};
use crate::twostep::Project;

const MIGRATIONS: Migrations = &[
    (
        "1_users.up.sql",
        "create table users (id bigint primary key, email text, n int not null default 0);\n\
         insert into users (id, email) values (1, 'a');\n",
    ),
    ("1_users.down.sql", "drop table users;\n"),
    (
        "2_orders.up.sql",
        "create table orders (id bigint primary key, user_id bigint);\nupdate users set n = n + 1;\n",
    ),
    ("2_orders.down.sql", "drop table orders;\nupdate users set n = n - 1;\n"),
    (
        "3_indexes.up.sql",
        "-- twostep: no-transaction\ncreate index users_email on users (email);\nvacuum;\n\
         update users set n = n + 10;\nalter table orders add column note text;\n",
    ),
    (
        "3_indexes.down.sql",
        "-- twostep: no-transaction\ndrop index users_email;\nvacuum;\nupdate users set n = n - 10;\n\
         alter table orders drop column note;\n",
    ),
    ("R__names.sql", "drop view if exists names;\ncreate view names as select id, email from users;\n"),
];

const EXPANDED: Migrations = &[
    (
        "1_items.up.sql",
        "create table items (a integer primary key, b text, n int not null default 0);\n\
         insert into items (b) values ('x'), ('y'), ('z');\n",
    ),
    (
        "2_expand.up.sql",
        "-- twostep: phase expand\nalter table items add column code text;\ncreate index items_n on items (n);\n",
    ),
];

const CONTRACT: (&str, &str) = (
    "3_contract.up.sql",
    "-- twostep: no-transaction\n-- twostep: phase contract\nupdate items set n = n + 1 where a < 3;\n\
     drop index items_n;\nalter table items drop column b;\nalter table items rename column code to b;\n",
);

/// Rows enough for several chunks.
const UNFILLED: (&str, &str) = (
    "1_items.up.sql",
    "create table items (a integer, b text, n int not null default 0, primary key (a, b));\n\
     insert into items (a, b) with recursive n (seq) as (select 1 union all select seq + 1 from n where seq < 3600) \
     select seq, 'b''' || seq from n;\n",
);

const BACKFILL: (&str, &str) = (
    "2_fill.up.sql",
    "-- twostep: no-transaction\n-- twostep: backfill\nupdate items set n = n + 1 where b is not null;\n\
     create index items_n on items (n) where n > 0;\n",
);

const FILES: Files = Files {
    migrations: MIGRATIONS,
    back_to: "1",
    expanded: EXPANDED,
    contract: CONTRACT,
    unfilled: UNFILLED,
    backfill: BACKFILL,
};

/// The commands that there are scenes of.
pub const COMMANDS: &[&str] = &["migrate", "rollback", "backfill", "contract"];

/// The scene of a command. Its databases are below `folder`.
pub fn scene<'s>(folder: &'s Path, command: &'static str) -> Scene<'s> {
    let project = Project::new();
    let template = project.path("template.sqlite");
    let on = |arguments: &[&str]| drop(project.on(&url(&template), arguments).run().expect(0));
    let arguments = FILES.begin(command, &project, on);
    let number = Cell::new(0);
    let fresh = move |_: &Project| {
        number.set(number.get() + 1);
        copied(&template, &folder.join(format!("{command}{}.sqlite", number.get())))
    };
    Scene::new("SQLite", command, &arguments, project, fresh, state)
}

fn url(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

/// A copy of the file `template`, which need not be there yet, at `path`.
pub fn copied(template: &Path, path: &Path) -> Place<'static> {
    if template.exists() {
        std::fs::copy(template, path).unwrap();
    }
    let path = path.to_owned();
    Place::new(url(&path), path.display().to_string(), move || {
        std::fs::remove_file(&path).ok();
    })
}

/// See [`Scene::state`].
pub fn state(path: &str) -> String {
    // A file that is not there holds as much as an empty one.
    let path = if Path::new(path).exists() { path } else { ":memory:" };
    let ask = |sql: &str| {
        let output = Command::new("sqlite3").args([path, sql]).output().expect("sqlite3 runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() || said.contains("no such table"), "{said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let dump = ask(".dump");
    let is_ours = |line: &&str| !line.contains("twostep_");
    let (mut rows, schema): (Vec<&str>, Vec<&str>) =
        dump.lines().filter(is_ours).partition(|line| line.starts_with("INSERT"));
    rows.sort_unstable();
    let history = ask(
        "select version, name, kind, phase, state, checksum, breaks_older, sequence, release_id, \
         applied_at is null, down_sql from twostep_migration order by sequence; select * from twostep_statement",
    );
    assert_eq!(
        ask("pragma integrity_check"),
        "ok
"
    );
    [schema.join("\n"), rows.join("\n"), history].join("\n")
}
