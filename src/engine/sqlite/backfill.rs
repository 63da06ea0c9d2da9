//! What a backfill asks SQLite.

use crate::dialect::Dialect;
use crate::name::{Name, TableName};
use crate::schema::change::TableForm;
use crate::schema::model::Table;

/// Asks for the key of `table`: the number of a row, which every table has but one `WITHOUT ROWID`. (Columns of another
/// primary key may be NULL: <https://www.sqlite.org/lang_createtable.html#the_primary_key>.)
pub fn key_query(table: &TableName) -> String {
    let name = crate::name::literal(table.name.as_str(), Dialect::Sqlite);
    let schema = table.schema.as_ref().map_or("main", |schema| schema.as_str());
    let schema = crate::name::literal(schema, Dialect::Sqlite);
    format!(
        "SELECT name, '' FROM (SELECT '_rowid_' AS name, 0 AS pk FROM pragma_table_list({name}) \
         WHERE schema = {schema} AND wr = 0 UNION ALL SELECT i.name, i.pk FROM pragma_table_list({name}) l, \
         pragma_table_info({name}, {schema}) i WHERE l.schema = {schema} AND l.wr = 1 AND i.pk > 0) ORDER BY pk"
    )
}

/// The number of a row, where the table has one: columns of another key may be NULL.
pub fn key_of(table: &Table) -> Option<Vec<Name>> {
    match table.form {
        TableForm::Plain | TableForm::Strict => Some(vec![Name::new("_rowid_")]),
        TableForm::WithoutRowid | TableForm::StrictWithoutRowid | TableForm::Virtual | TableForm::Foreign => {
            None
        }
    }
}

/// `value` as it stands where it is a literal of the form that `quote()` gives; else as text, which can do no harm.
pub fn literal(value: &str) -> String {
    let bytes = value.as_bytes();
    let number =
        !bytes.is_empty() && bytes.iter().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte));
    let inner = |front: usize| bytes.get(front..bytes.len().saturating_sub(1)).unwrap_or_default();
    let blob = (value.starts_with("X'") || value.starts_with("x'"))
        && value.ends_with('\'')
        && value.len() > 2
        && inner(2).iter().all(u8::is_ascii_hexdigit);
    let text = value.len() >= 2
        && value.starts_with('\'')
        && value.ends_with('\'')
        && !value[1..value.len() - 1].replace("''", "").contains('\'');
    if number || blob || text { value.to_owned() } else { crate::name::literal(value, Dialect::Sqlite) }
}

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn literals_are_what_quote_gives_or_text() {
        for value in ["7", "-1.5e10", "'a''b'", "X'0aFF'", "''"] {
            assert_eq!(literal(value), value);
        }
        assert_eq!(literal("'a' or 'b'"), "'''a'' or ''b'''");
        assert_eq!(literal("1 or 1"), "'1 or 1'");
        assert_eq!(literal(""), "''");
    }
}
