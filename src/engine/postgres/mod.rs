//! What is particular to PostgreSQL.

pub mod alone;
pub mod lower;
