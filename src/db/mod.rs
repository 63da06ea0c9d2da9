//! The world of servers: one file or folder per engine, and what all of them promise (`session`).

pub mod catalog;
pub mod error;
pub mod evidence;
pub mod mysql;
pub mod postgres;
pub mod scratch;
pub mod session;
pub mod sqlite;
pub mod url;

use error::{DbError, DbErrorClass};
use session::{ConnectOptions, Engine, Session};
use url::DatabaseUrl;

/// The engines. A new one is a file here and a line in this list.
pub static ENGINES: &[&dyn Engine] = &[&postgres::PostgresEngine, &mysql::MysqlEngine, &sqlite::SqliteEngine];

/// The engine that speaks `url`'s scheme.
pub fn engine_of(url: &DatabaseUrl) -> &'static dyn Engine {
    ENGINES
        .iter()
        .copied()
        .find(|engine| engine.dialect() == url.dialect())
        .expect("a DatabaseUrl is only made for a dialect that has an engine")
}

/// What shows that `session` goes through a pooler that hands out servers by the transaction. Asked before anything is
/// set or locked: either would stay on a server that others are given.
pub async fn pooler_seen(
    url: &DatabaseUrl,
    options: &ConnectOptions,
    session: &mut dyn Session,
) -> Result<Option<String>, DbError> {
    session.identity().await?;
    let mut watcher = engine_of(url).watch(url, options, session.watched()).await?;
    let seen = watcher.pooler_seen(session).await;
    watcher.close().await;
    seen
}

/// Opens a session on `url`, trying again until `options.wait` is over where the server is not there yet.
pub async fn connect(url: &DatabaseUrl, options: &ConnectOptions) -> Result<Box<dyn Session>, DbError> {
    // The drivers only say that something was not found.
    for (parameter, file) in url.named_files() {
        if let Err(error) = std::fs::File::open(&file) {
            let message = format!("`{parameter}` names the file {file}, which cannot be read: {error}");
            return Err(DbError::new(DbErrorClass::Configuration, message));
        }
    }
    let engine = engine_of(url);
    let deadline = tokio::time::Instant::now() + options.wait;
    let mut pause = std::time::Duration::from_millis(100);
    loop {
        match engine.connect(url, options).await {
            Ok(session) => return Ok(session),
            Err(error)
                if error.class.is_not_there_yet() && tokio::time::Instant::now() + pause < deadline =>
            {
                tracing::info!(target: "twostep", error = %error.message, "the database is not ready, trying again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(std::time::Duration::from_secs(1));
            }
            Err(error) => return Err(error),
        }
    }
}
