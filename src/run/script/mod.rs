//! A migration's script as the pieces in which it is run. Pure.
//!
//! `prepare` reads its `statement`s and cuts them into pieces: `piece` where a transaction holds what it has to, on MySQL
//! `autocommit`. `problem` is what would go wrong before anything was done.

mod autocommit;
mod piece;
mod prepare;
mod problem;
mod statement;

pub use piece::Piece;
pub use prepare::{Prepared, ScriptOptions, Work, prepare};
pub use problem::ScriptProblem;
pub use statement::{Statement, Text, Traits, title};
