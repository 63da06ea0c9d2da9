//! `CREATE TABLE`, and what `ALTER TABLE` does to the table as a whole.

use super::{Apply, Note, Subject, naming};
use crate::dialect::Dialect;
use crate::name::{Name, ObjectName, TableName};
use crate::schema::change::*;
use crate::schema::model::*;
use std::sync::Arc;

impl Apply<'_> {
    pub(super) fn create_table(&mut self, create: &CreateTable) {
        let mut name = self.full_name(&create.table);
        let mut key = self.schema.new_key(&create.table);
        if create.persistence == Persistence::Temporary && self.schema.dialect == Dialect::Postgres {
            name.schema = Some(Schema::temporary());
            key.schema = Some(Schema::temporary());
        }
        if self.is_taken(&key, create) {
            return;
        }
        self.schema.gone.remove(&key);
        let mut table = Table {
            name,
            form: create.form,
            persistence: create.persistence,
            partition_by: create.partition_by.clone(),
            options: create.options.clone(),
            rows: if create.as_query.is_some() && !create.no_data { Rows::Some } else { Rows::Empty },
            ..self.empty_table()
        };
        let mut inherited = Vec::new();
        self.inherit_columns(create, &mut table, &mut inherited);
        let mut copies = Vec::new();
        for (position, def) in create.columns.iter().enumerate() {
            self.copy_columns(create, position, &mut table, &mut copies);
            self.own_column(def, &key, &mut table);
        }
        self.copy_columns(create, create.columns.len(), &mut table, &mut copies);
        if let Some(query) = &create.as_query {
            self.query_columns(query, create, &mut table);
        }
        let partition_of = table.partition_of.clone();
        self.schema.tables.insert(key.clone(), Arc::new(table));
        for constraint in inherited {
            self.edit(&key, |table| table.constraints.push(constraint));
        }
        self.table_constraints(create, &key, &copies);
        for index in &create.indexes {
            self.add_index(&key, index);
        }
        if let Some(of) = partition_of {
            self.clone_for_partition(&of.parent, &key);
        }
    }

    /// Whether a relation with the key `key` is there, which the statement then does not make.
    fn is_taken(&mut self, key: &TableName, create: &CreateTable) -> bool {
        let Some(relation) = self.schema.relation(key) else { return false };
        let subject = Subject { object: ObjectKind::Table, name: key.clone(), of: None };
        let differs = match relation {
            Relation::Table(table) if table.origin == Origin::Assumed && !create.if_not_exists => {
                // It was not there after all, or it is dropped where we do not see it.
                self.remove_table(key);
                return false;
            }
            Relation::Table(table) => {
                let named = |def: &ColumnDef| {
                    table.column(&def.name).is_some_and(|column| column.data_type == def.data_type)
                };
                table.is_complete()
                    && (create.columns.len() != table.columns.len() || !create.columns.iter().all(named))
            }
            Relation::View(_) | Relation::Sequence(_) => true,
        };
        if create.or_replace {
            self.remove_table(key);
            return false;
        }
        self.exists(subject, create.if_not_exists, differs);
        true
    }

    /// Columns and checks of the tables that the new one is a partition of or inherits from.
    fn inherit_columns(
        &mut self,
        create: &CreateTable,
        table: &mut Table,
        constraints: &mut Vec<Arc<TableConstraint>>,
    ) {
        let mut parents = Vec::new();
        if let Some(of) = &create.partition_of
            && let Some(parent) = self.table_key(&of.parent)
        {
            self.schema.seen.add_parent(&parent);
            table.partition_of = Some(PartitionOf { parent: parent.clone(), bound: of.bound.clone() });
            parents.push(parent);
        }
        for name in &create.inherits {
            let Some(parent) = self.table_key(name) else { continue };
            self.schema.seen.add_parent(&parent);
            table.inherits.push(parent.clone());
            parents.push(parent);
        }
        let now = self.schema.now;
        for parent in parents {
            let Some(parent) = self.schema.tables.get(&parent) else { continue };
            if !parent.is_complete() {
                table.origin = Origin::Assumed;
            }
            for column in &parent.columns {
                if table.column(&column.name).is_none() {
                    let column = Column { inherited: true, created: Some(now), ..Column::clone(column) };
                    table.columns.push(Arc::new(column));
                }
            }
            for constraint in &parent.constraints {
                let inherits = matches!(constraint.kind, ConstraintKind::Check(_)) && !constraint.no_inherit;
                if inherits && !constraints.iter().any(|other| other.name == constraint.name) {
                    let own = TableConstraint {
                        inherited: true,
                        created: Some(now),
                        ..TableConstraint::clone(constraint)
                    };
                    constraints.push(Arc::new(own));
                }
            }
        }
    }

    /// What `LIKE` brings in before the own column of number `at`.
    fn copy_columns(&mut self, create: &CreateTable, at: usize, table: &mut Table, copies: &mut Vec<Copied>) {
        for like in create.like.iter().filter(|like| like.at == at) {
            let Some(key) = self.table_key(&like.table) else { continue };
            let Some(source) = self.schema.tables.get(&key).cloned() else { continue };
            let all = self.schema.dialect == Dialect::Mysql;
            let with = |what: &str| all || like.including.iter().any(|known| known == what);
            if !source.is_complete() {
                table.origin = Origin::Assumed;
            }
            for column in &source.columns {
                let mut column =
                    Column { inherited: false, created: Some(self.schema.now), ..Column::clone(column) };
                let generated = matches!(column.generation, Some(Generation::Expression { .. }));
                let identity = matches!(column.generation, Some(Generation::Identity(_)));
                if !with("defaults") {
                    column.default = None;
                }
                if generated && !with("generated") || identity && !with("identity") {
                    column.generation = None;
                } else if column.generation == Some(Generation::Serial) {
                    // The default is copied, the sequence is not.
                    column.generation = None;
                }
                table.columns.push(Arc::new(column));
            }
            copies.push(Copied { source, checks: with("constraints"), indexes: with("indexes") });
        }
    }

    fn own_column(&mut self, def: &ColumnDef, key: &TableName, table: &mut Table) {
        let column = self.new_column(def, key, &table.name);
        match table.column_at(&def.name) {
            // It completes one of a parent.
            Some(at) => {
                let old = Column::clone(&table.columns[at]);
                table.columns[at] = Arc::new(Column {
                    default: column.default.or(old.default),
                    nullability: if column.nullability == Nullability::NotNull {
                        Nullability::NotNull
                    } else {
                        old.nullability
                    },
                    generation: column.generation.or(old.generation),
                    ..old
                });
            }
            None => table.columns.push(Arc::new(column)),
        }
    }

    /// The columns of `CREATE TABLE … AS`.
    fn query_columns(&mut self, query: &Query, create: &CreateTable, table: &mut Table) {
        let Some(columns) = self.result_columns(query) else {
            table.origin = Origin::Assumed;
            return;
        };
        for (at, column) in columns.into_iter().enumerate() {
            let name = match create.columns.get(at) {
                Some(def) if def.data_type.is_none() => def.name.clone(),
                _ => column.name,
            };
            let blank = self.blank_column(name.clone());
            let column = Column { data_type: column.data_type, nullability: Nullability::Null, ..blank };
            match table.column_at(&name) {
                Some(at) => table.columns[at] = Arc::new(column),
                None => table.columns.push(Arc::new(column)),
            }
        }
    }

    /// The constraints of a new table, in the order in which the server makes them: checks, then the primary key and
    /// unique ones, then foreign keys.
    fn table_constraints(&mut self, create: &CreateTable, key: &TableName, copies: &[Copied]) {
        for copied in copies {
            for constraint in copied.source.constraints.iter().filter(|_| copied.checks) {
                if matches!(constraint.kind, ConstraintKind::Check(_)) {
                    let own = TableConstraint { inherited: false, ..TableConstraint::clone(constraint) };
                    self.edit(key, |table| table.constraints.push(Arc::new(own)));
                }
            }
        }
        let written: Vec<&Constraint> =
            create.columns.iter().flat_map(|column| &column.constraints).chain(&create.constraints).collect();
        let rank = |constraint: &Constraint| match constraint.kind {
            ConstraintKind::NotNull(_) | ConstraintKind::Check(_) => 0,
            ConstraintKind::PrimaryKey(_) => 1,
            ConstraintKind::Unique(_) | ConstraintKind::Exclude(_) => 2,
            ConstraintKind::ForeignKey(_) => 4,
        };
        for turn in 0..5 {
            for constraint in written.iter().filter(|constraint| rank(constraint) == turn) {
                if !self.is_redundant(key, constraint) {
                    self.add_constraint(key, constraint);
                }
            }
            if turn == 3 {
                self.copy_indexes(key, copies);
            }
        }
    }

    /// Whether a unique constraint of a new table says what another one of it says already: the server then makes
    /// one index for both, which takes the name that is given.
    fn is_redundant(&mut self, key: &TableName, constraint: &Constraint) -> bool {
        let ConstraintKind::Unique(unique) = &constraint.kind else { return false };
        if self.schema.dialect != Dialect::Postgres {
            return false;
        }
        let Some(table) = self.schema.tables.get(key) else { return false };
        let twin = table.constraints.iter().find(|other| {
            matches!(&other.kind, ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key)
                if key.columns == unique.columns && key.include == unique.include
                    && key.nulls_not_distinct == unique.nulls_not_distinct)
                && other.deferrable == constraint.deferrable
        });
        twin.is_some()
    }

    /// `LIKE … INCLUDING INDEXES`: PostgreSQL names them anew, MySQL does not.
    fn copy_indexes(&mut self, key: &TableName, copies: &[Copied]) {
        for copied in copies.iter().filter(|copied| copied.indexes) {
            for index in &copied.source.indexes {
                self.copy_index(&copied.source, index, key);
            }
        }
    }

    /// What a table does to the table as a whole; see `column` and `constraint` for the rest.
    pub(super) fn alter_table(&mut self, alter: &AlterTable) {
        let found = self.schema.relation_key(&alter.table);
        let is_table = found.as_ref().is_none_or(|key| self.schema.tables.contains_key(key));
        if let Some(key) = found.filter(|_| !is_table) {
            return self.alter_other_relation(&key, &alter.action);
        }
        if let TableAction::RenameTable { .. } = &alter.action
            && let Some(index) =
                self.schema.find(&alter.table, |key| self.schema.index_tables.contains_key(key))
        {
            // `ALTER TABLE` renames an index, too.
            return self.alter_other_relation(&index, &alter.action);
        }
        if alter.if_exists && self.schema.relation_key(&alter.table).is_none() {
            // Without IF EXISTS the text says that it is there; with it, nothing is known.
            let key = self.schema.new_key(&alter.table);
            if self.schema.gone.contains_key(&key) {
                let subject = Subject { object: ObjectKind::Table, name: key, of: None };
                return self.missing(subject, true);
            }
        }
        let Some(key) = self.table_key(&alter.table) else { return };
        self.table_action(&key, alter.only, &alter.action);
    }

    fn table_action(&mut self, key: &TableName, only: bool, action: &TableAction) {
        if self.column_action(key, only, action) || self.constraint_action(key, action) {
            return;
        }
        match action {
            TableAction::RenameTable { to } => self.rename_table(key, to),
            TableAction::SetSchema { schema } => self.move_table(key, schema),
            TableAction::SetOwner { owner } => {
                self.edit(key, |table| table.owner = Some(owner.clone()));
            }
            TableAction::SetLogged => {
                self.edit(key, |table| table.persistence = Persistence::Permanent);
            }
            TableAction::SetUnlogged => {
                self.edit(key, |table| table.persistence = Persistence::Unlogged);
            }
            TableAction::SetOptions { options } => {
                for (name, value) in options {
                    self.edit(key, |table| set_option(&mut table.options, name, value));
                }
            }
            TableAction::ResetOptions { names } => {
                self.edit(key, |table| table.options.retain(|(name, _)| !names.contains(name)));
            }
            TableAction::SetTablespace { tablespace } => {
                self.edit(key, |table| set_option(&mut table.options, "tablespace", tablespace.as_str()));
            }
            TableAction::ConvertCharset { charset, collation } => {
                self.convert_charset(key, charset, collation.as_deref());
            }
            TableAction::Inherit { parent } => {
                if let Some(parent) = self.table_key(parent) {
                    self.schema.seen.add_parent(&parent);
                    self.edit(key, |table| table.inherits.push(parent));
                }
            }
            TableAction::NoInherit { parent } => {
                if let Some(parent) = self.table_key(parent) {
                    self.edit(key, |table| table.inherits.retain(|other| *other != parent));
                }
            }
            TableAction::AttachPartition { partition, bound } => self.attach(key, partition, bound),
            TableAction::DetachPartition { partition, .. } => self.detach(partition),
            TableAction::ReplicaIdentity { identity } => {
                self.edit(key, |table| table.replica_identity = identity.clone());
            }
            TableAction::RowSecurity { state } => {
                self.edit(key, |table| match state {
                    RowSecurity::Enable => table.row_security = true,
                    RowSecurity::Disable => table.row_security = false,
                    RowSecurity::Force => table.force_row_security = true,
                    RowSecurity::NoForce => table.force_row_security = false,
                });
            }
            TableAction::TriggerState { trigger, state, .. } => {
                self.edit(key, |table| {
                    for one in &mut table.triggers {
                        if trigger.as_ref().is_none_or(|name| *name == one.definition.name) {
                            Arc::make_mut(one).state = *state;
                        }
                    }
                });
            }
            TableAction::Partitions(PartitionOperation::PartitionBy(by)) => {
                self.edit(key, |table| table.partition_by = Some(by.clone()));
            }
            TableAction::Partitions(PartitionOperation::Remove) => {
                self.edit(key, |table| table.partition_by = None);
            }
            // These leave the model as it is; the others are done above.
            _ => {}
        }
    }

    /// `ATTACH PARTITION`: the indexes and keys of the parent are matched, or made.
    fn attach(&mut self, parent: &TableName, partition: &TableName, bound: &PartitionBound) {
        let Some(child) = self.table_key(partition) else { return };
        let of = PartitionOf { parent: parent.clone(), bound: bound.clone() };
        self.schema.seen.add_parent(parent);
        self.edit(&child, |table| {
            table.partition_of = Some(of);
            for column in &mut table.columns {
                Arc::make_mut(column).inherited = true;
            }
        });
        self.clone_for_partition(parent, &child);
    }

    fn detach(&mut self, partition: &TableName) {
        let Some(child) = self.table_key(partition) else { return };
        self.edit(&child, |table| {
            table.partition_of = None;
            for column in &mut table.columns {
                Arc::make_mut(column).inherited = false;
            }
            for constraint in &mut table.constraints {
                Arc::make_mut(constraint).inherited = false;
            }
            for index in &mut table.indexes {
                Arc::make_mut(index).part_of = None;
            }
        });
    }

    /// What a partition gets from its parent beyond columns: indexes, keys, foreign keys, row triggers.
    fn clone_for_partition(&mut self, parent: &TableName, child: &TableName) {
        let Some(parent) = self.schema.tables.get(parent).cloned() else { return };
        for index in &parent.indexes {
            self.index_for_partition(&parent, index, child);
        }
        for constraint in &parent.constraints {
            if matches!(constraint.kind, ConstraintKind::ForeignKey(_)) {
                self.foreign_key_for_partition(constraint, child);
            }
        }
        for trigger in parent.triggers.iter().filter(|trigger| trigger.definition.for_each_row) {
            let trigger = Arc::clone(trigger);
            self.edit(child, |table| table.triggers.push(trigger));
        }
    }

    /// MySQL `CONVERT TO CHARACTER SET`: the table's and each text column's.
    fn convert_charset(&mut self, key: &TableName, charset: &str, collation: Option<&str>) {
        self.edit(key, |table| {
            set_option(&mut table.options, "charset", charset);
            table.options.retain(|(name, _)| name != "collate");
            if let Some(collation) = collation {
                set_option(&mut table.options, "collate", collation);
            }
            for column in &mut table.columns {
                if column.charset.is_some() || column.collation.is_some() {
                    let column = Arc::make_mut(column);
                    (column.charset, column.collation) = (None, None);
                }
            }
        });
    }

    /// A table of an assumed origin that turns out to be made, or one that is replaced.
    fn remove_table(&mut self, key: &TableName) {
        if let Some(table) = self.schema.tables.remove(key) {
            self.forget_indexes(&table);
        }
    }

    /// Takes the names of a table's indexes out of the schema.
    pub(super) fn forget_indexes(&mut self, table: &Table) {
        if !naming::indexes_live_in_schema(self.schema.dialect) {
            return;
        }
        for index in &table.indexes {
            let key = self.index_key(&table.name, &index.name);
            self.schema.index_tables.remove(&key);
        }
    }

    /// The key of an index called `name` of the table called `table` (a full name).
    pub(super) fn index_key(&self, table: &TableName, name: &Name) -> ObjectName {
        let schema = table.schema.as_ref().map(|schema| self.schema.fold(schema));
        ObjectName { schema, name: self.schema.fold(name) }
    }

    pub(super) fn set_owner(&mut self, name: &TableName, owner: &Name) {
        if let Some(key) = self.table_key(name) {
            self.edit(&key, |table| table.owner = Some(owner.clone()));
        }
    }

    /// Notes that `subject` goes with what is dropped.
    pub(super) fn taken(&mut self, subject: Subject) {
        self.note(Note::Taken(subject));
    }
}

/// A table that `LIKE` copies from.
pub(super) struct Copied {
    pub(super) source: Arc<Table>,
    checks: bool,
    indexes: bool,
}

fn set_option(options: &mut Vec<(String, String)>, name: &str, value: &str) {
    match options.iter_mut().find(|(known, _)| known == name) {
        Some(option) => value.clone_into(&mut option.1),
        None => options.push((name.to_owned(), value.to_owned())),
    }
}
