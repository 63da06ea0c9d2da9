//! SQL text to statements: where each one ends (`split`), and what
//! its comments tell us (`directive`). `lex` is the lexer that all of it, and whoever looks at SQL, uses;
//! `phrase` reads a statement word by word.

mod body;
mod cut;
pub mod directive;
pub mod lex;
mod lexer;
pub mod phrase;
mod scan;
pub mod split;
