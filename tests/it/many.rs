//! Fifty processes at once on one database, while clients are at work: each migration is applied once. Those of two
//! releases as well.

use std::time::Duration;

use crate::client::{Client, Load};
use crate::servers::{self, mariadb, postgres};
use crate::twostep::{Outcome, Project, Run, Running};
use crate::wait;

const PROCESSES: usize = 50;

/// Starts all, and waits for them.
fn at_once(project: &Project, url: &str) -> Vec<Outcome> {
    let running: Vec<Running> = (0..PROCESSES).map(|_| project.on(url, &["migrate"]).spawn()).collect();
    running.into_iter().map(Running::wait).collect()
}

/// All have ended with 0, and each migration was applied by one of them.
fn each_once(outcomes: &[Outcome], migrations: &[&str]) {
    for outcome in outcomes {
        assert_eq!(outcome.code(), 0, "{}", outcome.stderr);
    }
    for migration in migrations {
        let line = format!("applied {migration} in ");
        let count: usize = outcomes.iter().map(|outcome| outcome.stderr.matches(&line).count()).sum();
        assert_eq!(count, 1, "{migration}");
    }
}

#[test]
fn on_postgres() {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    let first = Project::with_migrations(&[(
        "1_t.up.sql",
        "create table t (id int primary key, n int);\ninsert into t select i, i from generate_series(1, 2000) i;\n",
    )]);
    first.on(&database.url(), &["migrate"]).run().expect(0);
    let project = Project::with_migrations(&[
        ("1_t.up.sql", &first.read("migrations/1_t.up.sql")),
        ("2_n.up.sql", "-- twostep: no-transaction\ncreate index concurrently t_n on t (n);\n"),
        ("3_m.up.sql", "alter table t add column m int;\n"),
        (
            "4_u.up.sql",
            "-- twostep: no-transaction\ncreate unique index concurrently t_u on t (id, n);\ncreate index concurrently t_m on t (m);\n",
        ),
        ("5_c.up.sql", "alter table t add constraint n_there check (n is not null) not valid;\n"),
        ("6_v.up.sql", "alter table t validate constraint n_there;\n"),
        ("7_w.up.sql", "update t set m = n where id <= 10;\n"),
    ]);
    let clients = [
        Load::start(&database.url(), "select * from t where id = 5"),
        Load::start(&database.url(), "update t set n = n + 1 where id = 700"),
        Load::start(&database.url(), "begin; select count(*) from t; select pg_sleep(0.3); commit"),
    ];
    wait::until_true("the clients work", Duration::from_secs(30), || {
        clients.iter().all(|client| client.count() > 1)
    });
    // One that began before all, and ends while they wait for it.
    let mut old = Client::connect(&database.url(), "nightly_report");
    old.run("begin isolation level repeatable read; select count(*) from t");
    let end = std::thread::spawn({
        let server = postgres().unwrap();
        let name = database.name.clone();
        move || {
            let waits = "select count(*) from pg_stat_activity where datname = current_database() \
                         and application_name = 'twostep' and state = 'active' and wait_event_type = 'Lock'";
            wait::until_true("a build waits", Duration::from_secs(60), || server.psql(&name, waits) != "0");
            old.run("commit");
        }
    });
    let outcomes = at_once(&project, &database.url());
    end.join().unwrap();
    each_once(&outcomes, &["2_n", "3_m", "4_u", "5_c", "6_v", "7_w"]);
    let [reads, writes, long] = clients.map(Load::stop);
    assert_eq!(database.psql("select count(*) from pg_index where not indisvalid"), "0");
    assert_eq!(
        database.psql("select deadlocks from pg_stat_database where datname = current_database()"),
        "0"
    );
    assert_eq!(
        database.psql("select string_agg(version, ' ' order by sequence) from twostep.migration"),
        "1 2 3 4 5 6 7"
    );
    let whole = outcomes.iter().map(|outcome| outcome.elapsed).max().unwrap();
    servers::tell(&format!(
        "{PROCESSES} processes on PostgreSQL in {whole:?}: the longest of {} reads took {:?}, of {} writes {:?}, \
         of {} transactions of 300 ms {:?}\n",
        reads.count, reads.longest, writes.count, writes.longest, long.count, long.longest
    ));
    assert!(reads.longest < Duration::from_secs(2) && writes.longest < Duration::from_secs(2));
}

