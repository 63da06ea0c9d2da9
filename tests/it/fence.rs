//! A run that was taken for dead and comes back must not write; runs on different histories do not know each other; a
//! promoted standby goes on where the primary was.

use std::time::Duration;

use crate::faults::postgres as scenes;
use crate::servers::postgres::Recipe;
use crate::servers::{self, Postgres, mariadb, postgres};
use crate::twostep::{Outcome, Project};
use crate::wait;

#[test]
fn a_run_that_was_stopped_and_comes_back_writes_nothing() {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    let files: [(&str, &str); 3] = [
        ("1_a.up.sql", "create table a (n int);\ninsert into a values (1);"),
        (
            "2_b.up.sql",
            "insert into a values (2);\nselect pg_sleep(case when to_regclass('fast') is null then 600 else 0 end);",
        ),
        ("3_c.up.sql", "insert into a values (3);"),
    ];
    let project = Project::with_migrations(&files);
    let stopped = project.on(&database.url(), &["migrate"]).spawn();
    let asleep =
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'";
    wait::until_true("it sleeps", Duration::from_secs(60), || database.psql(asleep) == "1");
    stopped.signal("STOP");
    // A minute without a sign of life, at once.
    database.psql(
        "create table fast (); update twostep.run set heartbeat_at = heartbeat_at - interval '5 minutes'",
    );
    let next = project.on(&database.url(), &["migrate"]).run().expect(0);
    assert!(next.stderr.contains("no sign of life"), "{}", next.stderr);
    let after = database
        .psql("select n from a order by 1; select version, state from twostep.migration order by sequence");
    stopped.signal("CONT");
    has_written_nothing(&stopped.wait());
    assert_eq!(
        database.psql(
            "select n from a order by 1; select version, state from twostep.migration order by sequence"
        ),
        after
    );
    assert_eq!(database.psql("select count(*) from a"), "3");
}

/// The run that came back sees that all is done by somebody else, or says that it was stopped.
fn has_written_nothing(late: &Outcome) {
    assert!([0, 4].contains(&late.code()), "{}\n{}", late.code(), late.stderr);
    assert!(!late.stderr.contains("applied 2_b") && !late.stderr.contains("applied 3_c"), "{}", late.stderr);
}

/// The same on MariaDB, stopped while it works on rows, and while a schema change of it commits by itself.
#[test]
fn mariadb_a_run_that_was_stopped_and_comes_back_writes_nothing() {
    let Some(server) = mariadb() else { return };
    // Rows that it reads would be locked.
    let wait = "select 2 + sleep(if((select count(*) from information_schema.tables where table_schema = database() \
                and table_name = 'fast') > 0, 0, 600)) as n";
    for slow in
        [format!("insert into a {wait};"), format!("create table b as {wait};\ninsert into a values (2);")]
    {
        let database = server.fresh_database();
        let project = Project::with_migrations(&[
            ("1_a.up.sql", "create table a (n int);\ninsert into a values (1);"),
            ("2_b.up.sql", &format!("{slow}\ninsert into a values (20);")),
            ("3_c.up.sql", "insert into a values (3);"),
        ]);
        let stopped = project.on(&database.url(), &["migrate"]).spawn();
        let asleep = format!(
            "select count(*) from information_schema.processlist where db = '{}' and state = 'User sleep'",
            database.name
        );
        wait::until_true("it sleeps", Duration::from_secs(60), || server.mysql("", &asleep) == "1");
        stopped.signal("STOP");
        database.mysql(
            "create table fast (i int); update twostep_run set heartbeat_at = heartbeat_at - interval 5 minute",
        );
        let next = project.on(&database.url(), &["migrate"]).run().expect(0);
        assert!(next.stderr.contains("no sign of life"), "{}", next.stderr);
        let look = "select n from a order by n; select version, state, run_id from twostep_migration order by sequence; \
                    select count(*) from twostep_statement";
        let after = database.mysql(look);
        assert!(after.starts_with("1\n2\n3\n20\n1\tapplied\t1\n2\tapplied\t2\n3\tapplied\t2\n0"), "{after}");
        stopped.signal("CONT");
        has_written_nothing(&stopped.wait());
        assert_eq!(database.mysql(look), after);
    }
}

