//! SQLite: the embedded engine, with a file lock around the run.

use super::error::{self, DbError, DbErrorClass, FENCE};
use super::session::{
    Backend, Begin, Blocker, ConnectOptions, DatabaseSettings, Engine, Finding, Identity, LockKey, Row,
    Session, Transaction, Watched, Watcher,
};
use super::url::DatabaseUrl;
use crate::dialect::Dialect;
use crate::sql::lex::significant;
use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{
    AssertSqlSafe, Column as _, Connection, Executor, Row as _, SqlSafeStr as _, Statement as _,
    TypeInfo as _, ValueRef as _,
};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const DIALECT: Dialect = Dialect::Sqlite;

/// The engine.
pub struct SqliteEngine;

#[async_trait]
impl Engine for SqliteEngine {
    fn dialect(&self) -> Dialect {
        DIALECT
    }

    fn schemes(&self) -> &'static [&'static str] {
        &["sqlite", "sqlite3"]
    }

    async fn connect(
        &self,
        url: &DatabaseUrl,
        options: &ConnectOptions,
    ) -> Result<Box<dyn Session>, DbError> {
        Ok(Box::new(SqliteSession::open(url, options).await?))
    }

    async fn watch(
        &self,
        _url: &DatabaseUrl,
        _options: &ConnectOptions,
        watched: Watched,
    ) -> Result<Box<dyn Watcher>, DbError> {
        Ok(Box::new(SqliteWatcher { stop: watched.stop }))
    }

    fn begin_sql(&self, _options: &Begin) -> String {
        "BEGIN IMMEDIATE; SAVEPOINT twostep".to_owned()
    }

    async fn create_database(
        &self,
        url: &DatabaseUrl,
        options: &ConnectOptions,
        settings: &DatabaseSettings,
    ) -> Result<bool, DbError> {
        if settings.roles.is_some() || settings.owner.is_some() {
            return Err(DbError::new(
                DbErrorClass::Statement,
                "SQLite has no roles: the file's own rights hold",
            ));
        }
        if Path::new(url.database()).exists() {
            return Ok(false);
        }
        let options = ConnectOptions { create_if_missing: true, ..options.clone() };
        let mut session = SqliteSession::open(url, &options).await?;
        // A file is only written with the first change; VACUUM writes the header of an empty database.
        session.run("VACUUM").await?;
        Box::new(session).close().await;
        Ok(true)
    }

    async fn drop_database(&self, url: &DatabaseUrl, _options: &ConnectOptions) -> Result<bool, DbError> {
        let path = Path::new(url.database());
        if !path.exists() {
            return Ok(false);
        }
        let failed = |path: &Path, error: std::io::Error| {
            DbError::new(DbErrorClass::PermissionDenied, format!("cannot remove {}: {error}", path.display()))
        };
        std::fs::remove_file(path).map_err(|error| failed(path, error))?;
        for suffix in ["-wal", "-shm", "-journal", LOCK_SUFFIX] {
            let beside = beside(path, suffix);
            match std::fs::remove_file(&beside) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(failed(&beside, error));
                }
                _ => {}
            }
        }
        Ok(true)
    }
}

/// What the lock's file is called, behind the name of the database's file.
const LOCK_SUFFIX: &str = ".twostep-lock";

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// A connection to an SQLite file.
struct SqliteSession {
    connection: SqliteConnection,
    path: Option<PathBuf>,
    read_only: bool,
    /// Whether the URL itself says that it is.
    wants_no_writes: bool,
    connect: SqliteConnectOptions,
    /// Whether a statement may have left the connection another one than it was opened.
    touched: bool,
    /// The lock is held as long as this is open.
    lock: Option<File>,
    stop: Arc<AtomicBool>,
    /// Rows that broke a foreign key when the open transaction began, as far as SQLite could tell.
    broken_before: Option<String>,
}

impl SqliteSession {
    async fn open(url: &DatabaseUrl, options: &ConnectOptions) -> Result<Self, DbError> {
        let file = (!url.is_memory()).then(|| PathBuf::from(url.database()));
        let exists = file.as_deref().is_none_or(Path::exists);
        if let Some(why) = file.as_deref().and_then(no_place_for_a_file) {
            return Err(DbError::new(DbErrorClass::Refused, why));
        }
        if !exists && (!options.create_if_missing || url.is_read_only()) {
            return Err(DbError::new(DbErrorClass::Missing, format!("there is no file {}", url.database())));
        }
        let connect = SqliteConnectOptions::from_str(url.expose()).map_err(from_sqlx)?;
        let read_only = options.read_only
            || url.is_read_only()
            || file.as_deref().is_some_and(|path| exists && is_read_only(path));
        let connect = connect
            .create_if_missing(options.create_if_missing && !read_only)
            .read_only(read_only)
            .foreign_keys(false)
            .busy_timeout(Duration::from_millis(500));
        let stop = Arc::new(AtomicBool::new(false));
        let connection = connected(&connect, &stop).await.map_err(|mut error| {
            error.message = format!("{}: {}", url.database(), error.message);
            error
        })?;
        let wants_no_writes = url.is_read_only();
        Ok(Self {
            connection,
            path: file,
            read_only,
            wants_no_writes,
            connect,
            touched: false,
            lock: None,
            stop,
            broken_before: None,
        })
    }

