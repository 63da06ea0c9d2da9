//! Kills the process at every fault point (`src/run/fault.rs`).

use super::scene::Scene;
use super::{Tally, chosen, is_long, mariadb, postgres, sqlite};
use crate::servers::{self, required};

/// Counts the points that an undisturbed run passes; then kills it at each, or at a `few`, and runs it again to its end.
pub fn at_every_point(scene: &Scene<'_>, few: usize) {
    let log = scene.project.path("faults.log");
    let place = scene.place();
    scene.run(&place.url).env("TWOSTEP_FAULT_LOG", &log).run().expect(0);
    let points = std::fs::read_to_string(&log).expect("the run wrote its points");
    let points: Vec<&str> = points.lines().collect();
    assert!(points.len() > 20, "too few fault points:\n{}", points.join("\n"));
    let mut tally = Tally::new("process killed", scene, points.len());
    for point in chosen(points.len(), few) {
        let place = scene.place();
        let what = format!("killed at {}", points[point - 1]);
        let killed = scene.run(&place.url).env("TWOSTEP_FAULT", point.to_string()).run();
        if killed.signal().is_none() {
            // A backfill on a server that is quicker this time has fewer chunks, and passes fewer points.
            assert_eq!(killed.code(), 0, "{what}: {}", killed.stderr);
            scene.is_at_its_end(&place, &what, &killed.stderr);
            continue;
        }
        scene.completes(&place, &what, &killed.stderr);
        tally.survived();
    }
}

/// Of a backfill and a contract, whose points are those of `migrate`, only some are tried in each test run.
fn few(command: &str) -> usize {
    if is_long() || ["migrate", "rollback"].contains(&command) { usize::MAX } else { 8 }
}

#[test]
fn postgres_killed_at_every_point() {
    let Some(server) = required("PostgreSQL", servers::postgres()) else { return };
    for command in postgres::COMMANDS {
        at_every_point(&postgres::scene(server, command), few(command));
    }
}

#[test]
fn mariadb_killed_at_every_point() {
    let Some(server) = servers::mariadb() else { return };
    for command in mariadb::COMMANDS {
        at_every_point(&mariadb::scene(server, command), few(command));
    }
}

#[test]
fn sqlite_killed_at_every_point() {
    let folder = tempfile::tempdir().unwrap();
    for command in sqlite::COMMANDS {
        at_every_point(&sqlite::scene(folder.path(), command), few(command));
    }
}
