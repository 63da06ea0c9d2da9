//! What a statement does to a schema: data that no dialect shows through, made by `engine/*/lower.rs`.
//!
//! - `kind`: the list of changes, and those that concern any kind of object (drop, rename, grant, …).
//! - `table`: tables as they are made, columns, constraints; `alter`: what `ALTER TABLE` does to them.
//! - `object`: indexes, views, sequences, types, functions, triggers, policies.
//! - `dml`: rows, locks, sessions and transactions.
//! - `expr`: expressions, types and queries, as far as rules need them.

mod alter;
mod dml;
mod expr;
mod kind;
mod object;
mod table;

pub use alter::*;
pub use dml::*;
pub use expr::*;
pub use kind::*;
pub use object::*;
pub use table::*;
