//! `CREATE TABLE` and its columns, in SQLite's loose grammar (<https://sqlite.org/lang_createtable.html>).

use crate::engine::read::constraint::{self, constraint};
use crate::engine::read::cursor::{Cursor, Read};
use crate::engine::read::{expr, query};
use crate::schema::change::*;
use crate::sql::lex::TokenKind;
use crate::text::Span;

/// Keywords that follow a column's type or default.
const QUALITIES: [&str; 12] = [
    "CONSTRAINT",
    "PRIMARY",
    "NOT",
    "NULL",
    "UNIQUE",
    "CHECK",
    "DEFAULT",
    "COLLATE",
    "REFERENCES",
    "GENERATED",
    "AS",
    "ON",
];

pub(super) fn create_table(cursor: &mut Cursor<'_>, temporary: bool) -> Read<ChangeKind> {
    let mut create =
        CreateTable { if_not_exists: cursor.eat(&["IF", "NOT", "EXISTS"]), ..CreateTable::default() };
    create.table = cursor.object_name()?;
    if temporary {
        create.persistence = Persistence::Temporary;
    }
    if cursor.eat(&["AS"]) {
        let (from, to) = (cursor.at(), cursor.end());
        create.as_query = Some(query::describe(cursor, from, to));
        cursor.set(to);
        return Ok(ChangeKind::CreateTable(Box::new(create)));
    }
    cursor.expect_punct(b'(')?;
    loop {
        if constraint::starts_table_constraint(cursor) {
            create.constraints.push(constraint::table_constraint(cursor)?);
            // The comma between table constraints may be left out.
            if constraint::starts_table_constraint(cursor) {
                continue;
            }
        } else {
            create.columns.push(column(cursor)?);
        }
        if !cursor.eat_punct(b',') {
            break;
        }
    }
    cursor.expect_punct(b')')?;
    let (mut strict, mut without) = (false, false);
    while !cursor.is_done() {
        if cursor.eat(&["STRICT"]) {
            strict = true;
        } else {
            cursor.expect(&["WITHOUT", "ROWID"])?;
            without = true;
        }
        if !cursor.eat_punct(b',') {
            break;
        }
    }
    create.form = match (strict, without) {
        (true, true) => TableForm::StrictWithoutRowid,
        (true, false) => TableForm::Strict,
        (false, true) => TableForm::WithoutRowid,
        (false, false) => TableForm::Plain,
    };
    Ok(ChangeKind::CreateTable(Box::new(create)))
}

pub(super) fn column(cursor: &mut Cursor<'_>) -> Read<ColumnDef> {
    let start = cursor.at();
    let name = cursor.name()?;
    let type_start = cursor.at();
    let data_type = data_type(cursor)?;
    let mut column =
        ColumnDef { data_type, type_span: cursor.span_from(type_start), ..ColumnDef::bare(name) };
    while quality(cursor, &mut column)? {}
    column.span = cursor.span_from(start);
    Ok(column)
}

/// Any words, and up to two numbers in parentheses; often nothing.
pub(super) fn data_type(cursor: &mut Cursor<'_>) -> Read<Option<DataType>> {
    let mut words = Vec::new();
    while let Some(token) = cursor.peek() {
        let is_name = matches!(token.kind, TokenKind::Word | TokenKind::QuotedWord | TokenKind::String);
        if !is_name || cursor.is_any(&QUALITIES) {
            break;
        }
        words.push(token.text(cursor.text()).to_owned());
        cursor.bump();
    }
    if words.is_empty() {
        return Ok(None);
    }
    let mut found = DataType::plain(&words.join(" "));
    if cursor.is_punct(b'(') {
        let (from, to) = cursor.parens()?;
        let arguments = cursor.span_between(from, to).of(cursor.text());
        found.arguments = arguments.split(',').map(|argument| argument.trim().to_owned()).collect();
    }
    Ok(Some(found))
}

/// One constraint or property of a column; whether there was one.
fn quality(cursor: &mut Cursor<'_>, column: &mut ColumnDef) -> Read<bool> {
    let start = cursor.at();
    let name = constraint::constraint_name(cursor)?;
    let mut key = KeyConstraint { columns: vec![column.name.clone()], ..KeyConstraint::default() };
    let kind = if cursor.eat(&["PRIMARY", "KEY"]) {
        cursor.eat_any(&["ASC", "DESC"]);
        let mut ignored = constraint(None, ConstraintKind::NotNull(column.name.clone()), Span::default());
        constraint::attribute(cursor, &mut ignored)?;
        if cursor.eat(&["AUTOINCREMENT"]) {
            key.autoincrement = true;
            column.generation = Some(Generation::AutoIncrement);
        }
        Some(ConstraintKind::PrimaryKey(key))
    } else if cursor.eat(&["UNIQUE"]) {
        Some(ConstraintKind::Unique(key))
    } else if cursor.eat(&["CHECK"]) {
        Some(ConstraintKind::Check(expr::paren_expr(cursor)?))
    } else if cursor.is(&["REFERENCES"]) {
        Some(ConstraintKind::ForeignKey(constraint::references(cursor, vec![column.name.clone()])?))
    } else if cursor.eat(&["NOT", "NULL"]) {
        column.nullability = Nullability::NotNull;
        None
    } else if cursor.eat(&["NULL"]) {
        column.nullability = Nullability::Null;
        None
    } else if cursor.eat(&["DEFAULT"]) {
        column.default = Some(expr::expr(cursor, &QUALITIES)?);
        None
    } else if cursor.eat(&["COLLATE"]) {
        column.collation = Some(cursor.name()?.to_string());
        None
    } else if cursor.eat(&["GENERATED", "ALWAYS", "AS"]) || cursor.eat(&["AS"]) {
        let expr = expr::paren_expr(cursor)?;
        let stored = cursor.eat_any(&["STORED", "VIRTUAL"]) == Some("STORED");
        column.generation = Some(Generation::Expression { expr, stored });
        None
    } else {
        // A name without a constraint is let stand.
        return Ok(name.is_some());
    };
    let blank = ConstraintKind::NotNull(column.name.clone());
    let is_constraint = kind.is_some();
    let mut found = constraint(name, kind.unwrap_or(blank), Span::default());
    while !cursor.is(&["NOT", "NULL"]) && constraint::attribute(cursor, &mut found)? {}
    found.span = cursor.span_from(start);
    if is_constraint {
        column.constraints.push(found);
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use crate::engine::sqlite::lower::lower;
    use crate::schema::change::{ChangeKind, Nullability, TableForm};

    #[test]
    fn tables_in_sqlites_loose_grammar() {
        let sql = "CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY AUTOINCREMENT, a varchar(10) NOT NULL ON CONFLICT FAIL \
                   DEFAULT 'x' COLLATE NOCASE, b, c DATETIME DEFAULT (datetime('now')), d GENERATED ALWAYS AS (a || b) STORED, \
                   e INT REFERENCES o(id) ON DELETE CASCADE NOT NULL, UNIQUE (a, b) CHECK (e > 0)) STRICT, WITHOUT ROWID";
        let changes = lower(sql);
        let ChangeKind::CreateTable(create) = &changes[0].kind else { panic!("{changes:?}") };
        assert_eq!(create.columns.len(), 6);
        assert_eq!(create.constraints.len(), 2);
        assert_eq!(create.form, TableForm::StrictWithoutRowid);
        assert_eq!(create.columns[1].data_type.as_ref().unwrap().to_string(), "varchar(10)");
        assert_eq!(create.columns[5].nullability, Nullability::NotNull);
        assert!(create.columns[2].data_type.is_none());
    }
}
