//! What becomes of one query when the schema under it changes.

use super::difference::Difference;
use crate::dialect::Dialect;
use crate::engine::query::builtin;
use crate::engine::{is_narrower, is_same_kind};
use crate::evidence::uses::{InsertUse, Uses};
use crate::name::{Name, TableName};
use crate::schema::change::{ConstraintKind, DataType, Nullability};
use crate::schema::model::{Column, Schema, Table, UserTypeKind, same};
use serde::{Deserialize, Serialize};

/// What becomes of a query; what is worse comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It works as before.
    Works,
    /// It cannot be told.
    NotCertain,
    /// It works, and its result has other columns or types.
    OtherResult,
    /// The server takes it, and refuses its rows or stores something else than before.
    WritesWrongly,
    /// The server refuses it.
    Fails,
}

impl Verdict {
    /// The word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Verdict::Works => "works",
            Verdict::NotCertain => "not certain",
            Verdict::OtherResult => "other result",
            Verdict::WritesWrongly => "writes wrongly",
            Verdict::Fails => "fails",
        }
    }

    /// One character for a matrix.
    pub const fn mark(self) -> &'static str {
        match self {
            Verdict::Works => "·",
            Verdict::NotCertain => "?",
            Verdict::OtherResult => "~",
            Verdict::WritesWrongly => "w",
            Verdict::Fails => "X",
        }
    }
}

/// A verdict and its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Judgement {
    /// The worst that was found.
    pub verdict: Verdict,
    /// Why; empty where it works.
    pub why: Vec<String>,
}

/// A schema, and what a query uses of it.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The schema.
    pub schema: &'a Schema,
    /// What the query uses of it.
    pub uses: &'a Uses,
}

/// What becomes of a query that was written for `before` on the schema `after`, which differs by `difference`.
pub fn judge(before: View<'_>, after: View<'_>, difference: &Difference) -> Judgement {
    let mut run = Judge { before, after, dialect: before.schema.dialect, found: Vec::new() };
    if difference.touches(before.uses) || difference.touches(after.uses) {
        run.look(difference);
    }
    let verdict = run.found.iter().map(|(verdict, _)| *verdict).max().unwrap_or(Verdict::Works);
    let mut why: Vec<String> = Vec::new();
    for (of, reason) in run.found {
        if of == verdict && !why.contains(&reason) {
            why.push(reason);
        }
    }
    Judgement { verdict, why }
}

struct Judge<'a> {
    before: View<'a>,
    after: View<'a>,
    dialect: Dialect,
    found: Vec<(Verdict, String)>,
}

