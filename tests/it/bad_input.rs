//! What a careless user gives it: each time one clear message, the documented exit code, and nothing changed.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

use crate::complaint::{complaint, keeps_secrets};
use crate::servers::{self, postgres};
use crate::twostep::{Outcome, Project, Run};
use crate::wait;

/// A URL that no test connects to, with the password that no message may show.
const NOWHERE: &str = "postgres://admin:s3cret%2Fof%3Athe%40tests@127.0.0.1:1/shop";

fn project(files: &[(&str, &str)]) -> Project {
    let project = Project::new();
    for (name, text) in files {
        project.write(&format!("migrations/{name}"), text);
    }
    project
}

/// One migration that would do something.
fn one() -> Project {
    project(&[("1_a.up.sql", "create table a (id bigint primary key);\n")])
}

fn text(run: Run, url: &str) -> Run {
    run.env("DATABASE_URL", url).env("TWOSTEP_LOG", "text")
}

fn run(project: &Project, url: &str, arguments: &[&str]) -> Outcome {
    let outcome = text(project.twostep(arguments), url).run();
    keeps_secrets(&outcome);
    outcome
}

/// Asserts that the command ends with `code`, and that its complaint holds all of `words` (anywhere); gives what it says of the state.
#[track_caller]
fn complains(outcome: Outcome, code: i32, words: &[&str]) -> String {
    let outcome = outcome.expect(code);
    let state = complaint(&outcome);
    for word in words {
        assert!(outcome.stderr.contains(word), "`{word}` is not in\n{}", outcome.stderr);
    }
    state
}

/// `migrate` on `url` is refused like that.
#[track_caller]
fn refused(project: &Project, url: &str, code: i32, words: &[&str]) -> String {
    complains(run(project, url, &["migrate"]), code, words)
}

/// `migrate` is refused before anything is connected to.
#[track_caller]
fn refused_unconnected(project: &Project, words: &[&str]) {
    let state = refused(project, NOWHERE, 2, words);
    assert!(state.contains("nothing changed"), "{state}");
}

/// `migrate` is refused on a fresh database of PostgreSQL, which it leaves as it was.
#[track_caller]
fn refused_on_postgres(files: &[(&str, &str)], setup: &str, code: i32, words: &[&str]) -> Option<String> {
    let server = postgres()?;
    let database = server.fresh_database();
    database.psql(setup);
    let before = database.contents();
    let state = refused(&project(files), &database.url(), code, words);
    assert_eq!(database.contents(), before);
    assert!(state.contains("nothing changed"), "{state}");
    Some(state)
}

/// `migrate` fails in the middle of a migration: all that is left is the history's own record of the run.
#[track_caller]
fn fails_on_postgres(files: &[(&str, &str)], setup: &str, code: i32, words: &[&str]) -> Option<String> {
    let server = postgres()?;
    let database = server.fresh_database();
    database.psql(setup);
    // The history's tables are made by a run that applies nothing else.
    let empty = project(&[("0_history.up.sql", "-- nothing\n")]);
    run(&empty, &database.url(), &["migrate"]).expect(0);
    let of_run = "; delete from twostep.run where id > 1";
    let before = database.contents();
    let failing = project(files);
    failing.write("migrations/0_history.up.sql", "-- nothing\n");
    let state = refused(&failing, &database.url(), code, words);
    assert_eq!(
        database.psql(&format!("select exit_code from twostep.run where id = 2{of_run}")),
        code.to_string()
    );
    assert_eq!(database.contents(), before);
    assert!(state.contains("nothing changed"), "{state}");
    Some(state)
}

#[test]
fn urls() {
    let project = one();
    let no_url = project.twostep(&["migrate"]).env("TWOSTEP_LOG", "text").run();
    complains(no_url, 2, &["no database is configured", "DATABASE_URL"]);
    let bad = |url: &str, words: &[&str]| complains(run(&project, url, &["migrate"]), 2, words);
    bad("oracle://me:s3cret@db/shop", &["unknown scheme `oracle`", "postgres", "sqlite", "$DATABASE_URL"]);
    bad("shop", &["no scheme"]);
    bad("postgres://db", &["names no database"]);
    bad("postgres://me:s3cret/of:the@tests@db/shop", &["malformed", "%2F"]);
    bad("postgres://me:s3cret@db/shop?sslmode=always", &["sslmode", "verify-full"]);
    // The same in the other commands, and from the other places.
    for command in ["status", "rollback", "unlock", "resolve"] {
        let outcome = project.twostep(&[command]).env("TWOSTEP_LOG", "text").run();
        complains(outcome, 2, &["no database is configured"]);
    }
    let flag = run(&project, NOWHERE, &["migrate", "--database-url", "oracle://me:s3cret@db/x"]);
    complains(flag, 2, &["unknown scheme `oracle`", "--database-url"]);
    assert!(!project.path("shop").exists());
}

