//! What tells two schemas apart, as far as the model holds it: whether a way back leads to where it came from.
//!
//! Names, types, NULL, defaults, keys, indexes, views, types, functions, triggers and policies count; the order of
//! columns does not, since a column that is dropped and added again comes last on every server.

use super::canonical::canonical;
use super::change::*;
use super::map::Map;
use super::model::*;
use crate::dialect::Dialect;
use crate::name::{Name, ObjectName, TableName};
use std::fmt;
use std::sync::Arc;

/// One thing in which two schemas differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What it is: `column`, `index`, ….
    pub what: &'static str,
    /// Its name.
    pub name: String,
    /// The table that it belongs to.
    pub of: Option<String>,
    /// In which way.
    pub how: How,
    /// Of a column that is another one: what about it.
    pub about: Vec<String>,
}

/// In which way something differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It is not there any more.
    Missing,
    /// It is there, and was not.
    Left,
    /// It is another one.
    Changed,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.what, self.name)?;
        if let Some(of) = &self.of {
            write!(f, " of `{of}`")?;
        }
        f.write_str(match self.how {
            How::Missing => " is missing",
            How::Left => " is left over",
            How::Changed => " is another one",
        })?;
        if self.about.is_empty() { Ok(()) } else { write!(f, " ({})", self.about.join(", ")) }
    }
}

/// In what `end` differs from `start`. Of tables that nothing has made, only what statements added counts.
pub fn differences(start: &Schema, end: &Schema) -> Vec<Difference> {
    let mut found = Found { home: start.home(), all: Vec::new() };
    for (key, one, other) in start.tables.differences(&end.tables) {
        found.table(key, one.map(|table| &**table), other.map(|table| &**table));
    }
    found.map("view", &start.views, &end.views, |view| view_text(view, start.dialect));
    let sequence =
        |sequence: &Arc<Sequence>| if sequence.identity { None } else { Some(sequence_text(sequence)) };
    for (key, one, other) in start.sequences.differences(&end.sequences) {
        // Those of identity and serial columns come and go with the columns.
        let owned = |found: Option<&Arc<Sequence>>| found.is_some_and(|found| found.owned_by.is_some());
        if !owned(one) && !owned(other) {
            found.pair("sequence", &found.shown(key), None, one.and_then(sequence), other.and_then(sequence));
        }
    }
    for (key, one, other) in start.types.differences(&end.types) {
        let known =
            |found: Option<&Arc<UserType>>| found.is_some_and(|found| found.kind == UserTypeKind::Unknown);
        if !known(one) && !known(other) {
            let text = |found: Option<&Arc<UserType>>| found.map(|found| type_text(found, start.dialect));
            found.pair("type", &found.shown(key), None, text(one), text(other));
        }
    }
    for (key, one, other) in start.routines.differences(&end.routines) {
        let text = |found: Option<&Arc<Vec<Arc<Routine>>>>| {
            found.filter(|all| !all.is_empty()).map(|all| {
                let mut texts: Vec<String> = all.iter().map(|routine| routine_text(routine)).collect();
                texts.sort();
                texts.join("\n")
            })
        };
        found.pair("function", &found.shown(key), None, text(one), text(other));
    }
    for (key, one, other) in start.extensions.differences(&end.extensions) {
        found.pair("extension", key.as_str(), None, one.map(|_| ""), other.map(|_| ""));
    }
    for (key, one, other) in start.schemas.differences(&end.schemas) {
        found.pair("schema", key.as_str(), None, one.map(|_| ""), other.map(|_| ""));
    }
    found.all
}

struct Found {
    home: Name,
    all: Vec<Difference>,
}

impl Found {
    fn shown(&self, name: &ObjectName) -> String {
        match &name.schema {
            Some(schema) if *schema != self.home => format!("{schema}.{}", name.name),
            Some(_) | None => name.name.to_string(),
        }
    }

    /// Notes in what two descriptions of one thing differ; none stands for what is not there.
    fn pair<T: PartialEq>(
        &mut self,
        what: &'static str,
        name: &str,
        of: Option<&str>,
        one: Option<T>,
        other: Option<T>,
    ) {
        let how = match (&one, &other) {
            (Some(_), None) => How::Missing,
            (None, Some(_)) => How::Left,
            (Some(one), Some(other)) if one != other => How::Changed,
            (Some(_), Some(_)) | (None, None) => return,
        };
        let (name, of) = (name.to_owned(), of.map(str::to_owned));
        self.all.push(Difference { what, name, of, how, about: Vec::new() });
    }

