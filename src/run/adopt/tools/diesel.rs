//! diesel: `__diesel_schema_migrations`, versions and when they were run
//! (<https://github.com/diesel-rs/diesel/blob/master/diesel/src/migration/mod.rs>).

use crate::db::session::Row;
use crate::dialect::Dialect;
use crate::run::adopt::tool::{Entry, FoundTable, Mirrored, Told, Tool};

/// diesel.
pub struct Diesel;

const COLUMNS: &[&str] = &["version", "run_on"];

impl Tool for Diesel {
    fn id(&self) -> &'static str {
        "diesel"
    }

    fn columns(&self) -> &'static [&'static str] {
        COLUMNS
    }

    fn is_history(&self, table: &FoundTable, _: &[FoundTable]) -> bool {
        table.has_only(COLUMNS)
    }

    fn select(&self, table: &str, _: Dialect) -> String {
        format!("SELECT version FROM {table} ORDER BY run_on, version")
    }

    fn read(&self, rows: &[Row]) -> Told {
        Told { entries: rows.iter().map(|row| Entry::of(row.text(0))).collect(), ..Told::default() }
    }

    fn applied_sql(&self, applied: &Mirrored<'_>) -> Result<Vec<String>, String> {
        Ok(vec![format!("INSERT INTO {} (version) VALUES ({})", applied.table, applied.text(applied.key))])
    }

    fn reverted_sql(&self, reverted: &Mirrored<'_>) -> Result<Vec<String>, String> {
        reverted.delete_text("version")
    }
}
