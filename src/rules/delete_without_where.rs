//! DELETE without a condition throws away all rows.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "delete-without-where",
    Group::Loss,
    Severity::Error,
    ALL_ENGINES,
    include_str!("delete_without_where.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::Delete(delete) = place.kind() else { return None };
    if delete.bounded || !place.is_used(&delete.table) {
        return None;
    }
    let shown = place.shown(&delete.table);
    Some(
        Draft::new(
            format!("all rows of `{shown}` are deleted"),
            "rows that running code has written are gone; each stays locked until the commit, and replicas apply them one by one",
        )
        .help("say which rows, and delete them in batches"),
    )
}
