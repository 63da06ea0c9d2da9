//! PostgreSQL: sessions, the advisory lock, cancelling, and who blocks whom.

use super::alone;
use super::error::{self, DbError, DbErrorClass, FENCE, SWITCHED_ROLE};
use super::session::{
    Backend, Begin, Blocker, ConnectOptions, DatabaseSettings, Engine, Finding, Identity, LockKey, Row,
    ServiceRoles, Session, Transaction, Watched, Watcher,
};
use super::url::DatabaseUrl;
use crate::dialect::Dialect;
use crate::name::{Name, literal};
use async_trait::async_trait;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgErrorPosition};
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions as _, Connection, Executor, Row as _, SqlSafeStr as _,
    Statement as _, TypeInfo as _, ValueRef as _,
};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

const DIALECT: Dialect = Dialect::Postgres;

/// The setting that marks our transactions.
const MARK: &str = "twostep.transaction";

/// A number that no other transaction of this process has.
fn random() -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

/// The engine.
pub struct PostgresEngine;

#[async_trait]
impl Engine for PostgresEngine {
    fn dialect(&self) -> Dialect {
        DIALECT
    }

    fn schemes(&self) -> &'static [&'static str] {
        &["postgres", "postgresql"]
    }

    async fn connect(
        &self,
        url: &DatabaseUrl,
        options: &ConnectOptions,
    ) -> Result<Box<dyn Session>, DbError> {
        Ok(Box::new(PostgresSession::open(url, options).await?))
    }

    async fn watch(
        &self,
        url: &DatabaseUrl,
        options: &ConnectOptions,
        watched: Watched,
    ) -> Result<Box<dyn Watcher>, DbError> {
        let own = PostgresSession::open(url, options).await?;
        Ok(Box::new(PostgresWatcher { own, watched: watched.backend }))
    }

    fn begin_sql(&self, options: &Begin) -> String {
        format!("BEGIN; SET LOCAL lock_timeout = '{}ms'", options.lock_timeout.as_millis())
    }

    async fn create_database(
        &self,
        url: &DatabaseUrl,
        options: &ConnectOptions,
        settings: &DatabaseSettings,
    ) -> Result<bool, DbError> {
        let mut admin = admin_session(url, options).await?;
        if let Some(roles) = &settings.roles {
            admin.run(&roles_sql(roles)).await?;
        }
        let made = match admin.run(&create_sql(url.database(), settings)).await {
            Ok(_) => true,
            Err(error) if error.code.as_deref() == Some("42P04") => false,
            Err(error) => return Err(error),
        };
        Box::new(admin).close().await;
        if let Some(roles) = &settings.roles {
            let mut session =
                PostgresSession::open(url, &ConnectOptions { role: None, ..options.clone() }).await?;
            session.run(&grants_sql(url.database(), roles)).await?;
            Box::new(session).close().await;
        }
        Ok(made)
    }

    async fn drop_database(&self, url: &DatabaseUrl, options: &ConnectOptions) -> Result<bool, DbError> {
        let mut admin = admin_session(url, options).await?;
        // WITH (FORCE) since 13: https://www.postgresql.org/docs/current/sql-dropdatabase.html
        let sql = format!("DROP DATABASE {} WITH (FORCE)", Name::new(url.database()).quoted(DIALECT));
        let dropped = match admin.run(&sql).await {
            Ok(_) => Ok(true),
            Err(error) if error.code.as_deref() == Some("3D000") => Ok(false),
            Err(error) => Err(error),
        };
        Box::new(admin).close().await;
        dropped
    }
}

fn create_sql(database: &str, settings: &DatabaseSettings) -> String {
    let mut sql = format!("CREATE DATABASE {}", Name::new(database).quoted(DIALECT));
    if let Some(owner) = &settings.owner {
        sql.push_str(&format!(" OWNER {}", Name::new(owner).quoted(DIALECT)));
    }
    if settings.encoding.is_some() || settings.collation.is_some() {
        // Only template0 can be copied with another encoding or collation:
        // https://www.postgresql.org/docs/current/manage-ag-templatedbs.html
        sql.push_str(" TEMPLATE template0");
    }
    if let Some(encoding) = &settings.encoding {
        sql.push_str(&format!(" ENCODING {}", literal(encoding, DIALECT)));
    }
    if let Some(collation) = &settings.collation {
        let collation = literal(collation, DIALECT);
        sql.push_str(&format!(" LC_COLLATE {collation} LC_CTYPE {collation}"));
    }
    sql
}

