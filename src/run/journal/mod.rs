//! What was done to a database, kept in the database itself. The only place that writes history.
//!
//! Four tables, in a schema of their own (PostgreSQL) or with a prefix (MySQL, SQLite): `meta` (format), `run` (one
//! row a run), `migration` (one row for each that is applied, or half applied), `statement` (the statements of a
//! migration that is under way without a transaction around it). Changes to them are additive; `meta` carries the
//! oldest format that may still write.
//!
//! `place` is where they stand, `tables` makes them; `read` gives a `history`, `write` the SQL for each `record`.

mod cursor;
mod history;
mod place;
mod read;
mod record;
mod tables;
mod write;

pub use cursor::Cursor;
pub use history::{AdoptedFrom, Applied, Confirmed, History, Live, OpenRun, State, StatementRow};
pub use place::Journal;
pub use record::{MigrationRecord, RunRecord, StoredDown};
pub use tables::{FORMAT, JournalError};
