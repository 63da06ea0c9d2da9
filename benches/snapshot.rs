//! Reading a whole catalog through one session: beside `pg_dump --schema-only` and a `psql` that asks for nothing.
//!
//! `cargo bench --bench snapshot -- FOLDER` applies the migrations of FOLDER (without one, this repository's own) to a
//! PostgreSQL of its own and reads the catalog again and again, in turns with the others. `roundtrip` keeps its
//! session, so that a snapshot is what the session does; the others pay for a process and a connection each time,
//! which is what the row of `psql` shows. What counts are medians, since machines are noisy.

#![allow(clippy::unwrap_used, reason = "a bench that cannot measure stops")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints what it measured")]
#![allow(dead_code, unused_imports, reason = "the servers of the tests can do more than is needed here")]

/// The servers and the runs of the tests.
#[path = "../tests/it"]
mod it {
    pub mod servers;
    pub mod twostep;
    pub mod wait;
}

use it::twostep::Project;
use it::{servers, wait};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use twostep::db;
use twostep::db::session::ConnectOptions;
use twostep::db::url::DatabaseUrl;
use twostep::schema::catalog::CatalogOptions;

const ROUNDS: usize = 101;

fn median_ms(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e3
}

fn main() {
    // `cargo test --benches` asks for a list; there is nothing to list.
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    let Some(server) = servers::postgres() else {
        eprintln!("PostgreSQL is not on this machine: see scripts/test");
        return;
    };
    let folder = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let folder = folder.unwrap_or_else(|| "migrations".to_owned());
    let folder = Path::new(&folder).canonicalize().unwrap();
    let database = server.fresh_database();
    let project = Project::new();
    project
        .on(
            &database.url(),
            &["migrate", "-q", "--lock-timeout", "2s", "--migrations", folder.to_str().unwrap()],
        )
        .run()
        .expect(0);

    let (mut ours, mut dumps, mut nothings) = (Vec::new(), Vec::new(), Vec::new());
    let mut bytes = 0;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let url = DatabaseUrl::parse(&database.url()).unwrap();
        let mut session = db::connect(&url, &ConnectOptions::default()).await.unwrap();
        for _ in 0..ROUNDS {
            let started = Instant::now();
            let catalog = db::catalog::read(session.as_mut(), &CatalogOptions::default()).await.unwrap();
            ours.push(started.elapsed());
            bytes = catalog.to_text().len();
            dumps.push(client(server, &database, "pg_dump", &["--schema-only"]));
            nothings.push(client(server, &database, "psql", &["-qXc", "select 1"]));
        }
        session.close().await;
    });
    println!("{}: {bytes} bytes of catalog, {ROUNDS} rounds in turns, medians", folder.display());
    println!("{:30} {:>8}", "", "ms");
    println!("{:30} {:>8.1}", "snapshot, one session", median_ms(ours));
    println!("{:30} {:>8.1}", "pg_dump --schema-only", median_ms(dumps));
    println!("{:30} {:>8.1}", "psql -c 'select 1'", median_ms(nothings));
}

/// How long a client's process takes, with nobody reading what it says.
fn client(
    server: &servers::Postgres,
    database: &servers::postgres::Database<'_>,
    program: &str,
    arguments: &[&str],
) -> Duration {
    let mut command = server.client(program, &database.name);
    command.args(arguments).stdout(Stdio::null());
    let started = Instant::now();
    assert!(command.status().unwrap().success(), "{program} failed");
    started.elapsed()
}
