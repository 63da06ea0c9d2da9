//! All knowledge of dialects: one folder per engine, what a statement does (`lower`), and the questions that the
//! runner asks of any of them (`transaction`, `session`, `locks`).

pub mod locks;
pub mod mysql;
pub mod postgres;
pub mod read;
pub mod session;
pub mod sqlite;
pub mod transaction;

pub use locks::{LockMode, LockRequest, relations_locked, table_made, touches_rows_only};
pub use session::{
    LeftBehind, Resume, Scope, SessionChange, asks_for_the_last, inserts, keep, left_behind, only_session,
    put_back, resume, session_changes, user_variables,
};
pub use transaction::{
    Conflict, ConflictKind, TransactionControl, may_end_transactions, may_run_in_transaction,
    transaction_conflict, transaction_control,
};

use crate::dialect::Dialect;
use crate::schema::change::Change;

/// What the one statement `text` does, in order; nothing for an empty one. It never fails: what it cannot read
/// becomes [`crate::schema::change::ChangeKind::Opaque`].
pub fn lower(text: &str, dialect: Dialect) -> Vec<Change> {
    match dialect {
        Dialect::Postgres => postgres::lower::lower(text),
        Dialect::Sqlite => sqlite::lower::lower(text),
        Dialect::Mysql => mysql::lower::lower(text),
    }
}

/// Whether a rollback takes back what statements have done to the schema.
pub fn rolls_back_schema(dialect: Dialect) -> bool {
    match dialect {
        Dialect::Postgres | Dialect::Sqlite => true,
        // Each statement that changes the schema commits
        // (<https://dev.mysql.com/doc/refman/8.4/en/implicit-commit.html>).
        Dialect::Mysql => false,
    }
}
