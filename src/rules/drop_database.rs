//! Dropping a database in a migration takes everything.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "drop-database",
    Group::Compat,
    Severity::Error,
    ALL_ENGINES,
    include_str!("drop_database.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::Drop(drop) = place.kind() else { return None };
    (drop.object == ObjectKind::Database).then(|| {
        Draft::new(
            format!("dropping database `{}` in a migration", drop.name.name),
            "every application on it stops, and all rows are gone",
        )
        .help("`twostep db drop` drops a database of development or tests; in a migration it has no place")
    })
}
