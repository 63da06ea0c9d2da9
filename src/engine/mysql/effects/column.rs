//! Columns: what it comes to when one is added, dropped, or defined anew.

use super::table::Operation as Op;
use super::traits::Traits;
use crate::engine::version::{Product, ServerVersion};
use crate::name::Name;
use crate::schema::change::*;
use crate::schema::model::{Column, Schema, Table};

/// What adding `column` at `position` to `table` comes to, besides its foreign key.
pub fn added(
    column: &ColumnDef,
    position: &ColumnPosition,
    table: Option<&Table>,
    server: ServerVersion,
) -> Op {
    let last = match position {
        ColumnPosition::Last => true,
        ColumnPosition::First => false,
        ColumnPosition::After(name) => table.is_some_and(|table| {
            table.is_complete() && table.columns.last().is_some_and(|last| table.same(&last.name, name))
        }),
    };
    let has = |wanted: fn(&ConstraintKind) -> bool| column.constraints.iter().any(|one| wanted(&one.kind));
    let keyed = has(|kind| matches!(kind, ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_)));
    match &column.generation {
        Some(Generation::AutoIncrement | Generation::Serial | Generation::Identity(_)) => {
            return Op::AddColumnAutoIncrement;
        }
        Some(Generation::Expression { stored: true, .. }) => return Op::AddColumnStored,
        Some(Generation::Expression { stored: false, .. }) => {
            return if last { Op::AddColumnVirtual } else { Op::AddColumnVirtualWithin };
        }
        None => {}
    }
    if let Some(default) = &column.default {
        let reads =
            |name: &Name| table.is_some_and(|table| table.column(name).is_some()) || *name == column.name;
        let own = default.calls.iter().any(|call| call.name.name.as_str().eq_ignore_ascii_case("uuid"));
        if default.columns.iter().any(reads) || own {
            return Op::AddColumnDependentDefault;
        }
        if default.text.starts_with('(') && (server.product == Product::Mysql || !keyed) {
            return Op::AddColumnExpressionDefault;
        }
    }
    if server.product == Product::Mysql && has(|kind| matches!(kind, ConstraintKind::Check(_))) {
        return Op::AddColumnChecked;
    }
    if keyed {
        return Op::AddColumnWithKey;
    }
    if last { Op::AddColumn } else { Op::AddColumnWithin }
}

/// What dropping `column` comes to.
pub fn dropped(column: &Name, table: Option<&Table>) -> Op {
    let Some(table) = table else { return Op::DropColumn };
    let generation = table.column(column).and_then(|column| column.generation.as_ref());
    let mut indexes = table.indexes.iter().filter(|index| index.uses(column)).peekable();
    let indexed = indexes.peek().is_some();
    if matches!(generation, Some(Generation::Expression { stored: false, .. })) {
        return if indexed { Op::DropIndex } else { Op::DropColumnVirtual };
    }
    if !indexed {
        Op::DropColumn
    } else if indexes.all(|index| index.elements.len() == 1) {
        Op::DropColumnWithIndex
    } else {
        Op::DropColumnOfIndex
    }
}

/// What renaming `column` comes to.
pub fn renamed(column: &Name, table: Option<&Table>, schema: &Schema) -> Op {
    let referenced = table.is_some_and(|table| {
        schema.references_to(&table.name).any(|(_, constraint)| match &constraint.kind {
            ConstraintKind::ForeignKey(key) => {
                key.referenced_columns.iter().any(|name| table.same(name, column))
            }
            _ => false,
        })
    });
    if referenced { Op::RenameColumnReferenced } else { Op::RenameColumn }
}

