//! A migration that was merged, and so may be applied somewhere, is edited.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::elsewhere(
    "edited-after-applied",
    Group::Wrong,
    Severity::Error,
    ALL_ENGINES,
    include_str!("edited_after_applied.md"),
);
