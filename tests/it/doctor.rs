//! `twostep doctor`: each condition is made real, and is named with what to do.

use crate::client::Client;
use crate::servers::{self, Certificate, PoolMode, postgres::Database};
use crate::twostep::{Outcome, Project};

fn project() -> Project {
    Project::with_migrations(&[("1_t.up.sql", "create table t (a int);")])
}

fn doctor(url: &str, code: i32) -> Outcome {
    project().on(url, &["doctor"]).run().expect(code)
}

/// The line of a level and a check, with the help below it.
fn line(said: &str, level: &str, check: &str) -> Option<String> {
    let lines: Vec<&str> = said.lines().collect();
    let is_it = |line: &&str| {
        let rest = line.strip_prefix(level).map(str::trim_start);
        rest.is_some_and(|rest| rest.starts_with(&format!("{check} ")))
    };
    let at = lines.iter().position(is_it)?;
    let help = lines.get(at + 1).filter(|line| line.trim_start().starts_with("help:"));
    Some(format!("{}{}", lines[at], help.copied().unwrap_or("")))
}

/// The check finds something of this level that names all `words`.
fn finds(outcome: &Outcome, level: &str, check: &str, words: &[&str]) {
    let found = line(&outcome.stdout, level, check);
    let found = found.unwrap_or_else(|| panic!("no {level} of {check}:\n{}", outcome.stdout));
    for word in words {
        assert!(found.contains(word), "`{word}` is not in {found}");
    }
}

fn made() -> Option<Database<'static>> {
    let database = servers::postgres()?.fresh_database();
    project().on(&database.url(), &["migrate"]).run().expect(0);
    Some(database)
}

