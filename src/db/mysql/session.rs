//! A connection to MySQL or MariaDB that runs migrations as the plain client would.

use super::alone;
use super::error::{at_connecting, from_sqlx};
use super::leftovers::{Leftovers, Variables};
use super::server;
use crate::db::error::{DbError, DbErrorClass, FENCE};
use crate::db::session::{
    Backend, Begin, Blocker, ConnectOptions, Engine as _, Finding, Identity, LockKey, Row, Session,
    Transaction, Watched,
};
use crate::db::url::{DatabaseUrl, plain_host};
use crate::dialect::Dialect;
use crate::engine;
use crate::name::{Name, literal};
use async_trait::async_trait;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{
    AssertSqlSafe, Column as _, Connection, Executor, Row as _, SqlSafeStr as _, Statement as _,
    TypeInfo as _,
};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

pub(super) const DIALECT: Dialect = Dialect::Mysql;

/// The savepoint at the start of a transaction: it is gone when a statement has committed.
pub(super) const SAVEPOINT: &str = "twostep";

/// The token of a "transaction" that stands for one of the second connection.
const BESIDE: &str = "beside";

/// A connection.
pub(super) struct MysqlSession {
    connection: MySqlConnection,
    connect: MySqlConnectOptions,
    /// A second connection, for the journal while `LOCK TABLES` holds.
    beside: Option<MySqlConnection>,
    database: String,
    role: Option<Name>,
    identity: Option<Identity>,
    leftovers: Leftovers,
    /// Tables whose rows a rollback does not take back, as long as no other statement may have made one.
    pub(super) other_engines: Option<Vec<String>>,
    /// The lock timeouts that are set, in seconds.
    lock_timeouts: Option<(u64, u64)>,
}

impl MysqlSession {
    pub(super) async fn open(url: &DatabaseUrl, options: &ConnectOptions) -> Result<Self, DbError> {
        let redacted = |error: sqlx::Error| {
            let mut error = at_connecting(error);
            error.message = url.redact(&error.message);
            error
        };
        // The driver's own modes and time zone would make other tables and rows than the plain client.
        let connect = MySqlConnectOptions::from_str(url.expose())
            .map_err(redacted)?
            .statement_cache_capacity(0)
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .timezone(None);
        let connect = match plain_host(connect.get_host()).map(str::to_owned) {
            Some(host) => connect.host(&host),
            None => connect,
        };
        let attempt =
            tokio::time::timeout(options.connect_timeout, MySqlConnection::connect_with(&connect)).await;
        let connection = match attempt {
            Ok(connected) => connected.map_err(redacted)?,
            Err(_) => {
                return Err(DbError::new(
                    DbErrorClass::Unreachable,
                    format!("no answer within {} s", options.connect_timeout.as_secs()),
                ));
            }
        };
        Ok(Self {
            connection,
            connect,
            beside: None,
            database: url.database().to_owned(),
            role: options.role.as_ref().map(Name::new),
            identity: None,
            leftovers: Leftovers::default(),
            other_engines: None,
            lock_timeouts: None,
        })
    }

    pub(super) fn database(&self) -> &str {
        &self.database
    }

    /// Sends `sql` as it is.
    pub(super) async fn send(&mut self, sql: &str) -> Result<u64, DbError> {
        send(&mut self.connection, sql).await
    }

    /// Asks for rows.
    pub(super) async fn ask(&mut self, sql: &str) -> Result<Vec<Row>, DbError> {
        ask(&mut self.connection, sql).await
    }

    /// Asks the catalog on a connection whose settings are always the same: a migration's `sql_mode` would show other
    /// definitions, and behind its `LOCK TABLES` nothing else can be seen.
    pub(super) async fn ask_catalog(&mut self, sql: &str) -> Result<Vec<Row>, DbError> {
        ask(self.beside().await?, sql).await
    }

    async fn beside(&mut self) -> Result<&mut MySqlConnection, DbError> {
        if self.beside.is_none() {
            let mut opened = MySqlConnection::connect_with(&self.connect).await.map_err(at_connecting)?;
            // Only the end of somebody else's change can keep a look waiting.
            let role = self.role_sql();
            send(&mut opened, &format!("SET SESSION lock_wait_timeout = 60, wait_timeout = 86400{role}"))
                .await?;
            self.beside = Some(opened);
        }
        Ok(self.beside.as_mut().expect("it was opened just now"))
    }