/// What `CHANGE` and `MODIFY` come to: all operations together. Of a column that is not known, its type is taken to
/// change.
pub fn redefined(
    from: &Name,
    to: &ColumnDef,
    position: Option<&ColumnPosition>,
    table: Option<&Table>,
    schema: &Schema,
) -> Vec<Op> {
    let Some((table, old)) = table.and_then(|table| Some((table, table.column(from)?))) else {
        return vec![Op::ChangeType];
    };
    let mut found = vec![Op::ChangeDefault];
    if !table.same(from, &to.name) {
        found.push(renamed(from, Some(table), schema));
    }
    if position.is_some_and(|position| moves(table, from, position)) {
        found.push(Op::MoveColumn);
    }
    let generated = |generation: Option<&Generation>| match generation {
        Some(Generation::Expression { expr, stored }) => Some((expr.text.clone(), *stored)),
        _ => None,
    };
    match (generated(old.generation.as_ref()), generated(to.generation.as_ref())) {
        (None, None) => {}
        (Some(one), Some(other)) if one == other => {}
        (Some((_, false)), Some((_, false))) => found.push(Op::ChangeVirtual),
        _ => found.push(Op::ChangeType),
    }
    let counts = |generation: &Option<Generation>| matches!(generation, Some(Generation::AutoIncrement));
    if counts(&to.generation) && !counts(&old.generation) {
        found.push(Op::ChangeTypeAutoIncrement);
    }
    found.extend(nullability(old, to, table, from));
    match (&old.data_type, &to.data_type) {
        (Some(one), Some(other)) => found.extend(retyped(one, other, old, to, table)),
        _ => found.push(Op::ChangeType),
    }
    found
}

fn moves(table: &Table, column: &Name, position: &ColumnPosition) -> bool {
    let at = table.column_at(column);
    match position {
        ColumnPosition::Last => false,
        ColumnPosition::First => at != Some(0),
        ColumnPosition::After(name) => {
            !table.is_complete() || table.column_at(name).map(|other| other + 1) != at
        }
    }
}

fn nullability(old: &Column, to: &ColumnDef, table: &Table, name: &Name) -> Option<Op> {
    let in_key = table.primary_key().is_some_and(|key| key.columns().iter().any(|one| table.same(one, name)));
    if in_key || to.generation.is_some() {
        return None;
    }
    let required = to.nullability == Nullability::NotNull;
    match (old.nullability, required) {
        (Nullability::NotNull, true) | (Nullability::Null | Nullability::Unstated, false) => None,
        // Rows without a value get the present time.
        (_, true) if to.data_type.as_ref().is_some_and(|new| new.name == "timestamp") => Some(Op::ChangeType),
        (_, false) => Some(Op::AllowNull),
        (_, true) => Some(Op::ChangeNullability),
    }
}

/// What the change of a type, its character set or its collation comes to.
fn retyped(from: &DataType, to: &DataType, old: &Column, new: &ColumnDef, table: &Table) -> Option<Op> {
    if is_binary_text(from) && is_binary_text(to) && from.name == to.name {
        return lengthened(from, to, 1, 1, table);
    }
    if !is_text(from) || !is_text(to) {
        return labels(from, to).or_else(|| (!is_same(from, to)).then_some(Op::ChangeType));
    }
    let charset_of =
        |charset: &Option<String>, collation: &Option<String>| charset_of(charset, collation, table);
    let (one, one_collation) = charset_of(&old.charset, &old.collation);
    let (other, other_collation) = charset_of(&new.charset, &new.collation);
    let widened = one == "utf8mb3" && other == "utf8mb4";
    if from.name != to.name || one != other && !widened {
        return Some(Op::ChangeType);
    }
    let limited = from.name == "varchar" || from.name == "char";
    let length = if from.name == "varchar" {
        lengthened(from, to, bytes(&one), bytes(&other), table)
    } else if limited && !is_same(from, to) {
        Some(Op::ChangeType)
    } else {
        None
    };
    if length == Some(Op::ChangeType) || one == other && one_collation == other_collation {
        return length;
    }
    let indexed = table.indexes.iter().any(|index| index.uses(&old.name));
    // The usual collation of utf8mb4 orders what utf8mb3 can hold as that of utf8mb3 does.
    let widened = widened && one_collation.is_empty() && other_collation.is_empty();
    match (indexed, length) {
        (true, _) if widened => Some(Op::ChangeCharsetIndexed),
        (true, _) => Some(Op::ChangeCollationIndexed),
        (false, Some(op)) => Some(op),
        (false, None) => Some(Op::ChangeCharset),
    }
}

/// What another limit of a `varchar` or `varbinary` comes to: the length of a value takes one byte up to 255 bytes,
/// else two.
fn lengthened(from: &DataType, to: &DataType, one: i64, other: i64, table: &Table) -> Option<Op> {
    let (old, new) = (from.number(0).unwrap_or(1), to.number(0).unwrap_or(1));
    let (old_bytes, new_bytes) = (old * one, new * other);
    if new < old {
        Some(Op::ChangeType)
    } else if old_bytes <= 255 && new_bytes > 255 {
        let short = old_bytes <= 127 || Traits::of(table).redundant;
        Some(if short { Op::ExtendShortText } else { Op::ChangeType })
    } else if new > old {
        Some(Op::ExtendText)
    } else {
        None
    }
}

