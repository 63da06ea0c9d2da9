//! What the schema knows of a column, an index or a constraint, written as SQL again; and definitions of a text, a
//! little changed.

use crate::dialect::Dialect;
use crate::engine::proposal::about::About;
use crate::engine::proposal::foreign_key_action;
use crate::engine::update::replace_columns;
use crate::name::{Name, mysql_string};
use crate::schema::change::*;
use crate::schema::model::{Column, Index, Schema, TableConstraint};

/// A type as SQL.
pub(super) fn data_type(data_type: &DataType) -> String {
    if !matches!(data_type.name.as_str(), "enum" | "set") {
        return data_type.to_string();
    }
    let labels: Vec<String> = data_type.arguments.iter().map(|label| mysql_string(label)).collect();
    format!("{}({})", data_type.name, labels.join(","))
}

/// The type of a column with its character set and collation; none where it is not known.
pub(super) fn full_type(column: &Column) -> Option<String> {
    let mut text = data_type(column.data_type.as_ref()?);
    if let Some(charset) = &column.charset {
        text.push_str(&format!(" CHARACTER SET {charset}"));
    }
    if let Some(collation) = &column.collation {
        text.push_str(&format!(" COLLATE {collation}"));
    }
    Some(text)
}

/// What stands behind a column's name in a definition; none where it is not known.
pub(super) fn column(column: &Column, nullability: Nullability, default: Option<&str>) -> Option<String> {
    let mut text = full_type(column)?;
    if let Some(Generation::Expression { expr, stored }) = &column.generation {
        let kind = if *stored { "STORED" } else { "VIRTUAL" };
        text.push_str(&format!(
            " GENERATED ALWAYS AS {} {kind}{}",
            parenthesized(&expr.text),
            comment(column)
        ));
        return Some(text);
    }
    text.push_str(if nullability == Nullability::NotNull { " NOT NULL" } else { " NULL" });
    if let Some(default) = default {
        text.push_str(&format!(" DEFAULT {default}"));
    }
    if let Some(on_update) = &column.on_update {
        text.push_str(&format!(" ON UPDATE {}", on_update.text));
    }
    match &column.generation {
        Some(Generation::AutoIncrement | Generation::Serial | Generation::Identity(_)) => {
            text.push_str(" AUTO_INCREMENT");
        }
        Some(Generation::Expression { .. }) | None => {}
    }
    if column.invisible {
        text.push_str(" INVISIBLE");
    }
    text.push_str(&comment(column));
    Some(text)
}

/// What a definition says of a column.
fn comment(column: &Column) -> String {
    column.comment.as_ref().map_or_else(String::new, |text| format!(" COMMENT {}", mysql_string(text)))
}

/// Where a column stands: `FIRST`, or behind another one; none for the last one.
pub(super) fn position(about: &About<'_>, column: &Name) -> String {
    let Some(table) = about.table else { return String::new() };
    match table.columns.iter().position(|one| one.name == *column) {
        Some(0) => " FIRST".to_owned(),
        Some(at) if at + 1 < table.columns.len() => {
            format!(" AFTER {}", about.id(&table.columns[at - 1].name))
        }
        Some(_) | None => String::new(),
    }
}

/// `(text)`, unless it stands in parentheses.
fn parenthesized(text: &str) -> String {
    let text = text.trim();
    if text.starts_with('(') && text.ends_with(')') { text.to_owned() } else { format!("({text})") }
}

/// An element of an index's key.
pub(super) fn element(about: &About<'_>, element: &IndexElement) -> String {
    let mut text = match &element.column {
        Some(column) => about.id(column),
        None => parenthesized(&element.expr.text),
    };
    if let Some(prefix) = element.prefix {
        text.push_str(&format!("({prefix})"));
    }
    if element.descending {
        text.push_str(" DESC");
    }
    text
}

/// `CREATE INDEX` of `index` under the name `name`, with one column in the place of another one.
pub(super) fn index_over(
    about: &About<'_>,
    index: &Index,
    name: &Name,
    unique: bool,
    instead: Option<(&Name, &Name)>,
) -> String {
    let replaced = |one: &IndexElement| {
        let Some((from, to)) = instead else { return element(about, one) };
        let mut one = one.clone();
        if one.column.as_ref() == Some(from) {
            one.column = Some(to.clone());
        }
        let columns = std::slice::from_ref(from);
        one.expr.text =
            replace_columns(&one.expr.text, Dialect::Mysql, &about.name.name, columns, |_| about.id(to));
        element(about, &one)
    };
    let kind = match index.method.as_deref() {
        Some(method @ ("fulltext" | "spatial")) => format!("{} ", method.to_uppercase()),
        _ if unique => "UNIQUE ".to_owned(),
        _ => String::new(),
    };
    let elements: Vec<String> = index.elements.iter().map(replaced).collect();
    format!("CREATE {kind}INDEX {} ON {} ({})", about.id(name), about.sql(), elements.join(", "))
}

/// The schema, where no index is on the column: those of its copy are gone by the time that it is dropped.
pub(super) fn without_indexes(about: &About<'_>, column: &Name) -> Schema {
    let mut schema = about.schema.clone();
    if let Some(table) = about.table {
        let mut bare = table.clone();
        bare.indexes.retain(|index| !index.uses(column));
        schema.tables.insert(table.name.clone(), std::sync::Arc::new(bare));
    }
    schema
}

/// What stands behind the name of a foreign key or a check.
pub(super) fn constraint(about: &About<'_>, one: &TableConstraint) -> Option<String> {
    match &one.kind {
        ConstraintKind::Check(expr) => Some(format!("CHECK {}", parenthesized(&expr.text))),
        ConstraintKind::ForeignKey(key) => Some(format!(
            "FOREIGN KEY ({}) REFERENCES {} ({}){}{}",
            about.ids(&key.columns),
            about.id(&key.references.name),
            about.ids(&key.referenced_columns),
            foreign_key_action("ON DELETE", key.on_delete),
            foreign_key_action("ON UPDATE", key.on_update)
        )),
        _ => None,
    }
}

/// A column's definition as it is written, but that it may be NULL.
pub(super) fn nullable(definition: &str) -> String {
    crate::engine::proposal::about::nullable(definition, Dialect::Mysql)
}

/// The value that a column of this type has where a statement gives none and strictness does not forbid it: what
/// `ADD COLUMN … NOT NULL` fills rows with. None where the type has none that a default can be.
/// <https://dev.mysql.com/doc/refman/8.4/en/data-type-defaults.html>
pub(super) fn implicit(data_type: &DataType) -> Option<String> {
    match data_type.name.as_str() {
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal" | "float" | "double" | "bit"
        | "year" => Some("0".to_owned()),
        "char" | "varchar" | "binary" | "varbinary" | "set" => Some("''".to_owned()),
        "enum" => data_type.arguments.first().map(|label| mysql_string(label)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::nullable;

    #[test]
    fn not_null_is_taken_out() {
        assert_eq!(nullable("a int NOT NULL COMMENT 'not null'"), "a int NULL COMMENT 'not null'");
        assert_eq!(nullable("`not` int DEFAULT (1 is not null)"), "`not` int DEFAULT (1 is not null)");
    }
}