    /// `;SET ROLE …`, or nothing.
    fn role_sql(&self) -> String {
        self.role.as_ref().map_or_else(String::new, |role| format!(";SET ROLE {}", role.quoted(DIALECT)))
    }

    /// The database in which the session looks up names without one.
    pub(super) async fn current_database(&mut self) -> Result<String, DbError> {
        if !self.leftovers.uses_another_database() {
            return Ok(self.database.clone());
        }
        let rows = self.ask("SELECT DATABASE()").await?;
        Ok(rows.first().map(|row| row.text(0).to_owned()).unwrap_or_default())
    }

    async fn variables(&mut self) -> Result<Variables, DbError> {
        let rows = self.ask("SHOW SESSION VARIABLES").await?;
        Ok(rows.iter().map(|row| (row.text(0).to_owned(), row.text(1).to_owned())).collect())
    }

    /// Whether it is MariaDB; [`Session::identity`] has been asked.
    pub(super) fn is_mariadb(&self) -> bool {
        self.identity.as_ref().is_some_and(|identity| identity.version.starts_with("MariaDB"))
    }

    /// Sets how many seconds to wait for a lock on a table, and for one on a row.
    pub(super) async fn wait_for_locks(&mut self, table_s: u64, row_s: u64) -> Result<(), DbError> {
        if self.lock_timeouts != Some((table_s, row_s)) {
            self.send(&lock_timeouts_sql(table_s, row_s)).await?;
            self.lock_timeouts = Some((table_s, row_s));
        }
        Ok(())
    }
}

/// The server counts in whole seconds, from one.
pub(super) fn seconds(time: Duration) -> u64 {
    time.as_millis().div_ceil(1000).max(1).try_into().unwrap_or(u64::MAX)
}

pub(super) fn lock_timeouts_sql(table_s: u64, row_s: u64) -> String {
    format!("SET SESSION lock_wait_timeout = {table_s}, innodb_lock_wait_timeout = {row_s}")
}

/// The name of the run's lock: names are the whole server's, and at most 64 characters long
/// (<https://dev.mysql.com/doc/refman/8.4/en/locking-functions.html>). Databases that differ in case may be one.
pub(super) fn lock_name(database: &str, key: &LockKey) -> String {
    let of_both = LockKey { journal: format!("{}/{}", database.to_lowercase(), key.journal) };
    format!("twostep:{:016x}", of_both.number())
}

async fn send(connection: &mut MySqlConnection, sql: &str) -> Result<u64, DbError> {
    connection
        .execute(sqlx::raw_sql(AssertSqlSafe(sql)))
        .await
        .map(|done| done.rows_affected())
        .map_err(|error| from_sqlx(error, sql))
}

async fn ask(connection: &mut MySqlConnection, sql: &str) -> Result<Vec<Row>, DbError> {
    let rows = connection
        .fetch_all(sqlx::raw_sql(AssertSqlSafe(sql)))
        .await
        .map_err(|error| from_sqlx(error, sql))?;
    rows.iter().map(text_row).collect::<Result<_, _>>().map_err(|error| from_sqlx(error, sql))
}

fn text_row(row: &sqlx::mysql::MySqlRow) -> Result<Row, sqlx::Error> {
    (0..row.len())
        .map(|index| {
            let bytes = row.try_get_unchecked::<Option<Vec<u8>>, _>(index)?;
            Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
        })
        .collect::<Result<Vec<_>, _>>()
        .map(Row)
}

/// A SELECT that fails where the run's lock is not that of the connection `holder`.
fn fence_sql(lock: &str, holder: &str) -> String {
    // A subquery that gives two rows where one value must stand fails (1242), and only when it is needed.
    format!("SELECT IF(IS_USED_LOCK({lock}) <=> {holder}, 0, (SELECT 1 UNION ALL SELECT 2))")
}

fn as_fence(error: DbError) -> DbError {
    let is_fence = match error.code.as_deref() {
        Some("1242") => true,
        Some("1305") => error.message.contains(SAVEPOINT),
        _ => false,
    };
    if is_fence { DbError::new(DbErrorClass::Statement, FENCE) } else { error }
}

