//! Real servers, started by the first test that asks for them and shared by all others of this process.
//!
//! Each runs under an unprivileged user, on a free port of its own, in a temporary folder, below a supervisor that
//! removes it when this process is gone. A server of the machine is never touched.

mod certificates;
pub mod mariadb;
pub mod pgbouncer;
pub mod postgres;
mod standby;
mod supervisor;
mod tls;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

pub use mariadb::{MariaDb, mariadb};
pub use pgbouncer::{PgBouncer, PoolMode, pgbouncer};
pub use postgres::{Postgres, postgres};
pub use standby::standby;
pub use tls::{Certificate, postgres_with_tls};

/// The administrator's password on every server here. A URL has to escape some of it.
const PASSWORD: &str = "s3cret/of:the@tests";

/// Passes `found` on. A server whose programs are not on this machine fails the test in CI; elsewhere it skips the
/// test, and says so past the test runner's capture.
pub fn required<T>(server: &str, found: Option<T>) -> Option<T> {
    if found.is_none() {
        assert!(
            std::env::var_os("CI").is_none_or(|ci| ci.is_empty()),
            "{server} is not on this machine, and CI runs every test: see scripts/test"
        );
        let test = test_name();
        let line =
            format!("\nSKIPPED: {test} needs {server}, which is not on this machine: see scripts/test\n");
        tell(&line);
    }
    found
}

/// Says something past the test runner's capture: what was measured, or why a test is skipped.
pub fn tell(line: &str) {
    std::io::stderr().write_all(line.as_bytes()).expect("standard error takes a line");
}

/// The running test, as the test runner names its thread.
fn test_name() -> String {
    std::thread::current().name().unwrap_or("a test").to_owned()
}

/// A name for a database or a role that is unique in this process, and says which test it belongs to.
pub fn fresh_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let test = test_name().replace(|c: char| !c.is_ascii_lowercase(), "_");
    let test = &test[test.len().saturating_sub(40)..];
    format!("it_{}_{}", COUNT.fetch_add(1, Ordering::Relaxed), test)
}

/// The URL of a database on a server of ours.
fn url(scheme: &str, role: &str, password: &str, port: u16, database: &str) -> String {
    let mut url = url::Url::parse(&format!("{scheme}://127.0.0.1")).expect("it is one");
    url.set_port(Some(port)).expect("it has a host");
    url.set_username(role).expect("it has a host");
    url.set_password(Some(password)).expect("it has a host");
    url.set_path(database);
    url.into()
}

/// The first folder of `folders` that holds `program`, else the one on `PATH`, as the program's own path.
fn find_program(program: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path);
    let usual = ["/usr/sbin", "/usr/bin", "/usr/libexec"].map(PathBuf::from);
    folders.iter().cloned().chain(on_path).chain(usual).map(|f| f.join(program)).find(|p| p.is_file())
}

/// A command that sees nothing of this process's environment but where programs are.
fn clean_command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("LC_ALL", "C")
        .env("TZ", "UTC");
    command
}

/// Runs a client and gives what it printed without the last line end, or what it complained about.
fn run_client(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(std::process::Stdio::null()).output().expect("the client starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end_matches('\n').to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}
