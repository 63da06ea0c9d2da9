//! Queries of the running code: their text without data (`normal`), what they say as a small tree (`tree`, read by
//! `lower`), and what the engines know of names that no migration makes (`builtin`); the lists in MySQL's digests
//! (`digest`), and types for PostgreSQL's parameters (`parameters`).

pub mod builtin;
pub mod digest;
mod lower;
mod lower_expr;
pub mod normal;
pub mod parameters;
pub mod tree;

pub use lower::{Unread, lower};