    /// The number of rows that break a foreign key, or why SQLite cannot tell (a key that names no unique column).
    async fn broken_keys(&mut self) -> Result<String, DbError> {
        match self.query("SELECT count(*) FROM pragma_foreign_key_check").await {
            Ok(rows) => Ok(rows.first().map(|row| row.text(0).to_owned()).unwrap_or_default()),
            Err(error) if error.class == DbErrorClass::Statement => Ok(error.message),
            Err(error) => Err(error),
        }
    }
}

/// Opens a connection that ends its statement soon after `stop` is set.
async fn connected(
    options: &SqliteConnectOptions,
    stop: &Arc<AtomicBool>,
) -> Result<SqliteConnection, DbError> {
    let mut connection = SqliteConnection::connect_with(options).await.map_err(from_sqlx)?;
    let asked = stop.clone();
    // Asked every few thousand steps of SQLite's virtual machine: a statement ends within milliseconds of it.
    let mut handle = connection.lock_handle().await.map_err(from_sqlx)?;
    handle.set_progress_handler(4_000, move || !asked.load(Ordering::Relaxed));
    drop(handle);
    Ok(connection)
}

/// Whether a connection may be another one behind `sql`: a PRAGMA, an attached file, a temporary object.
fn outlives_its_migration(sql: &str) -> bool {
    let words = ["pragma", "attach", "detach", "temp", "temporary"];
    let is_one = |text: &str| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    significant(sql, DIALECT).any(|token| is_one(token.text(sql)))
}

/// Why no file can be at `path`, in words that are clearer than SQLite's.
fn no_place_for_a_file(path: &Path) -> Option<String> {
    if path.is_dir() {
        return Some(format!("{} is a folder, and the database is a file", path.display()));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty())?;
    (!folder.exists()).then(|| format!("there is no folder {}", folder.display()))
}

/// Whether the file or its folder refuses writes: SQLite itself would only say so in the middle of the run.
fn is_read_only(path: &Path) -> bool {
    match File::options().write(true).open(path) {
        Ok(_) => false,
        Err(error) => {
            matches!(
                error.kind(),
                std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem
            )
        }
    }
}

fn from_sqlx(error: sqlx::Error) -> DbError {
    error::from_sqlx(error, |inner| {
        let code = inner.code().map(|code| code.into_owned());
        let number: i32 = code.as_deref().and_then(|code| code.parse().ok()).unwrap_or(1);
        DbError {
            class: class_of(number, inner.message()),
            code,
            message: inner.message().to_owned(),
            notes: Vec::new(),
            offset: None,
        }
    })
}

/// Result codes: <https://www.sqlite.org/rescode.html>; the low byte is the primary one.
fn class_of(code: i32, message: &str) -> DbErrorClass {
    match code & 0xff {
        5 | 6 => DbErrorClass::Contention,
        9 => DbErrorClass::Cancelled,
        3 | 23 => DbErrorClass::PermissionDenied,
        8 => DbErrorClass::ReadOnly,
        7 | 10 | 13 => DbErrorClass::Resources,
        11 | 14 | 26 => DbErrorClass::Refused,
        1 if message.starts_with("no such table") || message.starts_with("no such column") => {
            DbErrorClass::Missing
        }
        _ => DbErrorClass::Statement,
    }
}

fn text_row(row: &sqlx::sqlite::SqliteRow) -> Result<Row, sqlx::Error> {
    (0..row.len())
        .map(|index| {
            let value = row.try_get_raw(index)?;
            if value.is_null() {
                return Ok(None);
            }
            let kind = value.type_info().name().to_owned();
            Ok(Some(match kind.as_str() {
                "INTEGER" | "BOOLEAN" => row.try_get_unchecked::<i64, _>(index)?.to_string(),
                "REAL" => row.try_get_unchecked::<f64, _>(index)?.to_string(),
                "BLOB" => crate::name::hex(&row.try_get_unchecked::<Vec<u8>, _>(index)?),
                _ => row.try_get_unchecked::<String, _>(index)?,
            }))
        })
        .collect::<Result<Vec<_>, _>>()
        .map(Row)
}

