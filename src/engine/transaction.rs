//! What a statement has to do with transactions, told by its words: for a runner that must know before it runs it.

use super::{mysql, postgres, sqlite};
use crate::dialect::Dialect;
use crate::name::Name;
use crate::sql::lex::significant;

/// Why a statement and a transaction do not go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conflict {
    /// In which way.
    pub kind: ConflictKind,
    /// What it is, in the words of the manual: `CREATE INDEX CONCURRENTLY`.
    pub what: &'static str,
    /// The page of the manual that says so.
    pub manual: &'static str,
}

/// In which way a statement and a transaction do not go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConflictKind {
    /// The server refuses it within a transaction.
    Refused,
    /// It commits the transaction before or after it runs.
    Commits,
    /// It may commit the transaction: what it runs is not in its text.
    MayCommit,
    /// The server accepts it within a transaction, and nothing happens.
    NoEffect,
}

/// Whether `text` does within a transaction what it says, and leaves the transaction open.
pub fn may_run_in_transaction(text: &str, dialect: Dialect) -> bool {
    transaction_conflict(text, dialect).is_none()
}

/// Why `text` cannot be run within a transaction; none if it can. Transaction control is told by
/// [`transaction_control`] instead. What only the catalog knows is not seen here (on PostgreSQL `REINDEX TABLE`,
/// `REINDEX INDEX` and `CLUSTER` of something partitioned, `CALL` of a procedure that commits): the server then
/// refuses it, and nothing has happened.
pub fn transaction_conflict(text: &str, dialect: Dialect) -> Option<Conflict> {
    match dialect {
        Dialect::Postgres => postgres::transaction::conflict(text),
        Dialect::Mysql => mysql::transaction::conflict(text),
        Dialect::Sqlite => sqlite::transaction::conflict(text),
    }
}

/// Whether `text` may end transactions by itself, which it can only do outside of ours: PostgreSQL's `CALL`, whose
/// body is not in the text, and a `DO` block that says COMMIT or ROLLBACK
/// (<https://www.postgresql.org/docs/current/plpgsql-transactions.html>).
pub fn may_end_transactions(text: &str, dialect: Dialect) -> bool {
    if dialect != Dialect::Postgres {
        return false;
    }
    let first = significant(text, dialect).next();
    let is = |word: &str| first.is_some_and(|token| token.is_word(text, word));
    let says = |word: &str| text.to_ascii_uppercase().contains(word);
    is("call") || is("do") && (says("COMMIT") || says("ROLLBACK"))
}

/// A statement that begins, ends or marks a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransactionControl {
    /// `BEGIN`, `START TRANSACTION`.
    Begin,
    /// `COMMIT`, `END`.
    Commit {
        /// `AND CHAIN`: the next transaction begins at once.
        chain: bool,
    },
    /// `ROLLBACK`, `ABORT`.
    Rollback {
        /// `AND CHAIN`: the next transaction begins at once.
        chain: bool,
    },
    /// `SAVEPOINT name`.
    Savepoint(Name),
    /// `RELEASE [SAVEPOINT] name`.
    ReleaseSavepoint(Name),
    /// `ROLLBACK TO [SAVEPOINT] name`.
    RollbackTo(Name),
    /// PostgreSQL's `PREPARE TRANSACTION`: it takes the transaction away from the session.
    PrepareTransaction,
    /// PostgreSQL's `COMMIT PREPARED`.
    CommitPrepared,
    /// PostgreSQL's `ROLLBACK PREPARED`.
    RollbackPrepared,
    /// `SET TRANSACTION …`: of the current transaction, on MySQL of the next one.
    SetTransaction,
    /// MySQL's `SET autocommit = …`.
    Autocommit {
        /// Whether it is switched on, which commits; none where the value is not plain.
        on: Option<bool>,
    },
    /// MySQL's `XA …`.
    Xa,
}

/// What `text` does to the transaction that it is run in; none if it does nothing to it.
pub fn transaction_control(text: &str, dialect: Dialect) -> Option<TransactionControl> {
    match dialect {
        Dialect::Postgres => postgres::transaction::control(text),
        Dialect::Mysql => mysql::transaction::control(text),
        Dialect::Sqlite => sqlite::transaction::control(text),
    }
}
