//! The files beside the history: edited, missing, late, repeatable, and taken back, with their files or without.

use crate::complaint::complaint;
use crate::servers::{postgres, postgres::Database};
use crate::twostep::Project;

const A: (&str, &str) = ("1_a.up.sql", "create table a (id int);\n");
const B: (&str, &str) = ("2_b.up.sql", "create table b (id int);\n");
const C: (&str, &str) = ("3_c.up.sql", "create table c (id int);\n");
const A_DOWN: (&str, &str) = ("1_a.down.sql", "drop table a;\n");
const B_DOWN: (&str, &str) = ("2_b.down.sql", "drop table b;\n");
const C_DOWN: (&str, &str) = ("3_c.down.sql", "drop table c;\n");

fn database() -> Option<Database<'static>> {
    Some(postgres()?.fresh_database())
}

fn tables(database: &Database<'_>) -> String {
    database.psql(
        "select coalesce(string_agg(relname, ' ' order by relname), '') from pg_class \
         where relkind in ('r', 'v') and relnamespace = 'public'::regnamespace",
    )
}

fn applied(database: &Database<'_>) -> String {
    database.psql("select coalesce(string_agg(version, ' ' order by sequence), '') from twostep.migration")
}

/// Runs `command`, which ends with `code` and a complaint that holds all of `words`; gives the state that it tells.
#[track_caller]
fn complains(
    project: &Project,
    database: &Database<'_>,
    command: &[&str],
    code: i32,
    words: &[&str],
) -> String {
    let outcome = project.on(&database.url(), command).run().expect(code);
    let state = complaint(&outcome);
    for word in words {
        assert!(outcome.stderr.contains(word), "`{word}` is not in\n{}", outcome.stderr);
    }
    state
}

/// Runs `command`, which has to work, and gives what it told.
#[track_caller]
fn works(project: &Project, database: &Database<'_>, command: &[&str]) -> String {
    let outcome = project.on(&database.url(), command).run().expect(0);
    outcome.stderr + &outcome.stdout
}

#[test]
fn edited_after_being_applied() {
    let Some(database) = database() else { return };
    let project = Project::with_migrations(&[A]);
    works(&project, &database, &["migrate"]);
    // Another editor's line ends and byte order mark are no edit.
    project.write("migrations/1_a.up.sql", "\u{feff}create table a (id int);\r\n");
    works(&project, &database, &["migrate"]);

    project.write_migrations(&[("1_a.up.sql", "create table a (id bigint);\n"), B]);
    let before = database.contents();
    let state = complains(
        &project,
        &database,
        &["migrate"],
        3,
        &["1 migration was edited after being applied", "migrations/1_a.up.sql", "resolve 1 --accept-edit"],
    );
    assert!(state.contains("nothing changed"), "{state}");
    assert_eq!(database.contents(), before);
    let outcome = project.on(&database.url(), &["status", "--exit-code"]).run().expect(1);
    assert!(outcome.stdout.contains("edited after it was applied"), "{}", outcome.stdout);

    works(&project, &database, &["resolve", "1", "--accept-edit"]);
    works(&project, &database, &["migrate"]);
    assert_eq!((tables(&database).as_str(), applied(&database).as_str()), ("a b", "1 2"));
}

#[test]
fn the_database_is_ahead_of_the_files() {
    let Some(database) = database() else { return };
    let newer = Project::with_migrations(&[A, B]);
    works(&newer, &database, &["migrate"]);
    let older = Project::with_migrations(&[A]);
    let write = |breaks: &str| {
        database.psql(&format!("update twostep.migration set breaks_older = '{breaks}' where version = '2'"));
    };
    write("no");
    let said = works(&older, &database, &["migrate"]);
    assert!(said.contains("ahead of these files: 2_b; they break no older code"), "{said}");
    write("unknown");
    let said = works(&older, &database, &["migrate"]);
    assert!(said.contains("2_b") && said.contains("is not known"), "{said}");
    write("yes");
    let state = complains(
        &older,
        &database,
        &["migrate"],
        8,
        &["ahead of these files", "2_b breaks older code", "--allow-ahead"],
    );
    assert!(state.contains("nothing changed"), "{state}");
    let said = works(&older, &database, &["migrate", "--allow-ahead"]);
    assert!(said.contains("2_b"), "{said}");
    let outcome = older.on(&database.url(), &["status", "--exit-code"]).run().expect(1);
    assert!(outcome.stdout.contains("ahead"), "{}", outcome.stdout);
    // What is ahead is so whatever its number, and something may be pending besides.
    older.write_migrations(&[C]);
    write("no");
    let said = works(&older, &database, &["migrate"]);
    assert!(said.contains("2_b"), "{said}");
    assert_eq!((tables(&database).as_str(), applied(&database).as_str()), ("a b c", "1 2 3"));
}

