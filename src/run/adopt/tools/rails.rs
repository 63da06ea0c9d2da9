//! Rails: `schema_migrations` with nothing but versions, beside `ar_internal_metadata`
//! (<https://github.com/rails/rails/blob/main/activerecord/lib/active_record/schema_migration.rb>).

use crate::db::session::Row;
use crate::dialect::Dialect;
use crate::run::adopt::tool::{Entry, FoundTable, Mirrored, Told, Tool};

/// Rails.
pub struct Rails;

const COLUMNS: &[&str] = &["version"];

impl Tool for Rails {
    fn id(&self) -> &'static str {
        "rails"
    }

    fn format(&self) -> Option<&'static str> {
        None
    }

    fn columns(&self) -> &'static [&'static str] {
        COLUMNS
    }

    fn is_history(&self, table: &FoundTable, all: &[FoundTable]) -> bool {
        let is_metadata = |other: &FoundTable| {
            other.name.schema == table.name.schema
                && other.bare_name().ends_with("ar_internal_metadata")
                && other.has(&["key", "value", "created_at", "updated_at"])
        };
        table.has_only(COLUMNS)
            && table.bare_name().ends_with("schema_migrations")
            && all.iter().any(is_metadata)
    }

    fn select(&self, table: &str, _: Dialect) -> String {
        format!("SELECT version FROM {table} ORDER BY version")
    }

    fn read(&self, rows: &[Row]) -> Told {
        Told { entries: rows.iter().map(|row| Entry::of(row.text(0))).collect(), ..Told::default() }
    }

    fn keeps_order(&self) -> bool {
        false
    }

    fn applied_sql(&self, applied: &Mirrored<'_>) -> Result<Vec<String>, String> {
        Ok(vec![format!("INSERT INTO {} (version) VALUES ({})", applied.table, applied.text(applied.key))])
    }

    fn reverted_sql(&self, reverted: &Mirrored<'_>) -> Result<Vec<String>, String> {
        reverted.delete_text("version")
    }
}
