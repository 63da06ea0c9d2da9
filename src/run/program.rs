//! Migrations that are programs: run with the URL and the version in their environment, and little else.

use super::task::Direction;
use crate::db::url::DatabaseUrl;
use crate::source::Version;
use std::path::Path;
use tokio::process::Command;

/// Variables that a program may see of ours: where programs are, how text is written, where home and time zone are.
const KEPT: &[&str] = &["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"];

/// The program at `path`, in the environment that a migration sees.
pub(crate) fn command(path: &Path, url: &DatabaseUrl, version: &Version, direction: Direction) -> Command {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut command = Command::new(path);
    command.env_clear();
    for name in KEPT {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    let direction = match direction {
        Direction::Up => "up",
        Direction::Down => "down",
    };
    command
        .env("DATABASE_URL", url.expose())
        .env("TWOSTEP_VERSION", version.as_str())
        .env("TWOSTEP_DIRECTION", direction);
    command
}
