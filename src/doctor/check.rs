//! What a check is given, and what it gives.

use crate::db::error::DbError;
use crate::db::session::{ConnectOptions, Identity, Row, Session};
use crate::db::url::DatabaseUrl;
use crate::dialect::Dialect;
use crate::run::journal::Journal;
use async_trait::async_trait;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it has to be.
    Fine,
    /// Good to know.
    Note,
    /// A run works, but may wait, harm others or leave something behind.
    Warning,
    /// A run would fail, or cannot be trusted.
    Problem,
}

impl Level {
    /// The word for it.
    pub const fn id(self) -> &'static str {
        match self {
            Level::Fine => "ok",
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Problem => "problem",
        }
    }
}

/// What a check saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// How bad it is.
    pub level: Level,
    /// What, in one line.
    pub message: String,
    /// What to do, with something to paste where there is something.
    pub help: Option<String>,
}

impl Seen {
    /// It is as it has to be.
    pub fn fine(message: impl Into<String>) -> Self {
        Self { level: Level::Fine, message: message.into(), help: None }
    }

    /// It is good to know.
    pub fn note(message: impl Into<String>) -> Self {
        Self { level: Level::Note, message: message.into(), help: None }
    }

    /// It should be seen to.
    pub fn warning(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { level: Level::Warning, message: message.into(), help: Some(help.into()) }
    }

    /// It has to be seen to before a run.
    pub fn problem(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { level: Level::Problem, message: message.into(), help: Some(help.into()) }
    }
}

/// The database that is looked at.
pub struct Patient<'p> {
    /// Its URL.
    pub url: &'p DatabaseUrl,
    /// How connections are opened.
    pub options: &'p ConnectOptions,
    /// Its journal.
    pub journal: &'p Journal,
    /// An open session.
    pub session: Box<dyn Session>,
    /// What the server says of itself.
    pub identity: Identity,
}

impl Patient<'_> {
    /// The dialect of the database.
    pub fn dialect(&self) -> Dialect {
        self.url.dialect()
    }

    /// The rows of a query.
    pub async fn ask(&mut self, sql: &str) -> Result<Vec<Row>, DbError> {
        self.session.query(sql).await
    }

    /// What each row of a query to PostgreSQL is; that there are none, where there are none. Nothing on other engines.
    pub async fn each_on_postgres(
        &mut self,
        sql: &str,
        seen: impl Fn(&Row) -> Seen,
    ) -> Result<Vec<Seen>, DbError> {
        if self.dialect() != Dialect::Postgres {
            return Ok(Vec::new());
        }
        let rows = self.ask(sql).await?;
        if rows.is_empty() {
            return Ok(vec![Seen::fine("there are none")]);
        }
        Ok(rows.iter().map(seen).collect())
    }

    /// Whether the server is on this machine, as the URL has it.
    pub fn is_local(&self) -> bool {
        let shown = self.url.to_string();
        let url = url::Url::parse(&shown);
        let host = url.as_ref().ok().and_then(|url| url.host_str()).unwrap_or("");
        host.is_empty() || host == "localhost" || host.starts_with("127.") || host == "[::1]"
    }
}

/// One check.
#[async_trait]
pub trait Check: Sync {
    /// Its name.
    fn id(&self) -> &'static str;

    /// What it sees; nothing where the engine has no such thing.
    async fn look(&self, patient: &mut Patient<'_>) -> Result<Vec<Seen>, DbError>;
}
