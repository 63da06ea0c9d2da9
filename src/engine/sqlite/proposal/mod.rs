//! The two steps that SQLite has for a hazardous change: one file for each operation, and what they share
//! (`definition`, `rebuild`, `sync`, `undo`).
//!
//! Schema changes are transactional there, and there is one writer for the whole file: a step is one transaction, and
//! what matters is whether old and new code both work between the steps. What `ALTER TABLE` cannot do is done by the
//! documented rebuild (<https://www.sqlite.org/lang_altertable.html#otheralter>).

mod add_column;
mod definition;
mod drop_column;
mod drop_object;
mod index;
mod rebuild;
mod redefine;
mod rename_column;
mod rename_table;
mod required;
mod sync;
mod undo;

pub use undo::undo;

use crate::engine::proposal::about::About;
use crate::engine::proposal::{Given, Proposal};
use crate::engine::version::ServerVersion;
use crate::name::TableName;
use crate::schema::change::{Change, ChangeKind, TableAction};
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
    let name = named(change)?;
    let table = before.table(name).map(|table| &**table);
    let about = About { schema: before, name, table, server, given, change, text };
    match &change.kind {
        ChangeKind::AlterTable(alter) => match &alter.action {
            TableAction::AddColumn { column, .. } => add_column::propose(&about, column),
            TableAction::DropColumn { column, .. } => Some(drop_column::propose(&about, column)),
            TableAction::RenameColumn { from, to, .. } => Some(rename_column::propose(&about, from, to)),
            TableAction::RenameTable { .. } => Some(rename_table::propose(&about)),
            action => redefine::propose(&about, action),
        },
        ChangeKind::CreateIndex(create) => Some(index::create(&about, create)),
        ChangeKind::Drop(drop) => drop_object::propose(&about, drop),
        _ => None,
    }
}

/// What a change is about.
fn named(change: &Change) -> Option<&TableName> {
    match &change.kind {
        ChangeKind::AlterTable(alter) => Some(&alter.table),
        ChangeKind::Drop(drop) => Some(&drop.name),
        ChangeKind::CreateIndex(create) => Some(&create.table),
        _ => None,
    }
}
