//! Constraints and the keys of indexes, in the grammar that the three dialects share.

use super::cursor::{Cursor, Read};
use super::{expr, query};
use crate::dialect::Dialect;
use crate::name::{Name, TableName};
use crate::schema::change::*;
use crate::text::Span;

/// A constraint of this kind, with nothing said around it.
pub fn constraint(name: Option<Name>, kind: ConstraintKind, span: Span) -> Constraint {
    Constraint {
        name,
        kind,
        not_valid: false,
        not_enforced: false,
        deferrable: false,
        initially_deferred: false,
        no_inherit: false,
        span,
    }
}

/// Whether a table constraint (not a column) comes next.
pub fn starts_table_constraint(cursor: &Cursor<'_>) -> bool {
    cursor.is_any(&["CONSTRAINT", "CHECK", "UNIQUE", "EXCLUDE"]) && !is_column_name(cursor)
        || cursor.is(&["PRIMARY", "KEY"])
        || cursor.is(&["FOREIGN", "KEY"])
        || cursor.is(&["NOT", "NULL"])
}

/// `exclude` is not reserved: `exclude boolean` is a column.
fn is_column_name(cursor: &Cursor<'_>) -> bool {
    cursor.is(&["EXCLUDE"])
        && !cursor.punct_at(cursor.at() + 1, b'(')
        && !cursor.word_at(cursor.at() + 1, "USING")
}

/// `[CONSTRAINT name] CHECK | UNIQUE | PRIMARY KEY | FOREIGN KEY | EXCLUDE | NOT NULL …` of a table.
pub fn table_constraint(cursor: &mut Cursor<'_>) -> Read<Constraint> {
    let start = cursor.at();
    let name = constraint_name(cursor)?;
    let kind = if cursor.eat(&["CHECK"]) {
        ConstraintKind::Check(expr::paren_expr(cursor)?)
    } else if cursor.eat(&["PRIMARY", "KEY"]) {
        ConstraintKind::PrimaryKey(key(cursor)?)
    } else if cursor.eat(&["UNIQUE"]) {
        ConstraintKind::Unique(key(cursor)?)
    } else if cursor.eat(&["FOREIGN", "KEY"]) {
        ConstraintKind::ForeignKey(foreign_key(cursor)?)
    } else if cursor.eat(&["EXCLUDE"]) {
        ConstraintKind::Exclude(exclusion(cursor)?)
    } else if cursor.eat(&["NOT", "NULL"]) {
        ConstraintKind::NotNull(cursor.name()?)
    } else {
        return Err(cursor.unexpected("a constraint"));
    };
    let mut found = constraint(name, kind, Span::default());
    while attribute(cursor, &mut found)? {}
    found.span = cursor.span_from(start);
    Ok(found)
}

/// `CONSTRAINT name`, if it comes next. MySQL lets the name be left out.
pub fn constraint_name(cursor: &mut Cursor<'_>) -> Read<Option<Name>> {
    if !cursor.eat(&["CONSTRAINT"]) {
        return Ok(None);
    }
    let nameless = cursor.dialect() == Dialect::Mysql
        && cursor.is_any(&["CHECK", "UNIQUE", "PRIMARY", "FOREIGN"])
        && !cursor.punct_at(cursor.at() + 1, b'.');
    if nameless {
        return Ok(None);
    }
    // MySQL lets a database stand in front of the name.
    let name = cursor.name()?;
    if cursor.dialect() == Dialect::Mysql && cursor.eat_punct(b'.') {
        cursor.name().map(Some)
    } else {
        Ok(Some(name))
    }
}

/// A word or two behind a constraint (`NOT VALID`, `DEFERRABLE`, `NO INHERIT`, …); whether there was one.
pub fn attribute(cursor: &mut Cursor<'_>, of: &mut Constraint) -> Read<bool> {
    if cursor.eat(&["NOT", "VALID"]) {
        of.not_valid = true;
    } else if cursor.eat(&["NOT", "ENFORCED"]) {
        of.not_enforced = true;
    } else if cursor.eat(&["NOT", "DEFERRABLE"]) {
        of.deferrable = false;
    } else if cursor.eat(&["DEFERRABLE"]) {
        of.deferrable = true;
    } else if cursor.eat(&["INITIALLY"]) {
        match cursor.eat_any(&["DEFERRED", "IMMEDIATE"]) {
            Some("DEFERRED") => (of.deferrable, of.initially_deferred) = (true, true),
            Some(_) => of.initially_deferred = false,
            None => return Err(cursor.unexpected("`DEFERRED` or `IMMEDIATE`")),
        }
    } else if cursor.eat(&["NO", "INHERIT"]) {
        of.no_inherit = true;
    } else if cursor.eat(&["ON", "CONFLICT"]) {
        // SQLite: what a violation does to the statement.
        if cursor.eat_any(&["ROLLBACK", "ABORT", "FAIL", "IGNORE", "REPLACE"]).is_none() {
            return Err(cursor.unexpected("`ROLLBACK`, `ABORT`, `FAIL`, `IGNORE` or `REPLACE`"));
        }
    } else {
        return Ok(cursor.eat(&["ENFORCED"]));
    }
    Ok(true)
}

