//! The engine: connecting, watching, and making and removing databases.

use super::session::{DIALECT, PostgresSession};
use super::watcher::PostgresWatcher;
use crate::db::error::DbError;
use crate::db::session::{
    Begin, ConnectOptions, DatabaseSettings, Engine, ServiceRoles, Session, Watched, Watcher,
};
use crate::db::url::DatabaseUrl;
use crate::dialect::Dialect;
use crate::name::{Name, literal};
use async_trait::async_trait;

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
