//! sqlx: `_sqlx_migrations`, a row for each migration
//! (<https://github.com/launchbadge/sqlx/blob/main/sqlx-postgres/src/migrate.rs>).

use crate::db::session::Row;
use crate::dialect::Dialect;
use crate::run::adopt::tool::{Entry, FoundTable, Mirrored, Told, Tool, Trouble};

/// sqlx.
pub struct Sqlx;

const COLUMNS: &[&str] = &["version", "description", "installed_on", "success", "checksum", "execution_time"];

impl Tool for Sqlx {
    fn id(&self) -> &'static str {
        "sqlx"
    }

    fn columns(&self) -> &'static [&'static str] {
        COLUMNS
    }

    /// Flyway's table has all of these, and more.
    fn is_history(&self, table: &FoundTable, _: &[FoundTable]) -> bool {
        table.has_only(COLUMNS)
    }

    fn select(&self, table: &str, dialect: Dialect) -> String {
        let checksum = match dialect {
            Dialect::Postgres => "pg_catalog.encode(checksum, 'hex')",
            Dialect::Mysql | Dialect::Sqlite => "HEX(checksum)",
        };
        format!(
            "SELECT version, description, success, {checksum} FROM {table} ORDER BY installed_on, version"
        )
    }

    fn read(&self, rows: &[Row]) -> Told {
        let mut told = Told::default();
        for row in rows {
            let version = row.text(0);
            if !row.is_true(2) {
                told.troubles.push(Trouble {
                    what: format!("sqlx stopped in migration {version}, and does not know how far it came"),
                    help: format!(
                        "look what of it is there; take that back by hand and delete the row ({}), or do the rest by \
                         hand and set its success to true",
                        version
                    ),
                });
                continue;
            }
            told.entries.push(Entry {
                name: row.text(1).to_owned(),
                checksum: row.get(3).map(str::to_owned),
                ..Entry::of(version)
            });
        }
        told
    }

    fn applied_sql(&self, applied: &Mirrored<'_>) -> Result<Vec<String>, String> {
        let checksum = match applied.dialect {
            Dialect::Postgres => format!("pg_catalog.decode('{}', 'hex')", applied.checksum),
            Dialect::Mysql | Dialect::Sqlite => format!("x'{}'", applied.checksum),
        };
        Ok(vec![format!(
            "INSERT INTO {} (version, description, installed_on, success, checksum, execution_time) \
             VALUES ({}, {}, {}, {}, {checksum}, {})",
            applied.table,
            applied.number()?,
            applied.text(&applied.name.replace('_', " ")),
            applied.now(),
            applied.flag(true),
            applied.duration_ms.saturating_mul(1_000_000),
        )])
    }

    fn reverted_sql(&self, reverted: &Mirrored<'_>) -> Result<Vec<String>, String> {
        reverted.delete_number("version")
    }
}
