//! Passwords: in no log, error, result, file, process title, or environment of a program that does not need them.

use crate::servers::{self, PoolMode, mariadb, pgbouncer, postgres};
use crate::twostep::{Project, Run};

/// The servers' password, as it is and as a URL has it.
const SECRETS: [&str; 2] = ["s3cret/of:the@tests", "s3cret%2Fof%3Athe%40tests"];

/// Another one, that no server takes.
const WRONG: &str = "not-the-right-0ne";

fn is_clean(text: &str, what: &str) {
    for secret in SECRETS.into_iter().chain([WRONG, "an0ther-secret"]) {
        assert!(!text.contains(secret), "{what}: `{secret}` is in\n{text}");
    }
}

/// All files of the folder.
fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() { found.extend(files(&entry.path())) } else { found.push(entry.path()) }
    }
    found
}

/// A program that shows its environment without the URL that it is given, and the title and limits of who started it.
const PROGRAM: &str = "#!/bin/sh\nenv | grep -v '^DATABASE_URL=' >environment\n\
    tr '\\0' ' ' <\"/proc/$PPID/cmdline\" >title\ngrep 'Max core' \"/proc/$PPID/limits\" >limits\n\
    [ -n \"$DATABASE_URL\" ] && echo \"it has $DATABASE_URL\"\n";

fn project() -> Project {
    let project = Project::with_migrations(&[
        ("1_a.up.sql", "create table a (id int primary key);"),
        ("1_a.down.sql", "drop table a;"),
        ("3_bad.up.sql", "select nothing from nowhere;"),
        ("3_bad.down.sql", "select 1;"),
    ]);
    project.write_program("migrations/2_p.up", PROGRAM);
    project.write_program("migrations/2_p.down", "#!/bin/sh\n");
    project.write("seeds/1.sql", "select 1;");
    project
}

const COMMANDS: &[&[&str]] = &[
    &["config"],
    &["status"],
    &["doctor"],
    &["migrate"],
    &["status", "--format", "json"],
    &["resolve"],
    &["unlock"],
    &["release", "confirm", "--release", "r"],
    &["db", "dump"],
    &["db", "seed"],
    &["lint", "--engine", "postgres"],
    &["plan", "1"],
    &["capture", "--engine", "postgres"],
    &["capture", "--database"],
    &["compat"],
    &["rollback", "--all"],
    &["adopt", "--dry-run"],
    &["db", "create"],
];

fn everywhere(project: &Project, given: impl Fn(Run) -> Run, what: &str) {
    for command in COMMANDS {
        for log in ["text", "json"] {
            let mut arguments = command.to_vec();
            if log == "json" {
                arguments.push("--verbose");
            }
            let outcome = given(project.twostep(&arguments))
                .env("TWOSTEP_LOG", log)
                .env("AWS_SECRET_ACCESS_KEY", "an0ther-secret")
                .run();
            is_clean(&format!("{}{}", outcome.stdout, outcome.stderr), &format!("{what}, {command:?}"));
        }
    }
    for file in files(&project.path(".")) {
        is_clean(
            &String::from_utf8_lossy(&std::fs::read(&file).unwrap()),
            &format!("{what}, {}", file.display()),
        );
    }
    assert!(project.read("title").contains("migrate"), "{}", project.read("title"));
    assert!(!project.read("environment").contains("AWS_"), "{}", project.read("environment"));
    let limits = project.read("limits");
    assert_eq!(limits.split_whitespace().nth(4), Some("0"), "core dumps are off: {limits}");
}

#[test]
fn on_postgres() {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    let url = database.url();
    everywhere(&project(), |run| run.env("DATABASE_URL", &url), "in the URL");
    // As the driver takes it from the environment too, where a program of a migration does not get it.
    let (other, apart) = (server.fresh_database(), project());
    let mut without = url::Url::parse(&other.url()).unwrap();
    without.set_password(None).unwrap();
    let given = |run: Run| run.env("DATABASE_URL", without.as_str()).env("PGPASSWORD", SECRETS[0]);
    everywhere(&apart, given, "in PGPASSWORD");
    assert!(!apart.read("environment").contains("PGPASSWORD"), "{}", apart.read("environment"));
    // A pooler's refusal, a wrong password, a database that is not there, a host that is not there.
    let wrong = server.url_as("postgres", WRONG, &database.name);
    let missing = server.url("no_such_database");
    let nobody = url.replace(&format!(":{}/", server.port()), ":1/");
    let pooled = pgbouncer(PoolMode::Transaction).map(|pooler| pooler.url(&database.name));
    for url in [Some(wrong), Some(missing), Some(nobody), pooled].into_iter().flatten() {
        for command in [&["migrate"][..], &["status"], &["doctor"], &["config"]] {
            let outcome = project().on(&url, command).env("TWOSTEP_LOG", "logfmt").run();
            is_clean(&format!("{}{}", outcome.stdout, outcome.stderr), &format!("{command:?}"));
        }
    }
}

#[test]
fn on_mariadb() {
    let Some(server) = mariadb() else { return };
    let database = server.fresh_database();
    let url = database.url();
    everywhere(&project(), |run| run.env("DATABASE_URL", &url), "in the URL");
}

/// Where the shell lets programs leave dumps, this one leaves none all the same: neither a file of its own, nor one by a
/// program of the machine, which asks whether the process may be dumped.
#[test]
fn core_dumps_are_off() {
    let project = Project::new();
    let program = "#!/bin/sh\ngrep 'Max core' \"/proc/$PPID/limits\" >limits\n";
    project.write_program("migrations/1_p.up", program);
    let raise = "ulimit -c \"$(ulimit -Hc)\"; ulimit -Sc >before; exec \"$0\" migrate";
    let run = Run::new("sh", &project.path("."), &["-c", raise, env!("CARGO_BIN_EXE_twostep")]);
    run.env("DATABASE_URL", "sqlite:db.sqlite").run().expect(0);
    if project.read("before").trim() == "0" {
        servers::tell("core dumps: this machine forbids them by itself, to everybody\n");
    }
    let limits = project.read("limits");
    assert_eq!(limits.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{limits}");
}
