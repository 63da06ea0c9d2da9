//! Renaming and moving: everything that refers to the object follows.

mod within;

use self::within::{rename_generated_constraints, rename_in_table, rename_names};
use super::{Apply, Subject};
use crate::name::{Name, ObjectName, TableName};
use crate::schema::change::*;
use crate::schema::model::*;
use std::sync::Arc;

impl Apply<'_> {
    /// `ALTER TABLE … RENAME TO`, MySQL `RENAME TABLE` (which may move it to another database).
    pub(super) fn rename_table(&mut self, key: &TableName, to: &TableName) {
        let Some(table) = self.schema.tables.get(key) else { return };
        let schema = to.schema.clone().or_else(|| table.name.schema.clone());
        let full = ObjectName { schema, name: stored(&to.name, self.schema.dialect) };
        self.rekey_table(key, full);
    }

    /// `ALTER TABLE … SET SCHEMA`: its indexes and sequences move along.
    pub(super) fn move_table(&mut self, key: &TableName, schema: &Name) {
        let Some(table) = self.schema.tables.get(key) else { return };
        let full = ObjectName::qualified(schema.clone(), table.name.name.clone());
        let Some(new) = self.rekey_table(key, full) else { return };
        let owned: Vec<ObjectName> = (self.schema.sequences.iter())
            .filter(|(_, sequence)| sequence.owned_by.as_ref().is_some_and(|(table, _)| *table == new))
            .map(|(key, _)| key.clone())
            .collect();
        for sequence in owned {
            let to = ObjectName { schema: Some(schema.clone()), name: sequence.name.clone() };
            self.rekey_sequence(&sequence, to);
        }
    }

    /// Puts a table under another name; its new key, unless that is taken.
    fn rekey_table(&mut self, key: &TableName, full: TableName) -> Option<TableName> {
        let new = self.schema.new_key(&full);
        if new != *key && self.schema.relation(&new).is_some() {
            let subject = Subject { object: ObjectKind::Table, name: new, of: None };
            self.exists(subject, false, false);
            return None;
        }
        let table = self.schema.tables.remove(key)?;
        self.forget_indexes(&table);
        let old_name = table.name.name.clone();
        let mut table = Table::clone(&table);
        table.name = full;
        rename_generated_constraints(&mut table, &old_name);
        for index in &table.indexes {
            let index_key = self.index_key(&table.name, &index.name);
            if super::naming::indexes_live_in_schema(self.schema.dialect) {
                self.schema.index_tables.insert(index_key, new.clone());
            }
        }
        self.schema.tables.insert(new.clone(), Arc::new(table));
        if new != *key {
            self.schema.gone.insert(key.clone(), self.schema.now);
            self.schema.gone.remove(&new);
            self.follow_relation(key, &new);
        }
        Some(new)
    }

    /// Everything that refers to the relation `from` refers to `to` from now on.
    fn follow_relation(&mut self, from: &TableName, to: &TableName) {
        let refers = |table: &Table| {
            table.inherits.contains(from)
                || table.partition_of.as_ref().is_some_and(|of| of.parent == *from)
                || table.constraints.iter().any(|constraint| {
                    matches!(&constraint.kind, ConstraintKind::ForeignKey(key) if key.references == *from)
                })
        };
        let tables: Vec<TableName> = self
            .schema
            .tables
            .iter()
            .filter(|(_, table)| refers(table))
            .map(|(key, _)| key.clone())
            .collect();
        for key in tables {
            self.edit(&key, |table| {
                for parent in table.inherits.iter_mut().filter(|parent| **parent == *from) {
                    *parent = to.clone();
                }
                if let Some(of) = table.partition_of.as_mut().filter(|of| of.parent == *from) {
                    of.parent = to.clone();
                }
                for constraint in &mut table.constraints {
                    if matches!(&constraint.kind, ConstraintKind::ForeignKey(key) if key.references == *from)
                        && let ConstraintKind::ForeignKey(key) = &mut Arc::make_mut(constraint).kind
                    {
                        key.references = to.clone();
                    }
                }
            });
        }
        let views: Vec<TableName> = self.schema.views_of(from).map(|(view, _)| view.name.clone()).collect();
        for view in views {
            let key = self.schema.new_key(&view);
            let Some(view) = self.schema.views.get_mut(&key) else { continue };
            let view = Arc::make_mut(view);
            for read in view.reads.iter_mut().filter(|read| read.relation == *from) {
                read.relation = to.clone();
            }
            for column in view.columns.iter_mut().flatten() {
                if let Some((relation, _)) = column.source.as_mut().filter(|(relation, _)| relation == from) {
                    *relation = to.clone();
                }
            }
        }
        let owned: Vec<ObjectName> = (self.schema.sequences.iter())
            .filter(|(_, sequence)| sequence.owned_by.as_ref().is_some_and(|(table, _)| table == from))
            .map(|(key, _)| key.clone())
            .collect();
        for key in owned {
            if let Some(sequence) = self.schema.sequences.get_mut(&key)
                && let Some((table, _)) = &mut Arc::make_mut(sequence).owned_by
            {
                *table = to.clone();
            }
        }
    }

    /// Puts a sequence under another name; defaults that call it follow.
    fn rekey_sequence(&mut self, key: &ObjectName, full: ObjectName) {
        let new = self.schema.new_key(&full);
        let columns: Vec<(TableName, usize)> = (self.schema.tables.iter())
            .flat_map(|(table, definition)| {
                let calls = |column: &Arc<Column>| {
                    column.default.as_ref().is_some_and(|default| self.schema.calls_sequence(default, key))
                };
                let at = definition.columns.iter().enumerate().filter(move |(_, column)| calls(column));
                at.map(move |(at, _)| (table.clone(), at)).collect::<Vec<_>>()
            })
            .collect();
        let Some(sequence) = self.schema.sequences.remove(key) else { return };
        let mut sequence = Sequence::clone(&sequence);
        sequence.name = full.clone();
        self.schema.sequences.insert(new, Arc::new(sequence));
        let path = Arc::clone(&self.schema.search_path);
        for (table, at) in columns {
            self.edit(&table, |table| {
                Arc::make_mut(&mut table.columns[at]).default = Some(super::column::nextval(&full, &path));
            });
        }
    }

    pub(super) fn rename_column(&mut self, key: &TableName, from: &Name, to: &Name, if_exists: bool) {
        if !self.assume_column(key, from) {
            // `ALTER TABLE view RENAME COLUMN` comes elsewhere; here it is a table's.
            let subject = self.part(ObjectKind::Column, from, key);
            return self.missing(subject, if_exists);
        }
        let taken = self
            .schema
            .tables
            .get(key)
            .is_some_and(|table| table.column(to).is_some() && !table.same(from, to));
        if taken {
            let subject = self.part(ObjectKind::Column, to, key);
            return self.exists(subject, false, false);
        }
        let to = stored(to, self.schema.dialect);
        for table in std::iter::once(key.clone()).chain(self.descendants(key)) {
            self.edit(&table, |table| rename_in_table(table, from, &to));
        }
        self.rename_references(key, from, &to);
    }

    /// Foreign keys, views and sequences that name the column follow.
    fn rename_references(&mut self, key: &TableName, from: &Name, to: &Name) {
        let tables: Vec<TableName> =
            self.schema.references_to(key).map(|(table, _)| self.schema.new_key(&table.name)).collect();
        let dialect = self.schema.dialect;
        for table in tables {
            self.edit(&table, |table| {
                for constraint in &mut table.constraints {
                    if let ConstraintKind::ForeignKey(foreign) = &mut Arc::make_mut(constraint).kind
                        && foreign.references == *key
                    {
                        rename_names(&mut foreign.referenced_columns, from, to, dialect);
                    }
                }
            });
        }
        let views: Vec<TableName> =
            self.schema.views_of(key).map(|(view, _)| self.schema.new_key(&view.name)).collect();
        for view in views {
            let Some(view) = self.schema.views.get_mut(&view) else { continue };
            let view = Arc::make_mut(view);
            for read in view.reads.iter_mut().filter(|read| read.relation == *key) {
                rename_names(&mut read.columns, from, to, dialect);
            }
            for column in view.columns.iter_mut().flatten() {
                if let Some((_, source)) =
                    column.source.as_mut().filter(|(relation, name)| relation == key && name == from)
                {
                    *source = to.clone();
                }
            }
        }
        let owned: Vec<ObjectName> = (self.schema.sequences.iter())
            .filter(|(_, sequence)| {
                sequence.owned_by.as_ref().is_some_and(|(table, column)| table == key && column == from)
            })
            .map(|(key, _)| key.clone())
            .collect();
        for name in owned {
            if let Some(sequence) = self.schema.sequences.get_mut(&name)
                && let Some((_, column)) = &mut Arc::make_mut(sequence).owned_by
            {
                *column = to.clone();
            }
        }
    }

    pub(super) fn rename_constraint(&mut self, key: &TableName, from: &Name, to: &Name) {
        let found = self.schema.tables.get(key).and_then(|table| table.constraint(from).cloned());
        let Some(constraint) = found else {
            if self.is_complete(key) {
                let subject = self.part(ObjectKind::Constraint, from, key);
                self.missing(subject, false);
            }
            return;
        };
        match &constraint.index {
            // Its index is renamed with it, and takes the constraint along.
            Some(index) if !matches!(constraint.kind, ConstraintKind::ForeignKey(_)) => {
                self.rename_index_of(key, index, to);
            }
            _ => {
                let to = stored(to, self.schema.dialect);
                for table in std::iter::once(key.clone()).chain(self.descendants(key)) {
                    self.edit(&table, |table| {
                        let at = table.constraints.iter().position(|other| table.same(&other.name, from));
                        if let Some(at) = at {
                            Arc::make_mut(&mut table.constraints[at]).name = to.clone();
                        }
                    });
                }
            }
        }
    }

    /// `ALTER … RENAME TO` of what is not a table.
    pub(super) fn rename_object(&mut self, rename: &RenameObject) {
        let to = ObjectName { schema: None, name: stored(&rename.to, self.schema.dialect) };
        match rename.object {
            ObjectKind::Index => {
                let found = self.schema.find(&rename.name, |key| self.schema.index_tables.contains_key(key));
                match found {
                    Some(key) => self.rename_schema_index(&key, &rename.to),
                    None => {
                        let subject =
                            Subject { object: ObjectKind::Index, name: rename.name.clone(), of: None };
                        self.missing(subject, true);
                    }
                }
            }
            ObjectKind::Table | ObjectKind::View | ObjectKind::MaterializedView | ObjectKind::Sequence => {
                self.rename_relation(&rename.name, &to.name);
            }
            ObjectKind::Type | ObjectKind::Domain => self.rename_type(&rename.name, &rename.to),
            ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine | ObjectKind::Aggregate => {
                self.rename_routine(rename);
            }
            ObjectKind::Schema => self.rename_schema(&rename.name.name, &rename.to),
            ObjectKind::Trigger | ObjectKind::Policy | ObjectKind::Rule => self.rename_of_table(rename),
            other => {
                if let Some(created) = self.schema.others.remove(&(other, rename.name.clone())) {
                    let name = ObjectName { schema: rename.name.schema.clone(), name: rename.to.clone() };
                    self.schema.others.insert((other, name), created);
                }
            }
        }
    }

    /// `RENAME` or another action of `ALTER TABLE` on a relation that is not a table.
    pub(super) fn alter_other_relation(&mut self, key: &ObjectName, action: &TableAction) {
        match action {
            TableAction::RenameTable { to } if self.schema.index_tables.contains_key(key) => {
                self.rename_schema_index(key, &to.name);
            }
            TableAction::RenameTable { to } => self.rename_relation(key, &to.name),
            TableAction::SetSchema { schema } => self.set_schema(ObjectKind::View, key, schema),
            TableAction::RenameColumn { from, to, .. } => self.rename_view_column(key, from, to),
            _ => {}
        }
    }

    fn rename_schema_index(&mut self, key: &ObjectName, to: &Name) {
        let Some(of) = self.schema.index_tables.get(key).cloned() else { return };
        if self.schema.views.contains_key(&of) {
            return self.rename_view_index(&of, key, to);
        }
        self.rename_index_of(&of, &key.name, to);
        // The parts on partitions keep their names, and their parent.
        let (old, new) = (key.clone(), ObjectName { schema: key.schema.clone(), name: to.clone() });
        for child in self.descendants(&of) {
            self.edit(&child, |table| {
                for index in &mut table.indexes {
                    if index.part_of.as_ref() == Some(&old) {
                        Arc::make_mut(index).part_of = Some(new.clone());
                    }
                }
            });
        }
    }

    /// A table, view or sequence gets another name.
    fn rename_relation(&mut self, name: &TableName, to: &Name) {
        let Some(key) = self.schema.relation_key(name) else { return };
        if self.schema.tables.contains_key(&key) {
            return self.rename_table(&key, &TableName::bare(to.clone()));
        }
        let full = ObjectName { schema: key.schema.clone(), name: stored(to, self.schema.dialect) };
        self.rekey_relation(&key, full);
    }

    fn rekey_relation(&mut self, key: &TableName, full: TableName) {
        if self.schema.sequences.contains_key(key) {
            return self.rekey_sequence(key, full);
        }
        let new = self.schema.new_key(&full);
        let Some(view) = self.schema.views.remove(key) else { return };
        let mut view = View::clone(&view);
        for index in &view.indexes {
            let (old, moved) = (self.index_key(key, &index.name), self.index_key(&full, &index.name));
            self.schema.index_tables.remove(&old);
            self.schema.index_tables.insert(moved, new.clone());
        }
        view.name = full;
        self.schema.views.insert(new.clone(), Arc::new(view));
        self.follow_relation(key, &new);
    }

    /// `ALTER … SET SCHEMA` of what is not a table.
    pub(super) fn set_schema(&mut self, object: ObjectKind, name: &ObjectName, schema: &Name) {
        match object {
            ObjectKind::Type | ObjectKind::Domain => self.move_type(name, schema),
            ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine | ObjectKind::Aggregate => {
                self.move_routine(name, schema);
            }
            _ => {
                let Some(key) = self.schema.relation_key(name) else { return };
                if self.schema.tables.contains_key(&key) {
                    return self.move_table(&key, schema);
                }
                let full = ObjectName::qualified(schema.clone(), key.name.clone());
                self.rekey_relation(&key, full);
            }
        }
    }

    fn rename_of_table(&mut self, rename: &RenameObject) {
        let Some(key) = rename.on.as_ref().and_then(|on| self.table_key(on)) else { return };
        let (from, to) = (&rename.name.name, &rename.to);
        self.edit(&key, |table| {
            for trigger in table.triggers.iter_mut().filter(|_| rename.object == ObjectKind::Trigger) {
                if trigger.definition.name == *from {
                    Arc::make_mut(&mut Arc::make_mut(trigger).definition).name = to.clone();
                }
            }
            for policy in table.policies.iter_mut().filter(|_| rename.object == ObjectKind::Policy) {
                if policy.name == *from {
                    Arc::make_mut(policy).name = to.clone();
                }
            }
            for rule in table.rules.iter_mut().filter(|_| rename.object == ObjectKind::Rule) {
                if rule == from {
                    *rule = to.clone();
                }
            }
        });
    }

    /// `ALTER SCHEMA … RENAME TO`: everything in it gets another first name.
    fn rename_schema(&mut self, from: &Name, to: &Name) {
        let Some(created) = self.schema.schemas.remove(from) else { return };
        self.schema.schemas.insert(to.clone(), created);
        let inside = |key: &ObjectName| key.schema.as_ref() == Some(from);
        let tables: Vec<TableName> = self.schema.tables.keys().filter(|key| inside(key)).cloned().collect();
        let others: Vec<TableName> = self
            .schema
            .views
            .keys()
            .chain(self.schema.sequences.keys())
            .filter(|key| inside(key))
            .cloned()
            .collect();
        let types: Vec<ObjectName> = self.schema.types.keys().filter(|key| inside(key)).cloned().collect();
        let routines: Vec<ObjectName> =
            self.schema.routines.keys().filter(|key| inside(key)).cloned().collect();
        for table in tables {
            self.move_table(&table, to);
        }
        for relation in others {
            let full = ObjectName::qualified(to.clone(), relation.name.clone());
            self.rekey_relation(&relation, full);
        }
        for name in types {
            self.move_type(&name, to);
        }
        for name in routines {
            self.move_routine(&name, to);
        }
        let path = self
            .schema
            .search_path
            .iter()
            .map(|schema| if schema == from { to.clone() } else { schema.clone() });
        self.schema.search_path = path.collect();
    }
}
