//! Where the scratch databases of one run are made, and that none of them stays.

use super::owner::{Life, Owner, PREFIX};
use super::private::{self, PrivateServer, READY_WITHIN};
use crate::db;
use crate::db::error::{DbError, DbErrorClass};
use crate::db::session::{ConnectOptions, DatabaseSettings, Session};
use crate::db::url::DatabaseUrl;
use crate::dialect::Dialect;
use crate::name::{Name, literal};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What is wished for.
#[derive(Debug, Clone)]
pub enum Wish {
    /// A server on which databases may be made.
    Server(DatabaseUrl),
    /// A server of our own, or for SQLite a temporary file.
    Private(Dialect),
}

/// Why there is no scratch database.
#[derive(Debug, thiserror::Error)]
pub enum ScratchError {
    /// The programs of a server of our own are not on this machine.
    #[error("no {} server is at hand for a scratch database", .dialect.title())]
    NoPrograms {
        /// The engine.
        dialect: Dialect,
        /// What was looked for.
        names: [&'static str; 2],
    },
    /// It did not start.
    #[error("a private {} server could not be started", .dialect.title())]
    NotStarted {
        /// The engine.
        dialect: Dialect,
        /// Its log, or the system's words.
        why: String,
    },
    /// The server does not let us make one, or cannot be reached.
    #[error("no scratch database could be made on {url}")]
    Server {
        /// The server.
        url: String,
        /// The server's words.
        #[source]
        error: DbError,
    },
    /// The file system does not let us.
    #[error("no scratch folder could be made in {}", .folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The system's words.
        #[source]
        error: std::io::Error,
    },
}

#[derive(Debug)]
enum Kind {
    Server(DatabaseUrl),
    Private(PrivateServer),
    Folder(PathBuf),
}

/// Where the scratch databases of one run are made. [`Place::close`] removes them; where the process dies before, the
/// next run's [`Place::open`] does.
#[derive(Debug)]
pub struct Place {
    kind: Kind,
    owner: Owner,
    options: ConnectOptions,
    made: Vec<DatabaseUrl>,
    numbers: u32,
}

impl Place {
    /// Makes ready what is wished for, after it has removed what dead runs have left there.
    pub async fn open(wish: &Wish, options: &ConnectOptions) -> Result<Self, ScratchError> {
        let owner = Owner::this_process();
        private::sweep(&owner);
        let options = ConnectOptions { role: None, create_if_missing: true, ..options.clone() };
        let kind = match wish {
            Wish::Server(url) => {
                sweep_server(url, &options, &owner)
                    .await
                    .map_err(|error| ScratchError::Server { url: url.to_string(), error })?;
                Kind::Server(url.clone())
            }
            Wish::Private(Dialect::Sqlite) => {
                let folder = private::file_folder(&owner, 0);
                std::fs::create_dir(&folder)
                    .map_err(|error| ScratchError::Folder { folder: folder.clone(), error })?;
                Kind::Folder(folder)
            }
            Wish::Private(dialect) => {
                let mut server = PrivateServer::start(*dialect, &owner)?;
                wait_ready(&mut server, *dialect, &options).await?;
                Kind::Private(server)
            }
        };
        Ok(Self { kind, owner, options, made: Vec::new(), numbers: 0 })
    }

    /// Whether nothing but us uses the server, so that what reaches beyond one database harms nobody.
    pub fn is_private(&self) -> bool {
        matches!(self.kind, Kind::Private(_) | Kind::Folder(_))
    }

    /// The engine of its databases.
    pub fn dialect(&self) -> Dialect {
        self.url_of("x").dialect()
    }

    /// Where it is, in a few words.
    pub fn title(&self) -> String {
        match &self.kind {
            Kind::Server(url) => format!("databases of its own on {}", url.with_database("")),
            Kind::Private(_) => "a private server".to_owned(),
            Kind::Folder(_) => "temporary files".to_owned(),
        }
    }

    /// Makes an empty database.
    pub async fn create(&mut self, settings: &DatabaseSettings) -> Result<DatabaseUrl, ScratchError> {
        let url = self.next_url();
        // Also what was only half made is to be removed.
        self.made.push(url.clone());
        let made = db::engine_of(&url).create_database(&url, &self.options, settings).await;
        made.map_err(|error| ScratchError::Server { url: self.shown(), error })?;
        Ok(url)
    }

    /// Makes a copy of a database of this place, to which nobody is connected; none where the engine cannot.
    pub async fn copy(&mut self, from: &DatabaseUrl) -> Result<Option<DatabaseUrl>, ScratchError> {
        let to = self.next_url();
        match to.dialect() {
            Dialect::Mysql => return Ok(None),
            Dialect::Sqlite => {
                std::fs::copy(from.database(), to.database())
                    .map_err(|error| ScratchError::Folder { folder: to.database().into(), error })?;
                self.made.push(to.clone());
            }
            Dialect::Postgres => {
                self.made.push(to.clone());
                let copied = copy_postgres(from, &to, &self.options).await;
                copied.map_err(|error| ScratchError::Server { url: self.shown(), error })?;
            }
        }
        Ok(Some(to))
    }

    /// Whether [`Place::copy`] works here.
    pub fn can_copy(&self) -> bool {
        self.dialect() != Dialect::Mysql
    }

