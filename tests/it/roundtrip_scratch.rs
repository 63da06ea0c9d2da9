//! Where `twostep roundtrip` makes its databases, and that nothing of them stays.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::servers;
use crate::twostep::{Outcome, Project, Run};
use crate::wait;

fn project() -> Project {
    Project::with_migrations(&[
        ("1_a.up.sql", "create table a (id integer);"),
        ("1_a.down.sql", "drop table a;"),
        ("2_b.up.sql", "create table b (id integer);"),
        ("2_b.down.sql", "drop table b;"),
    ])
}

fn said(outcome: &Outcome, words: &str) {
    assert!(outcome.stderr.contains(words), "`{words}` is not in\n{}", outcome.stderr);
}

/// The scratch databases on the shared server that this process's child `pid` has made.
fn left_on(server: &servers::Postgres) -> String {
    server.psql("postgres", "select count(*) from pg_database where starts_with(datname, 'twostep_scratch_')")
}

#[test]
fn the_database_that_is_migrated_is_never_used() {
    let Some(server) = servers::postgres() else { return };
    let database = server.fresh_database();
    database.psql("create table precious (a int)");
    let (url, project) = (database.url(), project());
    let same = project.on(&url, &["roundtrip", "--scratch-url", &url]).run().expect(2);
    said(&same, "is the database that is migrated");
    let other = server.url("postgres");
    let beside = project.on(&url, &["roundtrip", "--scratch-url", &other]).run().expect(2);
    said(&beside, "is that of the database that is migrated");
    said(&beside, "--scratch-on-same-server");

    let asked = project.on(&url, &["roundtrip", "--scratch-on-same-server"]).run().expect(0);
    assert!(asked.stdout.contains("all 2 taken back"), "{}", asked.stdout);
    assert_eq!(database.psql("select count(*) from pg_class where relname in ('precious', 'a', 'b')"), "1");
    let name = &database.name;
    assert_eq!(
        database.psql(&format!("select count(*) from pg_database where datname like '%{name}%'")),
        "1"
    );
}