#[async_trait]
impl Session for MysqlSession {
    fn dialect(&self) -> Dialect {
        DIALECT
    }

    fn watched(&self) -> Watched {
        let backend = self.identity.as_ref().map(|identity| identity.backend.clone());
        Watched {
            backend: backend.unwrap_or(Backend { pid: 0, started: String::new() }),
            stop: Arc::default(),
        }
    }

    async fn prepare_to_write(&mut self) -> Result<(), DbError> {
        // The driver asks for IGNORE_SPACE, which makes reserved words of the names of functions and is kept with
        // every routine: only where the server itself has it. Limits that are meant for requests do not hold for
        // migrations; and while a program of a migration works, our connection may be idle for long.
        self.identity().await?;
        let limit = if self.is_mariadb() { "max_statement_time" } else { "max_execution_time" };
        let role = self.role_sql();
        self.send(&format!(
            "SET SESSION {limit} = 0, wait_timeout = 86400, sql_mode = IF(FIND_IN_SET('IGNORE_SPACE', \
             @@GLOBAL.sql_mode), @@SESSION.sql_mode, TRIM(BOTH ',' FROM REPLACE(CONCAT(',', @@SESSION.sql_mode, ','), \
             ',IGNORE_SPACE,', ','))){role}"
        ))
        .await
        .map(drop)
    }

    async fn identity(&mut self) -> Result<Identity, DbError> {
        if let Some(identity) = &self.identity {
            return Ok(identity.clone());
        }
        let rows = self
            .ask(
                "SELECT VERSION(), DATABASE(), CURRENT_USER(), CONNECTION_ID(), UNIX_TIMESTAMP();\
                 SHOW GLOBAL VARIABLES WHERE variable_name IN ('read_only', 'super_read_only', 'innodb_read_only');\
                 SHOW SESSION VARIABLES WHERE variable_name IN \
                 ('tx_read_only', 'transaction_read_only', 'wsrep_on');\
                 SHOW GLOBAL STATUS LIKE 'Uptime'",
            )
            .await?;
        let first = rows
            .first()
            .ok_or_else(|| DbError::new(DbErrorClass::ConnectionLost, "the server gave no row"))?;
        let identity = server::identity(first, &rows[1..]);
        self.identity = Some(identity.clone());
        Ok(identity)
    }

    async fn run(&mut self, sql: &str) -> Result<u64, DbError> {
        if self.leftovers.needs_variables(sql) {
            let variables = self.variables().await?;
            self.leftovers.remember(variables);
        }
        self.leftovers.note(sql);
        if !engine::touches_rows_only(sql, DIALECT) {
            self.other_engines = None;
        }
        self.send(sql).await
    }

    async fn query(&mut self, sql: &str) -> Result<Vec<Row>, DbError> {
        self.ask(sql).await
    }

    async fn describe(&mut self, sql: &str) -> Result<Vec<(String, String)>, DbError> {
        let prepared = self.connection.prepare(AssertSqlSafe(sql).into_sql_str()).await;
        let statement = prepared.map_err(|error| from_sqlx(error, sql))?;
        let column = |column: &sqlx::mysql::MySqlColumn| {
            (column.name().to_owned(), column.type_info().name().to_owned())
        };
        Ok(statement.columns().iter().map(column).collect())
    }

    async fn copy_in(
        &mut self,
        _statement: &str,
        _rows: &mut (dyn Iterator<Item = std::io::Result<Vec<u8>>> + Send),
    ) -> Result<u64, DbError> {
        Err(DbError::new(DbErrorClass::Statement, "MySQL and MariaDB have no COPY"))
    }

    async fn try_lock(&mut self, key: &LockKey) -> Result<bool, DbError> {
        let lock = literal(&lock_name(&self.database, key), DIALECT);
        let rows = self.ask(&format!("SELECT GET_LOCK({lock}, 0)")).await?;
        match rows.first().and_then(|row| row.number(0)) {
            Some(taken) => Ok(taken == 1),
            None => Err(DbError::new(DbErrorClass::Resources, "the server could not take a lock by name")),
        }
    }

