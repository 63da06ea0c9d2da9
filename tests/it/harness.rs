//! The harness itself: its servers answer, keep tests apart, and are gone when the process that used them is.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::servers::{self, Postgres};
use crate::twostep::{Project, Run};
use crate::wait;

#[test]
fn postgres_gives_each_test_a_database() {
    let Some(server) = servers::postgres() else { return };
    let one = server.fresh_database();
    let other = server.fresh_database_name();
    server.psql("postgres", &format!("create database {}", other.name));
    one.psql("create table t(a int, b text); insert into t values (1, 'x'), (2, null)");
    assert_eq!(one.psql("select * from t order by a"), "1|x\n2|");
    assert!(other.try_psql("select * from t").unwrap_err().contains("relation \"t\" does not exist"));
    let name = one.name.clone();
    drop(one);
    assert_eq!(
        server.psql("postgres", &format!("select count(*) from pg_database where datname = '{name}'")),
        "0"
    );
}

#[test]
fn postgres_asks_for_the_password() {
    let Some(server) = servers::postgres() else { return };
    let (role, password) = server.fresh_role("createdb");
    let as_role = |password: &str| {
        let url = server.url_as(&role, password, "postgres");
        server.client("psql", "").args(["-XAtqc", "select current_user", &url]).output().unwrap()
    };
    assert_eq!(as_role(&password).stdout, format!("{role}\n").into_bytes());
    let refused = String::from_utf8(as_role("another").stderr).unwrap();
    assert!(refused.contains("password authentication failed"), "{refused}");
}

#[test]
fn postgres_is_reached_by_its_urls() {
    let Some(server) = servers::postgres() else { return };
    let database = server.fresh_database();
    for (url, name) in [(server.admin_url(), "postgres"), (database.url(), &database.name)] {
        let output =
            server.client("psql", "").args(["-XAtqc", "select current_database()", &url]).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{name}\n"));
    }
}

#[test]
fn a_server_of_its_own_is_gone_once_dropped() {
    let Some(server) = servers::required("PostgreSQL", Postgres::start("log_statement = all")) else {
        return;
    };
    assert_eq!(server.psql("postgres", "show log_statement"), "all");
    assert!(server.log().contains("show log_statement"));
    let folder = server.folder().to_owned();
    assert!(folder.exists());
    drop(server);
    assert!(!folder.exists());
}

#[test]
fn a_killed_process_leaves_no_server_and_no_folder() {
    let Some(_) = servers::postgres() else { return };
    if std::env::var_os(TO_BE_KILLED).is_some() {
        return wait_to_be_killed();
    }
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "harness::a_killed_process_leaves_no_server_and_no_folder"])
        .env(TO_BE_KILLED, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
    let said = lines.find(|line| line.starts_with("server ")).unwrap();
    let [_, pid, folder] = said.split(' ').collect::<Vec<_>>()[..] else { panic!("{said}") };
    let postmaster = Path::new("/proc").join(pid);
    assert!(postmaster.exists() && Path::new(folder).exists());

    process.kill().unwrap();
    process.wait().unwrap();
    wait::until_true("the server is gone", Duration::from_secs(20), || !postmaster.exists());
    wait::until_true("its folder is gone", Duration::from_secs(20), || !Path::new(folder).exists());
}

const TO_BE_KILLED: &str = "TWOSTEP_IT_TO_BE_KILLED";

/// The same test in the process that is killed: it says where its server is, and never ends by itself.
fn wait_to_be_killed() {
    let server = Postgres::start("").unwrap();
    let pid = std::fs::read_to_string(server.folder().join("pid")).unwrap();
    let line = format!("\nserver {} {}\n", pid.trim(), server.folder().display());
    std::io::stdout().write_all(line.as_bytes()).unwrap();
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

#[test]
fn a_program_runs_in_a_clean_environment() {
    let project = Project::new();
    project.write("deep/file", "text");
    let run = |script: &str| Run::new("sh", &project.path("deep"), &["-c", script]).env("GIVEN", "1").run();
    let outcome =
        run("env | cut -d= -f1 | sort | grep -v '^_$' | grep -v PWD | xargs; cat file >&2; exit 3").expect(3);
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("GIVEN HOME PATH\n", "text"));
    assert_eq!(project.read("deep/file"), "text");
}

#[test]
fn a_program_is_signalled_and_measured() {
    let project = Project::new();
    let script = "trap 'exit 6' TERM; echo ready >&2; while :; do sleep 0.01; done";
    let mut running = Run::new("sh", &project.path("."), &["-c", script]).spawn();
    running.wait_for_stderr("ready");
    running.signal("TERM");
    let outcome = running.wait().expect(6);
    assert!(outcome.peak_memory_kib > 100 && outcome.elapsed < Duration::from_secs(60), "{outcome:?}");

    let killed = Run::new("sh", &project.path("."), &["-c", "kill -9 $$"]).run();
    assert_eq!(killed.signal(), Some(9));
}

#[test]
fn the_built_binary_runs() {
    let project = Project::new();
    let outcome = project.twostep(&["--version"]).run();
    assert_eq!((outcome.code(), outcome.signal()), (0, None), "{outcome:?}");
}
