//! Why there is no round trip, and what to do.

use super::wish::UNTOUCHED;
use crate::cli::exit::Exit;
use crate::cli::printer::Report;
use crate::db::error::DbErrorClass;
use crate::db::scratch::ScratchError;
use crate::dialect::Dialect;
use crate::roundtrip::run::RoundtripError;

/// There is nowhere to make it.
pub fn no_place(error: &ScratchError) -> Report {
    let message = error.to_string();
    match error {
        ScratchError::NoPrograms { dialect, names } => {
            let package = match dialect {
                Dialect::Postgres => "postgresql",
                Dialect::Mysql | Dialect::Sqlite => "mariadb-server",
            };
            Report::new(Exit::Usage, message)
                .why(format!(
                    "`{}` and `{}` are neither on the PATH nor where packages put them, and no server is named",
                    names[0], names[1]
                ))
                .state(UNTOUCHED)
                .help(format!("install the package `{package}`: only its programs are used, in a temporary folder"))
                .help("or name a server on which databases may be made: --scratch-url, $TWOSTEP_SCRATCH_URL")
        }
        ScratchError::NotStarted { why, .. } => {
            let last: Vec<&str> = why.lines().rev().take(5).collect();
            let last: Vec<&str> = last.into_iter().rev().collect();
            Report::new(Exit::NoAccess, message).why(last.join("\n")).state(UNTOUCHED)
        }
        ScratchError::Server { error, .. } => {
            let report = Report::new(Exit::NoAccess, message).why(error.to_string()).state(UNTOUCHED);
            match error.class {
                DbErrorClass::PermissionDenied => report
                    .help("it takes the right to make databases: on PostgreSQL `alter role NAME createdb`"),
                _ => report,
            }
        }
        ScratchError::Folder { error, .. } => {
            Report::new(Exit::NoAccess, message).why(error.to_string()).state(UNTOUCHED)
        }
    }
}

/// It ended before there were findings.
pub fn broken(error: &RoundtripError) -> Report {
    const REMOVED: &str = "the scratch databases are removed, nothing else changed";
    match error {
        RoundtripError::Scratch(error) => no_place(error).state(REMOVED),
        RoundtripError::Prelude(why) => Report::new(Exit::Usage, "the prelude cannot be run")
            .why(why.to_string())
            .state(REMOVED)
            .help("it is run in an empty database before the first migration, in one transaction"),
        RoundtripError::NotRepeatable { .. } => Report::new(Exit::Findings, error.to_string())
            .why("a database has to be made anew where a down does not undo its up, and cannot be")
            .state(REMOVED)
            .help("what an up makes beside its database (roles, files) must not be in its way the next time"),
        RoundtripError::UpFails { .. } => Report::new(Exit::Findings, error.to_string())
            .state(REMOVED)
            .help("what no migration makes (roles, extensions, other tools' tables) comes from prelude.sql"),
        RoundtripError::Database(_) | RoundtripError::NoCopy => {
            Report::new(Exit::NoAccess, error.to_string()).state(REMOVED)
        }
    }
}