#[test]
fn a_release_never_falls_back_to_the_file_database() {
    let project = one();
    project.write("twostep.toml", "database_url = \"sqlite:dev.db\"\n");
    for platform in ["DYNO", "KUBERNETES_SERVICE_HOST", "CI"] {
        let outcome = project.twostep(&["migrate"]).env("TWOSTEP_LOG", "text").env(platform, "x").run();
        complains(outcome, 2, &["DATABASE_URL is not set", platform]);
    }
    assert!(!project.path("dev.db").exists());
    project.twostep(&["migrate"]).run().expect(0);
}

#[test]
fn configuration() {
    let project = one();
    let bad = |toml: &str, words: &[&str]| {
        project.write("twostep.toml", toml);
        complains(run(&project, NOWHERE, &["migrate"]), 2, words);
    };
    bad("migration = 'x'\n", &["unknown key `migration`", "did you mean `migrations`?", "twostep.toml"]);
    bad("lock_timeout = 'soon'\n", &["`lock_timeout` cannot be `soon`", "250ms"]);
    bad("lock_timeout = [\n", &["not valid TOML"]);
    bad("out_of_order = 'maybe'\n", &["warn, error, allow"]);
    std::fs::remove_file(project.path("twostep.toml")).unwrap();
    let outcome = run(&project, NOWHERE, &["migrate", "--config", "other.toml"]);
    complains(outcome, 2, &["cannot read other.toml"]);
    let outcome = run(&project, NOWHERE, &["migrate", "--lock-timeout", "5"]);
    complains(outcome, 2, &["--lock-timeout", "250ms"]);

    let typo = project.twostep(&["migrate", "--dry-rum"]).run().expect(2);
    assert!(typo.stderr.contains("--dry-rum") && typo.stderr.contains("--dry-run"), "{}", typo.stderr);
    let typo = project.twostep(&["migrat"]).run().expect(2);
    assert!(typo.stderr.contains("'migrate'"), "{}", typo.stderr);
}

#[test]
fn servers_that_refuse() {
    let project = one();
    // Port 1 is nobody's.
    refused(&project, NOWHERE, 9, &["connection refused", "127.0.0.1:1", "--wait"]);
    refused(&project, "postgres://me:s3cret@no-such-host.invalid/shop", 9, &["no-such-host.invalid"]);
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    let wrong = server.url_as("postgres", "s3cret, but another", &database.name);
    refused(&project, &wrong, 9, &["password authentication failed", "user and password"]);
    let nobody = server.url_as("no_such_role", "s3cret", &database.name);
    refused(&project, &nobody, 9, &["no_such_role"]);
    refused(
        &project,
        &server.url("no_such_database"),
        9,
        &["\"no_such_database\" does not exist", "db create"],
    );
    for command in [&["status"][..], &["rollback"], &["resolve"], &["unlock"], &["migrate", "--dry-run"]] {
        complains(run(&project, &wrong, command), 9, &["password authentication failed"]);
    }
}

#[test]
fn a_server_that_says_nothing() {
    // Accepts, and never answers: a firewall, a port of something else.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://me:s3cret@{}/shop", listener.local_addr().unwrap());
    let outcome = text(one().twostep(&["migrate"]), &url).env("TWOSTEP_CONNECT_TIMEOUT", "300ms").run();
    complains(outcome, 9, &["no answer within 300ms"]);
}

#[test]
fn a_standby_refuses() {
    let Some(standby) = servers::standby() else { return };
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    standby.catch_up();
    let url = standby.server.url(&database.name);
    let state = refused(&one(), &url, 9, &["standby", "primary"]);
    assert!(state.contains("nothing changed"), "{state}");
    // Reading works.
    let status = run(&one(), &url, &["status"]).expect(0);
    assert!(status.stdout.contains("1 pending"), "{}", status.stdout);
}

