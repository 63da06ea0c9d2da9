//! An unlogged table is empty after a crash, and not on replicas.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "unlogged-table",
    Group::Style,
    Severity::Warning,
    POSTGRES,
    include_str!("unlogged_table.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::CreateTable(create) = place.kind() else { return None };
    (create.persistence == Persistence::Unlogged).then(|| {
        Draft::new(
            format!("table `{}` is unlogged", place.shown(&create.table)),
            "after a crash of the server it is empty, and a replica that takes over has none of its rows",
        )
        .help("leave UNLOGGED out, unless the rows can be had again")
    })
}
