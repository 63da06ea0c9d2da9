//! The constants of schemas: labels of enums, what checks compare a column with, and defaults.

use crate::analysis::Analysis;
use crate::dialect::Dialect;
use crate::engine::own_labels;
use crate::engine::query::constants::Constants;
use crate::engine::read::literal::string;
use crate::name::Name;
use crate::schema::change::{ConstraintKind, Expr};
use crate::schema::model::{Schema, Table, UserType, UserTypeKind};
use crate::sql::lex::{TokenKind, significant};

/// The constants of every schema that `analysis` goes through: a query can be written for any of them.
pub fn of_history(analysis: &Analysis, dialect: Dialect) -> Constants {
    let mut constants = Constants::default();
    let mut before = Schema::new(dialect);
    for step in &analysis.steps {
        add(&mut constants, &step.after, &before);
        before = step.after.clone();
    }
    constants
}

/// Adds to `constants` those of `schema` that `before` does not have.
pub fn add(constants: &mut Constants, schema: &Schema, before: &Schema) {
    for (_, _, user_type) in before.types.differences(&schema.types) {
        if let Some(user_type) = user_type {
            of_type(constants, user_type, schema);
        }
    }
    for (_, _, table) in before.tables.differences(&schema.tables) {
        if let Some(table) = table {
            of_table(constants, table, schema);
        }
    }
}

fn of_type(constants: &mut Constants, user_type: &UserType, schema: &Schema) {
    let UserTypeKind::Enum(labels) = &user_type.kind else { return };
    for label in labels {
        constants.add_label(&user_type.name.name, &label.value);
        for (_, column) in schema.columns_of_type(&user_type.name) {
            constants.add(&column.name, &label.value);
        }
    }
}

fn of_table(constants: &mut Constants, table: &Table, schema: &Schema) {
    for column in &table.columns {
        if let Some(data_type) = &column.data_type {
            for label in own_labels(data_type, schema.dialect).into_iter().flatten() {
                constants.add(&column.name, label);
            }
            if let Some(UserTypeKind::Enum(labels)) =
                schema.user_type(&data_type.object_name()).map(|one| &one.kind)
            {
                for label in labels {
                    constants.add(&column.name, &label.value);
                }
            }
        }
        if let Some(default) = &column.default {
            of_expression(constants, default, std::slice::from_ref(&column.name), schema.dialect);
        }
    }
    for constraint in &table.constraints {
        if let ConstraintKind::Check(check) = &constraint.kind {
            of_expression(constants, check, &check.columns, schema.dialect);
        }
    }
}

/// The literals of `expr`, for each of `columns`.
fn of_expression(constants: &mut Constants, expr: &Expr, columns: &[Name], dialect: Dialect) {
    for token in significant(&expr.text, dialect) {
        let text = token.text(&expr.text);
        let value = match token.kind {
            TokenKind::String => string(text, dialect),
            TokenKind::Number => text.to_owned(),
            _ => continue,
        };
        for column in columns {
            constants.add(column, &value);
        }
    }
}
