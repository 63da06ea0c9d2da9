//! DDL without a lock_timeout, in a migration that another tool may run.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_migration(
    "missing-lock-timeout",
    Group::Style,
    Severity::Warning,
    POSTGRES,
    include_str!("missing_lock_timeout.md"),
    find,
);

fn find(judged: &Judged<'_>) -> Vec<Draft> {
    // Once for each migration, at the first statement that needs it.
    let first = super::columns::first_lock_without(judged, "lock_timeout");
    let draft = |at| {
        Draft::new(
            "no lock_timeout is set in front of this",
            "a statement that waits for its lock makes everyone behind it wait as long as it takes",
        )
        .help("SET lock_timeout = '2s';")
        .at(at)
    };
    first.map(draft).into_iter().collect()
}
