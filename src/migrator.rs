//! For programs that migrate when they start, and that refuse to boot on a schema that they cannot work with.

use crate::db;
use crate::db::session::ConnectOptions;
use crate::db::url::{DatabaseUrl, UrlError};
use crate::files::{self, FolderError};
use crate::run::adopt::mirror::MirrorWish;
use crate::run::error::RunError;
use crate::run::executor::{self, Finished, RunOptions, RunReport};
use crate::run::journal::{Applied, History, Journal};
use crate::run::machine::Outcome;
use crate::run::others;
use crate::run::pace::Pace;
use crate::run::pending::{self, Wanted};
use crate::run::signal::Signal;
use crate::run::task::{Goal, label};
use crate::source::{self, Folder, ReadOptions, SourceFile, SourceProblem};
use std::path::PathBuf;
use std::time::Duration;

/// Brings a database to what this program needs, or tells whether it is there. Runs on tokio.
///
/// ```no_run
/// # async fn boot() -> Result<(), twostep::MigratorError> {
/// let migrator = twostep::Migrator::new("postgres://shop@localhost/shop")?.folder("migrations");
/// // In one place: a release phase, or the first of many replicas; the others wait for it.
/// migrator.migrate().await?;
/// // In every process that serves.
/// migrator.ready().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Migrator {
    url: DatabaseUrl,
    migrations: Migrations,
    format: Option<String>,
    journal: String,
    connect: ConnectOptions,
    lock_timeout: Duration,
    lock_deadline: Duration,
    run_deadline: Duration,
    release: Option<String>,
    signal: Option<Signal>,
}

/// Where the migrations are.
#[derive(Debug, Clone)]
enum Migrations {
    Folder(PathBuf),
    Embedded(Vec<SourceFile>),
}