#[test]
fn on_sqlite() {
    let project = Project::with_migrations(&[(
        "1_t.up.sql",
        "create table t (id integer primary key, n int);\ninsert into t values (1, 0);\n",
    )]);
    project.on("sqlite:db.sqlite", &["migrate"]).run().expect(0);
    let names: Vec<String> = (2..10).map(|version| format!("{version}_n")).collect();
    for name in &names {
        project.write(
            &format!("migrations/{name}.up.sql"),
            format!("create table t_{name} (id int);\nupdate t set n = n + 1;\n"),
        );
    }
    // A reader and a writer of the application, each with a time to wait that is usual.
    let client = |sql: &str| {
        let script = format!(
            "while [ ! -e stop ]; do sqlite3 -cmd '.timeout 5000' db.sqlite \"{sql}\" || exit 1; echo once; done"
        );
        Run::new("sh", &project.path("."), &["-c", &script]).spawn()
    };
    let clients = [client("select count(*) from t"), client("insert into t (n) values (1)")];
    let outcomes = at_once(&project, "sqlite:db.sqlite");
    project.write("stop", "");
    let counts: Vec<usize> =
        clients.map(|client| client.wait().expect(0).stdout.matches("once").count()).to_vec();
    each_once(&outcomes, &names.iter().map(String::as_str).collect::<Vec<_>>());
    let status = project.on("sqlite:db.sqlite", &["status", "--exit-code"]).run().expect(0);
    assert!(status.stdout.contains("9 applied, 0 pending"), "{}", status.stdout);
    let whole = outcomes.iter().map(|outcome| outcome.elapsed).max().unwrap();
    servers::tell(&format!(
        "{PROCESSES} processes on SQLite in {whole:?}, beside {counts:?} reads and writes of others\n"
    ));
}

#[test]
fn on_mariadb() {
    let Some(server) = mariadb() else { return };
    let database = server.fresh_database();
    let project = Project::with_migrations(&[
        ("1_t.up.sql", "create table t (a int);\ninsert into t values (1);\n"),
        ("2_i.up.sql", "create index i on t (a);\nalter table t add column b int;\nupdate t set b = a;\n"),
        (
            "3_p.up.sql",
            "delimiter //\ncreate procedure p() begin insert into t (a) values (2); end//\ndelimiter ;\ncall p();\n",
        ),
        ("4_f.up.sql", "-- twostep: backfill key=a\nupdate t set b = a + 1 where a > 0;\n"),
    ]);
    let outcomes = at_once(&project, &database.url());
    each_once(&outcomes, &["1_t", "2_i", "3_p", "4_f"]);
    assert_eq!(database.mysql("select a, b from t order by a"), "1\t2\n2\t3");
    let journal = "select version, state from twostep_migration order by sequence; select count(*) from twostep_statement";
    assert_eq!(database.mysql(journal), "1\tapplied\n2\tapplied\n3\tapplied\n4\tapplied\n0");
    let whole = outcomes.iter().map(|outcome| outcome.elapsed).max().unwrap();
    servers::tell(&format!("{PROCESSES} processes on MariaDB in {whole:?}\n"));
}

/// Runs of two releases at once, each with a migration that the other does not have: both are applied, each once.
fn of_two_releases(url: &str) {
    let first = ("1_t.up.sql", "create table t (n int);\ninsert into t values (0);\n");
    let releases = [("2_a", "create table a (i int);\n"), ("3_b", "create table b (i int);\n")]
        .map(|(name, text)| Project::with_migrations(&[first, (&format!("{name}.up.sql"), text)]));
    let running: Vec<Running> =
        (0..12).map(|number| releases[number % 2].on(url, &["migrate"]).spawn()).collect();
    let outcomes: Vec<Outcome> = running.into_iter().map(Running::wait).collect();
    each_once(&outcomes, &["1_t", "2_a", "3_b"]);
    for release in &releases {
        let status = release.on(url, &["status", "--format", "json"]).run().expect(0).stdout;
        let status: serde_json::Value = serde_json::from_str(&status).unwrap();
        assert!(status.to_string().matches("\"applied\"").count() >= 2, "{status}");
    }
}

#[test]
fn two_releases_on_postgres() {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    of_two_releases(&database.url());
    let versions =
        "select string_agg(version, ' ' order by version), count(distinct sequence) from twostep.migration";
    assert_eq!(database.psql(versions), "1 2 3|3");
}

#[test]
fn two_releases_on_mariadb() {
    let Some(server) = mariadb() else { return };
    let database = server.fresh_database();
    of_two_releases(&database.url());
    let versions =
        "select group_concat(version order by version), count(distinct sequence) from twostep_migration";
    assert_eq!(database.mysql(versions), "1,2,3\t3");
}

#[test]
fn two_releases_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    of_two_releases(&format!("sqlite:{}", folder.path().join("db.sqlite").display()));
}
