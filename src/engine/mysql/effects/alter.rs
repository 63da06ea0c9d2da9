//! The actions of `ALTER TABLE`, and `CREATE INDEX`.

use super::table::METADATA;
use super::table::Operation as Op;
use super::traits::is_fulltext;
use super::{Sorting, column, key, known};
use crate::engine::effects::{Role, Work};
use crate::engine::version::Product;
use crate::name::{Name, TableName};
use crate::schema::change::*;
use crate::schema::model::{Schema, Table};

impl Sorting {
    pub(super) fn alter(&mut self, alter: &AlterTable, before: &Schema) {
        let name = &alter.table;
        let table = known(before, name);
        let operation = match &alter.action {
            TableAction::AddColumn { column, position, .. } => {
                self.inline_keys(column, name, before);
                column::added(column, position, table, self.server)
            }
            TableAction::DropColumn { column, .. } => column::dropped(column, table),
            TableAction::RenameColumn { from, .. } => column::renamed(from, table, before),
            TableAction::ChangeColumn { from, column, position, .. } => {
                let found = column::redefined(from, column, position.as_ref(), table, before);
                return found.into_iter().for_each(|operation| self.add(operation, name, before));
            }
            TableAction::SetDefault { .. }
            | TableAction::DropDefault { .. }
            | TableAction::SetColumnVisible { .. } => Op::ChangeDefault,
            TableAction::AddConstraint { constraint, .. } => {
                return self.constraint(constraint, name, before);
            }
            TableAction::DropConstraint { name: constraint, .. } => {
                let found = table.and_then(|table| table.constraint(constraint));
                match found.map(|found| &found.kind) {
                    Some(ConstraintKind::Check(_)) => Op::DropCheck,
                    Some(ConstraintKind::Unique(_)) => Op::DropIndex,
                    Some(ConstraintKind::PrimaryKey(_)) => Op::DropPrimaryKey,
                    Some(ConstraintKind::ForeignKey(key)) => {
                        if self.server.product == Product::Mysql {
                            self.referenced(&key.references, before, true);
                        }
                        Op::DropForeignKey
                    }
                    _ => Op::DropForeignKey,
                }
            }
            TableAction::DropPrimaryKey if table.is_some_and(has_spare_key) => Op::DropPrimaryKeySpared,
            TableAction::DropPrimaryKey => Op::DropPrimaryKey,
            TableAction::AlterConstraint { enforced, .. } => {
                if *enforced == Some(true) {
                    Op::AddCheck
                } else {
                    Op::DropCheck
                }
            }
            TableAction::AddIndex(index) => return self.add_index(index, before),
            TableAction::DropIndex { .. } => Op::DropIndex,
            TableAction::RenameIndex { .. } => Op::RenameIndex,
            TableAction::SetIndexVisible { .. } => Op::ShowIndex,
            TableAction::RenameTable { .. } => Op::RenameTable,
            TableAction::SetOptions { options } => {
                let found: Vec<Op> = options.iter().map(|option| self.option(option, name, before)).collect();
                return found.into_iter().for_each(|operation| self.add(operation, name, before));
            }
            TableAction::ConvertCharset { charset, collation } => {
                let found = column::converted(table, charset, collation.as_deref());
                return found.into_iter().for_each(|operation| self.add(operation, name, before));
            }
            TableAction::Rebuild => Op::Rebuild,
            TableAction::Partitions(operation) => {
                if let PartitionOperation::Exchange { table, .. } = operation {
                    self.other(&key(before, table), Role::Partition, METADATA, Work::Scan);
                }
                partition(operation, name, before)
            }
            TableAction::Tablespace { .. } => Op::Other,
            TableAction::Other { what } => match what.as_str() {
                "ORDER" => Op::OrderRows,
                "ENABLE" | "DISABLE" => Op::ToggleKeys,
                _ => Op::Other,
            },
            _ => Op::Other,
        };
        self.add(operation, name, before);
    }

    /// A foreign key that stands at a new column. MySQL before 9 reads over it.
    fn inline_keys(&mut self, column: &ColumnDef, name: &TableName, before: &Schema) {
        if self.server.product == Product::Mysql && !self.server.at_least((9, 0, 0)) {
            return;
        }
        for constraint in &column.constraints {
            if matches!(constraint.kind, ConstraintKind::ForeignKey(_)) {
                self.constraint(constraint, name, before);
            }
        }
    }

