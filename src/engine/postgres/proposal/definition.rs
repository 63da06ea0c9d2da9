//! What the schema knows of an index, a column or a constraint, written as SQL again.

use super::subject::{Subject, data_type, quoted};
use super::{id, ids, sql};
use crate::dialect::Dialect;
use crate::engine::proposal::foreign_key_action;
use crate::engine::update::replace_columns;
use crate::name::{Name, TableName};
use crate::schema::change::*;
use crate::schema::model::{Column, Index, Schema, Table, TableConstraint};

/// Columns that stand in the place of others: of each pair the second for the first.
pub(super) type Instead = [(Name, Name)];

/// What stands in the place of `column`.
pub(super) fn instead_of(column: &Name, instead: &Instead) -> Name {
    instead.iter().find(|(from, _)| from == column).map_or(column, |(_, to)| to).clone()
}

/// `CREATE INDEX CONCURRENTLY` of `index` under the name `name`; with columns in the place of others. Then it
/// is not unique: what is unique of the one is so of the other, and two unique indexes would refuse what one allows.
pub(super) fn index_over(subject: &Subject<'_>, index: &Index, name: &Name, instead: &Instead) -> String {
    let unique = if index.unique && instead.is_empty() { "UNIQUE " } else { "" };
    let method = index.method.as_ref().map_or_else(String::new, |method| format!("USING {method} "));
    let elements: Vec<String> =
        index.elements.iter().map(|element| self::element(subject, element, instead)).collect();
    let mut text = format!(
        "CREATE {unique}INDEX CONCURRENTLY {} ON {} {method}({})",
        id(name),
        subject.sql(),
        elements.join(", ")
    );
    if !index.include.is_empty() {
        let included: Vec<Name> = index.include.iter().map(|column| instead_of(column, instead)).collect();
        text.push_str(&format!(" INCLUDE ({})", ids(&included)));
    }
    if index.nulls_not_distinct && !unique.is_empty() {
        text.push_str(" NULLS NOT DISTINCT");
    }
    if let Some(predicate) = &index.predicate {
        text.push_str(&format!(" WHERE {}", renamed(subject, &predicate.text, instead)));
    }
    text
}

fn element(subject: &Subject<'_>, element: &IndexElement, instead: &Instead) -> String {
    let mut text = match &element.column {
        Some(column) => id(&instead_of(column, instead)),
        None => {
            let text = renamed(subject, element.expr.text.trim(), instead);
            if text.starts_with('(') && text.ends_with(')') { text } else { format!("({text})") }
        }
    };
    if let Some(collation) = &element.collation {
        text.push_str(&format!(" COLLATE {}", quoted(collation)));
    }
    if let Some(opclass) = &element.opclass {
        text.push_str(&format!(" {}", sql(opclass)));
    }
    if element.descending {
        text.push_str(" DESC");
    }
    match element.nulls_first {
        Some(true) => text.push_str(" NULLS FIRST"),
        Some(false) => text.push_str(" NULLS LAST"),
        None => {}
    }
    text
}

/// The expression `text` with columns in the place of others.
pub(super) fn renamed(subject: &Subject<'_>, text: &str, instead: &Instead) -> String {
    let columns: Vec<Name> = instead.iter().map(|(from, _)| from.clone()).collect();
    if columns.is_empty() {
        return text.to_owned();
    }
    replace_columns(text, Dialect::Postgres, &subject.name.name, &columns, |column| {
        id(&instead_of(column, instead))
    })
}

/// What stands behind the name of a constraint.
pub(super) fn constraint(one: &TableConstraint) -> Option<String> {
    let mut text = match &one.kind {
        ConstraintKind::Check(expr) => format!("CHECK ({})", unwrapped(&expr.text)),
        ConstraintKind::ForeignKey(key) => foreign_key(key, &key.references),
        ConstraintKind::Unique(key) if key.using_index.is_none() => format!("UNIQUE {}", self::key(key)),
        ConstraintKind::PrimaryKey(key) if key.using_index.is_none() => {
            format!("PRIMARY KEY {}", self::key(key))
        }
        ConstraintKind::Unique(_)
        | ConstraintKind::PrimaryKey(_)
        | ConstraintKind::Exclude(_)
        | ConstraintKind::NotNull(_) => return None,
    };
    if one.no_inherit {
        text.push_str(" NO INHERIT");
    }
    text.push_str(deferring(one.deferrable, one.initially_deferred));
    Some(text)
}

/// `text` without parentheses around all of it.
pub(super) fn unwrapped(text: &str) -> &str {
    let text = text.trim();
    let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else { return text };
    let mut depth = 1_i32;
    for token in crate::sql::lex::significant(inner, Dialect::Postgres) {
        if token.is_punct(b'(') {
            depth += 1;
        } else if token.is_punct(b')') {
            depth -= 1;
        }
        if depth == 0 {
            return text;
        }
    }
    inner.trim()
}

