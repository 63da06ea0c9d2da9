//! Columns of MySQL and MariaDB and their types
//! (<https://dev.mysql.com/doc/refman/8.4/en/data-types.html>).

use crate::engine::read::constraint::{self, constraint};
use crate::engine::read::cursor::{Cursor, Read};
use crate::engine::read::expr;
use crate::schema::change::*;
use crate::text::Span;

/// Keywords that end the expression of a `DEFAULT`.
const ENDS_DEFAULT: [&str; 22] = [
    "NOT",
    "NULL",
    "DEFAULT",
    "AUTO_INCREMENT",
    "PRIMARY",
    "KEY",
    "UNIQUE",
    "COMMENT",
    "COLLATE",
    "CHARACTER",
    "CHARSET",
    "ON",
    "GENERATED",
    "AS",
    "CHECK",
    "REFERENCES",
    "INVISIBLE",
    "VISIBLE",
    "FIRST",
    "AFTER",
    "CONSTRAINT",
    "STORAGE",
];

/// `name type [qualities]`.
pub fn column(cursor: &mut Cursor<'_>) -> Read<ColumnDef> {
    let start = cursor.at();
    let name = cursor.name()?;
    let type_start = cursor.at();
    let serial = cursor.is(&["SERIAL"]);
    let data_type = data_type(cursor)?;
    let mut column = ColumnDef {
        name,
        data_type: Some(data_type),
        type_span: cursor.span_from(type_start),
        collation: None,
        charset: None,
        nullability: if serial { Nullability::NotNull } else { Nullability::Unstated },
        default: None,
        generation: serial.then_some(Generation::AutoIncrement),
        on_update: None,
        constraints: Vec::new(),
        comment: None,
        invisible: false,
        span: Span::default(),
    };
    if serial {
        let key = KeyConstraint { columns: vec![column.name.clone()], ..KeyConstraint::default() };
        column.constraints.push(constraint(None, ConstraintKind::Unique(key), column.type_span));
    }
    while quality(cursor, &mut column)? {}
    column.span = cursor.span_from(start);
    Ok(column)
}

/// A type, as `COLUMN_TYPE` shows it but for the display width of integers.
pub fn data_type(cursor: &mut Cursor<'_>) -> Read<DataType> {
    let word = cursor.word(cursor.at()).to_ascii_lowercase();
    if word.is_empty()
        || cursor.is_punct(b',')
        || cursor.is_punct(b')')
        || cursor.is_any(&["NOT", "NULL", "DEFAULT"])
    {
        return Err(cursor.unexpected("a data type"));
    }
    cursor.bump();
    let name = match word.as_str() {
        "integer" | "int4" => "int",
        "int1" => "tinyint",
        "int2" => "smallint",
        "int3" | "middleint" => "mediumint",
        "int8" => "bigint",
        "dec" | "numeric" | "fixed" => "decimal",
        "bool" | "boolean" => {
            return Ok(DataType { arguments: vec!["1".to_owned()], ..DataType::plain("tinyint") });
        }
        "serial" => return Ok(DataType { unsigned: true, ..DataType::plain("bigint") }),
        "double" => {
            cursor.eat(&["PRECISION"]);
            "double"
        }
        "float8" | "real" => "double",
        "float4" => "float",
        "character" | "char" | "nchar" if cursor.eat(&["VARYING"]) => "varchar",
        "character" | "nchar" => "char",
        "nvarchar" | "varcharacter" => "varchar",
        "national" => {
            let varying = cursor.eat_any(&["CHAR", "CHARACTER", "VARCHAR"]) == Some("VARCHAR");
            if varying || cursor.eat(&["VARYING"]) { "varchar" } else { "char" }
        }
        "long" => {
            cursor.eat_any(&["VARCHAR", "VARBINARY"]);
            "mediumtext"
        }
        other => other,
    };
    let mut found = DataType::plain(name.trim_matches('`'));
    if cursor.is_punct(b'(') {
        found.arguments = cursor.in_parens(|cursor| {
            if cursor.is_string() {
                return cursor.string();
            }
            cursor.integer().map(|number| number.to_string())
        })?;
    }
    while let Some(word) =
        cursor.eat_any(&["UNSIGNED", "SIGNED", "ZEROFILL", "BINARY", "ASCII", "UNICODE", "BYTE"])
    {
        // ZEROFILL makes a column unsigned.
        found.unsigned |= matches!(word, "UNSIGNED" | "ZEROFILL");
    }
    Ok(found)
}

