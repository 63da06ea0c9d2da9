//! The two steps that PostgreSQL has for a hazardous change, as they were run under load on real servers: one file for
//! what has to do with columns, constraints, and whole tables each.

mod column;
mod constraint;
mod object;
mod sync;

use crate::dialect::Dialect;
use crate::engine::proposal::Proposal;
use crate::engine::version::Number;
use crate::name::{Name, ObjectName, TableName};
use crate::schema::change::{Change, ChangeKind, TableAction};
use crate::schema::model::{Column, Schema, Table};

/// The two steps instead of `change` on a server of `version`, given the schema `before` it; none where none are known.
pub fn propose(change: &Change, before: &Schema, version: Number) -> Option<Proposal> {
    fn named(change: &Change) -> Option<&TableName> {
        match &change.kind {
            ChangeKind::AlterTable(alter) => Some(&alter.table),
            ChangeKind::Drop(drop) => Some(&drop.name),
            ChangeKind::AlterType { name, .. } => Some(name),
            _ => None,
        }
    }
    let subject = Subject::new(before, named(change)?, version);
    match &change.kind {
        ChangeKind::AlterTable(alter) => match &alter.action {
            TableAction::AddColumn { column, .. } => column::add(&subject, column),
            TableAction::DropColumn { column, .. } => Some(column::drop(&subject, column)),
            TableAction::RenameColumn { from, to, .. } => Some(column::rename(&subject, from, to)),
            TableAction::SetType { column, data_type, .. } => {
                Some(column::retype(&subject, column, data_type))
            }
            TableAction::SetNotNull { column } => Some(constraint::set_not_null(&subject, column)),
            TableAction::AddConstraint { constraint, .. } => constraint::add_to(&subject, constraint),
            TableAction::RenameTable { to } => Some(object::rename_table(&subject, &alter.table, to)),
            _ => None,
        },
        ChangeKind::Drop(drop) => object::drop(&subject, drop),
        ChangeKind::AlterType { name, action } => object::alter_type(&subject, name, action),
        _ => None,
    }
}

/// The table that a proposal is about.
struct Subject<'a> {
    schema: &'a Schema,
    name: &'a TableName,
    table: Option<&'a Table>,
    version: Number,
}

impl<'a> Subject<'a> {
    fn new(schema: &'a Schema, name: &'a TableName, version: Number) -> Self {
        Self { schema, name, table: schema.table(name).map(|table| &**table), version }
    }

    /// The table, ready to be put into SQL, as the statement names it.
    fn sql(&self) -> String {
        sql(self.name)
    }

    fn column(&self, name: &Name) -> Option<&'a Column> {
        self.table.and_then(|table| table.column(name)).map(|column| &**column)
    }

    /// A name beside the table: that of a function, a constraint, an index.
    fn beside(&self, suffix: &str) -> String {
        let name = Name::new(format!("{}_{suffix}", self.name.name));
        match &self.name.schema {
            Some(schema) => format!("{}.{}", id(schema), id(&name)),
            None => id(&name),
        }
    }

    /// The column that a batch goes through the table by.
    fn key(&self) -> String {
        let key = self.table.and_then(|table| table.primary_key()).map(|key| key.columns());
        match key {
            Some([first, ..]) => id(first),
            Some([]) | None => "id".to_owned(),
        }
    }

    /// The type of a column, where it is known.
    fn type_of(&self, name: &Name) -> String {
        let known = self.column(name).and_then(|column| column.data_type.as_ref());
        known.map_or_else(|| "…".to_owned(), ToString::to_string)
    }

    /// An UPDATE of one batch.
    fn batch(&self, set: &str, condition: &str) -> String {
        let key = self.key();
        format!("UPDATE {} SET {set} WHERE {key} > $1 AND {key} <= $2 AND {condition};", self.sql())
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
