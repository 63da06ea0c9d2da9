//! Reads a database's catalog through a session: what to ask and what the answer means, the engines know.

use super::error::DbError;
use super::session::{Row, Session};
use crate::dialect::Dialect;
use crate::engine::{mysql, postgres, sqlite};
use crate::schema::catalog::{Catalog, CatalogOptions};

/// The catalog of the session's database: one round trip, or two where it holds rare kinds of objects. Changes
/// nothing, and leaves an open transaction and its settings as they were.
pub async fn read(session: &mut dyn Session, options: &CatalogOptions) -> Result<Catalog, DbError> {
    let identity = session.identity().await?;
    let (version, is_mariadb) = (identity.version_number, identity.version.starts_with("MariaDB"));
    match session.dialect() {
        Dialect::Postgres => {
            let mut rows = ask(session, &postgres::catalog::query(version, options)).await?;
            if let Some(more) = postgres::catalog::follow_up(version, options, &rows) {
                rows.extend(ask(session, &more).await?);
            }
            Ok(postgres::catalog::assemble(&rows, options))
        }
        Dialect::Sqlite => {
            let rows = ask(session, &sqlite::catalog::query(version)).await?;
            Ok(sqlite::catalog::assemble(&rows, options))
        }
        Dialect::Mysql => {
            let mut rows = ask(session, &mysql::catalog::query(is_mariadb)).await?;
            if let Some(more) = mysql::catalog::follow_up(&rows) {
                rows.extend(ask(session, &more).await?);
            }
            Ok(mysql::catalog::assemble(&rows, options))
        }
    }
}

/// The rows of all statements of `sql`.
async fn ask(session: &mut dyn Session, sql: &str) -> Result<Vec<Vec<Option<String>>>, DbError> {
    Ok(session.query(sql).await?.into_iter().map(|Row(columns)| columns).collect())
}
