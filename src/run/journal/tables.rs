//! The journal's tables: made where they are not there, and told from what is somebody else's.

use super::history::History;
use super::place::Journal;
use crate::db::error::DbError;
use crate::db::session::Session;
use crate::dialect::Dialect;
use crate::name::Name;

/// The format of the tables that this program writes.
pub const FORMAT: i64 = 1;

/// Why the journal cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// The server said no.
    #[error(transparent)]
    Database(#[from] DbError),
    /// Something else has the name of a table of ours, or a table of ours was changed by somebody else.
    #[error("`{table}` is not the history table of twostep: {why}")]
    Foreign {
        /// The table.
        table: String,
        /// What is different.
        why: String,
    },
    /// A newer program made the journal, and this one is too old to write it.
    #[error(
        "the history was written by a newer twostep (format {found}); this one may only read it (format {FORMAT})"
    )]
    TooOld {
        /// The format that writers must know.
        found: i64,
    },
}

impl Journal {
    /// The statements that make the journal where it is not there.
    pub fn create_sql(&self) -> Vec<String> {
        let (text, long, time, flag) = match self.dialect {
            Dialect::Postgres => ("text", "text", "timestamptz", "boolean"),
            Dialect::Mysql => ("varchar(255)", "longtext", "datetime(3)", "boolean"),
            Dialect::Sqlite => ("text", "text", "text", "boolean"),
        };
        let (meta, run) = (self.table("meta"), self.table("run"));
        let (migration, statement) = (self.table("migration"), self.table("statement"));
        let engine = match self.dialect {
            Dialect::Mysql => " ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin",
            Dialect::Postgres | Dialect::Sqlite => "",
        };
        let mut sql = Vec::new();
        if self.dialect == Dialect::Postgres {
            sql.push(format!("CREATE SCHEMA IF NOT EXISTS {}", Name::new(&self.name).quoted(self.dialect)));
        }
        sql.push(format!(
            "CREATE TABLE IF NOT EXISTS {meta} (singleton int NOT NULL PRIMARY KEY, format int NOT NULL, \
             oldest_writer int NOT NULL, created_at {time} NOT NULL){engine}"
        ));
        sql.push(format!(
            "CREATE TABLE IF NOT EXISTS {run} (id bigint NOT NULL PRIMARY KEY, command {text} NOT NULL, \
             release_id {text}, run_by {text} NOT NULL, program {text} NOT NULL, backend_pid bigint NOT NULL, \
             backend_started {text} NOT NULL, started_at {time} NOT NULL, heartbeat_at {time} NOT NULL, \
             finished_at {time}, outcome {text}, exit_code int, detail {long}){engine}"
        ));
        sql.push(format!(
            "CREATE TABLE IF NOT EXISTS {migration} (version {text} NOT NULL PRIMARY KEY, name {text} NOT NULL, \
             kind {text} NOT NULL, phase {text} NOT NULL, state {text} NOT NULL, checksum {text} NOT NULL, \
             breaks_older {text} NOT NULL, sequence bigint NOT NULL, run_id bigint NOT NULL, release_id {text}, \
             applied_by {text} NOT NULL, started_at {time} NOT NULL, applied_at {time}, duration_ms bigint NOT NULL, \
             down_sql {long}, down_separated {flag} NOT NULL, down_transaction {flag} NOT NULL, \
             adopted_from {text}){engine}"
        ));
        sql.push(format!(
            "CREATE TABLE IF NOT EXISTS {statement} (version {text} NOT NULL, ordinal int NOT NULL, \
             state {text} NOT NULL, checksum {text} NOT NULL, before_it {long}, backend_pid bigint NOT NULL, \
             backend_started {text} NOT NULL, started_at {time} NOT NULL, PRIMARY KEY (version, ordinal)){engine}"
        ));
        let insert = format!(
            "INSERT INTO {meta} (singleton, format, oldest_writer, created_at) \
             SELECT 1, {FORMAT}, {FORMAT}, {now} WHERE NOT EXISTS (SELECT 1 FROM {meta})",
            now = self.now()
        );
        sql.push(match self.dialect {
            Dialect::Mysql => insert.replace(" WHERE NOT EXISTS", " FROM DUAL WHERE NOT EXISTS"),
            Dialect::Postgres | Dialect::Sqlite => insert,
        });
        sql
    }

