//! The library, as a program uses it that migrates when it starts, or asks whether it may boot.

use std::time::Duration;

use twostep::{Migrator, MigratorError, NotReady};

use crate::servers;
use crate::twostep::Project;

const A: (&str, &str) = ("1_a.up.sql", "create table a (id int, name text);\n");
const B: (&str, &str) = ("2_b.up.sql", "create table b (id int);\n");
const DROP: (&str, &str) = ("3_drop.up.sql", "alter table a drop column name;\n");

fn wait_for<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn not_ready(migrator: &Migrator) -> NotReady {
    match wait_for(migrator.ready()) {
        Err(MigratorError::NotReady(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_program_migrates_and_asks_whether_it_may_boot() {
    let Some(server) = servers::postgres() else { return };
    let database = server.fresh_database();
    let first = Migrator::new(&database.url()).unwrap().embedded([A]).release("abc");
    assert_eq!(not_ready(&first), NotReady::Pending(vec!["1_a".to_owned()]));
    assert_eq!(database.psql("select count(*) from pg_namespace where nspname = 'twostep'"), "0");
    let finished = wait_for(first.migrate()).unwrap();
    assert_eq!(finished.iter().map(|one| one.label.as_str()).collect::<Vec<_>>(), ["1_a"]);
    wait_for(first.ready()).unwrap();
    assert!(wait_for(first.migrate()).unwrap().is_empty());

    // The next release, with its files in a folder: the first can work with what it adds.
    let project = Project::with_migrations(&[A, B]);
    let second = Migrator::new(&database.url()).unwrap().folder(project.path("migrations"));
    assert_eq!(not_ready(&second), NotReady::Pending(vec!["2_b".to_owned()]));
    wait_for(second.migrate()).unwrap();
    wait_for(second.ready()).unwrap();
    wait_for(first.ready()).unwrap();

    // What a later one takes away breaks both.
    let third = Migrator::new(&database.url()).unwrap().embedded([A, B, DROP]);
    wait_for(third.migrate()).unwrap();
    wait_for(third.ready()).unwrap();
    assert_eq!(not_ready(&second), NotReady::Ahead(vec!["3_drop".to_owned()]));
    assert_eq!(database.psql("select release_id from twostep.migration where version = '1'"), "abc");
}

#[test]
fn programs_that_start_at_once_migrate_once() {
    let Some(server) = servers::postgres() else { return };
    let database = server.fresh_database();
    let start = || {
        let migrator = Migrator::new(&database.url()).unwrap().run_deadline(Duration::from_secs(60));
        let migrator = migrator.embedded([A, ("2_rows.up.sql", "insert into a values (1, 'x');\n")]);
        std::thread::spawn(move || wait_for(migrator.migrate()).unwrap().len())
    };
    let all: Vec<_> = std::iter::repeat_with(start).take(6).collect();
    let applied: usize = all.into_iter().map(|one| one.join().unwrap()).sum();
    assert_eq!((applied, database.psql("select count(*) from a").as_str()), (2, "1"));
}

#[test]
fn what_keeps_a_program_from_booting_says_why() {
    let Some(server) = servers::postgres() else { return };
    let database = server.fresh_database();
    let broken =
        Migrator::new(&database.url()).unwrap().embedded([A, ("2_b.up.sql", "create table a ();\n")]);
    let Err(MigratorError::Run { finished, error, .. }) = wait_for(broken.migrate()) else {
        panic!("it cannot work")
    };
    assert_eq!(finished.len(), 1);
    assert!(error.to_string().contains("migration 2_b"), "{error}");
    assert_eq!(not_ready(&broken), NotReady::Pending(vec!["2_b".to_owned()]));

    let other = server.fresh_database();
    other.psql("create table schema_migrations (version bigint primary key, dirty boolean not null)");
    other.psql("insert into schema_migrations values (1, false)");
    let migrator = Migrator::new(&other.url()).unwrap().embedded([A]);
    let looked = wait_for(migrator.ready()).unwrap_err().to_string();
    assert!(looked.contains("has the history of golang-migrate"), "{looked}");
    assert!(Migrator::new("nonsense").is_err());
}
