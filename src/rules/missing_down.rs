//! A migration without a way back, in a folder whose migrations have one.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_migration(
    "missing-down",
    Group::Wrong,
    Severity::Warning,
    ALL_ENGINES,
    include_str!("missing_down.md"),
    find,
);

fn find(judged: &Judged<'_>) -> Vec<Draft> {
    if !judged.wants_down || judged.migration.down.is_some() || judged.migration.irreversible.is_some() {
        return Vec::new();
    }
    // What changes nothing needs no way back.
    if judged.steps.is_empty() {
        return Vec::new();
    }
    let draft =
        Draft::new("this migration has no way back", "a rollback stops here: nothing says how to undo it")
            .help("write its down, or say why there is none: `-- twostep: irreversible because …`")
            .at(At::File);
    vec![draft]
}