/// Why a database is not where a program needs it.
#[derive(Debug, thiserror::Error)]
pub enum MigratorError {
    /// The URL cannot be used.
    #[error("the database URL cannot be used: {0}")]
    Url(#[from] UrlError),
    /// The folder gives no migrations.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The embedded files are not as their format wants them.
    #[error("{}", problems(.0))]
    Embedded(Vec<SourceProblem>),
    /// The run stopped.
    #[error("{error}")]
    Run {
        /// How it ended.
        outcome: Outcome,
        /// What it had finished by then.
        finished: Vec<Finished>,
        /// Why.
        #[source]
        error: Box<RunError>,
    },
    /// The database cannot be looked at.
    #[error("{0}")]
    Look(#[source] Box<RunError>),
    /// The schema is not one that this program can work with.
    #[error(transparent)]
    NotReady(#[from] NotReady),
}

/// Why a program must not boot on a schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// Migrations that this program needs are not applied.
    #[error("migrations are not applied yet: {}", .0.join(", "))]
    Pending(Vec<String>),
    /// A migration stopped half-way.
    #[error("migrations are half applied, or half taken back: {}", .0.join(", "))]
    Half(Vec<String>),
    /// The database is ahead with what breaks this program.
    #[error("the database is ahead of this program with what breaks it: {}", .0.join(", "))]
    Ahead(Vec<String>),
}

fn problems(problems: &[SourceProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl Migrator {
    /// For the database of `url`, with the migrations in the folder `migrations`, and the defaults of the command line.
    pub fn new(url: &str) -> Result<Self, MigratorError> {
        Ok(Self {
            url: DatabaseUrl::parse(url)?,
            migrations: Migrations::Folder(PathBuf::from("migrations")),
            format: None,
            journal: "twostep".to_owned(),
            connect: ConnectOptions::default(),
            lock_timeout: Duration::from_millis(100),
            lock_deadline: Duration::from_secs(60),
            run_deadline: Duration::from_secs(300),
            release: None,
            signal: None,
        })
    }

    /// The migrations are in this folder.
    #[must_use]
    pub fn folder(mut self, path: impl Into<PathBuf>) -> Self {
        self.migrations = Migrations::Folder(path.into());
        self
    }

    /// The migrations are these files, name and text, as `include_str!` gives them. Executables cannot be embedded.
    #[must_use]
    pub fn embedded<'a>(mut self, files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let files = files.into_iter().map(|(path, text)| SourceFile::text(path, text));
        self.migrations = Migrations::Embedded(files.collect());
        self
    }

    /// The format of the files, where it shall not be found out from them.
    #[must_use]
    pub fn source_format(mut self, format: impl Into<String>) -> Self {
        self.format = Some(format.into());
        self
    }

    /// Schema (PostgreSQL) or table prefix of the history.
    #[must_use]
    pub fn journal(mut self, name: impl Into<String>) -> Self {
        self.journal = name.into();
        self
    }

    /// The id of the release, best its commit.
    #[must_use]
    pub fn release(mut self, id: impl Into<String>) -> Self {
        self.release = Some(id.into());
        self
    }

    /// How long to try again while the server cannot be reached.
    #[must_use]
    pub const fn wait(mut self, time: Duration) -> Self {
        self.connect.wait = time;
        self
    }

    /// How long to wait for another process that migrates.
    #[must_use]
    pub const fn run_deadline(mut self, time: Duration) -> Self {
        self.run_deadline = time;
        self
    }

    /// Stops, with a known state, when `signal` is raised: the program's own handler of SIGTERM raises it.
    #[must_use]
    pub fn stop_on(mut self, signal: Signal) -> Self {
        self.signal = Some(signal);
        self
    }

    fn read_options(&self) -> ReadOptions {
        ReadOptions { dialect: Some(self.url.dialect()), ..ReadOptions::default() }
    }

    fn read(&self) -> Result<(Folder, PathBuf), MigratorError> {
        let (format, options) = (self.format.as_deref(), self.read_options());
        match &self.migrations {
            Migrations::Folder(path) => Ok((files::read_migrations(path, format, &options)?, path.clone())),
            Migrations::Embedded(files) => {
                let folder = source::read(files, format, &options).map_err(MigratorError::Embedded)?;
                Ok((folder, PathBuf::new()))
            }
        }
    }

    fn used_journal(&self) -> Journal {
        Journal::new(self.url.dialect(), self.journal.clone()).in_database(self.url.database())
    }

    /// Applies what is pending, under the lock of the runs: of many processes that start at once one migrates, and the
    /// others wait for it. Gives what this one has applied.
    pub async fn migrate(&self) -> Result<Vec<Finished>, MigratorError> {
        let (folder, path) = self.read()?;
        let options = RunOptions {
            connect: ConnectOptions { create_if_missing: true, ..self.connect.clone() },
            lock_timeout: self.lock_timeout,
            lock_deadline: self.lock_deadline,
            run_deadline: self.run_deadline,
            host: "library".to_owned(),
            release: self.release.clone(),
            folder: path,
            read: self.read_options(),
            mirror: MirrorWish::AsAdopted,
            pace: Pace::default(),
        };
        let goal = Goal::Migrate(Wanted::default());
        let signal = self.signal.clone().unwrap_or_else(Signal::never);
        let report =
            executor::run(&self.url, &self.used_journal(), &folder, &goal, &options, &signal, None).await;
        let RunReport { outcome, finished, error, .. } = report;
        match (outcome, error) {
            (Outcome::Done | Outcome::NothingToDo, _) => Ok(finished),
            (outcome, error) => {
                let error = Box::new(error.unwrap_or(RunError::Interrupted));
                Err(MigratorError::Run { outcome, finished, error })
            }
        }
    }

    /// Whether this program can work with the schema: nothing that it needs is missing or half done, and the database
    /// is not ahead with what breaks it. Reads only, on a short connection of its own.
    pub async fn ready(&self) -> Result<(), MigratorError> {
        let (folder, _) = self.read()?;
        let history = self.look().await.map_err(|error| MigratorError::Look(Box::new(error)))?;
        let comparison = pending::compare(&folder, &history, None);
        let rows = |rows: Vec<&Applied>| -> Vec<String> {
            rows.into_iter().map(|row| label(&row.version, &row.name)).collect()
        };
        let half = rows(comparison.half.iter().collect());
        if !half.is_empty() {
            return Err(NotReady::Half(half).into());
        }
        let ahead = rows(comparison.ahead_breaking().collect());
        if !ahead.is_empty() {
            return Err(NotReady::Ahead(ahead).into());
        }
        let positions = comparison.pending.iter().map(|position| &folder.migrations[*position]);
        let pending: Vec<String> = positions.map(|one| label(&one.version, &one.name)).collect();
        if pending.is_empty() { Ok(()) } else { Err(NotReady::Pending(pending).into()) }
    }

    async fn look(&self) -> Result<History, RunError> {
        if self.url.is_missing_file() {
            return Ok(History::default());
        }
        let options = ConnectOptions { read_only: true, ..self.connect.clone() };
        let mut session = db::connect(&self.url, &options)
            .await
            .map_err(|error| RunError::Connect { url: self.url.to_string(), error })?;
        let history = self.used_journal().read(&mut *session).await?;
        others::refuse(&mut *session, &history).await?;
        session.close().await;
        Ok(history)
    }
}
