//! What stands behind a contract that is held, and must wait with it.

use super::one::label;
use crate::dialect::Dialect;
use crate::engine;
use crate::run::contracts::Held;
use crate::run::error::RunError;
use crate::run::script::{self, ScriptOptions, Work};
use crate::schema::change::ChangeKind;
use crate::source::{Folder, Migration};
use std::collections::BTreeSet;

/// Fails where what is to be applied stands behind a contract that is held, and touches what that touches: it was
/// written for a schema that is not there yet.
pub(super) fn not_held_back(
    folder: &Folder,
    held: &[Held],
    pending: &[usize],
    options: ScriptOptions,
) -> Result<(), RunError> {
    for one in held {
        let contract = &folder.migrations[one.position];
        let Some(tables) = touched(contract, options.dialect) else { continue };
        let behind = pending.iter().filter(|position| **position > one.position);
        for position in behind.filter(|position| !held.iter().any(|other| other.position == **position)) {
            let migration = &folder.migrations[*position];
            let clash = match touched(migration, options.dialect) {
                // What a first step says is that it works with the schema that is there.
                None => (migration.phase().is_none()).then(|| "what it touches is not known".to_owned()),
                Some(others) => tables
                    .iter()
                    .find(|table| others.contains(*table))
                    .map(|table| format!("both touch `{table}`")),
            };
            if let Some(clash) = clash {
                return Err(RunError::Held {
                    contract: label(&contract.version, &contract.name),
                    migration: label(&migration.version, &migration.name),
                    clash,
                    why: one.why.clone(),
                });
            }
        }
    }
    Ok(())
}

/// The tables that a migration touches, by their names alone; none where that is not known.
fn touched(migration: &Migration, dialect: Dialect) -> Option<BTreeSet<String>> {
    let prepared = script::prepare(&migration.up, ScriptOptions { dialect, native: true }).ok()?;
    let Work::Statements(statements) = &prepared.work else { return None };
    let changes = statements.iter().flat_map(|statement| engine::lower(statement.sql(), dialect));
    let mut tables = BTreeSet::new();
    for change in changes {
        let name = match &change.kind {
            ChangeKind::Opaque(_) => return None,
            ChangeKind::AlterTable(alter) => &alter.table,
            ChangeKind::CreateTable(create) => &create.table,
            ChangeKind::CreateIndex(create) => &create.table,
            ChangeKind::CreateTrigger(create) => &create.table,
            ChangeKind::CreateView(create) => &create.name,
            ChangeKind::Drop(drop) => drop.on.as_ref().unwrap_or(&drop.name),
            ChangeKind::Insert(insert) => &insert.table,
            ChangeKind::Update(update) => &update.table,
            ChangeKind::Delete(delete) => &delete.table,
            _ => continue,
        };
        tables.insert(name.name.as_str().to_lowercase());
    }
    Some(tables)
}
