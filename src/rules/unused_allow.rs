//! An allow that silences nothing.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::elsewhere(
    "unused-allow",
    Group::Wrong,
    Severity::Warning,
    ALL_ENGINES,
    include_str!("unused_allow.md"),
);

/// An allow that the rule `name` does not need.
pub fn draft(name: &str) -> Draft {
    Draft::new(
        format!("nothing here is silenced by `allow {name}`"),
        "it may hide something that comes later",
    )
    .help("take it out")
}
