//! A statement that cannot run in a transaction stands in one, and fails.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "concurrent-in-transaction",
    Group::Wrong,
    Severity::Error,
    POSTGRES_AND_SQLITE,
    include_str!("concurrent_in_transaction.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    if let Some(what) = concurrent_in_block(place) {
        return Some(
            Draft::new(
                format!("`{what}` cannot run inside a block or a routine"),
                "the server refuses it there, since a block runs in one transaction",
            )
            .help("write it as a statement of its own, with `-- twostep: no-transaction` at the top of the migration"),
        );
    }
    let first = place.step.changes.first().is_some_and(|first| std::ptr::eq(first, place.applied));
    if !first || !place.in_transaction() {
        return None;
    }
    let conflict = crate::engine::transaction_conflict(&place.step.sql, place.dialect())?;
    if conflict.kind != crate::engine::ConflictKind::Refused {
        return None;
    }
    let by_file = place.judged.script.transaction;
    let help = if by_file {
        "give it a migration of its own, with `-- twostep: no-transaction` at its top"
    } else {
        "put it in front of BEGIN or behind COMMIT"
    };
    Some(
        Draft::new(
            format!("`{}` cannot run in a transaction", conflict.what),
            format!("the server refuses it there ({}), so the migration fails", conflict.manual),
        )
        .help(help),
    )
}

/// What a block or a routine does that cannot run in one.
fn concurrent_in_block(place: &Place<'_>) -> Option<&'static str> {
    if place.change().via == Via::Statement {
        return None;
    }
    match place.kind() {
        ChangeKind::CreateIndex(create) if create.concurrently => Some("CREATE INDEX CONCURRENTLY"),
        ChangeKind::Drop(drop) if drop.concurrently => Some("DROP INDEX CONCURRENTLY"),
        ChangeKind::Reindex(reindex) if reindex.concurrently => Some("REINDEX CONCURRENTLY"),
        ChangeKind::AlterTable(alter) => match &alter.action {
            TableAction::DetachPartition { concurrently: true, .. } => Some("DETACH PARTITION CONCURRENTLY"),
            _ => None,
        },
        ChangeKind::Vacuum(_) => Some("VACUUM"),
        _ => None,
    }
}
