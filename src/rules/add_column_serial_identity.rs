//! A new serial or identity column makes the server write the whole table anew.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "add-column-serial-identity",
    Group::Lock,
    Severity::Error,
    POSTGRES,
    include_str!("add_column_serial_identity.md"),
    find,
)
.splitting();

fn find(place: &Place<'_>) -> Option<Draft> {
    let (alter, TableAction::AddColumn { column, .. }) = place.alter_of_table()? else { return None };
    let what = match column.generation {
        Some(Generation::Serial) => "serial",
        Some(Generation::Identity(_)) => "identity",
        _ => return None,
    };
    if place.is_skipped() || !place.is_busy(&alter.table) {
        return None;
    }
    let shown = place.shown(&alter.table);
    Some(Draft::new(
        format!("new {what} column `{}` rewrites `{shown}`", column.name),
        format!(
            "ACCESS EXCLUSIVE on `{shown}` blocks reads and writes while each row gets its number, and the table and its indexes are rewritten"
        ),
    ))
}
