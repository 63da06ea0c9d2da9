//! `ALTER COLUMN … TYPE` that writes the table anew: a column of the new type beside it, which takes its name.

use super::definition::{self, index_over};
use super::set_not_null::not_null;
use super::subject::{Subject, data_type, named};
use super::sync::differ;
use super::{id, sql};
use crate::engine::postgres::effects::convert::{Conversion, conversion, is_plain_using};
use crate::engine::proposal::{Action, Back, Missing, Proposal, Stage};
use crate::name::Name;
use crate::schema::change::*;
use crate::schema::model::{Column, Table};

pub(super) fn propose(
    subject: &Subject<'_>,
    column: &Name,
    to: &DataType,
    using: Option<&Expr>,
    collation: Option<&str>,
) -> Option<Proposal> {
    let from = subject.column(column).and_then(|known| known.data_type.as_ref());
    let plain = using.is_none_or(|using| is_plain_using(using, column.as_str(), to));
    if let Some(from) = from
        && plain
        && collation.is_none()
        && conversion(from, to, subject.schema, false) == Conversion::Relabel
    {
        return None;
    }
    let mut proposal = Proposal::default();
    subject.must_take_triggers(&mut proposal);
    let (table, old) = (subject.sql(), id(column));
    let copy = named(column, "new");
    let (new, to_sql) = (id(&copy), data_type(to, subject.schema));
    let (from_sql, tolerant) = (subject.type_of(column), from.is_some_and(|from| is_tolerant(from, to)));
    let value = match using.filter(|_| !plain) {
        Some(using) => using.text.clone(),
        None => format!("{old}::{to_sql}"),
    };
    if !tolerant || !plain {
        proposal.missing.push(Missing::Other(format!(
            "no code works with `{old}` as {from_sql} and as {to_sql} under one name: add a column under a new name, let the code move over, then drop this one; each is a plan of its own"
        )));
    }
    if collation.is_some() {
        proposal.missing.push(Missing::Other("a change of collation is not planned yet".to_owned()));
    }
    if let Some((known, column)) = subject.table.zip(subject.column(column)) {
        dependants(subject, known, column, &mut proposal);
    }
    let function = subject.beside(&format!("{}_out", copy.as_str()));
    let trigger = id(&named(&Name::new("~twostep_out"), copy.as_str()));
    let over_new = subject.over_new(&value);
    let start = vec![
        Action::new(
            format!("{old} as {to_sql}; no row is written yet."),
            format!("ALTER TABLE {table} ADD COLUMN {new} {to_sql}"),
        )
        .undone_by(format!("ALTER TABLE {table} DROP COLUMN {new}")),
        Action::new(
            format!("{new} is always what {old} is."),
            format!("CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $twostep$\nBEGIN\n  NEW.{new} := {over_new};\n  RETURN NEW;\nEND $twostep$"),
        )
        .undone_by(format!("DROP FUNCTION {function}()")),
        Action::new(
            "",
            format!("CREATE TRIGGER {trigger} BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"),
        )
        .undone_by(format!("DROP TRIGGER {trigger} ON {table}")),
        super::grants::copy_of_column(subject, column, &copy),
    ];
    proposal.expand.push(Stage::Together(start));
    let (set, condition) = (format!("{new} = {value}"), differ(&new, &value));
    subject.batch(&mut proposal, "Rows that nobody has written since.", &set, &condition);
    let mut names = Vec::new();
    if let Some(known) = subject.table {
        for index in known.indexes.iter().filter(|index| index.uses(column) && index.constraint.is_none()) {
            let name = named(&index.name, "new");
            let mut text = index_over(subject, index, &name, Some((column, &copy)));
            if index.unique {
                text = text.replacen("CREATE INDEX", "CREATE UNIQUE INDEX", 1);
            }
            let drop = format!("DROP INDEX CONCURRENTLY {}", subject.in_schema(&name));
            let action = Action::new(format!("What {} is to {old}.", id(&index.name)), text);
            proposal.expand.push(Stage::Alone(action.undone_alone_by(vec![drop])));
            names.push((name, index.name.clone()));
        }
    }
    if subject.is_required(column) {
        proposal.expand.extend(not_null(subject, &copy));
    }
    let mut swap = vec![
        Action::new("The copy takes the place of the column.", format!("DROP TRIGGER {trigger} ON {table}")),
        Action::new("", format!("DROP FUNCTION {function}()")),
    ];
    if let Some(default) = subject.column(column).and_then(|known| known.default.as_ref()) {
        swap.push(Action::new(
            "",
            format!("ALTER TABLE {table} ALTER COLUMN {new} SET DEFAULT {}", default.text),
        ));
    }
    swap.push(Action::new("", format!("ALTER TABLE {table} DROP COLUMN {old}")));
    swap.push(Action::new("", format!("ALTER TABLE {table} RENAME COLUMN {new} TO {old}")));
    for (name, wanted) in names {
        let name = subject.in_schema(&name);
        swap.push(Action::new("", format!("ALTER INDEX {name} RENAME TO {}", id(&wanted))));
    }
    proposal.contract = vec![Stage::Together(swap)];
    proposal.back = Back::Authors;
    proposal.code = format!("it works with {old} as {from_sql} and as {to_sql}");
    proposal.limits.push("prepared statements that select the column fail once at the contract, since its type changes under them; drivers that check the type of a column fail until they prepare again".to_owned());
    proposal.limits.push("the column stands last in its table afterwards".to_owned());
    Some(proposal)
}