/// Makes the roles that are not there yet; a password that is given is set in any case. Who makes them becomes a
/// member of the migrator, or could not give it the database.
fn roles_sql(roles: &ServiceRoles) -> String {
    let pairs =
        [(&roles.migrator, &roles.migrator_password), (&roles.application, &roles.application_password)];
    let mut sql = String::new();
    for (role, password) in pairs {
        let name = Name::new(role).quoted(DIALECT);
        sql.push_str(&format!(
            "DO $twostep$ BEGIN CREATE ROLE {name} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $twostep$;"
        ));
        if let Some(password) = password {
            sql.push_str(&format!("ALTER ROLE {name} LOGIN PASSWORD {};", literal(password, DIALECT)));
        }
    }
    let migrator = Name::new(&roles.migrator).quoted(DIALECT);
    sql.push_str(&format!(
        "DO $twostep$ BEGIN IF NOT pg_catalog.pg_has_role(current_user, {}, 'MEMBER') THEN \
         GRANT {migrator} TO CURRENT_USER; END IF; END $twostep$",
        literal(&roles.migrator, DIALECT)
    ));
    sql
}

/// The application may use what the migrator makes, now and later, and make nothing itself
/// (<https://www.postgresql.org/docs/current/sql-alterdefaultprivileges.html>).
fn grants_sql(database: &str, roles: &ServiceRoles) -> String {
    let database = Name::new(database).quoted(DIALECT);
    let migrator = Name::new(&roles.migrator).quoted(DIALECT);
    let application = Name::new(&roles.application).quoted(DIALECT);
    format!(
        "REVOKE ALL ON DATABASE {database} FROM PUBLIC;\
         GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {application};\
         GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {database} TO {migrator};\
         REVOKE CREATE ON SCHEMA public FROM PUBLIC;\
         GRANT USAGE, CREATE ON SCHEMA public TO {migrator};\
         GRANT USAGE ON SCHEMA public TO {application};\
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {application};\
         GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO {application};\
         ALTER DEFAULT PRIVILEGES FOR ROLE {migrator} IN SCHEMA public \
         GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {application};\
         ALTER DEFAULT PRIVILEGES FOR ROLE {migrator} IN SCHEMA public \
         GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO {application}"
    )
}

/// A session on a database that surely exists, to make and remove others from.
async fn admin_session(url: &DatabaseUrl, options: &ConnectOptions) -> Result<PostgresSession, DbError> {
    let options = ConnectOptions { role: None, ..options.clone() };
    match PostgresSession::open(&url.with_database("postgres"), &options).await {
        Err(error) if error.code.as_deref() == Some("3D000") => {
            PostgresSession::open(&url.with_database("template1"), &options).await
        }
        other => other,
    }
}

/// A connection to PostgreSQL.
struct PostgresSession {
    connection: PgConnection,
    identity: Option<Identity>,
    statement_timeout: Duration,
    /// `SET …;` for each setting of a session that writes; empty until it is prepared to.
    settings: String,
    /// ` SET ROLE …;`, or empty.
    role: String,
    /// What sets the open transaction's mark: a migration's RESET ALL takes it away.
    mark: String,
}

