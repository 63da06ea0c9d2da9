//! Constraints that go, by themselves or with what they are about.

use super::*;

impl Apply<'_> {
    /// `DROP NOT NULL` drops a NOT NULL constraint with a name, too.
    pub(in crate::schema::apply) fn drop_not_null_constraint(&mut self, key: &TableName, column: &Name) {
        self.edit(key, |table| {
            table.constraints.retain(
                |constraint| !matches!(&constraint.kind, ConstraintKind::NotNull(of) if of == column),
            );
        });
    }

    pub(super) fn drop_constraint(&mut self, key: &TableName, name: &Name, if_exists: bool, cascade: bool) {
        let found = self.schema.tables.get(key).and_then(|table| table.constraint(name).cloned());
        let Some(constraint) = found else { return self.drop_unknown_constraint(key, name, if_exists) };
        // MySQL drops a primary key by DROP PRIMARY KEY only, and a unique one as an index as well.
        self.remove_constraint(key, &constraint, cascade);
        for child in self.descendants(key) {
            let own = self.schema.tables.get(&child).and_then(|table| {
                let same_kind = |other: &&Arc<TableConstraint>| {
                    other.inherited && (other.name == constraint.name || other.kind == constraint.kind)
                };
                table.constraints.iter().find(same_kind).cloned()
            });
            if let Some(own) = own {
                self.remove_constraint(&child, &own, true);
            }
        }
    }

    /// A constraint that the model does not hold: the NOT NULL of a column (PostgreSQL 18 gives each a name), an
    /// index (MySQL), or one of a table that is not wholly known.
    pub(super) fn drop_unknown_constraint(&mut self, key: &TableName, name: &Name, if_exists: bool) {
        let Some(table) = self.schema.tables.get(key) else { return };
        let suffix = name.as_str().strip_suffix("_not_null");
        let column = suffix.and_then(|rest| rest.strip_prefix(&format!("{}_", table.name.name)));
        if let Some(column) = column.map(Name::new).filter(|column| table.column(column).is_some()) {
            self.edit(key, |table| {
                if let Some(at) = table.column_at(&column) {
                    Arc::make_mut(&mut table.columns[at]).nullability = Nullability::Null;
                }
            });
        } else if table.index(name).is_some() && self.schema.dialect == Dialect::Mysql {
            self.drop_index_of(key, name, if_exists);
        } else if table.is_complete() {
            let subject = self.part(ObjectKind::Constraint, name, key);
            self.missing(subject, if_exists);
        }
    }

    /// Takes a constraint out, with its index and with the foreign keys that need it.
    pub(in crate::schema::apply) fn remove_constraint(
        &mut self,
        key: &TableName,
        constraint: &TableConstraint,
        cascade: bool,
    ) {
        self.edit(key, |table| table.constraints.retain(|other| other.name != constraint.name));
        if let ConstraintKind::NotNull(column) = &constraint.kind {
            self.edit(key, |table| {
                if let Some(at) = table.column_at(column) {
                    Arc::make_mut(&mut table.columns[at]).nullability = Nullability::Null;
                }
            });
        }
        let is_key = matches!(constraint.kind, ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_));
        if is_key {
            self.foreign_keys_over(key, constraint, cascade);
        }
        if let Some(index) =
            constraint.index.as_ref().filter(|_| !matches!(constraint.kind, ConstraintKind::ForeignKey(_)))
        {
            self.remove_index(key, index);
        }
    }

    /// Foreign keys of other tables that refer to the columns of a key which is dropped.
    pub(super) fn foreign_keys_over(&mut self, key: &TableName, constraint: &TableConstraint, cascade: bool) {
        if self.schema.dialect != Dialect::Postgres {
            return;
        }
        let another = |table: &Table| {
            table.indexes.iter().any(|index| {
                index.unique
                    && index.constraint.as_ref() != Some(&constraint.name)
                    && index
                        .plain_columns()
                        .is_some_and(|columns| columns.iter().copied().eq(constraint.columns()))
            })
        };
        if self.schema.tables.get(key).is_some_and(|table| another(table.as_ref())) {
            return;
        }
        let over: Vec<(TableName, Arc<TableConstraint>)> = (self.schema.references_to(key))
            .filter(|(_, foreign)| match &foreign.kind {
                ConstraintKind::ForeignKey(foreign) => foreign.referenced_columns == constraint.columns(),
                _ => false,
            })
            .map(|(table, foreign)| (table.name.clone(), Arc::clone(foreign)))
            .collect();
        for (table, foreign) in over {
            let subject = self.part(ObjectKind::Constraint, &foreign.name, &table);
            if cascade {
                self.taken(subject);
                self.remove_constraint(&table, &foreign, true);
            } else {
                self.note(Note::Blocked(subject));
            }
        }
    }

    /// What goes with a column: indexes and constraints in which it stands.
    pub(in crate::schema::apply) fn drop_uses_of_column(
        &mut self,
        key: &TableName,
        name: &Name,
        cascade: bool,
    ) {
        let Some(table) = self.schema.tables.get(key).cloned() else { return };
        if self.schema.dialect == Dialect::Mysql {
            return self.drop_mysql_uses(key, name);
        }
        let is = |column: &Name| table.same(column, name);
        for constraint in &table.constraints {
            let uses = constraint.columns().iter().any(is)
                || matches!(&constraint.kind, ConstraintKind::Exclude(exclusion)
                    if exclusion.elements.iter().any(|(element, _)| element.expr.columns.iter().any(is)));
            if uses {
                let subject = self.part(ObjectKind::Constraint, &constraint.name, key);
                self.taken(subject);
                self.remove_constraint(key, constraint, cascade);
            }
        }
        for index in &table.indexes {
            let there = self.schema.tables.get(key).is_some_and(|table| table.index(&index.name).is_some());
            if there && index.uses(name) {
                let subject = self.part(ObjectKind::Index, &index.name, key);
                self.taken(subject);
                self.remove_index(key, &index.name);
            }
        }
    }

    /// MySQL takes the column out of each index; an index without columns goes
    /// (<https://dev.mysql.com/doc/refman/8.4/en/alter-table.html>).
    pub(super) fn drop_mysql_uses(&mut self, key: &TableName, name: &Name) {
        let Some(table) = self.schema.tables.get(key).cloned() else { return };
        for index in &table.indexes {
            if !index.uses(name) {
                continue;
            }
            let subject = self.part(ObjectKind::Index, &index.name, key);
            self.taken(subject);
            let left: Vec<IndexElement> = index
                .elements
                .iter()
                .filter(|element| !element.expr.columns.iter().any(|column| table.same(column, name)))
                .cloned()
                .collect();
            if left.is_empty() {
                self.remove_index(key, &index.name);
                self.edit(key, |table| {
                    table.constraints.retain(|other| other.index.as_ref() != Some(&index.name));
                });
            } else {
                self.on_index(key, &index.name, |index| index.elements.clone_from(&left));
                self.edit(key, |table| drop_from_keys(table, &index.name, name));
            }
        }
        self.edit(key, |table| {
            let speaks_only_of = |constraint: &Arc<TableConstraint>| match &constraint.kind {
                ConstraintKind::Check(expr) => expr.columns == [name.clone()],
                _ => false,
            };
            table.constraints.retain(|constraint| !speaks_only_of(constraint));
        });
    }
}

/// Takes the column `name` out of the key that the index `index` serves.
fn drop_from_keys(table: &mut Table, index: &Name, name: &Name) {
    let dialect = table.dialect;
    for constraint in &mut table.constraints {
        if constraint.index.as_ref() != Some(index) {
            continue;
        }
        let constraint = Arc::make_mut(constraint);
        if let ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) = &mut constraint.kind {
            key.columns.retain(|column| !same(column, name, dialect));
        }
    }
}