#[test]
fn rights_on_the_history() {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    let (role, password) = server.fresh_role("");
    let url = server.url_as(&role, &password, &database.name);
    let before = database.contents();
    refused(&one(), &url, 9, &["permission denied for database", "grant create on database"]);
    assert_eq!(database.contents(), before);

    // A history that is there and may be read only.
    run(&one(), &database.url(), &["migrate"]).expect(0);
    let two = project(&[
        ("1_a.up.sql", "create table a (id bigint primary key);\n"),
        ("2_b.up.sql", "select 1;\n"),
    ]);
    database.psql(&format!(
        "grant usage on schema twostep to {role}; grant select on all tables in schema twostep to {role}"
    ));
    let before = database.contents();
    refused(&two, &url, 9, &["permission denied", "grant"]);
    assert_eq!(database.contents(), before);

    // One that may not even be read.
    let (stranger, password) = server.fresh_role("");
    let url = server.url_as(&stranger, &password, &database.name);
    for command in ["migrate", "status", "rollback"] {
        complains(run(&two, &url, &[command]), 9, &["permission denied", "grant"]);
    }
    assert_eq!(database.contents(), before);
}

#[test]
fn what_has_the_name_of_the_history() {
    let one: &[(&str, &str)] = &[("1_a.up.sql", "create table a (id bigint);\n")];
    let refused = |setup: &str, words: &[&str]| refused_on_postgres(one, setup, 2, words).is_some();
    if !refused(
        "create schema twostep; create table twostep.migration (version text)",
        &["twostep.migration", "`journal`"],
    ) {
        return;
    }
    refused(
        "create schema twostep; create table twostep.run (id int, what text)",
        &["twostep.run", "`journal`"],
    );
    refused(
        "create schema twostep; create view twostep.migration as select 1 as version",
        &["twostep.migration", "a view"],
    );

    let Some(server) = postgres() else { return };
    // The history of a run, changed by somebody.
    let changed = |change: &str, words: &[&str]| {
        let database = server.fresh_database();
        run(&project(one), &database.url(), &["migrate"]).expect(0);
        database.psql(change);
        let before = database.contents();
        let two = project(&[one[0], ("2_b.up.sql", "create table b (id bigint);\n")]);
        let state = complains(run(&two, &database.url(), &["migrate"]), 2, words);
        assert!(state.contains("nothing changed"), "{state}");
        assert_eq!(database.contents(), before);
    };
    changed(
        "create function f() returns trigger language plpgsql as 'begin return null; end'; \
         create trigger t before insert on twostep.migration for each row execute function f()",
        &["twostep.migration", "trigger"],
    );
    changed(
        "alter table twostep.migration rename to other; create view twostep.migration as select * from twostep.other",
        &["a view"],
    );
    changed("alter table twostep.migration drop column checksum", &["twostep.migration", "checksum"]);
    changed("update twostep.migration set state = 'odd'", &["unknown state `odd`"]);
    changed("update twostep.meta set oldest_writer = 99", &["newer twostep", "99"]);
    changed("create rule r as on insert to twostep.run do instead nothing", &["twostep.run", "rules"]);

    // SQLite.
    let project = project(one);
    project.write("make.sql", "create view twostep_migration as select 1 as version;");
    sqlite(&project, "db.sqlite", "create view twostep_migration as select 1 as version");
    let before = std::fs::read(project.path("db.sqlite")).unwrap();
    complains(run(&project, "sqlite:db.sqlite", &["migrate"]), 2, &["twostep_migration", "a view"]);
    assert_eq!(std::fs::read(project.path("db.sqlite")).unwrap(), before);
}

fn sqlite(project: &Project, file: &str, sql: &str) -> String {
    let outcome = Run::new("sqlite3", &project.path("."), &[file, sql]).run();
    assert_eq!(outcome.code(), 0, "{}", outcome.stderr);
    outcome.stdout.trim_end().to_owned()
}

