//! Migrations that are programs: run under the same lock, with what they need in their environment, their output in
//! the log, and their outcome in the history.

use std::time::{Duration, Instant};

use crate::complaint::{complaint, keeps_secrets};
use crate::servers::{self, postgres};
use crate::twostep::Project;
use crate::wait;

/// A migration in SQL, and one that is a program behind it.
fn project(program: &str) -> Project {
    let project = Project::with_migrations(&[("1_a.up.sql", "create table a (id int);")]);
    project.write_program("migrations/2_fill.up", program);
    project
}

#[test]
fn it_gets_the_url_and_the_version_and_its_output_is_in_the_log() {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    let project = project(
        "#!/bin/sh\nenv | cut -d= -f1 | sort | xargs echo variables:\n\
         echo version $TWOSTEP_VERSION goes $TWOSTEP_DIRECTION\n\
         echo the url is $DATABASE_URL >&2\nprintf 'odd \\377 bytes\\n'\n\
         psql -XAtqc 'insert into a values (7)' $DATABASE_URL || exit 9\n",
    );
    project.write_program(
        "migrations/2_fill.down",
        "#!/bin/sh\nexec psql -XAtqc 'delete from a' $DATABASE_URL\n",
    );
    let up = project.on(&database.url(), &["migrate"]).env("SECRET", "of ours").run().expect(0);
    keeps_secrets(&up);
    assert!(up.stderr.contains("version 2 goes up"), "{}", up.stderr);
    assert!(up.stderr.contains("the url is postgres://postgres:***@"), "{}", up.stderr);
    assert!(up.stderr.contains("odd \u{fffd} bytes"), "{}", up.stderr);
    let variables = up.stderr.lines().find_map(|line| line.strip_prefix("variables: ")).unwrap();
    let known = ["DATABASE_URL", "HOME", "PATH", "PWD", "TWOSTEP_DIRECTION", "TWOSTEP_VERSION", "_"];
    assert!(variables.split(' ').all(|name| known.contains(&name)), "{variables}");
    assert_eq!(database.psql("select id from a"), "7");
    let journal = "select version, state from twostep.migration order by sequence";
    assert_eq!(database.psql(journal), "1|applied\n2|applied");
    assert_eq!(database.psql("select count(*) from twostep.statement"), "0");

    project.on(&database.url(), &["rollback"]).run().expect(0);
    assert_eq!(database.psql("select count(*) from a"), "0");
    assert_eq!(database.psql(journal), "1|applied");
}

#[test]
fn one_that_is_named_by_a_directive() {
    let project = Project::with_migrations(&[("1_a.up.sql", "-- twostep: exec bin/make\n")]);
    project.write_program(
        "migrations/bin/make",
        "#!/bin/sh\nsqlite3 ${DATABASE_URL#sqlite:} 'create table a (id int)'\n",
    );
    project.on("sqlite:db.sqlite", &["migrate"]).run().expect(0);
    project.on("sqlite:db.sqlite", &["migrate"]).run().expect(0);
    let status = project.on("sqlite:db.sqlite", &["status"]).run().expect(0);
    assert!(status.stdout.contains("1 applied, 0 pending"), "{}", status.stdout);
}

#[test]
fn a_failing_one_stops_the_run() {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    let project = project("#!/bin/sh\necho no such luck >&2\nexit 5\n");
    project.write_migrations(&[("3_c.up.sql", "create table c (id int);")]);
    let outcome = project.on(&database.url(), &["migrate"]).run().expect(4);
    let state = complaint(&outcome);
    assert!(
        outcome.stderr.contains("no such luck") && outcome.stderr.contains("exit status: 5"),
        "{}",
        outcome.stderr
    );
    assert!(state.contains("1_a is done"), "{state}");
    assert_eq!(database.psql("select to_regclass('a'), to_regclass('c')"), "a|");
    assert_eq!(database.psql("select version, state from twostep.migration"), "1|applied");
    // This run commits nothing.
    complaint(&project.on(&database.url(), &["migrate"]).run().expect(3));

    // One that cannot even be started.
    project.write_program("migrations/2_fill.up", "#!/no/such/interpreter\n");
    let outcome = project.on(&database.url(), &["migrate"]).run().expect(3);
    complaint(&outcome);
    assert!(outcome.stderr.contains("cannot be started"), "{}", outcome.stderr);

    project.write_program("migrations/2_fill.up", "#!/bin/sh\nexit 0\n");
    project.on(&database.url(), &["migrate"]).run().expect(0);
    assert_eq!(
        database.psql("select string_agg(version, ' ' order by sequence) from twostep.migration"),
        "1 2 3"
    );
}