#[test]
fn what_reaches_beyond_one_database_is_not_run_beside_others() {
    let Some(server) = servers::postgres() else { return };
    let database = server.fresh_database();
    let project = project();
    project.write_migrations(&[
        ("3_role.up.sql", "select 1;\ncreate role beyond_of_a_test;"),
        ("3_role.down.sql", "drop role beyond_of_a_test;"),
    ]);
    let outcome = project.on(&database.url(), &["roundtrip", "--scratch-on-same-server"]).run().expect(2);
    said(&outcome, "3_role.up.sql: `create role beyond_of_a_test` reaches beyond one database");
    assert_eq!(database.psql("select count(*) from pg_roles where rolname = 'beyond_of_a_test'"), "0");
    // On a server of its own it is judged: the second database does not stumble over the role of the first.
    let outcome = project.twostep(&["roundtrip", "--engine", "postgres"]).run().expect(0);
    assert!(outcome.stdout.contains("3 migrations on PostgreSQL"), "{}", outcome.stdout);
    assert!(
        outcome.stdout.contains("(a private server)") && outcome.stdout.ends_with(": 3 exact\n"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn a_named_server_is_left_as_it_was() {
    let Some(server) = servers::postgres() else { return };
    let (role, password) = server.fresh_role("createdb");
    let url = server.url_as(&role, &password, "postgres");
    let outcome =
        project().twostep(&["roundtrip", "--scratch-url", &url, "--format", "json"]).run().expect(0);
    assert!(outcome.stdout.contains("databases of its own on"), "{}", outcome.stdout);
    let owned = format!(
        "select count(*) from pg_database d join pg_roles r on r.oid = datdba where rolname = '{role}'"
    );
    assert_eq!(server.psql("postgres", &owned), "0");
}

#[test]
fn a_machine_without_servers_is_told_what_to_install() {
    // The folders of Debian's packages, empty for this one process.
    for (engine, folder, package) in
        [("postgres", "/usr/lib/postgresql", "postgresql"), ("mysql", "/usr/sbin", "mariadb-server")]
    {
        let project = project();
        let program = env!("CARGO_BIN_EXE_twostep");
        let script = format!("mount -t tmpfs none {folder} && exec {program} roundtrip --engine {engine}");
        let hidden = Run::new("unshare", &project.path("."), &["-rm", "sh", "-c", &script]);
        let outcome = hidden.env("PATH", "/usr/bin:/bin").env("TWOSTEP_LOG", "text").run();
        if outcome.stderr.contains("unshare") || outcome.stderr.contains("mount:") {
            let why = outcome.stderr.trim();
            servers::tell(&format!("\nSKIPPED: no mount namespace for a test of roundtrip: {why}\n"));
            return;
        }
        let outcome = outcome.expect(2);
        said(&outcome, "server is at hand for a scratch database");
        said(&outcome, &format!("install the package `{package}`"));
        said(&outcome, "--scratch-url");
        said(&outcome, "nothing was judged, nothing changed");
    }
}

#[test]
fn mariadb_by_name() {
    let Some(server) = servers::mariadb() else { return };
    let outcome = project().twostep(&["roundtrip", "--scratch-url", &server.url("x")]).run().expect(0);
    let product = if server.is_mysql() { "MySQL" } else { "MariaDB" };
    assert!(outcome.stdout.contains(&format!("2 migrations on {product}")), "{}", outcome.stdout);
    assert_eq!(server.mysql("", "show databases like 'twostep\\_scratch%'"), "");
}

#[test]
fn a_server_that_cannot_be_used_is_named() {
    let Some(server) = servers::postgres() else { return };
    let (role, password) = server.fresh_role("");
    let url = server.url_as(&role, &password, "postgres");
    let refused = project().on("", &["roundtrip", "--scratch-url", &url]).run().expect(9);
    said(&refused, "permission denied to create database");
    said(&refused, "createdb");
    assert!(!refused.stderr.contains(&password), "{}", refused.stderr);
    let nobody = "postgres://a@127.0.0.1:1/x";
    said(&project().on("", &["roundtrip", "--scratch-url", nobody]).run().expect(9), "nobody listens there");
    let wrong = project().on("", &["roundtrip", "--scratch-url", "shop"]).run().expect(2);
    said(&wrong, "no scheme");
    let two = project().on("", &["roundtrip", "--scratch-url", nobody, "--engine", "mysql"]).run().expect(2);
    said(&two, "is no server of the engine");
}

#[test]
fn what_no_migration_makes_is_named_and_comes_from_the_prelude() {
    if servers::postgres().is_none() {
        return;
    }
    let project = project();
    project.write_migrations(&[
        ("3_vector.up.sql", "create extension no_such_extension;"),
        ("3_vector.down.sql", "drop extension no_such_extension;"),
        ("4_owner.up.sql", "alter table a owner to shop_owner;"),
        ("4_owner.down.sql", "alter table a owner to current_user;"),
        ("5_users.up.sql", "create table d (id int references auth.users (id));"),
        ("5_users.down.sql", "drop table d;"),
        ("6_again.up.sql", "alter table b owner to shop_owner;"),
        ("6_again.down.sql", "alter table b owner to current_user;"),
    ]);
    let outcome = project.twostep(&["roundtrip", "--engine", "postgres"]).run().expect(1);
    for words in [
        "the extension `no_such_extension` is not available on the scratch server, needed by 3_vector: install it",
        "the role `shop_owner` does not exist on the scratch server, needed by 4_owner and 1 more: put `create role shop_owner;`",
        "schema `auth` is made by no migration before, needed by 5_users: put what makes it into prelude.sql",
        "4 migrations could not be applied",
    ] {
        assert!(outcome.stdout.contains(words), "`{words}` is not in\n{}", outcome.stdout);
    }
    project.write(
        "prelude.sql",
        "create role shop_owner;\ncreate schema auth;\ncreate table auth.users (id int primary key);",
    );
    let outcome = project.twostep(&["roundtrip", "--engine", "postgres"]).run().expect(1);
    assert!(outcome.stdout.ends_with(": 5 exact, 1 up fails\n"), "{}", outcome.stdout);
    project.write("prelude.sql", "create rol shop_owner;");
    said(
        &project.twostep(&["roundtrip", "--engine", "postgres"]).run().expect(2),
        "the prelude cannot be run",
    );
}

/// Enough migrations that a run takes a while.
fn long_project() -> Project {
    let project = Project::new();
    for number in 1..=60 {
        let table = format!("create table t{number} (id int primary key, name text default 'x');");
        project.write_migrations(&[
            (&format!("{number}_t.up.sql"), &table),
            (&format!("{number}_t.down.sql"), if number % 5 == 0 { "select 1;" } else { "" }),
        ]);
        if number % 5 != 0 {
            project.write(&format!("migrations/{number}_t.down.sql"), format!("drop table t{number};"));
        }
    }
    project
}

/// Kills runs at ten moments from their start on; then one more run must leave nothing.
fn check_killed(project: &Project, arguments: &[&str], temporary: &Path, longest: Duration) {
    for moment in 1..=10 {
        let started = Instant::now();
        let running = project.twostep(arguments).env("TMPDIR", temporary).spawn();
        wait::until_true("the moment comes", Duration::from_secs(60), || {
            started.elapsed() >= longest * moment / 10
        });
        running.signal("KILL");
        assert_eq!(running.wait().signal(), Some(9), "it had ended by itself");
    }
    let last = project.twostep(arguments).env("TMPDIR", temporary).run();
    assert!(last.code() <= 1, "{last:?}");
    let left =
        || fs::read_dir(temporary).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    assert_eq!(left(), [""; 0], "folders are left");
    let named = temporary.display().to_string();
    let processes = || {
        let ours = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
            let arguments = fs::read(entry.path().join("cmdline")).ok()?;
            Some(String::from_utf8_lossy(&arguments).replace('\0', " "))
        });
        ours.filter(|arguments| arguments.contains(&named)).collect::<Vec<_>>()
    };
    assert_eq!(processes(), [""; 0], "processes are left");
}

/// A folder for temporary files whose path is short enough for a socket, and open to the server's user.
fn temporary() -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("rt").tempdir_in("/tmp").unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    folder
}

