//! What the grammars of the three dialects have in common: tokens, names, expressions, queries, changes of rows.
//!
//! DDL is read from tokens, not from a parser's tree: each action has its exact place, each expression its own text,
//! and one wrong word does not hide the rest.

pub mod condition;
pub mod constraint;
pub mod cursor;
pub mod dml;
pub mod expr;
mod from;
pub mod functions;
pub mod literal;
pub mod query;
pub mod words;
