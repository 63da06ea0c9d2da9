//! A connection to PostgreSQL that runs migrations as the plain client would.

use super::error::from_sqlx;
use super::{alone, describe, lock, transaction};
use crate::db::error::{self, DbError, DbErrorClass};
use crate::db::session::{
    Backend, Begin, Blocker, ConnectOptions, Finding, Identity, LockKey, Row, Session, Transaction, Watched,
};
use crate::db::url::{DatabaseUrl, plain_host};
use crate::dialect::Dialect;
use crate::name::{Name, literal};
use async_trait::async_trait;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection, Executor, Row as _, ValueRef as _};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

pub(super) const DIALECT: Dialect = Dialect::Postgres;

/// A connection to PostgreSQL.
pub(super) struct PostgresSession {
    pub(super) connection: PgConnection,
    pub(super) identity: Option<Identity>,
    statement_timeout: Duration,
    /// `SET …;` for each setting of a session that writes; empty until it is prepared to.
    settings: String,
    /// ` SET ROLE …;`, or empty.
    role: String,
    /// What sets the open transaction's mark: a migration's RESET ALL takes it away.
    pub(super) mark: String,
}

impl PostgresSession {
    /// Connects, and sets nothing yet.
    pub(super) async fn open(url: &DatabaseUrl, options: &ConnectOptions) -> Result<Self, DbError> {
        let redacted = |error: sqlx::Error| {
            let mut error = error::at_connecting(from_sqlx(error, ""));
            error.message = url.redact(&error.message);
            error
        };
        // A pooler refuses start-up parameters that it does not know; settings are made after connecting.
        let connect = PgConnectOptions::from_str(url.expose())
            .map_err(redacted)?
            .extra_float_digits(None)
            .application_name(&options.application_name)
            // The runner says itself what it runs, once.
            .disable_statement_logging();
        let connect = match plain_host(connect.get_host()).map(str::to_owned) {
            Some(host) => connect.host(&host),
            None => connect,
        };
        let attempt = tokio::time::timeout(options.connect_timeout, PgConnection::connect_with(&connect));
        let connection = match attempt.await {
            Ok(connected) => connected.map_err(redacted)?,
            Err(_) => {
                return Err(DbError::new(
                    DbErrorClass::Unreachable,
                    format!("no answer within {:?}", options.connect_timeout),
                ));
            }
        };
        let role = options
            .role
            .as_ref()
            .map_or_else(String::new, |role| format!(" SET ROLE {};", Name::new(role).quoted(DIALECT)));
        Ok(Self {
            connection,
            identity: None,
            statement_timeout: options.statement_timeout,
            settings: String::new(),
            role,
            mark: String::new(),
        })
    }
}

