//! The table locks that a statement takes, as far as its words tell: to ask for them without standing in a queue.

use super::postgres;
use crate::dialect::Dialect;
use crate::name::TableName;
use crate::sql::phrase::Phrase;

/// A table lock of PostgreSQL (<https://www.postgresql.org/docs/current/explicit-locking.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LockMode {
    /// Conflicts with schema changes, VACUUM and its like.
    ShareUpdateExclusive,
    /// Blocks writes.
    Share,
    /// Blocks writes, and itself.
    ShareRowExclusive,
    /// Blocks all.
    AccessExclusive,
}

impl LockMode {
    /// The words of `LOCK TABLE`.
    pub const fn sql(self) -> &'static str {
        match self {
            LockMode::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            LockMode::Share => "SHARE",
            LockMode::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            LockMode::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }
}

/// A lock that a statement takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockRequest {
    /// The table.
    pub table: TableName,
    /// The mode.
    pub mode: LockMode,
    /// `IF EXISTS`: the statement does not fail where the table is missing.
    pub if_exists: bool,
}

impl LockRequest {
    /// What asks for the lock without waiting, in an open transaction. A table that may be missing is asked for below
    /// the savepoint [`LockRequest::SAVEPOINT`], so that the transaction need not begin again without it.
    pub fn sql(&self) -> String {
        let table = self.table.quoted(Dialect::Postgres);
        let lock = format!("LOCK TABLE ONLY {table} IN {} MODE NOWAIT", self.mode.sql());
        let savepoint = Self::SAVEPOINT;
        if self.if_exists {
            format!("SAVEPOINT {savepoint}; {lock}; RELEASE SAVEPOINT {savepoint}")
        } else {
            lock
        }
    }

    /// Whether `sql` looks like one that [`LockRequest::sql`] has made.
    pub fn is_one(sql: &str) -> bool {
        sql.starts_with("LOCK TABLE ONLY ") && sql.ends_with(" MODE NOWAIT") || sql.ends_with(Self::SAVEPOINT)
    }

    /// The savepoint's name.
    pub const SAVEPOINT: &str = "twostep_lock";
}

/// The locks that `text` takes on relations that it names, the strongest for each. Only PostgreSQL has
/// `LOCK TABLE … NOWAIT`, so that the others have none. What is missing here is waited for under `lock_timeout`.
/// A relation may be missing, be none that can be locked (an index, a sequence, a materialized view, a
/// foreign table), or not be ours
/// to lock (`REFERENCES`): what `LOCK TABLE` then says means nothing.
pub fn relations_locked(text: &str, dialect: Dialect) -> Vec<LockRequest> {
    match dialect {
        Dialect::Postgres => postgres::locks::relations_locked(text),
        Dialect::Mysql | Dialect::Sqlite => Vec::new(),
    }
}

/// The table that `text` makes, which nobody else can hold a lock on. With `IF NOT EXISTS` it may be somebody's.
pub fn table_made(text: &str, dialect: Dialect) -> Option<TableName> {
    let mut phrase = Phrase::new(text, dialect);
    phrase.eats("create").then_some(())?;
    phrase.eats_any(&["unlogged", "temp", "temporary", "local temp", "local temporary"]);
    if !phrase.eats("table") || phrase.sees("if not") {
        return None;
    }
    phrase.table()
}

/// Whether `text` only reads or writes rows.
pub fn touches_rows_only(text: &str, dialect: Dialect) -> bool {
    let phrase = Phrase::new(text, dialect);
    // A query in parentheses.
    phrase.peek().is_some_and(|token| token.is_punct(b'('))
        || phrase.sees_any(&[
            "select", "insert", "update", "delete", "merge", "with", "values", "copy", "replace", "table",
        ])
}
