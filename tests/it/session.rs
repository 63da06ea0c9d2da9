//! One migration's settings never reach the next, objects belong to the role that was asked for, and a service's two
//! roles may do what they are for.

use crate::complaint::complaint;
use crate::servers::{Postgres, postgres, postgres::Database};
use crate::twostep::Project;

fn works(project: &Project, database: &Database<'_>) {
    project.on(&database.url(), &["migrate"]).run().expect(0);
}

#[test]
fn settings_do_not_reach_the_next_migration() {
    let Some(server) = postgres() else { return };
    let changes = [
        "set search_path = ''",
        "select pg_catalog.set_config('search_path', '', false)",
        "set search_path = other; set work_mem = '1MB'",
        "set lock_timeout = '7s'; set statement_timeout = '8s'; set idle_in_transaction_session_timeout = '9s'",
        "set session characteristics as transaction read only",
        "set default_transaction_isolation = 'serializable'",
        "set standard_conforming_strings = off",
        "set datestyle = 'German'",
        "set client_min_messages = error",
        "set time zone 'Asia/Tokyo'",
        "set my.variable = 'x'",
        "do $$ begin perform set_config('search_path', 'other', false); end $$",
        "reset all",
        "set constraints all deferred",
    ];
    // What a session begins with, as the run sets it, and as the role and the database have it.
    let seen = "insert into seen select string_agg(name || '=' || setting, ' ' order by name) from pg_settings \
                where name not in ('application_name', 'transaction_isolation', 'transaction_read_only', \
                'transaction_deferrable', 'lock_timeout') and name not like '%.%' union all select current_setting('my.variable', true)";
    let database = server.fresh_database();
    database.psql(&format!("create schema other; alter database {} set work_mem = '3MB'", database.name));
    let project =
        Project::with_migrations(&[("100_seen.up.sql", "create table public.seen (settings text);")]);
    for (number, change) in changes.iter().enumerate() {
        let version = 200 + number * 10;
        project.write(&format!("migrations/{version}_first.up.sql"), seen);
        // The same in a transaction, and as the last thing of a file without one.
        project
            .write(&format!("migrations/{}_change.up.sql", version + 1), format!("select 1;\n{change};\n"));
        project.write(&format!("migrations/{}_seen.up.sql", version + 2), seen);
        project.write(
            &format!("migrations/{}_change.up.sql", version + 3),
            format!("-- twostep: no-transaction\nselect 1;\n{change};\n"),
        );
        project.write(&format!("migrations/{}_seen.up.sql", version + 4), seen);
    }
    works(&project, &database);
    let count = changes.len() * 3;
    assert_eq!(database.psql("select count(*) from seen where settings <> ''"), count.to_string());
    let different = database.psql("select distinct settings from seen where settings <> ''");
    assert_eq!(different.lines().count(), 1, "a setting has reached another migration");
    assert!(different.contains("work_mem=3072 "), "the database's own setting is lost");
}

#[test]
fn a_file_without_a_transaction_goes_on_with_its_own_settings() {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    let files = [(
        "1_a.up.sql",
        "-- twostep: no-transaction\ncreate schema other;\nset search_path = other;\ncreate table t (id int);\n\
         create index concurrently i on t (id);\nselect 1 / (select count(*) from public.go);\n",
    )];
    let project = Project::with_migrations(&files);
    complaint(&project.on(&database.url(), &["migrate"]).run().expect(4));
    // Another process goes on where it stopped, with the search path that the file had set.
    database.psql("create table public.go as select 1 as a");
    project.write_migrations(&[("1_a.up.sql", &format!("{}create table u (id int);\n", files[0].1))]);
    works(&project, &database);
    assert_eq!(
        database.psql("select to_regclass('other.t'), to_regclass('other.u'), to_regclass('other.i')"),
        "other.t|other.u|other.i"
    );
}

