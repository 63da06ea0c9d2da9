//! DDL without a statement_timeout, in a migration that another tool may run.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_migration(
    "missing-statement-timeout",
    Group::Style,
    Severity::Warning,
    POSTGRES,
    include_str!("missing_statement_timeout.md"),
    find,
);

fn find(judged: &Judged<'_>) -> Vec<Draft> {
    // Once for each migration, at the first statement that needs it.
    let first = super::columns::first_lock_without(judged, "statement_timeout");
    let draft = |at| {
        Draft::new(
            "no statement_timeout is set in front of this",
            "a statement that takes longer than anyone thought holds its locks as long as it runs",
        )
        .help("SET statement_timeout = '60s';")
        .at(at)
    };
    first.map(draft).into_iter().collect()
}
