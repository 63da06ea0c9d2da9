//! The operations that the actions of `ALTER TABLE` come to.

use super::convert::{Conversion, conversion, is_constrained_domain, is_plain_using};
use super::table::Operation;
use super::{Sorting, references};
use crate::dialect::Dialect;
use crate::engine::effects::Role;
use crate::engine::read::functions;
use crate::name::{Name, TableName};
use crate::schema::change::*;
use crate::schema::model::{Column, Index, Schema, Table, UserTypeKind};
use std::sync::Arc;

/// Storage parameters that only a stronger lock may change; all others are the planner's and autovacuum's
/// (<https://www.postgresql.org/docs/current/sql-createtable.html#SQL-CREATETABLE-STORAGE-PARAMETERS>).
const LOUD_OPTIONS: &[&str] = &["user_catalog_table", "security_barrier", "security_invoker", "check_option"];

impl Sorting<'_> {
    pub(super) fn alter_table(&mut self, alter: &AlterTable) {
        if alter.if_exists && self.before.relation_key(&alter.table).is_none() {
            return;
        }
        match alter.object {
            ObjectKind::View | ObjectKind::MaterializedView => {
                return self.on(Operation::AlterView, Role::View, &alter.table);
            }
            ObjectKind::Sequence => return self.on(Operation::DropSequence, Role::Target, &alter.table),
            ObjectKind::Index => return self.on(Operation::AlterIndex, Role::Index, &alter.table),
            _ => {}
        }
        let table = &alter.table;
        let deep = !alter.only;
        match &alter.action {
            TableAction::AddColumn { column, if_not_exists, .. } => {
                let there = self.table(table).is_some_and(|table| table.column(&column.name).is_some());
                if !(there && *if_not_exists) {
                    self.add_column(table, column, deep);
                } else {
                    self.with_children(Operation::AddColumn, table, deep);
                }
            }
            TableAction::DropColumn { column, cascade, .. } => {
                self.drop_column(table, column, *cascade, deep)
            }
            TableAction::SetType { column, data_type, collation, using } => {
                self.set_type(table, column, data_type, collation.as_deref(), using.as_ref());
            }
            TableAction::SetNotNull { column } => self.set_not_null(table, column, deep),
            TableAction::AddConstraint { constraint, .. } => self.add_constraint(table, constraint, deep),
            TableAction::ValidateConstraint { name } => self.validate(table, name, deep),
            TableAction::DropConstraint { name, cascade, .. } => {
                self.drop_constraint(table, name, *cascade, deep)
            }
            TableAction::AttachPartition { partition, bound } => self.attach(table, partition, bound),
            TableAction::DetachPartition { partition, concurrently, finalize } => {
                let operation = match (concurrently, finalize) {
                    (true, _) => Operation::DetachPartitionConcurrently,
                    (false, true) => Operation::DetachPartitionFinalize,
                    (false, false) => Operation::DetachPartition,
                };
                let parent = self.key(table);
                let mut relations =
                    vec![(Role::Parent, parent.clone()), (Role::Partition, self.key(partition))];
                relations.extend(self.default_partition(&parent));
                self.add(operation, relations);
            }
            TableAction::Inherit { parent } => self.with_parent(Operation::Inherit, table, parent),
            TableAction::NoInherit { parent } => self.with_parent(Operation::NoInherit, table, parent),
            TableAction::SetOptions { options } => {
                let loud = options.iter().any(|(name, _)| LOUD_OPTIONS.contains(&name.as_str()));
                self.set_options(table, loud);
            }
            TableAction::ResetOptions { names } => {
                let loud = names.iter().any(|name| LOUD_OPTIONS.contains(&name.as_str()));
                self.set_options(table, loud);
            }
            action => match plain_operation(action) {
                Some((operation, recurses)) => self.with_children(operation, table, deep && recurses),
                None => self.on(Operation::AlterTableAlone, Role::Target, table),
            },
        }
    }

    fn set_options(&mut self, table: &TableName, loud: bool) {
        let operation = if loud { Operation::AlterTableAlone } else { Operation::AlterTableQuietly };
        self.on(operation, Role::Target, table);
    }

    fn with_parent(&mut self, operation: Operation, table: &TableName, parent: &TableName) {
        let relations = vec![(Role::Target, self.key(table)), (Role::Parent, self.key(parent))];
        self.add(operation, relations);
    }

    fn add_column(&mut self, table: &TableName, column: &ColumnDef, deep: bool) {
        let operation = match &column.generation {
            Some(Generation::Expression { stored: false, .. }) => Operation::AddColumnVirtual,
            Some(_) => Operation::AddColumnRewrite,
            None => self.add_plain_column(column),
        };
        self.with_children(operation, table, deep);
        let filled = column.default.as_ref().is_some_and(|default| !default.is_null);
        let written =
            operation == Operation::AddColumnRewrite || operation == Operation::AddColumnVolatileDefault;
        for constraint in &column.constraints {
            match &constraint.kind {
                ConstraintKind::ForeignKey(key) => {
                    let mut relations = self.target_with_children(table, deep);
                    let referenced = self.key(&key.references);
                    relations.extend(self.referenced_with_partitions(&referenced));
                    // Where every row gets NULL, there is nothing to look up.
                    let checked = filled || written;
                    let operation =
                        if checked { Operation::AddForeignKey } else { Operation::AddForeignKeyNotValid };
                    self.add(operation, relations);
                }
                ConstraintKind::NotNull(_) => {}
                _ => self.add_constraint(table, constraint, deep),
            }
        }
    }

    /// A column that is neither generated nor an identity.
    fn add_plain_column(&self, column: &ColumnDef) -> Operation {
        if column.data_type.as_ref().is_some_and(|of| is_constrained_domain(of, self.before)) {
            return Operation::AddColumnRewrite;
        }
        let domain_default =
            column.data_type.as_ref().and_then(|data_type| domain_default(data_type, self.before));
        match column.default.as_ref().or(domain_default) {
            None if column.nullability == Nullability::NotNull => Operation::AddColumnRequired,
            None => Operation::AddColumn,
            Some(default) if default.is_null => Operation::AddColumn,
            Some(default) => match volatility(default, self.before) {
                Volatility::Immutable | Volatility::Stable => Operation::AddColumnConstantDefault,
                // What is not known may be volatile, which is what a function is unless it says otherwise.
                Volatility::Volatile | Volatility::Unknown => Operation::AddColumnVolatileDefault,
            },
        }
    }

    fn drop_column(&mut self, table: &TableName, column: &Name, cascade: bool, deep: bool) {
        let key = self.key(table);
        let mut relations = self.target_with_children(table, deep);
        let keys = self.foreign_keys_over(&key, column);
        relations.extend(keys.into_iter().filter(|(role, _)| cascade || *role == Role::Referenced));
        if cascade {
            let reading = self.before.views_of(&key).filter(|(_, read)| read.columns.contains(column));
            relations.extend(reading.map(|(view, _)| (Role::View, self.before.new_key(&view.name))));
        }
        self.add(Operation::DropColumn, relations);
    }

    fn set_type(
        &mut self,
        table: &TableName,
        name: &Name,
        to: &DataType,
        collation: Option<&str>,
        using: Option<&Expr>,
    ) {
        let found = self.table(table).and_then(|table| Some((table, table.column(name)?)));
        let computed = using.is_some_and(|using| !is_plain_using(using, name.as_str(), to));
        let mut relations = self.target_with_children(table, true);
        let Some((known, column)) = found else {
            // A column that nothing tells the type of: most changes write it anew.
            return self.add(Operation::SetTypeRewrite, relations);
        };
        relations.extend(self.foreign_keys_over(&self.key(table), name));
        let conversion = match &column.data_type {
            _ if computed => Conversion::Rewrite,
            Some(from) => conversion(from, to, self.before, self.utc),
            None => Conversion::Rewrite,
        };
        let collates = collation.is_some() && collation != column.collation.as_deref();
        let operation = match conversion {
            Conversion::Rewrite => Operation::SetTypeRewrite,
            Conversion::Relabel | Conversion::RelabelNewOperators => {
                let new_operators = conversion == Conversion::RelabelNewOperators || collates;
                of_kept_rows(known, column, new_operators)
            }
        };
        self.add(operation, relations);
    }

    fn set_not_null(&mut self, table: &TableName, column: &Name, deep: bool) {
        let known = self.table(table);
        let is_set = known.and_then(|table| table.column(column));
        // From 18 on NOT NULL may be there without having been checked; then it is now.
        let is_unchecked = known.is_some_and(|table| {
            table.constraints.iter().any(|one| {
                !one.valid && matches!(&one.kind, ConstraintKind::NotNull(of) if table.same(of, column))
            })
        });
        let is_set = is_set.is_some_and(|column| column.nullability == Nullability::NotNull) && !is_unchecked;
        let operation = if is_set {
            Operation::AlterColumn
        } else if known.is_some_and(|table| table.has_valid_not_null_check(column)) {
            Operation::SetNotNullProven
        } else {
            Operation::SetNotNull
        };
        self.with_children(operation, table, deep);
    }

    fn add_constraint(&mut self, table: &TableName, constraint: &Constraint, deep: bool) {
        let unchecked = constraint.not_valid || constraint.not_enforced;
        match &constraint.kind {
            ConstraintKind::Check(_) => {
                let operation = if unchecked { Operation::AddCheckNotValid } else { Operation::AddCheck };
                self.with_children(operation, table, deep);
            }
            ConstraintKind::NotNull(column) => match unchecked {
                true => self.with_children(Operation::AddCheckNotValid, table, deep),
                false => self.set_not_null(table, column, deep),
            },
            ConstraintKind::ForeignKey(key) => {
                let mut relations = self.target_with_children(table, deep);
                let referenced = self.key(&key.references);
                relations.extend(self.referenced_with_partitions(&referenced));
                let operation =
                    if unchecked { Operation::AddForeignKeyNotValid } else { Operation::AddForeignKey };
                self.add(operation, relations);
            }
            ConstraintKind::Unique(key) => self.add_key(table, key, Operation::AddUnique),
            ConstraintKind::PrimaryKey(key) => self.add_key(table, key, Operation::AddPrimaryKey),
            ConstraintKind::Exclude(_) => self.with_partitions(Operation::AddExclusion, table),
        }
    }

    fn add_key(&mut self, table: &TableName, key: &KeyConstraint, operation: Operation) {
        let Some(index) = &key.using_index else { return self.with_partitions(operation, table) };
        let known = self.table(table);
        let nullable = |column: &&Name| {
            let column = known.and_then(|table| table.column(column));
            column.is_none_or(|column| column.nullability != Nullability::NotNull)
        };
        let columns = known.and_then(|table| table.index(index)).and_then(|index| {
            let columns = index.plain_columns()?;
            Some(columns.into_iter().cloned().collect::<Vec<_>>())
        });
        let proven = |column: &Name| known.is_some_and(|table| table.has_valid_not_null_check(column));
        let scans = operation == Operation::AddPrimaryKey
            && columns
                .as_ref()
                .is_none_or(|columns| columns.iter().any(|column| nullable(&column) && !proven(column)));
        let operation = if scans {
            Operation::AddPrimaryKeyUsingIndexNullable
        } else {
            Operation::AddConstraintUsingIndex
        };
        self.on(operation, Role::Target, table);
    }

    fn validate(&mut self, table: &TableName, name: &Name, deep: bool) {
        let known = self.table(table).and_then(|table| table.constraint(name));
        let referenced = known.and_then(|known| references(&known.kind));
        if known.is_some_and(|known| known.valid) {
            return self.with_children(Operation::AlterTableQuietly, table, false);
        }
        match referenced {
            Some(referenced) => {
                let mut relations = self.target_with_children(table, deep);
                relations.extend(self.referenced_with_partitions(&referenced));
                self.add(Operation::ValidateForeignKey, relations);
            }
            None => self.with_children(Operation::ValidateConstraint, table, deep),
        }
    }

    fn drop_constraint(&mut self, table: &TableName, name: &Name, cascade: bool, deep: bool) {
        let mut relations = self.target_with_children(table, deep);
        let known = self.table(table).and_then(|table| table.constraint(name));
        if let Some(referenced) = known.and_then(|known| references(&known.kind)) {
            relations.extend(self.referenced_with_partitions(&referenced));
            return self.add(Operation::DropForeignKey, relations);
        }
        if cascade {
            let columns = known.map_or(&[][..], |known| known.columns()).to_vec();
            for (from, constraint) in self.before.references_to(&self.key(table)) {
                if let ConstraintKind::ForeignKey(to) = &constraint.kind
                    && to.referenced_columns == columns
                {
                    relations.push((Role::Referencing, self.before.new_key(&from.name)));
                }
            }
        }
        self.add(Operation::DropConstraint, relations);
    }

    fn attach(&mut self, table: &TableName, partition: &TableName, bound: &PartitionBound) {
        let parent = self.key(table);
        let child = self.key(partition);
        let tables = (self.before.tables.get(&parent), self.before.tables.get(&child));
        let operation = match tables {
            (Some(parent), Some(child)) if lacks_an_index(parent, child) => {
                Operation::AttachPartitionIndexBuild
            }
            (Some(parent), Some(child))
                if parent.partition_by.as_ref().is_some_and(|by| is_bounded(child, by)) =>
            {
                Operation::AttachPartitionProven
            }
            _ => Operation::AttachPartition,
        };
        let mut relations = vec![(Role::Parent, parent.clone()), (Role::Partition, child.clone())];
        relations.extend(self.children(&child).map(|below| (Role::Partition, below)));
        if *bound != PartitionBound::Default {
            relations.extend(self.default_partition(&parent));
        }
        self.add(operation, relations);
        let keys = self.before.tables.get(&parent).into_iter().flat_map(|table| &table.constraints);
        let keys: Vec<TableName> = keys.filter_map(|one| references(&one.kind)).collect();
        for key in keys {
            let relations = self.referenced_with_partitions(&key);
            self.add(Operation::CreateTableWithForeignKey, relations);
        }
    }
}