/// Whether code that reads and writes the one type works with the other one.
fn is_tolerant(from: &DataType, to: &DataType) -> bool {
    let width = |one: &DataType| match one.name.as_str() {
        "smallint" => Some(1),
        "integer" => Some(2),
        "bigint" => Some(3),
        _ => None,
    };
    let is_text = |one: &DataType| ["text", "character varying"].contains(&one.name.as_str());
    if from.dimensions != to.dimensions || from.schema.is_some() || to.schema.is_some() {
        return false;
    }
    match (width(from), width(to)) {
        (Some(one), Some(other)) => one < other,
        (Some(_), None) => to.name == "numeric" && to.arguments.is_empty(),
        (None, None) => {
            from.name == "real" && to.name == "double precision"
                || is_text(from) && to.name == "text"
                || from.name == "numeric" && to.name == "numeric" && to.arguments.is_empty()
        }
        (None, Some(_)) => false,
    }
}

/// What hangs on the column and is not carried over to another one.
fn dependants(subject: &Subject<'_>, table: &Table, column: &Column, proposal: &mut Proposal) {
    let name = &column.name;
    let mut parts: Vec<String> = Vec::new();
    for one in table.constraints.iter().filter(|one| one.columns().contains(name)) {
        if !matches!(one.kind, ConstraintKind::NotNull(_)) {
            let clause = definition::constraint(one).unwrap_or_default();
            parts.push(format!("constraint {} {clause}", id(&one.name)));
        }
    }
    for (from, one) in subject.schema.references_to(&table.name) {
        if let ConstraintKind::ForeignKey(key) = &one.kind
            && key.referenced_columns.contains(name)
        {
            parts.push(format!("foreign key {} of {}", id(&one.name), sql(&from.name)));
        }
    }
    for (view, _) in subject.schema.views_of(&table.name).filter(|(_, read)| read.columns.contains(name)) {
        parts.push(format!("view {}", sql(&view.name)));
    }
    for other in &table.columns {
        if let Some(Generation::Expression { expr, .. }) = &other.generation
            && expr.columns.contains(name)
        {
            parts.push(format!("generated column {}", id(&other.name)));
        }
    }
    if column.generation.is_some() {
        parts.push("its sequence or expression".to_owned());
    }
    for trigger in table.triggers.iter().filter(|trigger| trigger.definition.update_of.contains(name)) {
        parts.push(format!("trigger {}", id(&trigger.definition.name)));
    }
    if !table.policies.is_empty() {
        parts.push("policies".to_owned());
    }
    if table.partition_by.is_some() {
        parts.push("partitions".to_owned());
    }
    if !parts.is_empty() {
        proposal.missing.push(Missing::Other(format!(
            "what hangs on `{}` is not carried over to a column of another type yet: {}",
            id(name),
            parts.join(", ")
        )));
    }
}
