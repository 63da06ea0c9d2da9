//! What a backfill asks MySQL and MariaDB, and how it says where in a key it is.

use crate::dialect::Dialect;
use crate::engine::backfill::KeyForm;
use crate::name::{Name, TableName, literal};

/// Asks for the columns of the key of `table`, each with its type: those that are `named`, or those of the primary key.
pub fn key_query(table: &TableName, named: &[Name]) -> String {
    let (schema, name) = (schema(table), text(&table.name));
    if named.is_empty() {
        return format!(
            "SELECT c.COLUMN_NAME, c.DATA_TYPE FROM information_schema.STATISTICS s JOIN information_schema.COLUMNS c \
             ON c.TABLE_SCHEMA = s.TABLE_SCHEMA AND c.TABLE_NAME = s.TABLE_NAME AND c.COLUMN_NAME = s.COLUMN_NAME \
             WHERE s.TABLE_SCHEMA = {schema} AND s.TABLE_NAME = {name} AND s.INDEX_NAME = 'PRIMARY' \
             ORDER BY s.SEQ_IN_INDEX"
        );
    }
    let columns: Vec<String> = named.iter().map(text).collect();
    let columns = columns.join(", ");
    format!(
        "SELECT COLUMN_NAME, DATA_TYPE FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = {schema} \
         AND TABLE_NAME = {name} AND COLUMN_NAME IN ({columns}) ORDER BY FIELD(COLUMN_NAME, {columns})"
    )
}

/// Asks how many rows `table` has about.
pub fn size_query(table: &TableName) -> String {
    format!(
        "SELECT CAST(COALESCE(MAX(TABLE_ROWS), 0) AS SIGNED) FROM information_schema.TABLES \
         WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {}",
        schema(table),
        text(&table.name)
    )
}

/// Asks for what a backfill gives way to. A server of MySQL or MariaDB does not know how far those are that read its
/// log; of who waits it knows waits for rows and for tables
/// (<https://dev.mysql.com/doc/refman/8.4/en/information-schema-innodb-trx-table.html>).
pub const LOAD_QUERY: &str = "SELECT 0, 0, (SELECT COUNT(*) FROM information_schema.innodb_trx t \
    JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id WHERE t.trx_state = 'LOCK WAIT' \
    AND t.trx_wait_started <= NOW() - INTERVAL 1 SECOND AND p.db = DATABASE() AND p.id <> CONNECTION_ID()) + \
    (SELECT COUNT(*) FROM information_schema.processlist WHERE state LIKE 'Waiting for %lock' AND time >= 1 \
    AND db = DATABASE() AND id <> CONNECTION_ID()), \
    (SELECT COUNT(*) FROM information_schema.processlist WHERE command IN ('Query', 'Execute') AND db = DATABASE() \
    AND id <> CONNECTION_ID())";

/// The same for who may not see transactions, which needs the right PROCESS.
pub const LOAD_QUERY_WITHOUT_PROCESS: &str = "SELECT 0, 0, \
    COALESCE(SUM(state LIKE 'Waiting for %lock' AND time >= 1), 0), COALESCE(SUM(command IN ('Query', 'Execute')), 0) \
    FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()";

fn text(name: &Name) -> String {
    literal(name.as_str(), Dialect::Mysql)
}

fn schema(table: &TableName) -> String {
    table.schema.as_ref().map_or_else(|| "DATABASE()".to_owned(), text)
}

/// How values of a type are kept.
pub fn form(data_type: &str) -> KeyForm {
    match data_type.to_ascii_lowercase().as_str() {
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal" | "year" | "float" | "double" => {
            KeyForm::Number
        }
        // They stand in the order of their numbers, and are compared with a text as texts.
        "enum" | "set" | "bit" => KeyForm::Label,
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => KeyForm::Bytes,
        _ => KeyForm::Text,
    }
}

/// The rows behind the `values` of `columns`, or up to them: rows of values are not looked up in an index there, so the
/// first column is compared by itself too
/// (<https://dev.mysql.com/doc/refman/8.4/en/row-constructor-optimization.html>).
pub fn beyond(columns: &[String], values: &[String], behind: bool) -> String {
    let (strict, last) = if behind { (">", ">") } else { ("<", "<=") };
    let [(column, value), rest @ ..] = &columns.iter().zip(values).collect::<Vec<_>>()[..] else {
        return "true".to_owned();
    };
    if rest.is_empty() {
        return format!("{column} {last} {value}");
    }
    let (columns, values): (Vec<String>, Vec<String>) =
        rest.iter().map(|(column, value)| ((*column).clone(), (*value).clone())).unzip();
    let inner = beyond(&columns, &values, behind);
    format!("({column} {strict}= {value} AND ({column} {strict} {value} OR {column} = {value} AND {inner}))")
}
