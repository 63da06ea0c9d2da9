//! The engine: connecting, watching, and making and removing databases.

use super::session::{DIALECT, MysqlSession, SAVEPOINT, lock_timeouts_sql, seconds};
use super::watcher::MysqlWatcher;
use crate::db::error::{DbError, DbErrorClass};
use crate::db::session::{
    Begin, ConnectOptions, DatabaseSettings, Engine, ServiceRoles, Session, Watched, Watcher,
};
use crate::db::url::DatabaseUrl;
use crate::dialect::Dialect;
use crate::name::{Name, mysql_string};
use async_trait::async_trait;

/// The engine.
pub struct MysqlEngine;

#[async_trait]
impl Engine for MysqlEngine {
    fn dialect(&self) -> Dialect {
        DIALECT
    }

    fn schemes(&self) -> &'static [&'static str] {
        &["mysql", "mariadb"]
    }

    async fn connect(
        &self,
        url: &DatabaseUrl,
        options: &ConnectOptions,
    ) -> Result<Box<dyn Session>, DbError> {
        Ok(Box::new(MysqlSession::open(url, options).await?))
    }

    async fn watch(
        &self,
        url: &DatabaseUrl,
        options: &ConnectOptions,
        watched: Watched,
    ) -> Result<Box<dyn Watcher>, DbError> {
        let mut own = MysqlSession::open(url, options).await?;
        own.prepare_to_write().await?;
        Ok(Box::new(MysqlWatcher { own, watched: watched.backend }))
    }

    fn begin_sql(&self, options: &Begin) -> String {
        let wait_s = seconds(options.lock_timeout);
        format!("{}; START TRANSACTION; SAVEPOINT {SAVEPOINT}", lock_timeouts_sql(wait_s, wait_s))
    }

    async fn create_database(
        &self,
        url: &DatabaseUrl,
        options: &ConnectOptions,
        settings: &DatabaseSettings,
    ) -> Result<bool, DbError> {
        if settings.owner.is_some() && settings.roles.is_none() {
            return Err(DbError::new(
                DbErrorClass::Statement,
                "databases of MySQL and MariaDB have no owner: `--service NAME` makes accounts with rights on it",
            ));
        }
        let mut admin = admin_session(url, options).await?;
        let made = match admin.send(&create_sql(url.database(), settings)).await {
            Ok(_) => true,
            Err(error) if error.code.as_deref() == Some("1007") => false,
            Err(error) => return Err(error),
        };
        if let Some(roles) = &settings.roles {
            // Passwords are written in quotes.
            admin.send("SET SESSION sql_mode = ''").await?;
            admin.send(&roles_sql(url.database(), roles)).await?;
        }
        Box::new(admin).close().await;
        Ok(made)
    }

    async fn drop_database(&self, url: &DatabaseUrl, options: &ConnectOptions) -> Result<bool, DbError> {
        let mut admin = admin_session(url, options).await?;
        end_sessions(&mut admin, url.database()).await?;
        let sql = format!("DROP DATABASE {}", Name::new(url.database()).quoted(DIALECT));
        let dropped = match admin.send(&sql).await {
            Ok(_) => Ok(true),
            Err(error) if error.code.as_deref() == Some("1008") => Ok(false),
            Err(error) => Err(error),
        };
        Box::new(admin).close().await;
        dropped
    }
}

/// A session without a database, to make and remove others from.
async fn admin_session(url: &DatabaseUrl, options: &ConnectOptions) -> Result<MysqlSession, DbError> {
    let options = ConnectOptions { role: None, ..options.clone() };
    MysqlSession::open(&url.with_database(""), &options).await
}

/// A transaction of one of them would keep DROP DATABASE waiting.
async fn end_sessions(admin: &mut MysqlSession, database: &str) -> Result<(), DbError> {
    for row in admin.ask("SHOW PROCESSLIST").await? {
        if row.text(3) == database
            && let Some(pid) = row.number(0)
            && let Err(error) = admin.send(&format!("KILL {pid}")).await
        {
            tracing::debug!("session {pid} was not ended: {error}");
        }
    }
    Ok(())
}

fn create_sql(database: &str, settings: &DatabaseSettings) -> String {
    let mut sql = format!("CREATE DATABASE {}", Name::new(database).quoted(DIALECT));
    if let Some(encoding) = &settings.encoding {
        sql.push_str(&format!(" CHARACTER SET {}", Name::new(encoding).quoted(DIALECT)));
    }
    if let Some(collation) = &settings.collation {
        sql.push_str(&format!(" COLLATE {}", Name::new(collation).quoted(DIALECT)));
    }
    sql
}

/// Makes the accounts that are not there yet, for every host; a password that is given is set in any case. Databases
/// have no owner here: the migrator has all rights on its own, the application those on rows.
fn roles_sql(database: &str, roles: &ServiceRoles) -> String {
    // In GRANT the database's name is a pattern: https://dev.mysql.com/doc/refman/8.4/en/grant.html
    let pattern = database.replace('\\', "\\\\").replace('_', "\\_").replace('%', "\\%");
    let pattern = Name::new(pattern).quoted(DIALECT);
    let accounts = [
        (&roles.migrator, &roles.migrator_password, "ALL PRIVILEGES"),
        (
            &roles.application,
            &roles.application_password,
            "SELECT, INSERT, UPDATE, DELETE, EXECUTE, CREATE TEMPORARY TABLES",
        ),
    ];
    let mut sql = Vec::new();
    for (account, password, rights) in accounts {
        let account = format!("{}@'%'", Name::new(account).quoted(DIALECT));
        sql.push(format!("CREATE USER IF NOT EXISTS {account}"));
        if let Some(password) = password {
            sql.push(format!("ALTER USER {account} IDENTIFIED BY {}", mysql_string(password)));
        }
        sql.push(format!("GRANT {rights} ON {pattern}.* TO {account}"));
    }
    sql.join(";")
}
