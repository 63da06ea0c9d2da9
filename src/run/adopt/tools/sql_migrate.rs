//! sql-migrate: `gorp_migrations`, the names of the files and when they were applied
//! (<https://github.com/rubenv/sql-migrate/blob/master/migrate.go>).

use crate::db::session::Row;
use crate::dialect::Dialect;
use crate::run::adopt::tool::{Entry, FoundTable, Mirrored, Told, Tool};
use crate::source::Migration;

/// sql-migrate.
pub struct SqlMigrate;

const COLUMNS: &[&str] = &["id", "applied_at"];

impl Tool for SqlMigrate {
    fn id(&self) -> &'static str {
        "sql-migrate"
    }

    fn columns(&self) -> &'static [&'static str] {
        COLUMNS
    }

    /// Such a table could be anybody's, so that its name counts too.
    fn is_history(&self, table: &FoundTable, _: &[FoundTable]) -> bool {
        table.has_only(COLUMNS) && table.is_text("id") && table.bare_name().ends_with("migrations")
    }

    fn select(&self, table: &str, _: Dialect) -> String {
        format!("SELECT id FROM {table} ORDER BY applied_at, id")
    }

    fn read(&self, rows: &[Row]) -> Told {
        Told { entries: rows.iter().map(|row| Entry::of(row.text(0))).collect(), ..Told::default() }
    }

    /// The file's whole name.
    fn key(&self, migration: &Migration) -> String {
        migration.up.path.rsplit('/').next().unwrap_or_default().to_owned()
    }

    fn version_of(&self, key: &str) -> String {
        key.strip_suffix(".sql").unwrap_or(key).to_owned()
    }

    fn applied_sql(&self, applied: &Mirrored<'_>) -> Result<Vec<String>, String> {
        Ok(vec![format!(
            "INSERT INTO {} (id, applied_at) VALUES ({}, {})",
            applied.table,
            applied.text(applied.key),
            applied.now()
        )])
    }

    fn reverted_sql(&self, reverted: &Mirrored<'_>) -> Result<Vec<String>, String> {
        reverted.delete_text("id")
    }
}
