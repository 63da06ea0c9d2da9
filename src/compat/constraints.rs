//! What new checks, unique indexes and foreign keys do to a query that writes.

use super::judge::{Judge, Verdict};
use super::values::{self, is_not_null, is_repeated, said};
use crate::engine::query::check::takes;
use crate::engine::query::tree::Value;
use crate::name::{Name, TableName};
use crate::schema::change::{ConstraintKind, Expr};
use crate::schema::model::{Index, Table, same};
use std::collections::BTreeSet;

/// A unique index or constraint.
struct Unique<'a> {
    /// `unique index`, `primary key`.
    what: &'static str,
    name: &'a Name,
    columns: Vec<Name>,
    /// Only some rows, or values that are computed from the columns.
    is_partial: bool,
    nulls_not_distinct: bool,
}

impl Judge<'_> {
    /// What the constraints do that only `after` has, to a query that inserts into or updates the table `key`.
    pub(super) fn constraints(&mut self, key: &TableName, before: &Table, after: &Table) {
        for constraint in &after.constraints {
            let known = before.constraints.iter().any(|old| old.kind == constraint.kind);
            if known {
                continue;
            }
            match &constraint.kind {
                ConstraintKind::Check(check) => {
                    self.demanded(key, before, after, &constraint.name, &check.requires_not_null);
                    self.check(key, after, &constraint.name, check);
                    if !constraint.valid {
                        self.old_rows(key, &constraint.name, check);
                    }
                }
                ConstraintKind::ForeignKey(foreign) => {
                    let is_null =
                        |column: &Name| self.written(key, after, column) == BTreeSet::from([Value::Null]);
                    if self.writes(key, &foreign.columns) && !foreign.columns.iter().any(is_null) {
                        self.may_refuse("foreign key", key, &constraint.name);
                    }
                }
                ConstraintKind::Unique(of) | ConstraintKind::PrimaryKey(of) => {
                    let is_primary = matches!(constraint.kind, ConstraintKind::PrimaryKey(_));
                    let unique = Unique {
                        what: if is_primary { "primary key" } else { "unique constraint" },
                        name: &constraint.name,
                        columns: constraint.columns().to_vec(),
                        is_partial: false,
                        nulls_not_distinct: of.nulls_not_distinct,
                    };
                    self.unique(key, before, after, &unique);
                }
                ConstraintKind::Exclude(_) => {
                    if self.writes(key, constraint.columns()) || constraint.columns().is_empty() {
                        self.may_refuse("exclusion constraint", key, &constraint.name);
                    }
                }
                ConstraintKind::NotNull(_) => {}
            }
        }
        for index in after.indexes.iter().filter(|index| index.unique && index.constraint.is_none()) {
            if before.indexes.iter().any(|old| old.unique && old.elements == index.elements) {
                continue;
            }
            let columns = index.elements.iter().flat_map(|one| one.expr.columns.iter().chain(&one.column));
            let mut columns: Vec<Name> = columns.cloned().collect();
            columns.dedup();
            let unique = Unique {
                what: "unique index",
                name: &index.name,
                columns,
                is_partial: index.predicate.is_some() || index.plain_columns().is_none(),
                nulls_not_distinct: index.nulls_not_distinct,
            };
            self.unique(key, before, after, &unique);
        }
    }

    fn may_refuse(&mut self, what: &str, key: &TableName, name: &Name) {
        self.add(
            Verdict::NotCertain,
            format!("the new {what} `{name}` of `{key}` may refuse what it writes"),
        );
    }

    /// Whether the query names one of `columns` to write it.
    fn writes(&self, key: &TableName, columns: &[Name]) -> bool {
        columns.iter().any(|column| {
            let used = self.before.uses.columns.iter();
            used.filter(|((of, _), used)| of == key && used.write)
                .any(|((_, name), _)| same(name, column, self.dialect))
        })
    }

    fn written(&self, key: &TableName, after: &Table, column: &Name) -> BTreeSet<Value> {
        values::written(self.after, after, key, column)
    }

    /// A new check: what it says of each value where it is about one column, and else that nobody knows.
    fn check(&mut self, key: &TableName, after: &Table, name: &Name, check: &Expr) {
        let [column] = check.columns.as_slice() else {
            if self.writes(key, &check.columns) || check.columns.is_empty() {
                self.may_refuse("check", key, name);
            }
            return;
        };
        let written = self.written(key, after, column);
        let refused =
            written.iter().find(|value| takes(&check.text, column, value, self.dialect) == Some(false));
        if let Some(value) = refused.filter(|value| **value != Value::Null) {
            let what = said(value);
            let why = format!("it writes {what} to `{key}.{column}`, which the new check `{name}` refuses");
            self.add(Verdict::WritesWrongly, why);
        } else if written.iter().any(|value| takes(&check.text, column, value, self.dialect).is_none()) {
            self.may_refuse("check", key, name);
        }
    }

    /// A check that old rows need not satisfy is asked of the whole row when one of them is updated, whatever is set
    /// (<https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-TABLE-CONSTRAINT>).
    fn old_rows(&mut self, key: &TableName, name: &Name, check: &Expr) {
        let updates = self.after.uses.tables.get(key).is_some_and(|used| used.update);
        let sets_all = check.columns.iter().all(|column| self.writes(key, std::slice::from_ref(column)));
        if updates && !sets_all {
            let why = format!(
                "it updates rows of `{key}`, and one that is there already and breaks the new check `{name}`, which is \
                 not validated, is refused then"
            );
            self.add(Verdict::NotCertain, why);
        }
    }

    fn unique(&mut self, key: &TableName, before: &Table, after: &Table, new: &Unique<'_>) {
        if is_unique_already(before, new) {
            return;
        }
        let all: Vec<BTreeSet<Value>> =
            new.columns.iter().map(|column| self.written(key, after, column)).collect();
        let is_null = all.contains(&BTreeSet::from([Value::Null]));
        if all.iter().all(BTreeSet::is_empty) || is_null && !new.nulls_not_distinct && !new.is_partial {
            return;
        }
        let is_plain = new.columns.len() == all.len() && !new.is_partial;
        let inserts: Vec<_> = self.after.uses.inserts.iter().filter(|insert| insert.table == *key).collect();
        let updates = self.after.uses.tables.get(key).is_some_and(|used| used.update);
        let only_inserts = !inserts.is_empty() && !updates && inserts.iter().all(|insert| !insert.conflict);
        if is_plain && only_inserts && all.iter().flatten().all(is_repeated) {
            let columns =
                new.columns.iter().map(|column| format!("`{column}`")).collect::<Vec<_>>().join(", ");
            let (what, name) = (new.what, new.name);
            let why = format!(
                "it inserts the same {columns} each time, which the new {what} `{name}` of `{key}` refuses from the \
                 second time on"
            );
            self.add(Verdict::WritesWrongly, why);
        } else if self.writes(key, &new.columns) || all.iter().flatten().any(is_not_null) {
            self.may_refuse(new.what, key, new.name);
        }
    }

    /// Columns that a new check demands a value of, and that a query leaves out or sets to `NULL`.
    fn demanded(&mut self, key: &TableName, before: &Table, after: &Table, check: &Name, columns: &[Name]) {
        for name in columns {
            let is_filled = after.column(name).is_none_or(|column| {
                column.default.is_some() || column.generation.is_some() || before.column(name).is_none()
            });
            let leaves_out = self.after.uses.inserts.iter().any(|insert| {
                insert.table == *key && !insert.columns.iter().any(|given| same(given, name, self.dialect))
            });
            let sets_null = (self.before.uses.columns.iter())
                .any(|((of, column), used)| of == key && used.null && same(column, name, self.dialect));
            if sets_null || leaves_out && !is_filled {
                let why = format!("it gives `{key}.{name}` no value, which the new check `{check}` demands");
                self.add(Verdict::WritesWrongly, why);
            }
        }
    }
}

/// Whether rows of `before` cannot be the same in the columns of `new` already.
fn is_unique_already(before: &Table, new: &Unique<'_>) -> bool {
    let covers = |columns: &[&Name], nulls_not_distinct: bool| {
        !columns.is_empty()
            && !new.is_partial
            && (nulls_not_distinct || !new.nulls_not_distinct)
            && columns.iter().all(|column| new.columns.iter().any(|own| before.same(own, column)))
    };
    let by_index = |index: &Index| {
        index.unique
            && index.valid
            && index.predicate.is_none()
            && index.plain_columns().is_some_and(|columns| covers(&columns, index.nulls_not_distinct))
    };
    before.indexes.iter().any(|index| by_index(index))
        || before.constraints.iter().any(|constraint| match &constraint.kind {
            ConstraintKind::PrimaryKey(of) | ConstraintKind::Unique(of) => {
                covers(&constraint.columns().iter().collect::<Vec<_>>(), of.nulls_not_distinct)
            }
            _ => false,
        })
}
