//! What is particular to PostgreSQL.

pub mod alone;
pub mod backfill;
mod body;
pub mod catalog;
pub mod effects;
pub mod locks;
pub mod lower;
pub mod proposal;
pub mod session;
pub mod statements;
pub mod transaction;

use body::body;
