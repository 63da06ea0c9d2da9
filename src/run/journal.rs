//! What was done to a database, kept in the database itself. The only place that writes history.
//!
//! Four tables, in a schema of their own (PostgreSQL) or with a prefix (MySQL, SQLite): `meta` (format), `run` (one
//! row a run), `migration` (one row for each that is applied, or half applied), `statement` (the statements of a
//! migration that is under way without a transaction around it). Changes to them are additive; `meta` carries the
//! oldest format that may still write.

use super::activity::Activity;
use crate::db::error::{DbError, DbErrorClass};
use crate::db::session::{Backend, LockKey, Row, Session};
use crate::dialect::Dialect;
use crate::name::{Name, TableName, literal, optional_literal};
use crate::schema::breaks::BreaksOlder;
use crate::source::{Checksum, Version};

/// The format of the tables that this program writes.
pub const FORMAT: i64 = 1;

/// The state of a statement whose transaction was begun.
const MARKED: &str = "marked";

/// The command of a row that says that a release is live.
const CONFIRM: &str = "release confirm";

/// The state of a statement that is done in part, up to a cursor.
const PART: &str = "part";

/// Where the journal stands, and how its SQL is written.
#[derive(Debug, Clone)]
pub struct Journal {
    dialect: Dialect,
    name: String,
    database: Option<String>,
    /// Whether it is written by what only fills rows.
    backfills: bool,
}

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

/// The state of a migration in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is applied.
    Applied,
    /// It is being applied, statement by statement, or its run has stopped.
    Applying,
    /// It is being taken back, statement by statement, or its run has stopped.
    Reverting,
}

impl State {
    /// The word in the table.
    pub const fn id(self) -> &'static str {
        match self {
            State::Applied => "applied",
            State::Applying => "applying",
            State::Reverting => "reverting",
        }
    }
}

/// One migration in the journal.
#[derive(Debug, Clone)]
pub struct Applied {
    /// Its version.
    pub version: Version,
    /// Its name.
    pub name: String,
    /// `versioned`, `repeatable` or `baseline`.
    pub kind: String,
    /// Whether it is applied, or on its way.
    pub state: State,
    /// Checksum of what was run; empty where it was taken over and there is no file of it.
    pub checksum: Checksum,
    /// Whether it breaks older code.
    pub breaks_older: BreaksOlder,
    /// Its place in the order of application.
    pub sequence: i64,
    /// The run that applied it.
    pub run_id: i64,
    /// When it was applied: UTC, ISO 8601.
    pub applied_at: String,
    /// How long its statements took, in milliseconds.
    pub duration_ms: i64,
    /// The release that applied it.
    pub release: Option<String>,
    /// Who applied it: role and host.
    pub applied_by: String,
    /// Whether the journal holds SQL that takes it back.
    pub has_down: bool,
    /// The tool whose history it was taken over from.
    pub adopted_from: Option<String>,
}

impl Applied {
    /// Whether it was taken over from another tool, and there was no file of it.
    pub fn had_no_file(&self) -> bool {
        self.adopted_from.is_some() && self.checksum.as_str().is_empty()
    }
}

/// A statement of a migration that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementRow {
    /// The migration.
    pub version: Version,
    /// Its number among the migration's statements, from 0.
    pub ordinal: usize,
    /// Whether its outcome is recorded; without, it was about to be run.
    pub done: bool,
    /// Checksum of its text.
    pub checksum: String,
    /// Whether what it committed itself, if it did, has committed the mark as well ([`Journal::mark_sql`]).
    pub marked: bool,
    /// What was true before it ran, so that its outcome can be told from the catalog; once it is done, the values of
    /// the user's variables behind it.
    pub before: Option<String>,
    /// The backend that was about to run it.
    pub backend: Backend,
    /// Whether it runs in parts, of which those up to the cursor in `before` are done.
    pub in_parts: bool,
}

/// A run that has not said how it ended.
#[derive(Debug, Clone)]
pub struct OpenRun {
    /// Its number.
    pub id: i64,
    /// `migrate` or `rollback`.
    pub command: String,
    /// Who runs it: role and host.
    pub by: String,
    /// Its backend.
    pub backend: Backend,
    /// Seconds since its last sign of life, by the server's clock.
    pub silent_s: i64,
    /// When it began: UTC, ISO 8601.
    pub started_at: String,
    /// What it does now, as it has written it last.
    pub activity: Option<Activity>,
}

