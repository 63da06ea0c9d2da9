//! A run that was taken for dead and comes back must not write; runs on different histories do not know each other; a
//! promoted standby goes on where the primary was.

use std::time::Duration;

use crate::faults::postgres as scenes;
use crate::servers::postgres::Recipe;
use crate::servers::{self, Postgres, postgres};
use crate::twostep::Project;
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
    let late = stopped.wait();
    // It sees that all is done by somebody else, or says that it was stopped; it has written nothing.
    assert!([0, 4].contains(&late.code()), "{}\n{}", late.code(), late.stderr);
    assert!(!late.stderr.contains("applied 2_b") && !late.stderr.contains("applied 3_c"), "{}", late.stderr);
    assert_eq!(
        database.psql(
            "select n from a order by 1; select version, state from twostep.migration order by sequence"
        ),
        after
    );
    assert_eq!(database.psql("select count(*) from a"), "3");
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

#[test]
fn a_promoted_standby_goes_on() {
    let primary = servers::required("PostgreSQL", Postgres::start(""));
    let Some(primary) = primary else { return };
    let recipe = Recipe { standby_of: Some(primary.port()), ..Recipe::default() };
    let standby = Postgres::start_as(&recipe).expect("the primary has the same programs");
    let scenes = ["migrate", "backfill", "contract"].map(|command| scenes::scene(&primary, command));
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