#[test]
fn folders() {
    refused_unconnected(&Project::new(), &["there is no migrations folder `migrations`", "twostep init"]);
    let empty = Project::new();
    std::fs::create_dir(empty.path("migrations")).unwrap();
    refused_unconnected(&empty, &["`migrations` is empty", "twostep new"]);
    refused_unconnected(&project(&[("README.md", "hello")]), &["no migration", "twostep new"]);
    let file = Project::new();
    file.write("migrations", "select 1;");
    refused_unconnected(&file, &["`migrations` is not a folder"]);
    refused_unconnected(
        &project(&[("1_a.up.sql", ""), ("01_b.up.sql", "")]),
        &["migrations/1_a.up.sql", "same version", "01_b.up.sql"],
    );
    refused_unconnected(
        &project(&[("9999999999999999999999999999999999999999_a.up.sql", "select 1;")]),
        &["too large", "9999999999999999999999999999999999999999"],
    );
    refused_unconnected(
        &project(&[("1_a.up.sql", ""), ("2_b.down.sql", "")]),
        &["2_b.down.sql", "no up file of its version"],
    );
    refused_unconnected(&project(&[("1_a.up.sql", ""), ("2_b.sql", "")]), &["2_b.sql", "direction"]);
}

#[test]
fn files_that_are_no_text() {
    let bytes = |bytes: &[u8], words: &[&str]| {
        let project = one();
        project.write("migrations/2_b.up.sql", bytes);
        refused_unconnected(&project, words);
    };
    bytes(b"select '\xff';", &["migrations/2_b.up.sql", "not valid UTF-8", "offset 8"]);
    bytes(b"select '\0';", &["migrations/2_b.up.sql", "NUL byte at offset 8"]);
    bytes(b"\xff\xfes\0e\0", &["UTF-16", "save it as UTF-8"]);

    let looped = one();
    symlink("2_b.up.sql", looped.path("migrations/2_b.up.sql")).unwrap();
    refused_unconnected(&looped, &["2_b.up.sql", "symbolic link"]);
    let looped = one();
    symlink(".", looped.path("migrations/deeper")).unwrap();
    refused_unconnected(&looped, &["migrations/deeper", "symbolic link"]);
    let dangling = one();
    symlink("nothing.sql", dangling.path("migrations/2_b.up.sql")).unwrap();
    refused_unconnected(&dangling, &["2_b.up.sql"]);
}

#[test]
fn scripts_that_cannot_run() {
    let refused =
        |sql: &str, words: &[&str]| refused_on_postgres(&[("1_a.up.sql", sql)], "", 2, words).is_some();
    if !refused(
        "create table a (id int);\nselect 'open;\n",
        &["migrations/1_a.up.sql:2", "string", "never closed"],
    ) {
        return;
    }
    refused(
        "select 1;\n\ncreate function f() returns int as $body$ select 1",
        &["1_a.up.sql:3", "never closed"],
    );
    refused("select 1;\n/* open", &["1_a.up.sql:2", "comment", "never closed"]);
    refused("select \"open", &["never closed"]);
    refused(
        "create table a (id int);\ncommit;\ncreate table b (id int);\n",
        &["1_a.up.sql:2", "`commit`", "no-transaction"],
    );
    refused("create table a (id int);\nrollback;\n", &["`rollback`"]);
    refused(
        "create table a (id int);\ndo $$ begin commit; end $$;\n",
        &["1_a.up.sql:2", "commit", "no-transaction"],
    );
    refused(
        "set role postgres;\ncreate table a (id int);\n",
        &["1_a.up.sql:1", "`set role postgres`", "--role"],
    );
    refused("set session authorization postgres;\n", &["set session authorization"]);
    refused(
        "create table a (id int);\ncreate index concurrently i on a (id);\n",
        &["1_a.up.sql:2", "cannot run in a transaction", "no-transaction"],
    );
    refused("select 1;\nvacuum;\n", &["cannot run in a transaction"]);
    refused("-- twostep: no-transaction\ncreate temp table a (id int);\n", &["temporary object"]);
    refused("-- twostep: no-transaction\nbegin;\ncreate table a (id int);\n", &["never committed"]);
    refused("\\i other.sql\n", &["command line client"]);
    // All of them at once.
    refused_on_postgres(
        &[
            ("1_a.up.sql", "select 1; vacuum;"),
            ("2_b.up.sql", "select 'x"),
            ("3_c.up.sql", "select 1; create database d;"),
        ],
        "",
        2,
        &["1_a.up.sql:1", "2_b.up.sql:1", "3_c.up.sql:1"],
    );
    let project = project(&[("1_a.up.sql", "create table a (id int);\nselect 'open")]);
    complains(run(&project, "sqlite:db.sqlite", &["migrate"]), 2, &["1_a.up.sql:2", "never closed"]);
    assert!(!project.path("db.sqlite").exists(), "a file was made");
}