    fn map<V: PartialEq>(
        &mut self,
        what: &'static str,
        one: &Map<ObjectName, V>,
        other: &Map<ObjectName, V>,
        text: impl Fn(&V) -> String,
    ) {
        for (key, one, other) in one.differences(other) {
            let name = self.shown(key);
            self.pair(what, &name, None, one.map(&text), other.map(&text));
        }
    }

    fn table(&mut self, key: &TableName, one: Option<&Table>, other: Option<&Table>) {
        let shown = self.shown(key);
        let assumed = |table: Option<&Table>| table.is_some_and(|table| table.origin == Origin::Assumed);
        match (one, other) {
            // What it was like before, nobody knows.
            (None | Some(_), Some(_)) if assumed(other) => {}
            (Some(_), _) if assumed(one) => {}
            (Some(_), None) => self.pair("table", &shown, None, Some(()), None),
            (None, Some(_)) => self.pair("table", &shown, None, None, Some(())),
            (Some(one), Some(other)) => self.inside(&shown, one, other),
            (None, None) => {}
        }
    }

    fn inside(&mut self, of: &str, one: &Table, other: &Table) {
        let columns = |table: &Table| {
            named(&table.columns, |column| &column.name, |column| column_text(column, table.dialect))
        };
        self.parts("column", of, columns(one), columns(other));
        let constraints = |table: &Table| {
            // A valid NOT NULL is told by its column, and has a name from PostgreSQL 18 on only.
            let own: Vec<Arc<TableConstraint>> = table
                .constraints
                .iter()
                .filter(|one| !(one.valid && matches!(one.kind, ConstraintKind::NotNull(_))))
                .cloned()
                .collect();
            named(&own, |one| &one.name, |one| constraint_text(one, table.dialect))
        };
        self.parts("constraint", of, constraints(one), constraints(other));
        let indexes = |table: &Table| {
            let own: Vec<Arc<Index>> = table
                .indexes
                .iter()
                .filter(|index| index.constraint.is_none() && !index.primary)
                .cloned()
                .collect();
            named(&own, |index| &index.name, |index| index_text(index, table.dialect))
        };
        self.parts("index", of, indexes(one), indexes(other));
        let triggers = |table: &Table| {
            named(&table.triggers, |one| &one.definition.name, |one| trigger_text(one, table.dialect))
        };
        self.parts("trigger", of, triggers(one), triggers(other));
        let policies =
            |table: &Table| named(&table.policies, |one| &one.name, |one| policy_text(one, table.dialect));
        self.parts("policy", of, policies(one), policies(other));
        let state = |table: &Table| (table.row_security, table.force_row_security);
        self.pair("row level security", of, None, Some(state(one)), Some(state(other)));
    }

    fn parts(&mut self, what: &'static str, of: &str, one: Vec<(Name, String)>, other: Vec<(Name, String)>) {
        for (name, text) in &one {
            let there = other.iter().find(|(found, _)| found == name).map(|(_, text)| text);
            let before = self.all.len();
            self.pair(what, name.as_str(), Some(of), Some(text), there);
            if let (Some(now), Some(found), "column") = (there, self.all.get_mut(before), what) {
                found.about = of_column(text, now);
            }
        }
        for (name, text) in &other {
            if !one.iter().any(|(found, _)| found == name) {
                self.pair(what, name.as_str(), Some(of), None, Some(text));
            }
        }
    }
}

/// What `items` are called, and what they are like.
fn named<T>(
    items: &[Arc<T>],
    name: impl Fn(&T) -> &Name,
    text: impl Fn(&T) -> String,
) -> Vec<(Name, String)> {
    items.iter().map(|item| (name(item).clone(), text(item))).collect()
}

/// An expression without what is a matter of spelling.
fn expr_text(expr: &Expr, dialect: Dialect) -> String {
    canonical(&expr.text, dialect)
}

fn optional(expr: Option<&Expr>, dialect: Dialect) -> String {
    expr.filter(|expr| !expr.is_null).map_or_else(String::new, |expr| expr_text(expr, dialect))
}

