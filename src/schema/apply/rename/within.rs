//! What a table says of its own columns and of itself, when one of them is called otherwise.

use crate::dialect::Dialect;
use crate::name::Name;
use crate::schema::change::*;
use crate::schema::model::*;
use crate::sql::lex::{self, TokenKind};
use std::sync::Arc;

/// Names that were made up of the table's name go with it: of foreign keys and checks on MySQL and MariaDB, of the
/// indexes of keys on SQLite, and those that we ourselves give to what has none there.
pub fn rename_generated_constraints(table: &mut Table, old: &Name) {
    let new = table.name.name.clone();
    match table.dialect {
        Dialect::Postgres => return,
        Dialect::Mysql => {}
        Dialect::Sqlite => return rename_numbered(table, old, &new),
    }
    for constraint in &mut table.constraints {
        for infix in ["_ibfk_", "_chk_"] {
            let number = constraint.name.as_str().strip_prefix(&format!("{old}{infix}")).map(str::to_owned);
            if let Some(number) = number {
                Arc::make_mut(constraint).name = Name::new(format!("{new}{infix}{number}"));
            }
        }
    }
}

fn rename_numbered(table: &mut Table, old: &Name, new: &Name) {
    let renamed = |name: &Name| {
        let number = |prefix: &str, infix: &str| {
            let rest = name.as_str().strip_prefix(&format!("{prefix}{old}{infix}"))?;
            let is_number = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| Name::new(format!("{prefix}{new}{infix}{rest}")))
        };
        number("sqlite_autoindex_", "_").or_else(|| number("", "_fk_")).or_else(|| number("", "_chk_"))
    };
    for constraint in &mut table.constraints {
        if let Some(name) = renamed(&constraint.name) {
            Arc::make_mut(constraint).name = name;
        }
    }
    for index in &mut table.indexes {
        let serves = index.constraint.as_ref().and_then(renamed);
        if let Some(name) = renamed(&index.name) {
            Arc::make_mut(index).name = name;
        }
        if serves.is_some() {
            Arc::make_mut(index).constraint = serves;
        }
    }
}

/// Renames a column in all that its own table says of it.
pub fn rename_in_table(table: &mut Table, from: &Name, to: &Name) {
    let dialect = table.dialect;
    let Some(at) = table.column_at(from) else { return };
    Arc::make_mut(&mut table.columns[at]).name = to.clone();
    for column in &mut table.columns {
        let uses = matches!(&column.generation, Some(Generation::Expression { expr, .. }) if expr.columns.contains(from));
        if uses && let Some(Generation::Expression { expr, .. }) = &mut Arc::make_mut(column).generation {
            rename_in_expr(expr, from, to, dialect);
        }
    }
    for constraint in &mut table.constraints {
        match &mut Arc::make_mut(constraint).kind {
            ConstraintKind::Check(expr) => rename_in_expr(expr, from, to, dialect),
            ConstraintKind::ForeignKey(key) => rename_names(&mut key.columns, from, to, dialect),
            ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => {
                rename_names(&mut key.columns, from, to, dialect);
                rename_names(&mut key.include, from, to, dialect);
                rename_in_elements(&mut key.elements, from, to, dialect);
            }
            ConstraintKind::Exclude(exclusion) => {
                for (element, _) in &mut exclusion.elements {
                    rename_in_elements(std::slice::from_mut(element), from, to, dialect);
                }
            }
            ConstraintKind::NotNull(column) => {
                if same(column, from, dialect) {
                    *column = to.clone();
                }
            }
        }
    }
    for index in &mut table.indexes {
        if index.uses(from) {
            let index = Arc::make_mut(index);
            rename_in_elements(&mut index.elements, from, to, dialect);
            rename_names(&mut index.include, from, to, dialect);
            if let Some(predicate) = &mut index.predicate {
                rename_in_expr(predicate, from, to, dialect);
            }
        }
    }
    if let Some(by) = &mut table.partition_by {
        for expr in &mut by.key {
            rename_in_expr(expr, from, to, dialect);
        }
    }
}

fn rename_in_elements(elements: &mut [IndexElement], from: &Name, to: &Name, dialect: Dialect) {
    for element in elements {
        rename_in_expr(&mut element.expr, from, to, dialect);
        if let Some(column) = element.column.as_mut().filter(|column| same(column, from, dialect)) {
            *column = to.clone();
        }
    }
}

pub fn rename_names(names: &mut [Name], from: &Name, to: &Name, dialect: Dialect) {
    for name in names.iter_mut().filter(|name| same(name, from, dialect)) {
        *name = to.clone();
    }
}

/// Renames a column in an expression: its text is written anew where the name stands.
fn rename_in_expr(expr: &mut Expr, from: &Name, to: &Name, dialect: Dialect) {
    if !expr.columns.iter().any(|column| same(column, from, dialect)) {
        return;
    }
    rename_names(&mut expr.columns, from, to, dialect);
    rename_names(&mut expr.requires_not_null, from, to, dialect);
    let mut text = String::with_capacity(expr.text.len());
    let mut copied = 0;
    for token in lex::tokens(&expr.text, dialect) {
        let written = token.text(&expr.text);
        let is_name = match token.kind {
            TokenKind::Word => same(&Name::unquoted(written, dialect), from, dialect),
            TokenKind::QuotedWord => {
                let inner = written.get(1..written.len().saturating_sub(1)).unwrap_or("");
                same(&Name::new(inner), from, dialect)
            }
            _ => false,
        };
        if is_name {
            text.push_str(&expr.text[copied..token.span.start]);
            text.push_str(&shown(to, dialect));
            copied = token.span.end;
        }
    }
    text.push_str(&expr.text[copied..]);
    expr.text = text;
}

/// A name as one would write it: in quotes only where it needs them.
fn shown(name: &Name, dialect: Dialect) -> String {
    let plain =
        |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_';
    if name.as_str().chars().all(plain) { name.to_string() } else { name.quoted(dialect) }
}
