//! A runner whose clock is wrong decides nothing by it: who is alive, and who is dead, the server's clock says.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::servers::{mariadb, postgres, required};
use crate::twostep::{Project, Run};
use crate::wait;

/// What tells another time than the system's to the program that it is loaded into.
const SHIM: &str = "
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t clock, struct timespec *now) {
    const char *off = getenv(\"CLOCK_OFF_S\");
    int failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && off && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += atol(off);
    return failed;
}
int gettimeofday(struct timeval *now, void *zone) {
    struct timespec exact;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}
time_t time(time_t *now) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (now) *now = exact.tv_sec;
    return exact.tv_sec;
}
";

/// The shim, made in the project's folder; none where there is no C compiler.
fn shim(project: &Project) -> Option<PathBuf> {
    project.write("clock.c", SHIM);
    let (source, library) = (project.path("clock.c"), project.path("clock.so"));
    let made = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source).output();
    let made = made.ok().inspect(|made| {
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    });
    required("cc", made.map(|_| library))
}

/// Two runs whose clocks are an hour off, each the other way: the first works, and the second neither takes it for dead
/// nor gets its lock. `ask` gives a number from the database, where the times of the history are the server's.
fn clocks_are_wrong(url: &str, ask: Option<&dyn Fn(&str) -> String>) {
    for off in [["3600", "-3600"], ["-3600", "3600"]] {
        let project = Project::with_migrations(&[("1_a.up.sql", "create table a (i int);\n")]);
        project.write_program(
            "migrations/2_wait.up",
            "#!/bin/sh\ndate +%s >began\nwhile [ ! -e go ]; do sleep 0.02; done\n",
        );
        project.write("migrations/3_b.up.sql", "insert into a values (1);\n");
        project.write("migrations/3_b.down.sql", "delete from a;\n");
        project.write("migrations/2_wait.down.sql", "select 1;\n");
        project.write("migrations/1_a.down.sql", "drop table a;\n");
        let Some(shim) = shim(&project) else { return };
        let skewed = |run: Run, off: &str| run.env("LD_PRELOAD", &shim).env("CLOCK_OFF_S", off);
        let right = seconds(&Run::new("date", &project.path("."), &["+%s"]).run().expect(0).stdout);
        let wrong = skewed(Run::new("date", &project.path("."), &["+%s"]), off[0]).run().expect(0).stdout;
        assert!((seconds(&wrong) - right - seconds(off[0])).abs() < 60, "{wrong} is not {off:?} off {right}");
        // The program's own clock is off too: a new file's name has its time.
        let made = [false, true].map(|wrong| {
            let empty = Project::with_migrations(&[("20200101000000_a.up.sql", "select 1;\n")]);
            let new = empty.twostep(&["new", "x", "--timestamp"]);
            if wrong { skewed(new, off[0]) } else { new }.run().expect(0);
            let files = std::fs::read_dir(empty.path("migrations")).unwrap().flatten();
            let name = files.map(|file| file.file_name().into_string().unwrap()).max().unwrap();
            name.get(..10).unwrap().to_owned()
        });
        assert_ne!(made[0], made[1], "down to the hour");

        let working = skewed(project.on(url, &["migrate"]), off[0]).spawn();
        wait::until_true("the first works", Duration::from_secs(60), || project.path("began").exists());
        let second = skewed(project.on(url, &["migrate", "--run-deadline", "3s"]), off[1]).run().expect(5);
        assert!(!second.stderr.contains("ended session"), "{}", second.stderr);
        project.write("go", "");
        working.wait().expect(0);
        skewed(project.on(url, &["migrate"]), off[1]).run().expect(0);
        if let Some(ask) = ask {
            assert_eq!(ask("count(*)"), "3", "one run and nothing of the others");
        }
        skewed(project.on(url, &["rollback", "--all"]), off[1]).run().expect(0);
    }
}

fn seconds(text: &str) -> i64 {
    text.trim().parse().unwrap()
}

#[test]
fn on_postgres() {
    let Some(server) = postgres() else { return };
    let database = server.fresh_database();
    let ask = |what: &str| {
        database.psql(&format!(
            "select {what} from twostep.migration m join twostep.run r on r.id = m.run_id where \
             abs(extract(epoch from now() - m.applied_at)) < 600 and abs(extract(epoch from now() - r.heartbeat_at)) < 600"
        ))
    };
    clocks_are_wrong(&database.url(), Some(&ask));
}

#[test]
fn on_mariadb() {
    let Some(server) = mariadb() else { return };
    let database = server.fresh_database();
    let ask = |what: &str| {
        database.mysql(&format!(
            "select {what} from twostep_migration m join twostep_run r on r.id = m.run_id where \
             abs(timestampdiff(second, utc_timestamp(), m.applied_at)) < 600 \
             and abs(timestampdiff(second, utc_timestamp(), r.heartbeat_at)) < 600"
        ))
    };
    clocks_are_wrong(&database.url(), Some(&ask));
}

#[test]
fn on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    clocks_are_wrong(&format!("sqlite:{}", folder.path().join("db.sqlite").display()), None);
}
