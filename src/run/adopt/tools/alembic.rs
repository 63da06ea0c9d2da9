//! Alembic: `alembic_version` with its newest revision, one for each branch
//! (<https://github.com/sqlalchemy/alembic/blob/main/alembic/runtime/migration.py>).

use crate::db::session::Row;
use crate::dialect::Dialect;
use crate::run::adopt::tool::{FoundTable, Mirrored, Told, Tool, Trouble};

/// Alembic.
pub struct Alembic;

const COLUMNS: &[&str] = &["version_num"];

impl Tool for Alembic {
    fn id(&self) -> &'static str {
        "alembic"
    }

    fn format(&self) -> Option<&'static str> {
        None
    }

    fn columns(&self) -> &'static [&'static str] {
        COLUMNS
    }

    fn is_history(&self, table: &FoundTable, _: &[FoundTable]) -> bool {
        table.has_only(COLUMNS)
    }

    fn select(&self, table: &str, _: Dialect) -> String {
        format!("SELECT version_num FROM {table} ORDER BY version_num")
    }

    fn read(&self, rows: &[Row]) -> Told {
        let mut told = Told::default();
        if let [row] = rows {
            told.newest = Some(row.text(0).to_owned());
        } else if rows.len() > 1 {
            let heads: Vec<&str> = rows.iter().map(|row| row.text(0)).collect();
            told.troubles.push(Trouble {
                what: format!("Alembic stands at several revisions at once: {}", heads.join(", ")),
                help: "bring the branches together first: `alembic merge heads`, then `alembic upgrade head`"
                    .to_owned(),
            });
        }
        told
    }

    fn cannot_be_mirrored(&self) -> Option<&'static str> {
        Some(NO_REVISION)
    }

    fn applied_sql(&self, _: &Mirrored<'_>) -> Result<Vec<String>, String> {
        Err(NO_REVISION.to_owned())
    }

    fn reverted_sql(&self, _: &Mirrored<'_>) -> Result<Vec<String>, String> {
        Err(NO_REVISION.to_owned())
    }
}

const NO_REVISION: &str = "a file has no revision that Alembic would know";