#[test]
fn out_of_order() {
    for (policy, code) in [("warn", 0), ("allow", 0), ("error", 3)] {
        let Some(database) = database() else { return };
        let project = Project::with_migrations(&[A, C]);
        works(&project, &database, &["migrate"]);
        project.write_migrations(&[B]);
        let command = ["migrate", "--out-of-order", policy];
        if code == 0 {
            let said = works(&project, &database, &command);
            assert_eq!(said.contains("warning: "), policy == "warn", "{said}");
            assert_eq!(applied(&database), "1 3 2");
            // A rollback goes against the order of application.
            project.write_migrations(&[B_DOWN]);
            works(&project, &database, &["rollback"]);
            assert_eq!((tables(&database).as_str(), applied(&database).as_str()), ("a c", "1 3"));
        } else {
            let state = complains(&project, &database, &command, code, &["2_b", "later"]);
            assert!(state.contains("nothing changed"), "{state}");
            assert_eq!(applied(&database), "1 3");
        }
    }
}

#[test]
fn as_far_as_a_version() {
    let Some(database) = database() else { return };
    let project = Project::with_migrations(&[A, B, C]);
    works(&project, &database, &["migrate", "--to", "2"]);
    assert_eq!(applied(&database), "1 2");
    // It never goes back.
    works(&project, &database, &["migrate", "--to", "1"]);
    assert_eq!(applied(&database), "1 2");
    works(&project, &database, &["migrate", "--to", "003"]);
    assert_eq!(applied(&database), "1 2 3");
}

#[test]
fn repeatable_ones_run_again_when_they_change() {
    let Some(database) = database() else { return };
    let view = |text: &str| format!("create or replace view v as select id as {text} from a;\n");
    let project = Project::with_migrations(&[A, ("R__v.sql", &view("one"))]);
    let column =
        || database.psql("select string_agg(attname, ' ') from pg_attribute where attrelid = 'v'::regclass");
    works(&project, &database, &["migrate"]);
    assert_eq!((column().as_str(), applied(&database).as_str()), ("one", "1 R__v"));
    let said = works(&project, &database, &["migrate"]);
    assert!(said.contains("is up to date") && !said.contains("applied"), "{said}");
    // After the versioned ones, with those.
    project.write_migrations(&[B, ("R__v.sql", "drop view v; create view v as select id as two from b;\n")]);
    let status = works(&project, &database, &["status"]);
    assert!(status.contains("changed"), "{status}");
    works(&project, &database, &["migrate"]);
    assert_eq!(column(), "two");
    // Not as far as a version.
    project
        .write_migrations(&[C, ("R__v.sql", "drop view v; create view v as select id as three from c;\n")]);
    works(&project, &database, &["migrate", "--to", "3"]);
    assert_eq!(column(), "two");
    works(&project, &database, &["migrate"]);
    assert_eq!(column(), "three");
}

/// One that fails as its first statement alone leaves no trace: it is applied in its older text, or not at all.
#[test]
fn a_repeatable_one_that_fails_is_what_it_was() {
    let failing = "-- twostep: no-transaction\nvacuum no_such_table;\n";
    let Some(database) = database() else { return };
    let good = "-- twostep: no-transaction\nvacuum a;\n";
    let project = Project::with_migrations(&[A, ("R__v.sql", failing)]);
    let rows = || {
        database.psql(
            "select version, state, checksum, run_id, applied_at, count(*) over () from twostep.migration order by sequence; \
             select version from twostep.statement",
        )
    };
    works(&project, &database, &["migrate", "--to", "1"]);
    let before = rows();
    let words = ["no_such_table", "R__v"];
    complains(&project, &database, &["migrate"], 3, &words);
    assert_eq!(rows(), before);
    project.write_migrations(&[("R__v.sql", good)]);
    works(&project, &database, &["migrate"]);
    let before = rows();
    project.write_migrations(&[("R__v.sql", failing)]);
    for _ in 0..2 {
        complains(&project, &database, &["migrate"], 3, &words);
        assert_eq!(rows(), before);
    }
    // With its text as it was, nothing is to be done.
    project.write_migrations(&[("R__v.sql", good)]);
    assert!(works(&project, &database, &["migrate"]).contains("is up to date"));
    works(&project, &database, &["status", "--exit-code"]);

    // Killed in it, and failed afterwards: the same.
    project.write_migrations(&[("R__v.sql", failing)]);
    let log = project.path("faults.log");
    project.on(&database.url(), &["migrate"]).env("TWOSTEP_FAULT_LOG", &log).run().expect(3);
    let points = project.read("faults.log");
    let behind = points.lines().position(|line| line.ends_with("after a statement alone")).unwrap() + 1;
    let killed = project.on(&database.url(), &["migrate"]).env("TWOSTEP_FAULT", behind.to_string()).run();
    assert!(killed.signal().is_some(), "{}", killed.stderr);
    assert!(rows().contains("R__v|applying"), "{}", rows());
    // A person may say so of a text that is not the one in the row.
    works(&project, &database, &["resolve", "R__v", "--applied"]);
    assert!(works(&project, &database, &["migrate"]).contains("is up to date"));
}