/// What follows `PRIMARY KEY` or `UNIQUE` of a table: `[KEY] [name] (columns) INCLUDE (…) …`, or `USING INDEX name`.
fn key(cursor: &mut Cursor<'_>) -> Read<KeyConstraint> {
    let mut found = KeyConstraint::default();
    key_options(cursor, &mut found)?;
    if cursor.eat(&["USING", "INDEX"]) {
        found.using_index = Some(cursor.name()?);
        return Ok(found);
    }
    if cursor.dialect() == Dialect::Mysql {
        let _ = cursor.eat(&["INDEX"]) || cursor.eat(&["KEY"]);
        if !cursor.is_punct(b'(') && !cursor.is(&["USING"]) {
            found.index_name = Some(cursor.name()?);
        }
        index_type(cursor)?;
    }
    found.elements = cursor.in_parens(|cursor| {
        let element = index_element(cursor)?;
        if cursor.eat(&["WITHOUT", "OVERLAPS"]) {
            found.without_overlaps = true;
        }
        if cursor.eat(&["AUTOINCREMENT"]) {
            found.autoincrement = true;
        }
        Ok(element)
    })?;
    found.columns = found.elements.iter().filter_map(|element| element.column.clone()).collect();
    key_options(cursor, &mut found)?;
    Ok(found)
}

/// `USING BTREE` (MySQL).
fn index_type(cursor: &mut Cursor<'_>) -> Read<Option<String>> {
    if cursor.eat(&["USING"]) {
        return cursor.any_name().map(|method| Some(method.as_str().to_lowercase()));
    }
    Ok(None)
}

/// What may stand around the columns of a key: `NULLS NOT DISTINCT`, `INCLUDE`, `WITH (…)`, `USING INDEX TABLESPACE`;
/// MySQL's index options.
pub fn key_options(cursor: &mut Cursor<'_>, of: &mut KeyConstraint) -> Read<()> {
    loop {
        if cursor.eat(&["NULLS", "NOT", "DISTINCT"]) {
            of.nulls_not_distinct = true;
        } else if cursor.eat(&["NULLS", "DISTINCT"]) {
        } else if cursor.eat(&["INCLUDE"]) {
            of.include = cursor.names_in_parens()?;
        } else if cursor.is(&["WITH"]) && cursor.punct_at(cursor.at() + 1, b'(') {
            cursor.bump();
            cursor.parens()?;
        } else if cursor.eat(&["USING", "INDEX", "TABLESPACE"]) {
            cursor.name()?;
        } else if cursor.dialect() == Dialect::Mysql && mysql_index_option(cursor)?.is_some() {
        } else {
            return Ok(());
        }
    }
}

/// An option of a MySQL index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexOption {
    /// `USING method`.
    Method(String),
    /// `INVISIBLE`, `IGNORED`.
    Invisible,
    /// Any other.
    Other,
}

/// `KEY_BLOCK_SIZE`, `USING`, `WITH PARSER`, `COMMENT`, `VISIBLE`, …: one of them, if it comes next.
pub fn mysql_index_option(cursor: &mut Cursor<'_>) -> Read<Option<IndexOption>> {
    if let Some(method) = index_type(cursor)? {
        return Ok(Some(IndexOption::Method(method)));
    }
    if cursor.eat_any(&["INVISIBLE", "IGNORED"]).is_some() {
        return Ok(Some(IndexOption::Invisible));
    }
    if cursor.eat(&["NOT", "IGNORED"]) || cursor.eat(&["VISIBLE"]) {
        return Ok(Some(IndexOption::Other));
    }
    if cursor.eat(&["COMMENT"]) {
        cursor.string()?;
    } else if cursor.eat(&["WITH", "PARSER"]) {
        cursor.name()?;
    } else if cursor
        .eat_any(&["KEY_BLOCK_SIZE", "ENGINE_ATTRIBUTE", "SECONDARY_ENGINE_ATTRIBUTE", "CLUSTERING"])
        .is_some()
    {
        cursor.eat_op("=");
        cursor.bump();
    } else {
        return Ok(None);
    }
    Ok(Some(IndexOption::Other))
}

