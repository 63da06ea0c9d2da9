//! SQLite 3.35 and later.

pub mod backfill;
pub mod catalog;
pub mod effects;
pub mod lower;
pub mod proposal;
pub mod session;
pub mod transaction;
