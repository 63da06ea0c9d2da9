//! The two steps that PostgreSQL has for a hazardous change, as they were run under load on real servers: one file for
//! each operation, and what they share (`subject`, `sync`, `definition`, `grants`, `undo`).

mod add_column;
mod carry;
mod change_type;
mod constraint;
mod definition;
mod drop_column;
mod drop_constraint;
mod drop_default;
mod drop_object;
mod enum_label;
mod grants;
mod identity;
mod index;
mod numbered_column;
mod numbers;
mod own_triggers;
mod partition;
mod rename_column;
mod rename_table;
mod retype;
mod row_security;
mod set_not_null;
mod subject;
mod sync;
mod undo;

pub use undo::undo;

use crate::dialect::Dialect;
use crate::engine::proposal::{Apart, Copied, Given, Proposal};
use crate::engine::version::Number;
use crate::name::{Name, ObjectName, TableName};
use crate::schema::change::{Change, ChangeKind, TableAction, TypeAction};
use crate::schema::model::Schema;
use subject::Subject;

/// The two steps instead of `change`, whose text is `text`, on a server of `version`, given the schema `before` it; none
/// where none are known, or none are needed.
pub fn propose(
    change: &Change,
    text: &str,
    before: &Schema,
    version: Number,
    given: &Given,
) -> Option<Proposal> {
    let subject = Subject::new(before, named(change)?, version, given, change);
    match &change.kind {
        ChangeKind::AlterTable(alter) => match &alter.action {
            TableAction::AddColumn { column, .. } => add_column::propose(&subject, column),
            TableAction::DropColumn { column, if_exists, cascade } => {
                Some(drop_column::propose(&subject, column, *if_exists, *cascade))
            }
            TableAction::RenameColumn { from, to, .. } => Some(rename_column::propose(&subject, from, to)),
            TableAction::SetType { column, data_type, using, collation } => {
                change_type::propose(&subject, column, data_type, using.as_ref(), collation.as_deref())
            }
            TableAction::DropDefault { column } => drop_default::propose(&subject, column),
            TableAction::DropConstraint { name, if_exists, cascade, .. } => {
                drop_constraint::propose(&subject, name, *if_exists, *cascade)
            }
            TableAction::RowSecurity { state } => row_security::propose(&subject, *state),
            TableAction::SetNotNull { column } => set_not_null::propose(&subject, column),
            TableAction::AddConstraint { constraint, .. } => constraint::propose(&subject, constraint, text),
            TableAction::RenameTable { to } => rename_table::propose(&subject, &alter.table, to),
            TableAction::SetSchema { schema } => rename_table::moved(&subject, &alter.table, schema),
            TableAction::AttachPartition { partition, bound } => {
                Some(partition::attach(&subject, partition, bound, text))
            }
            TableAction::DetachPartition { partition, finalize, .. } => {
                partition::detach(&subject, partition, *finalize)
            }
            TableAction::AddIdentity { column, identity } => Some(identity::add(&subject, column, identity)),
            TableAction::SetIdentity { column, always, options } => {
                identity::set(&subject, column, *always, options)
            }
            TableAction::DropIdentity { column, if_exists } => {
                Some(identity::drop(&subject, column, *if_exists))
            }
            _ => None,
        },
        ChangeKind::Drop(drop) => drop_object::propose(&subject, drop, text),
        ChangeKind::CreateIndex(create) => index::create(&subject, create, text),
        ChangeKind::Reindex(reindex) => index::rebuild(reindex, text),
        ChangeKind::AlterType { name, action: TypeAction::RenameValue { from, to } } => {
            Some(enum_label::rename(&subject, name, from, to))
        }
        _ => None,
    }
}

/// `text` so that it may run again behind a way back: no statement takes a label of an enum away.
pub fn repeatable(text: &str, changes: &[(&Change, &Schema)]) -> String {
    let [(change, _)] = changes else { return text.to_owned() };
    match &change.kind {
        ChangeKind::AlterType { action: TypeAction::AddValue { if_not_exists: false, .. }, .. } => {
            enum_label::added_once(text)
        }
        _ => text.to_owned(),
    }
}

/// The column that `change` keeps twice until its contract.
pub fn apart(change: &Change, before: &Schema) -> Option<Apart> {
    let (alter, action) = change.table_action()?;
    let table = before.relation_key(&alter.table)?;
    match action {
        TableAction::RenameColumn { from, to, .. } => {
            Some(Apart { table, column: from.clone(), copy: to.clone(), copied: Copied::Renamed })
        }
        TableAction::SetType { column, data_type, using, collation } => {
            let known = before.table(&table)?.column(column)?.data_type.as_ref();
            let using = using.as_ref();
            let cheap = change_type::is_cheap(column, known, data_type, using, collation.as_deref(), before);
            let copy = subject::named(column, "new");
            let one = Apart { table, column: column.clone(), copy, copied: Copied::Retyped };
            (!cheap).then_some(one)
        }
        _ => None,
    }
}

/// What a change is about.
fn named(change: &Change) -> Option<&TableName> {
    match &change.kind {
        ChangeKind::AlterTable(alter) => Some(&alter.table),
        ChangeKind::Drop(drop) => Some(&drop.name),
        ChangeKind::AlterType { name, .. } => Some(name),
        ChangeKind::CreateIndex(create) => Some(&create.table),
        ChangeKind::Reindex(reindex) => reindex.name.as_ref(),
        _ => None,
    }
}

/// `name` as people write it in SQL.
fn id(name: &Name) -> String {
    name.readable(Dialect::Postgres)
}

/// `name` as people write it in SQL, with its schema where it was given one.
fn sql(name: &ObjectName) -> String {
    match &name.schema {
        Some(schema) => format!("{}.{}", id(schema), id(&name.name)),
        None => id(&name.name),
    }
}

/// `names` as people write them in SQL.
fn ids(names: &[Name]) -> String {
    names.iter().map(id).collect::<Vec<_>>().join(", ")
}