#[async_trait]
impl Session for SqliteSession {
    fn dialect(&self) -> Dialect {
        DIALECT
    }

    fn watched(&self) -> Watched {
        let backend = Backend { pid: i64::from(std::process::id()), started: String::new() };
        Watched { backend, stop: self.stop.clone() }
    }

    async fn prepare_to_write(&mut self) -> Result<(), DbError> {
        Ok(())
    }

    async fn identity(&mut self) -> Result<Identity, DbError> {
        let rows = self.query("SELECT sqlite_version()").await?;
        let version = rows.first().map(|row| row.text(0).to_owned()).unwrap_or_default();
        let mut parts = version.split('.').filter_map(|part| part.parse::<i64>().ok());
        let version_number = parts.next().unwrap_or(0) * 1000 + parts.next().unwrap_or(0);
        let path =
            self.path.as_ref().map_or_else(|| ":memory:".to_owned(), |path| path.display().to_string());
        Ok(Identity {
            version: format!("SQLite {version}"),
            version_number,
            read_only: self.read_only.then(|| match self.wants_no_writes {
                true => "the URL says so itself".to_owned(),
                false => format!("the file {path} cannot be written by this user"),
            }),
            database: path,
            user: String::new(),
            backend: Backend { pid: i64::from(std::process::id()), started: String::new() },
        })
    }

    async fn run(&mut self, sql: &str) -> Result<u64, DbError> {
        self.touched = self.touched || outlives_its_migration(sql);
        self.connection
            .execute(sqlx::raw_sql(AssertSqlSafe(sql)))
            .await
            .map(|done| done.rows_affected())
            .map_err(from_sqlx)
    }

    async fn query(&mut self, sql: &str) -> Result<Vec<Row>, DbError> {
        let rows = self.connection.fetch_all(sqlx::raw_sql(AssertSqlSafe(sql))).await.map_err(from_sqlx)?;
        rows.iter().map(text_row).collect::<Result<_, _>>().map_err(from_sqlx)
    }

    async fn describe(&mut self, sql: &str) -> Result<Vec<(String, String)>, DbError> {
        self.connection.clear_cached_statements().await.map_err(from_sqlx)?;
        let prepared = self.connection.prepare(AssertSqlSafe(sql).into_sql_str()).await;
        let statement = prepared.map_err(from_sqlx)?;
        let column = |column: &sqlx::sqlite::SqliteColumn| {
            (column.name().to_owned(), column.type_info().name().to_owned())
        };
        Ok(statement.columns().iter().map(column).collect())
    }

    async fn copy_in(
        &mut self,
        _statement: &str,
        _rows: &mut (dyn Iterator<Item = std::io::Result<Vec<u8>>> + Send),
    ) -> Result<u64, DbError> {
        Err(DbError::new(DbErrorClass::Statement, "SQLite has no COPY"))
    }

