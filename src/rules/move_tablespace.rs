//! SET TABLESPACE copies the table while everyone is kept out.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "move-tablespace",
    Group::Lock,
    Severity::Error,
    POSTGRES,
    include_str!("move_tablespace.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (what, name) = match place.kind() {
        ChangeKind::AlterTable(alter) => match &alter.action {
            TableAction::SetTablespace { .. } | TableAction::SetAccessMethod { .. }
                if place.is_busy(&alter.table) =>
            {
                (alter.object.title(), &alter.table)
            }
            _ => return None,
        },
        ChangeKind::AlterIndex { name, action: IndexAction::SetTablespace(_) } => ("index", name),
        _ => return None,
    };
    if place.is_skipped() {
        return None;
    }
    Some(
        Draft::new(
            format!("moving {what} `{}` blocks whoever uses it until it is copied", place.shown(name)),
            "ACCESS EXCLUSIVE while all of it is copied",
        )
        .help("pg_repack moves a table without the lock; an index can be built concurrently in the other tablespace"),
    )
}
