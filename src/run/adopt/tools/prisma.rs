//! Prisma: `_prisma_migrations`, a row for each try
//! (<https://github.com/prisma/prisma-engines/blob/main/schema-engine/sql-migration-tests/README.md>).

use crate::db::session::Row;
use crate::dialect::Dialect;
use crate::run::adopt::tool::{Entry, FoundTable, Mirrored, Told, Tool, Trouble};

/// Prisma.
pub struct Prisma;

const COLUMNS: &[&str] = &[
    "id",
    "checksum",
    "finished_at",
    "migration_name",
    "logs",
    "rolled_back_at",
    "started_at",
    "applied_steps_count",
];

impl Tool for Prisma {
    fn id(&self) -> &'static str {
        "prisma"
    }

    fn columns(&self) -> &'static [&'static str] {
        COLUMNS
    }

    fn is_history(&self, table: &FoundTable, _: &[FoundTable]) -> bool {
        table.has(COLUMNS)
    }

    fn select(&self, table: &str, _: Dialect) -> String {
        format!(
            "SELECT migration_name, checksum, CASE WHEN finished_at IS NULL THEN 0 ELSE 1 END, \
             CASE WHEN rolled_back_at IS NULL THEN 0 ELSE 1 END FROM {table} ORDER BY started_at, migration_name"
        )
    }

    fn read(&self, rows: &[Row]) -> Told {
        let mut told = Told::default();
        for row in rows {
            let (name, finished, rolled_back) = (row.text(0), row.is_true(2), row.is_true(3));
            if rolled_back {
                let again = rows.iter().any(|other| other.text(0) == name && !other.is_true(3));
                if !again {
                    told.notes.push(format!("Prisma has marked {name} as rolled back: it is not applied"));
                }
            } else if finished {
                told.entries.push(Entry { checksum: row.get(1).map(str::to_owned), ..Entry::of(name) });
            } else {
                told.troubles.push(Trouble {
                    what: format!("Prisma failed in migration {name}, and does not know how far it came"),
                    help: format!(
                        "look what of it is there; once all of it is: `prisma migrate resolve --applied {name}`; once \
                         nothing of it is: `prisma migrate resolve --rolled-back {name}`"
                    ),
                });
            }
        }
        told
    }

    fn applied_sql(&self, applied: &Mirrored<'_>) -> Result<Vec<String>, String> {
        let (id, now) = match applied.dialect {
            Dialect::Postgres => ("pg_catalog.gen_random_uuid()", "pg_catalog.clock_timestamp()"),
            Dialect::Mysql => ("UUID()", "UTC_TIMESTAMP(3)"),
            // Milliseconds since 1970, as Prisma has its moments in SQLite.
            Dialect::Sqlite => {
                ("lower(hex(randomblob(16)))", "CAST(strftime('%s', 'now') AS INTEGER) * 1000")
            }
        };
        Ok(vec![format!(
            "INSERT INTO {} (id, checksum, finished_at, migration_name, started_at, applied_steps_count) \
             VALUES ({id}, {}, {now}, {}, {now}, 1)",
            applied.table,
            applied.text(applied.checksum),
            applied.text(applied.key),
        )])
    }

    /// What has no row is not applied to it; it has no way back of its own.
    fn reverted_sql(&self, reverted: &Mirrored<'_>) -> Result<Vec<String>, String> {
        reverted.delete_text("migration_name")
    }
}
