//! Queries of the running code: their text without data (`normal`), what they say as a small tree (`tree`, read by
//! `lower`), and what the engines know of names that no migration makes (`builtin`).

pub mod builtin;
mod lower;
mod lower_expr;
pub mod normal;
pub mod tree;

pub use lower::{Unread, lower};