fn column_text(column: &Column, dialect: Dialect) -> String {
    let data_type = column.data_type.as_ref().map_or_else(String::new, ToString::to_string);
    let required = column.nullability == Nullability::NotNull;
    let generation = match &column.generation {
        // A serial column is one with a default, for the server.
        None | Some(Generation::Serial) => String::new(),
        Some(Generation::AutoIncrement) => "auto_increment".to_owned(),
        Some(Generation::Identity(identity)) => format!("identity {}", identity.always),
        Some(Generation::Expression { expr, stored }) => format!("{} {stored}", expr_text(expr, dialect)),
    };
    let default = optional(column.default.as_ref(), dialect);
    let required = if required { "NOT NULL" } else { "" };
    let (collation, charset) =
        (column.collation.as_deref().unwrap_or(""), column.charset.as_deref().unwrap_or(""));
    let parts: [&str; 6] = [&data_type, required, &default, &generation, collation, charset];
    parts.join(PART)
}

/// Between the parts of a column's text.
const PART: &str = "\u{1f}";

/// In what two texts of a column differ, for people.
fn of_column(was: &str, is: &str) -> Vec<String> {
    const PARTS: [&str; 6] =
        ["the type", "nullability", "the default", "generation", "the collation", "the charset"];
    let pairs = PARTS.iter().zip(was.split(PART).zip(is.split(PART)));
    let said = |text: &str| match text {
        "" => "none".to_owned(),
        text => format!("`{text}`"),
    };
    pairs
        .filter(|(_, (was, is))| was != is)
        .map(|(part, (was, is))| match (*part, is) {
            ("nullability", "") => "it takes NULL, which it did not".to_owned(),
            ("nullability", _) => "it is NOT NULL, which it was not".to_owned(),
            (part, is) => format!("{part} is {}, it was {}", said(is), said(was)),
        })
        .collect()
}

fn constraint_text(constraint: &TableConstraint, dialect: Dialect) -> String {
    let names = |names: &[Name]| names.iter().map(Name::as_str).collect::<Vec<_>>().join(",");
    let kind = match &constraint.kind {
        ConstraintKind::Check(expr) => format!("check {}", expr_text(expr, dialect)),
        ConstraintKind::ForeignKey(key) => format!(
            "key {} {} {} {:?} {:?}",
            names(&key.columns),
            key.references,
            names(&key.referenced_columns),
            key.on_delete,
            key.on_update
        ),
        ConstraintKind::Unique(key) => format!("unique {} {}", names(&key.columns), key.nulls_not_distinct),
        ConstraintKind::PrimaryKey(key) => format!("primary {}", names(&key.columns)),
        ConstraintKind::Exclude(exclusion) => {
            let element = |(element, operator): &(IndexElement, String)| {
                format!("{} {operator}", expr_text(&element.expr, dialect))
            };
            format!("exclude {}", exclusion.elements.iter().map(element).collect::<Vec<_>>().join(","))
        }
        ConstraintKind::NotNull(column) => format!("not null {column}"),
    };
    format!("{kind}|{}|{}|{}", constraint.enforced, constraint.deferrable, constraint.initially_deferred)
}

fn index_text(index: &Index, dialect: Dialect) -> String {
    let element = |element: &IndexElement| {
        format!("{} {} {:?}", expr_text(&element.expr, dialect), element.descending, element.prefix)
    };
    let elements = index.elements.iter().map(element).collect::<Vec<_>>().join(",");
    format!(
        "{}|{:?}|{elements}|{:?}|{}",
        index.unique,
        index.method,
        index.include,
        optional(index.predicate.as_ref(), dialect)
    )
}

fn trigger_text(trigger: &Trigger, dialect: Dialect) -> String {
    let definition = &trigger.definition;
    let body = definition.body.as_ref().map_or("", |body| body.text.as_str());
    // Mostly the same function, whether its schema is said or not.
    let function = definition.function.as_ref().map_or("", |function| function.name.as_str());
    let mut events = definition.events.clone();
    events.sort();
    let when = optional(definition.when.as_ref(), dialect);
    format!(
        "{}|{:?}|{:?}|{function}|{when}|{}|{:?}",
        definition.timing,
        events,
        definition.update_of,
        squeezed(body),
        trigger.state
    )
}

fn policy_text(policy: &Policy, dialect: Dialect) -> String {
    let (using, check) = (optional(policy.using.as_ref(), dialect), optional(policy.check.as_ref(), dialect));
    format!("{}|{}|{:?}|{using}|{check}", policy.restrictive, policy.command, policy.roles)
}