impl PostgresSession {
    async fn open(url: &DatabaseUrl, options: &ConnectOptions) -> Result<Self, DbError> {
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

fn from_sqlx(error: sqlx::Error, sent: &str) -> DbError {
    error::from_sqlx(error, |inner| {
        let Some(inner) = inner.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() else {
            return DbError::new(DbErrorClass::Statement, inner.message());
        };
        let mut notes = Vec::new();
        notes.extend(inner.detail().map(|text| format!("detail: {text}")));
        notes.extend(inner.hint().map(|text| format!("hint: {text}")));
        notes.extend(inner.r#where().map(|text| format!("context: {text}")));
        let offset = match inner.position() {
            Some(PgErrorPosition::Original(character)) => {
                sent.char_indices().nth(character.saturating_sub(1)).map(|(offset, _)| offset)
            }
            _ => None,
        };
        DbError {
            class: class_of(inner.code(), inner.message()),
            code: Some(inner.code().to_owned()),
            message: inner.message().to_owned(),
            notes,
            offset,
        }
    })
}

/// SQLSTATEs: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn class_of(code: &str, message: &str) -> DbErrorClass {
    match code {
        "55P03" | "40P01" | "40001" => DbErrorClass::Contention,
        "57014" => DbErrorClass::Cancelled,
        "57P03" => DbErrorClass::Unreachable,
        "57P01" | "57P02" | "57P05" | "25P03" | "25P04" => DbErrorClass::ConnectionLost,
        "42501" => DbErrorClass::PermissionDenied,
        "25006" => DbErrorClass::ReadOnly,
        "42P01" | "42703" | "3F000" | "3D000" => DbErrorClass::Missing,
        // Too many connections at connecting: time may help.
        "53300" => DbErrorClass::Unreachable,
        "28000" | "28P01" => DbErrorClass::Refused,
        // SET ROLE.
        "22023" if message.starts_with("role ") => DbErrorClass::Refused,
        _ if code.starts_with("08") && message.contains("pgbouncer") => DbErrorClass::Refused,
        _ if code.starts_with("08") => DbErrorClass::ConnectionLost,
        _ if code.starts_with("53") || code == "58030" => DbErrorClass::Resources,
        // A session cannot begin on a full disk.
        "XX000" if message.starts_with("could not write init file") => DbErrorClass::Resources,
        _ => DbErrorClass::Statement,
    }
}

/// What plans the one query `sql` for parameters of any value; none where it is no statement that is planned.
fn generic_plan(sql: &str, parameters: usize) -> Option<String> {
    const PLANNED: &[&str] = &["select", "insert", "update", "delete", "merge", "values", "with", "table"];
    let first = crate::sql::lex::significant(sql, DIALECT).find(|token| !token.is_punct(b'('))?;
    if !PLANNED.iter().any(|word| first.is_word(sql, word)) {
        return None;
    }
    let values = vec!["NULL"; parameters].join(", ");
    let values = if values.is_empty() { values } else { format!("({values})") };
    Some(format!(
        "SET LOCAL plan_cache_mode = force_generic_plan; PREPARE twostep_look AS {sql}\n; \
         EXPLAIN EXECUTE twostep_look{values}; DEALLOCATE twostep_look"
    ))
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
        // The driver takes one statement only, and keeps what it has prepared.
        self.connection.clear_cached_statements().await.map_err(|error| from_sqlx(error, ""))?;
        let prepared = self.connection.prepare(AssertSqlSafe(sql).into_sql_str()).await;
        let statement = prepared.map_err(|error| from_sqlx(error, sql))?;
        let column = |column: &sqlx::postgres::PgColumn| {
            (column.name().to_owned(), column.type_info().name().to_owned())
        };
        let columns = statement.columns().iter().map(column).collect();
        let parameters = match statement.parameters() {
            Some(sqlx::Either::Left(types)) => types.len(),
            Some(sqlx::Either::Right(count)) => count,
            None => 0,
        };
        // Some of it is refused only when it is planned: ON CONFLICT without its index.
        let plan = generic_plan(sql, parameters);
        if let Some(plan) = plan
            && let Err(error) = self.connection.execute(sqlx::raw_sql(AssertSqlSafe(plan.as_str()))).await
        {
            // No transaction takes a prepared statement back. It is not there where it was what failed.
            let _ = self.connection.execute(sqlx::raw_sql("DEALLOCATE twostep_look")).await;
            return Err(from_sqlx(error, &plan));
        }
        Ok(columns)
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
        // Never waits inside the server: a session that waits in pg_advisory_lock makes a CREATE INDEX
        // CONCURRENTLY of the holder deadlock. It is taken twice, so that `commit` can tell by giving one back and
        // taking it again that it is still ours: a look into pg_locks costs a third of a small migration.
        let number = key.number();
        let sql = format!(
            "SELECT CASE WHEN pg_catalog.pg_try_advisory_lock({number}) \
             THEN pg_catalog.pg_try_advisory_lock({number}) ELSE false END"
        );
        let rows = self.query(&sql).await?;
        Ok(rows.first().is_some_and(|row| row.is_true(0)))
    }

    async fn lock_holder(&mut self, key: &LockKey) -> Result<Option<Blocker>, DbError> {
        let rows = self
            .query(&blocker_query(&format!(
                "SELECT pid, mode, NULL AS target FROM pg_catalog.pg_locks WHERE {} AND granted",
                advisory_condition(key)
            )))
            .await?;
        Ok(rows.first().map(blocker))
    }

    async fn idle_holder(&mut self, key: &LockKey, idle: Duration) -> Result<Option<Backend>, DbError> {
        // The state of another role's session is hidden from a role without rights, and then this finds nobody.
        let sql = format!(
            "SELECT a.pid, a.backend_start::pg_catalog.text FROM pg_catalog.pg_locks l \
             JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) l.pid \
             WHERE l.granted AND l.{} AND pg_catalog.starts_with(a.state, 'idle') \
             AND EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.state_change) OPERATOR(pg_catalog.>=) {}",
            advisory_condition(key),
            idle.as_secs()
        );
        let rows = self.query(&sql).await?;
        Ok(rows
            .first()
            .map(|row| Backend { pid: row.number(0).unwrap_or(0), started: row.text(1).to_owned() }))
    }

    async fn unlock(&mut self, key: &LockKey) -> Result<bool, DbError> {
        let number = key.number();
        let sql = format!(
            "SELECT pg_catalog.pg_advisory_unlock({number}), pg_catalog.pg_advisory_unlock({number})"
        );
        let rows = self.query(&sql).await?;
        Ok(rows.first().is_some_and(|row| row.is_true(0) && row.is_true(1)))
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
        // In a transaction of its own: ours would begin as read-only as the migration before left the session.
        let reset =
            if options.fresh { format!("BEGIN; {} COMMIT; ", self.reset_sql()) } else { String::new() };
        // A setting that ends with its transaction marks it. Asking for the transaction's id would mark it too, but
        // as a query, after which SET TRANSACTION ISOLATION LEVEL is refused.
        let token = format!("{:016x}", random());
        self.mark = format!("\n; SET LOCAL {MARK} = '{token}'");
        let lock = options.lock.as_ref().map_or_else(String::new, |lock| format!("; {lock}"));
        let sql = format!("{reset}{}{}{lock}", PostgresEngine.begin_sql(&options), self.mark);
        self.run(&sql).await?;
        Ok(Transaction { token })
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
        // One message: where a check fails, the rest of the message is not carried out. The cast of a text that is
        // no number is what fails, with our own words in the server's error. A migration may also have switched the
        // role in a way that its text does not show (a DO block, a function). The server reads this once per
        // migration: it is as short as it can be, and CASE asks its conditions in their order.
        let user = self.identity.as_ref().map_or("", |identity| identity.user.as_str());
        let sql = format!(
            "SELECT (CASE WHEN current_user OPERATOR(pg_catalog.<>) {user} \
             THEN pg_catalog.concat({switched}, current_user) \
             WHEN (pg_catalog.current_setting('{MARK}', true) OPERATOR(pg_catalog.=) {token}) IS NOT TRUE \
             THEN {fence} WHEN NOT pg_catalog.pg_advisory_unlock({number}) THEN {fence} \
             WHEN NOT pg_catalog.pg_try_advisory_lock({number}) THEN {fence} \
             ELSE '0' END)::pg_catalog.int4;{journal};COMMIT",
            user = literal(user, DIALECT),
            switched = literal(SWITCHED_ROLE, DIALECT),
            token = literal(&transaction.token, DIALECT),
            fence = literal(FENCE, DIALECT),
            number = key.number(),
        );
        self.run(&sql).await.map(drop)
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
    fn reset_sql(&self) -> String {
        format!("RESET ALL; RESET SESSION AUTHORIZATION; RESET ROLE;{}{};", self.settings, self.role)
    }
}

/// The condition on `pg_locks` for our key: a bigint key is split into `classid` and `objid`, with `objsubid` 1
/// (<https://www.postgresql.org/docs/current/view-pg-locks.html>).
fn advisory_condition(key: &LockKey) -> String {
    let number = key.number().cast_unsigned();
    format!(
        "locktype OPERATOR(pg_catalog.=) 'advisory' AND database OPERATOR(pg_catalog.=) (SELECT oid FROM \
         pg_catalog.pg_database WHERE datname OPERATOR(pg_catalog.=) pg_catalog.current_database()) \
         AND classid::pg_catalog.int8 OPERATOR(pg_catalog.=) {} AND objid::pg_catalog.int8 OPERATOR(pg_catalog.=) {} \
         AND objsubid OPERATOR(pg_catalog.=) 1",
        number >> 32,
        number & 0xffff_ffff
    )
}

/// Describes the sessions of `locks` (columns `pid`, `mode`, `target`). Other roles' queries are hidden from a role without
/// rights, their `application_name` is not.
fn blocker_query(locks: &str) -> String {
    format!(
        "SELECT DISTINCT ON (a.pid) a.pid, COALESCE(NULLIF(a.application_name, ''), a.usename, a.backend_type), \
         a.state, EXTRACT(epoch FROM pg_catalog.now() - COALESCE(a.xact_start, a.query_start, a.backend_start))::int8, \
         l.mode, a.backend_type = 'autovacuum worker', l.target \
         FROM ({locks}) l JOIN pg_catalog.pg_stat_activity a USING (pid) \
         WHERE a.pid <> pg_catalog.pg_backend_pid() ORDER BY a.pid"
    )
}

fn blocker(row: &Row) -> Blocker {
    let age = row.number(3).unwrap_or(0);
    let age = if age >= 120 { format!("{} min", age / 60) } else { format!("{age} s") };
    let state = row.get(2).unwrap_or("state hidden");
    let mode = row.text(4).trim_end_matches("Lock");
    let on = row.get(6).map_or_else(String::new, |target| format!(" on {target}"));
    let holding = if mode.is_empty() { String::new() } else { format!(", holds {}{on}", spaced(mode)) };
    Blocker {
        pid: row.number(0).unwrap_or(0),
        application: row.text(1).to_owned(),
        doing: format!("{state}, {age} old{holding}"),
        autovacuum: row.is_true(5),
    }
}

/// `AccessExclusive` as the manual writes it: `ACCESS EXCLUSIVE`.
fn spaced(mode: &str) -> String {
    let mut out = String::new();
    for character in mode.chars() {
        if character.is_uppercase() && !out.is_empty() {
            out.push(' ');
        }
        out.extend(character.to_uppercase());
    }
    out
}

/// The second connection.
struct PostgresWatcher {
    own: PostgresSession,
    watched: Backend,
}

#[async_trait]
impl Watcher for PostgresWatcher {
    async fn cancel(&mut self) -> Result<(), DbError> {
        let sql = format!(
            "SELECT pg_catalog.pg_cancel_backend(pid) FROM pg_catalog.pg_stat_activity \
             WHERE pid = {} AND backend_start::text = {}",
            self.watched.pid,
            literal(&self.watched.started, DIALECT)
        );
        self.own.query(&sql).await.map(drop)
    }

    async fn blockers(&mut self) -> Result<Vec<Blocker>, DbError> {
        let sql = blocker_query(&format!(
            "SELECT b.pid, h.mode, h.relation::pg_catalog.regclass::pg_catalog.text AS target \
             FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids({pid})) AS b(pid) \
             LEFT JOIN LATERAL (SELECT h.mode, h.relation FROM pg_catalog.pg_locks h \
             JOIN pg_catalog.pg_locks w USING (database, relation) \
             WHERE w.pid = {pid} AND NOT w.granted AND h.pid = b.pid AND h.granted LIMIT 1) h ON true",
            pid = self.watched.pid
        ));
        Ok(self.own.query(&sql).await?.iter().map(blocker).collect())
    }

    async fn holders(&mut self, relation: &str, mode: &str) -> Result<Vec<Blocker>, DbError> {
        let conflicting =
            conflicting_modes(mode).iter().map(|mode| literal(mode, DIALECT)).collect::<Vec<_>>();
        let sql = blocker_query(&format!(
            "SELECT pid, mode, NULL AS target FROM pg_catalog.pg_locks WHERE relation = pg_catalog.to_regclass({}) AND granted \
             AND mode IN ({}) AND pid <> {}",
            literal(relation, DIALECT),
            conflicting.join(", "),
            self.watched.pid
        ));
        Ok(self.own.query(&sql).await?.iter().map(blocker).collect())
    }

    async fn run(&mut self, sql: &str) -> Result<u64, DbError> {
        self.own.run(sql).await
    }

    async fn pooler_seen(&mut self, session: &mut dyn Session) -> Result<Option<String>, DbError> {
        let look = self.look_for_pooler(session);
        match tokio::time::timeout(Duration::from_secs(5), look).await {
            Ok(Err(error)) if error.message.contains("statement pooling") => Ok(Some(error.message)),
            Ok(seen) => seen,
            Err(_) => Ok(Some("one connection of ours kept the other one from being answered".to_owned())),
        }
    }

    async fn close(self: Box<Self>) {
        Box::new(self.own).close().await;
    }
}

const PID: &str = "SELECT pg_catalog.pg_backend_pid()";

async fn pid(session: &mut dyn Session) -> Result<Option<i64>, DbError> {
    Ok(session.query(PID).await?.first().and_then(|row| row.number(0)))
}

impl PostgresWatcher {
    /// An open transaction keeps its server process, so that a pooler gives the two connections one each. Once both
    /// have ended, it hands the processes out anew: the one that was free last to whoever asks first, or each in its
    /// turn. Whoever is served by another process than before, or by one that was the other's, is behind a pooler.
    async fn look_for_pooler(&mut self, session: &mut dyn Session) -> Result<Option<String>, DbError> {
        let known = Some(self.watched.pid);
        for _ in 0..2 {
            session.run("BEGIN").await?;
            self.own.run("BEGIN").await?;
            let (theirs, mine) = (pid(session).await?, pid(&mut self.own).await?);
            session.run("ROLLBACK").await?;
            self.own.run("ROLLBACK").await?;
            let (theirs_now, mine_now) = (pid(session).await?, pid(&mut self.own).await?);
            if [theirs, theirs_now].iter().any(|pid| *pid != known) || mine != mine_now {
                return Ok(Some(
                    "statements of one connection were served by different processes".to_owned(),
                ));
            }
            if mine == known {
                return Ok(Some("two connections were served by the same process".to_owned()));
            }
        }
        Ok(None)
    }
}

/// The modes that conflict with `mode`: <https://www.postgresql.org/docs/current/explicit-locking.html>, table 13.2.
fn conflicting_modes(mode: &str) -> &'static [&'static str] {
    const ALL: [&str; 8] = [
        "AccessShareLock",
        "RowShareLock",
        "RowExclusiveLock",
        "ShareUpdateExclusiveLock",
        "ShareLock",
        "ShareRowExclusiveLock",
        "ExclusiveLock",
        "AccessExclusiveLock",
    ];
    const SHARE: [&str; 5] = [
        "RowExclusiveLock",
        "ShareUpdateExclusiveLock",
        "ShareRowExclusiveLock",
        "ExclusiveLock",
        "AccessExclusiveLock",
    ];
    match mode {
        "ACCESS SHARE" => &ALL[7..],
        "ROW SHARE" => &ALL[6..],
        "ROW EXCLUSIVE" => &ALL[4..],
        "SHARE UPDATE EXCLUSIVE" => &ALL[3..],
        "SHARE" => &SHARE,
        "SHARE ROW EXCLUSIVE" => &ALL[2..],
        "EXCLUSIVE" => &ALL[1..],
        _ => &ALL,
    }
}