/// What a change of type comes to whose rows stay as they are.
fn of_kept_rows(table: &Table, column: &Column, new_operators: bool) -> Operation {
    let indexed = table.indexes.iter().any(|index| {
        // An index with an expression or a condition is never taken over.
        let simple = index.predicate.is_none() && index.plain_columns().is_some();
        index.uses(&column.name) && (new_operators || !simple)
    });
    let checked = table.constraints.iter().any(|constraint| {
        matches!(&constraint.kind, ConstraintKind::Check(expr) if expr.columns.contains(&column.name))
            && constraint.valid
    });
    match (indexed, checked) {
        (true, _) => Operation::SetTypeIndexBuild,
        (false, true) => Operation::SetTypeScan,
        (false, false) => Operation::SetTypeCatalog,
    }
}

/// Whether `parent` has an index that `child` has no counterpart of, so that it is built when `child` is attached.
fn lacks_an_index(parent: &Table, child: &Table) -> bool {
    parent.indexes.iter().any(|index| {
        let alike =
            |own: &&Arc<Index>| own.unique == index.unique && own.plain_columns() == index.plain_columns();
        !child.indexes.iter().any(|own| alike(&own))
    })
}

/// Whether a validated check of `child` bounds every column of the key, so that `ATTACH` may trust it. Whether it
/// bounds them tightly enough only the server can tell.
fn is_bounded(child: &Table, by: &PartitionBy) -> bool {
    by.key.iter().flat_map(|expr| &expr.columns).all(|column| {
        child.constraints.iter().any(|constraint| {
            constraint.valid
                && matches!(&constraint.kind, ConstraintKind::Check(expr) if expr.columns.contains(column))
        })
    })
}