#[test]
fn transactions_and_roles_that_only_the_server_sees() {
    let Some(server) = postgres() else { return };
    let fails = |sql: &str, setup: &str, words: &[&str]| {
        fails_on_postgres(&[("1_a.up.sql", sql)], setup, 3, words);
    };
    let commits = "create procedure p() language plpgsql as 'begin commit; end'";
    fails(
        "create table a (id int);\ncall p();\n",
        commits,
        &["invalid transaction termination", "statement 2 of 2", "1_a.up.sql:2", "no-transaction"],
    );
    let dynamic = "select 1;\ndo $$ begin execute 'select 1'; execute 'com' || 'mit'; end $$;\n";
    fails(dynamic, "", &["EXECUTE of transaction commands is not implemented", "1_a.up.sql:2"]);

    let (other, _) = server.fresh_role("");
    fails(
        &format!("create table a (id int);\ndo $$ begin execute 'set ro' || 'le {other}'; end $$;\n"),
        "",
        &["1_a", "switches the role", &other, "--role"],
    );
    fails(
        "create table a (id int);\nselect f();\n",
        &format!("create function f() returns void language plpgsql as 'begin set role {other}; end'"),
        &["1_a", "switches the role", &other, "reset role"],
    );
    // What its text shows is refused before anything runs.
    for sql in ["set role %", "do $$ begin set role %; end $$", "select set_config('role', '%', false)"] {
        let sql = format!("create table a (id int);\n{};\n", sql.replace('%', &other));
        refused_on_postgres(&[("1_a.up.sql", &sql)], "", 2, &["1_a.up.sql:2", "switches the role", "--role"]);
    }
}

#[test]
fn statements_that_fail() {
    let fails = |sql: &str, words: &[&str]| fails_on_postgres(&[("1_a.up.sql", sql)], "", 3, words).is_some();
    let middle = "create table a (id int);\n\ninsert into a\nvalues ('one');\ncreate table b (id int);\n";
    if !fails(middle, &["migration 1_a, statement 2 of 3", "invalid input syntax", "1_a.up.sql:4", "22P02"]) {
        return;
    }
    fails("create table a (id int);\ncreate tabel b (id int);\n", &["syntax error", "tabel", "1_a.up.sql:2"]);
    fails("select 1/0;", &["division by zero"]);
    // The first migration stays, the second is rolled back.
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    let project = project(&[
        ("1_a.up.sql", "create table a (id int);"),
        ("2_b.up.sql", "create table b (id int); select 1/0;"),
    ]);
    let state = refused(&project, &database.url(), 4, &["2_b, statement 2 of 2"]);
    assert!(state.contains("1_a is done"), "{state}");
    assert!(state.contains("rolled back"), "{state}");
    assert_eq!(database.psql("select to_regclass('a'), to_regclass('b')"), "a|");
    project.write("migrations/2_b.up.sql", "create table b (id int);");
    run(&project, &database.url(), &["migrate"]).expect(0);
    assert_eq!(
        database.psql("select string_agg(version || state, ' ' order by sequence) from twostep.migration"),
        "1applied 2applied"
    );

    // A constraint that only the commit looks at.
    fails_on_postgres(
        &[("1_a.up.sql", "insert into p values (1, 7);")],
        "create table p (id int primary key, other int references p deferrable initially deferred)",
        3,
        &["migration 1_a", "foreign key"],
    );
}

#[test]
fn rights_on_what_a_migration_touches() {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    let (role, password) = server.fresh_role("");
    database.psql(&format!("create table owned (id int); grant create on database {} to {role}; grant create on schema public to {role}", database.name));
    let project =
        project(&[("1_a.up.sql", "create table a (id int);\nalter table owned add column b int;\n")]);
    let url = server.url_as(&role, &password, &database.name);
    let state = refused(&project, &url, 3, &["statement 2 of 2", "must be owner of table owned", "--role"]);
    assert!(state.contains("nothing changed"), "{state}");
    assert_eq!(database.psql("select to_regclass('a')"), "");
}

