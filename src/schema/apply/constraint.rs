//! Constraints: added with the names and indexes that the server gives them, validated, renamed, dropped.

mod dropped;

use super::{Apply, Note, naming};
use crate::dialect::Dialect;
use crate::name::{Name, TableName};
use crate::schema::change::*;
use crate::schema::model::*;
use std::sync::Arc;

impl Apply<'_> {
    /// Does `action` if it is about constraints or indexes of the table; whether it is.
    pub(super) fn constraint_action(&mut self, key: &TableName, action: &TableAction) -> bool {
        match action {
            TableAction::AddConstraint { constraint, if_not_exists } => {
                let there = constraint.name.as_ref().is_some_and(|name| self.has_constraint(key, name));
                if there && let Some(name) = &constraint.name {
                    let subject = self.part(ObjectKind::Constraint, name, key);
                    self.exists(subject, *if_not_exists, false);
                } else {
                    self.add_constraint(key, constraint);
                }
            }
            TableAction::ValidateConstraint { name } => {
                self.on_constraint(key, name, |constraint| constraint.valid = true);
            }
            TableAction::AlterConstraint { name, deferrable, initially_deferred, enforced } => {
                self.on_constraint(key, name, |constraint| {
                    // Both are set as soon as one is named: what is not said is what a new constraint would be.
                    if deferrable.is_some() || initially_deferred.is_some() {
                        let deferred = initially_deferred.unwrap_or(false);
                        constraint.deferrable = deferrable.unwrap_or(deferred);
                        constraint.initially_deferred = deferred;
                    }
                    constraint.enforced = enforced.unwrap_or(constraint.enforced);
                    constraint.valid &= constraint.enforced;
                });
            }
            TableAction::DropConstraint { name, if_exists, cascade, .. } => {
                self.drop_constraint(key, name, *if_exists, *cascade);
            }
            TableAction::DropPrimaryKey => {
                let name =
                    self.schema.tables.get(key).and_then(|table| Some(table.primary_key()?.name.clone()));
                if let Some(name) = name {
                    self.drop_constraint(key, &name, false, false);
                }
            }
            TableAction::RenameConstraint { from, to } => self.rename_constraint(key, from, to),
            TableAction::AddIndex(index) => self.add_index(key, index),
            TableAction::DropIndex { name, if_exists } => self.drop_index_of(key, name, *if_exists),
            TableAction::RenameIndex { from, to } => self.rename_index_of(key, from, to),
            TableAction::SetIndexVisible { name, visible } => {
                self.on_index(key, name, |index| index.invisible = !visible);
            }
            _ => return false,
        }
        true
    }

    fn has_constraint(&self, key: &TableName, name: &Name) -> bool {
        self.schema.tables.get(key).is_some_and(|table| table.constraint(name).is_some())
    }

    /// Adds a constraint, with its index, to a table and to its partitions and children.
    pub(super) fn add_constraint(&mut self, key: &TableName, constraint: &Constraint) {
        match &constraint.kind {
            ConstraintKind::Check(expr) => self.add_check(key, constraint, expr),
            ConstraintKind::NotNull(column) => self.add_not_null(key, constraint, column),
            ConstraintKind::Unique(unique) => self.add_key(key, constraint, unique, false),
            ConstraintKind::PrimaryKey(primary) => self.add_key(key, constraint, primary, true),
            ConstraintKind::Exclude(exclusion) => self.add_exclusion(key, constraint, exclusion),
            ConstraintKind::ForeignKey(foreign) => self.add_foreign_key(key, constraint, foreign),
        }
    }

    /// A constraint as the model holds it.
    fn held(
        &self,
        name: Name,
        kind: ConstraintKind,
        from: &Constraint,
        index: Option<Name>,
    ) -> TableConstraint {
        TableConstraint {
            name: stored(&name, self.schema.dialect),
            kind,
            valid: !from.not_valid && !from.not_enforced,
            enforced: !from.not_enforced,
            deferrable: from.deferrable,
            initially_deferred: from.initially_deferred,
            no_inherit: from.no_inherit,
            index,
            inherited: false,
            created: Some(self.schema.now),
        }
    }

    fn push(&mut self, key: &TableName, constraint: TableConstraint) {
        self.edit(key, |table| table.constraints.push(Arc::new(constraint)));
    }

    fn add_check(&mut self, key: &TableName, constraint: &Constraint, expr: &Expr) {
        let Some(table) = self.schema.tables.get(key) else { return };
        let mut expr = expr.clone();
        if table.is_complete() {
            expr.columns.retain(|column| table.column(column).is_some());
        }
        let name = constraint.name.clone().unwrap_or_else(|| match self.schema.dialect {
            Dialect::Postgres => match expr.columns.as_slice() {
                [one] => self.schema.constraint_name(key, one.as_str(), "check"),
                _ => self.schema.constraint_name(key, "", "check"),
            },
            Dialect::Mysql | Dialect::Sqlite => {
                let used = table.constraints.iter().map(|constraint| &constraint.name);
                naming::numbered(&format!("{}_chk_", table.name.name), used)
            }
        });
        // Assumed columns are learned from what constrains them.
        for column in expr.requires_not_null.clone() {
            self.assume_column(key, &column);
        }
        let held = self.held(name, ConstraintKind::Check(expr), constraint, None);
        if !constraint.no_inherit {
            for child in self.descendants(key) {
                if !self.has_constraint(&child, &held.name) {
                    self.push(&child, TableConstraint { inherited: true, ..held.clone() });
                }
            }
        }
        self.push(key, held);
    }

    fn add_not_null(&mut self, key: &TableName, constraint: &Constraint, column: &Name) {
        self.assume_column(key, column);
        for table in std::iter::once(key.clone()).chain(self.descendants(key)) {
            self.edit(&table, |table| {
                if let Some(at) = table.column_at(column) {
                    Arc::make_mut(&mut table.columns[at]).nullability = Nullability::NotNull;
                }
            });
        }
        // One without a name is the column's own; its name only shows from PostgreSQL 18 on.
        let name = match (&constraint.name, constraint.not_valid) {
            (Some(name), _) => name.clone(),
            (None, true) => self.schema.constraint_name(key, column.as_str(), "not_null"),
            (None, false) => return,
        };
        let held = self.held(name, ConstraintKind::NotNull(column.clone()), constraint, None);
        self.push(key, held);
    }

    fn add_key(&mut self, key: &TableName, constraint: &Constraint, with: &KeyConstraint, primary: bool) {
        let mut with = with.clone();
        let index = match &with.using_index {
            Some(existing) => match self.adopt_index(key, existing, constraint.name.as_ref(), primary) {
                Some((name, columns, include)) => {
                    (with.columns, with.include) = (columns, include);
                    name
                }
                None => return,
            },
            None => self.key_index(key, constraint, &with, primary),
        };
        let kind = if primary {
            ConstraintKind::PrimaryKey(with.clone())
        } else {
            ConstraintKind::Unique(with.clone())
        };
        let name = match (self.schema.dialect, primary) {
            (Dialect::Mysql, true) => Name::new("PRIMARY"),
            _ => index.clone(),
        };
        for column in &with.columns {
            self.assume_column(key, column);
        }
        if primary {
            self.primary_key_columns(key, &with.columns);
        }
        let held = self.held(name, kind, constraint, Some(index.clone()));
        self.push(key, held);
        let added =
            self.schema.tables.get(key).and_then(|table| Some((table.clone(), table.index(&index)?.clone())));
        if let Some((table, index)) = added {
            for child in self.partitions(key) {
                self.index_for_partition(&table, &index, &child);
            }
        }
    }

    /// The columns of a primary key are not null; SQLite's may be, where the table has a rowid.
    fn primary_key_columns(&mut self, key: &TableName, columns: &[Name]) {
        let strict = |table: &Table| match table.dialect {
            Dialect::Postgres | Dialect::Mysql => true,
            Dialect::Sqlite => matches!(table.form, TableForm::WithoutRowid | TableForm::StrictWithoutRowid),
        };
        for table in std::iter::once(key.clone()).chain(self.descendants(key)) {
            self.edit(&table, |table| {
                if !strict(table) {
                    return;
                }
                for name in columns {
                    if let Some(at) = table.column_at(name) {
                        Arc::make_mut(&mut table.columns[at]).nullability = Nullability::NotNull;
                    }
                }
            });
        }
    }

    /// Makes the index of a key; its name.
    fn key_index(
        &mut self,
        key: &TableName,
        constraint: &Constraint,
        with: &KeyConstraint,
        primary: bool,
    ) -> Name {
        let elements = if with.elements.is_empty() {
            with.columns.iter().map(super::index::element).collect()
        } else {
            with.elements.clone()
        };
        let name = self.key_name(key, constraint, with, primary);
        let index = Index {
            name: name.clone(),
            unique: true,
            primary,
            method: with.without_overlaps.then(|| "gist".to_owned()),
            elements,
            include: with.include.clone(),
            predicate: None,
            nulls_not_distinct: with.nulls_not_distinct,
            invisible: false,
            valid: true,
            constraint: Some(name.clone()),
            generated: false,
            part_of: None,
            created: Some(self.schema.now),
        };
        // SQLite's INTEGER PRIMARY KEY is the rowid: it has no index. The model keeps one all the same.
        let index = self.push_index(key, index);
        if self.schema.dialect == Dialect::Mysql {
            self.replace_foreign_key_index(key, &index);
        }
        name
    }

    fn key_name(
        &self,
        key: &TableName,
        constraint: &Constraint,
        with: &KeyConstraint,
        primary: bool,
    ) -> Name {
        let Some(table) = self.schema.tables.get(key) else { return Name::default() };
        match self.schema.dialect {
            Dialect::Postgres => {
                constraint.name.clone().map(|name| stored(&name, Dialect::Postgres)).unwrap_or_else(|| {
                    let columns = if primary { String::new() } else { naming::joined(&with.columns) };
                    self.schema.relation_name(key, &columns, if primary { "pkey" } else { "key" }, true)
                })
            }
            Dialect::Mysql if primary => Name::new("PRIMARY"),
            Dialect::Mysql => {
                let given = with.index_name.clone().or_else(|| constraint.name.clone());
                given.unwrap_or_else(|| self.mysql_index_name(table, with.columns.first()))
            }
            Dialect::Sqlite => constraint.name.clone().unwrap_or_else(|| {
                let used = table.indexes.iter().map(|index| &index.name);
                naming::numbered(&format!("sqlite_autoindex_{}_", table.name.name), used)
            }),
        }
    }

    fn add_exclusion(&mut self, key: &TableName, constraint: &Constraint, exclusion: &Exclusion) {
        let elements: Vec<IndexElement> =
            exclusion.elements.iter().map(|(element, _)| element.clone()).collect();
        let name = constraint.name.clone().unwrap_or_else(|| {
            self.schema.relation_name(key, &naming::joined(&naming::labels(&elements)), "excl", true)
        });
        let index = Index {
            name: name.clone(),
            unique: false,
            primary: false,
            method: exclusion.method.clone(),
            elements,
            include: Vec::new(),
            predicate: exclusion.predicate.clone(),
            nulls_not_distinct: false,
            invisible: false,
            valid: true,
            constraint: Some(name.clone()),
            generated: false,
            part_of: None,
            created: Some(self.schema.now),
        };
        self.push_index(key, index);
        let held =
            self.held(name.clone(), ConstraintKind::Exclude(exclusion.clone()), constraint, Some(name));
        self.push(key, held);
    }

    fn add_foreign_key(&mut self, key: &TableName, constraint: &Constraint, foreign: &ForeignKey) {
        let mut foreign = foreign.clone();
        // MySQL looks for an unqualified table in the database of the one that refers to it.
        if self.schema.dialect == Dialect::Mysql && foreign.references.schema.is_none() {
            foreign.references.schema.clone_from(&key.schema);
        }
        if let Some(target) = self.table_key(&foreign.references) {
            if foreign.referenced_columns.is_empty() {
                let primary = self.schema.tables.get(&target).and_then(|table| table.primary_key());
                foreign.referenced_columns = primary.map(|key| key.columns().to_vec()).unwrap_or_default();
            }
            foreign.references = target;
        } else {
            foreign.references = self.schema.new_key(&foreign.references);
        }
        for column in &foreign.columns {
            self.assume_column(key, column);
        }
        let name = constraint.name.clone().unwrap_or_else(|| self.foreign_key_name(key, &foreign.columns));
        let name = stored(&name, self.schema.dialect);
        let mut index = None;
        if self.schema.dialect == Dialect::Mysql {
            index = self.index_for_foreign_key(key, constraint.name.as_ref(), &foreign);
        }
        let held = self.held(name, ConstraintKind::ForeignKey(foreign), constraint, index);
        for child in self.partitions(key) {
            self.foreign_key_for_partition(&Arc::new(held.clone()), &child);
        }
        self.push(key, held);
    }

    fn foreign_key_name(&self, key: &TableName, columns: &[Name]) -> Name {
        let Some(table) = self.schema.tables.get(key) else { return Name::default() };
        let used = table.constraints.iter().map(|constraint| &constraint.name);
        match self.schema.dialect {
            Dialect::Postgres => self.schema.constraint_name(key, &naming::joined(columns), "fkey"),
            Dialect::Mysql => naming::numbered(&format!("{}_ibfk_", table.name.name), used),
            Dialect::Sqlite => naming::numbered(&format!("{}_fk_", table.name.name), used),
        }
    }

    /// The partitions of a table: what has keys on the parent has them, too. Children by inheritance do not.
    pub(super) fn partitions(&self, key: &TableName) -> Vec<TableName> {
        let is_partition = |child: &TableName| {
            self.schema.tables.get(child).is_some_and(|table| table.partition_of.is_some())
        };
        self.descendants(key).into_iter().filter(is_partition).collect()
    }

    /// The copy of a parent's foreign key on a partition.
    pub(super) fn foreign_key_for_partition(&mut self, constraint: &Arc<TableConstraint>, child: &TableName) {
        let mut own = TableConstraint {
            inherited: true,
            created: Some(self.schema.now),
            ..TableConstraint::clone(constraint)
        };
        let Some(table) = self.schema.tables.get(child) else { return };
        if table.constraints.iter().any(|other| other.kind == own.kind) {
            return;
        }
        if table.constraint(&own.name).is_some() {
            own.name = self.foreign_key_name(child, own.columns());
        }
        self.push(child, own);
    }

    fn on_constraint(&mut self, key: &TableName, name: &Name, change: impl Fn(&mut TableConstraint)) {
        let mut found = false;
        for table in std::iter::once(key.clone()).chain(self.descendants(key)) {
            self.edit(&table, |table| {
                if let Some(at) =
                    table.constraints.iter().position(|constraint| table.same(&constraint.name, name))
                {
                    change(Arc::make_mut(&mut table.constraints[at]));
                    found = true;
                }
            });
        }
        if !found && self.is_complete(key) {
            let subject = self.part(ObjectKind::Constraint, name, key);
            self.missing(subject, false);
        }
    }

    pub(super) fn is_complete(&self, key: &TableName) -> bool {
        self.schema.tables.get(key).is_some_and(|table| table.is_complete())
    }
}