/// All that a journal says.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Whether there is a journal at all.
    pub exists: bool,
    /// The oldest format that may write it.
    pub oldest_writer: i64,
    /// Migrations, in order of application.
    pub applied: Vec<Applied>,
    /// Statements of migrations that are under way, by number.
    pub statements: Vec<StatementRow>,
    /// The last run that has not said how it ended.
    pub open_run: Option<OpenRun>,
    /// All runs that have not said how they ended; those before the last one may be backfills.
    pub open_runs: Vec<OpenRun>,
    /// The highest run number so far.
    pub last_run_id: i64,
    /// What was confirmed last.
    pub confirmed: Option<Live>,
    /// Where the database was taken over from, if it was.
    pub adopted: Option<AdoptedFrom>,
}

/// What a release has that is confirmed to be live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// The place in the order of application of the last of its migrations that is applied.
    pub sequence: i64,
    /// The contracts among its files that were not applied: it does without what they take away.
    pub contracts: Vec<Version>,
    /// Whether it was said although older code was seen.
    pub anyway: bool,
}

impl Live {
    /// As the run's row keeps it.
    fn to_text(&self) -> String {
        let contracts: Vec<&str> = self.contracts.iter().map(Version::as_str).collect();
        serde_json::json!({ "sequence": self.sequence, "contracts": contracts, "anyway": self.anyway })
            .to_string()
    }

    fn from_text(text: &str) -> Option<Self> {
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        // At first only the place was written.
        let sequence = value.as_i64().or_else(|| value.get("sequence")?.as_i64())?;
        let contracts = value.get("contracts").and_then(|all| all.as_array()).into_iter().flatten();
        Some(Self {
            sequence,
            contracts: contracts.filter_map(|one| Some(Version::new(one.as_str()?))).collect(),
            anyway: value.get("anyway").and_then(serde_json::Value::as_bool).unwrap_or(false),
        })
    }
}

/// Where a database was taken over from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdoptedFrom {
    /// The tool; `baseline` where a person has said what is there.
    pub tool: String,
    /// Its table, as it is shown; empty where there is none.
    pub table: String,
    /// Whether that table is to be kept in step.
    pub mirror: bool,
}

impl AdoptedFrom {
    /// As the run's row keeps it.
    pub fn to_text(&self) -> String {
        serde_json::json!({ "from": self.tool, "table": self.table, "mirror": self.mirror }).to_string()
    }

    fn from_text(text: &str) -> Option<Self> {
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        let field = |name: &str| value.get(name)?.as_str().map(str::to_owned);
        let mirror = value.get("mirror")?.as_bool()?;
        Some(Self { tool: field("from")?, table: field("table")?, mirror })
    }
}

impl History {
    /// The row of `version`.
    pub fn get(&self, version: &Version) -> Option<&Applied> {
        self.applied.iter().find(|applied| applied.version == *version)
    }

    /// The place that the next migration takes in the order of application.
    pub fn next_sequence(&self) -> i64 {
        self.applied.iter().map(|applied| applied.sequence).max().unwrap_or(0) + 1
    }
}

/// What is written of a run when it begins.
#[derive(Debug, Clone)]
pub struct RunRecord {
    /// Its number.
    pub id: i64,
    /// `migrate` or `rollback`.
    pub command: String,
    /// The release that it belongs to.
    pub release: Option<String>,
    /// Who runs it: role and host.
    pub by: String,
    /// Its backend.
    pub backend: Backend,
}

/// What is written of a migration.
#[derive(Debug, Clone)]
pub struct MigrationRecord {
    /// Its version.
    pub version: Version,
    /// Its name.
    pub name: String,
    /// `versioned`, `repeatable` or `baseline`.
    pub kind: &'static str,
    /// Checksum of what is run.
    pub checksum: Checksum,
    /// Whether it breaks older code.
    pub breaks_older: BreaksOlder,
    /// Its place in the order of application.
    pub sequence: i64,
    /// The run.
    pub run_id: i64,
    /// The release.
    pub release: Option<String>,
    /// Who: role and host.
    pub by: String,
    /// The SQL that takes it back, with its form.
    pub down: Option<StoredDown>,
    /// The tool whose history it was taken over from.
    pub adopted_from: Option<String>,
}

