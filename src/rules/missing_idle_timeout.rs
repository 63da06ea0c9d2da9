//! DDL without a limit on idle transactions, in a migration that another tool may run.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "missing-idle-timeout",
    Group::Style,
    Severity::Warning,
    POSTGRES,
    include_str!("missing_idle_timeout.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    // Once for each migration, at the first statement that needs it.
    if place.step.settings.contains_key("idle_in_transaction_session_timeout")
        || !needs(place)
        || is_told(place)
    {
        return None;
    }
    Some(
        Draft::new(
            "no idle_in_transaction_session_timeout is set in front of this",
            "a migration whose client hangs between two statements keeps its locks",
        )
        .help("SET idle_in_transaction_session_timeout = '30s';"),
    )
}

fn needs(place: &Place<'_>) -> bool {
    super::columns::locks(place)
}

/// Whether an earlier change of the migration has been told already.
fn is_told(place: &Place<'_>) -> bool {
    place.judged.places().take_while(|other| !std::ptr::eq(other.applied, place.applied)).any(|other| {
        !other.step.settings.contains_key("idle_in_transaction_session_timeout") && needs(&other)
    })
}
