//! DDL without a limit on idle transactions, in a migration that another tool may run.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_migration(
    "missing-idle-timeout",
    Group::Style,
    Severity::Warning,
    POSTGRES,
    include_str!("missing_idle_timeout.md"),
    find,
);

fn find(judged: &Judged<'_>) -> Vec<Draft> {
    // Once for each migration, at the first statement that needs it.
    let first = super::columns::first_lock_without(judged, "idle_in_transaction_session_timeout");
    let draft = |at| {
        Draft::new(
            "no idle_in_transaction_session_timeout is set in front of this",
            "a migration whose client hangs between two statements keeps its locks",
        )
        .help("SET idle_in_transaction_session_timeout = '30s';")
        .at(at)
    };
    first.map(draft).into_iter().collect()
}
