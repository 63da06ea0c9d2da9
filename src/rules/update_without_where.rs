//! UPDATE without a condition locks every row until the commit.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "update-without-where",
    Group::Lock,
    Severity::Warning,
    ALL_ENGINES,
    include_str!("update_without_where.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::Update(update) = place.kind() else { return None };
    if update.bounded || !place.is_busy(&update.table) {
        return None;
    }
    let shown = place.shown(&update.table);
    let columns = place.ids(&update.set);
    Some(
        Draft::new(
            format!("all rows of `{shown}` are updated in one statement"),
            "each row stays locked until the commit: writes of running code wait; the table grows by a copy of itself, and replicas fall behind",
        )
        .help(format!(
            "in batches, each with its own commit:\nUPDATE {} SET {columns} = … WHERE id > … AND id <= …;\n`-- twostep: backfill` above it does that",
            place.sql(&update.table)
        )),
    )
}
