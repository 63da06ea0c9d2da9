//! What a change locks, scans and rewrites on PostgreSQL: which operations of the table it comes to, on which
//! relations, by the schema before it.
//!
//! - `table`: the facts;
//! - `alter`: the actions of `ALTER TABLE`;
//! - `convert`: changes of a column's type;
//! - `relations`: which relations stand in which role.

mod alter;
pub mod convert;
mod relations;
pub mod table;

pub use alter::volatility;

use crate::engine::effects::{Effects, RelationEffect, Role};
use crate::engine::version::Number;
use crate::name::{ObjectName, TableName};
use crate::schema::change::*;
use crate::schema::model::{Schema, Table};
use relations::Found;
use table::Operation;

/// What `change` does to others on a server of `version`, given the schema `before` it. `utc`: whether the session's
/// time zone is known to be UTC.
pub fn effects(change: &Change, before: &Schema, version: Number, utc: bool) -> Effects {
    let mut sorting = Sorting { before, utc, found: Vec::new() };
    sorting.change(&change.kind);
    let mut effects = Effects::default();
    for found in sorting.found {
        effects.merge(found_effects(&found, version));
    }
    effects
}

fn found_effects(found: &Found, version: Number) -> Effects {
    let Some(row) = table::lookup(found.operation, version) else { return Effects::default() };
    let mut effects = Effects { waits: row.waits.to_vec(), manual: row.manual, ..Effects::default() };
    for (role, lock, work) in row.on {
        for relation in found.relations.iter().filter(|(of, _)| of == role) {
            effects.add(RelationEffect {
                relation: relation.1.clone(),
                role: *role,
                lock: *lock,
                work: *work,
            });
        }
    }
    effects
}

/// Finds the operations that a change comes to.
struct Sorting<'a> {
    before: &'a Schema,
    utc: bool,
    found: Vec<Found>,
}

