//! What cannot be known is said with exit 7, again and again, and never guessed; a person's word lets the run go on, either
//! way.

use std::time::Duration;

use super::Tally;
use super::scene::{Place, Scene};
use crate::proxy::{Harm, Protocol, Proxy};
use crate::servers;
use crate::twostep::{Outcome, Project};
use crate::wait;

/// A folder whose second migration is a program that says that it began, and waits until it may go.
fn project() -> Project {
    let project = Project::with_migrations(&[
        ("1_log.up.sql", "create table log (a int);\n"),
        ("3_last.up.sql", "insert into log values (3);\n"),
    ]);
    let program = "#!/bin/sh\necho once >>worked\ntouch began\nwhile [ ! -e go ]; do sleep 0.02; done\n";
    project.write_program("migrations/2_work.up", program);
    project.write("go", "");
    project
}

/// It says that nobody knows, what to ask, and both answers.
fn asks(outcome: &Outcome) {
    assert_eq!(outcome.code(), 7, "{}", outcome.stderr);
    for part in ["resolve 2 --done", "resolve 2 --not-done"] {
        assert!(outcome.stderr.contains(part), "`{part}` is not in\n{}", outcome.stderr);
    }
}

/// However often it is run, it asks, and nothing changes; `resolve` shows both possibilities, with how to tell. Then a
/// person says which one holds.
fn is_asked_for(scene: &Scene<'_>, place: &Place<'_>, done: bool, what: &str) {
    let state = scene.state_of(place);
    asks(&scene.run(&place.url).run());
    asks(&scene.run(&place.url).run());
    assert_eq!(scene.state_of(place), state, "{what}: it was guessed");
    let resolve = |arguments: &[&str]| scene.project.on(&place.url, arguments).run().expect(0).stdout;
    let open = resolve(&["resolve"]);
    for part in ["half applied", "resolve 2 --done", "resolve 2 --not-done", what] {
        assert!(open.contains(part), "`{part}` is not in\n{open}");
    }
    resolve(&["resolve", "2", if done { "--done" } else { "--not-done" }]);
    scene.run(&place.url).run().expect(0);
    scene.is_at_its_end(place, what, &open);
    assert_eq!(resolve(&["resolve"]), "nothing is open: every migration is either applied or not\n");
}

/// Kills a run while its program works, and tries both answers.
fn killed_beside_a_program(scene: &Scene<'_>) {
    let mut tally = Tally::new("outcome that nobody can know", scene, 2);
    let path = |name: &str| scene.project.path(name);
    for done in [true, false] {
        let place = scene.place();
        for name in ["go", "began", "worked"] {
            std::fs::remove_file(path(name)).ok();
        }
        let killed = scene.run(&place.url).spawn();
        wait::until_true("the program works", Duration::from_secs(60), || path("began").exists());
        killed.signal("KILL");
        killed.wait();
        scene.project.write("go", "");
        is_asked_for(scene, &place, done, "the program 2_work.up");
        assert_eq!(scene.project.read("worked"), if done { "once\n" } else { "once\nonce\n" });
        tally.survived_with_a_person();
    }
}

#[test]
fn postgres_unknown() {
    let Some(server) = servers::postgres() else { return };
    let fresh = |_: &Project| {
        let place = server.fresh_database();
        Place::new(place.url(), place.name.clone(), move || drop(place))
    };
    let state = |name: &str| super::postgres::state(server, name);
    killed_beside_a_program(&Scene::new("PostgreSQL", "a program", &["migrate"], project(), fresh, state));

    // A statement that no transaction can hold, and that the catalog is not asked about.
    let other = server.fresh_database_name();
    let create = format!("create database {}", other.name);
    let there = || {
        server.psql("postgres", &format!("select count(*) from pg_database where datname = '{}'", other.name))
            == "1"
    };
    let project = Project::with_migrations(&[
        ("1_log.up.sql", "create table log (a int);\n"),
        ("2_other.up.sql", &format!("-- twostep: no-transaction\n{create};\n")),
        ("3_last.up.sql", "insert into log values (3);\n"),
    ]);
    let empty = |project: &Project| {
        server.psql("postgres", &format!("drop database if exists {}", other.name));
        fresh(project)
    };
    let scene = Scene::new("PostgreSQL", "create database", &["migrate"], project, empty, state);
    let proxy = Proxy::start(Protocol::Postgres, server.port());
    let mut tally = Tally::new("outcome that nobody can know", &scene, 2);
    for (harm, done) in [(Harm::LoseAnswer, true), (Harm::Drop, false)] {
        let place = scene.place();
        proxy.plan_at(harm, &create);
        asks(&scene.run(&proxy.url(&place.url)).run());
        assert_eq!(there(), done);
        is_asked_for(&scene, &place, done, &create);
        assert!(there());
        tally.survived_with_a_person();
    }
}

#[test]
fn mariadb_unknown() {
    let Some(server) = servers::mariadb() else { return };
    let fresh = |_: &Project| {
        let place = server.fresh_database();
        Place::new(place.url(), place.name.clone(), move || drop(place))
    };
    let state = |name: &str| super::mariadb::state(server, name);
    killed_beside_a_program(&Scene::new("MariaDB", "a program", &["migrate"], project(), fresh, state));
}

#[test]
fn sqlite_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let number = std::cell::Cell::new(0);
    let fresh = |_: &Project| {
        number.set(number.get() + 1);
        let path = folder.path().join(format!("{}.sqlite", number.get()));
        Place::new(format!("sqlite:{}", path.display()), path.display().to_string(), || {})
    };
    killed_beside_a_program(&Scene::new(
        "SQLite",
        "a program",
        &["migrate"],
        project(),
        fresh,
        super::sqlite::state,
    ));
}