/// On SQLite the lock is the operating system's: a run that was stopped keeps it, nobody takes it for dead, and it goes on.
#[test]
fn sqlite_a_run_that_was_stopped_keeps_its_lock() {
    let hold = "#!/bin/sh\ntouch began\nwhile [ ! -e go ]; do sleep 0.02; done\n";
    let project =
        Project::with_migrations(&[("1_a.up.sql", "create table a (n int);\ninsert into a values (1);")]);
    project.write_program("migrations/2_wait.up", hold);
    project.write_migrations(&[("3_c.up.sql", "insert into a values (3);")]);
    let stopped = project.on("sqlite:db.sqlite", &["migrate"]).spawn();
    wait::until_true("it works", Duration::from_secs(60), || project.path("began").exists());
    stopped.signal("STOP");
    let sqlite = |sql: &str| {
        let output = std::process::Command::new("sqlite3").arg(project.path("db.sqlite")).arg(sql).output();
        String::from_utf8(output.expect("sqlite3 runs").stdout).unwrap()
    };
    sqlite("update twostep_run set heartbeat_at = '2000-01-01 00:00:00'");
    let before = sqlite(".dump");
    for command in [&["migrate", "--run-deadline", "1s"][..], &["unlock", "--yes"]] {
        let second = project.on("sqlite:db.sqlite", command).run();
        assert!([5, 2, 9].contains(&second.code()), "{command:?}: {}\n{}", second.code(), second.stderr);
        assert_eq!(sqlite(".dump"), before, "{command:?}");
    }
    project.write("go", "");
    stopped.signal("CONT");
    stopped.wait().expect(0);
    assert_eq!(sqlite("select group_concat(n) from a; select count(*) from twostep_migration"), "1,3\n3\n");
}

/// Two histories in one database (`--journal`): one is held up, and the other does not wait for it.
fn histories_are_apart(url: &str, applied: &dyn Fn(&str) -> String) {
    let hold = "#!/bin/sh\ntouch began\nwhile [ ! -e go ]; do sleep 0.02; done\n";
    let slow = Project::new();
    slow.write_program("migrations/1_wait.up", hold);
    let quick = Project::with_migrations(&[
        ("1_a.up.sql", "create table quick (i int);"),
        ("2_b.up.sql", "insert into quick values (1);"),
    ]);
    let running = slow.on(url, &["migrate", "--journal", "one"]).spawn();
    wait::until_true("the first works", Duration::from_secs(60), || slow.path("began").exists());
    quick.on(url, &["migrate", "--journal", "two", "--run-deadline", "2s"]).run().expect(0);
    assert_eq!(applied("two"), "2");
    slow.write("go", "");
    running.wait().expect(0);
    assert_eq!((applied("one").as_str(), applied("two").as_str()), ("1", "2"));
}

#[test]
fn mariadb_two_histories_do_not_wait_for_each_other() {
    let Some(server) = mariadb() else { return };
    let database = server.fresh_database();
    let applied = |journal: &str| database.mysql(&format!("select count(*) from {journal}_migration"));
    histories_are_apart(&database.url(), &applied);
}

#[test]
fn two_histories_do_not_wait_for_each_other() {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    let slow = Project::with_migrations(&[("1_a.up.sql", "select pg_sleep(600);")]);
    let quick = Project::with_migrations(&[
        ("1_a.up.sql", "create table quick (i int);"),
        ("2_i.up.sql", "-- twostep: no-transaction\nvacuum quick;"),
    ]);
    let running = slow.on(&database.url(), &["migrate", "--journal", "one"]).spawn();
    let asleep =
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'";
    wait::until_true("it sleeps", Duration::from_secs(60), || database.psql(asleep) == "1");
    quick.on(&database.url(), &["migrate", "--journal", "two", "--run-deadline", "1s"]).run().expect(0);
    assert_eq!(database.psql("select count(*) from two.migration"), "2");
    running.signal("TERM");
    assert_eq!(running.wait().code(), 6);
    assert_eq!(database.psql("select count(*) from one.migration"), "0");
}