    fn constraint(&mut self, constraint: &Constraint, name: &TableName, before: &Schema) {
        let operation = match &constraint.kind {
            ConstraintKind::PrimaryKey(_) => Op::AddPrimaryKey,
            ConstraintKind::Unique(_) => Op::AddIndex,
            ConstraintKind::Check(_) if constraint.not_enforced => Op::AddCheckUnenforced,
            ConstraintKind::Check(_) => Op::AddCheck,
            ConstraintKind::ForeignKey(key) => {
                let checked = !self.session.foreign_keys_unchecked;
                self.referenced(&key.references, before, checked);
                if checked { Op::AddForeignKey } else { Op::AddForeignKeyUnchecked }
            }
            ConstraintKind::Exclude(_) | ConstraintKind::NotNull(_) => return,
        };
        self.add(operation, name, before);
    }

    pub(super) fn add_index(&mut self, index: &CreateIndex, before: &Schema) {
        let table = known(before, &index.table);
        let there =
            index.name.as_ref().is_some_and(|name| table.is_some_and(|table| table.index(name).is_some()));
        if index.if_not_exists && there {
            return self.add(Op::Other, &index.table, before);
        }
        let operation = match index.method.as_deref() {
            Some("fulltext") => {
                let first = !table.is_some_and(|table| table.indexes.iter().any(|index| is_fulltext(index)));
                if first { Op::AddFirstFulltext } else { Op::AddFulltext }
            }
            Some("spatial") => Op::AddSpatial,
            _ if index.elements.iter().any(|element| element.column.is_none()) => Op::AddFunctionalIndex,
            _ => Op::AddIndex,
        };
        self.add(operation, &index.table, before);
    }

    /// What setting a table option comes to.
    fn option(&self, (option, value): &(String, String), name: &TableName, before: &Schema) -> Op {
        let table = known(before, name);
        let is_now = |option: &str, default: &str| {
            let set = table.and_then(|table| table.options.iter().rev().find(|(known, _)| known == option));
            set.map_or(default, |(_, set)| set).eq_ignore_ascii_case(value)
        };
        match option.as_str() {
            "engine" | "type" if is_now("engine", "innodb") => Op::Rebuild,
            "engine" | "type" => Op::ChangeEngine,
            "row_format" | "key_block_size" | "tablespace" | "encrypted" => Op::Rebuild,
            // MariaDB has no option of this name, and reads over it.
            "encryption" if self.server.product == Product::Mysql && !is_now("encryption", "n") => {
                Op::ChangeEncryption
            }
            "page_compressed" | "transactional" => Op::ChangeOptions,
            "charset" | "collate" => Op::ChangeDefaultCharset,
            _ => Op::ChangeOptions,
        }
    }
}

/// Whether a unique key of columns that are never null can stand in for the primary key.
fn has_spare_key(table: &Table) -> bool {
    let required =
        |name: &Name| table.column(name).is_some_and(|column| column.nullability == Nullability::NotNull);
    table.indexes.iter().any(|index| {
        index.unique
            && !index.primary
            && index.plain_columns().is_some_and(|columns| columns.into_iter().all(required))
    })
}

fn partition(operation: &PartitionOperation, name: &TableName, before: &Schema) -> Op {
    let by_hash = known(before, name)
        .and_then(|table| table.partition_by.as_ref())
        .is_some_and(|by| matches!(by.strategy.as_str(), "hash" | "key" | "linear"));
    match operation {
        PartitionOperation::Add if by_hash => Op::RebuildPartition,
        PartitionOperation::Add => Op::AddPartition,
        PartitionOperation::Drop(_) => Op::DropPartition,
        PartitionOperation::Truncate(_) => Op::TruncatePartition,
        PartitionOperation::Exchange { .. } => Op::ExchangePartition,
        PartitionOperation::PartitionBy(_) | PartitionOperation::Remove => Op::Repartition,
        PartitionOperation::Other(what) => match what.as_str() {
            "REORGANIZE" | "COALESCE" | "REBUILD" | "OPTIMIZE" | "REPAIR" => Op::RebuildPartition,
            _ => Op::Other,
        },
    }
}
