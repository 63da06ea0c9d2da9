//! What is particular to PostgreSQL.

pub mod alone;
mod body;
pub mod catalog;
pub mod locks;
pub mod lower;
pub mod session;
pub mod transaction;

use body::body;