#[async_trait]
impl Session for PostgresSession {
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
        // It ends our statement, and with it our lock, when this process has died. New in 14, and refused where
        // the platform cannot watch a socket:
        // https://www.postgresql.org/docs/current/runtime-config-connection.html
        const CHECK: &str = " SET client_connection_check_interval = '1s';";
        let checked = match self.run(CHECK).await {
            Ok(_) => CHECK,
            Err(error) if error.class == DbErrorClass::ConnectionLost => return Err(error),
            Err(_) => "",
        };
        // `idle_in_transaction_session_timeout` frees the table locks of a process that was stopped in the middle
        // of a transaction; a timeout of the role for its statements is meant for requests, not for migrations.
        // The keepalives let it notice within half a minute that our machine is lost, which closes no socket.
        self.settings = format!(
            "{checked} SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 5; \
             SET tcp_keepalives_count = 3; SET lock_timeout = 0; SET statement_timeout = {}; \
             SET idle_in_transaction_session_timeout = '60s';",
            self.statement_timeout.as_millis()
        );
        let sql = format!("{}{}", self.settings, self.role);
        // Whoever we are after SET ROLE is asked for anew.
        self.identity = None;
        self.run(&sql).await.map(drop)
    }

    async fn identity(&mut self) -> Result<Identity, DbError> {
        if let Some(identity) = &self.identity {
            return Ok(identity.clone());
        }
        let rows = self
            .query(
                "SELECT pg_catalog.current_setting('server_version'), \
                 pg_catalog.current_setting('server_version_num'), pg_catalog.current_database(), current_user, \
                 pg_catalog.pg_backend_pid(), (SELECT backend_start::pg_catalog.text FROM pg_catalog.pg_stat_activity \
                 WHERE pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()), pg_catalog.pg_is_in_recovery(), \
                 pg_catalog.current_setting('default_transaction_read_only')",
            )
            .await?;
        let row = rows
            .first()
            .ok_or_else(|| DbError::new(DbErrorClass::ConnectionLost, "the server gave no row"))?;
        let read_only = if row.is_true(6) {
            Some("this server is a standby (in recovery), which only allows reads".to_owned())
        } else if row.text(7) == "on" {
            Some("`default_transaction_read_only` is on for this role or database".to_owned())
        } else {
            None
        };
        let identity = Identity {
            version: format!("PostgreSQL {}", row.text(0)),
            version_number: row.number(1).unwrap_or(0),
            database: row.text(2).to_owned(),
            user: row.text(3).to_owned(),
            backend: Backend { pid: row.number(4).unwrap_or(0), started: row.text(5).to_owned() },
            read_only,
        };
        self.identity = Some(identity.clone());
        Ok(identity)
    }

    async fn run(&mut self, sql: &str) -> Result<u64, DbError> {
        let marked;
        let is_reset = sql.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("reset"));
        let sql = if is_reset && !self.mark.is_empty() {
            marked = format!("{sql}{}", self.mark);
            marked.as_str()
        } else {
            sql
        };
        self.connection
            .execute(sqlx::raw_sql(AssertSqlSafe(sql)))
            .await
            .map(|done| done.rows_affected())
            .map_err(|error| from_sqlx(error, sql))
    }

    async fn query(&mut self, sql: &str) -> Result<Vec<Row>, DbError> {
        // What is read before the session is prepared is read as the role too, and leaves no SET behind a pooler.
        let as_role;
        let sql = if self.settings.is_empty() && !self.role.is_empty() {
            as_role = format!("{}{sql}", self.role.replacen(" SET ROLE", "SET LOCAL ROLE", 1));
            as_role.as_str()
        } else {
            sql
        };
        let rows = self
            .connection
            .fetch_all(sqlx::raw_sql(AssertSqlSafe(sql)))
            .await
            .map_err(|error| from_sqlx(error, sql))?;
        rows.iter().map(text_row).collect::<Result<_, _>>().map_err(|error| from_sqlx(error, sql))
    }

    async fn describe(&mut self, sql: &str) -> Result<Vec<(String, String)>, DbError> {
        describe::describe(self, sql).await
    }

    async fn copy_in(
        &mut self,
        statement: &str,
        rows: &mut (dyn Iterator<Item = std::io::Result<Vec<u8>>> + Send),
    ) -> Result<u64, DbError> {
        let mut copy =
            self.connection.copy_in_raw(statement).await.map_err(|error| from_sqlx(error, statement))?;
        for chunk in rows {
            match chunk {
                Ok(chunk) => {
                    copy.send(chunk).await.map_err(|error| from_sqlx(error, statement))?;
                }
                Err(error) => {
                    // The abort's own answer is the error that we cause; ours says more.
                    let _ = copy.abort(error.to_string()).await;
                    return Err(DbError::new(
                        DbErrorClass::Statement,
                        format!("rows cannot be read: {error}"),
                    ));
                }
            }
        }
        copy.finish().await.map_err(|error| from_sqlx(error, statement))
    }

    async fn try_lock(&mut self, key: &LockKey) -> Result<bool, DbError> {
        lock::try_lock(self, key).await
    }

    async fn lock_holder(&mut self, key: &LockKey) -> Result<Option<Blocker>, DbError> {
        lock::lock_holder(self, key).await
    }

    async fn idle_holder(&mut self, key: &LockKey, idle: Duration) -> Result<Option<Backend>, DbError> {
        lock::idle_holder(self, key, idle).await
    }

    async fn unlock(&mut self, key: &LockKey) -> Result<bool, DbError> {
        lock::unlock(self, key).await
    }

    async fn end_backend(&mut self, backend: &Backend) -> Result<bool, DbError> {
        let rows = self
            .query(&format!(
                "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity \
                 WHERE pid = {} AND backend_start::text = {}",
                backend.pid,
                literal(&backend.started, DIALECT)
            ))
            .await?;
        Ok(rows.first().is_some_and(|row| row.is_true(0)))
    }

    async fn begin(&mut self, options: Begin) -> Result<Transaction, DbError> {
        transaction::begin(self, options).await
    }

    async fn set_lock_timeout(&mut self, lock_timeout: Duration) -> Result<(), DbError> {
        self.run(&format!("SET LOCAL lock_timeout = '{}ms'", lock_timeout.as_millis())).await.map(drop)
    }

    async fn commit(
        &mut self,
        transaction: &Transaction,
        key: &LockKey,
        journal: &str,
    ) -> Result<(), DbError> {
        transaction::commit(self, transaction, key, journal).await
    }

    async fn rollback(&mut self) -> Result<(), DbError> {
        self.run("ROLLBACK").await.map(drop)
    }

    async fn reset(&mut self) -> Result<(), DbError> {
        let sql = self.reset_sql();
        self.run(&sql).await.map(drop)
    }

    async fn before_alone(&mut self, sql: &str) -> Result<Option<String>, DbError> {
        alone::before(self, sql).await
    }

    async fn after_alone(&mut self, sql: &str, before: Option<&str>) -> Result<Finding, DbError> {
        alone::after(self, sql, before).await
    }

    async fn clear_alone(&mut self, sql: &str, before: Option<&str>) -> Result<(), DbError> {
        alone::clear(self, sql, before).await
    }

    async fn doubt_alone(
        &mut self,
        sql: &str,
        _before: Option<&str>,
    ) -> Result<Option<(String, String)>, DbError> {
        alone::doubt(self, sql).await
    }

    async fn close(self: Box<Self>) {
        // The server ends the session anyway when the socket closes.
        let _ = tokio::time::timeout(Duration::from_secs(2), self.connection.close()).await;
    }
}

impl PostgresSession {
    /// Back to the settings of [`Session::prepare_to_write`]. RESET SESSION AUTHORIZATION alone would leave a role
    /// that the login role gets by `ALTER ROLE … SET role` switched off.
    pub(super) fn reset_sql(&self) -> String {
        format!("RESET ALL; RESET SESSION AUTHORIZATION; RESET ROLE;{}{};", self.settings, self.role)
    }
}

fn text_row(row: &sqlx::postgres::PgRow) -> Result<Row, sqlx::Error> {
    (0..row.len())
        .map(|index| {
            let value = row.try_get_raw(index)?;
            if value.is_null() {
                return Ok(None);
            }
            value.as_str().map(|text| Some(text.to_owned())).map_err(sqlx::Error::Decode)
        })
        .collect::<Result<Vec<_>, _>>()
        .map(Row)
}
