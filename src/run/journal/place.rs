//! Where a journal stands, and how each dialect writes its names, texts and times.

use crate::db::session::LockKey;
use crate::dialect::Dialect;
use crate::name::{Name, TableName, literal, optional_literal};

/// Where the journal stands, and how its SQL is written.
#[derive(Debug, Clone)]
pub struct Journal {
    pub(super) dialect: Dialect,
    pub(super) name: String,
    database: Option<String>,
    /// Whether it is written by what only fills rows.
    backfills: bool,
}

impl Journal {
    /// The journal called `name` (`twostep`): a schema on PostgreSQL, else the prefix of the tables.
    pub fn new(dialect: Dialect, name: impl Into<String>) -> Self {
        Self { dialect, name: name.into(), database: None, backfills: false }
    }

    /// The same journal, found by the name of its database on MySQL, where a migration may `USE` another one.
    pub fn in_database(self, database: &str) -> Self {
        let database = (self.dialect == Dialect::Mysql).then(|| database.to_owned());
        Self { database, ..self }
    }

    /// The same journal, written by what only fills rows: its lock is another one, so that nobody waits for it who
    /// changes the schema.
    #[must_use]
    pub fn of_backfills(self) -> Self {
        Self { backfills: true, ..self }
    }

    /// The key of the lock of the runs that write this journal.
    pub fn lock_key(&self) -> LockKey {
        if self.backfills { self.backfill_lock_key() } else { LockKey { journal: self.name.clone() } }
    }

    /// Whether it is written by what only fills rows.
    pub fn fills_rows(&self) -> bool {
        self.backfills
    }

    /// The key of the lock of what fills rows.
    pub fn backfill_lock_key(&self) -> LockKey {
        LockKey { journal: format!("{} backfill", self.name) }
    }

    /// The schema or prefix.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names of its tables as they are shown.
    pub fn table_names(&self) -> [String; 4] {
        ["meta", "run", "migration", "statement"].map(|table| match self.dialect {
            Dialect::Postgres => format!("{}.{table}", self.name),
            Dialect::Mysql | Dialect::Sqlite => format!("{}_{table}", self.name),
        })
    }

    pub(super) fn table(&self, table: &str) -> String {
        match self.dialect {
            Dialect::Postgres => format!("{}.{table}", Name::new(&self.name).quoted(self.dialect)),
            Dialect::Mysql | Dialect::Sqlite => {
                let name = Name::new(format!("{}_{table}", self.name));
                let schema = self.database.as_ref().map(Name::new);
                TableName { schema, name }.quoted(self.dialect)
            }
        }
    }

    /// The journal's database on MySQL, as an expression.
    pub(super) fn database_sql(&self) -> String {
        self.database.as_ref().map_or_else(|| "DATABASE()".to_owned(), |database| self.text(database))
    }

    pub(super) fn text(&self, value: &str) -> String {
        literal(value, self.dialect)
    }

    pub(super) fn optional(&self, value: Option<&str>) -> String {
        optional_literal(value, self.dialect)
    }

    pub(super) fn now(&self) -> &'static str {
        match self.dialect {
            Dialect::Postgres => "pg_catalog.clock_timestamp()",
            Dialect::Mysql => "UTC_TIMESTAMP(3)",
            Dialect::Sqlite => "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')",
        }
    }

    /// `column` as ISO 8601 in UTC.
    pub(super) fn shown_time(&self, column: &str) -> String {
        match self.dialect {
            Dialect::Postgres => format!(
                "pg_catalog.to_char(pg_catalog.timezone('UTC', {column}), 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
            ),
            Dialect::Mysql => {
                format!("CONCAT(LEFT(DATE_FORMAT({column}, '%Y-%m-%dT%H:%i:%s.%f'), 23), 'Z')")
            }
            Dialect::Sqlite => column.to_owned(),
        }
    }

    /// Seconds since `column`.
    pub(super) fn age_s(&self, column: &str) -> String {
        match self.dialect {
            Dialect::Postgres => {
                format!("EXTRACT(epoch FROM pg_catalog.clock_timestamp() - {column})::pg_catalog.int8")
            }
            Dialect::Mysql => format!("TIMESTAMPDIFF(SECOND, {column}, UTC_TIMESTAMP(3))"),
            Dialect::Sqlite => {
                format!("CAST((julianday('now') - julianday({column})) * 86400 AS INTEGER)")
            }
        }
    }
}
