//! The disk is full, with a little room left or none: the run says so and what to do; with room again it goes on.

use std::cell::RefCell;

use super::scene::Scene;
use super::{Tally, chosen, is_long, mariadb, postgres, sqlite};
use crate::client::Client;
use crate::servers::{MariaDb, Postgres, postgres::Recipe, required};
use crate::twostep::Run;

/// Room that is left on the disk, in KiB: from enough for a part of the work to none.
const ROOM_KIB: [usize; 6] = [512, 256, 128, 64, 32, 0];

/// What it says where it could not go on.
fn says_so(said: &str, what: &str) {
    assert!(said.contains("make room"), "{what}: it does not say what to do:\n{said}");
}

/// Runs the scene's command with each room; `fill` leaves so much, and `free` gives it all back.
fn full(scene: &Scene<'_>, fill: &dyn Fn(usize), free: &dyn Fn(), few: usize) {
    let mut tally = Tally::new("disk full", scene, ROOM_KIB.len());
    let mut refused = 0;
    for number in chosen(ROOM_KIB.len(), few) {
        let place = scene.place();
        let what = format!("{} KiB left", ROOM_KIB[number - 1]);
        fill(ROOM_KIB[number - 1]);
        let disturbed = scene.run(&place.url).run();
        free();
        if disturbed.code() != 0 {
            says_so(&disturbed.stderr, &what);
            refused += 1;
        }
        scene.is_honest(&place, &disturbed, &what);
        scene.completes(&place, &what, &disturbed.stderr);
        tally.survived();
    }
    // What takes something away may need no room.
    assert!(refused > 0 || scene.command != "migrate", "there was always room: {}", scene.engine);
}

/// None where this machine does not let us mount one.
fn small_postgres() -> Option<Postgres> {
    let can = std::process::Command::new("unshare")
        .args(["-rm", "unshare", "-U", "--map-user=1000", "true"])
        .status();
    let recipe = Recipe { small_disk_bytes: 48 << 20, ..Recipe::default() };
    can.is_ok_and(|status| status.success()).then(|| Postgres::start_as(&recipe)).flatten()
}

#[test]
fn postgres_disk_full() {
    let Some(server) = required("PostgreSQL on a disk of its own", small_postgres()) else { return };
    let folder = server.folder().join("small");
    server.psql("postgres", &format!("create tablespace small location '{}'", folder.display()));
    server.psql("postgres", "create database filler tablespace small");
    // No session can begin on a full disk: this one stays.
    let client = RefCell::new(Client::connect(&server.url("filler"), "filler"));
    let run = |sql: &str| client.borrow_mut().try_run(sql);
    let rows = |table: &str, kib: usize| {
        // About a page each, so that little is left over.
        run(&format!("insert into {table} select repeat('x', 7000) from generate_series(1, {})", kib / 8))
    };
    let fill = |room: usize| {
        for table in ["room", "rest"] {
            run(&format!(
                "create table {table} (a text); alter table {table} alter column a set storage plain"
            ))
            .unwrap();
        }
        rows("room", room).unwrap();
        // The pages of what could not be written stay, down to the last one.
        for kib in [64 << 10, 1 << 10, 64, 8] {
            while rows("rest", kib).is_ok() {}
        }
        run("drop table room").unwrap();
    };
    let free = || run("drop table if exists room, rest").unwrap();
    for command in postgres::COMMANDS {
        let scene = postgres::scene_in(&server, command, " tablespace small");
        full(&scene, &fill, &free, 2);
    }
}

#[test]
fn mariadb_disk_full() {
    // All tables are in one file that may not grow for ever: to the server, that is a disk.
    // What a DROP has to write goes elsewhere.
    let settings = "innodb-undo-tablespaces = 2\ninnodb-file-per-table = 0\ninnodb-data-file-path = ibdata1:12M:autoextend:max:28M\n\
                    innodb-autoextend-increment = 1";
    let Some(server) = required("MariaDB", MariaDb::start(settings)) else { return };
    let filler = server.fresh_database();
    let rows = |kib: usize| {
        filler.try_mysql(&format!(
            "insert into rest select repeat('x', 8000) from seq_1_to_{}",
            (kib / 8).max(1)
        ))
    };
    let fill = |room: usize| {
        filler.mysql("create table room (a text); create table rest (a text)");
        filler.mysql(&format!("insert into room select repeat('x', 8000) from seq_0_to_{}", room / 8));
        for kib in [4 << 10, 512, 64, 8] {
            while rows(kib).is_ok() {}
        }
        // What is left over between the tables' own pages is taken by small ones.
        for number in 0.. {
            if filler.try_mysql(&format!("create table small_{number} (a int)")).is_err() {
                break;
            }
        }
        filler.mysql("drop table room");
    };
    let free = || {
        for table in filler.mysql("show tables").lines() {
            filler.mysql(&format!("drop table {table}"));
        }
    };
    // To fill it takes long.
    for command in mariadb::COMMANDS.iter().take(if is_long() { usize::MAX } else { 1 }) {
        let scene = mariadb::scene(&server, command);
        full(&scene, &fill, &free, 2);
    }
}

/// A file that may only grow by so much; what the system says then is what it says on a full disk, in other words.
fn limited(scene: &Scene<'_>, url: &str, blocks: u64) -> Run {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let arguments = [&["-c", &script, env!("CARGO_BIN_EXE_twostep")][..], &scene.arguments].concat();
    Run::new("sh", &scene.project.path("."), &arguments).env("DATABASE_URL", url).env("TWOSTEP_LOG", "text")
}

#[test]
fn sqlite_disk_full() {
    /// Of `ulimit -f`, as POSIX has it.
    const BLOCK_BYTES: u64 = 512;
    let folder = tempfile::tempdir().unwrap();
    for command in sqlite::COMMANDS {
        let scene = sqlite::scene(folder.path(), command);
        let size = |path: &str| std::fs::metadata(path).map_or(0, |file| file.len()) / BLOCK_BYTES;
        let place = scene.place();
        let from = size(&place.name).min(8);
        scene.run(&place.url).run().expect(0);
        let to = size(&place.name);
        let limits: Vec<u64> = (from..to.max(from + 1)).step_by(4).collect();
        let mut tally = Tally::new("disk full", &scene, limits.len());
        for number in chosen(limits.len(), 8) {
            let place = scene.place();
            let limit = limits[number - 1];
            let what = format!("files of at most {limit} blocks");
            let disturbed = limited(&scene, &place.url, limit).run();
            if disturbed.code() != 0 {
                says_so(&disturbed.stderr, &what);
            }
            scene.is_honest(&place, &disturbed, &what);
            scene.completes(&place, &what, &disturbed.stderr);
            tally.survived();
        }
    }
}
