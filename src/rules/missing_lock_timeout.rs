//! DDL without a lock_timeout, in a migration that another tool may run.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "missing-lock-timeout",
    Group::Style,
    Severity::Warning,
    POSTGRES,
    include_str!("missing_lock_timeout.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    // Once for each migration, at the first statement that needs it.
    if place.step.settings.contains_key("lock_timeout") || !needs(place) || is_told(place) {
        return None;
    }
    Some(
        Draft::new(
            "no lock_timeout is set in front of this",
            "a statement that waits for its lock makes everyone behind it wait as long as it takes",
        )
        .help("SET lock_timeout = '2s';"),
    )
}

fn needs(place: &Place<'_>) -> bool {
    super::columns::locks(place)
}

/// Whether an earlier change of the migration has been told already.
fn is_told(place: &Place<'_>) -> bool {
    place
        .judged
        .places()
        .take_while(|other| !std::ptr::eq(other.applied, place.applied))
        .any(|other| !other.step.settings.contains_key("lock_timeout") && needs(&other))
}
