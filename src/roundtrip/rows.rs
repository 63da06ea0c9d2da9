//! What rows there are, as far as a comparison needs it: how many in each table, and a digest of each column.

use crate::db::error::DbError;
use crate::db::session::{Row, Session};
use crate::dialect::Dialect;
use crate::name::Name;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// More rows of a table than this are not looked at.
const ROWS_MAX: usize = 10_000;

/// The rows of a database. Tables without any are not in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    tables: BTreeMap<String, TableRows>,
}

/// The rows of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct TableRows {
    count: usize,
    /// A sum over the values, which does not depend on their order.
    columns: BTreeMap<String, u64>,
}

impl TableRows {
    fn add(&mut self, column: &str, value: Option<&str>) {
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        let sum = self.columns.entry(column.to_owned()).or_default();
        *sum = sum.wrapping_add(hasher.finish());
    }
}

/// How rows after something are not those before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowsDiff {
    /// Rows or values that are gone, a line each.
    pub lost: Vec<String>,
    /// Rows that have come, a line each.
    pub added: Vec<String>,
}

impl Rows {
    /// What has become of these rows in `after`. A column that is not there any more is the schema's matter.
    pub fn compare(&self, after: &Rows) -> RowsDiff {
        let mut diff = RowsDiff::default();
        let none = TableRows::default();
        for (table, before) in &self.tables {
            let now = after.tables.get(table).unwrap_or(&none);
            match now.count {
                count if count < before.count => {
                    diff.lost.push(format!("{table}: {} before, {count} after", rows(before.count)));
                }
                count if count > before.count => {
                    diff.added.push(format!("{table}: {} before, {count} after", rows(before.count)));
                }
                _ => {
                    let other = |(column, sum): &(&String, &u64)| {
                        now.columns.get(*column).is_some_and(|now| now != *sum)
                    };
                    let changed: Vec<&str> =
                        before.columns.iter().filter(other).map(|(column, _)| column.as_str()).collect();
                    if !changed.is_empty() {
                        let s = if changed.len() == 1 { "" } else { "s" };
                        diff.lost.push(format!("{table}: other values in column{s} {}", changed.join(", ")));
                    }
                }
            }
        }
        for (table, now) in &after.tables {
            if !self.tables.contains_key(table) {
                diff.added.push(format!("{table}: no row before, {} after", now.count));
            }
        }
        diff
    }

    /// The number of rows of each table alone: values may be those of the clock.
    pub fn counts(&self) -> BTreeMap<&str, usize> {
        self.tables.iter().map(|(table, rows)| (table.as_str(), rows.count)).collect()
    }
}

fn rows(count: usize) -> String {
    if count == 1 { "1 row".to_owned() } else { format!("{count} rows") }
}

/// A row: what each column holds, none where it is NULL.
pub type RowValues = BTreeMap<String, Option<String>>;

/// The rows of the session's database.
pub async fn read(session: &mut dyn Session) -> Result<Rows, DbError> {
    let mut rows = Rows::default();
    for (name, values) in values(session).await? {
        let table = rows.tables.entry(name).or_default();
        table.count = values.len();
        for (column, value) in values.iter().flatten() {
            table.add(column, value.as_deref());
        }
    }
    Ok(rows)
}

/// The same, each row with its values, by the name of the table. Tables without a row are not in it.
pub async fn values(session: &mut dyn Session) -> Result<BTreeMap<String, Vec<RowValues>>, DbError> {
    match session.dialect() {
        Dialect::Postgres => postgres(session).await,
        Dialect::Mysql | Dialect::Sqlite => others(session).await,
    }
}

async fn postgres(session: &mut dyn Session) -> Result<BTreeMap<String, Vec<RowValues>>, DbError> {
    let tables = session
        .query(
            "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace \
             WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' \
             AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' \
             AND (c.relkind = 'p' OR pg_catalog.pg_relation_size(c.oid) > 0) \
             AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')",
        )
        .await?;
    let names: Vec<&str> = tables.iter().map(|row| row.text(0)).collect();
    let select = |(number, name): (usize, &&str)| {
        format!("SELECT {number}, pg_catalog.to_jsonb(t)::pg_catalog.text FROM {name} t LIMIT {ROWS_MAX}")
    };
    let sql: Vec<String> = names.iter().enumerate().map(select).collect();
    let mut rows: BTreeMap<String, Vec<RowValues>> = BTreeMap::new();
    if sql.is_empty() {
        return Ok(rows);
    }
    for row in session.query(&sql.join(";")).await? {
        let Some(name) = table_of(&row, &names) else { continue };
        let object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(row.text(1)).unwrap_or_default();
        let text = |value: serde_json::Value| (!value.is_null()).then(|| value.to_string());
        let values = object.into_iter().map(|(column, value)| (column, text(value)));
        rows.entry((*name).to_owned()).or_default().push(values.collect());
    }
    Ok(rows)
}

fn table_of<'a, T>(row: &Row, names: &'a [T]) -> Option<&'a T> {
    row.number(0).and_then(|number| usize::try_from(number).ok()).and_then(|number| names.get(number))
}

async fn others(session: &mut dyn Session) -> Result<BTreeMap<String, Vec<RowValues>>, DbError> {
    let dialect = session.dialect();
    let columns = session
        .query(match dialect {
            Dialect::Sqlite => {
                "SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_xinfo(m.name) c WHERE m.type = 'table' \
                 AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND m.sql NOT LIKE 'create virtual%' AND c.hidden <> 1 \
                 ORDER BY m.name, c.cid"
            }
            Dialect::Mysql | Dialect::Postgres => {
                "SELECT c.table_name, c.column_name FROM information_schema.columns c JOIN information_schema.tables t \
                 ON t.table_schema = c.table_schema AND t.table_name = c.table_name \
                 WHERE c.table_schema = DATABASE() AND t.table_type = 'BASE TABLE' \
                 ORDER BY c.table_name, c.ordinal_position"
            }
        })
        .await?;
    let mut tables: Vec<(&str, Vec<&str>)> = Vec::new();
    for row in &columns {
        match tables.last_mut() {
            Some((table, columns)) if *table == row.text(0) => columns.push(row.text(1)),
            _ => tables.push((row.text(0), vec![row.text(1)])),
        }
    }
    let select = |(number, (table, columns)): (usize, &(&str, Vec<&str>))| {
        let columns: Vec<String> = columns.iter().map(|column| Name::new(*column).quoted(dialect)).collect();
        let table = Name::new(*table).quoted(dialect);
        format!("SELECT {number}, {} FROM {table} LIMIT {ROWS_MAX}", columns.join(", "))
    };
    let sql: Vec<String> = tables.iter().enumerate().map(select).collect();
    let mut rows: BTreeMap<String, Vec<RowValues>> = BTreeMap::new();
    if sql.is_empty() {
        return Ok(rows);
    }
    for row in session.query(&sql.join(";")).await? {
        let Some((name, columns)) = table_of(&row, &tables) else { continue };
        let values = columns.iter().enumerate();
        let values = values
            .map(|(number, column)| ((*column).to_owned(), row.get(number + 1).map(str::to_owned)))
            .collect();
        rows.entry((*name).to_owned()).or_default().push(values);
    }
    Ok(rows)
}
