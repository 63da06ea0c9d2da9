//! The harness itself: its servers answer, keep tests apart, and are gone when the process that used them is.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::servers::{self, Certificate, MariaDb, PoolMode, Postgres};
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
    let as_role =
        |password: &str| server.psql_at(&server.url_as(&role, password, "postgres"), "select current_user");
    assert_eq!(as_role(&password).unwrap(), role);
    let refused = as_role("another").unwrap_err();
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

/// What psql says when it is told to connect with these TLS options.
fn psql_with_tls(certificate: Certificate, options: &str) -> Result<String, String> {
    let server = servers::postgres_with_tls(certificate).expect("the caller looked");
    let roots = options.replace("OURS", server.authority_file().to_str().unwrap());
    let roots = roots.replace("STRANGER", server.stranger_file().to_str().unwrap());
    let url = format!("{}?{roots}", server.server.url("postgres"));
    let version = "select version from pg_stat_ssl where pid = pg_backend_pid()";
    server.server.psql_at(&url, version)
}

#[test]
fn tls_is_demanded_and_its_certificates_differ() {
    let Some(_) = servers::postgres_with_tls(Certificate::Right) else { return };
    let trusting = "sslmode=verify-full&sslrootcert=OURS";
    let refusal = |certificate, options| psql_with_tls(certificate, options).unwrap_err();
    assert_eq!(psql_with_tls(Certificate::Right, trusting).unwrap(), "TLSv1.3");
    assert!(refusal(Certificate::Right, "sslmode=disable").contains("no encryption"));
    assert!(refusal(Certificate::Right, "sslmode=verify-full&sslrootcert=STRANGER").contains("SSL error: "));
    assert!(refusal(Certificate::OtherHost, trusting).contains("does not match host name"));
    assert_eq!(
        psql_with_tls(Certificate::OtherHost, "sslmode=verify-ca&sslrootcert=OURS").unwrap(),
        "TLSv1.3"
    );
    assert!(refusal(Certificate::Expired, trusting).contains("certificate verify failed"));
    assert_eq!(psql_with_tls(Certificate::Expired, "sslmode=require").unwrap(), "TLSv1.3");
}

#[test]
fn pgbouncer_pools_by_its_mode() {
    let Some(server) = servers::postgres() else { return };
    let locks_left = |mode| {
        let database = server.fresh_database();
        let pooler = servers::pgbouncer(mode)?;
        pooler.try_psql(&database.name, "select pg_advisory_lock(1)").unwrap();
        let here = "(select oid from pg_database where datname = current_database())";
        Some(database.psql(&format!(
            "select count(*) from pg_locks where locktype = 'advisory' and database = {here}"
        )))
    };
    let Some(after_transaction) = locks_left(PoolMode::Transaction) else { return };
    // The session, and its lock, now belong to whoever comes next.
    assert_eq!(after_transaction, "1");
    assert_eq!(locks_left(PoolMode::Session).unwrap(), "0");
    let statement = servers::pgbouncer(PoolMode::Statement).unwrap();
    assert!(
        statement.try_psql("postgres", "begin").unwrap_err().contains("not allowed in statement pooling")
    );
}

#[test]
fn pgbouncer_knows_the_roles_of_the_server() {
    let Some(server) = servers::postgres() else { return };
    let Some(pooler) = servers::pgbouncer(PoolMode::Transaction) else { return };
    let (role, password) = server.fresh_role("");
    let url = pooler.url_as(&role, &password, "postgres");
    assert_eq!(server.psql_at(&url, "select current_user").unwrap(), role);
}

#[test]
fn standby_follows_and_refuses_writes() {
    let Some(server) = servers::postgres() else { return };
    let Some(standby) = servers::standby() else { return };
    let database = server.fresh_database();
    database.psql("create table t as select 7 as seven");
    standby.catch_up();
    assert_eq!(standby.server.psql(&database.name, "select seven, pg_is_in_recovery() from t"), "7|t");
    let refused = standby.server.try_psql(&database.name, "insert into t values (8)").unwrap_err();
    assert!(refused.contains("read-only transaction"), "{refused}");
}

#[test]
fn mariadb_gives_each_test_a_database() {
    let Some(server) = servers::mariadb() else { return };
    let (one, other) = (server.fresh_database(), server.fresh_database());
    one.mysql("create table t(a int, b text); insert into t values (1, 'ü'), (2, null)");
    assert_eq!(one.mysql("select * from t order by a"), "1\tü\n2\tNULL");
    assert!(other.try_mysql("select * from t").unwrap_err().contains("doesn't exist"));
    assert!(one.url().starts_with("mysql://admin:s3cret%2Fof%3Athe%40tests@127.0.0.1:"), "{}", one.url());
    let name = one.name.clone();
    drop(one);
    assert_eq!(server.mysql("", &format!("show databases like '{name}'")), "");
}

#[test]
fn a_mariadb_of_its_own_takes_settings() {
    let own = MariaDb::start("autocommit = 0");
    let Some(server) = servers::required("MariaDB", own) else { return };
    assert_eq!(server.mysql("", "select @@autocommit"), "0");
    assert!(server.log().contains("ready for connections"));
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
