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

/// An edit that starts on line `line`.
pub fn draft(line: usize) -> Draft {
    Draft::new(
        "this migration was merged before, and is edited now",
        "databases that have applied it do not get the edit, and `twostep migrate` stops where an applied text has changed",
    )
    .help("put the file back as it was, and write what is new into a new migration")
    .at(At::Line(line))
}
