//! VACUUM FULL writes the table anew while everyone is kept out.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "vacuum-full",
    Group::Lock,
    Severity::Error,
    POSTGRES,
    include_str!("vacuum_full.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::Vacuum(vacuum) = place.kind() else { return None };
    if !vacuum.full || vacuum.table.as_ref().is_some_and(|table| !place.is_busy(table)) {
        return None;
    }
    let what = vacuum
        .table
        .as_ref()
        .map_or_else(|| "all tables".to_owned(), |table| format!("`{}`", place.shown(table)));
    Some(
        Draft::new(
            format!("VACUUM FULL blocks reads and writes of {what} until it is done"),
            "ACCESS EXCLUSIVE while the table and its indexes are written anew",
        )
        .help(
            "plain VACUUM gives the space to new rows; pg_repack gives it back to the disk without the lock",
        ),
    )
}
