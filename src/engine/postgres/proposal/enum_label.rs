//! `ALTER TYPE … RENAME VALUE`: the new label beside the old one, which the rows get once no older code runs.
//!
//! With the plain statement whatever has the label says the new one from then on: rows, defaults, checks, views. So the
//! contract sets the defaults as well; and what else names the label is refused, since it would silently go on with the
//! old one.

use super::subject::Subject;
use super::{id, sql};
use crate::dialect::Dialect;
use crate::engine::proposal::{Action, Back, Missing, Proposal, Stage};
use crate::engine::read::literal::string;
use crate::name::{ObjectName, TableName, plain_literal};
use crate::schema::change::*;
use crate::schema::model::{Column, Schema, Table, UserTypeKind};
use crate::sql::lex::{Token, TokenKind, significant};

/// `ADD VALUE` of a label that may be there already.
pub(super) fn added_once(text: &str) -> String {
    let tokens: Vec<Token> = significant(text, Dialect::Postgres).collect();
    let adds = |pair: &&[Token]| pair[0].is_word(text, "add") && pair[1].is_word(text, "value");
    match tokens.windows(2).find(adds).and_then(|pair| text.split_at_checked(pair[1].span.end)) {
        Some((front, label)) => format!("{front} IF NOT EXISTS{label}"),
        None => text.to_owned(),
    }
}

pub(super) fn rename(subject: &Subject<'_>, name: &TableName, from: &str, to: &str) -> Proposal {
    let (old, new) = (plain_literal(from), plain_literal(to));
    let mut proposal = Proposal {
        code: format!("the new code reads {old} and {new} alike, and writes {new} once no older code runs"),
        limits: vec![format!("{old} stays in the type: a label that nothing uses does no harm")],
        ..Proposal::default()
    };
    proposal.expand.push(Stage::Alone(Action::new(
        "The new label beside the old one.",
        format!("ALTER TYPE {} ADD VALUE IF NOT EXISTS {new} AFTER {old}", sql(name)),
    )));
    let schema = subject.schema;
    let Some(key) = schema.find(name, |key| schema.types.contains_key(key)) else { return proposal };
    let mut refused = over_the_type(schema, &key);
    let mut back = Vec::new();
    for (table, column) in schema.columns_of_type(&key) {
        refused.extend(naming(subject, table, from));
        let shown = super::constraint::as_named(subject, &table.name);
        let of = Subject::new(schema, &shown, subject.version, subject.given, subject.change);
        match &column.default {
            Some(default) if default.literal.as_deref() == Some(from) => {
                let set = |label: &str, about: &str| {
                    let (table, column) = (of.sql(), id(&column.name));
                    let sql = format!("ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {label}");
                    Stage::Together(vec![Action::new(about, sql)])
                };
                proposal.contract.push(set(&new, "New rows have the new label, where they give none."));
                back.push(set(&old, ""));
            }
            Some(default) if mentions(&default.text, from) => refused.push(format!(
                "the default of `{}.{}` names {old} in an expression",
                of.sql(),
                id(&column.name)
            )),
            Some(_) | None => {}
        }
        let (set, condition) = replaced(column, &old, &new);
        let sql = format!("UPDATE {} SET {set} WHERE {condition}", of.sql());
        let key = of.key();
        if key.is_empty() {
            refused.push(format!("`{}` has no key to go through its rows by", of.sql()));
        }
        let action = Action::new("No code writes the old label any more.", sql);
        proposal.contract.push(Stage::Backfill { action, key });
    }
    refused.dedup();
    proposal.missing.extend(refused.into_iter().map(Missing::Other));
    if !back.is_empty() {
        proposal.back = Back::Stages(back);
    }
    proposal
}

/// The assignment that exchanges the label in a row, and which rows have it.
fn replaced(column: &Column, old: &str, new: &str) -> (String, String) {
    let name = id(&column.name);
    match column.data_type.as_ref().map_or(0, |known| known.dimensions) {
        0 => (format!("{name} = {new}"), format!("{name} = {old}")),
        _ => (format!("{name} = array_replace({name}, {old}, {new})"), format!("{old} = ANY ({name})")),
    }
}

/// What holds the label in a form in which no UPDATE of a column reaches it.
fn over_the_type(schema: &Schema, key: &ObjectName) -> Vec<String> {
    let is_it = |of: &DataType| {
        schema.find(&of.object_name(), |key| schema.types.contains_key(key)).as_ref() == Some(key)
    };
    let uses = |kind: &UserTypeKind| match kind {
        UserTypeKind::Domain(domain) => is_it(&domain.base),
        UserTypeKind::Composite(attributes) => attributes.iter().any(|(_, of)| is_it(of)),
        UserTypeKind::Enum(_) | UserTypeKind::Range | UserTypeKind::Base | UserTypeKind::Unknown => false,
    };
    let over = schema.types.values().filter(|one| uses(&one.kind));
    over.map(|one| {
        format!("the type `{}` is made of it, whose values no UPDATE of a column reaches", id(&one.name.name))
    })
    .collect()
}

/// What else of a table names the label: it would go on with the old one, where the plain statement changes it.
fn naming(subject: &Subject<'_>, table: &Table, label: &str) -> Vec<String> {
    let (schema, mut found) = (subject.schema, Vec::new());
    let shown = |name: &TableName| sql(&super::constraint::as_named(subject, name));
    let says = |expr: &Option<Expr>| expr.as_ref().is_some_and(|expr| mentions(&expr.text, label));
    for one in &table.constraints {
        if matches!(&one.kind, ConstraintKind::Check(expr) if mentions(&expr.text, label)) {
            found.push(format!("the check `{}`", id(&one.name)));
        }
    }
    for index in &table.indexes {
        if says(&index.predicate) || index.elements.iter().any(|one| mentions(&one.expr.text, label)) {
            found.push(format!("the index `{}`", id(&index.name)));
        }
    }
    for column in &table.columns {
        if matches!(&column.generation, Some(Generation::Expression { expr, .. }) if mentions(&expr.text, label))
        {
            found.push(format!("the generated column `{}`", id(&column.name)));
        }
    }
    for policy in table.policies.iter().filter(|one| says(&one.using) || says(&one.check)) {
        found.push(format!("the policy `{}`", id(&policy.name)));
    }
    for trigger in table.triggers.iter().filter(|one| says(&one.definition.when)) {
        found.push(format!("the trigger `{}`", id(&trigger.definition.name)));
    }
    let bounds = table.partition_by.iter().flat_map(|_| schema.children_of(&table.name));
    for partition in bounds {
        if matches!(&partition.partition_of, Some(of) if matches!(&of.bound, PartitionBound::Values(text) if mentions(text, label)))
        {
            found.push(format!("the bounds of the partition `{}`", shown(&partition.name)));
        }
    }
    for (view, _) in schema.views_of(&table.name).filter(|(view, _)| mentions(&view.query.text, label)) {
        found.push(format!("the view `{}`", shown(&view.name)));
    }
    let why = |what: String| {
        format!(
            "{what} names {}, and would go on with the old label: make it anew for both in a migration before",
            plain_literal(label)
        )
    };
    found.into_iter().map(why).collect()
}

/// Whether a string in `text` is `label`.
fn mentions(text: &str, label: &str) -> bool {
    let is_label = |token: crate::sql::lex::Token| {
        token.kind == TokenKind::String && string(token.text(text), Dialect::Postgres) == label
    };
    significant(text, Dialect::Postgres).any(is_label)
}