/// `DEFERRABLE` and how it begins.
pub(super) fn deferring(deferrable: bool, initially: bool) -> &'static str {
    match (deferrable, initially) {
        (true, true) => " DEFERRABLE INITIALLY DEFERRED",
        (true, false) => " DEFERRABLE",
        (false, _) => "",
    }
}

/// `FOREIGN KEY (…) REFERENCES …`.
pub(super) fn foreign_key(key: &ForeignKey, references: &TableName) -> String {
    let to = match key.referenced_columns.as_slice() {
        [] => sql(references),
        some => format!("{} ({})", sql(references), ids(some)),
    };
    let full = if key.match_full { " MATCH FULL" } else { "" };
    let actions =
        foreign_key_action("ON DELETE", key.on_delete) + &foreign_key_action("ON UPDATE", key.on_update);
    format!("FOREIGN KEY ({}) REFERENCES {to}{full}{actions}", ids(&key.columns))
}

fn key(key: &KeyConstraint) -> String {
    let nulls = if key.nulls_not_distinct { "NULLS NOT DISTINCT " } else { "" };
    let include =
        if key.include.is_empty() { String::new() } else { format!(" INCLUDE ({})", ids(&key.include)) };
    format!("{nulls}({}){include}", ids(&key.columns))
}

/// A column as `CREATE TABLE` and `ADD COLUMN` say it; none where its type is not known.
pub(super) fn column(column: &Column, schema: &Schema) -> Option<String> {
    let mut text = format!("{} {}", id(&column.name), data_type(column.data_type.as_ref()?, schema));
    if let Some(collation) = &column.collation {
        text.push_str(&format!(" COLLATE {}", quoted(collation)));
    }
    match &column.generation {
        Some(Generation::Expression { expr, stored }) => {
            let stored = if *stored { "STORED" } else { "VIRTUAL" };
            text.push_str(&format!(" GENERATED ALWAYS AS ({}) {stored}", unwrapped(&expr.text)));
        }
        Some(Generation::Identity(identity)) => {
            let when = if identity.always { "ALWAYS" } else { "BY DEFAULT" };
            text.push_str(&format!(" GENERATED {when} AS IDENTITY"));
        }
        // Its sequence is another one than the default's name says.
        Some(Generation::Serial | Generation::AutoIncrement) => return None,
        None => {
            if let Some(default) = &column.default {
                text.push_str(&format!(" DEFAULT {}", default.text));
            }
        }
    }
    if column.nullability == Nullability::NotNull {
        text.push_str(" NOT NULL");
    }
    Some(text)
}

/// The statements that make a table as the schema knows it; none where it has more than they can say.
pub(super) fn table(table: &Table, schema: &Schema, name: &TableName) -> Option<Vec<String>> {
    let plain = table.is_complete()
        && table.form == TableForm::Plain
        && table.persistence == Persistence::Permanent
        && table.triggers.is_empty()
        && table.rules.is_empty()
        && table.policies.is_empty()
        && !table.row_security
        && table.partition_by.is_none()
        && table.partition_of.is_none()
        && table.inherits.is_empty()
        && table.options.is_empty()
        && table.replica_identity == ReplicaIdentity::Default;
    if !plain || schema.references_to(&table.name).any(|(from, _)| from.name != table.name) {
        return None;
    }
    let mut lines: Vec<String> =
        table.columns.iter().map(|one| column(one, schema)).collect::<Option<_>>()?;
    for one in table.constraints.iter().filter(|one| !matches!(one.kind, ConstraintKind::NotNull(_))) {
        lines.push(format!("CONSTRAINT {} {}", id(&one.name), constraint(one)?));
    }
    let mut statements = vec![format!("CREATE TABLE {} (\n    {}\n)", sql(name), lines.join(",\n    "))];
    let given = crate::engine::proposal::Given::default();
    let change = Change::new(crate::text::Span::default(), ChangeKind::Harmless { what: String::new() });
    let subject = Subject::new(schema, name, (0, 0, 0), &given, &change);
    for index in table.indexes.iter().filter(|index| index.constraint.is_none()) {
        let concurrent = index_over(&subject, index, &index.name, &[]);
        statements.push(concurrent.replacen("INDEX CONCURRENTLY", "INDEX", 1));
    }
    Some(statements)
}

/// A policy as `CREATE POLICY` says it.
pub(super) fn policy(policy: &Policy, on: &TableName) -> String {
    let mut text = format!("CREATE POLICY {} ON {}", id(&policy.name), sql(on));
    if policy.restrictive {
        text.push_str(" AS RESTRICTIVE");
    }
    if policy.command != "ALL" {
        text.push_str(&format!(" FOR {}", policy.command));
    }
    if !policy.roles.is_empty() {
        text.push_str(&format!(" TO {}", ids(&policy.roles)));
    }
    if let Some(using) = &policy.using {
        text.push_str(&format!(" USING ({})", unwrapped(&using.text)));
    }
    if let Some(check) = &policy.check {
        text.push_str(&format!(" WITH CHECK ({})", unwrapped(&check.text)));
    }
    text
}
