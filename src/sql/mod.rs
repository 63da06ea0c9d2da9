//! SQL text to statements: where each one ends (`split`, and `reader` for what is too large to be held), and what
//! its comments tell us (`directive`). `lex` is the lexer that all of it, and whoever looks at SQL, uses;
//! `phrase` reads a statement word by word.

mod body;
mod cut;
pub mod directive;
pub mod lex;
mod lexer;
pub mod phrase;
pub mod reader;
mod scan;
pub mod split;