fn quality(cursor: &mut Cursor<'_>, column: &mut ColumnDef) -> Read<bool> {
    let start = cursor.at();
    let name = constraint::constraint_name(cursor)?;
    let key = KeyConstraint { columns: vec![column.name.clone()], ..KeyConstraint::default() };
    let kind = if cursor.eat(&["PRIMARY", "KEY"]) || cursor.eat(&["KEY"]) || cursor.eat(&["PRIMARY"]) {
        ConstraintKind::PrimaryKey(key)
    } else if cursor.eat(&["UNIQUE"]) {
        cursor.eat(&["KEY"]);
        ConstraintKind::Unique(key)
    } else if cursor.eat(&["CHECK"]) {
        ConstraintKind::Check(expr::paren_expr(cursor)?)
    } else if cursor.is(&["REFERENCES"]) {
        ConstraintKind::ForeignKey(constraint::references(cursor, vec![column.name.clone()])?)
    } else {
        return property(cursor, column);
    };
    let mut found = constraint(name, kind, Span::default());
    while cursor.is_any(&["NOT", "ENFORCED"])
        && !cursor.is(&["NOT", "NULL"])
        && constraint::attribute(cursor, &mut found)?
    {}
    found.span = cursor.span_from(start);
    column.constraints.push(found);
    Ok(true)
}

fn property(cursor: &mut Cursor<'_>, column: &mut ColumnDef) -> Read<bool> {
    if cursor.eat(&["NOT", "NULL"]) {
        column.nullability = Nullability::NotNull;
    } else if cursor.eat(&["NULL"]) {
        column.nullability = Nullability::Null;
    } else if cursor.eat(&["DEFAULT"]) {
        column.default = Some(expr::expr(cursor, &ENDS_DEFAULT)?);
    } else if cursor.eat(&["ON", "UPDATE"]) {
        column.on_update = Some(expr::expr(cursor, &ENDS_DEFAULT)?);
    } else if cursor.eat(&["AUTO_INCREMENT"]) {
        column.generation = Some(Generation::AutoIncrement);
    } else if cursor.eat(&["COMMENT"]) {
        column.comment = Some(cursor.string()?);
    } else if cursor.eat(&["COLLATE"]) {
        column.collation = Some(charset(cursor)?);
    } else if cursor.eat(&["CHARACTER", "SET"]) || cursor.eat(&["CHARSET"]) {
        column.charset = Some(charset(cursor)?);
    } else if cursor.eat(&["GENERATED", "ALWAYS", "AS"]) || cursor.eat(&["AS"]) {
        let expr = expr::paren_expr(cursor)?;
        let stored =
            matches!(cursor.eat_any(&["STORED", "VIRTUAL", "PERSISTENT"]), Some("STORED" | "PERSISTENT"));
        column.generation = Some(Generation::Expression { expr, stored });
    } else if cursor.eat(&["INVISIBLE"]) {
        column.invisible = true;
    } else if cursor.eat_any(&["COLUMN_FORMAT", "STORAGE", "SRID"]).is_some() {
        cursor.bump();
    } else {
        return Ok(cursor.eat_any(&["VISIBLE", "BINARY", "COMPRESSED"]).is_some());
    }
    Ok(true)
}

/// The name of a character set or collation, which may stand in quotes.
pub fn charset(cursor: &mut Cursor<'_>) -> Read<String> {
    cursor.eat_op("=");
    if cursor.is_string() { cursor.string() } else { cursor.any_name().map(|name| name.to_string()) }
}
