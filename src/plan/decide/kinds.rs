//! What kind of change a statement is, as far as a decision asks.

use super::*;

/// Whether a change is about a table with all of its columns.
pub(super) fn is_of_whole(change: &Change) -> bool {
    match &change.kind {
        ChangeKind::Drop(drop) => drop.on.is_none(),
        ChangeKind::AlterTable(alter) => {
            matches!(alter.action, TableAction::RenameTable { .. } | TableAction::SetSchema { .. })
        }
        _ => false,
    }
}

/// Why the new code cannot wait for a change until the contract; none where it can.
pub(super) fn needed_at_once(change: &Change) -> Option<&'static str> {
    match &change.kind {
        ChangeKind::CreateTable(_) => Some("the new code needs the table while the old one is still there"),
        ChangeKind::AlterTable(alter) => match &alter.action {
            TableAction::AddColumn { .. } => {
                Some("the new code needs the column while the old one is still there")
            }
            TableAction::RenameColumn { .. } => Some("rename it first, then change it"),
            TableAction::RenameTable { .. } | TableAction::SetSchema { .. } => {
                Some("rename or move the table first, then change it")
            }
            _ => None,
        },
        ChangeKind::Insert(_) => Some("the new code needs the rows"),
        _ => None,
    }
}

/// Whether a statement says `IF EXISTS` of what no migration has made, or `IF NOT EXISTS` of what one has.
pub(super) fn is_about_nothing(applied: &Applied) -> bool {
    let skips = |kind: &ChangeKind| match kind {
        ChangeKind::Drop(drop) => drop.if_exists,
        ChangeKind::AlterTable(alter) => {
            alter.if_exists
                || matches!(
                    alter.action,
                    TableAction::DropColumn { if_exists: true, .. }
                        | TableAction::DropConstraint { if_exists: true, .. }
                )
        }
        _ => false,
    };
    skips(&applied.change.kind) && applied.notes.iter().any(|note| matches!(note, Note::Skipped { .. }))
}

/// Whether a change is about rows alone, and keeps nobody waiting but for the rows themselves.
pub(super) fn is_of_rows(change: &Change) -> bool {
    match &change.kind {
        ChangeKind::Insert(insert) => matches!(insert.rows, InsertRows::Values(_)),
        ChangeKind::Select(_) => true,
        _ => false,
    }
}

/// Whether a change makes a trigger, or says something of one.
pub(super) fn is_of_triggers(change: &Change) -> bool {
    match &change.kind {
        ChangeKind::CreateTrigger(_) => true,
        ChangeKind::Comment { object, .. } => *object == crate::schema::change::ObjectKind::Trigger,
        ChangeKind::AlterTable(alter) => matches!(alter.action, TableAction::TriggerState { .. }),
        _ => false,
    }
}

/// Whether a statement is online as it is.
pub(super) fn is_concurrent(change: &Change) -> bool {
    match &change.kind {
        ChangeKind::CreateIndex(create) => create.concurrently,
        ChangeKind::Reindex(reindex) => reindex.concurrently,
        ChangeKind::RefreshMaterializedView { concurrently, .. } => *concurrently,
        ChangeKind::AlterTable(alter) => matches!(alter.action, TableAction::ValidateConstraint { .. }),
        _ => false,
    }
}

/// Whether a statement cannot run in a transaction with others.
pub(super) fn is_alone(change: &Change, text: &str, before: &Schema) -> bool {
    matches!(change.kind, ChangeKind::AlterType { action: TypeAction::AddValue { .. }, .. })
        || is_concurrent(change)
        || engine::rolls_back_schema(before.dialect) && !engine::may_run_in_transaction(text, before.dialect)
}

/// Whether a change that only replaces, adds or relaxes takes effect for code of any age: none of it can be had twice.
pub(super) fn is_met_by_older_code(change: &Change) -> bool {
    match &change.kind {
        ChangeKind::CreateTrigger(_)
        | ChangeKind::CreateRoutine(_)
        | ChangeKind::CreateView(_)
        | ChangeKind::CreatePolicy(_)
        | ChangeKind::AlterPolicy(_)
        | ChangeKind::AlterRoutine { .. }
        | ChangeKind::AlterSequence { .. }
        | ChangeKind::AlterOther { .. }
        | ChangeKind::SetOwner { .. } => true,
        ChangeKind::AlterTable(alter) => matches!(
            alter.action,
            TableAction::DropNotNull { .. }
                | TableAction::TriggerState { .. }
                | TableAction::SetOwner { .. }
                | TableAction::AlterConstraint { .. }
                | TableAction::RowSecurity { state: RowSecurity::Disable | RowSecurity::NoForce }
        ),
        _ => false,
    }
}
