//! A statement applied to a schema: what the server would hold afterwards, and what it would say on the way.
//!
//! It never fails. What the server would refuse is noted, and the schema stays as it is there. A table that nothing
//! has made is taken to exist, with rows: most folders are not the whole history of their database.

mod column;
mod constraint;
mod drop;
mod index;
mod naming;
mod object;
mod rename;
mod rows;
mod table;
mod types;
mod view;

use super::change::*;
use super::model::*;
use crate::name::{Name, ObjectName, TableName};
use std::sync::Arc;

/// An object that a note is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// What it is.
    pub object: ObjectKind,
    /// Its full name; of a column, constraint, trigger or policy its own.
    pub name: ObjectName,
    /// The table that it belongs to, where it belongs to one.
    pub of: Option<TableName>,
}

/// What applying a change came upon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// `IF EXISTS` or `IF NOT EXISTS` (or a condition in a block) leaves nothing to do.
    Skipped {
        /// What is there already, or is not there.
        subject: Subject,
        /// `IF NOT EXISTS`: what is there is not what the statement would have made.
        differs: bool,
    },
    /// The server refuses: it is there already.
    Exists(Subject),
    /// The server refuses: it is not there.
    Missing(Subject),
    /// Nothing has made it; from now on it is taken to exist.
    Assumed(Subject),
    /// It goes (or changes) with what the statement drops.
    Taken(Subject),
    /// The server refuses without `CASCADE`: this depends on what the statement drops, as far as names tell.
    Blocked(Subject),
}

/// Applies `change` to `schema`.
pub fn apply(schema: &mut Schema, change: &Change) -> Vec<Note> {
    let (tables, views) = (schema.tables.clone(), schema.views.clone());
    let mut run = Apply { schema, notes: Vec::new(), conditional: change.via.is_conditional() };
    run.change(&change.kind);
    let notes = run.notes;
    schema.remember(&tables, &views);
    notes
}

/// One change being applied.
struct Apply<'a> {
    schema: &'a mut Schema,
    notes: Vec<Note>,
    /// The change may be skipped when it runs: what does not fit is then no error.
    conditional: bool,
}