    async fn lock_holder(&mut self, key: &LockKey) -> Result<Option<Blocker>, DbError> {
        let lock = literal(&lock_name(&self.database, key), DIALECT);
        let rows = self.ask(&format!("SELECT IS_USED_LOCK({lock})")).await?;
        let Some(holder) = rows.first().and_then(|row| row.number(0)) else { return Ok(None) };
        let processes = self.ask("SHOW FULL PROCESSLIST").await?;
        let found = processes.iter().find(|row| row.number(0) == Some(holder));
        // Without the PROCESS privilege the sessions of other accounts are not shown.
        Ok(Some(found.map_or_else(|| super::watcher::hidden(holder), super::watcher::blocker)))
    }

    async fn idle_holder(&mut self, key: &LockKey, idle: Duration) -> Result<Option<Backend>, DbError> {
        let lock = literal(&lock_name(&self.database, key), DIALECT);
        let rows = self.ask(&format!("SELECT IS_USED_LOCK({lock})")).await?;
        let Some(holder) = rows.first().and_then(|row| row.number(0)) else { return Ok(None) };
        let now = self.ask("SELECT UNIX_TIMESTAMP(); SHOW GLOBAL STATUS LIKE 'Uptime'").await?;
        let processes = self.ask("SHOW FULL PROCESSLIST").await?;
        let is_idle = |row: &&Row| {
            row.number(0) == Some(holder)
                && row.text(4) == "Sleep"
                && row.number(5).and_then(|age| u64::try_from(age).ok()) >= Some(idle.as_secs())
        };
        let found = processes.iter().any(|row| is_idle(&row));
        Ok(found.then(|| Backend { pid: holder, started: server::started(&now) }))
    }

    async fn unlock(&mut self, key: &LockKey) -> Result<bool, DbError> {
        let lock = literal(&lock_name(&self.database, key), DIALECT);
        let rows = self.ask(&format!("SELECT RELEASE_LOCK({lock})")).await?;
        Ok(rows.first().is_some_and(|row| row.is_true(0)))
    }

