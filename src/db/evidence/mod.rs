//! What a server tells of the code that runs on it: the queries that it has counted, its tables and their use (one file
//! per engine), who is connected, and the look of a contract's gate (`gate`). It changes nothing.

pub mod gate;
mod mysql;
mod postgres;

use super::error::DbError;
use super::session::{Row, Session};
use crate::compat::gate::Connected;
use crate::dialect::Dialect;
use crate::engine;
use crate::engine::locks::LockRequest;
use crate::evidence::facts::{Database, Look};
use crate::evidence::sources::{DIGESTS, STATEMENTS, Source};

/// What a server counts queries with; none where the engine has no server.
pub fn source(dialect: Dialect) -> Option<&'static Source> {
    match dialect {
        Dialect::Postgres => Some(STATEMENTS),
        Dialect::Mysql => Some(DIGESTS),
        Dialect::Sqlite => None,
    }
}

/// What the server of `session` tells; what it does not tell, and how it could, is among what the look is blind to.
pub async fn look(session: &mut dyn Session) -> Result<Look, DbError> {
    let mut look = counted(session).await?;
    let mut database = server(session).await?;
    database.tables = match session.dialect() {
        Dialect::Postgres => postgres::tables(session).await?,
        Dialect::Mysql => mysql::tables(session).await?,
        Dialect::Sqlite => Vec::new(),
    };
    look.database = Some(database);
    Ok(look)
}

/// The queries that the server has counted.
pub(super) async fn counted(session: &mut dyn Session) -> Result<Look, DbError> {
    match session.dialect() {
        Dialect::Postgres => postgres::counted(session).await,
        Dialect::Mysql => mysql::counted(session).await,
        Dialect::Sqlite => Ok(nothing("this engine has no server that counts queries")),
    }
}

/// What the server says of itself.
async fn server(session: &mut dyn Session) -> Result<Database, DbError> {
    // MySQL has no name for all servers of one evidence file but that of the database.
    let (ask, settings, cluster) = match session.dialect() {
        Dialect::Postgres => {
            (engine::postgres::statements::SERVER, engine::postgres::statements::SETTINGS, 3)
        }
        Dialect::Mysql => (engine::mysql::statements::SERVER, engine::mysql::statements::SETTINGS, 0),
        Dialect::Sqlite => return Ok(Database::default()),
    };
    let version = session.identity().await?.version;
    let server = first(session, ask).await?;
    let settings = session.query(settings).await?;
    Ok(Database {
        name: server.text(0).to_owned(),
        version,
        standby: server.is_true(1),
        standbys: number(server.get(2)).map_or(0, |count| u32::try_from(count).unwrap_or(u32::MAX)),
        cluster: server.get(cluster).map(str::to_owned),
        settings: settings.iter().map(|row| (row.text(0).to_owned(), row.text(1).to_owned())).collect(),
        ..Database::default()
    })
}

/// The first row of an answer; an empty one where there is none.
async fn first(session: &mut dyn Session, sql: &str) -> Result<Row, DbError> {
    Ok(session.query(sql).await?.into_iter().next().unwrap_or(Row(Vec::new())))
}

/// Who else is connected to the session's database; none where the engine cannot tell.
pub async fn connected(session: &mut dyn Session) -> Result<Option<Vec<Connected>>, DbError> {
    let rows = match session.dialect() {
        Dialect::Postgres => session.query(engine::postgres::statements::SESSIONS).await?,
        Dialect::Mysql => return mysql::connected(session).await,
        Dialect::Sqlite => return Ok(None),
    };
    Ok(Some(rows.iter().map(connected_row).collect()))
}

/// Name, role, and how many.
fn connected_row(row: &Row) -> Connected {
    Connected {
        application: row.text(0).to_owned(),
        role: row.text(1).to_owned(),
        count: number(row.get(2)).unwrap_or(1),
    }
}

/// Whether `sql` is of our own looks and runs, which is nobody's query: what counts statements, the history, and the locks
/// that a migration asks for.
fn is_ours(sql: &str) -> bool {
    let names = ["pg_stat_statements", "performance_schema", "\"twostep\".", "`twostep_"];
    names.iter().any(|name| sql.contains(name)) || LockRequest::is_one(sql)
}

/// A look that sees nothing, for this reason.
fn nothing(why: &str) -> Look {
    Look { blind: vec![why.to_owned()], ..Look::default() }
}

/// A number as a server prints it; none where it is NULL, negative or none.
fn number(text: Option<&str>) -> Option<u64> {
    text?.parse().ok()
}
