//! Why a run stops.

use super::adopt::mirror::MirrorError;
use super::journal::{Applied, JournalError};
use super::pending::Edited;
use super::script::ScriptProblem;
use crate::db::error::DbError;
use crate::db::session::Blocker;
use crate::source::Version;

/// Where in a migration something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The migration: version and name.
    pub migration: String,
    /// The file, as it is shown.
    pub file: String,
    /// Line of the statement, from 1; of the exact place where the server names one.
    pub line: usize,
    /// Number of the statement, from 1; 0 where it is about the migration as a whole.
    pub statement: usize,
    /// How many statements there are; 0 where that is not known.
    pub of: usize,
    /// The first words of the statement.
    pub title: String,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "migration {}", self.migration)?;
        match (self.statement, self.of) {
            (0, _) => Ok(()),
            (number, 0) => write!(f, ", statement {number}"),
            (number, of) => write!(f, ", statement {number} of {of}"),
        }
    }
}

/// Why a run stops.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RunError {
    /// The server cannot be reached, or refuses us.
    #[error("cannot connect to {url}: {error}")]
    Connect {
        /// The database, without its password.
        url: String,
        /// Why.
        #[source]
        error: DbError,
    },
    /// The history cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Another tool has migrated this database, and its history was not taken over.
    #[error("this database has the history of {tool}, and none of twostep")]
    OtherHistory {
        /// The tool.
        tool: &'static str,
        /// Its table.
        table: String,
        /// How many migrations it names.
        count: usize,
    },
    /// The old tool's table cannot be kept in step.
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    /// Scripts that are not run at all.
    #[error("{} in the scripts that are to be run", counted(.0.len(), "problem"))]
    Scripts(Vec<ScriptProblem>),
    /// Applied migrations whose files are others now.
    #[error("{} edited after being applied", were(.0.len(), "migration"))]
    Edited(Vec<Edited>),
    /// A file that is not applied has the text of an applied migration that is not among the files any more.
    #[error(
        "{pending} has the text of {applied}, which is applied and has no file any more: was it renamed?"
    )]
    Renamed {
        /// The new one.
        pending: String,
        /// Its file.
        path: String,
        /// The applied one.
        applied: String,
    },
    /// The database is ahead of the files with what breaks this code.
    #[error("the database is ahead of these files by {}, and this code breaks on it", counted(.0.len(), "migration"))]
    Ahead(Vec<Applied>),
    /// A migration stands behind a contract that is held, and touches what that touches.
    #[error("migration {migration} stands behind {contract}, which is held")]
    Held {
        /// The contract.
        contract: String,
        /// The migration behind it.
        migration: String,
        /// What both touch.
        clash: String,
        /// Why the contract is held.
        why: String,
    },
    /// A backfill stands behind what is not applied yet.
    #[error("migration {migration} fills rows behind {before}, which is not applied yet")]
    NotYet {
        /// The backfill.
        migration: String,
        /// What comes first.
        before: String,
    },
    /// A process fills rows of what is to be taken back.
    #[error("`twostep backfill` is filling rows")]
    BackfillRuns,
    /// New migrations stand before applied ones.
    #[error("new migrations stand before applied ones: {}", .0.len())]
    OutOfOrder(Vec<String>),
    /// A version that is not there.
    #[error("there is no migration {version}")]
    NoSuchVersion {
        /// What was asked for.
        version: Version,
        /// The last one that is there.
        last: Option<Version>,
    },
    /// What was asked for cannot be rolled back.
    #[error("{0}")]
    NoRollback(String),
    /// There is no way back from a migration.
    #[error("migration {migration} cannot be rolled back")]
    Irreversible {
        /// Version and name.
        migration: String,
        /// Why.
        why: String,
    },
    /// A migration is half applied or half taken back, which has to be settled first.
    #[error("migration {migration} is half {state}")]
    Half {
        /// Version and name.
        migration: String,
        /// `applied` or `taken back`.
        state: &'static str,
        /// What is done next.
        help: String,
    },
    /// The database only allows reads.
    #[error("the database cannot be written: {0}")]
    ReadOnly(String),
    /// A pooler that hands out servers by the transaction.
    #[error("the connection goes through a pooler that hands out servers by the transaction: {0}")]
    Pooler(String),
    /// Another run has the lock.
    #[error("another run has the lock, and had it for all of {waited_s} s")]
    RunLock {
        /// How long we waited.
        waited_s: u64,
        /// Who has it.
        holder: Option<Blocker>,
        /// What the journal says of it.
        run: Option<String>,
    },
    /// A lock on a table was not there in time.
    #[error("{place}: no lock{on} in {waited_s} s ({tries} tries)")]
    TableLock {
        /// Where.
        place: Place,
        /// ` on TABLE`, where it is known.
        on: String,
        /// How long we tried.
        waited_s: u64,
        /// How often.
        tries: u32,
        /// Who is in the way.
        blockers: Vec<Blocker>,
        /// The server's words.
        error: DbError,
    },
    /// The server refused a statement.
    #[error("{place}: {error}")]
    Statement {
        /// Where.
        place: Place,
        /// Why.
        #[source]
        error: DbError,
    },
    /// What is written of a migration could not be written or committed.
    #[error("{place}: {error}")]
    Commit {
        /// Where.
        place: Place,
        /// Why.
        #[source]
        error: DbError,
    },
    /// A program failed.
    #[error("{place}: {program} {how}")]
    Program {
        /// Where.
        place: Place,
        /// The program.
        program: String,
        /// How it ended.
        how: String,
    },
    /// A file cannot be read any more.
    #[error("{place}: {why}")]
    File {
        /// Where.
        place: Place,
        /// Why.
        why: String,
    },
    /// The migration switched the role, in a way that its text does not show.
    #[error("{place}: it switches the role")]
    Role {
        /// Where.
        place: Place,
        /// The role at its end.
        role: String,
    },
    /// The migration, or somebody else, ended our transaction or our lock.
    #[error("{place}: the migration's transaction, or the lock of this run, was ended while it ran")]
    Fenced {
        /// Where.
        place: Place,
    },
    /// An index that is not ours is invalid.
    #[error("{place}: {what}")]
    Invalid {
        /// Where.
        place: Place,
        /// What is wrong.
        what: String,
        /// What to do.
        help: String,
    },
    /// A statement that this server does not understand.
    #[error("{place}: {what}")]
    NotUnderstood {
        /// Where.
        place: Place,
        /// What it lacks.
        what: String,
    },
    /// A migration that is half applied needs what ended with the session that began it.
    #[error("{place}: this statement is done, and what it left in its session ended with that session")]
    SessionGone {
        /// Where.
        place: Place,
    },
    /// The connection broke.
    #[error("the connection to the database broke: {0}")]
    Lost(DbError),
    /// What a broken-off try of a statement left behind could not be cleared away in time.
    #[error("{place}: what an earlier try of it left behind could not be cleared away in {waited_s} s")]
    LeftBehind {
        /// Where.
        place: Place,
        /// How long it was tried.
        waited_s: u64,
        /// Who was in the way.
        blockers: Vec<Blocker>,
        /// The server's words.
        error: DbError,
    },
    /// What a statement came to cannot be told.
    #[error("{place}: nobody can tell whether this statement was carried out")]
    Uncertain {
        /// Where.
        place: Place,
        /// What is known.
        known: String,
    },
    /// The server does not answer after it was asked to stop.
    #[error("the server has not stopped the statement yet")]
    NotAnswering,
    /// A signal asked us to stop.
    #[error("stopped by a signal")]
    Interrupted,
}

/// `1 problem`, `2 problems`.
fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// `1 migration was`, `2 migrations were`.
fn were(count: usize, what: &str) -> String {
    format!("{} {}", counted(count, what), if count == 1 { "was" } else { "were" })
}