#[test]
fn rolled_back_by_steps_versions_runs_and_all() {
    let Some(database) = database() else { return };
    let project = Project::with_migrations(&[A, A_DOWN, B, B_DOWN, C, C_DOWN]);
    let state = || (tables(&database), applied(&database));
    let is = |tables: &str, versions: &str| (tables.to_owned(), versions.to_owned());
    works(&project, &database, &["migrate", "--to", "1"]);
    works(&project, &database, &["migrate"]);
    assert_eq!(state(), is("a b c", "1 2 3"));
    works(&project, &database, &["rollback"]);
    assert_eq!(state(), is("a b", "1 2"));
    works(&project, &database, &["migrate"]);
    works(&project, &database, &["rollback", "--steps", "2"]);
    assert_eq!(state(), is("a", "1"));
    works(&project, &database, &["migrate"]);
    works(&project, &database, &["rollback", "--to", "1"]);
    assert_eq!(state(), is("a", "1"));
    let said = works(&project, &database, &["migrate"]);
    let run = said.split("(run ").nth(1).and_then(|rest| rest.split(')').next()).unwrap().to_owned();
    works(&project, &database, &["rollback", "--run", &run]);
    assert_eq!(state(), is("a", "1"));
    complains(&project, &database, &["rollback", "--run", &run], 2, &["no migration is applied by run"]);
    works(&project, &database, &["migrate"]);
    works(&project, &database, &["rollback", "--all"]);
    assert_eq!(state(), is("", ""));
    let said = works(&project, &database, &["rollback"]);
    assert!(said.contains("nothing is applied"), "{said}");
    works(&project, &database, &["rollback", "--all"]);
    works(&project, &database, &["migrate"]);
    assert_eq!(state(), is("a b c", "1 2 3"));
}

#[test]
fn rolled_back_without_the_files() {
    let Some(database) = database() else { return };
    let index = "-- twostep: no-transaction\ncreate index concurrently b_id on b (id);\n";
    let index_down = "-- twostep: no-transaction\ndrop index concurrently b_id;\n";
    let project = Project::with_migrations(&[
        A,
        A_DOWN,
        B,
        B_DOWN,
        ("3_i.up.sql", index),
        ("3_i.down.sql", index_down),
    ]);
    works(&project, &database, &["migrate"]);
    // The release before: without the last two.
    let older = Project::with_migrations(&[A, A_DOWN]);
    works(&older, &database, &["rollback", "--to", "1"]);
    assert_eq!((tables(&database).as_str(), applied(&database).as_str()), ("a", "1"));
    // Without any folder.
    works(&Project::new(), &database, &["rollback"]);
    assert_eq!((tables(&database).as_str(), applied(&database).as_str()), ("", ""));
}

#[test]
fn a_file_that_is_there_wins_over_the_stored_down() {
    let Some(database) = database() else { return };
    let project = Project::with_migrations(&[A, ("1_a.down.sql", "drop table no_such_table;\n")]);
    works(&project, &database, &["migrate"]);
    complains(&project, &database, &["rollback"], 3, &["no_such_table", "1_a.down.sql:1"]);
    assert_eq!(applied(&database), "1");
    project.write_migrations(&[A_DOWN]);
    works(&project, &database, &["rollback"]);
    assert_eq!((tables(&database).as_str(), applied(&database).as_str()), ("", ""));
}

#[test]
fn what_has_no_way_back() {
    let Some(database) = database() else { return };
    let rows = ("2_b.up.sql", "-- twostep: irreversible because the rows are gone\ndelete from a;\n");
    let project = Project::with_migrations(&[A, A_DOWN, rows, C, C_DOWN]);
    works(&project, &database, &["migrate"]);
    let before = database.contents();
    // Nothing is taken back if not all can be.
    let words = ["migration 2_b cannot be rolled back", "the rows are gone"];
    let state = complains(&project, &database, &["rollback", "--all"], 3, &words);
    assert!(state.contains("nothing changed"), "{state}");
    assert_eq!(database.contents(), before);
    works(&project, &database, &["rollback"]);
    complains(&project, &database, &["rollback"], 3, &words);
    std::fs::remove_file(project.path("migrations/2_b.up.sql")).unwrap();
    complains(&project, &database, &["rollback"], 3, &["2_b cannot be rolled back", "keeps no down of it"]);
    assert_eq!(applied(&database), "1 2");
}

#[test]
fn the_history_says_who_when_and_for_which_release() {
    let Some(database) = database() else { return };
    let project = Project::with_migrations(&[A]);
    works(&project, &database, &["migrate", "--release", "3f2a9c1"]);
    let row = database.psql(
        "select m.release_id, m.run_id, m.applied_by like 'postgres@%', m.applied_at <= now(), m.duration_ms >= 0, \
         r.outcome, r.exit_code, r.finished_at >= r.started_at from twostep.migration m join twostep.run r on r.id = m.run_id",
    );
    assert_eq!(row, "3f2a9c1|1|t|t|t|done|0|t");
}
