//! Indexes: made, adopted by constraints, renamed, dropped.

use super::{Apply, Note, Subject, naming};
use crate::dialect::Dialect;
use crate::name::{Name, ObjectName, TableName};
use crate::schema::change::*;
use crate::schema::model::*;
use crate::text::Span;
use std::sync::Arc;

/// An element that is a plain column.
pub(super) fn element(column: &Name) -> IndexElement {
    IndexElement {
        column: Some(column.clone()),
        expr: Expr {
            text: column.to_string(),
            span: Span::default(),
            calls: Vec::new(),
            columns: vec![column.clone()],
            literal: None,
            is_null: false,
            volatility: Volatility::Immutable,
            requires_not_null: Vec::new(),
            has_query: false,
        },
        label: column.clone(),
        collation: None,
        opclass: None,
        descending: false,
        nulls_first: None,
        prefix: None,
    }
}

impl Apply<'_> {
    pub(super) fn create_index(&mut self, create: &CreateIndex) {
        if self.schema.view(&create.table).is_some() {
            return self.create_view_index(create);
        }
        if let Some(key) = self.table_key(&create.table) {
            self.add_index(&key, create);
        }
    }

    /// The index that the text describes, without a name yet.
    pub(super) fn new_index(&self, create: &CreateIndex, name: Name) -> Index {
        Index {
            name: stored(&name, self.schema.dialect),
            unique: create.unique,
            primary: false,
            method: create.method.clone().filter(|method| method != "btree"),
            elements: create.elements.clone(),
            include: create.include.clone(),
            predicate: create.predicate.clone(),
            nulls_not_distinct: create.nulls_not_distinct,
            invisible: create.invisible,
            valid: true,
            constraint: None,
            generated: false,
            part_of: None,
            created: Some(self.schema.now),
        }
    }

    /// An index of a table, by `CREATE INDEX`, MySQL's `KEY` or `ADD INDEX`.
    pub(super) fn add_index(&mut self, key: &TableName, create: &CreateIndex) {
        let Some(table) = self.schema.tables.get(key).cloned() else { return };
        let name = create.name.clone().unwrap_or_else(|| self.index_name(key, &table, create));
        if let Some((of, old)) = self.index_called(key, &table, &name) {
            let same = of == *key
                && old.unique == create.unique
                && old.plain_columns() == create.plain_columns()
                && old.predicate.as_ref().map(|expr| &expr.text)
                    == create.predicate.as_ref().map(|expr| &expr.text);
            if create.or_replace {
                self.remove_index(key, &name);
            } else {
                let subject = Subject {
                    object: ObjectKind::Index,
                    name: self.index_key(&table.name, &name),
                    of: Some(of),
                };
                return self.exists(subject, create.if_not_exists, !same);
            }
        }
        for element in &create.elements {
            if let Some(column) = &element.column {
                self.assume_column(key, column);
            }
        }
        let mut index = self.new_index(create, name);
        let partitions = self.partitions(key);
        index.valid = !(create.only && table.partition_by.is_some() && !partitions.is_empty());
        let index = self.push_index(key, index);
        if self.schema.dialect == Dialect::Mysql {
            self.replace_foreign_key_index(key, &index);
            if create.unique {
                self.push_mysql_unique(key, &index);
            }
        }
        if !create.only {
            for child in partitions {
                self.index_for_partition(&table, &index, &child);
            }
        }
    }

    /// MySQL: a unique index is a unique constraint.
    fn push_mysql_unique(&mut self, key: &TableName, index: &Arc<Index>) {
        let Some(columns) = index.plain_columns() else { return };
        let columns: Vec<Name> = columns.into_iter().cloned().collect();
        let kind = ConstraintKind::Unique(KeyConstraint {
            columns,
            elements: index.elements.clone(),
            ..KeyConstraint::default()
        });
        let constraint = TableConstraint {
            name: index.name.clone(),
            kind,
            valid: true,
            enforced: true,
            deferrable: false,
            initially_deferred: false,
            no_inherit: false,
            index: Some(index.name.clone()),
            inherited: false,
            created: Some(self.schema.now),
        };
        self.edit(key, |table| table.constraints.push(Arc::new(constraint)));
        let name = index.name.clone();
        self.on_index(key, &name, |index| index.constraint = Some(name.clone()));
    }

    /// The name that the server makes up for an index.
    fn index_name(&self, key: &TableName, table: &Table, create: &CreateIndex) -> Name {
        match self.schema.dialect {
            Dialect::Postgres | Dialect::Sqlite => {
                let labels = naming::labels(&create.elements);
                let included = labels.iter().chain(&create.include);
                self.schema.relation_name(key, &naming::joined(included), "idx", false)
            }
            Dialect::Mysql => {
                let first = create.elements.first().and_then(|element| element.column.as_ref());
                self.mysql_index_name(table, first)
            }
        }
    }

    /// MySQL's name for an index whose first column is `first`.
    pub(super) fn mysql_index_name(&self, table: &Table, first: Option<&Name>) -> Name {
        let functional = Name::new("functional_index");
        naming::mysql_index_name(first.unwrap_or(&functional), |name| table.index(name).is_some())
    }

    /// The index called `name`: in the schema of the table, or (MySQL) in the table. With the key of its table.
    fn index_called(&self, key: &TableName, table: &Table, name: &Name) -> Option<(TableName, Arc<Index>)> {
        if !naming::indexes_live_in_schema(self.schema.dialect) {
            return table.index(name).map(|index| (key.clone(), Arc::clone(index)));
        }
        let of = self.schema.index_tables.get(&self.index_key(&table.name, name))?.clone();
        let index = match self.schema.tables.get(&of) {
            Some(table) => table.index(name)?.clone(),
            None => self.schema.views.get(&of)?.indexes.iter().find(|index| index.name == *name)?.clone(),
        };
        Some((of, index))
    }

    /// Puts an index into a table; gives it back as it is held.
    pub(super) fn push_index(&mut self, key: &TableName, index: Index) -> Arc<Index> {
        let index = Arc::new(index);
        let Some(table) = self.schema.tables.get(key) else { return index };
        let full = table.name.clone();
        if naming::indexes_live_in_schema(self.schema.dialect) {
            let index_key = self.index_key(&full, &index.name);
            self.schema.gone.remove(&index_key);
            self.schema.index_tables.insert(index_key, key.clone());
        }
        let held = Arc::clone(&index);
        self.edit(key, |table| table.indexes.push(held));
        index
    }

    /// The index of a parent on one of its partitions: one that fits is taken, else one is made.
    pub(super) fn index_for_partition(&mut self, parent: &Table, index: &Arc<Index>, child: &TableName) {
        let Some(table) = self.schema.tables.get(child).cloned() else { return };
        let parent_index = self.index_key(&parent.name, &index.name);
        let fits = |own: &&Arc<Index>| {
            own.part_of.is_none()
                && own.unique == index.unique
                && own
                    .elements
                    .iter()
                    .map(|element| &element.expr.text)
                    .eq(index.elements.iter().map(|element| &element.expr.text))
                && own.predicate.as_ref().map(|expr| &expr.text)
                    == index.predicate.as_ref().map(|expr| &expr.text)
                && (!index.primary || own.primary)
        };
        if let Some(own) = table.indexes.iter().find(fits) {
            let name = own.name.clone();
            return self.on_index(child, &name, |own| own.part_of = Some(parent_index.clone()));
        }
        let constraint = index.constraint.as_ref().and_then(|name| parent.constraint(name));
        let labels = naming::joined(&naming::labels(&index.elements));
        let name = match constraint {
            Some(_) if index.primary => self.schema.relation_name(child, "", "pkey", true),
            Some(_) => self.schema.relation_name(child, &labels, "key", true),
            None => self.schema.relation_name(child, &labels, "idx", false),
        };
        let own = Index {
            name: name.clone(),
            constraint: constraint.map(|_| name.clone()),
            generated: false,
            part_of: Some(parent_index),
            valid: true,
            created: Some(self.schema.now),
            ..Index::clone(index)
        };
        self.push_index(child, own);
        if let Some(constraint) = constraint {
            let own = TableConstraint {
                name: name.clone(),
                index: Some(name),
                inherited: true,
                created: Some(self.schema.now),
                ..TableConstraint::clone(constraint)
            };
            self.edit(child, |table| table.constraints.push(Arc::new(own)));
        }
    }

    /// `LIKE … INCLUDING INDEXES`: the index `index` of `source` for the table with the key `key`.
    pub(super) fn copy_index(&mut self, source: &Table, index: &Arc<Index>, key: &TableName) {
        let constraint = index.constraint.as_ref().and_then(|name| source.constraint(name)).cloned();
        let labels = naming::joined(&naming::labels(&index.elements));
        let name = match self.schema.dialect {
            Dialect::Mysql => index.name.clone(),
            Dialect::Postgres | Dialect::Sqlite => match (&constraint, index.primary) {
                (Some(_), true) => self.schema.relation_name(key, "", "pkey", true),
                (Some(_), false) => self.schema.relation_name(key, &labels, "key", true),
                (None, _) => self.schema.relation_name(key, &labels, "idx", false),
            },
        };
        let own = Index {
            constraint: constraint.as_ref().map(|_| name.clone()),
            name: name.clone(),
            part_of: None,
            created: Some(self.schema.now),
            ..Index::clone(index)
        };
        self.push_index(key, own);
        if let Some(constraint) = constraint {
            let own = TableConstraint {
                index: Some(name.clone()),
                name,
                created: Some(self.schema.now),
                ..TableConstraint::clone(&constraint)
            };
            self.edit(key, |table| table.constraints.push(Arc::new(own)));
        }
    }

    /// `USING INDEX`: the index takes the constraint's name. That name, its columns and what it includes.
    pub(super) fn adopt_index(
        &mut self,
        key: &TableName,
        index: &Name,
        name: Option<&Name>,
        primary: bool,
    ) -> Option<(Name, Vec<Name>, Vec<Name>)> {
        let table = self.schema.tables.get(key)?;
        let Some(found) = table.index(index).cloned() else {
            if !table.is_complete() {
                return Some((name.unwrap_or(index).clone(), Vec::new(), Vec::new()));
            }
            let subject = self.part(ObjectKind::Index, index, key);
            self.missing(subject, false);
            return None;
        };
        let to = name.unwrap_or(index).clone();
        self.rename_index_of(key, index, &to);
        self.on_index(key, &to, |index| {
            index.primary = primary;
            index.constraint = Some(to.clone());
        });
        let columns = found.plain_columns().unwrap_or_default().into_iter().cloned().collect();
        Some((to, columns, found.include.clone()))
    }

    /// Changes an index of a table.
    pub(super) fn on_index(&mut self, key: &TableName, name: &Name, change: impl Fn(&mut Index)) {
        self.edit(key, |table| {
            if let Some(at) = table.indexes.iter().position(|index| table.same(&index.name, name)) {
                change(Arc::make_mut(&mut table.indexes[at]));
            }
        });
    }

    /// Gives an index of a table another name.
    pub(super) fn rename_index_of(&mut self, key: &TableName, from: &Name, to: &Name) {
        let Some(table) = self.schema.tables.get(key) else { return };
        if table.index(from).is_none() {
            if table.is_complete() {
                let subject = self.part(ObjectKind::Index, from, key);
                self.missing(subject, false);
            }
            return;
        }
        let to = stored(to, self.schema.dialect);
        if naming::indexes_live_in_schema(self.schema.dialect) {
            let (old, new) = (self.index_key(&table.name, from), self.index_key(&table.name, &to));
            self.schema.index_tables.remove(&old);
            self.schema.index_tables.insert(new, key.clone());
        }
        self.on_index(key, from, |index| {
            index.name = to.clone();
            // PostgreSQL's constraint is called like its index; MySQL's primary key is always `PRIMARY`.
            if index.constraint.is_some() && !index.name.as_str().eq_ignore_ascii_case("primary") {
                index.constraint = Some(to.clone());
            }
        });
        self.edit(key, |table| {
            let dialect = table.dialect;
            for constraint in &mut table.constraints {
                if constraint.index.as_ref().is_some_and(|index| same(index, from, dialect)) {
                    let constraint = Arc::make_mut(constraint);
                    constraint.index = Some(to.clone());
                    if !matches!(constraint.kind, ConstraintKind::ForeignKey(_)) {
                        constraint.name = to.clone();
                    }
                }
            }
        });
    }

    /// Takes an index out of its table.
    pub(super) fn remove_index(&mut self, key: &TableName, name: &Name) {
        let Some(table) = self.schema.tables.get(key) else { return };
        let index_key = self.index_key(&table.name, name);
        if naming::indexes_live_in_schema(self.schema.dialect) {
            self.schema.index_tables.remove(&index_key);
            self.schema.gone.insert(index_key.clone(), self.schema.now);
        }
        self.edit(key, |table| {
            if let Some(at) = table.indexes.iter().position(|index| table.same(&index.name, name)) {
                table.indexes.remove(at);
            }
        });
        // Its parts on the partitions go with it.
        let parts: Vec<(TableName, Name)> = (self.schema.tables.iter())
            .filter(|(_, table)| table.partition_of.is_some())
            .flat_map(|(key, table)| {
                let part = |index: &&Arc<Index>| index.part_of.as_ref() == Some(&index_key);
                table.indexes.iter().filter(part).map(move |index| (key.clone(), index.name.clone()))
            })
            .collect();
        for (key, name) in parts {
            self.edit(&key, |table| {
                table.constraints.retain(|constraint| constraint.index.as_ref() != Some(&name))
            });
            self.remove_index(&key, &name);
        }
    }

    /// MySQL `DROP INDEX name` of a table: a unique constraint goes with its index.
    pub(super) fn drop_index_of(&mut self, key: &TableName, name: &Name, if_exists: bool) {
        let Some(table) = self.schema.tables.get(key) else { return };
        let Some(index) = table.index(name).cloned() else {
            if table.is_complete() {
                let subject = self.part(ObjectKind::Index, name, key);
                self.missing(subject, if_exists);
            }
            return;
        };
        self.edit(key, |table| {
            table.constraints.retain(|constraint| {
                constraint.index.as_ref() != Some(&index.name)
                    || matches!(constraint.kind, ConstraintKind::ForeignKey(_))
            });
        });
        self.remove_index(key, &index.name);
    }

    /// `DROP INDEX` of an index that has a name in the schema.
    pub(super) fn drop_schema_index(&mut self, drop: &DropObject) {
        let found = self.schema.find(&drop.name, |key| self.schema.index_tables.contains_key(key));
        let Some(index_key) = found else {
            // One that was never seen may be of a table that was never seen; one that was dropped is gone.
            let key = self.schema.new_key(&drop.name);
            if self.schema.gone.contains_key(&key) {
                self.missing(Subject { object: ObjectKind::Index, name: key, of: None }, drop.if_exists);
            } else {
                self.schema.gone.insert(key, self.schema.now);
            }
            return;
        };
        let Some(of) = self.schema.index_tables.get(&index_key).cloned() else { return };
        if self.schema.views.contains_key(&of) {
            return self.drop_view_index(&of, &index_key);
        }
        let Some(table) = self.schema.tables.get(&of) else { return };
        let Some(index) = table.index(&index_key.name).cloned() else { return };
        if let Some(constraint) = &index.constraint {
            // The server refuses to drop the index of a constraint.
            let subject = self.part(ObjectKind::Constraint, constraint, &of);
            return self.note(Note::Blocked(subject));
        }
        self.remove_index(&of, &index.name);
    }

    /// The index that a MySQL foreign key needs: one that begins with its columns, or a new one, named after the
    /// constraint or after its first column.
    pub(super) fn index_for_foreign_key(
        &mut self,
        key: &TableName,
        name: Option<&Name>,
        foreign: &ForeignKey,
    ) -> Option<Name> {
        let table = self.schema.tables.get(key)?.clone();
        let serves = |index: &&Arc<Index>| begins_with(&table, index, &foreign.columns);
        let is_longer = |index: &Arc<Index>| index.elements.len() > foreign.columns.len();
        if table.indexes.iter().filter(serves).any(|index| !index.generated || is_longer(index)) {
            return None;
        }
        let given = name.cloned().or_else(|| foreign.index_name.clone());
        let name = given.unwrap_or_else(|| self.mysql_index_name(&table, foreign.columns.first()));
        let index = Index {
            name: name.clone(),
            unique: false,
            primary: false,
            method: None,
            elements: foreign.columns.iter().map(element).collect(),
            include: Vec::new(),
            predicate: None,
            nulls_not_distinct: false,
            invisible: false,
            valid: true,
            constraint: None,
            generated: true,
            part_of: None,
            created: Some(self.schema.now),
        };
        let index = self.push_index(key, index);
        self.replace_foreign_key_index(key, &index);
        Some(name)
    }

    /// MySQL drops the index that it made for a foreign key when another one serves it.
    pub(super) fn replace_foreign_key_index(&mut self, key: &TableName, new: &Arc<Index>) {
        let Some(table) = self.schema.tables.get(key).cloned() else { return };
        let is_served = |index: &&Arc<Index>| {
            let columns = index.plain_columns().unwrap_or_default();
            let columns: Vec<Name> = columns.into_iter().cloned().collect();
            index.generated && index.name != new.name && begins_with(&table, new, &columns)
        };
        for index in table.indexes.iter().filter(is_served) {
            self.remove_index(key, &index.name);
        }
        for constraint in &table.constraints {
            let (ConstraintKind::ForeignKey(foreign), Some(index)) = (&constraint.kind, &constraint.index)
            else {
                continue;
            };
            if *index != new.name && begins_with(&table, new, &foreign.columns) {
                self.remove_index(key, index);
                let (name, gone) = (constraint.name.clone(), index.clone());
                self.edit(key, |table| {
                    for other in &mut table.constraints {
                        if other.name == name && other.index.as_ref() == Some(&gone) {
                            Arc::make_mut(other).index = None;
                        }
                    }
                });
            }
        }
    }

    pub(super) fn alter_index(&mut self, name: &ObjectName, action: &IndexAction) {
        let IndexAction::AttachPartition(part) = action else { return };
        let parent = self.schema.find(name, |key| self.schema.index_tables.contains_key(key));
        let child = self.schema.find(part, |key| self.schema.index_tables.contains_key(key));
        let (Some(parent), Some(child)) = (parent, child) else { return };
        let Some(table) = self.schema.index_tables.get(&child).cloned() else { return };
        self.on_index(&table, &child.name, |index| index.part_of = Some(parent.clone()));
        // The parent's index is valid once each partition has its part.
        let Some(of) = self.schema.index_tables.get(&parent).cloned() else { return };
        let complete = self.children(&of).iter().all(|partition| {
            self.schema.tables.get(partition).is_some_and(|table| {
                table.indexes.iter().any(|index| index.part_of.as_ref() == Some(&parent))
            })
        });
        if complete {
            self.on_index(&of, &parent.name, |index| index.valid = true);
        }
    }
}

/// Whether an index begins with `columns`, so that it serves a foreign key on them.
fn begins_with(table: &Table, index: &Index, columns: &[Name]) -> bool {
    let first = index.elements.iter().take(columns.len());
    index.elements.len() >= columns.len()
        && index.method.as_deref().is_none_or(|method| method == "hash")
        && first.zip(columns).all(|(element, column)| {
            element.prefix.is_none() && element.column.as_ref().is_some_and(|own| table.same(own, column))
        })
}
