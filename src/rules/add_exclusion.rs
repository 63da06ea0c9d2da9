//! Adding an exclusion constraint builds its index while everyone is kept out, and there is no other way.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "add-exclusion",
    Group::Lock,
    Severity::Error,
    POSTGRES,
    include_str!("add_exclusion.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (alter, TableAction::AddConstraint { constraint, .. }) = place.alter_of_table()? else { return None };
    if !matches!(constraint.kind, ConstraintKind::Exclude(_)) || !place.is_busy(&alter.table) {
        return None;
    }
    let shown = place.shown(&alter.table);
    Some(
        Draft::new(
            format!("adding an exclusion constraint to `{shown}` blocks reads and writes while its index is built"),
            format!("ACCESS EXCLUSIVE on `{shown}` during the build and two scans; it can neither be NOT VALID nor use an index that is there"),
        )
        .help("there is no online way: add it in a window in which nobody waits, or to a new table that rows are moved to"),
    )
}
