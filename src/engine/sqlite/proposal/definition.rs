//! What the schema knows of a table, its columns, constraints, indexes and triggers, written as SQL again.

use crate::engine::proposal::about::About;
use crate::engine::proposal::foreign_key_action;
use crate::schema::change::*;
use crate::schema::model::{Column, Index, Table, TableConstraint, Trigger};

/// `(text)`, unless it stands in parentheses.
fn parenthesized(text: &str) -> String {
    let text = text.trim();
    if text.starts_with('(') && text.ends_with(')') { text.to_owned() } else { format!("({text})") }
}

/// A column as `CREATE TABLE` says it, without its constraints.
pub(super) fn column(about: &About<'_>, column: &Column) -> String {
    let mut text = about.id(&column.name);
    if let Some(data_type) = &column.data_type {
        text.push_str(&format!(" {data_type}"));
    }
    match &column.generation {
        Some(Generation::Expression { expr, stored }) => {
            let kind = if *stored { "STORED" } else { "VIRTUAL" };
            text.push_str(&format!(" GENERATED ALWAYS AS {} {kind}", parenthesized(&expr.text)));
        }
        // No other place takes the word.
        Some(Generation::AutoIncrement) => text.push_str(" PRIMARY KEY AUTOINCREMENT"),
        Some(Generation::Serial | Generation::Identity(_)) | None => {}
    }
    if column.nullability == Nullability::NotNull {
        text.push_str(" NOT NULL");
    }
    if let Some(default) = &column.default {
        text.push_str(&format!(" DEFAULT {}", default.text.trim()));
    }
    if let Some(collation) = &column.collation {
        text.push_str(&format!(" COLLATE {collation}"));
    }
    text
}

/// A constraint as `CREATE TABLE` says it, without the name where it is none of the user's.
fn constraint(about: &About<'_>, table: &Table, one: &TableConstraint) -> Option<String> {
    let own = table.name.name.as_str();
    let name = one.name.as_str();
    let made_up = name.is_empty()
        || name.starts_with("sqlite_autoindex_")
        || [format!("{own}_fk_"), format!("{own}_chk_")].iter().any(|front| {
            let behind = name.get(front.len()..).unwrap_or("");
            name.get(..front.len()).is_some_and(|start| start.eq_ignore_ascii_case(front))
                && !behind.is_empty()
                && behind.bytes().all(|byte| byte.is_ascii_digit())
        });
    let front = if made_up { String::new() } else { format!("CONSTRAINT {} ", about.id(&one.name)) };
    let key = |key: &KeyConstraint| {
        if key.elements.is_empty() {
            return about.ids(&key.columns);
        }
        key.elements.iter().map(|one| element(about, one)).collect::<Vec<_>>().join(", ")
    };
    let text = match &one.kind {
        ConstraintKind::Check(expr) => format!("CHECK {}", parenthesized(&expr.text)),
        ConstraintKind::Unique(unique) => format!("UNIQUE ({})", key(unique)),
        ConstraintKind::PrimaryKey(primary) => format!("PRIMARY KEY ({})", key(primary)),
        ConstraintKind::ForeignKey(foreign) => foreign_key(about, foreign, one),
        ConstraintKind::Exclude(_) | ConstraintKind::NotNull(_) => return None,
    };
    Some(format!("{front}{text}"))
}

fn foreign_key(about: &About<'_>, key: &ForeignKey, one: &TableConstraint) -> String {
    let to = match key.referenced_columns.as_slice() {
        [] => String::new(),
        some => format!(" ({})", about.ids(some)),
    };
    let deferring = match (one.deferrable, one.initially_deferred) {
        (true, true) => " DEFERRABLE INITIALLY DEFERRED",
        (true, false) => " DEFERRABLE",
        (false, _) => "",
    };
    format!(
        "FOREIGN KEY ({}) REFERENCES {}{to}{}{}{deferring}",
        about.ids(&key.columns),
        about.id(about.schema.table(&key.references).map_or(&key.references.name, |known| &known.name.name)),
        foreign_key_action("ON DELETE", key.on_delete),
        foreign_key_action("ON UPDATE", key.on_update)
    )
}

/// An element of an index's key.
fn element(about: &About<'_>, element: &IndexElement) -> String {
    let mut text = match &element.column {
        Some(column) => about.id(column),
        None => element.expr.text.trim().to_owned(),
    };
    if let Some(collation) = &element.collation {
        text.push_str(&format!(" COLLATE {collation}"));
    }
    if element.descending {
        text.push_str(" DESC");
    }
    text
}

/// `CREATE TABLE` of `table` under the name `name`.
pub(super) fn table(about: &About<'_>, table: &Table, name: &str) -> Option<String> {
    let mut lines: Vec<String> = table.columns.iter().map(|one| column(about, one)).collect();
    let numbered = table.columns.iter().any(|one| matches!(one.generation, Some(Generation::AutoIncrement)));
    for one in &table.constraints {
        match &one.kind {
            ConstraintKind::PrimaryKey(_) if numbered => {}
            ConstraintKind::NotNull(_) => {}
            _ => lines.push(constraint(about, table, one)?),
        }
    }
    let form = match table.form {
        TableForm::Plain => "",
        TableForm::Strict => " STRICT",
        TableForm::WithoutRowid => " WITHOUT ROWID",
        TableForm::StrictWithoutRowid => " STRICT, WITHOUT ROWID",
        TableForm::Foreign | TableForm::Virtual => return None,
    };
    Some(format!("CREATE TABLE {name} (\n    {}\n){form}", lines.join(",\n    ")))
}

/// `CREATE INDEX` of `index` under the name `name`, with one column in the place of another one.
pub(super) fn index(
    about: &About<'_>,
    index: &Index,
    name: &crate::name::Name,
    unique: bool,
    instead: Option<(&crate::name::Name, &crate::name::Name)>,
) -> String {
    let renamed = |text: &str| match instead {
        None => text.to_owned(),
        Some((from, to)) => crate::engine::update::replace_columns(
            text,
            about.dialect(),
            &about.name.name,
            std::slice::from_ref(from),
            |_| about.id(to),
        ),
    };
    let elements: Vec<String> = index
        .elements
        .iter()
        .map(|one| {
            let mut one = one.clone();
            match (&one.column, instead) {
                (Some(column), Some((from, to))) if column == from => one.column = Some(to.clone()),
                _ => one.expr.text = renamed(&one.expr.text),
            }
            element(about, &one)
        })
        .collect();
    let unique = if unique { "UNIQUE " } else { "" };
    let predicate = index
        .predicate
        .as_ref()
        .map_or_else(String::new, |one| format!(" WHERE {}", renamed(one.text.trim())));
    format!(
        "CREATE {unique}INDEX {} ON {} ({}){predicate}",
        about.id(name),
        about.id(&about.name.name),
        elements.join(", ")
    )
}

/// `CREATE TRIGGER`; none where its body is not known.
pub(super) fn trigger(about: &About<'_>, trigger: &Trigger) -> Option<String> {
    let one = &trigger.definition;
    let body = one.body.as_ref()?.text.trim();
    let of =
        if one.update_of.is_empty() { String::new() } else { format!(" OF {}", about.ids(&one.update_of)) };
    let each = if one.for_each_row { " FOR EACH ROW" } else { "" };
    let when = one.when.as_ref().map_or_else(String::new, |when| format!(" WHEN {}", when.text.trim()));
    Some(format!(
        "CREATE TRIGGER {} {} {}{of} ON {}{each}{when} BEGIN {body} END",
        about.id(&one.name),
        one.timing,
        one.events.first()?,
        about.id(&about.name.name)
    ))
}