    async fn try_lock(&mut self, _key: &LockKey) -> Result<bool, DbError> {
        let Some(path) = &self.path else { return Ok(true) };
        if self.read_only {
            let message = format!("{} is read-only for this user", path.display());
            return Err(DbError::new(DbErrorClass::ReadOnly, message));
        }
        let path = beside(path, LOCK_SUFFIX);
        let failed = |what: &str, error: std::io::Error| {
            DbError::new(DbErrorClass::PermissionDenied, format!("cannot {what} {}: {error}", path.display()))
        };
        // The file stays: removing it would let a third process lock a file that the second one still waits for.
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|error| failed("open the lock file", error))?;
        match file.try_lock() {
            Ok(()) => {
                self.lock = Some(file);
                Ok(true)
            }
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(failed("lock", error)),
        }
    }

    async fn lock_holder(&mut self, _key: &LockKey) -> Result<Option<Blocker>, DbError> {
        // An operating system lock does not tell its holder; the journal's open run does.
        Ok(None)
    }

    async fn unlock(&mut self, _key: &LockKey) -> Result<bool, DbError> {
        Ok(self.path.is_none() || self.lock.take().is_some())
    }

    async fn end_backend(&mut self, _backend: &Backend) -> Result<bool, DbError> {
        Ok(false)
    }

    async fn begin(&mut self, options: Begin) -> Result<Transaction, DbError> {
        if options.fresh {
            self.reset().await?;
        }
        self.broken_before = Some(self.broken_keys().await?);
        let sql = SqliteEngine.begin_sql(&options);
        self.run(&sql).await?;
        Ok(Transaction { token: "twostep".to_owned() })
    }

    async fn set_lock_timeout(&mut self, _lock_timeout: Duration) -> Result<(), DbError> {
        // BEGIN IMMEDIATE took the only lock that there is.
        Ok(())
    }

    async fn commit(
        &mut self,
        transaction: &Transaction,
        _key: &LockKey,
        journal: &str,
    ) -> Result<(), DbError> {
        // The savepoint is gone if the migration has ended the transaction.
        if let Err(error) = self.run(&format!("RELEASE {}", transaction.token)).await {
            return Err(DbError::new(DbErrorClass::Statement, format!("{FENCE}: {error}")));
        }
        let after = self.broken_keys().await?;
        if self.broken_before.as_ref().is_some_and(|before| *before != after) && after != "0" {
            return Err(DbError::new(DbErrorClass::Statement, self.broken_key_message().await?));
        }
        self.run(&format!("{journal};COMMIT")).await.map(drop)
    }

    async fn rollback(&mut self) -> Result<(), DbError> {
        self.stop.store(false, Ordering::Relaxed);
        match self.run("ROLLBACK").await {
            Ok(_) => Ok(()),
            // SQLite itself ended it, as some errors make it do: https://www.sqlite.org/lang_transaction.html
            Err(error) if error.message.contains("no transaction is active") => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn reset(&mut self) -> Result<(), DbError> {
        if self.touched && self.path.is_some() {
            // A lock that the old connection would keep ends with the next read.
            self.run("PRAGMA locking_mode = NORMAL; SELECT 1 FROM sqlite_schema LIMIT 1").await?;
            let anew = connected(&self.connect, &self.stop).await?;
            let before = std::mem::replace(&mut self.connection, anew);
            before.close().await.map_err(from_sqlx)?;
        }
        // Foreign keys are off while tables are rebuilt, or DROP TABLE would delete the rows that refer to it
        // (https://www.sqlite.org/lang_altertable.html#otheralter); `commit` looks for broken ones instead.
        self.run(
            "PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = OFF; PRAGMA recursive_triggers = OFF",
        )
        .await?;
        self.touched = false;
        Ok(())
    }

    async fn before_alone(&mut self, _sql: &str) -> Result<Option<String>, DbError> {
        Ok(None)
    }

    async fn after_alone(&mut self, _sql: &str, _before: Option<&str>) -> Result<Finding, DbError> {
        // VACUUM, PRAGMA, ATTACH and DETACH, the only statements that SQLite keeps out of transactions, may all be
        // run again: https://www.sqlite.org/lang.html
        Ok(Finding::NotDone)
    }

    async fn clear_alone(&mut self, _sql: &str, _before: Option<&str>) -> Result<(), DbError> {
        self.stop.store(false, Ordering::Relaxed);
        Ok(())
    }

    async fn doubt_alone(
        &mut self,
        _sql: &str,
        _before: Option<&str>,
    ) -> Result<Option<(String, String)>, DbError> {
        Ok(None)
    }

    async fn close(self: Box<Self>) {
        // The file is closed with the process anyway.
        let _ = self.connection.close().await;
    }
}

impl SqliteSession {
    async fn broken_key_message(&mut self) -> Result<String, DbError> {
        let rows =
            self.query("SELECT \"table\", rowid, parent FROM pragma_foreign_key_check LIMIT 3").await?;
        let examples: Vec<String> = rows
            .iter()
            .map(|row| format!("`{}` row {} has no row in `{}`", row.text(0), row.text(1), row.text(2)))
            .collect();
        Ok(format!("the migration leaves rows that break a foreign key: {}", examples.join("; ")))
    }
}

/// Stops the session's statement through SQLite's progress handler.
struct SqliteWatcher {
    stop: Arc<AtomicBool>,
}

#[async_trait]
impl Watcher for SqliteWatcher {
    async fn cancel(&mut self) -> Result<(), DbError> {
        self.stop.store(true, Ordering::Relaxed);
        Ok(())
    }

    async fn blockers(&mut self) -> Result<Vec<Blocker>, DbError> {
        Ok(Vec::new())
    }

    async fn holders(&mut self, _relation: &str, _mode: &str) -> Result<Vec<Blocker>, DbError> {
        Ok(Vec::new())
    }

    async fn run(&mut self, _sql: &str) -> Result<u64, DbError> {
        // A second writer would have to wait for the run itself.
        Ok(0)
    }

    async fn pooler_seen(&mut self, _session: &mut dyn Session) -> Result<Option<String>, DbError> {
        Ok(None)
    }

    async fn close(self: Box<Self>) {}
}
