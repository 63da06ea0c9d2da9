//! Rows of a detached partition or child vanish from the parent for the running code.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "detach-inheritance",
    Group::Compat,
    Severity::Warning,
    POSTGRES,
    include_str!("detach_inheritance.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (alter, action) = place.alter_of_table()?;
    let (child, parent) = match action {
        TableAction::DetachPartition { partition, finalize: false, .. } => (partition, &alter.table),
        TableAction::NoInherit { parent } => (&alter.table, parent),
        _ => return None,
    };
    if !place.is_used(child) || !place.is_used(parent) {
        return None;
    }
    Some(
        Draft::new(
            format!("the rows of `{}` vanish from `{}`", place.shown(child), place.shown(parent)),
            "queries of running code on the parent no longer see them, and inserts into their range fail",
        )
        .help("detach what no running code needs any more: say so with an allow"),
    )
}
