//! CLUSTER writes the table anew while everyone is kept out.

use super::prelude::*;

/// The rule.
pub static RULE: Rule =
    Rule::on_change("cluster", Group::Lock, Severity::Error, POSTGRES, include_str!("cluster.md"), find);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::Cluster { table, .. } = place.kind() else { return None };
    if table.as_ref().is_some_and(|table| !place.is_busy(table)) {
        return None;
    }
    let what = table.as_ref().map_or_else(
        || "every table that was clustered before".to_owned(),
        |table| format!("`{}`", place.shown(table)),
    );
    Some(
        Draft::new(
            format!("CLUSTER blocks reads and writes of {what} until it is done"),
            "ACCESS EXCLUSIVE while the table and its indexes are written anew; later writes are not kept in order",
        )
        .help("pg_repack orders a table without the lock"),
    )
}