    /// Makes the journal where it is not there, and refuses to write one that is not ours. Holds the run's lock.
    pub async fn prepare(&self, session: &mut dyn Session, history: &History) -> Result<(), JournalError> {
        if history.oldest_writer > FORMAT {
            return Err(JournalError::TooOld { found: history.oldest_writer });
        }
        let shape = self.shape(session).await?;
        if !shape.is_empty() && !self.is_partly_made(session, &shape).await? {
            return self.only_ours(&shape);
        }
        if history.exists {
            return Err(self.foreign("it was there a moment ago, and is gone"));
        }
        // All of it or nothing, where the engine can: a part of it would be taken for somebody else's.
        session.run("BEGIN").await?;
        match self.create(session).await {
            Ok(()) => session.run("COMMIT").await.map(drop)?,
            Err(error) => {
                session.rollback().await?;
                return Err(error.into());
            }
        }
        Ok(())
    }

    async fn create(&self, session: &mut dyn Session) -> Result<(), DbError> {
        for statement in self.create_sql() {
            session.run(&statement).await?;
        }
        Ok(())
    }

    /// Name and kind of whatever has the name of one of our tables.
    pub(super) async fn shape(
        &self,
        session: &mut dyn Session,
    ) -> Result<Vec<(String, String)>, JournalError> {
        let names = match self.dialect {
            Dialect::Postgres => ["meta", "run", "migration", "statement"].map(str::to_owned),
            Dialect::Mysql | Dialect::Sqlite => self.table_names(),
        };
        let list = names.map(|name| self.text(&name)).join(", ");
        let sql = match self.dialect {
            Dialect::Postgres => format!(
                "SELECT c.relname, c.relkind::text || CASE WHEN c.relkind = 'r' AND c.relhasrules \
                 THEN ' with rules' WHEN c.relkind = 'r' AND c.relhastriggers THEN ' with triggers' ELSE '' END FROM pg_catalog.pg_class c \
                 JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = {} AND c.relname IN ({list})",
                self.text(&self.name)
            ),
            Dialect::Mysql => format!(
                "SELECT table_name, table_type FROM information_schema.tables \
                 WHERE table_schema = {} AND table_name IN ({list})",
                self.database_sql()
            ),
            Dialect::Sqlite => format!("SELECT name, type FROM sqlite_schema WHERE name IN ({list})"),
        };
        let rows = session.query(&sql).await?;
        Ok(rows.iter().map(|row| (row.text(0).to_owned(), row.text(1).to_owned())).collect())
    }

    /// Whether some of our tables are not there yet: MySQL makes them one by one, so that another run may be about it,
    /// or have died in it. Those that are there must be ours.
    pub(super) async fn is_partly_made(
        &self,
        session: &mut dyn Session,
        shape: &[(String, String)],
    ) -> Result<bool, JournalError> {
        /// A column of each table that nobody else's would have.
        const OURS: [&str; 4] = ["oldest_writer", "backend_started", "down_separated", "before_it"];
        let names = self.table_names();
        if self.dialect != Dialect::Mysql || shape.len() == names.len() {
            return Ok(false);
        }
        for (name, kind) in shape {
            let ours = names.iter().position(|ours| ours == name).map_or("", |at| OURS[at]);
            let sql = format!(
                "SELECT 1 FROM information_schema.columns WHERE table_schema = {} AND table_name = {} \
                 AND column_name = {}",
                self.database_sql(),
                self.text(name),
                self.text(ours)
            );
            if kind != "BASE TABLE" || session.query(&sql).await?.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether all of `shape` are tables of ours: none is missing, and none is something else.
    pub(super) fn only_ours(&self, shape: &[(String, String)]) -> Result<(), JournalError> {
        let expected = match self.dialect {
            Dialect::Postgres => "r",
            Dialect::Mysql => "BASE TABLE",
            Dialect::Sqlite => "table",
        };
        let shown = |name: &str| match self.dialect {
            Dialect::Postgres => format!("{}.{name}", self.name),
            Dialect::Mysql | Dialect::Sqlite => name.to_owned(),
        };
        if let Some((name, kind)) = shape.iter().find(|(_, kind)| kind != expected) {
            let kind = match kind.as_str() {
                "v" | "view" | "VIEW" => "a view",
                "m" => "a materialized view",
                "f" => "a foreign table",
                "p" => "a partitioned table",
                _ if kind.contains("with") => "a table with triggers or rules",
                _ => "something else",
            };
            return Err(JournalError::Foreign { table: shown(name), why: format!("it is {kind}") });
        }
        let is_there = |wanted: &String| shape.iter().any(|(name, _)| shown(name) == *wanted);
        match (self.table_names().iter().find(|name| !is_there(name)), shape.first()) {
            (Some(missing), Some((name, _))) => Err(JournalError::Foreign {
                table: shown(name),
                why: format!("`{missing}`, which would stand beside it, is not there"),
            }),
            _ => Ok(()),
        }
    }

    pub(super) fn foreign(&self, why: &str) -> JournalError {
        JournalError::Foreign { table: self.table_names()[2].clone(), why: why.to_owned() }
    }
}