impl Apply<'_> {
    fn change(&mut self, kind: &ChangeKind) {
        match kind {
            ChangeKind::CreateTable(create) => self.create_table(create),
            ChangeKind::AlterTable(alter) => self.alter_table(alter),
            ChangeKind::CreateIndex(create) => self.create_index(create),
            ChangeKind::AlterIndex { name, action } => self.alter_index(name, action),
            ChangeKind::CreateView(create) => self.create_view(create),
            ChangeKind::RefreshMaterializedView { name, no_data, .. } => self.refresh(name, *no_data),
            ChangeKind::CreateSequence { name, if_not_exists, options, temporary } => {
                self.create_sequence(name, *if_not_exists, *temporary, options);
            }
            ChangeKind::AlterSequence { name, options, .. } => self.alter_sequence(name, options),
            ChangeKind::CreateType { name, definition } => self.create_type(name, definition),
            ChangeKind::AlterType { name, action } => self.alter_type(name, action),
            ChangeKind::CreateDomain(create) => self.create_domain(create),
            ChangeKind::AlterDomain { name, action } => self.alter_domain(name, action),
            ChangeKind::CreateRoutine(create) => self.create_routine(create),
            ChangeKind::CreateTrigger(create) => self.create_trigger(create),
            ChangeKind::CreateRule(create) => self.create_rule(create),
            ChangeKind::CreatePolicy(policy) => self.create_policy(policy),
            ChangeKind::AlterPolicy(policy) => self.alter_policy(policy),
            ChangeKind::CreateSchema { name, if_not_exists } => self.create_schema(name, *if_not_exists),
            ChangeKind::CreateExtension(create) => self.create_extension(create),
            ChangeKind::CreateOther { object, name: Some(name), tolerant, .. } => {
                self.create_other(*object, name, *tolerant);
            }
            ChangeKind::Drop(drop) => self.drop_object(drop),
            ChangeKind::Rename(rename) => self.rename_object(rename),
            ChangeKind::SetSchema { object, name, schema, .. } => self.set_schema(*object, name, schema),
            ChangeKind::SetOwner { object: ObjectKind::Table, name: Some(name), owner } => {
                self.set_owner(name, owner)
            }
            ChangeKind::Comment { name, column, said: Said::Comment(text), object } => {
                self.comment(*object, name, column.as_ref(), text.as_deref());
            }
            ChangeKind::Grant(privileges) => self.grant(privileges),
            ChangeKind::Revoke(privileges) => self.revoke(privileges),
            ChangeKind::Insert(insert) => self.filled(&insert.table),
            ChangeKind::Merge(merge) => self.filled(&merge.table),
            ChangeKind::Copy(CopyRows { table: Some(table), writes: true, .. }) => self.filled(table),
            ChangeKind::Truncate(truncate) => self.emptied(&truncate.table),
            ChangeKind::Update(update) => self.used(&update.table),
            ChangeKind::Delete(delete) => self.deleted(delete),
            ChangeKind::SetVariable(set) => self.set_variable(set),
            ChangeKind::Opaque(opaque) => self.schema.opaque += usize::from(opaque.may_make),
            // These leave the model as it is.
            ChangeKind::Reindex(_)
            | ChangeKind::AlterRoutine { .. }
            | ChangeKind::CreateOther { name: None, .. }
            | ChangeKind::AlterOther { .. }
            | ChangeKind::SetOwner { .. }
            | ChangeKind::Comment { said: Said::Label, .. }
            | ChangeKind::DefaultPrivileges { .. }
            | ChangeKind::Copy(_)
            | ChangeKind::Select(_)
            | ChangeKind::Call(_)
            | ChangeKind::LockTable(_)
            | ChangeKind::Vacuum(_)
            | ChangeKind::Analyze { .. }
            | ChangeKind::Cluster { .. }
            | ChangeKind::Optimize { .. }
            | ChangeKind::Transaction(_)
            | ChangeKind::Block { .. }
            | ChangeKind::Harmless { .. } => {}
        }
    }

    /// The key of the table called `name`; one that nothing has made or dropped is assumed. None where the name is
    /// that of something else, or the table was dropped.
    fn table_key(&mut self, name: &TableName) -> Option<TableName> {
        if let Some(key) = self.schema.find(name, |key| self.schema.tables.contains_key(key)) {
            return Some(key);
        }
        if self.schema.relation_key(name).is_some() {
            return None;
        }
        let key = self.schema.new_key(name);
        let subject = Subject { object: ObjectKind::Table, name: key.clone(), of: None };
        if self.schema.gone.contains_key(&key) {
            self.missing(subject, false);
            return None;
        }
        self.note(Note::Assumed(subject));
        let table = Table {
            name: self.full_name(name),
            origin: Origin::Assumed,
            rows: Rows::Some,
            created: None,
            ..self.empty_table()
        };
        self.schema.tables.insert(key.clone(), Arc::new(table));
        Some(key)
    }

    /// `name` with its schema, in the spelling in which the server stores it.
    fn full_name(&self, name: &ObjectName) -> ObjectName {
        let schema = name.schema.clone().unwrap_or_else(|| self.schema.home());
        ObjectName::qualified(schema, stored(&name.name, self.schema.dialect))
    }

    /// What is said of a table or a column that is known.
    fn comment(&mut self, object: ObjectKind, name: &ObjectName, column: Option<&Name>, text: Option<&str>) {
        let Some(key) = self.schema.relation_key(name).filter(|key| self.schema.tables.contains_key(key))
        else {
            return;
        };
        let text = text.map(str::to_owned);
        self.edit(&key, |table| match column {
            Some(column) => {
                if let Some(at) = table.column_at(column) {
                    Arc::make_mut(&mut table.columns[at]).comment.clone_from(&text);
                }
            }
            None if object == ObjectKind::Table => table.comment.clone_from(&text),
            None => {}
        });
    }

    fn empty_table(&self) -> Table {
        Table {
            name: TableName::default(),
            dialect: self.schema.dialect,
            form: TableForm::Plain,
            persistence: Persistence::Permanent,
            columns: Vec::new(),
            constraints: Vec::new(),
            indexes: Vec::new(),
            triggers: Vec::new(),
            rules: Vec::new(),
            policies: Vec::new(),
            row_security: false,
            force_row_security: false,
            replica_identity: ReplicaIdentity::Default,
            partition_by: None,
            partition_of: None,
            inherits: Vec::new(),
            options: Vec::new(),
            owner: None,
            comment: None,
            origin: Origin::Created,
            rows: Rows::Empty,
            created: Some(self.schema.now),
        }
    }

    fn note(&mut self, note: Note) {
        self.notes.push(note);
    }

    /// It is there already: skipped where that is allowed for, else refused.
    fn exists(&mut self, subject: Subject, tolerant: bool, differs: bool) {
        let note = if tolerant || self.conditional {
            Note::Skipped { subject, differs: differs && tolerant }
        } else {
            Note::Exists(subject)
        };
        self.note(note);
    }

    /// It is not there: skipped where that is allowed for, else refused.
    fn missing(&mut self, subject: Subject, tolerant: bool) {
        let note = if tolerant || self.conditional {
            Note::Skipped { subject, differs: false }
        } else {
            Note::Missing(subject)
        };
        self.note(note);
    }

    /// A subject that belongs to a table.
    fn part(&self, object: ObjectKind, name: &Name, of: &TableName) -> Subject {
        Subject { object, name: ObjectName::bare(name.clone()), of: Some(of.clone()) }
    }

    /// Changes the table with the key `key`, if there is one.
    fn edit<T>(&mut self, key: &TableName, change: impl FnOnce(&mut Table) -> T) -> Option<T> {
        self.schema.table_mut(key).map(change)
    }

    /// The keys of the tables that get what is done to `key`: partitions and children.
    fn children(&self, key: &TableName) -> Vec<TableName> {
        self.schema.children_with_keys(key).map(|(key, _)| key.clone()).collect()
    }
}