/// A down as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDown {
    /// The text; a JSON array of statements where `separated`.
    pub sql: String,
    /// Whether its format had separated the statements.
    pub separated: bool,
    /// Whether they share a transaction.
    pub transaction: bool,
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

    fn table(&self, table: &str) -> String {
        match self.dialect {
            Dialect::Postgres => format!("{}.{table}", Name::new(&self.name).quoted(self.dialect)),
            Dialect::Mysql | Dialect::Sqlite => {
                let name = Name::new(format!("{}_{table}", self.name));
                let schema = self.database.as_ref().map(Name::new);
                TableName { schema, name }.quoted(self.dialect)
            }
        }
    }

    fn text(&self, value: &str) -> String {
        literal(value, self.dialect)
    }

    fn optional(&self, value: Option<&str>) -> String {
        optional_literal(value, self.dialect)
    }

    fn now(&self) -> &'static str {
        match self.dialect {
            Dialect::Postgres => "pg_catalog.clock_timestamp()",
            Dialect::Mysql => "UTC_TIMESTAMP(3)",
            Dialect::Sqlite => "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')",
        }
    }

    /// `column` as ISO 8601 in UTC.
    fn shown_time(&self, column: &str) -> String {
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
    fn age_s(&self, column: &str) -> String {
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

    /// One text that gives all rows of the journal, each with its table's letter in front.
    fn read_sql(&self) -> String {
        format!(
            "SELECT 'o', id, command, run_by, backend_pid, backend_started, {silent}, {started_at}, detail \
             FROM {run} WHERE outcome IS NULL ORDER BY id;\
             SELECT 'v', format, oldest_writer FROM {meta};\
             SELECT 'm', version, name, kind, state, checksum, breaks_older, sequence, run_id, {applied_at}, \
             duration_ms, release_id, applied_by, down_sql IS NOT NULL, adopted_from FROM {migration} \
             ORDER BY sequence;\
             SELECT 's', version, ordinal, state, checksum, before_it, backend_pid, backend_started \
             FROM {statement} ORDER BY version, ordinal;\
             SELECT 'a', detail FROM {run} WHERE id = (SELECT MAX(id) FROM {run} WHERE command = 'adopt' \
             AND outcome = 'done');\
             SELECT 'r', id, command, run_by, backend_pid, backend_started, {silent}, {started_at}, outcome \
             FROM {run} ORDER BY id DESC LIMIT 1;\
             SELECT 'c', detail FROM {run} WHERE command = {confirm} ORDER BY id DESC LIMIT 1",
            confirm = self.text(CONFIRM),
            meta = self.table("meta"),
            run = self.table("run"),
            migration = self.table("migration"),
            statement = self.table("statement"),
            applied_at = self.shown_time("applied_at"),
            started_at = self.shown_time("started_at"),
            silent = self.age_s("heartbeat_at"),
        )
    }

    /// Whether all of `migrations` (version, kind, checksum) are applied by us and nothing else is. `None` where the
    /// journal is not there. What is not so is left to [`Journal::read`] to tell: five columns are read here, since with
    /// them as they are a new session answers soonest (a hash made by the server takes it twice as long).
    pub async fn is_all_applied<'a>(
        &self,
        session: &mut dyn Session,
        migrations: impl Iterator<Item = (&'a str, &'a str, &'a str)>,
    ) -> Option<bool> {
        let sql =
            format!("SELECT version, kind, state, checksum, adopted_from FROM {}", self.table("migration"));
        let rows = session.query(&sql).await.ok()?;
        if rows.iter().any(|row| row.get(4).is_some()) {
            // The other tool's table may have to be looked at.
            return Some(false);
        }
        let mut applied: Vec<_> =
            rows.iter().map(|row| (row.text(0), row.text(1), row.text(2), row.text(3))).collect();
        let mut wanted: Vec<_> = migrations
            .map(|(version, kind, checksum)| (version, kind, State::Applied.id(), checksum))
            .collect();
        applied.sort_unstable();
        wanted.sort_unstable();
        Some(applied == wanted)
    }

    /// Reads the whole journal, with one round trip and without making anything.
    pub async fn read(&self, session: &mut dyn Session) -> Result<History, JournalError> {
        let mut answer = session.query(&self.read_sql()).await;
        if answer.as_ref().is_err_and(|error| error.class == DbErrorClass::Missing) {
            let shape = self.shape(session).await?;
            if shape.is_empty() || self.is_partly_made(session, &shape).await? {
                return Ok(History::default());
            }
            self.only_ours(&shape)?;
            if self.dialect == Dialect::Mysql {
                // Another run may have made the rest in between.
                answer = session.query(&self.read_sql()).await;
            }
        }
        let rows = match answer {
            Ok(rows) => rows,
            Err(error) if error.class == DbErrorClass::Missing => return Err(self.foreign(&error.message)),
            Err(error) => return Err(error.into()),
        };
        let mut history = History { exists: true, oldest_writer: FORMAT, ..History::default() };
        for row in &rows {
            match row.text(0) {
                "v" => history.oldest_writer = row.number(2).unwrap_or(FORMAT),
                "m" => history.applied.push(applied(row).map_err(|why| self.foreign(&why))?),
                "s" => history.statements.push(statement(row)),
                "a" => history.adopted = AdoptedFrom::from_text(row.text(1)),
                "c" => history.confirmed = Live::from_text(row.text(1)),
                "o" => history.open_runs.push(open_run(row)),
                _ => {
                    history.last_run_id = row.number(1).unwrap_or(0);
                    history.open_run = row.get(8).is_none().then(|| open_run(row));
                }
            }
        }
        Ok(history)
    }

    fn foreign(&self, why: &str) -> JournalError {
        JournalError::Foreign { table: self.table_names()[2].clone(), why: why.to_owned() }
    }

    /// Name and kind of whatever has the name of one of our tables.
    async fn shape(&self, session: &mut dyn Session) -> Result<Vec<(String, String)>, JournalError> {
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
                self.database
                    .as_ref()
                    .map_or_else(|| "DATABASE()".to_owned(), |database| self.text(database))
            ),
            Dialect::Sqlite => format!("SELECT name, type FROM sqlite_schema WHERE name IN ({list})"),
        };
        let rows = session.query(&sql).await?;
        Ok(rows.iter().map(|row| (row.text(0).to_owned(), row.text(1).to_owned())).collect())
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

    /// Whether some of our tables are not there yet: MySQL makes them one by one, so that another run may be about it,
    /// or have died in it. Those that are there must be ours.
    async fn is_partly_made(
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

    /// The journal's database on MySQL, as an expression.
    fn database_sql(&self) -> String {
        self.database.as_ref().map_or_else(|| "DATABASE()".to_owned(), |database| self.text(database))
    }

    /// Whether all of `shape` are tables of ours: none is missing, and none is something else.
    fn only_ours(&self, shape: &[(String, String)]) -> Result<(), JournalError> {
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

    /// Writes that a run begins.
    pub fn begin_run_sql(&self, run: &RunRecord) -> String {
        format!(
            "INSERT INTO {table} (id, command, release_id, run_by, program, backend_pid, backend_started, started_at, \
             heartbeat_at) VALUES ({id}, {command}, {release}, {by}, {program}, {pid}, {started}, {now}, {now})",
            table = self.table("run"),
            id = run.id,
            command = self.text(&run.command),
            release = self.optional(run.release.as_deref()),
            by = self.text(&run.by),
            program = self.text(concat!("twostep ", env!("CARGO_PKG_VERSION"))),
            pid = run.backend.pid,
            started = self.text(&run.backend.started),
            now = self.now(),
        )
    }

    /// Writes that a release is live.
    pub fn confirm_sql(&self, run: &RunRecord, live: &Live) -> String {
        let run = RunRecord { command: CONFIRM.to_owned(), ..run.clone() };
        format!(
            "{};{}",
            self.begin_run_sql(&run),
            self.finish_run_sql(run.id, "done", 0, Some(&live.to_text()))
        )
    }

    /// Writes how a run has ended.
    pub fn finish_run_sql(&self, id: i64, outcome: &str, exit_code: u8, detail: Option<&str>) -> String {
        format!(
            "UPDATE {} SET finished_at = {now}, heartbeat_at = {now}, outcome = {}, exit_code = {exit_code}, \
             detail = {} WHERE id = {id}",
            self.table("run"),
            self.text(outcome),
            self.optional(detail),
            now = self.now(),
        )
    }

    /// A sign of life of a run, with what it does now, written on its watcher's connection.
    pub fn heartbeat_sql(&self, id: i64, activity: Option<&Activity>) -> String {
        let detail =
            activity.map_or_else(String::new, |one| format!(", detail = {}", self.text(&one.to_text())));
        let (run, now) = (self.table("run"), self.now());
        format!("UPDATE {run} SET heartbeat_at = {now}{detail} WHERE id = {id} AND outcome IS NULL")
    }

    /// Writes that the run's connection is another one now.
    pub fn reconnected_sql(&self, id: i64, backend: &Backend) -> String {
        format!(
            "UPDATE {} SET backend_pid = {}, backend_started = {}, heartbeat_at = {} WHERE id = {id}",
            self.table("run"),
            backend.pid,
            self.text(&backend.started),
            self.now()
        )
    }

    /// Writes that a migration is applied (`State::Applied`), or is on its way. `replace` where a row of it may
    /// stand already.
    pub fn migration_sql(
        &self,
        record: &MigrationRecord,
        state: State,
        duration_ms: u128,
        replace: bool,
    ) -> String {
        let table = self.table("migration");
        let version = self.text(record.version.as_str());
        let replaced = if replace {
            format!(
                "DELETE FROM {table} WHERE version = {version};DELETE FROM {} WHERE version = {version} AND {};",
                self.table("statement"),
                if state == State::Applied { "1 = 1" } else { "1 = 0" }
            )
        } else {
            String::new()
        };
        let down = record.down.as_ref();
        let flag = |value: bool| match (self.dialect, value) {
            (Dialect::Postgres, true) => "true",
            (Dialect::Postgres, false) => "false",
            (_, true) => "1",
            (_, false) => "0",
        };
        format!(
            "{replaced}INSERT INTO {table} (version, name, kind, phase, state, checksum, breaks_older, sequence, \
             run_id, release_id, applied_by, started_at, applied_at, duration_ms, down_sql, down_separated, \
             down_transaction, adopted_from) VALUES ({version}, {name}, {kind}, 'whole', {state}, {checksum}, \
             {breaks_older}, {sequence}, {run_id}, {release}, {by}, {now}, {applied_at}, {duration_ms}, {down_sql}, \
             {separated}, {transaction}, {adopted_from})",
            name = self.text(&record.name),
            kind = self.text(record.kind),
            state = self.text(state.id()),
            checksum = self.text(record.checksum.as_str()),
            breaks_older = self.text(record.breaks_older.id()),
            sequence = record.sequence,
            run_id = record.run_id,
            release = self.optional(record.release.as_deref()),
            by = self.text(&record.by),
            now = self.now(),
            applied_at = if state == State::Applied { self.now() } else { "NULL" },
            down_sql = self.optional(down.map(|down| down.sql.as_str())),
            separated = flag(down.is_some_and(|down| down.separated)),
            transaction = flag(down.is_none_or(|down| down.transaction)),
            adopted_from = self.optional(record.adopted_from.as_deref()),
        )
    }

    /// Writes that an applied migration is being taken back, statement by statement.
    pub fn reverting_sql(&self, version: &Version) -> String {
        format!(
            "UPDATE {} SET state = 'reverting' WHERE version = {}",
            self.table("migration"),
            self.text(version.as_str())
        )
    }

    /// Takes [`Journal::reverting_sql`] back: nothing of it was done.
    pub fn still_applied_sql(&self, version: &Version) -> String {
        format!(
            "UPDATE {} SET state = 'applied' WHERE version = {}",
            self.table("migration"),
            self.text(version.as_str())
        )
    }

    /// Writes that a migration is applied as a whole, after a person has said so.
    pub fn settled_sql(&self, version: &Version) -> String {
        let version = self.text(version.as_str());
        format!(
            "DELETE FROM {} WHERE version = {version};UPDATE {} SET state = 'applied', \
             applied_at = COALESCE(applied_at, {}) WHERE version = {version}",
            self.table("statement"),
            self.table("migration"),
            self.now()
        )
    }

    /// Writes that a migration is not applied any more.
    pub fn reverted_sql(&self, version: &Version) -> String {
        let version = self.text(version.as_str());
        format!(
            "DELETE FROM {} WHERE version = {version};DELETE FROM {} WHERE version = {version}",
            self.table("statement"),
            self.table("migration")
        )
    }

    /// Writes what a migration's text is now, after a person has said that the edit is right.
    pub fn accept_edit_sql(&self, version: &Version, checksum: &Checksum) -> String {
        format!(
            "UPDATE {} SET checksum = {} WHERE version = {}",
            self.table("migration"),
            self.text(checksum.as_str()),
            self.text(version.as_str())
        )
    }

    /// Writes that a statement is about to be run outside a transaction.
    pub fn intent_sql(&self, row: &StatementRow) -> String {
        self.statement_sql(row, "intent", &self.optional(row.before.as_deref()))
    }

    /// Writes that a statement was run.
    pub fn outcome_sql(&self, row: &StatementRow) -> String {
        self.statement_sql(row, "done", &self.optional(row.before.as_deref()))
    }

    /// Writes how far a statement that runs in parts has come: `row.before` is its cursor.
    pub fn part_sql(&self, row: &StatementRow) -> String {
        self.statement_sql(row, PART, &self.optional(row.before.as_deref()))
    }

    /// Writes that a statement was run, with the value of an expression instead of `before`.
    pub fn outcome_with_sql(&self, row: &StatementRow, expression: &str) -> String {
        self.statement_sql(row, "done", expression)
    }

    /// Marks the intent in the transaction in which its statement will run: whatever the statement commits by itself
    /// commits the mark too.
    pub fn mark_sql(&self, version: &Version, ordinal: usize) -> String {
        format!(
            "UPDATE {} SET state = {} WHERE version = {} AND ordinal = {ordinal}",
            self.table("statement"),
            self.text(MARKED),
            self.text(version.as_str())
        )
    }

    fn statement_sql(&self, row: &StatementRow, state: &str, before: &str) -> String {
        let table = self.table("statement");
        let version = self.text(row.version.as_str());
        format!(
            "DELETE FROM {table} WHERE version = {version} AND ordinal = {ordinal};\
             INSERT INTO {table} (version, ordinal, state, checksum, before_it, backend_pid, backend_started, \
             started_at) VALUES ({version}, {ordinal}, {state}, {checksum}, {before}, {pid}, {started}, {now})",
            ordinal = row.ordinal,
            state = self.text(state),
            checksum = self.text(&row.checksum),
            pid = row.backend.pid,
            started = self.text(&row.backend.started),
            now = self.now(),
        )
    }

    /// Takes back that a statement was about to be run: it surely was not.
    pub fn forget_intent_sql(&self, version: &Version, ordinal: usize) -> String {
        format!(
            "DELETE FROM {} WHERE version = {} AND ordinal = {ordinal} AND state <> 'done'",
            self.table("statement"),
            self.text(version.as_str())
        )
    }

    /// The down that is stored for `version`.
    pub async fn stored_down(
        &self,
        session: &mut dyn Session,
        version: &Version,
    ) -> Result<Option<StoredDown>, JournalError> {
        let sql = format!(
            "SELECT down_sql, down_separated, down_transaction FROM {} WHERE version = {}",
            self.table("migration"),
            self.text(version.as_str())
        );
        let rows = session.query(&sql).await?;
        Ok(rows.first().and_then(|row| {
            let sql = row.get(0)?.to_owned();
            Some(StoredDown { sql, separated: row.is_true(1), transaction: row.is_true(2) })
        }))
    }
}

fn applied(row: &Row) -> Result<Applied, String> {
    let state = match row.text(4) {
        "applied" => State::Applied,
        "applying" => State::Applying,
        "reverting" => State::Reverting,
        other => return Err(format!("migration {} has the unknown state `{other}`", row.text(1))),
    };
    Ok(Applied {
        version: Version::new(row.text(1)),
        name: row.text(2).to_owned(),
        kind: row.text(3).to_owned(),
        state,
        checksum: Checksum::stored(row.text(5)),
        breaks_older: match row.text(6) {
            "yes" => BreaksOlder::Yes,
            "no" => BreaksOlder::No,
            _ => BreaksOlder::Unknown,
        },
        sequence: row.number(7).unwrap_or(0),
        run_id: row.number(8).unwrap_or(0),
        applied_at: row.text(9).to_owned(),
        duration_ms: row.number(10).unwrap_or(0),
        release: row.get(11).map(str::to_owned),
        applied_by: row.text(12).to_owned(),
        has_down: row.is_true(13),
        adopted_from: row.get(14).map(str::to_owned),
    })
}

fn statement(row: &Row) -> StatementRow {
    StatementRow {
        version: Version::new(row.text(1)),
        ordinal: row.number(2).and_then(|number| usize::try_from(number).ok()).unwrap_or(0),
        done: row.text(3) == "done",
        marked: row.text(3) == MARKED,
        in_parts: row.text(3) == PART,
        checksum: row.text(4).to_owned(),
        before: row.get(5).map(str::to_owned),
        backend: Backend { pid: row.number(6).unwrap_or(0), started: row.text(7).to_owned() },
    }
}

fn open_run(row: &Row) -> OpenRun {
    OpenRun {
        id: row.number(1).unwrap_or(0),
        command: row.text(2).to_owned(),
        by: row.text(3).to_owned(),
        backend: Backend { pid: row.number(4).unwrap_or(0), started: row.text(5).to_owned() },
        silent_s: row.number(6).unwrap_or(0),
        started_at: row.text(7).to_owned(),
        activity: row.get(8).and_then(Activity::from_text),
    }
}
