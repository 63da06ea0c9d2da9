//! What is known of the values that a query writes.

use super::judge::View;
use crate::engine::query::tree::Value;
use crate::evidence::uses::InsertUse;
use crate::name::{Name, TableName};
use crate::schema::model::{Column, Table, same};
use std::collections::BTreeSet;

/// Whether `value` is surely not `NULL`.
pub(super) fn is_not_null(value: &Value) -> bool {
    matches!(value, Value::Text(_) | Value::Number(_) | Value::Literal(..))
}

/// Whether `value` is known as such.
pub(super) fn is_known(value: &Value) -> bool {
    matches!(value, Value::Text(_) | Value::Number(_) | Value::Null | Value::Column(_))
}

/// Whether `value` is the same one each time that the query is sent, and no `NULL`: it stands in it.
pub(super) fn is_repeated(value: &Value) -> bool {
    matches!(value, Value::Text(_) | Value::Number(_) | Value::Literal(_, Some(_)))
}

/// `value` for people: of what was taken out of the query, only its length.
pub(super) fn said(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("'{text}'"),
        Value::Number(text) => text.clone(),
        Value::Literal(_, Some(chars)) => format!("a text of {chars} characters"),
        Value::Null => "NULL".to_owned(),
        Value::Literal(_, None) | Value::Default | Value::Column(_) | Value::Unknown => "a value".to_owned(),
    }
}

/// What a query that `view` shows writes into the column `name` of `table`; what an `INSERT` leaves out is its default.
/// Nothing where it does not write the column.
pub(super) fn written(view: View<'_>, table: &Table, key: &TableName, name: &Name) -> BTreeSet<Value> {
    let dialect = view.schema.dialect;
    let Some(column) = table.column(name) else { return BTreeSet::from([Value::Unknown]) };
    let used = view.uses.columns.iter();
    let given = used.filter(|((of, own), used)| of == key && used.write && same(own, name, dialect));
    let mut found = BTreeSet::new();
    for (_, used) in given {
        for value in &used.values {
            found.insert(if *value == Value::Default { default(column) } else { value.clone() });
        }
    }
    let leaves_out = |insert: &InsertUse| {
        insert.table == *key && !insert.columns.iter().any(|given| same(given, name, dialect))
    };
    if view.uses.inserts.iter().any(leaves_out) {
        found.insert(default(column));
    }
    found
}

/// What a column holds that an `INSERT` leaves out.
fn default(column: &Column) -> Value {
    match (&column.default, &column.generation) {
        (None, None) => Value::Null,
        (Some(default), None) if default.is_null => Value::Null,
        (Some(default), None) => default.literal.clone().map_or(Value::Unknown, Value::Text),
        (_, Some(_)) => Value::Unknown,
    }
}
