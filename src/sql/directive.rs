//! `-- twostep: …` comments: instructions that a migration carries for us.

use crate::text::Span;

/// One `-- twostep: name key=value … [because REASON]` comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// The first word: `no-transaction`, `allow`, `irreversible`, `exec`, `lock-timeout`, ….
    pub name: String,
    /// The words behind it, up to `because`; a quoted word stands without its quotes.
    pub words: Vec<String>,
    /// What stands behind `because`.
    pub because: Option<String>,
    /// The whole comment.
    pub span: Span,
}
