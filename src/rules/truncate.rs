//! TRUNCATE throws away all rows of a table that is in use.

use super::prelude::*;

/// The rule.
pub static RULE: Rule =
    Rule::on_change("truncate", Group::Loss, Severity::Error, ALL_ENGINES, include_str!("truncate.md"), find);

fn find(place: &Place<'_>) -> Option<Draft> {
    let table = match place.kind() {
        ChangeKind::Truncate(truncate) => &truncate.table,
        ChangeKind::AlterTable(alter) => match &alter.action {
            TableAction::Partitions(PartitionOperation::Truncate(_) | PartitionOperation::Drop(_)) => {
                &alter.table
            }
            TableAction::Tablespace { discard: true } => &alter.table,
            _ => return None,
        },
        _ => return None,
    };
    if !place.is_used(table) {
        return None;
    }
    let shown = place.shown(table);
    let of = partitions(place).map_or_else(String::new, |names| format!("{names} of "));
    let lock = place.effects().target().map_or("an exclusive lock", |effect| effect.lock.name);
    Some(
        Draft::new(
            format!("all rows of {of}`{shown}` are thrown away"),
            format!("rows that running code has written are gone; {lock} on `{shown}` keeps everyone out until the commit"),
        )
        .help("delete what is meant, with a condition, in batches"),
    )
}

/// The partitions whose rows go, where it is not the whole table.
fn partitions(place: &Place<'_>) -> Option<String> {
    let (_, TableAction::Partitions(PartitionOperation::Truncate(names) | PartitionOperation::Drop(names))) =
        place.alter()?
    else {
        return None;
    };
    match names.as_slice() {
        [] => None,
        [one] if one.as_str().eq_ignore_ascii_case("all") => None,
        [one] => Some(format!("partition `{one}`")),
        [one, rest @ ..] => Some(format!("partition `{one}` and {} more", rest.len())),
    }
}
