//! maragu.dev/migrate: `migrations` with one row, the name of the newest
//! (<https://github.com/maragudk/migrate>).

use crate::db::session::Row;
use crate::dialect::Dialect;
use crate::run::adopt::tool::{FoundTable, Mirrored, Told, Tool, Trouble};

/// maragu.dev/migrate.
pub struct Maragu;

const COLUMNS: &[&str] = &["version"];

impl Tool for Maragu {
    fn id(&self) -> &'static str {
        "maragu"
    }

    fn columns(&self) -> &'static [&'static str] {
        COLUMNS
    }

    /// A table with one column could be anybody's, so that its name counts too.
    fn is_history(&self, table: &FoundTable, _: &[FoundTable]) -> bool {
        table.has_only(COLUMNS) && table.is_text("version") && table.bare_name() == "migrations"
    }

    fn select(&self, table: &str, _: Dialect) -> String {
        format!("SELECT version FROM {table}")
    }

    fn read(&self, rows: &[Row]) -> Told {
        let mut told = Told::default();
        if rows.len() > 1 {
            told.troubles.push(Trouble {
                what: format!("its table has {} rows, where it keeps one", rows.len()),
                help: "delete all but the one that holds".to_owned(),
            });
        } else {
            let version = rows.first().map(|row| row.text(0)).unwrap_or_default();
            told.newest = (!version.is_empty()).then(|| version.to_owned());
        }
        told
    }

    fn applied_sql(&self, applied: &Mirrored<'_>) -> Result<Vec<String>, String> {
        Ok(newest_sql(applied))
    }

    fn reverted_sql(&self, reverted: &Mirrored<'_>) -> Result<Vec<String>, String> {
        Ok(newest_sql(reverted))
    }
}

fn newest_sql(mirrored: &Mirrored<'_>) -> Vec<String> {
    let newest = mirrored.text(mirrored.newest.unwrap_or(""));
    vec![format!("UPDATE {} SET version = {newest}", mirrored.table)]
}
