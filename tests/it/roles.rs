//! Least rights, as docs/roles.md has them: its statements are run, the migrator migrates with no more, and the application
//! is refused with one clear message.

use crate::complaint::complaint;
use crate::servers::{mariadb, postgres};
use crate::twostep::Project;

/// The statements of the page for an engine, for a database and roles of a test's own.
fn statements(engine: &str, name: &str) -> String {
    let page = std::fs::read_to_string("docs/roles.md").unwrap();
    let start = format!("```sql {engine}\n");
    let text = page.split_once(&start).unwrap().1.split_once("```").unwrap().0;
    text.replace("shop_", &format!("{name}_"))
        .replace(" shop.", &format!(" {name}."))
        .replace("DATABASE shop ", &format!("DATABASE {name} "))
}

/// It is told once, what is missing, and nothing has changed.
fn is_refused(project: &Project, url: &str) {
    let refused = project.on(url, &["migrate"]).run().expect(9);
    let state = complaint(&refused);
    assert!(state.contains("nothing changed"), "{state}");
    assert_eq!(refused.stderr.matches("error:").count(), 1, "{}", refused.stderr);
}

fn url_as(url: &str, user: &str, password: &str) -> String {
    let mut url = url::Url::parse(url).unwrap();
    url.set_username(user).unwrap();
    url.set_password(Some(password)).unwrap();
    url.into()
}

#[test]
fn on_postgres() {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    let name = database.name.replace("it_", "r");
    let name = &name[..name.len().min(20)];
    server.psql(
        &database.name,
        &statements("postgres", name)
            .replace(&format!("DATABASE {name} "), &format!("DATABASE {} ", database.name)),
    );
    let migrator = url_as(&database.url(), &format!("{name}_migrator"), "secret of the migrator");
    let app = url_as(&database.url(), &format!("{name}_app"), "secret of the application");
    let project = Project::with_migrations(&[
        ("1_a.up.sql", "create table a (id int generated always as identity primary key, n int);"),
        ("1_a.down.sql", "drop table a;"),
        ("2_i.up.sql", "-- twostep: no-transaction\ncreate index concurrently a_n on a (n);"),
        ("2_i.down.sql", "-- twostep: no-transaction\ndrop index concurrently a_n;"),
        ("3_f.up.sql", "-- twostep: no-transaction\n-- twostep: backfill\nupdate a set n = 1;"),
        ("3_f.down.sql", "select 1;"),
    ]);
    let before = database.contents();
    is_refused(&project, &app);
    assert_eq!(database.contents(), before);
    let doctor = project.on(&migrator, &["doctor"]).run().expect(0);
    assert!(doctor.stdout.contains("is no superuser"), "{}", doctor.stdout);
    project.on(&app, &["doctor"]).run().expect(1);
    project.on(&migrator, &["migrate"]).run().expect(0);
    project.on(&migrator, &["rollback", "--all"]).run().expect(0);
    project.on(&migrator, &["migrate"]).run().expect(0);
    assert_eq!(
        database.psql("select rolsuper from pg_roles where rolname like '%_migrator' and rolsuper"),
        ""
    );
    assert_ne!(
        database.psql("select datdba::regrole from pg_database where datname = current_database()"),
        format!("{name}_migrator")
    );

    // The application works with the rows, and only with them.
    let at = |sql: &str| server.psql_at(&app, sql);
    assert_eq!(at("insert into a (n) values (7); update a set n = 8; select n from a").unwrap(), "8");
    for sql in [
        "alter table a add b int",
        "drop table a",
        "create table mine (i int)",
        "select * from twostep.run",
        "delete from twostep.migration",
    ] {
        assert!(at(sql).is_err(), "{sql}");
    }
    let before = database.contents();
    project.write_migrations(&[("4_b.up.sql", "create table b (i int);")]);
    is_refused(&project, &app);
    assert_eq!(database.contents(), before);
    // What the page says of `status`.
    database.psql(&format!("grant usage on schema twostep to {name}_app; grant select on all tables in schema twostep to {name}_app"));
    assert!(project.on(&app, &["status"]).run().expect(0).stdout.contains("3 applied, 1 pending"));
    is_refused(&project, &app);
    for role in ["app", "migrator"] {
        server.psql(&database.name, &format!("drop owned by {name}_{role} cascade; drop role {name}_{role}"));
    }
}

#[test]
fn on_mariadb() {
    let Some(server) = mariadb() else { return };
    let database = server.fresh_database();
    let name = &database.name;
    let short: String = format!("r{}", &name[name.len() - 8..]);
    server.mysql("", &statements("mysql", &short).replace(&format!(" {short}.*"), &format!(" {name}.*")));
    let migrator = url_as(&database.url(), &format!("{short}_migrator"), "secret of the migrator");
    let app = url_as(&database.url(), &format!("{short}_app"), "secret of the application");
    let project = Project::with_migrations(&[
        (
            "1_a.up.sql",
            "create table a (id int auto_increment primary key, n int);\ncreate trigger t before insert on a for each row set new.n = 1;\ncreate view v as select * from a;",
        ),
        ("1_a.down.sql", "drop view v;\ndrop table a;"),
    ]);
    is_refused(&project, &app);
    assert_eq!(database.mysql("show tables"), "");
    assert!(project.on(&migrator, &["doctor"]).run().expect(0).stdout.contains("lacks PROCESS"));
    let doctor = project.on(&app, &["doctor"]).run().expect(1).stdout;
    assert!(doctor.contains("lacks CREATE, DROP, ALTER, INDEX, REFERENCES"), "{doctor}");
    project.on(&migrator, &["migrate"]).run().expect(0);
    project.on(&migrator, &["rollback", "--all"]).run().expect(0);
    project.on(&migrator, &["migrate"]).run().expect(0);
    project.write_migrations(&[("2_b.up.sql", "create table b (i int);")]);
    let outcome = project.on(&app, &["migrate"]).run();
    assert!([4, 9].contains(&outcome.code()) || outcome.code() == 3, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("command denied"), "{}", outcome.stderr);
    assert_eq!(database.mysql("select version from twostep_migration"), "1");
    server.mysql("", &format!("drop user {short}_migrator, {short}_app"));
}