#[test]
fn a_sqlite_file_that_cannot_be_written() {
    let project = one();
    run(&project, "sqlite:db.sqlite", &["migrate"]).expect(0);
    project.write("migrations/2_b.up.sql", "create table b (id int);");
    let path = project.path("db.sqlite");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o444)).unwrap();
    std::fs::set_permissions(project.path("."), std::fs::Permissions::from_mode(0o777)).unwrap();
    let before = std::fs::read(&path).unwrap();
    // Root may write any file, so it is somebody else who tries.
    let outcome = as_nobody(&project, &["migrate"]);
    complains(outcome, 9, &["db.sqlite", "cannot be written"]);
    assert_eq!(std::fs::read(&path).unwrap(), before);
    let status = as_nobody(&project, &["status"]).expect(0);
    assert!(status.stdout.contains("1 applied, 1 pending"), "{}", status.stdout);

    // A folder that cannot be written: no journal file beside the database.
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
    std::fs::remove_file(project.path("db.sqlite.twostep-lock")).unwrap();
    std::fs::set_permissions(project.path("."), std::fs::Permissions::from_mode(0o555)).unwrap();
    complains(as_nobody(&project, &["migrate"]), 9, &["db.sqlite"]);
    assert_eq!(std::fs::read(&path).unwrap(), before);
    std::fs::set_permissions(project.path("."), std::fs::Permissions::from_mode(0o777)).unwrap();

    // What is no database at all.
    project.write(
        "notes.txt",
        "this is a list of things to do, and it is longer than a header of SQLite would be: 100 bytes",
    );
    complains(run(&project, "sqlite:notes.txt", &["migrate"]), 9, &["notes.txt", "not a database"]);
    complains(run(&project, "sqlite:migrations", &["migrate"]), 9, &["migrations"]);
    complains(run(&project, "sqlite:no/such/folder/db.sqlite", &["migrate"]), 9, &["no/such/folder"]);
}

/// Runs the built binary as a user without rights, where we are root.
fn as_nobody(project: &Project, arguments: &[&str]) -> Outcome {
    let program = env!("CARGO_BIN_EXE_twostep");
    let is_root = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()) == 0;
    let run = if is_root {
        // The binary may stand in a folder that only root can enter.
        let copy = project.path("twostep-copy");
        if !copy.exists() {
            std::fs::copy(program, &copy).unwrap();
        }
        let mut all =
            vec!["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--", copy.to_str().unwrap()];
        all.extend(arguments);
        Run::new("setpriv", &project.path("."), &all)
    } else {
        project.twostep(arguments)
    };
    let outcome = text(run, "sqlite:db.sqlite").run();
    keeps_secrets(&outcome);
    outcome
}

