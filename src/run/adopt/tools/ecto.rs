//! Ecto: `schema_migrations` with versions and when they were inserted
//! (<https://github.com/elixir-ecto/ecto_sql/blob/master/lib/ecto/migration/schema_migration.ex>).

use crate::db::session::Row;
use crate::dialect::Dialect;
use crate::run::adopt::tool::{Entry, FoundTable, Mirrored, Told, Tool};

/// Ecto.
pub struct Ecto;

const COLUMNS: &[&str] = &["version", "inserted_at"];

impl Tool for Ecto {
    fn id(&self) -> &'static str {
        "ecto"
    }

    fn format(&self) -> Option<&'static str> {
        None
    }

    fn columns(&self) -> &'static [&'static str] {
        COLUMNS
    }

    fn is_history(&self, table: &FoundTable, _: &[FoundTable]) -> bool {
        table.has_only(COLUMNS) && !table.is_text("version")
    }

    fn select(&self, table: &str, _: Dialect) -> String {
        format!("SELECT version FROM {table} ORDER BY inserted_at, version")
    }

    fn read(&self, rows: &[Row]) -> Told {
        Told { entries: rows.iter().map(|row| Entry::of(row.text(0))).collect(), ..Told::default() }
    }

    fn applied_sql(&self, applied: &Mirrored<'_>) -> Result<Vec<String>, String> {
        let now = match applied.dialect {
            Dialect::Postgres => "pg_catalog.timezone('UTC', pg_catalog.clock_timestamp())",
            Dialect::Mysql => "UTC_TIMESTAMP()",
            Dialect::Sqlite => "strftime('%Y-%m-%dT%H:%M:%S', 'now')",
        };
        let (table, number) = (applied.table, applied.number()?);
        Ok(vec![format!("INSERT INTO {table} (version, inserted_at) VALUES ({number}, {now})")])
    }

    fn reverted_sql(&self, reverted: &Mirrored<'_>) -> Result<Vec<String>, String> {
        reverted.delete_number("version")
    }
}
