//! Queries of the running code: their text without data (`normal`) but with the schema's own words (`constants`), what
//! they say as a small tree (`tree`, read by `lower`), and what the engines know of names that no migration makes
//! (`builtin`); the lists in MySQL's digests (`digest`), types for PostgreSQL's parameters (`parameters`), whether a check
//! takes a value (`check`), and what the parser does not read (`plainer`).

pub mod builtin;
pub mod check;
pub mod constants;
pub mod digest;
mod lower;
mod lower_expr;
mod lower_value;
pub mod normal;
pub mod parameters;
mod plainer;
pub mod tree;

pub use lower::{Unread, lower, lower_with};
