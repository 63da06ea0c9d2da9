//! What `docs/release-phase.md` promises to a platform, on a real PostgreSQL.

use std::time::{Duration, Instant};

use crate::servers::{self, postgres::Database};
use crate::twostep::{Project, Run};
use crate::wait;

/// Longer than any test waits, so that only a cancelled statement ends.
const LONG: &str = "select pg_sleep(600);";

fn migrate(project: &Project, database: &Database<'_>) -> Run {
    project.twostep(&["migrate"]).env("DATABASE_URL", database.url())
}

/// A folder whose first migration is quick, and whose second takes `statement`.
fn project(statement: &str) -> Project {
    let project = Project::new();
    project.write("migrations/20260101000000_quick.up.sql", "create table quick(a int);");
    let text = format!("create table slow(a int);\n{statement}\n");
    project.write("migrations/20260102000000_slow.up.sql", text);
    project
}

/// Waits until the statement that sleeps runs on the server.
fn wait_until_asleep(database: &Database<'_>) {
    wait::until_true("the migration sleeps on the server", Duration::from_secs(30), || {
        sleeping(database) == "1"
    });
}

fn sleeping(database: &Database<'_>) -> String {
    database.psql(
        "select count(*) from pg_stat_activity where datname = current_database() \
         and wait_event = 'PgSleep' and query like '%pg_sleep(600)%'",
    )
}

fn locks(database: &Database<'_>) -> String {
    database.psql(
        "select count(*) from pg_locks where locktype = 'advisory' \
         and database = (select oid from pg_database where datname = current_database())",
    )
}

fn tables(database: &Database<'_>) -> String {
    database.psql(
        "select coalesce(string_agg(relname, ' ' order by relname), '') from pg_class \
                   where relkind = 'r' and relnamespace = 'public'::regnamespace",
    )
}

#[test]
fn nothing_pending_is_decided_by_reads_alone() {
    let Some(server) = servers::postgres() else { return };
    let database = server.fresh_database();
    let project = project("select 1;");
    migrate(&project, &database).run().expect(0);

    // A role that may not write.
    let (role, password) = server.fresh_role("");
    database.psql(&format!("grant pg_read_all_data to {role}"));
    let url = server.url_as(&role, &password, &database.name);
    let outcome = project.twostep(&["migrate"]).env("DATABASE_URL", url).run().expect(0);
    assert!(outcome.stderr.contains("up to date"), "{outcome:?}");
}

#[test]
fn sigterm_ends_the_statement_and_says_so() {
    let Some(server) = servers::postgres() else { return };
    for signal in ["TERM", "INT"] {
        let database = server.fresh_database();
        let interrupted = project(LONG);
        let running = migrate(&interrupted, &database).spawn();
        wait_until_asleep(&database);
        let sent = Instant::now();
        running.signal(signal);
        // A platform may say it more than once.
        running.signal(signal);
        let outcome = running.wait();
        assert!(sent.elapsed() < Duration::from_secs(10), "{:?}", sent.elapsed());
        assert_eq!(outcome.code(), 6, "{outcome:?}");
        assert_eq!((sleeping(&database), locks(&database)), ("0".to_owned(), "0".to_owned()));
        assert_eq!(tables(&database), "quick");

        migrate(&project("select 1;"), &database).run().expect(0);
        assert_eq!(tables(&database), "quick slow");
    }
}

#[test]
fn sigkill_frees_the_lock_and_the_next_run_goes_on() {
    let Some(server) = servers::postgres() else { return };
    let database = server.fresh_database();
    let killed = project(LONG);
    let running = migrate(&killed, &database).spawn();
    wait_until_asleep(&database);
    running.signal("KILL");
    assert_eq!(running.wait().signal(), Some(9));
    // The server looks every second whether its client is still there.
    wait::until_true("the statement ends", Duration::from_secs(10), || sleeping(&database) == "0");
    wait::until_true("the lock is free", Duration::from_secs(10), || locks(&database) == "0");
    migrate(&project("select 1;"), &database).run().expect(0);
    assert_eq!(tables(&database), "quick slow");
}

#[test]
fn failure_leaves_what_the_exit_code_says() {
    let Some(server) = servers::postgres() else { return };
    let database = server.fresh_database();
    let partly = migrate(&project("select 1/0;"), &database).run().expect(4);
    assert!(
        partly.stderr.contains("20260102000000_slow") && partly.stderr.contains("division by zero"),
        "{partly:?}"
    );
    assert_eq!(tables(&database), "quick");
    migrate(&project("select 1/0;"), &database).run().expect(3);
    assert_eq!(tables(&database), "quick");
    migrate(&project("select 1;"), &database).run().expect(0);
    assert_eq!(tables(&database), "quick slow");
}

#[test]
fn replicas_that_start_at_once_migrate_once() {
    let Some(server) = servers::postgres() else { return };
    let database = server.fresh_database();
    let project = project("insert into slow select 1 from pg_sleep(0.2);");
    let running: Vec<_> = (0..5).map(|_| migrate(&project, &database).spawn()).collect();
    for replica in running {
        replica.wait().expect(0);
    }
    assert_eq!(database.psql("select count(*) from slow"), "1");
}

#[test]
fn older_files_run_no_down() {
    let Some(server) = servers::postgres() else { return };
    let database = server.fresh_database();
    migrate(&project("select 1;"), &database).run().expect(0);
    let older = Project::new();
    older.write("migrations/20260101000000_quick.up.sql", "create table quick(a int);");
    migrate(&older, &database).run().expect(0);
    assert_eq!(tables(&database), "quick slow");
}

/// Exit 8, as the page has it: the code is rolled back behind a migration that its queries break on.
#[test]
fn older_files_behind_what_breaks_their_code() {
    let Some(server) = servers::postgres() else { return };
    let database = server.fresh_database();
    let newer = project("alter table quick add column b int;");
    newer.write("migrations/20260103000000_drop.up.sql", "alter table quick drop column a;");
    migrate(&newer, &database).run().expect(0);
    let older = Project::new();
    older.write("migrations/20260101000000_quick.up.sql", "create table quick(a int);");
    let refused = migrate(&older, &database).run().expect(8);
    assert!(refused.stderr.contains("20260103000000_drop breaks older code"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("20260102000000_slow breaks"), "{}", refused.stderr);
    older.twostep(&["migrate", "--allow-ahead"]).env("DATABASE_URL", database.url()).run().expect(0);
    // Nothing was taken back.
    assert_eq!(tables(&database), "quick slow");
}

#[test]
fn a_missing_variable_never_looks_like_success() {
    let project = project("select 1;");
    project.twostep(&["migrate"]).run().expect(2);
    project.write("twostep.toml", "database_url = \"sqlite:shop.db\"\n");
    for platform in ["DYNO", "KUBERNETES_SERVICE_HOST", "CI"] {
        let refused = project.twostep(&["migrate"]).env(platform, "web.1").run().expect(2);
        assert!(refused.stderr.contains("DATABASE_URL"), "{refused:?}");
        assert!(!project.path("shop.db").exists());
    }
}
