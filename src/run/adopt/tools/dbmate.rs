//! dbmate: `schema_migrations` with nothing but versions
//! (<https://github.com/amacneil/dbmate/blob/main/pkg/driver/postgres/postgres.go>).

use crate::db::session::Row;
use crate::dialect::Dialect;
use crate::run::adopt::tool::{Entry, FoundTable, Mirrored, Told, Tool};

/// dbmate.
pub struct Dbmate;

const COLUMNS: &[&str] = &["version"];

impl Tool for Dbmate {
    fn id(&self) -> &'static str {
        "dbmate"
    }

    fn columns(&self) -> &'static [&'static str] {
        COLUMNS
    }

    /// A table with one column could be anybody's, so that its name counts too.
    fn is_history(&self, table: &FoundTable, _: &[FoundTable]) -> bool {
        table.has_only(COLUMNS) && table.is_text("version") && table.bare_name() == "schema_migrations"
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
