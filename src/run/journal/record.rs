//! What is written of a run and of a migration.

use crate::db::session::Backend;
use crate::schema::breaks::BreaksOlder;
use crate::source::{Checksum, Version};

/// What is written of a run when it begins.
#[derive(Debug, Clone)]
pub struct RunRecord {
    /// Its number.
    pub id: i64,
    /// `migrate` or `rollback`.
    pub command: String,
    /// The release that it belongs to.
    pub release: Option<String>,
    /// Who runs it: role and host.
    pub by: String,
    /// Its backend.
    pub backend: Backend,
}

/// What is written of a migration.
#[derive(Debug, Clone)]
pub struct MigrationRecord {
    /// Its version.
    pub version: Version,
    /// Its name.
    pub name: String,
    /// `versioned`, `repeatable` or `baseline`.
    pub kind: &'static str,
    /// Checksum of what is run.
    pub checksum: Checksum,
    /// Whether it breaks older code.
    pub breaks_older: BreaksOlder,
    /// Its place in the order of application.
    pub sequence: i64,
    /// The run.
    pub run_id: i64,
    /// The release.
    pub release: Option<String>,
    /// Who: role and host.
    pub by: String,
    /// The SQL that takes it back, with its form.
    pub down: Option<StoredDown>,
    /// The tool whose history it was taken over from.
    pub adopted_from: Option<String>,
}

/// A down as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDown {
    /// The text; a JSON array of statements where `separated`.
    pub sql: String,
    /// Whether its format had separated the statements.
    pub separated: bool,
    /// Whether they share a transaction.
    pub transaction: bool,
}