/// `[index name] (columns) REFERENCES …`.
fn foreign_key(cursor: &mut Cursor<'_>) -> Read<ForeignKey> {
    let mut index_name = None;
    if cursor.dialect() == Dialect::Mysql {
        // MariaDB takes IF NOT EXISTS here.
        cursor.eat(&["IF", "NOT", "EXISTS"]);
        if !cursor.is_punct(b'(') {
            index_name = Some(cursor.name()?);
        }
    }
    let columns = cursor.in_parens(|cursor| {
        if cursor.is(&["PERIOD"]) && cursor.name_at(cursor.at() + 1) {
            cursor.bump();
        }
        cursor.name()
    })?;
    let mut found = references(cursor, columns)?;
    found.index_name = index_name;
    Ok(found)
}

/// `REFERENCES table [(columns)] [MATCH …] [ON DELETE …] [ON UPDATE …]`, which must come next.
pub fn references(cursor: &mut Cursor<'_>, columns: Vec<Name>) -> Read<ForeignKey> {
    cursor.expect(&["REFERENCES"])?;
    let references: TableName = cursor.object_name()?;
    let mut found = ForeignKey {
        columns,
        references,
        referenced_columns: Vec::new(),
        on_delete: ForeignKeyAction::NoAction,
        on_update: ForeignKeyAction::NoAction,
        match_full: false,
        index_name: None,
    };
    if cursor.is_punct(b'(') {
        found.referenced_columns = cursor.in_parens(|cursor| {
            if cursor.is(&["PERIOD"]) && cursor.name_at(cursor.at() + 1) {
                cursor.bump();
            }
            cursor.name()
        })?;
    }
    loop {
        if cursor.eat(&["MATCH"]) {
            match cursor.eat_any(&["FULL", "PARTIAL", "SIMPLE"]) {
                Some(kind) => found.match_full = kind == "FULL",
                None if cursor.dialect() == Dialect::Sqlite => {
                    cursor.name()?;
                }
                None => return Err(cursor.unexpected("`FULL`, `PARTIAL` or `SIMPLE`")),
            }
        } else if cursor.eat(&["ON", "DELETE"]) {
            found.on_delete = action(cursor)?;
        } else if cursor.eat(&["ON", "UPDATE"]) {
            found.on_update = action(cursor)?;
        } else {
            return Ok(found);
        }
    }
}

fn action(cursor: &mut Cursor<'_>) -> Read<ForeignKeyAction> {
    let found = if cursor.eat(&["NO", "ACTION"]) {
        ForeignKeyAction::NoAction
    } else if cursor.eat(&["RESTRICT"]) {
        ForeignKeyAction::Restrict
    } else if cursor.eat(&["CASCADE"]) {
        ForeignKeyAction::Cascade
    } else if cursor.eat(&["SET", "NULL"]) {
        ForeignKeyAction::SetNull
    } else if cursor.eat(&["SET", "DEFAULT"]) {
        ForeignKeyAction::SetDefault
    } else {
        return Err(cursor.unexpected("`NO ACTION`, `RESTRICT`, `CASCADE`, `SET NULL` or `SET DEFAULT`"));
    };
    // PostgreSQL: `SET NULL (columns)`.
    if cursor.is_punct(b'(') {
        cursor.names_in_parens()?;
    }
    Ok(found)
}

/// `[USING method] ( element WITH operator, … ) [INCLUDE …] [WITH …] [WHERE ( … )]`.
fn exclusion(cursor: &mut Cursor<'_>) -> Read<Exclusion> {
    let method = index_type(cursor)?;
    let elements = cursor.in_parens(|cursor| {
        let element = index_element(cursor)?;
        cursor.expect(&["WITH"])?;
        let start = cursor.at();
        let stop = cursor.find(|cursor, at| cursor.punct_at(at, b',') || cursor.punct_at(at, b')'));
        if stop == start {
            return Err(cursor.unexpected("an operator"));
        }
        cursor.set(stop);
        Ok((element, cursor.span_from(start).of(cursor.text()).to_owned()))
    })?;
    let mut options = KeyConstraint::default();
    key_options(cursor, &mut options)?;
    let predicate = if cursor.eat(&["WHERE"]) { Some(expr::paren_expr(cursor)?) } else { None };
    Ok(Exclusion { method, elements, predicate })
}