    /// Removes a database of this place.
    pub async fn remove(&mut self, url: &DatabaseUrl) -> Result<(), ScratchError> {
        let removed = db::engine_of(url).drop_database(url, &self.options).await;
        removed.map_err(|error| ScratchError::Server { url: self.shown(), error })?;
        self.made.retain(|made| made.database() != url.database());
        Ok(())
    }

    /// A session on a database of this place.
    pub async fn connect(&self, url: &DatabaseUrl) -> Result<Box<dyn Session>, ScratchError> {
        let connected = db::connect(url, &self.options).await;
        connected.map_err(|error| ScratchError::Server { url: self.shown(), error })
    }

    /// Removes everything. What cannot be removed is said; the next run tries again.
    pub async fn close(mut self) {
        // They go with their server, or with their folder.
        let made = if self.is_private() { Vec::new() } else { std::mem::take(&mut self.made) };
        for url in made {
            if let Err(error) = db::engine_of(&url).drop_database(&url, &self.options).await {
                tracing::warn!("the scratch database `{}` could not be removed: {error}", url.database());
            }
        }
    }

    fn next_url(&mut self) -> DatabaseUrl {
        self.numbers += 1;
        self.url_of(&self.owner.name(self.numbers))
    }

    fn url_of(&self, name: &str) -> DatabaseUrl {
        match &self.kind {
            Kind::Server(url) => url.with_database(name),
            Kind::Private(server) => server.url(name),
            Kind::Folder(folder) => {
                let file = folder.join(format!("{name}.db"));
                DatabaseUrl::parse("sqlite:x")
                    .expect("it is a URL of SQLite")
                    .with_database(&file.display().to_string())
            }
        }
    }

    fn shown(&self) -> String {
        match &self.kind {
            Kind::Server(url) => url.to_string(),
            Kind::Private(_) => "the private server".to_owned(),
            Kind::Folder(folder) => folder.display().to_string(),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Kind::Folder(folder) = &self.kind
            && let Err(error) = std::fs::remove_dir_all(folder)
        {
            tracing::warn!("{} could not be removed: {error}", folder.display());
        }
    }
}

async fn wait_ready(
    server: &mut PrivateServer,
    dialect: Dialect,
    options: &ConnectOptions,
) -> Result<(), ScratchError> {
    let url = server.url(any_database(dialect));
    let started = Instant::now();
    loop {
        if let Some(log) = server.ended() {
            return Err(ScratchError::NotStarted { dialect, why: log });
        }
        match db::engine_of(&url).connect(&url, options).await {
            Ok(session) => {
                session.close().await;
                return Ok(());
            }
            Err(error) if started.elapsed() >= READY_WITHIN => {
                return Err(ScratchError::NotStarted { dialect, why: error.to_string() });
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// A database that every server has.
fn any_database(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "postgres",
        Dialect::Mysql => "information_schema",
        Dialect::Sqlite => "",
    }
}

async fn admin(url: &DatabaseUrl, options: &ConnectOptions) -> Result<Box<dyn Session>, DbError> {
    let dialect = url.dialect();
    match db::connect(&url.with_database(any_database(dialect)), options).await {
        Err(error) if error.class == DbErrorClass::Missing => {
            db::connect(&url.with_database("template1"), options).await
        }
        other => other,
    }
}

async fn copy_postgres(
    from: &DatabaseUrl,
    to: &DatabaseUrl,
    options: &ConnectOptions,
) -> Result<(), DbError> {
    let mut session = admin(from, options).await?;
    let quoted = |url: &DatabaseUrl| Name::new(url.database()).quoted(Dialect::Postgres);
    let sql = format!("CREATE DATABASE {} TEMPLATE {}", quoted(to), quoted(from));
    let started = Instant::now();
    // A session that has just been closed may still be ending on the server.
    let made = loop {
        match session.run(&sql).await {
            Err(error)
                if error.code.as_deref() == Some("55006") && started.elapsed() < Duration::from_secs(5) =>
            {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            other => break other.map(drop),
        }
    };
    session.close().await;
    made
}

/// Drops the scratch databases on the server of `url` whose owner is dead.
async fn sweep_server(url: &DatabaseUrl, options: &ConnectOptions, asker: &Owner) -> Result<(), DbError> {
    let dialect = url.dialect();
    let pattern = literal(PREFIX, dialect);
    let list = match dialect {
        Dialect::Postgres => {
            format!(
                "SELECT datname FROM pg_catalog.pg_database WHERE pg_catalog.starts_with(datname::text, {pattern})"
            )
        }
        Dialect::Mysql => {
            format!(
                "SELECT schema_name FROM information_schema.schemata WHERE LOCATE({pattern}, schema_name) = 1"
            )
        }
        Dialect::Sqlite => return Ok(()),
    };
    let mut session = admin(url, options).await?;
    let rows = session.query(&list).await;
    session.close().await;
    for row in rows? {
        let name = row.text(0);
        if Owner::of(name).is_some_and(|owner| owner.life(asker) == Life::Dead) {
            tracing::debug!("removing the database {name}, which an earlier run has left");
            let left = url.with_database(name);
            if let Err(error) = db::engine_of(&left).drop_database(&left, options).await {
                tracing::warn!(
                    "the database {name} is left of an earlier run and cannot be removed: {error}"
                );
            }
        }
    }
    Ok(())
}