/// The default of a domain, which a column of it without one of its own has.
fn domain_default<'a>(data_type: &DataType, schema: &'a Schema) -> Option<&'a Expr> {
    match &schema.user_type(&data_type.object_name())?.kind {
        UserTypeKind::Domain(domain) => domain.default.as_ref(),
        _ => None,
    }
}

/// How volatile `expr` is, with the functions that the schema knows.
pub fn volatility(expr: &Expr, schema: &Schema) -> Volatility {
    let of_call = |call: &Call| match functions::volatility(call, Dialect::Postgres) {
        Volatility::Unknown => {
            let known = schema.routines(&call.name).iter().map(|routine| routine.definition.volatility).max();
            known.unwrap_or(Volatility::Unknown)
        }
        known => known,
    };
    expr.calls.iter().map(of_call).max().unwrap_or(Volatility::Immutable)
}

/// Actions that come to one operation whatever the schema is, and whether they reach partitions and children.
fn plain_operation(action: &TableAction) -> Option<(Operation, bool)> {
    let found = match action {
        TableAction::RenameColumn { .. }
        | TableAction::DropNotNull { .. }
        | TableAction::SetDefault { .. }
        | TableAction::DropDefault { .. }
        | TableAction::AddIdentity { .. }
        | TableAction::SetIdentity { .. }
        | TableAction::DropIdentity { .. }
        | TableAction::DropExpression { .. }
        | TableAction::SetStorage { .. } => (Operation::AlterColumn, true),
        TableAction::SetCompression { .. } => (Operation::AlterColumn, true),
        TableAction::SetStatistics { .. } | TableAction::SetColumnOptions { .. } => {
            (Operation::AlterColumnQuietly, false)
        }
        TableAction::SetExpression { .. } => (Operation::SetExpression, true),
        TableAction::AlterConstraint { .. } => (Operation::AlterConstraint, true),
        TableAction::RenameConstraint { .. } => (Operation::AlterTable, true),
        TableAction::RenameTable { .. }
        | TableAction::SetSchema { .. }
        | TableAction::SetOwner { .. }
        | TableAction::ReplicaIdentity { .. }
        | TableAction::RowSecurity { .. }
        | TableAction::RuleState { .. } => (Operation::AlterTableAlone, false),
        TableAction::SetTablespace { .. }
        | TableAction::SetAccessMethod { .. }
        | TableAction::SetLogged
        | TableAction::SetUnlogged => (Operation::RewriteTable, false),
        TableAction::ClusterOn { .. } => (Operation::AlterTableQuietly, false),
        TableAction::SetWithout { what } if what == "CLUSTER" => (Operation::AlterTableQuietly, false),
        TableAction::TriggerState { .. } => (Operation::ToggleTrigger, false),
        _ => return None,
    };
    Some(found)
}