/// Says that it runs, and waits until it is stopped, on SIGTERM by `trap`, or until nobody waits for it.
fn waiting(trap: &str) -> String {
    format!("#!/bin/sh\ntrap '{trap}' TERM\necho begun\nwhile kill -0 $PPID; do sleep 0.05; done\n")
}

#[test]
fn a_signal_reaches_it() {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    let project = project(&waiting("echo stopping; exit 1"));
    project.on(&database.url(), &["migrate", "--to", "1"]).run().expect(0);
    for signal in ["TERM", "INT"] {
        let mut running = project.on(&database.url(), &["migrate"]).spawn();
        running.wait_for_stderr("begun");
        let sent = Instant::now();
        running.signal(signal);
        let outcome = running.wait().expect(6);
        assert!(sent.elapsed() < Duration::from_secs(10), "{:?}", sent.elapsed());
        assert!(outcome.stderr.contains("stopping"), "{}", outcome.stderr);
        complaint(&outcome);
    }
    assert_eq!(database.psql("select count(*) from twostep.statement"), "0");

    // One that does not listen is killed, and what it has done nobody knows.
    project.write_program("migrations/2_fill.up", &waiting(""));
    let mut running = project.on(&database.url(), &["migrate"]).spawn();
    running.wait_for_stderr("begun");
    let sent = Instant::now();
    running.signal("TERM");
    let outcome = running.wait().expect(7);
    assert!(sent.elapsed() < Duration::from_secs(10), "{:?}", sent.elapsed());
    assert!(
        outcome.stderr.contains("was killed") && outcome.stderr.contains("--not-done"),
        "{}",
        outcome.stderr
    );
    complaint(&outcome);
    complaint(&project.on(&database.url(), &["migrate"]).run().expect(7));
}

#[test]
fn after_a_kill_a_person_says_what_holds() {
    let Some(server) = postgres() else { return };
    let project = project(&waiting("exit 0"));
    for (answer, runs_again) in [("--done", false), ("--not-done", true)] {
        let database = server.fresh_database();
        let mut running = project.on(&database.url(), &["migrate"]).spawn();
        running.wait_for_stderr("begun");
        running.signal("KILL");
        running.wait();
        wait::until_true("the lock is free", Duration::from_secs(10), || {
            database.psql(
                "select count(*) from pg_locks where locktype = 'advisory' and database = \
                           (select oid from pg_database where datname = current_database())",
            ) == "0"
        });
        // It says so as often as it is asked, and changes nothing.
        for _ in 0..2 {
            let outcome = project.on(&database.url(), &["migrate"]).run().expect(7);
            let state = complaint(&outcome);
            assert!(state.contains("not known"), "{state}");
            assert!(outcome.stderr.contains("twostep resolve 2 --done"), "{}", outcome.stderr);
        }
        let open = project.on(&database.url(), &["resolve"]).run().expect(0);
        assert!(
            open.stdout.contains("2_fill is half applied") && open.stdout.contains("2_fill.up"),
            "{}",
            open.stdout
        );
        let status = project.on(&database.url(), &["status", "--exit-code"]).run().expect(1);
        assert!(status.stdout.contains("uncertain  2_fill"), "{}", status.stdout);

        project.on(&database.url(), &["resolve", "2", answer]).run().expect(0);
        project.write_program("migrations/2_fill.up", "#!/bin/sh\necho again\n");
        let outcome = project.on(&database.url(), &["migrate"]).run().expect(0);
        assert_eq!(outcome.stderr.contains("again"), runs_again, "{}", outcome.stderr);
        assert_eq!(
            database.psql("select version, state from twostep.migration order by sequence"),
            "1|applied\n2|applied"
        );
        assert_eq!(database.psql("select count(*) from twostep.statement"), "0");
        project.write_program("migrations/2_fill.up", &waiting("exit 0"));
    }
}

#[test]
fn a_long_one_is_not_taken_for_dead() {
    let Some(server) = servers::required("PostgreSQL", servers::postgres()) else { return };
    let database = server.fresh_database();
    let project = project("#!/bin/sh\necho begun\nwhile [ ! -e go ]; do sleep 0.05; done\n");
    let mut running = project.on(&database.url(), &["migrate"]).spawn();
    running.wait_for_stderr("begun");
    let age = "select extract(epoch from clock_timestamp() - heartbeat_at) < 3 from twostep.run";
    // As if it had been silent for long, and were about to give its next sign of life.
    database.psql("update twostep.run set heartbeat_at = heartbeat_at - interval '50 s'");
    wait::until_true("it gives a sign of life", Duration::from_secs(20), || database.psql(age) == "t");
    project.write("go", "");
    running.wait().expect(0);
}
