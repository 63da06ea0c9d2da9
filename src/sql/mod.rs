//! SQL text to statements: where each one ends (`split`), and what its comments tell us (`directive`).

pub mod directive;
pub mod split;