/// One element of the key of an index: a column or an expression, with collation, operator class and order.
pub fn index_element(cursor: &mut Cursor<'_>) -> Read<IndexElement> {
    let start = cursor.at();
    let mut prefix = None;
    let mut column = None;
    let expr = if cursor.is_punct(b'(') && cursor.dialect() != Dialect::Sqlite {
        expr::paren_expr(cursor)?
    } else if cursor.name_at(start) && ends_element(cursor, start + 1) {
        column = Some(cursor.name()?);
        expr::describe(cursor, start, start + 1)
    } else if cursor.dialect() == Dialect::Mysql && cursor.name_at(start) && cursor.punct_at(start + 1, b'(')
    {
        column = Some(cursor.name()?);
        cursor.expect_punct(b'(')?;
        prefix = u32::try_from(cursor.integer()?).ok();
        cursor.expect_punct(b')')?;
        // It only looks like a call.
        let mut expr = expr::describe(cursor, start, start + 1);
        expr.calls.clear();
        expr.columns.extend(column.clone());
        expr.volatility = Volatility::Immutable;
        expr
    } else if cursor.dialect() == Dialect::Postgres
        && cursor.punct_at(start + 1, b'.') | cursor.punct_at(start + 1, b'(')
    {
        // A function call needs no parentheses around it, another expression does.
        let close = cursor.find(|cursor, at| cursor.punct_at(at, b'('));
        cursor.set(close.min(cursor.end()));
        cursor.parens()?;
        expr::describe(cursor, start, cursor.at())
    } else if cursor.is_string() && cursor.dialect() == Dialect::Sqlite {
        // SQLite takes a string for the name of a column.
        column = Some(cursor.name()?);
        expr::describe(cursor, start, start + 1)
    } else {
        expr::expr(cursor, &["COLLATE", "ASC", "DESC", "NULLS", "AUTOINCREMENT"])?
    };
    let label = column.clone().or_else(|| query::figured_name(cursor, start, cursor.at()));
    let mut element = IndexElement {
        label: label.unwrap_or_else(|| Name::new("expr")),
        column,
        expr,
        collation: None,
        opclass: None,
        descending: false,
        nulls_first: None,
        prefix,
    };
    order(cursor, &mut element)?;
    Ok(element)
}

/// Whether a plain column ends before `at`.
fn ends_element(cursor: &Cursor<'_>, at: usize) -> bool {
    let word = |word: &str| cursor.word_at(at, word);
    cursor.token(at).is_none()
        || cursor.punct_at(at, b',')
        || cursor.punct_at(at, b')')
        || ["COLLATE", "ASC", "DESC", "NULLS", "WITH", "WITHOUT", "AUTOINCREMENT"].into_iter().any(word)
        // An operator class.
        || (cursor.dialect() == Dialect::Postgres && cursor.name_at(at))
}

/// `COLLATE`, operator class, `ASC`, `DESC`, `NULLS FIRST` behind an element.
fn order(cursor: &mut Cursor<'_>, element: &mut IndexElement) -> Read<()> {
    if cursor.eat(&["COLLATE"]) {
        element.collation = Some(cursor.object_name()?.to_string());
    }
    let opclass = cursor.dialect() == Dialect::Postgres
        && cursor.name_at(cursor.at())
        && !cursor.is(&["NULLS"])
        && !cursor.is(&["WITHOUT"]);
    if opclass {
        element.opclass = Some(cursor.object_name()?);
        if cursor.is_punct(b'(') {
            cursor.parens()?;
        }
    }
    element.descending = cursor.eat_any(&["ASC", "DESC"]) == Some("DESC");
    if cursor.eat(&["NULLS"]) {
        element.nulls_first = match cursor.eat_any(&["FIRST", "LAST"]) {
            Some(end) => Some(end == "FIRST"),
            None => return Err(cursor.unexpected("`FIRST` or `LAST`")),
        };
    }
    Ok(())
}