fn view_text(view: &View, dialect: Dialect) -> String {
    // A dump orders what a query says in ways of its own, and says some of it twice.
    let text = canonical(&view.query.text, dialect);
    let mut words: Vec<&str> =
        text.split(' ').filter(|word| !matches!(*word, "," | "join" | "on" | "and" | "where")).collect();
    words.sort_unstable();
    words.dedup();
    format!("{}|{}|{:?}", view.materialized, words.join(" "), view.options)
}

fn sequence_text(sequence: &Sequence) -> String {
    let options = &sequence.options;
    format!(
        "{:?}|{:?}|{:?}|{:?}|{:?}",
        options.data_type, options.increment, options.min, options.max, options.cycle
    )
}

fn type_text(found: &UserType, dialect: Dialect) -> String {
    match &found.kind {
        UserTypeKind::Enum(labels) => {
            labels.iter().map(|label| label.value.as_str()).collect::<Vec<_>>().join(",")
        }
        UserTypeKind::Composite(attributes) => {
            let attribute = |(name, data_type): &(Name, DataType)| format!("{name} {data_type}");
            attributes.iter().map(attribute).collect::<Vec<_>>().join(",")
        }
        UserTypeKind::Domain(domain) => {
            let mut checks: Vec<String> = domain
                .checks
                .iter()
                .map(|(name, expr, _)| format!("{name} {}", expr_text(expr, dialect)))
                .collect();
            checks.sort();
            format!(
                "{}|{}|{}|{}",
                domain.base,
                domain.not_null,
                optional(domain.default.as_ref(), dialect),
                checks.join(",")
            )
        }
        UserTypeKind::Range => "range".to_owned(),
        UserTypeKind::Base => "base".to_owned(),
        UserTypeKind::Unknown => String::new(),
    }
}

fn routine_text(routine: &Routine) -> String {
    let definition = &routine.definition;
    let arguments = routine.signature().iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    format!("({arguments})|{:?}|{}", definition.returns, squeezed(&definition.body.text))
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::lower;
    use crate::schema::apply::apply;
    use crate::sql::split::split;

    fn after(start: &Schema, sql: &str) -> Schema {
        let mut schema = start.clone();
        for statement in split(sql, Dialect::Postgres).statements {
            for change in lower(statement.text, Dialect::Postgres) {
                apply(&mut schema, &change);
            }
        }
        schema
    }

    fn check(start: &str, there_and_back: &str, expected: &[&str]) {
        let start = after(&Schema::new(Dialect::Postgres), start);
        let end = after(&start, there_and_back);
        let found: Vec<String> = differences(&start, &end).iter().map(ToString::to_string).collect();
        assert_eq!(found, expected, "{there_and_back}");
    }

    #[test]
    fn what_is_undone_is_no_difference() {
        let table = "create table t (id bigint primary key, a text not null default 'x', unique (a)); create view v as select a from t";
        check(table, "alter table t add b int; alter table t drop b", &[]);
        check(table, "alter table t alter a drop not null; alter table t alter a set not null", &[]);
        check(table, "create table u (id serial references t); drop table u", &[]);
        check(table, "alter table t rename a to c; alter table t rename c to a", &[]);
        check(table, "drop view v; create view v as select  a\nfrom t", &[]);
        check("", "alter table unknown drop column a; alter table unknown add column a int", &[]);
    }

    #[test]
    fn what_is_left_and_missing_is_named() {
        let table = "create table t (id bigint primary key, a text not null default 'x')";
        check(table, "alter table t add b int", &["column `b` of `t` is left over"]);
        check(table, "drop table t", &["table `t` is missing"]);
        check(
            table,
            "alter table t alter a drop default",
            &["column `a` of `t` is another one (the default is none, it was `'x'`)"],
        );
        check(table, "create index i on t (a)", &["index `i` of `t` is left over"]);
        check(
            table,
            "alter table t drop a; alter table t add a text",
            &[
                "column `a` of `t` is another one (it takes NULL, which it did not, the default is none, it was `'x'`)",
            ],
        );
        check(
            table,
            "create type mood as enum ('a'); create function f() returns int language sql as 'select 1'",
            &["type `mood` is left over", "function `f` is left over"],
        );
        check(
            table,
            "alter table t add constraint c check (a <> '')",
            &["constraint `c` of `t` is left over"],
        );
        check(table, "create table s.t (a int)", &["table `s.t` is left over"]);
    }
}
