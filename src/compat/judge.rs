//! What becomes of one query when the schema under it changes.

use super::difference::Difference;
use super::values;
use crate::dialect::Dialect;
use crate::engine::query::builtin;
use crate::engine::{fits, is_narrower, is_same_kind, lacks_operator};
use crate::evidence::uses::{ColumnUse, InsertUse, Uses};
use crate::name::{Name, TableName};
use crate::schema::change::{ArgumentMode, DataType, Nullability};
use crate::schema::model::{Column, Routine, Schema, Table, same};
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

/// The functions `name` that take `count` arguments.
fn candidates<'a>(schema: &'a Schema, name: &TableName, count: usize) -> impl Iterator<Item = &'a Routine> {
    schema.routines(name).iter().map(|routine| &**routine).filter(move |routine| {
        let all = routine.signature().len();
        let arguments = &routine.definition.arguments;
        let optional = arguments.iter().filter(|one| one.default.is_some()).count();
        let variadic = arguments.iter().any(|one| one.mode == ArgumentMode::Variadic);
        (count <= all || variadic) && count + optional >= all
    })
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

pub(super) struct Judge<'a> {
    pub(super) before: View<'a>,
    pub(super) after: View<'a>,
    pub(super) dialect: Dialect,
    found: Vec<(Verdict, String)>,
}

impl Judge<'_> {
    pub(super) fn add(&mut self, verdict: Verdict, why: impl Into<String>) {
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
        for (name, count) in &self.before.uses.routines {
            let before: Vec<&Routine> = candidates(self.before.schema, name, *count).collect();
            let after: Vec<&Routine> = candidates(self.after.schema, name, *count).collect();
            let is_same = |(one, other): (&&Routine, &&Routine)| {
                one.signature() == other.signature() && one.definition.returns == other.definition.returns
            };
            if !before.is_empty() && after.is_empty() {
                self.add(Verdict::Fails, format!("function {name} with {count} arguments does not exist"));
            } else if before.len() != after.len() || !before.iter().zip(&after).all(is_same) {
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
        self.casts();
    }

    /// What a change of a table does to a query that uses it, beyond its names.
    fn table(&mut self, key: &TableName, before: &Table, after: &Table) {
        for ((relation, column), used) in &self.before.uses.columns {
            if relation != key {
                continue;
            }
            let Some((old, new)) = before.column(column).zip(after.column(column)) else { continue };
            if used.write {
                self.written_column(key, old, new, used);
            }
            if used.read {
                self.read_column(key, old, new, used);
            }
            self.labels(key, old, new, used);
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

    fn written_column(&mut self, key: &TableName, old: &Column, new: &Column, used: &ColumnUse) {
        let name = &old.name;
        let is_filled = !used.values.is_empty() && used.values.iter().all(values::is_not_null);
        if new.nullability == Nullability::NotNull && old.nullability != Nullability::NotNull && !is_filled {
            if used.null {
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
            let all: Vec<Option<bool>> =
                used.values.iter().map(|value| fits(value, to, self.dialect)).collect();
            let too_long = used.values.iter().zip(&all).find(|(_, fits)| **fits == Some(false));
            if let Some((value, _)) = too_long {
                let why = format!("it writes {} to `{key}.{name}`, which becomes {to}", values::said(value));
                self.add(Verdict::WritesWrongly, why);
            } else if all.contains(&None) {
                let why = format!("it writes `{key}.{name}`, which becomes narrower: {from} to {to}");
                self.add(Verdict::WritesWrongly, why);
            }
        } else if !is_same_kind(from, to, self.dialect) && !self.are_labels(from, to) {
            self.add(
                Verdict::NotCertain,
                format!("it writes `{key}.{name}`, which changes from {from} to {to}"),
            );
        }
    }

    fn read_column(&mut self, key: &TableName, old: &Column, new: &Column, used: &ColumnUse) {
        let Some((from, to)) = old.data_type.as_ref().zip(new.data_type.as_ref()) else { return };
        if from != to && used.against.iter().any(|value| lacks_operator(value, to, self.dialect)) {
            let why = format!("it computes with `{key}.{}` and a number, and it becomes {to}", old.name);
            self.add(Verdict::Fails, why);
            return;
        }
        let returned = self.before.uses.result.iter().flatten().any(|column| {
            column.data_type.is_some() && column.sources.contains(&(key.clone(), old.name.clone()))
        });
        if from != to && !is_same_kind(from, to, self.dialect) && !self.are_labels(from, to) && !returned {
            let why = format!("it computes with `{key}.{}`, which changes from {from} to {to}", old.name);
            self.add(Verdict::NotCertain, why);
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

    /// Whether its result holds the column, or what is made of it.
    pub(super) fn returns(&self, key: &TableName, column: &Name) -> bool {
        let source = (key.clone(), column.clone());
        match &self.before.uses.result {
            Some(result) => {
                let is_whole = self.before.uses.stars.contains(key);
                !result.is_empty() && (is_whole || result.iter().any(|one| one.sources.contains(&source)))
            }
            None => true,
        }
    }

    fn type_of(&self, (table, column): &(TableName, Name), before: bool) -> Option<DataType> {
        let schema = if before { self.before.schema } else { self.after.schema };
        schema.tables.get(table)?.column(column)?.data_type.clone()
    }
}