#[test]
fn all_is_well_on_postgres() {
    let Some(server) = servers::postgres() else { return };
    let database = server.fresh_database();
    let before = database.contents();
    let outcome = doctor(&database.url(), 0);
    for (level, check, words) in [
        ("ok", "connection", &["PostgreSQL", "a round trip"][..]),
        ("ok", "version", &["is supported"]),
        ("ok", "tls", &["on this machine"]),
        ("ok", "pooler", &["a session of its own"]),
        ("ok", "writable", &[]),
        ("note", "rights", &["superuser"]),
        ("ok", "history", &["no history yet"]),
        ("ok", "lock", &[]),
        ("ok", "long transactions", &[]),
        ("ok", "prepared transactions", &[]),
        ("ok", "invalid indexes", &[]),
        ("ok", "unvalidated constraints", &[]),
        ("note", "disk", &["MB"]),
        // That is how the servers of the tests are set.
        ("warning", "settings", &["fsync is off", "ALTER SYSTEM"]),
    ] {
        finds(&outcome, level, check, words);
    }
    assert!(outcome.stdout.contains("synchronous_commit is off"), "{}", outcome.stdout);
    assert_eq!(database.contents(), before, "it only reads");
    project().on(&database.url(), &["doctor", "--strict"]).run().expect(1);
    let json = project().on(&database.url(), &["doctor", "--format", "json"]).run().expect(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let levels: Vec<&str> =
        json["checks"].as_array().unwrap().iter().map(|check| check["level"].as_str().unwrap()).collect();
    assert!(levels.contains(&"ok") && levels.contains(&"warning"), "{json}");
}

#[test]
fn what_stands_in_the_way_on_postgres() {
    let Some(database) = made() else { return };
    database.psql(
        "insert into t values (1), (1); alter table t add constraint positive check (a > 5) not valid; \
         create table p (a int) partition by range (a)",
    );
    assert!(database.try_psql("create unique index concurrently t_a on t (a)").is_err());
    let outcome = doctor(&database.url(), 0);
    finds(&outcome, "warning", "invalid indexes", &["t_a", "DROP INDEX CONCURRENTLY t_a"]);
    finds(&outcome, "warning", "unvalidated constraints", &["VALIDATE CONSTRAINT positive"]);

    // One is long after a minute: only where tests may take long, that is waited for.
    let mut other = Client::connect(&database.url(), "nightly_report");
    other.run("begin; select 1");
    assert!(line(&doctor(&database.url(), 0).stdout, "ok", "long transactions").is_some());
    if std::env::var_os("TWOSTEP_FAULTS").is_some() {
        let found = crate::wait::until("a minute", std::time::Duration::from_secs(90), || {
            line(&doctor(&database.url(), 0).stdout, "warning", "long transactions")
        });
        assert!(found.contains("nightly_report") && found.contains("pg_terminate_backend("), "{found}");
    }

    // A history that was left half-way, and one that is newer.
    database.psql("update twostep.migration set state = 'applying'");
    let outcome = doctor(&database.url(), 0);
    finds(&outcome, "warning", "history", &["1 is half applied", "twostep resolve"]);
    database.psql("update twostep.meta set oldest_writer = 99");
    finds(&doctor(&database.url(), 1), "problem", "history", &["newer twostep"]);
    database.psql(
        "drop schema twostep cascade; create schema twostep; create view twostep.migration as select 1 as a",
    );
    finds(&doctor(&database.url(), 1), "problem", "history", &["not the history table", "--journal"]);
}

#[test]
fn a_lock_that_is_held() {
    let Some(database) = made() else { return };
    let project = Project::with_migrations(&[
        ("1_t.up.sql", "create table t (a int);"),
        ("2_s.up.sql", "select pg_sleep(600);"),
    ]);
    let running = project.on(&database.url(), &["migrate"]).spawn();
    crate::wait::until_true("it sleeps", std::time::Duration::from_secs(60), || {
        database.psql("select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'") == "1"
    });
    finds(&doctor(&database.url(), 0), "note", "lock", &["a run is under way", "run 2"]);
    // A run that was silent for long.
    running.signal("STOP");
    database.psql("update twostep.run set heartbeat_at = heartbeat_at - interval '5 minutes'");
    let outcome = doctor(&database.url(), 1);
    finds(&outcome, "problem", "lock", &["no sign of life", "twostep unlock --yes"]);
    running.signal("CONT");
    running.signal("TERM");
    running.wait();
}

#[test]
fn prepared_and_long_transactions_and_replicas() {
    let settings = "max_prepared_transactions = 2\nautovacuum = off";
    let Some(server) = servers::required("PostgreSQL", servers::Postgres::start(settings)) else { return };
    let database = server.fresh_database();
    database.psql("create table t (a int)");
    database.psql("begin; insert into t values (1); prepare transaction 'it''s mine'");
    database.psql("select pg_create_physical_replication_slot('forgotten', true)");
    let outcome = doctor(&database.url(), 1);
    finds(&outcome, "problem", "prepared transactions", &["ROLLBACK PREPARED 'it''s mine';"]);
    finds(&outcome, "note", "replication", &["forgotten", "no reader"]);
    assert!(outcome.stdout.contains("autovacuum is off"), "{}", outcome.stdout);
    let help = line(&outcome.stdout, "problem", "prepared transactions").unwrap();
    let sql = help.split("else: ").nth(1).unwrap();
    database.psql(sql);
    doctor(&database.url(), 0);
}

#[test]
fn connections_that_are_not_as_they_should_be() {
    let Some(server) = servers::postgres() else { return };
    let database = server.fresh_database();
    if let Some(pooler) = servers::pgbouncer(PoolMode::Transaction) {
        let outcome = doctor(&pooler.url(&database.name), 1);
        finds(&outcome, "problem", "pooler", &["--direct-url", "TWOSTEP_DIRECT_URL"]);
    }
    if let Some(standby) = servers::standby() {
        standby.catch_up();
        let outcome = doctor(&standby.server.url("postgres"), 1);
        finds(&outcome, "problem", "writable", &["standby", "primary"]);
    }
    if let Some(server) = servers::postgres_with_tls(Certificate::Right) {
        let database = server.server.fresh_database();
        finds(&doctor(&database.url(), 0), "ok", "tls", &["TLSv1"]);
        let roots = server.authority_file();
        let url = format!("{}?sslmode=verify-full&sslrootcert={}", database.url(), roots.display());
        finds(&doctor(&url, 0), "ok", "tls", &["certificate is checked"]);
    }
    // Nobody there, and a wrong password.
    doctor("postgres://nobody:x@127.0.0.1:1/nothing", 9);
    doctor(&server.url_as("postgres", "wrong", "postgres"), 9);
}

#[test]
fn rights_that_are_missing_on_postgres() {
    let Some(database) = made() else { return };
    let server = servers::postgres().unwrap();
    let (role, password) = server.fresh_role("");
    let url = server.url_as(&role, &password, &database.name);
    let outcome = doctor(&url, 1);
    finds(&outcome, "problem", "rights", &["schema twostep", "of the history"]);
    for words in [format!("GRANT CREATE ON SCHEMA public TO {role}"), "belongs to others".to_owned()] {
        assert!(outcome.stdout.contains(&words), "{words}:\n{}", outcome.stdout);
    }
    let empty = server.fresh_database();
    let url = server.url_as(&role, &password, &empty.name);
    finds(&doctor(&url, 1), "problem", "rights", &["GRANT CREATE ON DATABASE"]);
    empty.psql(&format!(
        "grant create on database {} to {role}; grant create on schema public to {role}",
        empty.name
    ));
    finds(&doctor(&url, 0), "ok", "rights", &["is no superuser"]);
}

#[test]
fn mariadb() {
    let Some(server) = servers::mariadb() else { return };
    let database = server.fresh_database();
    let outcome = doctor(&database.url(), 0);
    let product = if server.is_mysql() { "MySQL" } else { "MariaDB" };
    finds(&outcome, "ok", "connection", &[product]);
    finds(&outcome, "ok", "rights", &["may do what migrations need"]);
    finds(&outcome, "warning", "settings", &["innodb_flush_log_at_trx_commit"]);
    let user = &database.name[database.name.len() - 6..];
    server.mysql(
        "",
        &format!(
            "create user '{user}'@'%' identified by 'x'; grant select, insert on {}.* to '{user}'@'%'",
            database.name
        ),
    );
    let outcome = doctor(&server.url_as(user, "x", &database.name), 1);
    finds(&outcome, "problem", "rights", &["lacks", "ALTER", "GRANT UPDATE"]);
    finds(&outcome, "note", "rights", &["PROCESS"]);

    database.mysql("create table t (a int primary key)");
    let xa = format!("twostep-{}", database.name);
    database.mysql(&format!("xa start '{xa}'; insert into t values (1); xa end '{xa}'; xa prepare '{xa}'"));
    let outcome = doctor(&database.url(), 1);
    let help = format!("XA ROLLBACK '{xa}'");
    assert!(outcome.stdout.contains(&help), "{}", outcome.stdout);
    server.mysql("", &help);
    server.mysql("", &format!("drop user '{user}'@'%'"));
}

#[test]
fn sqlite() {
    let project = project();
    project.on("sqlite:app.db", &["migrate"]).run().expect(0);
    let outcome = project.on("sqlite:app.db", &["doctor"]).run().expect(0);
    finds(&outcome, "ok", "connection", &["SQLite"]);
    finds(&outcome, "ok", "history", &["1 migrations"]);
    finds(&outcome, "ok", "disk", &["KB left"]);
    assert!(!outcome.stdout.contains("pooler"), "{}", outcome.stdout);
    project.on("sqlite:none.db", &["doctor"]).run().expect(9);

    // A page in the middle is overwritten.
    let mut bytes = std::fs::read(project.path("app.db")).unwrap();
    for byte in &mut bytes[4096 * 2..4096 * 3] {
        *byte = 0xff;
    }
    project.write("app.db", &bytes);
    let outcome = project.on("sqlite:app.db", &["doctor"]).run().expect(1);
    finds(&outcome, "problem", "settings", &["damaged", ".recover"]);
}