/// The previous program on a history of a newer one: it may write where the newer one says so, with columns that it does
/// not know; else it reads only.
#[test]
fn a_history_of_a_newer_program() {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    let project = Project::with_migrations(&[
        ("1_a.up.sql", "create table a (i int);"),
        ("1_a.down.sql", "drop table a;"),
    ]);
    project.on(&database.url(), &["migrate"]).run().expect(0);
    database.psql("update twostep.meta set format = 99; alter table twostep.migration add column newer text default 'x'; alter table twostep.run add column newer jsonb; create table twostep.newer (i int)");
    project.write_migrations(&[("2_b.up.sql", "create table b (i int);"), ("2_b.down.sql", "drop table b;")]);
    project.on(&database.url(), &["migrate"]).run().expect(0);
    project.on(&database.url(), &["rollback", "--steps", "1"]).run().expect(0);
    database.psql("update twostep.meta set oldest_writer = 99");
    let before = database.contents();
    project.on(&database.url(), &["status"]).run().expect(0);
    let refused = project.on(&database.url(), &["migrate"]).run().expect(2);
    assert!(refused.stderr.contains("newer twostep"), "{}", refused.stderr);
    assert_eq!(database.contents(), before);
}

/// The same on the other engines, given how to run SQL there.
fn newer_history(url: &str, run: &dyn Fn(&str)) {
    let project = Project::with_migrations(&[
        ("1_a.up.sql", "create table a (i int);"),
        ("1_a.down.sql", "drop table a;"),
    ]);
    project.on(url, &["migrate"]).run().expect(0);
    run(
        "update twostep_meta set format = 99; alter table twostep_migration add column newer varchar(9) default 'x'; \
         alter table twostep_run add column newer text; alter table twostep_statement add column newer int; \
         create table twostep_newer (i int)",
    );
    project.write_migrations(&[
        ("2_b.up.sql", "create table b (i int);\ninsert into b values (1);"),
        ("2_b.down.sql", "drop table b;"),
    ]);
    project.on(url, &["migrate"]).run().expect(0);
    project.on(url, &["rollback", "--steps", "1"]).run().expect(0);
    run("update twostep_meta set oldest_writer = 99");
    project.on(url, &["status"]).run().expect(0);
    let refused = project.on(url, &["migrate"]).run().expect(2);
    assert!(refused.stderr.contains("newer twostep"), "{}", refused.stderr);
    let status = project.on(url, &["status"]).run().expect(0).stdout;
    assert!(status.contains("1 applied, 1 pending"), "{status}");
}

#[test]
fn mariadb_a_history_of_a_newer_program() {
    let Some(server) = mariadb() else { return };
    let database = server.fresh_database();
    newer_history(&database.url(), &|sql| drop(database.mysql(sql)));
}

#[test]
fn sqlite_a_history_of_a_newer_program() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db.sqlite");
    let run = |sql: &str| {
        let done = std::process::Command::new("sqlite3").arg(&path).arg(sql).output().expect("sqlite3 runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    newer_history(&format!("sqlite:{}", path.display()), &run);
}

#[test]
fn a_promoted_standby_goes_on() {
    let primary = servers::required("PostgreSQL", Postgres::start(""));
    let Some(primary) = primary else { return };
    let recipe = Recipe { standby_of: Some(primary.port()), ..Recipe::default() };
    let standby = Postgres::start_as(&recipe).expect("the primary has the same programs");
    let scenes =
        ["migrate", "rollback", "backfill", "contract"].map(|command| scenes::scene(&primary, command));
    let mut places = Vec::new();
    for scene in &scenes {
        for point in [20, 30, 40] {
            let place = scene.place();
            let killed = scene.run(&place.url).env("TWOSTEP_FAULT", point.to_string()).run();
            assert!(killed.signal().is_some(), "{killed:?}");
            places.push((scene, place, point));
        }
    }
    let done = primary.psql("postgres", "select pg_current_wal_insert_lsn()");
    primary.psql("postgres", "select pg_switch_wal()");
    wait::until_true("the standby has all", Duration::from_secs(60), || {
        standby.psql("postgres", &format!("select pg_last_wal_replay_lsn() >= '{done}'")) == "t"
    });
    let of_standby =
        |url: &str| url.replace(&format!(":{}/", primary.port()), &format!(":{}/", standby.port()));
    let (scene, place, _) = &places[0];
    assert!(scene.run(&of_standby(&place.url)).run().expect(9).stderr.contains("standby"));
    standby.psql("postgres", "select pg_promote()");
    for (scene, place, point) in &places {
        let again = scene.run(&of_standby(&place.url)).run();
        assert_eq!(again.code(), 0, "{} killed at {point}: {}", scene.command, again.stderr);
        assert_eq!(
            scenes::state(&standby, &place.name),
            scene.wanted(),
            "{} killed at {point}",
            scene.command
        );
    }
}