#[test]
fn a_full_disk_under_sqlite() {
    let project = project(&[
        (
            "1_a.up.sql",
            "create table a (id integer primary key, filler text);\ninsert into a values (1, 'one');\n",
        ),
        (
            "2_b.up.sql",
            "create table b (id int);\ninsert into a (filler) with recursive n(i) as (select 1 union all \
             select i + 1 from n where i < 3000) select hex(zeroblob(1000)) from n;\n",
        ),
    ]);
    // A disk of its own for the run, which goes with its namespace.
    let script = "mount -t tmpfs -o size=1m tmpfs small || exit 99\n\
                  \"$0\" migrate --to 1 || exit 98\n\
                  sqlite3 small/db .dump >before\n\
                  \"$0\" migrate; code=$?\n\
                  sqlite3 small/db .dump >after; sqlite3 small/db 'pragma integrity_check' >integrity\n\
                  mount -o remount,size=64m small; \"$0\" migrate -q || exit 97\n\
                  exit $code\n";
    std::fs::create_dir(project.path("small")).unwrap();
    let arguments = ["-rm", "sh", "-c", script, env!("CARGO_BIN_EXE_twostep")];
    let outcome = text(Run::new("unshare", &project.path("."), &arguments), "sqlite:small/db").run();
    if servers::required("a disk of its own", (outcome.code() != 99 && outcome.code() != 1).then_some(()))
        .is_none()
    {
        return;
    }
    complains(outcome, 3, &["2_b, statement 2 of 2", "full", "make room"]);
    assert_eq!(project.read("integrity"), "ok\n");
    let without_runs = |text: String| {
        text.lines().filter(|line| !line.contains("twostep_run")).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(without_runs(project.read("after")), without_runs(project.read("before")));
}

#[test]
fn a_full_disk_under_postgres() {
    let recipe = servers::postgres::Recipe { small_disk_bytes: 14 << 20, ..Default::default() };
    let Some(server) = servers::required("PostgreSQL on a disk of its own", small_postgres(&recipe)) else {
        return;
    };
    let folder = server.folder().join("small");
    server.psql("postgres", &format!("create tablespace small location '{}'", folder.display()));
    server.psql("postgres", "create database filled tablespace small");
    let project = project(&[
        ("1_a.up.sql", "create table a (id int, filler text);\n"),
        (
            "2_b.up.sql",
            "create table b (id int);\ninsert into a select i, repeat(i::text, 1000) from generate_series(1, 100000) i;\n",
        ),
    ]);
    let state = refused(
        &project,
        &server.url("filled"),
        4,
        &["2_b, statement 2 of 2", "No space left on device", "make room"],
    );
    assert!(state.contains("1_a is done") && state.contains("rolled back"), "{state}");
    assert_eq!(server.psql("filled", "select count(*), to_regclass('b') from a"), "0|");
    assert_eq!(server.psql("filled", "select version, state from twostep.migration"), "1|applied");
}

/// None where this machine does not let us mount one.
fn small_postgres(recipe: &servers::postgres::Recipe) -> Option<servers::Postgres> {
    let can = std::process::Command::new("unshare")
        .args(["-rm", "unshare", "-U", "--map-user=1000", "true"])
        .status();
    can.is_ok_and(|status| status.success()).then(|| servers::Postgres::start_as(recipe)).flatten()
}

#[test]
fn versions_that_are_not_there() {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    let project =
        project(&[("1_a.up.sql", "create table a (id int);"), ("2_b.up.sql", "create table b (id int);")]);
    let before = database.contents();
    let command =
        |arguments: &[&str], words: &[&str]| complains(run(&project, &database.url(), arguments), 2, words);
    command(&["migrate", "--to", "7"], &["there is no migration 7", "twostep status"]);
    command(&["migrate", "--to", "7", "--dry-run"], &["there is no migration 7"]);
    command(&["rollback", "--to", "7"], &["7 is not applied"]);
    command(&["rollback", "--run", "7"], &["run 7"]);
    let none = run(&project, &database.url(), &["rollback", "--steps", "0"]).expect(2);
    assert!(none.stderr.contains("--steps"), "{}", none.stderr);
    command(&["resolve", "7", "--applied"], &["7", "history"]);
    assert_eq!(database.contents(), before);
    run(&project, &database.url(), &["migrate", "--to", "1"]).expect(0);
    command(&["rollback", "--to", "2"], &["2 is not applied"]);
}

#[test]
fn a_server_that_starts_later() {
    let Some(server) = postgres() else { return };
    let name = server.fresh_database_name();
    let project = one();
    // A database is refused at once; only a server that is not there is waited for.
    let outcome = text(project.twostep(&["migrate", "--wait", "20s"]), &name.url()).run();
    assert!(outcome.elapsed < Duration::from_secs(10), "{outcome:?}");
    complains(outcome, 9, &["does not exist"]);

    // The port of a server that comes up while we wait: a door that opens later, in front of the shared server.
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let database = server.fresh_database();
    let url = database.url().replace(&format!(":{}/", server.port()), &format!(":{port}/"));
    let mut running = text(project.twostep(&["migrate", "--wait", "60s"]), &url).spawn();
    running.wait_for_stderr("the database is not ready");
    let door = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let target = server.port();
    std::thread::spawn(move || {
        for client in door.incoming().flatten() {
            let Ok(behind) = std::net::TcpStream::connect(("127.0.0.1", target)) else { return };
            for (mut from, mut to) in
                [(client.try_clone().unwrap(), behind.try_clone().unwrap()), (behind, client)]
            {
                std::thread::spawn(move || {
                    std::io::copy(&mut from, &mut to).ok();
                    to.shutdown(std::net::Shutdown::Both).ok();
                });
            }
        }
    });
    running.wait().expect(0);
    assert_eq!(database.psql("select count(*) from a"), "0");
    wait::until_true("its sessions are gone", Duration::from_secs(10), || {
        database.psql("select count(*) from pg_stat_activity where datname = current_database() and application_name like 'twostep%'") == "0"
    });
}
