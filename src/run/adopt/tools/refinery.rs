//! refinery: `refinery_schema_history`, a row for each migration
//! (<https://github.com/rust-db/refinery/blob/main/refinery_core/src/traits/mod.rs>).

use crate::db::session::Row;
use crate::dialect::Dialect;
use crate::run::adopt::tool::{Entry, FoundTable, Mirrored, Told, Tool};

/// refinery.
pub struct Refinery;

const COLUMNS: &[&str] = &["version", "name", "applied_on", "checksum"];

impl Tool for Refinery {
    fn id(&self) -> &'static str {
        "refinery"
    }

    fn columns(&self) -> &'static [&'static str] {
        COLUMNS
    }

    fn is_history(&self, table: &FoundTable, _: &[FoundTable]) -> bool {
        table.has_only(COLUMNS)
    }

    fn select(&self, table: &str, _: Dialect) -> String {
        format!("SELECT version, name, checksum FROM {table} ORDER BY applied_on, version")
    }

    fn read(&self, rows: &[Row]) -> Told {
        let entry = |row: &Row| Entry {
            name: row.text(1).to_owned(),
            checksum: row.get(2).map(str::to_owned),
            ..Entry::of(row.text(0))
        };
        Told { entries: rows.iter().map(entry).collect(), ..Told::default() }
    }

    fn applied_sql(&self, applied: &Mirrored<'_>) -> Result<Vec<String>, String> {
        let now = match applied.dialect {
            Dialect::Postgres => {
                "pg_catalog.to_char(pg_catalog.timezone('UTC', pg_catalog.clock_timestamp()), \
                 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
            }
            Dialect::Mysql => "DATE_FORMAT(UTC_TIMESTAMP(6), '%Y-%m-%dT%H:%i:%s.%fZ')",
            Dialect::Sqlite => "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')",
        };
        Ok(vec![format!(
            "INSERT INTO {} (version, name, applied_on, checksum) VALUES ({}, {}, {now}, {})",
            applied.table,
            applied.number()?,
            applied.text(applied.name),
            applied.text(applied.checksum),
        )])
    }

    /// refinery has no way back, and takes what is not there for not applied.
    fn reverted_sql(&self, reverted: &Mirrored<'_>) -> Result<Vec<String>, String> {
        reverted.delete_number("version")
    }
}