#[test]
fn killed_at_any_moment_a_private_server_is_gone_after_the_next_run() {
    if servers::postgres().is_none() {
        return;
    }
    let temporary = temporary();
    let arguments = ["roundtrip", "--engine", "postgres", "--format", "json"];
    check_killed(&long_project(), &arguments, temporary.path(), Duration::from_millis(2_500));
}

#[test]
fn killed_at_any_moment_temporary_files_are_gone_after_the_next_run() {
    let (temporary, project) = (temporary(), long_project());
    for number in 61..400 {
        project.write(&format!("migrations/{number}_t.up.sql"), format!("create table t{number} (id int);"));
        project.write(&format!("migrations/{number}_t.down.sql"), format!("drop table t{number};"));
    }
    let arguments = ["roundtrip", "--engine", "sqlite", "--format", "json"];
    check_killed(&project, &arguments, temporary.path(), Duration::from_millis(400));
}

#[test]
fn killed_at_any_moment_databases_on_a_server_are_gone_after_the_next_run() {
    // One of its own: on the shared one, other tests' runs are at work.
    let Some(server) = servers::required("PostgreSQL", servers::Postgres::start("")) else { return };
    let temporary = temporary();
    let url = server.url("postgres");
    let arguments = ["roundtrip", "--scratch-url", &url, "--format", "json"];
    check_killed(&long_project(), &arguments, temporary.path(), Duration::from_millis(1_500));
    assert_eq!(left_on(&server), "0");
}

#[test]
fn asked_to_stop_it_removes_everything_itself() {
    if servers::postgres().is_none() {
        return;
    }
    let (temporary, project) = (temporary(), long_project());
    let arguments = ["roundtrip", "--engine", "postgres"];
    let running = project.twostep(&arguments).env("TMPDIR", temporary.path()).spawn();
    let some = || fs::read_dir(temporary.path()).unwrap().next().is_some();
    wait::until_true("the server's folder is there", Duration::from_secs(30), some);
    running.signal("TERM");
    running.wait().expect(6);
    assert!(!some(), "something is left");
}
