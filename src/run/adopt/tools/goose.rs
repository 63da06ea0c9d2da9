//! goose: `goose_db_version`, a row for each step forward, and in older versions one for each step back
//! (<https://github.com/pressly/goose/blob/main/internal/dialects/postgres.go>).

use crate::db::session::Row;
use crate::dialect::Dialect;
use crate::run::adopt::tool::{Entry, FoundTable, Mirrored, Told, Tool};
use std::collections::HashSet;

/// goose.
pub struct Goose;

const COLUMNS: &[&str] = &["id", "version_id", "is_applied", "tstamp"];

impl Tool for Goose {
    fn id(&self) -> &'static str {
        "goose"
    }

    fn columns(&self) -> &'static [&'static str] {
        COLUMNS
    }

    fn is_history(&self, table: &FoundTable, _: &[FoundTable]) -> bool {
        table.has(COLUMNS)
    }

    fn select(&self, table: &str, _: Dialect) -> String {
        format!("SELECT version_id, is_applied FROM {table} ORDER BY id")
    }

    fn read(&self, rows: &[Row]) -> Told {
        let mut told = Told::default();
        let mut seen = HashSet::new();
        // The newest row of a version decides.
        for row in rows.iter().rev() {
            let version = row.text(0);
            // Row 0 is made with the table.
            if version == "0" || !seen.insert(version) {
                continue;
            }
            if row.is_true(1) {
                told.entries.push(Entry::of(version));
            } else {
                told.notes.push(format!("goose has taken migration {version} back: it is not applied"));
            }
        }
        told.entries.reverse();
        told
    }

    fn applied_sql(&self, applied: &Mirrored<'_>) -> Result<Vec<String>, String> {
        let (table, number) = (applied.table, applied.number()?);
        Ok(vec![format!(
            "INSERT INTO {table} (version_id, is_applied) VALUES ({number}, {})",
            applied.flag(true)
        )])
    }

    fn reverted_sql(&self, reverted: &Mirrored<'_>) -> Result<Vec<String>, String> {
        reverted.delete_number("version_id")
    }
}
