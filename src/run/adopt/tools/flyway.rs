//! Flyway: `flyway_schema_history`, a row for everything that it did
//! (<https://documentation.red-gate.com/fd/flyway-schema-history-table-273973417.html>).

use crate::db::session::Row;
use crate::dialect::Dialect;
use crate::run::adopt::tool::{Entry, FoundTable, Mirrored, Told, Tool, Trouble, numbers};
use crate::source::{Kind, Migration};

/// Flyway.
pub struct Flyway;

const COLUMNS: &[&str] =
    &["installed_rank", "version", "description", "type", "script", "checksum", "installed_by", "success"];

impl Tool for Flyway {
    fn id(&self) -> &'static str {
        "flyway"
    }

    fn columns(&self) -> &'static [&'static str] {
        COLUMNS
    }

    fn is_history(&self, table: &FoundTable, _: &[FoundTable]) -> bool {
        table.has(COLUMNS)
    }

    fn select(&self, table: &str, dialect: Dialect) -> String {
        // `type` is a word of the language in some places.
        let kind = crate::name::Name::new("type").quoted(dialect);
        format!(
            "SELECT version, description, {kind}, script, checksum, success FROM {table} ORDER BY installed_rank"
        )
    }

    fn read(&self, rows: &[Row]) -> Told {
        let mut told = Told::default();
        for row in rows {
            take(row, &mut told);
        }
        told
    }

    /// A repeatable migration is known by its description.
    fn key(&self, migration: &Migration) -> String {
        match migration.kind {
            Kind::Repeatable => repeatable(&migration.name),
            Kind::Versioned | Kind::Baseline => migration.version.as_str().to_owned(),
        }
    }

    fn canonical(&self, key: &str) -> String {
        if key.starts_with(|first: char| first.is_ascii_digit()) {
            let parts: Vec<String> =
                numbers(&key.replace('_', ".")).into_iter().map(|(_, part)| part).collect();
            parts.join(".")
        } else {
            key.to_owned()
        }
    }

    fn applied_sql(&self, applied: &Mirrored<'_>) -> Result<Vec<String>, String> {
        Ok(vec![row_sql(applied, if applied.kind == Kind::Baseline { "SQL_BASELINE" } else { "SQL" })])
    }

    fn reverted_sql(&self, reverted: &Mirrored<'_>) -> Result<Vec<String>, String> {
        match reverted.kind {
            Kind::Versioned => Ok(vec![row_sql(reverted, "UNDO_SQL")]),
            Kind::Repeatable | Kind::Baseline => {
                let script = reverted.text(file_name(reverted.path));
                Ok(vec![format!("DELETE FROM {} WHERE script = {script}", reverted.table)])
            }
        }
    }
}

fn take(row: &Row, told: &mut Told) {
    let (version, description, kind) = (row.get(0), row.text(1), row.text(2));
    let name = description.replace(' ', "_");
    let shown = version.map_or_else(|| format!("R__{name}"), str::to_owned);
    let key = version.map_or_else(|| repeatable(&name), str::to_owned);
    if !row.is_true(5) {
        told.troubles.push(Trouble {
            what: format!("Flyway failed in {shown} ({})", row.text(3)),
            help: "take back by hand what of it is there, then `flyway repair`, which removes its row"
                .to_owned(),
        });
        return;
    }
    let forget = |told: &mut Told| told.entries.retain(|entry| entry.key != key);
    match kind {
        "SCHEMA" => {}
        "BASELINE" => told.covered_up_to = Some(key),
        "DELETE" => {
            forget(told);
            told.notes.push(format!("Flyway has marked {shown} as deleted: it is not taken over"));
        }
        _ if kind.starts_with("UNDO") => forget(told),
        _ => {
            forget(told);
            let covers = kind == "SQL_BASELINE";
            if covers {
                told.covered_up_to = Some(key.clone());
            }
            let kind = match version {
                None => Kind::Repeatable,
                Some(_) if covers => Kind::Baseline,
                Some(_) => Kind::Versioned,
            };
            let checksum = row.get(4).map(str::to_owned);
            told.entries.push(Entry { key, name, kind, checksum, down: None });
        }
    }
}

fn repeatable(name: &str) -> String {
    format!("R__{}", name.replace(' ', "_"))
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn row_sql(mirrored: &Mirrored<'_>, kind: &str) -> String {
    let table = mirrored.table;
    let version = match mirrored.kind {
        Kind::Repeatable => "NULL".to_owned(),
        Kind::Versioned | Kind::Baseline => mirrored.text(mirrored.key),
    };
    let user = match mirrored.dialect {
        Dialect::Postgres => "CURRENT_USER",
        Dialect::Mysql => "SUBSTRING_INDEX(CURRENT_USER(), '@', 1)",
        Dialect::Sqlite => "''",
    };
    let checksum = match (kind, mirrored.checksum.parse::<i32>()) {
        ("UNDO_SQL", _) | (_, Err(_)) => "NULL".to_owned(),
        (_, Ok(number)) => number.to_string(),
    };
    let name = crate::name::Name::new("type").quoted(mirrored.dialect);
    format!(
        "INSERT INTO {table} (installed_rank, version, description, {name}, script, checksum, installed_by, \
         installed_on, execution_time, success) SELECT COALESCE(MAX(installed_rank), 0) + 1, {version}, {}, '{kind}', \
         {}, {checksum}, {user}, {}, {}, {} FROM {table}",
        mirrored.text(&mirrored.name.replace('_', " ")),
        mirrored.text(file_name(mirrored.path)),
        mirrored.now(),
        mirrored.duration_ms,
        mirrored.flag(true),
    )
}