    async fn end_backend(&mut self, backend: &Backend) -> Result<bool, DbError> {
        // Numbers of connections are given out once in the life of a server process.
        let now = self.ask("SELECT UNIX_TIMESTAMP(); SHOW GLOBAL STATUS LIKE 'Uptime'").await?;
        if !server::is_same(&server::started(&now), &backend.started) {
            return Ok(false);
        }
        let processes = self.ask("SHOW FULL PROCESSLIST").await?;
        let Some(row) = processes.iter().find(|row| row.number(0) == Some(backend.pid)) else {
            return Ok(false);
        };
        if row.text(4) == "Killed" {
            return Ok(false);
        }
        match self.send(&format!("KILL {}", backend.pid)).await {
            Ok(_) => Ok(true),
            // It ended in between.
            Err(error) if error.code.as_deref() == Some("1094") => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn begin(&mut self, options: Begin) -> Result<Transaction, DbError> {
        if options.fresh {
            self.reset().await?;
        }
        if self.leftovers.tables_are_locked() {
            return Ok(Transaction { token: BESIDE.to_owned() });
        }
        let wait_s = seconds(options.lock_timeout);
        let sql = super::MysqlEngine.begin_sql(&options);
        self.lock_timeouts = Some((wait_s, wait_s));
        self.send(&sql).await?;
        Ok(Transaction { token: SAVEPOINT.to_owned() })
    }

    async fn set_lock_timeout(&mut self, lock_timeout: Duration) -> Result<(), DbError> {
        let wait_s = seconds(lock_timeout);
        self.wait_for_locks(wait_s, wait_s).await
    }

    async fn commit(
        &mut self,
        transaction: &Transaction,
        key: &LockKey,
        journal: &str,
    ) -> Result<(), DbError> {
        let lock = literal(&lock_name(&self.database, key), DIALECT);
        if transaction.token == BESIDE {
            let holder = self.watched().backend.pid.to_string();
            let fence = fence_sql(&lock, &holder);
            let sql = format!("{fence};START TRANSACTION;{journal};COMMIT");
            return send(self.beside().await?, &sql).await.map(drop).map_err(as_fence);
        }
        // One message: where a statement of it fails, the rest is not carried out. The savepoint is gone if
        // something has committed the transaction.
        let fence = fence_sql(&lock, "CONNECTION_ID()");
        let sql = format!("{fence};RELEASE SAVEPOINT {};{journal};COMMIT", transaction.token);
        self.send(&sql).await.map(drop).map_err(as_fence)
    }

    async fn rollback(&mut self) -> Result<(), DbError> {
        if let Some(beside) = &mut self.beside {
            send(beside, "ROLLBACK").await?;
        }
        self.send("ROLLBACK").await.map(drop)
    }

    async fn rollback_whole(&mut self) -> Result<bool, DbError> {
        // It warns of tables that keep their rows: https://dev.mysql.com/doc/refman/8.4/en/nontransactional-tables.html
        const INCOMPLETE: &str = "1196";
        let whole = match self.send(&format!("ROLLBACK TO SAVEPOINT {SAVEPOINT}")).await {
            Ok(_) => {
                // A migration may have set that less of them is kept than there are.
                let (kept, all) =
                    (self.ask("SHOW WARNINGS").await?, self.ask("SHOW COUNT(*) WARNINGS").await?);
                let all_kept = all.first().is_some_and(|row| row.text(0) == kept.len().to_string());
                all_kept && !kept.iter().any(|row| row.text(1) == INCOMPLETE)
            }
            Err(error) if error.class == DbErrorClass::ConnectionLost => return Err(error),
            // The server has given the transaction up by itself, and told nobody what stays.
            Err(_) => false,
        };
        self.rollback().await?;
        Ok(whole)
    }

    async fn reset(&mut self) -> Result<(), DbError> {
        for sql in self.leftovers.first(&self.database) {
            self.send(&sql).await?;
        }
        let now = if self.leftovers.settings() { self.variables().await? } else { Variables::new() };
        for sql in self.leftovers.then(&now) {
            match self.send(&sql).await {
                Err(error) if error.class == DbErrorClass::ConnectionLost => return Err(error),
                // What cannot be set cannot have been set; what is gone need not be taken away.
                Err(error) => tracing::debug!("{sql}: {error}"),
                Ok(_) => {}
            }
        }
        Ok(())
    }

    async fn outlives_rollback(&mut self, sql: &str) -> Result<bool, DbError> {
        alone::outlives_rollback(self, sql).await
    }

    async fn before_alone(&mut self, sql: &str) -> Result<Option<String>, DbError> {
        alone::before(self, sql).await
    }

    async fn prepare_alone(
        &mut self,
        sql: &str,
        lock_timeout: Duration,
        lock_deadline: Duration,
    ) -> Result<(), DbError> {
        let table = if alone::may_take_long(self, sql).await? { lock_deadline } else { lock_timeout };
        self.wait_for_locks(seconds(table), seconds(lock_deadline)).await
    }

    async fn after_alone(&mut self, sql: &str, before: Option<&str>) -> Result<Finding, DbError> {
        alone::after(self, sql, before).await
    }

    async fn clear_alone(&mut self, sql: &str, before: Option<&str>) -> Result<(), DbError> {
        alone::clear(self, sql, before).await
    }

    async fn doubt_alone(
        &mut self,
        _sql: &str,
        _before: Option<&str>,
    ) -> Result<Option<(String, String)>, DbError> {
        Ok(None)
    }

    async fn close(self: Box<Self>) {
        // The server ends the session anyway when the socket closes.
        if let Some(beside) = self.beside {
            let _ = tokio::time::timeout(Duration::from_secs(2), beside.close()).await;
        }
        let _ = tokio::time::timeout(Duration::from_secs(2), self.connection.close()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_differ_by_database_and_journal() {
        let name =
            |database: &str, journal: &str| lock_name(database, &LockKey { journal: journal.to_owned() });
        let one = name("shop", "twostep");
        assert!(one.len() <= 64, "{one}");
        assert_ne!(one, name("shop2", "twostep"));
        assert_ne!(one, name("shop", "other"));
        assert_eq!(one, name("Shop", "twostep"));
    }

    #[test]
    fn waits_are_whole_seconds() {
        assert_eq!(seconds(Duration::from_millis(100)), 1);
        assert_eq!(seconds(Duration::from_millis(1001)), 2);
        assert_eq!(seconds(Duration::from_secs(60)), 60);
    }
}