impl Sorting<'_> {
    fn add(&mut self, operation: Operation, relations: Vec<(Role, TableName)>) {
        self.found.push(Found { operation, relations });
    }

    /// An operation on the relation called `name` alone.
    fn on(&mut self, operation: Operation, role: Role, name: &TableName) {
        let key = self.key(name);
        self.add(operation, vec![(role, key)]);
    }

    /// The full name of `name`; as a new relation would get it where there is none.
    fn key(&self, name: &TableName) -> TableName {
        self.before.relation_key(name).unwrap_or_else(|| self.before.new_key(name))
    }

    fn table(&self, name: &TableName) -> Option<&Table> {
        self.before.table(name).map(|table| &**table)
    }

    fn change(&mut self, kind: &ChangeKind) {
        match kind {
            ChangeKind::CreateTable(create) => self.create_table(create),
            ChangeKind::AlterTable(alter) => self.alter_table(alter),
            ChangeKind::CreateIndex(create) => self.create_index(create),
            ChangeKind::AlterIndex { name, action } => {
                let operation = match action {
                    IndexAction::AttachPartition(_) => Operation::AttachIndex,
                    IndexAction::SetTablespace(_) => Operation::MoveIndex,
                    IndexAction::Options => Operation::AlterIndex,
                };
                let index = self.index_key(name);
                self.add(operation, vec![(Role::Index, index)]);
            }
            ChangeKind::Reindex(reindex) => self.reindex(reindex),
            ChangeKind::CreateView(create) => self.create_view(create),
            ChangeKind::RefreshMaterializedView { name, concurrently, .. } => {
                let operation = if *concurrently {
                    Operation::RefreshMaterializedViewConcurrently
                } else {
                    Operation::RefreshMaterializedView
                };
                self.on(operation, Role::View, name);
            }
            ChangeKind::AlterSequence { name, .. } => self.on(Operation::AlterSequence, Role::Target, name),
            ChangeKind::AlterDomain { name, action } => self.alter_domain(name, action),
            ChangeKind::CreateTrigger(create) => {
                self.with_children(Operation::CreateTrigger, &create.table, create.for_each_row);
            }
            ChangeKind::CreateRule(create) => self.on(Operation::AlterParts, Role::Target, &create.table),
            ChangeKind::CreatePolicy(policy) | ChangeKind::AlterPolicy(policy) => {
                self.on(Operation::AlterParts, Role::Target, &policy.table);
            }
            ChangeKind::CreateOther { object: ObjectKind::Statistics, on: Some(table), .. } => {
                self.on(Operation::CreateStatistics, Role::Target, table);
            }
            ChangeKind::Drop(drop) => self.drop_object(drop),
            ChangeKind::Rename(rename) => self.rename(rename),
            ChangeKind::SetSchema { object, name, .. } => self.alter_object(*object, name),
            ChangeKind::SetOwner { object, name: Some(name), .. } => self.alter_object(*object, name),
            ChangeKind::Comment { object, name, .. } => {
                if matches!(object, ObjectKind::Table | ObjectKind::Column | ObjectKind::ForeignTable) {
                    self.on(Operation::Comment, Role::Target, name);
                }
            }
            ChangeKind::Insert(insert) => self.write(&insert.table),
            ChangeKind::Update(update) => self.write(&update.table),
            ChangeKind::Delete(delete) => self.write(&delete.table),
            ChangeKind::Merge(merge) => self.write(&merge.table),
            ChangeKind::Copy(CopyRows { table: Some(table), writes: true, .. }) => self.write(table),
            ChangeKind::Truncate(truncate) => self.truncate(truncate),
            ChangeKind::Select(select) if select.locks_rows => {
                let sources = select.query.reads.iter().map(|name| (Role::Source, self.key(name))).collect();
                self.add(Operation::LockRows, sources);
            }
            ChangeKind::LockTable(lock) => self.lock_table(lock),
            ChangeKind::Vacuum(Vacuum { table: Some(table), full, .. }) => {
                let operation = if *full { Operation::VacuumFull } else { Operation::Vacuum };
                self.on(operation, Role::Target, table);
            }
            ChangeKind::Analyze { table: Some(table) } => self.on(Operation::Analyze, Role::Target, table),
            ChangeKind::Cluster { table: Some(table), .. } => {
                self.on(Operation::Cluster, Role::Target, table)
            }
            // These lock nothing that is known here by name.
            ChangeKind::CreateSequence { .. }
            | ChangeKind::CreateType { .. }
            | ChangeKind::AlterType { .. }
            | ChangeKind::CreateDomain(_)
            | ChangeKind::CreateRoutine(_)
            | ChangeKind::AlterRoutine { .. }
            | ChangeKind::CreateSchema { .. }
            | ChangeKind::CreateExtension(_)
            | ChangeKind::CreateOther { .. }
            | ChangeKind::AlterOther { .. }
            | ChangeKind::SetOwner { .. }
            | ChangeKind::Grant(_)
            | ChangeKind::Revoke(_)
            | ChangeKind::DefaultPrivileges { .. }
            | ChangeKind::Copy(_)
            | ChangeKind::Select(_)
            | ChangeKind::Call(_)
            | ChangeKind::Vacuum(_)
            | ChangeKind::Analyze { .. }
            | ChangeKind::Cluster { .. }
            | ChangeKind::Optimize { .. }
            | ChangeKind::SetVariable(_)
            | ChangeKind::Transaction(_)
            | ChangeKind::Block { .. }
            | ChangeKind::Harmless { .. }
            | ChangeKind::Opaque(_) => {}
        }
    }

    fn create_table(&mut self, create: &CreateTable) {
        if create.if_not_exists && self.before.relation_key(&create.table).is_some() {
            return;
        }
        if let Some(of) = &create.partition_of {
            let parent = self.key(&of.parent);
            let mut relations = vec![(Role::Parent, parent.clone())];
            if of.bound != PartitionBound::Default {
                relations.extend(self.default_partition(&parent));
            }
            self.add(Operation::CreatePartition, relations);
            self.inherited_foreign_keys(&parent);
        }
        for parent in &create.inherits {
            self.on(Operation::CreateInheritingTable, Role::Parent, parent);
        }
        for like in &create.like {
            self.on(Operation::CreateTableLike, Role::Source, &like.table);
        }
        let own = self.before.new_key(&create.table);
        let inline = create.columns.iter().flat_map(|column| &column.constraints);
        for constraint in create.constraints.iter().chain(inline) {
            if let ConstraintKind::ForeignKey(key) = &constraint.kind {
                let referenced = self.key(&key.references);
                if referenced != own {
                    let relations = self.referenced_with_partitions(&referenced);
                    self.add(Operation::CreateTableWithForeignKey, relations);
                }
            }
        }
    }

    /// A partition gets the foreign keys of its parent.
    fn inherited_foreign_keys(&mut self, parent: &TableName) {
        let Some(table) = self.before.tables.get(parent) else { return };
        let keys: Vec<TableName> = table.constraints.iter().filter_map(|one| references(&one.kind)).collect();
        for key in keys {
            let relations = self.referenced_with_partitions(&key);
            self.add(Operation::CreateTableWithForeignKey, relations);
        }
    }

    fn create_index(&mut self, create: &CreateIndex) {
        let known = self.table(&create.table);
        let is_there = create.name.as_ref().is_some_and(|name| {
            let name = ObjectName { schema: self.key(&create.table).schema, name: name.clone() };
            self.before.relation_key(&name).is_some() || self.before.index_tables.contains_key(&name)
        });
        let partitioned = known.is_some_and(|table| table.partition_by.is_some());
        if (create.if_not_exists && is_there || create.only && partitioned) && !create.concurrently {
            return self.on(Operation::CreateIndexOnly, Role::Target, &create.table);
        }
        let operation =
            if create.concurrently { Operation::CreateIndexConcurrently } else { Operation::CreateIndex };
        self.with_partitions(operation, &create.table);
    }

    fn reindex(&mut self, reindex: &Reindex) {
        let Some(name) = &reindex.name else { return };
        let (operation, role) = match (reindex.object, reindex.concurrently) {
            (ObjectKind::Index, true) => (Operation::ReindexConcurrently, Role::Owner),
            (ObjectKind::Index, false) => (Operation::ReindexIndex, Role::Owner),
            (_, true) => (Operation::ReindexConcurrently, Role::Target),
            (_, false) => (Operation::ReindexTable, Role::Target),
        };
        let mut relations = Vec::new();
        if role == Role::Owner {
            relations.extend(self.owner_of_index(name).map(|owner| (Role::Owner, owner)));
            relations.push((Role::Index, self.index_key(name)));
        } else if reindex.object == ObjectKind::Table {
            let key = self.key(name);
            relations.extend(self.indexes_of(&key).map(|index| (Role::Index, index)));
            relations.insert(0, (Role::Target, key));
        }
        self.add(operation, relations);
    }

    fn create_view(&mut self, create: &CreateView) {
        let replaces = create.or_replace && self.before.view(&create.name).is_some();
        let mut relations: Vec<_> =
            create.query.reads.iter().map(|name| (Role::Source, self.key(name))).collect();
        if replaces {
            relations.insert(0, (Role::View, self.key(&create.name)));
        }
        let operation = if replaces { Operation::ReplaceView } else { Operation::CreateView };
        self.add(operation, relations);
    }

    fn alter_domain(&mut self, name: &ObjectName, action: &DomainAction) {
        let operation = match action {
            DomainAction::SetNotNull => Operation::AlterDomainChecked,
            DomainAction::AddConstraint(constraint) if !constraint.not_valid => Operation::AlterDomainChecked,
            DomainAction::ValidateConstraint(_) => Operation::ValidateDomain,
            DomainAction::AddConstraint(_)
            | DomainAction::SetDefault(_)
            | DomainAction::DropDefault
            | DomainAction::DropNotNull
            | DomainAction::DropConstraint { .. }
            | DomainAction::RenameConstraint { .. } => return,
        };
        let users = self.users_of_type(name);
        self.add(operation, users);
    }

    fn drop_object(&mut self, drop: &DropObject) {
        match drop.object {
            ObjectKind::Table | ObjectKind::ForeignTable
                if self.before.table(&drop.name).is_some() || !drop.if_exists =>
            {
                let relations = self.dropped_with(&drop.name, drop.cascade);
                self.add(Operation::DropTable, relations);
            }
            ObjectKind::View | ObjectKind::MaterializedView => {
                let key = self.key(&drop.name);
                let mut views = vec![(Role::View, key.clone())];
                if drop.cascade {
                    views.extend(self.views_over(&key));
                }
                self.add(Operation::DropView, views);
            }
            ObjectKind::Index if drop.if_exists && self.owner_of_index(&drop.name).is_none() => {}
            ObjectKind::Index => {
                let operation =
                    if drop.concurrently { Operation::DropIndexConcurrently } else { Operation::DropIndex };
                let mut relations: Vec<_> =
                    self.owner_of_index(&drop.name).map(|owner| (Role::Owner, owner)).into_iter().collect();
                relations.push((Role::Index, self.index_key(&drop.name)));
                self.add(operation, relations);
            }
            ObjectKind::Sequence => self.on(Operation::DropSequence, Role::Target, &drop.name),
            ObjectKind::Trigger | ObjectKind::Rule | ObjectKind::Policy => {
                if let Some(table) = &drop.on {
                    if drop.object == ObjectKind::Trigger {
                        self.with_children(Operation::AlterParts, table, false);
                    } else {
                        self.on(Operation::AlterParts, Role::Target, table);
                    }
                }
            }
            _ => {}
        }
    }

    fn rename(&mut self, rename: &RenameObject) {
        match rename.object {
            ObjectKind::Index => {
                let index = self.index_key(&rename.name);
                self.add(Operation::AlterIndex, vec![(Role::Index, index)]);
            }
            ObjectKind::Trigger | ObjectKind::Rule | ObjectKind::Policy => {
                if let Some(table) = &rename.on {
                    self.on(Operation::AlterParts, Role::Target, table);
                }
            }
            other => self.alter_object(other, &rename.name),
        }
    }

    /// `RENAME`, `SET SCHEMA`, `OWNER TO` of something that is not a table.
    fn alter_object(&mut self, object: ObjectKind, name: &ObjectName) {
        match object {
            ObjectKind::View | ObjectKind::MaterializedView => {
                self.on(Operation::AlterView, Role::View, name);
            }
            ObjectKind::Table | ObjectKind::ForeignTable => {
                self.on(Operation::AlterTableAlone, Role::Target, name);
            }
            ObjectKind::Sequence => self.on(Operation::DropSequence, Role::Target, name),
            _ => {}
        }
    }

    fn write(&mut self, table: &TableName) {
        self.on(Operation::WriteRows, Role::Target, table);
    }

    fn truncate(&mut self, truncate: &Truncate) {
        let key = self.key(&truncate.table);
        let mut relations = vec![(Role::Target, key.clone())];
        if !truncate.only {
            relations.extend(self.children(&key).map(|child| (Role::Child, child)));
        }
        if truncate.cascade {
            relations.extend(self.referencing(&key));
        }
        self.add(Operation::TruncateTable, relations);
    }

    fn lock_table(&mut self, lock: &LockTable) {
        let key = self.key(&lock.table);
        let Some(mode) = table::LOCKS.iter().find(|known| known.name == lock.mode) else { return };
        // The one statement whose lock is in its text; the row of the table with that lock stands for it.
        self.found
            .push(Found { operation: relations::lock_operation(mode), relations: vec![(Role::Target, key)] });
    }
}

/// The table that a foreign key points to.
fn references(kind: &ConstraintKind) -> Option<TableName> {
    match kind {
        ConstraintKind::ForeignKey(key) => Some(key.references.clone()),
        _ => None,
    }
}