#[test]
fn objects_belong_to_the_role() {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    let (owner, _) = server.fresh_role("");
    let (login, password) = server.fresh_role("noinherit");
    database.psql(&format!("grant {owner} to {login}; grant create on database {0} to {owner}; grant create on schema public to {owner}", database.name));
    let url = server.url_as(&login, &password, &database.name);
    let project = Project::with_migrations(&[
        ("1_a.up.sql", "create table a (id int);"),
        (
            "2_b.up.sql",
            "-- twostep: no-transaction\ncreate table b (id int);\ncreate index concurrently b_id on b (id);",
        ),
    ]);
    // Without the role it is not allowed.
    complaint(&project.on(&url, &["migrate"]).run().expect(9));
    project.on(&url, &["migrate", "--role", &owner]).run().expect(0);
    let owners = "select string_agg(distinct relowner::regrole::text, ' ') from pg_class \
                  where relnamespace in ('public'::regnamespace, 'twostep'::regnamespace)";
    assert_eq!(database.psql(owners), owner);
    assert_eq!(database.psql("select distinct applied_by like '%@%' and applied_by like run_by from twostep.migration, twostep.run"), "t");
    // By the file or the environment as well, also for rollbacks.
    project.write("twostep.toml", format!("role = '{owner}'\n"));
    project
        .write_migrations(&[("3_c.up.sql", "create table c (id int);"), ("3_c.down.sql", "drop table c;")]);
    project.on(&url, &["migrate"]).run().expect(0);
    assert_eq!(database.psql(owners), owner);
    project.on(&url, &["rollback"]).run().expect(0);
    let outcome = project.on(&url, &["migrate", "--role", "no_such_role"]).run().expect(9);
    complaint(&outcome);
    assert!(outcome.stderr.contains("no_such_role"), "{}", outcome.stderr);
}

/// A service's database, made with `db create --service`, and the URLs of its two roles.
fn service(server: &'static Postgres) -> (Database<'static>, Project, String, String) {
    let database = server.fresh_database_name();
    let project = Project::with_migrations(&[
        ("1_a.up.sql", "create table a (id int generated always as identity primary key, n int);"),
        ("2_s.up.sql", "create sequence s;"),
    ]);
    let name = database.name.clone();
    let create = || {
        project
            .on(
                &database.url(),
                &["db", "create", "--service", &name, "--encoding", "UTF8", "--collation", "C"],
            )
            .env("TWOSTEP_MIGRATOR_PASSWORD", "s3cret of the migrator's")
            .env("TWOSTEP_APP_PASSWORD", "s3cret 'of' the \\app")
            .run()
            .expect(0)
    };
    assert!(create().stdout.starts_with("made "));
    assert!(create().stdout.starts_with("is there already"));
    let migrator = server.url_as(&format!("{name}_migrator"), "s3cret of the migrator's", &name);
    let app = server.url_as(&format!("{name}_app"), "s3cret 'of' the \\app", &name);
    (database, project, migrator, app)
}

#[test]
fn a_service_has_two_roles() {
    let Some(server) = postgres() else { return };
    let (database, project, migrator, app) = service(server);
    let made = "select pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate from pg_database where datname = current_database()";
    assert_eq!(database.psql(made), format!("{}_migrator|UTF8|C", database.name));
    project.on(&migrator, &["migrate"]).run().expect(0);
    let at = |url: &str, sql: &str| server.psql_at(url, sql);
    assert_eq!(at(&app, "insert into a (n) values (7) returning id; update a set n = 8; select n from a; select nextval('s')").unwrap(), "1\n8\n1");
    assert_eq!(at(&app, "delete from a; select count(*) from a").unwrap(), "0");
    for refused in [
        "create table mine (id int)",
        "create schema mine",
        "alter table a add column m int",
        "drop table a",
        "truncate a",
        "select * from twostep.migration",
        "create table twostep.mine (id int)",
    ] {
        let said = at(&app, refused).unwrap_err();
        assert!(said.contains("permission denied") || said.contains("must be owner"), "{refused}: {said}");
    }
    // Nobody else may connect.
    let (stranger, password) = server.fresh_role("");
    let said = at(&server.url_as(&stranger, &password, &database.name), "select 1").unwrap_err();
    assert!(said.contains("permission denied for database"), "{said}");

    for role in ["migrator", "app"] {
        let role = format!("{}_{role}", database.name);
        server.psql(&database.name, &format!("reassign owned by {role} to postgres; drop owned by {role}"));
        server.psql("postgres", &format!("drop owned by {role}"));
    }
}