impl Judge<'_> {
    fn add(&mut self, verdict: Verdict, why: impl Into<String>) {
        self.found.push((verdict, why.into()));
    }

    fn look(&mut self, difference: &Difference) {
        if let Some(problem) = self.before.uses.problems.first() {
            let why = format!("it fails on the schema that it was written for: {problem}");
            self.add(Verdict::NotCertain, why);
            return;
        }
        if !self.after.uses.problems.is_empty() {
            for problem in self.after.uses.problems.clone() {
                self.add(Verdict::Fails, problem);
            }
            return;
        }
        for doubt in
            self.before.uses.doubts.iter().chain(&self.after.uses.doubts).cloned().collect::<Vec<_>>()
        {
            self.add(Verdict::NotCertain, doubt);
        }
        self.routines_and_types();
        for relation in self.before.uses.tables.keys().filter(|key| difference.relations.contains(*key)) {
            let tables = self.before.schema.tables.get(relation).zip(self.after.schema.tables.get(relation));
            if let Some((before, after)) = tables {
                let (before, after) = (before.clone(), after.clone());
                self.table(relation, &before, &after);
            }
        }
        for (at, insert) in self.after.uses.inserts.iter().enumerate() {
            let earlier = self.before.uses.inserts.get(at);
            self.insert(earlier, insert);
        }
        self.result();
    }

    fn routines_and_types(&mut self) {
        let accepts = |schema: &Schema, name: &TableName, count: usize| {
            schema.routines(name).iter().any(|routine| {
                let all = routine.signature().len();
                let optional =
                    routine.definition.arguments.iter().filter(|one| one.default.is_some()).count();
                let variadic = (routine.definition.arguments.iter())
                    .any(|one| one.mode == crate::schema::change::ArgumentMode::Variadic);
                (count <= all || variadic) && count + optional >= all
            })
        };
        for (name, count) in &self.before.uses.routines {
            let (before, after) = (self.before.schema, self.after.schema);
            if accepts(before, name, *count) && !accepts(after, name, *count) {
                self.add(Verdict::Fails, format!("function {name} with {count} arguments does not exist"));
            } else if before.routines(name).len() != after.routines(name).len()
                || !before.routines(name).iter().zip(after.routines(name)).all(|(one, other)| {
                    one.signature() == other.signature() && one.definition.returns == other.definition.returns
                })
            {
                self.add(
                    Verdict::NotCertain,
                    format!("the function `{name}` takes or returns something else"),
                );
            }
        }
        for name in &self.before.uses.types {
            if self.after.schema.user_type(name).is_none() {
                self.add(Verdict::Fails, format!("type \"{name}\" does not exist"));
            }
        }
    }

    /// What a change of a table does to a query that uses it, beyond its names.
    fn table(&mut self, key: &TableName, before: &Table, after: &Table) {
        for ((relation, column), used) in &self.before.uses.columns {
            if relation != key {
                continue;
            }
            let Some((old, new)) = before.column(column).zip(after.column(column)) else { continue };
            let (old, new) = (old.clone(), new.clone());
            if used.write {
                self.written_column(key, &old, &new, used.null);
            }
            if used.read {
                self.read_column(key, &old, &new);
            }
            self.labels(key, &old);
        }
        let used = self.before.uses.tables.get(key).copied().unwrap_or_default();
        if used.insert || used.update {
            self.constraints(key, before, after);
        }
        if (used.insert || used.update || used.delete) && before.triggers != after.triggers {
            self.add(Verdict::NotCertain, format!("other triggers fire when it writes `{key}`"));
        }
        if used.delete || used.update {
            let referring = |schema: &Schema| schema.references_to(key).count();
            if referring(self.after.schema) > referring(self.before.schema) {
                let why = format!("a new foreign key refers to `{key}`, and may forbid it");
                self.add(Verdict::NotCertain, why);
            }
        }
    }

    fn written_column(&mut self, key: &TableName, old: &Column, new: &Column, null: bool) {
        let name = &old.name;
        if new.nullability == Nullability::NotNull && old.nullability != Nullability::NotNull {
            if null {
                let why = format!("it sets `{key}.{name}` to NULL, which is NOT NULL then");
                self.add(Verdict::WritesWrongly, why);
                return;
            }
            self.add(Verdict::NotCertain, format!("it writes `{key}.{name}`, which no longer takes NULL"));
        }
        let Some((from, to)) = old.data_type.as_ref().zip(new.data_type.as_ref()) else { return };
        if from == to {
            return;
        }
        if is_narrower(from, to, self.dialect) {
            let why = format!("it writes `{key}.{name}`, which becomes narrower: {from} to {to}");
            self.add(Verdict::WritesWrongly, why);
        } else if !is_same_kind(from, to, self.dialect) {
            self.add(
                Verdict::NotCertain,
                format!("it writes `{key}.{name}`, which changes from {from} to {to}"),
            );
        }
    }

    fn read_column(&mut self, key: &TableName, old: &Column, new: &Column) {
        let Some((from, to)) = old.data_type.as_ref().zip(new.data_type.as_ref()) else { return };
        let returned = self.before.uses.result.iter().flatten().any(|column| {
            column.data_type.is_some() && column.sources.contains(&(key.clone(), old.name.clone()))
        });
        if from != to && !is_same_kind(from, to, self.dialect) && !returned {
            let why = format!("it computes with `{key}.{}`, which changes from {from} to {to}", old.name);
            self.add(Verdict::NotCertain, why);
        }
    }

    /// Labels of an enum that are gone: the evidence holds no literals, so whether the query names one is not known.
    fn labels(&mut self, key: &TableName, column: &Column) {
        let Some(data_type) = &column.data_type else { return };
        let labels = |schema: &Schema| -> Option<Vec<String>> {
            match &schema.user_type(&data_type.object_name())?.kind {
                UserTypeKind::Enum(labels) => Some(labels.iter().map(|label| label.value.clone()).collect()),
                _ => None,
            }
        };
        let (Some(old), Some(new)) = (labels(self.before.schema), labels(self.after.schema)) else { return };
        let gone: Vec<String> = old.into_iter().filter(|label| !new.contains(label)).collect();
        if !gone.is_empty() {
            let why = format!("`{key}.{}` no longer takes {}", column.name, gone.join(", "));
            self.add(Verdict::NotCertain, why);
        }
    }

    fn constraints(&mut self, key: &TableName, before: &Table, after: &Table) {
        for constraint in &after.constraints {
            let known = before.constraints.iter().any(|old| old.kind == constraint.kind);
            if let (ConstraintKind::Check(check), false) = (&constraint.kind, known) {
                self.demanded(key, before, after, &constraint.name, &check.requires_not_null);
            }
        }
        let written = |columns: &[Name]| {
            columns.iter().any(|column| {
                let used = self.before.uses.columns.iter();
                used.filter(|((of, _), used)| of == key && used.write)
                    .any(|((_, name), _)| same(name, column, self.dialect))
            })
        };
        let mut new: Vec<String> = Vec::new();
        for constraint in &after.constraints {
            let known = before.constraints.iter().any(|old| old.kind == constraint.kind);
            let what = match &constraint.kind {
                ConstraintKind::Check(_) => "check",
                ConstraintKind::ForeignKey(_) => "foreign key",
                ConstraintKind::Unique(_) => "unique constraint",
                ConstraintKind::PrimaryKey(_) => "primary key",
                ConstraintKind::Exclude(_) => "exclusion constraint",
                ConstraintKind::NotNull(_) => continue,
            };
            if !known && (written(constraint.columns()) || constraint.columns().is_empty()) {
                new.push(format!(
                    "the new {what} `{}` of `{key}` may refuse what it writes",
                    constraint.name
                ));
            }
        }
        for index in after.indexes.iter().filter(|index| index.unique && index.constraint.is_none()) {
            let known = before.indexes.iter().any(|old| old.unique && old.elements == index.elements);
            let columns: Vec<Name> = index
                .elements
                .iter()
                .flat_map(|element| element.expr.columns.iter().chain(&element.column))
                .cloned()
                .collect();
            if !known && written(&columns) {
                new.push(format!(
                    "the new unique index `{}` of `{key}` may refuse what it writes",
                    index.name
                ));
            }
        }
        for why in new {
            self.add(Verdict::NotCertain, why);
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

    /// Columns that an `INSERT` leaves out, or fills by their place.
    fn insert(&mut self, earlier: Option<&InsertUse>, insert: &InsertUse) {
        let key = &insert.table;
        let Some(after) = self.after.schema.tables.get(key).cloned() else { return };
        let before = self.before.schema.tables.get(key).cloned();
        if let Some(earlier) = earlier
            && !insert.listed
            && earlier.columns != insert.columns
        {
            let moved = earlier.columns.iter().zip(&insert.columns).find(|(one, other)| one != other);
            let why = match moved {
                Some((one, other)) => {
                    format!("its value for `{one}` goes into `{other}`: it lists no columns")
                }
                None => format!("it lists no columns, and `{key}` has another number of them"),
            };
            self.add(Verdict::WritesWrongly, why);
        }
        for column in &after.columns {
            let filled = column.default.is_some() || column.generation.is_some();
            let given = insert.columns.iter().any(|name| same(name, &column.name, self.dialect));
            let old = before.as_ref().and_then(|before| before.column(&column.name));
            let text = |column: &Column| column.default.as_ref().map(|default| default.text.clone());
            if let (false, Some(old), Some(_)) = (given, old, &column.default)
                && text(old) != text(column)
            {
                let why = format!("it leaves out `{key}.{}`, whose default is another one", column.name);
                self.add(Verdict::NotCertain, why);
            }
            if given || filled {
                continue;
            }
            let had_default = old.is_some_and(|old| old.default.is_some());
            let required = column.nullability == Nullability::NotNull;
            let was_required =
                old.is_some_and(|old| old.nullability == Nullability::NotNull && old.default.is_none());
            let name = &column.name;
            if required && !was_required {
                let why = format!("it leaves `{key}.{name}` empty, which is NOT NULL and has no default");
                self.add(Verdict::WritesWrongly, why);
            } else if had_default && !required {
                self.add(
                    Verdict::WritesWrongly,
                    format!("it leaves out `{key}.{name}`, which has lost its default"),
                );
            }
        }
    }

    /// The result's names and types.
    fn result(&mut self) {
        let (Some(old), Some(new)) = (&self.before.uses.result, &self.after.uses.result) else { return };
        let names = |columns: &[crate::evidence::uses::ResultColumn]| -> Vec<String> {
            let shown = columns.iter().map(|column| column.name.as_ref().map(ToString::to_string));
            shown.map(|name| name.unwrap_or_else(|| "?".to_owned())).collect()
        };
        let (before, after) = (names(old), names(new));
        let cached = if builtin::cached_plans_fail(self.dialect) {
            "; where it is prepared already it fails: cached plan must not change result type"
        } else {
            ""
        };
        if before != after {
            let more: Vec<&String> = after.iter().filter(|name| !before.contains(name)).collect();
            let less: Vec<&String> = before.iter().filter(|name| !after.contains(name)).collect();
            let listed = |names: &[&String]| {
                names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
            };
            let what = match (more.as_slice(), less.as_slice()) {
                ([], []) => "its columns come in another order".to_owned(),
                (more, []) => format!("its result gets {}", listed(more)),
                ([], less) => format!("its result loses {}", listed(less)),
                (more, less) => format!("its result loses {} and gets {}", listed(less), listed(more)),
            };
            self.add(Verdict::OtherResult, format!("{what}{cached}"));
            return;
        }
        let mut reasons = Vec::new();
        for (old, new) in old.iter().zip(new) {
            let name = old.name.as_ref().map_or_else(|| "?".to_owned(), ToString::to_string);
            match (&old.data_type, &new.data_type) {
                (Some(from), Some(to)) if from != to => {
                    reasons.push(format!("its column `{name}` changes from {from} to {to}{cached}"));
                }
                (Some(_), Some(_)) => {}
                _ => {
                    let changed = old
                        .sources
                        .iter()
                        .find(|source| self.type_of(source, true) != self.type_of(source, false));
                    if let Some((table, column)) = changed {
                        reasons.push(format!(
                            "its column `{name}` is made of `{table}.{column}`, whose type changes"
                        ));
                    }
                }
            }
        }
        for why in reasons {
            self.add(Verdict::OtherResult, why);
        }
    }

    fn type_of(&self, (table, column): &(TableName, Name), before: bool) -> Option<DataType> {
        let schema = if before { self.before.schema } else { self.after.schema };
        schema.tables.get(table)?.column(column)?.data_type.clone()
    }
}
