//! An allow that names no rule there is.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::elsewhere(
    "unknown-rule",
    Group::Wrong,
    Severity::Warning,
    ALL_ENGINES,
    include_str!("unknown_rule.md"),
);

/// An allow of a rule called `name`.
pub fn draft(name: &str) -> Draft {
    let known = super::RULES.iter().map(|rule| rule.id);
    let draft =
        Draft::new(format!("there is no rule `{name}`"), "what it was meant to silence is not silenced");
    match crate::text::nearest(name, known) {
        Some(near) => draft.help(format!("did you mean `{near}`?")),
        None => draft.help("`twostep explain` lists all rules"),
    }
}
