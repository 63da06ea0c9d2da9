//! Which relations of a schema stand in which role to an operation.

use super::Sorting;
use super::table::Operation;
use crate::engine::effects::{Lock, Role};
use crate::name::{Name, ObjectName, TableName};
use crate::schema::change::{ConstraintKind, PartitionBound};
use crate::schema::model::{Schema, Table};
use std::collections::BTreeSet;

/// An operation, and the relations that it is about.
pub(super) struct Found {
    pub operation: Operation,
    pub relations: Vec<(Role, TableName)>,
}

/// The operation of the table that takes nothing but `lock` on its target.
pub(super) fn lock_operation(lock: &Lock) -> Operation {
    match lock.strength {
        1 => Operation::LockAccessShare,
        2 => Operation::LockRowShare,
        3 => Operation::LockRowExclusive,
        4 => Operation::LockShareUpdateExclusive,
        5 => Operation::LockShare,
        6 => Operation::LockShareRowExclusive,
        7 => Operation::LockExclusive,
        _ => Operation::LockAccessExclusive,
    }
}

impl Sorting<'_> {
    /// An operation on a table and, where `recurses`, on its partitions and children.
    pub(super) fn with_children(&mut self, operation: Operation, name: &TableName, recurses: bool) {
        let relations = self.target_with_children(name, recurses);
        self.add(operation, relations);
    }

    /// An operation on a table and its partitions, but not on tables that only inherit from it.
    pub(super) fn with_partitions(&mut self, operation: Operation, name: &TableName) {
        let partitioned = self.table(name).is_some_and(|table| table.partition_by.is_some());
        self.with_children(operation, name, partitioned);
    }

    /// The table called `name` as target, and its children.
    pub(super) fn target_with_children(&self, name: &TableName, recurses: bool) -> Vec<(Role, TableName)> {
        let key = self.key(name);
        let mut relations = vec![(Role::Target, key.clone())];
        if recurses {
            relations.extend(self.children(&key).map(|child| (Role::Child, child)));
        }
        relations
    }

    /// All partitions and children of the table `key`, at any depth.
    pub(super) fn children(&self, key: &TableName) -> impl Iterator<Item = TableName> + use<> {
        let mut found = BTreeSet::new();
        let mut open = vec![key.clone()];
        while let Some(parent) = open.pop() {
            for child in keys_of_children(self.before, &parent) {
                if found.insert(child.clone()) {
                    open.push(child);
                }
            }
        }
        found.into_iter()
    }

    /// The default partition of the table `parent`.
    pub(super) fn default_partition(&self, parent: &TableName) -> Option<(Role, TableName)> {
        let is_default = |table: &Table| {
            let of = table.partition_of.as_ref();
            of.is_some_and(|of| of.parent == *parent && of.bound == PartitionBound::Default)
        };
        let found = self.before.tables.iter().find(|(_, table)| is_default(table));
        found.map(|(key, _)| (Role::DefaultPartition, key.clone()))
    }

    /// The table `key` as the one that a foreign key points to, and its partitions.
    pub(super) fn referenced_with_partitions(&self, key: &TableName) -> Vec<(Role, TableName)> {
        let mut relations = vec![(Role::Referenced, key.clone())];
        if self.before.tables.get(key).is_some_and(|table| table.partition_by.is_some()) {
            relations.extend(self.children(key).map(|child| (Role::Referenced, child)));
        }
        relations
    }

    /// The tables with a foreign key to the table `key`, at any depth.
    pub(super) fn referencing(&self, key: &TableName) -> Vec<(Role, TableName)> {
        let mut found: Vec<TableName> = Vec::new();
        let mut open = vec![key.clone()];
        while let Some(of) = open.pop() {
            for (from, constraint) in self.before.references_to(&of) {
                let from = self.before.new_key(&from.name);
                // A key that came from a parent goes with the parent's.
                if from != *key && !found.contains(&from) && !constraint.inherited {
                    found.push(from.clone());
                    open.push(from);
                }
            }
        }
        found.into_iter().map(|from| (Role::Referencing, from)).collect()
    }

    /// The full name of the index called `name`.
    pub(super) fn index_key(&self, name: &ObjectName) -> ObjectName {
        let known = |key: &ObjectName| self.before.index_tables.contains_key(key);
        self.before.find(name, known).unwrap_or_else(|| self.before.new_key(name))
    }

    /// The table (or materialized view) that the index called `name` belongs to.
    pub(super) fn owner_of_index(&self, name: &ObjectName) -> Option<TableName> {
        self.before.index_tables.get(&self.index_key(name)).cloned()
    }

    /// The full names of the indexes of the table `key`.
    pub(super) fn indexes_of<'b>(&'b self, key: &'b TableName) -> impl Iterator<Item = ObjectName> + 'b {
        let table = self.before.tables.get(key);
        let indexes = table.into_iter().flat_map(|table| &table.indexes);
        indexes.map(|index| ObjectName { schema: key.schema.clone(), name: index.name.clone() })
    }

    /// The tables with a column of the type called `name`.
    pub(super) fn users_of_type(&self, name: &ObjectName) -> Vec<(Role, TableName)> {
        let Some(key) = self.before.find(name, |key| self.before.types.contains_key(key)) else {
            return Vec::new();
        };
        let users = self.before.columns_of_type(&key).map(|(table, _)| self.before.new_key(&table.name));
        let users: BTreeSet<TableName> = users.collect();
        users.into_iter().map(|table| (Role::User, table)).collect()
    }

    /// The views that read the relation `key`, at any depth.
    pub(super) fn views_over(&self, key: &TableName) -> Vec<(Role, TableName)> {
        let mut found: Vec<TableName> = Vec::new();
        let mut open = vec![key.clone()];
        while let Some(of) = open.pop() {
            for (view, _) in self.before.views_of(&of) {
                let view = self.before.new_key(&view.name);
                if !found.contains(&view) {
                    found.push(view.clone());
                    open.push(view);
                }
            }
        }
        found.into_iter().map(|view| (Role::View, view)).collect()
    }

    /// The table called `name`, and what is locked when it is dropped.
    pub(super) fn dropped_with(&self, name: &TableName, cascade: bool) -> Vec<(Role, TableName)> {
        let key = self.key(name);
        let mut relations = vec![(Role::Target, key.clone())];
        let Some(table) = self.before.tables.get(&key) else { return relations };
        if let Some(of) = &table.partition_of {
            relations.push((Role::Parent, of.parent.clone()));
            relations.extend(self.default_partition(&of.parent).filter(|(_, default)| *default != key));
        }
        let children: Vec<TableName> = self.children(&key).collect();
        for dropped in std::iter::once(&key).chain(&children) {
            let constraints =
                self.before.tables.get(dropped).into_iter().flat_map(|table| &table.constraints);
            for constraint in constraints {
                if let ConstraintKind::ForeignKey(to) = &constraint.kind {
                    relations.extend(self.referenced_with_partitions(&to.references));
                }
            }
        }
        relations.extend(children.into_iter().map(|child| (Role::Child, child)));
        if cascade {
            for (from, _) in self.before.references_to(&key) {
                relations.push((Role::Referencing, self.before.new_key(&from.name)));
            }
            relations.extend(self.views_over(&key));
        }
        relations
    }

    /// The foreign keys of the table `key` over `column`, and those of others that point to it.
    pub(super) fn foreign_keys_over(&self, key: &TableName, column: &Name) -> Vec<(Role, TableName)> {
        let mut relations = Vec::new();
        let own = self.before.tables.get(key).into_iter().flat_map(|table| &table.constraints);
        for constraint in own {
            if let ConstraintKind::ForeignKey(to) = &constraint.kind
                && to.columns.contains(column)
            {
                relations.extend(self.referenced_with_partitions(&to.references));
            }
        }
        for (from, constraint) in self.before.references_to(key) {
            if let ConstraintKind::ForeignKey(to) = &constraint.kind
                && to.referenced_columns.contains(column)
            {
                relations.push((Role::Referencing, self.before.new_key(&from.name)));
            }
        }
        relations
    }
}

fn keys_of_children(schema: &Schema, parent: &TableName) -> Vec<TableName> {
    schema.children_with_keys(parent).map(|(key, _)| key.clone()).collect()
}
