//! `DROP` of any object, with what goes along.

use super::{Apply, Note, Subject};
use crate::dialect::Dialect;
use crate::name::{Name, ObjectName, TableName};
use crate::schema::change::*;
use crate::schema::model::*;
use std::sync::Arc;

impl Apply<'_> {
    pub(super) fn drop_object(&mut self, drop: &DropObject) {
        match drop.object {
            ObjectKind::Table | ObjectKind::ForeignTable => self.drop_table(drop),
            ObjectKind::View | ObjectKind::MaterializedView => self.drop_view(drop),
            ObjectKind::Index => match &drop.on {
                Some(table) => {
                    if let Some(key) = self.table_key(table) {
                        self.drop_index_of(&key, &drop.name.name, drop.if_exists);
                    }
                }
                None => self.drop_schema_index(drop),
            },
            ObjectKind::Sequence => self.drop_sequence(drop),
            ObjectKind::Type | ObjectKind::Domain => self.drop_type(drop),
            ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine | ObjectKind::Aggregate => {
                self.drop_routine(drop);
            }
            ObjectKind::Trigger => self.drop_trigger(drop),
            ObjectKind::Rule => self.drop_of_table(drop, |table, name| {
                let before = table.rules.len();
                table.rules.retain(|rule| rule != name);
                table.rules.len() < before
            }),
            ObjectKind::Policy => self.drop_of_table(drop, |table, name| {
                let before = table.policies.len();
                table.policies.retain(|policy| policy.name != *name);
                table.policies.len() < before
            }),
            ObjectKind::Schema => self.drop_schema(drop),
            ObjectKind::Database if self.schema.dialect == Dialect::Mysql => self.drop_schema(drop),
            ObjectKind::Extension => {
                if self.schema.extensions.remove(&drop.name.name).is_none() {
                    self.missing(subject_of(drop), true);
                }
            }
            other => {
                self.schema.others.remove(&(other, drop.name.clone()));
            }
        }
    }

    fn drop_table(&mut self, drop: &DropObject) {
        let found = self.schema.find(&drop.name, |key| self.schema.tables.contains_key(key));
        let Some(key) = found else {
            // It is taken to have existed; from now on it does not.
            let key = self.schema.new_key(&drop.name);
            let subject = Subject { object: ObjectKind::Table, name: key.clone(), of: None };
            if self.schema.relation_key(&drop.name).is_some() || self.schema.gone.contains_key(&key) {
                return self.missing(subject, drop.if_exists);
            }
            self.schema.gone.insert(key, self.schema.now);
            return;
        };
        self.remove_table_and_uses(&key, drop.cascade);
    }

    /// Drops a table with what is part of it; what depends on it goes with `CASCADE`.
    pub(super) fn remove_table_and_uses(&mut self, key: &TableName, cascade: bool) {
        let views: Vec<TableName> = self.schema.views_of(key).map(|(view, _)| view.name.clone()).collect();
        for view in views {
            self.dependent_view(&view, cascade);
        }
        for child in self.children(key) {
            let is_partition =
                self.schema.tables.get(&child).is_some_and(|table| table.partition_of.is_some());
            let subject = Subject { object: ObjectKind::Table, name: child.clone(), of: None };
            if is_partition || cascade {
                self.taken(subject);
                self.remove_table_and_uses(&child, cascade);
            } else {
                self.note(Note::Blocked(subject));
            }
        }
        self.foreign_keys_to(key, cascade);
        let Some(table) = self.schema.tables.remove(key) else { return };
        self.forget_indexes(&table);
        self.drop_sequences_of(key, None);
        self.schema.gone.insert(key.clone(), self.schema.now);
    }

    /// Foreign keys of other tables to one that is dropped.
    fn foreign_keys_to(&mut self, key: &TableName, cascade: bool) {
        if !self.schema.seen.referenced(key) {
            return;
        }
        let foreign: Vec<(TableName, Arc<TableConstraint>)> = (self.schema.tables.iter())
            .filter(|(other, _)| *other != key)
            .flat_map(|(other, table)| {
                let to_key = |constraint: &&Arc<TableConstraint>| {
                    matches!(&constraint.kind, ConstraintKind::ForeignKey(foreign) if foreign.references == *key)
                };
                table.constraints.iter().filter(to_key).map(move |constraint| (other.clone(), Arc::clone(constraint)))
            })
            .collect();
        for (table, constraint) in foreign {
            let subject = self.part(ObjectKind::Constraint, &constraint.name, &table);
            if cascade && self.schema.dialect == Dialect::Postgres {
                self.taken(subject);
                self.remove_constraint(&table, &constraint, true);
            } else if self.schema.dialect != Dialect::Sqlite {
                self.note(Note::Blocked(subject));
            }
        }
    }

    /// The sequences of a table, or of one of its columns.
    pub(super) fn drop_sequences_of(&mut self, key: &TableName, column: Option<&Name>) {
        let owned = |sequence: &Arc<Sequence>| {
            sequence
                .owned_by
                .as_ref()
                .is_some_and(|(table, owner)| table == key && column.is_none_or(|column| column == owner))
        };
        let names: Vec<ObjectName> = self
            .schema
            .sequences
            .iter()
            .filter(|(_, sequence)| owned(sequence))
            .map(|(key, _)| key.clone())
            .collect();
        for name in names {
            self.schema.sequences.remove(&name);
        }
    }

    fn drop_sequence(&mut self, drop: &DropObject) {
        let Some(key) = self.schema.find(&drop.name, |key| self.schema.sequences.contains_key(key)) else {
            return self.missing(subject_of(drop), true);
        };
        let tables: Vec<(TableName, Name)> = (self.schema.tables.iter())
            .flat_map(|(table, definition)| {
                let uses = |column: &&Arc<Column>| {
                    column.default.as_ref().is_some_and(|default| self.schema.calls_sequence(default, &key))
                };
                definition.columns.iter().filter(uses).map(move |column| (table.clone(), column.name.clone()))
            })
            .collect();
        for (table, column) in tables {
            let subject = self.part(ObjectKind::Column, &column, &table);
            if !drop.cascade {
                self.note(Note::Blocked(subject));
                continue;
            }
            self.taken(subject);
            self.edit(&table, |table| {
                if let Some(at) = table.column_at(&column) {
                    let column = Arc::make_mut(&mut table.columns[at]);
                    column.default = None;
                    // What is left of a serial is its type.
                    column.generation = column.generation.take().filter(|one| *one != Generation::Serial);
                }
            });
        }
        self.schema.sequences.remove(&key);
    }

    fn drop_trigger(&mut self, drop: &DropObject) {
        let Some(table) = &drop.on else {
            // MySQL and SQLite: triggers have names in the schema.
            let tables: Vec<TableName> = self.schema.tables.keys().cloned().collect();
            let dialect = self.schema.dialect;
            for key in tables {
                let there = self.schema.tables.get(&key).is_some_and(|table| {
                    table
                        .triggers
                        .iter()
                        .any(|trigger| same(&trigger.definition.name, &drop.name.name, dialect))
                });
                if there {
                    self.edit(&key, |table| {
                        table
                            .triggers
                            .retain(|trigger| !same(&trigger.definition.name, &drop.name.name, dialect));
                    });
                }
            }
            return;
        };
        let view = self.schema.find(table, |key| self.schema.views.contains_key(key));
        if let Some(view) = view.and_then(|key| self.schema.views.get_mut(&key)) {
            Arc::make_mut(view).triggers.retain(|trigger| trigger.definition.name != drop.name.name);
            return;
        }
        self.drop_of_table(drop, |table, name| {
            let before = table.triggers.len();
            table.triggers.retain(|trigger| trigger.definition.name != *name);
            table.triggers.len() < before
        });
    }

    /// Drops something that belongs to a table by `remove`, which says whether it was there.
    fn drop_of_table(&mut self, drop: &DropObject, remove: impl Fn(&mut Table, &Name) -> bool) {
        let Some(on) = &drop.on else { return };
        if drop.if_exists && self.schema.table(on).is_none() {
            return self.missing(subject_of(drop), true);
        }
        let Some(key) = self.table_key(on) else { return };
        let mut removed = false;
        for table in std::iter::once(key.clone()).chain(self.descendants(&key)) {
            removed |= self.edit(&table, |table| remove(table, &drop.name.name)) == Some(true);
        }
        if !removed && self.is_complete(&key) {
            self.missing(Subject { of: Some(key), ..subject_of(drop) }, drop.if_exists);
        }
    }

    /// `DROP SCHEMA`: with `CASCADE` (and in MySQL always) all that is in it goes.
    fn drop_schema(&mut self, drop: &DropObject) {
        let name = self.schema.fold(&drop.name.name);
        if self.schema.schemas.remove(&name).is_none() {
            return self.missing(subject_of(drop), true);
        }
        let inside = |key: &ObjectName| key.schema.as_ref() == Some(&name);
        let tables: Vec<TableName> = self.schema.tables.keys().filter(|key| inside(key)).cloned().collect();
        let views: Vec<TableName> = self.schema.views.keys().filter(|key| inside(key)).cloned().collect();
        let sequences: Vec<TableName> =
            self.schema.sequences.keys().filter(|key| inside(key)).cloned().collect();
        let types: Vec<ObjectName> = self.schema.types.keys().filter(|key| inside(key)).cloned().collect();
        let routines: Vec<ObjectName> =
            self.schema.routines.keys().filter(|key| inside(key)).cloned().collect();
        let everything = drop.cascade || self.schema.dialect == Dialect::Mysql;
        for view in views {
            self.remove_view(&view, everything);
        }
        for table in tables {
            let subject = Subject { object: ObjectKind::Table, name: table.clone(), of: None };
            if !everything {
                self.note(Note::Blocked(subject));
                continue;
            }
            self.taken(subject);
            self.remove_table_and_uses(&table, true);
        }
        for sequence in sequences {
            self.schema.sequences.remove(&sequence);
        }
        for name in types {
            self.remove_type(&name, everything);
        }
        for routine in routines {
            self.schema.routines.remove(&routine);
        }
    }
}

/// The subject of a `DROP`.
pub(super) fn subject_of(drop: &DropObject) -> Subject {
    Subject { object: drop.object, name: drop.name.clone(), of: drop.on.clone() }
}

impl Schema {
    /// Whether `expr` takes values of the sequence with the key `key`.
    pub fn calls_sequence(&self, expr: &Expr, key: &ObjectName) -> bool {
        let next = expr.calls.iter().filter(|call| call.name.name.as_str() == "nextval");
        next.flat_map(|call| &call.literals).any(|literal| {
            let name = ObjectName::in_literal(literal, Dialect::Postgres);
            self.find(&name, |candidate| self.sequences.contains_key(candidate)).as_ref() == Some(key)
        })
    }
}
