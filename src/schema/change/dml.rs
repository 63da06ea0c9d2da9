//! Changes of rows, explicit locks, maintenance, sessions and transactions.

use super::expr::{Expr, Query};
use crate::name::{Name, ObjectName, TableName};

/// `INSERT` and `REPLACE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insert {
    /// The table that is written.
    pub table: TableName,
    /// The columns that are named; empty where there is no list.
    pub columns: Vec<Name>,
    /// Where the rows come from.
    pub rows: InsertRows,
    /// `ON CONFLICT`, `ON DUPLICATE KEY`, `INSERT OR …`, `REPLACE`.
    pub on_conflict: Option<OnConflict>,
    /// What the statement reads, as a whole.
    pub query: Query,
}

/// Where the rows of an `INSERT` come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InsertRows {
    /// `VALUES`: so many rows.
    Values(usize),
    /// A query: as many as it gives.
    Query,
    /// `DEFAULT VALUES`.
    Default,
}

/// What an `INSERT` does about a row that is there already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnConflict {
    /// The columns of the unique index that must exist (`ON CONFLICT (a, b)`); empty where none are named.
    pub columns: Vec<Name>,
    /// `ON CONFLICT ON CONSTRAINT name`.
    pub constraint: Option<Name>,
    /// The columns that `DO UPDATE SET`, or `ON DUPLICATE KEY UPDATE`, sets, in order, also twice if they are.
    pub set: Vec<Name>,
}

/// `UPDATE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The table that is written; MySQL may write the others that it reads as well.
    pub table: TableName,
    /// The columns that are set, in order, also twice if they are.
    pub set: Vec<Name>,
    /// Whether it has a condition or a limit.
    pub bounded: bool,
    /// What the statement reads, as a whole.
    pub query: Query,
}

/// `DELETE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delete {
    /// The table that loses rows.
    pub table: TableName,
    /// Whether it has a condition or a limit.
    pub bounded: bool,
    /// What the statement reads, as a whole.
    pub query: Query,
}

/// `TRUNCATE` of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truncate {
    /// The table.
    pub table: TableName,
    /// `CASCADE`: the tables that reference it as well.
    pub cascade: bool,
    /// `RESTART IDENTITY`.
    pub restart_identity: bool,
    /// `ONLY`: without its partitions and children.
    pub only: bool,
}

/// `COPY`, `LOAD DATA`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyRows {
    /// The table; none for `COPY (query) TO`.
    pub table: Option<TableName>,
    /// The columns that are named.
    pub columns: Vec<Name>,
    /// Whether rows are written into the table.
    pub writes: bool,
}

/// `MERGE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// The table that is written.
    pub table: TableName,
    /// The columns that each `UPDATE SET` of it sets, in order, also twice if they are.
    pub set: Vec<Vec<Name>>,
    /// What the statement reads, as a whole.
    pub query: Query,
}

/// `SELECT`, `VALUES`, `TABLE`, and `WITH` around them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Select {
    /// What it reads and calls.
    pub query: Query,
    /// `FOR UPDATE` and its like: it locks the rows that it reads.
    pub locks_rows: bool,
}

/// `LOCK TABLE` of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockTable {
    /// The table.
    pub table: TableName,
    /// The mode in upper case: `ACCESS EXCLUSIVE`, `SHARE`, …; MySQL's `READ` and `WRITE`.
    pub mode: String,
    /// `NOWAIT`.
    pub nowait: bool,
}

/// `VACUUM` of one table, or of the whole database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vacuum {
    /// The table; none for all of them.
    pub table: Option<TableName>,
    /// `FULL`: the table is rewritten. SQLite's `VACUUM` is always full.
    pub full: bool,
    /// `ANALYZE` with it.
    pub analyze: bool,
}

/// How far a setting reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingScope {
    /// `SET`, `PRAGMA`: the session.
    Session,
    /// `SET LOCAL`: the transaction.
    Transaction,
    /// MySQL `SET GLOBAL`, `SET PERSIST`: the server.
    Server,
    /// A variable of the user (`SET @x := …`).
    UserVariable,
}

/// `SET name = value`, `PRAGMA name = value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetVariable {
    /// How far it reaches.
    pub scope: SettingScope,
    /// The setting in lower case (`lock_timeout`, `search_path`, `foreign_keys`).
    pub name: String,
    /// The values without quotes, in order; none for `DEFAULT` and for `RESET`.
    pub values: Vec<String>,
}

impl SetVariable {
    /// The value where there is exactly one.
    pub fn value(&self) -> Option<&str> {
        match self.values.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }
}

/// Where a transaction begins and ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransactionControl {
    /// `BEGIN`, `START TRANSACTION`.
    Begin,
    /// `COMMIT`, `END`; `chain` begins the next one at once.
    Commit {
        /// `AND CHAIN`.
        chain: bool,
    },
    /// `ROLLBACK`, `ABORT`.
    Rollback {
        /// `AND CHAIN`.
        chain: bool,
    },
    /// `SAVEPOINT`.
    Savepoint(Name),
    /// `RELEASE`.
    Release(Name),
    /// `ROLLBACK TO`.
    RollbackTo(Name),
    /// `PREPARE TRANSACTION`, `COMMIT PREPARED`, `ROLLBACK PREPARED`, `XA …`.
    TwoPhase,
    /// `SET TRANSACTION`, `SET CONSTRAINTS`, `SET SESSION CHARACTERISTICS`.
    Mode,
}

/// `CALL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRoutine {
    /// The procedure.
    pub name: ObjectName,
    /// Its arguments.
    pub arguments: Vec<Expr>,
}
