//! The scenes on SQLite: files, which are copied for each try.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::scene::{Place, Scene};
use crate::twostep::Project;

const MIGRATIONS: &[(&str, &str)] = &[
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

const EXPANDED: &[(&str, &str)] = &[
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

/// The commands that there are scenes of.
pub const COMMANDS: &[&str] = &["migrate", "rollback", "contract"];

/// The scene of a command. Its databases are below `folder`.
pub fn scene<'s>(folder: &'s Path, command: &'static str) -> Scene<'s> {
    let project = Project::new();
    let template = project.path("template.sqlite");
    let url = |path: &Path| format!("sqlite:{}", path.display());
    let on = |arguments: &[&str]| project.on(&url(&template), arguments).run().expect(0);
    let arguments: &[&str] = match command {
        "migrate" => {
            project.write_migrations(MIGRATIONS);
            &["migrate"]
        }
        "rollback" => {
            project.write_migrations(MIGRATIONS);
            on(&["migrate"]);
            &["rollback", "--to", "1"]
        }
        "contract" => {
            project.write_migrations(EXPANDED);
            on(&["migrate"]);
            on(&["release", "confirm", "--release", "r1"]);
            project.write_migrations(&[CONTRACT]);
            &["migrate"]
        }
        other => panic!("no scene {other}"),
    };
    let number = Cell::new(0);
    let fresh = move |_: &Project| {
        number.set(number.get() + 1);
        let path = folder.join(format!("{command}{}.sqlite", number.get()));
        if template.exists() {
            std::fs::copy(&template, &path).unwrap();
        }
        let name = path.display().to_string();
        Place::new(url(&path), name, move || remove(&path))
    };
    Scene::new("SQLite", command, arguments, project, fresh, state)
}

fn remove(path: &PathBuf) {
    std::fs::remove_file(path).ok();
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
