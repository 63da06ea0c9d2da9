//! What somebody does who has read nothing, and was answered wrongly or not at all when it was tried: one clear message,
//! the documented exit code, and nothing changed.

use crate::complaint::complaint;
use crate::servers::{mariadb, postgres};
use crate::twostep::{Outcome, Project};

const ONE: (&str, &str) = ("1_a.up.sql", "create table a (id int);\n");

/// It ends with `code`, changes nothing, and says all of `words`.
#[track_caller]
fn refused(outcome: Outcome, code: i32, words: &[&str]) {
    let outcome = outcome.expect(code);
    let state = complaint(&outcome);
    assert!(state.contains("nothing changed"), "{state}");
    for word in words {
        assert!(outcome.stderr.contains(word), "`{word}` is not in\n{}", outcome.stderr);
    }
}

#[test]
fn urls_as_other_programs_have_them() {
    let project = Project::with_migrations(&[ONE]);
    let migrate = |url: &str| project.on(url, &["migrate"]).run();
    for quoted in ["'postgres://127.0.0.1:1/d'", "\"sqlite:x.db\"", "`sqlite:x.db`"] {
        refused(migrate(quoted), 2, &["quotation mark"]);
    }
    refused(migrate("jdbc:postgresql://127.0.0.1:1/d"), 2, &["take `jdbc:` away"]);
    refused(migrate("mysql2://127.0.0.1:1/d"), 2, &["write `mysql:` in place of `mysql2:`"]);
    refused(migrate("postgresql+asyncpg://127.0.0.1:1/d"), 2, &["write `postgresql:` in place of"]);
    // An address of IPv6 is one, and no name that has to be looked up.
    for url in ["postgres://me@[::1]:1/d", "mysql://me@[::1]:1/d"] {
        let outcome = migrate(url);
        assert!(!outcome.stderr.contains("lookup"), "{}", outcome.stderr);
        refused(outcome, 9, &["cannot connect to"]);
    }
    if let Some(server) = mariadb() {
        let url = server.fresh_database().url().replace("mysql://", "postgres://");
        refused(migrate(&url), 9, &["who listens there is no PostgreSQL"]);
    }
}

#[test]
fn places_where_no_file_of_sqlite_can_be() {
    let project = Project::with_migrations(&[ONE]);
    let migrate = |url: &str| project.on(url, &["migrate"]).run();
    refused(migrate("sqlite:migrations"), 9, &["migrations is a folder", "correct the path"]);
    refused(migrate("sqlite:no/such/x.db"), 9, &["there is no folder no/such", "correct the path"]);
    // A URL that says that nothing is to be written.
    refused(migrate("sqlite:x.db?mode=ro"), 9, &["there is no file x.db"]);
    assert!(!project.path("x.db").exists());
    project.on("sqlite:x.db", &["migrate"]).run().expect(0);
    project.write_migrations(&[("2_b.up.sql", "create table b (id int);\n")]);
    let before = std::fs::read(project.path("x.db")).unwrap();
    for url in ["sqlite:x.db?mode=ro", "sqlite:x.db?immutable=true"] {
        refused(migrate(url), 9, &["the URL says so itself"]);
        assert_eq!(std::fs::read(project.path("x.db")).unwrap(), before);
        let status = project.on(url, &["status"]).run().expect(0);
        assert!(status.stdout.contains("1 applied, 1 pending"), "{}", status.stdout);
    }
}

#[test]
fn a_folder_where_a_file_should_be() {
    let project = Project::with_migrations(&[ONE, ("3_c.up.sql", "create table c (id int);\n")]);
    std::fs::create_dir(project.path("migrations/2_b.up.sql")).unwrap();
    for command in [&["migrate"][..], &["status"], &["lint", "--engine", "sqlite"]] {
        let outcome = project.on("sqlite:x.db", command).run().expect(2);
        let words = "`migrations/2_b.up.sql` is a folder, and is named like a file";
        assert!(outcome.stderr.contains(words), "{command:?}: {}", outcome.stderr);
    }
    assert!(!project.path("x.db").exists());
}

/// A file that was renamed after it was applied would be applied again.
#[test]
fn a_file_with_another_number() {
    let insert = "insert into a values (1);\n";
    let project = Project::with_migrations(&[ONE, ("2_b.up.sql", insert)]);
    let migrate = || project.on("sqlite:x.db", &["migrate"]).run();
    migrate().expect(0);
    let rename = |from: &str, to: &str| {
        std::fs::rename(project.path("migrations").join(from), project.path("migrations").join(to)).unwrap();
    };
    // Another name is no other migration.
    rename("2_b.up.sql", "2_other.up.sql");
    migrate().expect(0);
    rename("2_other.up.sql", "20_b.up.sql");
    refused(migrate(), 3, &["20_b has the text of 2_b", "was it renamed?", "the number back"]);
    // What is meant to run again has another text.
    project.write("migrations/20_b.up.sql", format!("-- once more\n{insert}"));
    let again = migrate().expect(0);
    assert!(again.stderr.contains("ahead of these files: 2_b"), "{}", again.stderr);
}

#[test]
fn a_file_in_which_nothing_stands() {
    let project =
        Project::with_migrations(&[ONE, ("2_b.up.sql", ""), ("3_c.up.sql", "-- your SQL goes here\n")]);
    let outcome = project.on("sqlite:x.db", &["migrate"]).run().expect(0);
    for migration in ["2_b", "3_c"] {
        let words = format!("{migration} has no statement");
        assert!(outcome.stderr.contains(&words), "{}", outcome.stderr);
    }
    assert!(!outcome.stderr.contains("1_a has no statement"), "{}", outcome.stderr);
}

#[test]
fn a_role_with_no_connection_left_and_a_short_password() {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    let (role, _) = server.fresh_role("connection limit 0");
    server.psql("postgres", &format!("alter role {role} password 'x'"));
    let project = Project::with_migrations(&[("1_a.up.sql", "create extension dblink;\n")]);
    let url = server.url_as(&role, "x", &database.name);
    refused(project.on(&url, &["migrate"]).run(), 9, &["too many connections", "end sessions"]);
    // To hide a letter within other words would tell it.
    let grant = format!(
        "alter role {role} connection limit -1; grant create on database {0} to {role}",
        database.name
    );
    server.psql("postgres", &grant);
    let outcome = project.on(&url, &["migrate"]).run();
    assert!(outcome.stderr.contains("extension") && !outcome.stderr.contains("e***"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains(":x@"), "{}", outcome.stderr);
}