/// Labels added to the end of an `ENUM` or `SET`.
fn labels(from: &DataType, to: &DataType) -> Option<Op> {
    if from.name != to.name || !matches!(from.name.as_str(), "enum" | "set") {
        return None;
    }
    let size = |labels: usize| match (from.name.as_str(), labels) {
        ("enum", ..=255) | ("set", ..=8) => 1,
        ("enum", _) | ("set", ..=16) => 2,
        ("set", ..=24) => 3,
        ("set", ..=32) => 4,
        _ => 8,
    };
    let (old, new) = (&from.arguments, &to.arguments);
    if old == new {
        None
    } else if new.starts_with(old) && size(old.len()) == size(new.len()) {
        Some(Op::AppendLabel)
    } else {
        Some(Op::ChangeType)
    }
}

/// Whether two types are the same, whatever width integers are shown with.
fn is_same(from: &DataType, to: &DataType) -> bool {
    let integer = matches!(from.name.as_str(), "tinyint" | "smallint" | "mediumint" | "int" | "bigint");
    from.name == to.name && from.unsigned == to.unsigned && (integer || from.arguments == to.arguments)
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type.name.as_str(), "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext")
}

fn is_binary_text(data_type: &DataType) -> bool {
    data_type.name == "varbinary"
}

/// Character set and collation of a column; the table's, and in the end the server's usual ones, where it has none of
/// its own. An empty collation is the usual one of the character set.
fn charset_of(charset: &Option<String>, collation: &Option<String>, table: &Table) -> (String, String) {
    let option = |name: &str| {
        let found = table.options.iter().rev().find(|(option, _)| option == name);
        found.map(|(_, value)| value.to_ascii_lowercase())
    };
    let own = charset.is_some() || collation.is_some();
    let lower = |text: &Option<String>| text.as_ref().map(|text| text.to_ascii_lowercase());
    let (charset, collation) =
        if own { (lower(charset), lower(collation)) } else { (option("charset"), option("collate")) };
    let modern = |name: &str| match name {
        "utf8" => "utf8mb3".to_owned(),
        other => other.to_owned(),
    };
    let collation = collation.unwrap_or_default();
    let of_collation = collation.split('_').next().filter(|name| !name.is_empty());
    let charset = charset.or_else(|| of_collation.map(str::to_owned));
    (modern(&charset.unwrap_or_else(|| "utf8mb4".to_owned())), collation)
}

/// The most bytes that a character takes.
fn bytes(charset: &str) -> i64 {
    match charset {
        "utf8mb4" | "utf16" | "utf16le" | "utf32" | "gb18030" => 4,
        "utf8mb3" | "ujis" | "eucjpms" => 3,
        "ucs2" | "gbk" | "sjis" | "cp932" | "big5" | "euckr" | "gb2312" => 2,
        _ => 1,
    }
}

/// What `CONVERT TO CHARACTER SET` comes to: all its columns together.
pub fn converted(table: Option<&Table>, charset: &str, collation: Option<&str>) -> Vec<Op> {
    let Some(table) = table.filter(|table| table.is_complete()) else { return vec![Op::ChangeType] };
    let mut found = vec![Op::ChangeDefaultCharset];
    for column in table.columns.iter() {
        let Some(data_type) = column.data_type.as_ref().filter(|data_type| is_text(data_type)) else {
            continue;
        };
        let new = ColumnDef {
            data_type: Some(data_type.clone()),
            collation: collation.map(str::to_owned),
            charset: Some(charset.to_owned()),
            nullability: column.nullability,
            ..ColumnDef::bare(column.name.clone())
        };
        found.extend(retyped(data_type, data_type, column, &new, table));
        // A text becomes a larger one where its bytes may no longer fit.
        let widens = bytes(&charset_of(&column.charset, &column.collation, table).0)
            < bytes(&charset_of(&new.charset, &new.collation, table).0);
        if widens && data_type.name.ends_with("text") && data_type.name != "longtext" {
            found.push(Op::ChangeType);
        }
    }
    found
}
