//! The scenes on PostgreSQL.

use std::time::Duration;

use super::scene::{Place, Scene};
use crate::servers::Postgres;
use crate::servers::postgres::Database;
use crate::twostep::Project;
use crate::wait;

/// Transactions, statements alone, several in a file, settings, rows that show when they are written twice, a
/// repeatable migration.
const MIGRATIONS: &[(&str, &str)] = &[
    (
        "1_users.up.sql",
        "create table users (id bigint primary key, email text, n int not null default 0);\n\
         insert into users values (1, 'a'), (2, 'b');\n",
    ),
    ("1_users.down.sql", "drop table users;\n"),
    (
        "2_orders.up.sql",
        "create table orders (id bigint generated always as identity primary key, user_id bigint);\n\
         insert into orders (user_id) select id from users;\nupdate users set n = n + 1;\n",
    ),
    ("2_orders.down.sql", "drop table orders;\nupdate users set n = n - 1;\n"),
    (
        "3_indexes.up.sql",
        "-- twostep: no-transaction\nset search_path = public;\n\
         create index concurrently users_email on users (email);\nupdate users set n = n + 10;\n\
         alter table orders add column note text;\ncreate unique index concurrently on orders (user_id);\n",
    ),
    (
        "3_indexes.down.sql",
        "-- twostep: no-transaction\ndrop index concurrently users_email;\nupdate users set n = n - 10;\n\
         alter table orders drop column note;\ndrop index concurrently orders_user_id_idx;\n",
    ),
    ("R__names.sql", "drop view if exists names;\ncreate view names as select id, email from users;\n"),
];

/// Rows enough for several chunks.
const ITEMS: (&str, &str) = (
    "1_items.up.sql",
    "create table items (a int, b text, n int not null default 0, primary key (a, b));\n\
     insert into items select i, 'b''' || i % 7 from generate_series(1, 6000) i;\n",
);

/// What the command is run on, by name: the files before, how the database gets there, the files with it.
fn files(command: &str) -> (&'static [(&'static str, &'static str)], &'static [&'static [&'static str]]) {
    match command {
        "migrate" => (&[], &[]),
        "rollback" => (MIGRATIONS, &[&["migrate"]]),
        "backfill" => (&[ITEMS], &[&["migrate"]]),
        "contract" => (
            &[
                ITEMS,
                (
                    "2_expand.up.sql",
                    "-- twostep: phase expand\nalter table items add column code text;\ncreate index items_n on items (n);\n",
                ),
            ],
            &[&["migrate"], &["release", "confirm", "--release", "r1"]],
        ),
        other => panic!("no scene {other}"),
    }
}

fn more_files(command: &str) -> &'static [(&'static str, &'static str)] {
    match command {
        "migrate" => MIGRATIONS,
        "rollback" => &[],
        "backfill" => &[(
            "2_fill.up.sql",
            "-- twostep: no-transaction\n-- twostep: backfill\nupdate items set n = n + 1 where b is not null;\n\
             alter table items add constraint filled check (n > 0) not valid;\n\
             alter table items validate constraint filled;\n",
        )],
        "contract" => &[(
            "3_contract.up.sql",
            "-- twostep: no-transaction\n-- twostep: phase contract\nupdate items set n = n + 1 where a <= 5;\n\
             drop index concurrently items_n;\nalter table items drop column b cascade;\n\
             alter table items rename column code to b;\n",
        )],
        other => panic!("no scene {other}"),
    }
}

/// The commands that there are scenes of.
pub const COMMANDS: &[&str] = &["migrate", "rollback", "backfill", "contract"];

/// The scene of a command. What it starts from is made once, and copied for each try.
pub fn scene<'s>(server: &'s Postgres, command: &'static str) -> Scene<'s> {
    scene_in(server, command, "")
}

/// The same, with more to say of how its databases are made.
pub fn scene_in<'s>(server: &'s Postgres, command: &'static str, made: &'static str) -> Scene<'s> {
    let project = Project::new();
    let (before, steps) = files(command);
    project.write_migrations(before);
    let template: Database<'s> = server.fresh_database();
    for step in steps {
        project.on(&template.url(), step).run().expect(0);
    }
    project.write_migrations(more_files(command));
    let arguments: &[&str] = if command == "rollback" {
        &["rollback", "--to", "1"]
    } else {
        &["migrate", "--lock-deadline", "20s"]
    };
    let fresh = move |_: &Project| {
        let place = server.fresh_database_name();
        // Whoever looked at it last may not be gone yet.
        let copy = format!("create database {} template {}{made}", place.name, template.name);
        wait::until("the database is copied", Duration::from_secs(20), || {
            server.try_psql("postgres", &copy).ok()
        });
        Place::new(place.url(), place.name.clone(), move || drop(place))
    };
    Scene::new("PostgreSQL", command, arguments, project, fresh, |name| state(server, name))
}

/// See [`Scene::state`].
pub fn state(server: &Postgres, name: &str) -> String {
    wait_until_alone(server, name);
    let dump = server
        .client("pg_dump", name)
        .args(["--exclude-schema=twostep", "--inserts", "--no-comments"])
        .output()
        .unwrap();
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    let dump = String::from_utf8(dump.stdout).unwrap();
    // A sequence does not go back: https://www.postgresql.org/docs/current/functions-sequence.html
    let is_ours = |line: &&str| {
        !line.starts_with("\\") && !line.starts_with("--") && !line.is_empty() && !line.contains("setval(")
    };
    let (mut rows, schema): (Vec<&str>, Vec<&str>) =
        dump.lines().filter(is_ours).partition(|line| line.starts_with("INSERT"));
    // Rows that were written once more, and taken back, stand elsewhere.
    rows.sort_unstable();
    let history = server.psql(name, "select to_regclass('twostep.migration') is not null");
    let history = if history == "t" {
        server.psql(
            name,
            "select version, name, kind, phase, state, checksum, breaks_older, sequence, release_id, applied_at is null, \
             down_sql from twostep.migration order by sequence; select * from twostep.statement",
        )
    } else {
        String::new()
    };
    let left = server.psql(
        name,
        "select 'lock', locktype, objid from pg_locks where locktype = 'advisory' and database = \
         (select oid from pg_database where datname = current_database()); \
         select 'prepared', gid from pg_prepared_xacts where database = current_database(); \
         select 'invalid', indexrelid::regclass from pg_index where not indisvalid",
    );
    [schema.join("\n"), rows.join("\n"), history, left].join("\n")
}

/// A run that is gone may leave its session to the server for about a second; no longer. A server that crashed comes up.
fn wait_until_alone(server: &Postgres, name: &str) {
    let ours = "select count(*) from pg_stat_activity where datname = current_database() \
                and application_name like 'twostep%'";
    wait::until_true("the sessions of the run are gone", Duration::from_secs(15), || {
        server.try_psql(name, ours).is_ok_and(|count| count == "0")
    });
}
