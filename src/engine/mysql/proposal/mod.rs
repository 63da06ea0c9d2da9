//! The two steps that MySQL and MariaDB have for a hazardous change: one file for each operation, and what they share
//! (`asked`, `definition`, `sync`, `tool`, `undo`).
//!
//! A schema change commits by itself there, so each statement of a deploy leaves a state that old and new code work
//! with. What the server does in a moment, or while others read and write, is asked for by its words (`asked`): where it
//! could not, it refuses instead of keeping others waiting.

mod add_column;
mod asked;
mod change_column;
mod change_type;
mod constraint;
mod definition;
mod drop_column;
mod drop_object;
mod online;
mod rename_column;
mod rename_table;
mod required;
mod sync;
mod tool;
mod undo;

pub use asked::explicit;
pub use undo::undo;

use crate::engine::proposal::about::About;
use crate::engine::proposal::{Apart, Copied, Given, Proposal};
use crate::engine::version::ServerVersion;
use crate::name::TableName;
use crate::schema::change::{Change, ChangeKind, ObjectKind, TableAction};
use crate::schema::model::Schema;

/// The two steps instead of `change`, whose text is `text`, on `server`, given the schema `before` it; none where none
/// are known, or none are needed.
pub fn propose(
    change: &Change,
    text: &str,
    before: &Schema,
    server: ServerVersion,
    given: &Given,
) -> Option<Proposal> {
    // The places in it are those of the text, also where it is one action of several.
    let own = super::lower::lower(text);
    let change = if let [only] = own.as_slice() { only } else { change };
    let name = named(change)?;
    let table = before.table(name).map(|table| &**table);
    let about = About { schema: before, name, table, server, given, change, text };
    match &change.kind {
        ChangeKind::AlterTable(alter) if alter.object == ObjectKind::Table => match &alter.action {
            TableAction::AddColumn { column, .. } => add_column::propose(&about, column),
            TableAction::DropColumn { column, if_exists, .. } => {
                Some(drop_column::propose(&about, column, *if_exists))
            }
            TableAction::RenameColumn { from, to, .. } => Some(rename_column::propose(&about, from, to)),
            TableAction::ChangeColumn { from, column, position, .. } => {
                change_column::propose(&about, from, column, position.as_ref())
            }
            TableAction::RenameTable { to } => Some(rename_table::propose(&about, to)),
            TableAction::AddConstraint { constraint, .. } => constraint::propose(&about, constraint),
            TableAction::AddIndex(index) => constraint::index(&about, index),
            TableAction::DropIndex { name, .. } => Some(constraint::drop_index(&about, name)),
            TableAction::DropConstraint { name, .. } => constraint::dropped(&about, name),
            TableAction::DropDefault { column } => required::drop_default(&about, column),
            TableAction::SetNotNull { .. } | TableAction::SetType { .. } => None,
            _ => online::propose(&about),
        },
        ChangeKind::CreateIndex(create) => constraint::index(&about, create),
        ChangeKind::Drop(drop) => drop_object::propose(&about, drop),
        _ => None,
    }
}

/// The column that a rename keeps twice until its contract.
pub fn apart(change: &Change, before: &Schema) -> Option<Apart> {
    let (alter, action) = change.table_action()?;
    let table = before.relation_key(&alter.table)?;
    let (column, copy) = match action {
        TableAction::RenameColumn { from, to, .. } => (from, to),
        TableAction::ChangeColumn { from, column, .. } if *from != column.name => (from, &column.name),
        _ => return None,
    };
    Some(Apart { table, column: column.clone(), copy: copy.clone(), copied: Copied::Renamed })
}

/// What a change is about.
fn named(change: &Change) -> Option<&TableName> {
    match &change.kind {
        ChangeKind::AlterTable(alter) => Some(&alter.table),
        ChangeKind::Drop(drop) if drop.object == ObjectKind::Index => drop.on.as_ref(),
        ChangeKind::Drop(drop) => Some(&drop.name),
        ChangeKind::CreateIndex(create) => Some(&create.table),
        _ => None,
    }
}
