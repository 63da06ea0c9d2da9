//! MySQL 8 and later, MariaDB 10.6 and later.

pub mod alone;
pub mod backfill;
pub mod catalog;
pub mod effects;
pub mod lacks;
pub mod lower;
pub mod proposal;
pub mod session;
pub mod statements;
pub mod transaction;
pub mod variables;
