//! golang-migrate: `schema_migrations` with one row, the newest version, and whether it failed
//! (<https://github.com/golang-migrate/migrate/blob/master/database/postgres/postgres.go>).

use crate::db::session::Row;
use crate::dialect::Dialect;
use crate::run::adopt::tool::{FoundTable, Mirrored, Told, Tool, Trouble};
use crate::source::Migration;

/// golang-migrate.
pub struct GolangMigrate;

const COLUMNS: &[&str] = &["version", "dirty"];

impl Tool for GolangMigrate {
    fn id(&self) -> &'static str {
        "golang-migrate"
    }

    fn columns(&self) -> &'static [&'static str] {
        COLUMNS
    }

    fn is_history(&self, table: &FoundTable, _: &[FoundTable]) -> bool {
        table.has_only(COLUMNS)
    }

    fn select(&self, table: &str, _: Dialect) -> String {
        format!("SELECT version, dirty FROM {table} ORDER BY version")
    }

    fn read(&self, rows: &[Row]) -> Told {
        let mut told = Told::default();
        if rows.len() > 1 {
            told.troubles.push(Trouble {
                what: format!("its table has {} rows, where golang-migrate keeps one", rows.len()),
                help: "delete all but the one that holds".to_owned(),
            });
            return told;
        }
        let Some(row) = rows.first() else { return told };
        let version = row.text(0);
        // `false` is how SQLite keeps it where a driver wrote it as text.
        let dirty = row.is_true(1);
        if dirty {
            told.troubles.push(Trouble {
                what: format!("golang-migrate failed in migration {version}, and does not know how far it came"),
                help: format!(
                    "look what of it is there; once all of it is: `migrate force {version}`; once nothing of it is: \
                     `migrate force` with the version before (-1 for none)"
                ),
            });
        } else if !version.starts_with('-') {
            told.newest = Some(version.to_owned());
        }
        told
    }

    /// The number alone; where several files share one, we call them by their names too.
    fn key(&self, migration: &Migration) -> String {
        let version = migration.version.as_str();
        let end = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
        version[..end].to_owned()
    }

    fn applied_sql(&self, applied: &Mirrored<'_>) -> Result<Vec<String>, String> {
        newest_sql(applied)
    }

    fn reverted_sql(&self, reverted: &Mirrored<'_>) -> Result<Vec<String>, String> {
        newest_sql(reverted)
    }
}

/// The one row, or none where nothing is applied.
fn newest_sql(mirrored: &Mirrored<'_>) -> Result<Vec<String>, String> {
    let mut sql = vec![format!("DELETE FROM {}", mirrored.table)];
    if let Some(newest) = mirrored.newest {
        let number: u64 =
            newest.parse().map_err(|_| format!("`{newest}` is no number that it could write"))?;
        sql.push(format!(
            "INSERT INTO {} (version, dirty) VALUES ({number}, {})",
            mirrored.table,
            mirrored.flag(false)
        ));
    }
    Ok(sql)
}
