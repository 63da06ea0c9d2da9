//! Columns of PostgreSQL: type, default, identity, and the constraints written at them.

use super::{sequence, types};
use crate::engine::read::constraint::{self, constraint};
use crate::engine::read::cursor::{Cursor, Read};
use crate::engine::read::expr;
use crate::schema::change::*;
use crate::text::Span;

/// Keywords that end the expression of a `DEFAULT`.
const ENDS_DEFAULT: [&str; 15] = [
    "NOT",
    "NULL",
    "CHECK",
    "UNIQUE",
    "PRIMARY",
    "REFERENCES",
    "CONSTRAINT",
    "COLLATE",
    "GENERATED",
    "DEFERRABLE",
    "INITIALLY",
    "STORAGE",
    "COMPRESSION",
    "ENFORCED",
    "DEFAULT",
];

/// `name type [constraints]`.
pub fn column(cursor: &mut Cursor<'_>) -> Read<ColumnDef> {
    let start = cursor.at();
    let mut column = ColumnDef::bare(cursor.name()?);
    let type_start = cursor.at();
    let (data_type, serial) = types::column_type(cursor)?;
    column.data_type = Some(data_type);
    column.type_span = cursor.span_from(type_start);
    if serial {
        column.generation = Some(Generation::Serial);
    }
    qualities(cursor, &mut column)?;
    column.span = cursor.span_from(start);
    Ok(column)
}

/// What follows the type, in any order.
pub fn qualities(cursor: &mut Cursor<'_>, column: &mut ColumnDef) -> Read<()> {
    while quality(cursor, column)? {}
    Ok(())
}

/// One constraint or property of the column; whether there was one.
fn quality(cursor: &mut Cursor<'_>, column: &mut ColumnDef) -> Read<bool> {
    let start = cursor.at();
    let name = constraint::constraint_name(cursor)?;
    let named = name.is_some();
    let kind = if cursor.eat(&["NOT", "NULL"]) {
        column.nullability = Nullability::NotNull;
        name.as_ref().map(|_| ConstraintKind::NotNull(column.name.clone()))
    } else if cursor.eat(&["NULL"]) {
        column.nullability = Nullability::Null;
        None
    } else if cursor.eat(&["CHECK"]) {
        Some(ConstraintKind::Check(expr::paren_expr(cursor)?))
    } else if cursor.eat(&["PRIMARY", "KEY"]) {
        Some(ConstraintKind::PrimaryKey(own_key(cursor, column)?))
    } else if cursor.eat(&["UNIQUE"]) {
        Some(ConstraintKind::Unique(own_key(cursor, column)?))
    } else if cursor.is(&["REFERENCES"]) {
        Some(ConstraintKind::ForeignKey(constraint::references(cursor, vec![column.name.clone()])?))
    } else if cursor.eat(&["DEFAULT"]) {
        column.default = Some(expr::expr(cursor, &ENDS_DEFAULT)?);
        None
    } else if cursor.eat(&["GENERATED"]) {
        column.generation = Some(generation(cursor)?);
        None
    } else if named {
        return Err(cursor.unexpected("a column constraint"));
    } else {
        return property(cursor, column);
    };
    if let Some(kind) = kind {
        let mut found = constraint(name, kind, Span::default());
        // These words also follow NOT NULL and DEFAULT, where they mean nothing to us.
        while constraint::attribute(cursor, &mut found)? {}
        found.span = cursor.span_from(start);
        column.constraints.push(found);
    } else {
        let mut ignored = constraint(None, ConstraintKind::NotNull(column.name.clone()), Span::default());
        while !cursor.is(&["NOT", "NULL"]) && constraint::attribute(cursor, &mut ignored)? {}
    }
    Ok(true)
}

/// `COLLATE`, `STORAGE`, `COMPRESSION`, `OPTIONS (…)`.
fn property(cursor: &mut Cursor<'_>, column: &mut ColumnDef) -> Read<bool> {
    if cursor.eat(&["COLLATE"]) {
        column.collation = Some(cursor.object_name()?.to_string());
    } else if cursor.eat(&["STORAGE"]) || cursor.eat(&["COMPRESSION"]) {
        cursor.any_name()?;
    } else if cursor.eat(&["OPTIONS"]) {
        cursor.parens()?;
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// The key of a `PRIMARY KEY` or `UNIQUE` written at a column.
fn own_key(cursor: &mut Cursor<'_>, column: &ColumnDef) -> Read<KeyConstraint> {
    let mut key = KeyConstraint { columns: vec![column.name.clone()], ..KeyConstraint::default() };
    constraint::key_options(cursor, &mut key)?;
    Ok(key)
}

/// What follows `GENERATED`.
pub fn generation(cursor: &mut Cursor<'_>) -> Read<Generation> {
    let always = cursor.eat(&["ALWAYS"]);
    if !always {
        cursor.expect(&["BY", "DEFAULT"])?;
    }
    cursor.expect(&["AS"])?;
    if cursor.eat(&["IDENTITY"]) {
        return Ok(Generation::Identity(Identity { always, options: sequence::options_in_parens(cursor)? }));
    }
    let expr = expr::paren_expr(cursor)?;
    // Before PostgreSQL 18 STORED must be said; since then VIRTUAL is what nothing means.
    let stored = cursor.eat_any(&["STORED", "VIRTUAL"]) == Some("STORED");
    Ok(Generation::Expression { expr, stored })
}
