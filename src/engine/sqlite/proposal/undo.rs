//! What takes a change back that is good as it stands.

use crate::dialect::Dialect;
use crate::engine::proposal::Undo;
use crate::name::{ObjectName, TableName};
use crate::schema::change::*;
use crate::schema::model::Schema;

/// What takes `change` back; none where that is not known.
pub fn undo(change: &Change, before: &Schema) -> Option<Undo> {
    let id = |name: &ObjectName| match &name.schema {
        Some(schema) => {
            format!("{}.{}", schema.readable(Dialect::Sqlite), name.name.readable(Dialect::Sqlite))
        }
        None => name.name.readable(Dialect::Sqlite),
    };
    let one = |sql: String| Some(Undo::Together(vec![sql]));
    match &change.kind {
        ChangeKind::CreateTable(create)
            if !create.if_not_exists || before.relation(&create.table).is_none() =>
        {
            one(format!("DROP TABLE {}", id(&create.table)))
        }
        ChangeKind::CreateView(create) if before.relation(&create.name).is_none() => {
            one(format!("DROP VIEW {}", id(&create.name)))
        }
        ChangeKind::CreateTrigger(create) if !create.if_not_exists => {
            one(format!("DROP TRIGGER {}", id(&TableName::bare(create.name.clone()))))
        }
        ChangeKind::Analyze { .. } | ChangeKind::Reindex(_) => Some(Undo::Nothing),
        ChangeKind::AlterTable(alter) => match &alter.action {
            TableAction::AddColumn { column, .. } => one(format!(
                "ALTER TABLE {} DROP COLUMN {}",
                id(&alter.table),
                column.name.readable(Dialect::Sqlite)
            )),
            _ => None,
        },
        _ => None,
    }
}
