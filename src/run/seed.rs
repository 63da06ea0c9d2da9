//! Seed files: rows that a database is filled with after it is migrated, one transaction a file.

use super::contention;
use super::error::RunError;
use super::executor::RunOptions;
use super::journal::{Journal, JournalError};
use super::script::{self, ScriptOptions, ScriptProblem, Statement, Work};
use super::signal::Signal;
use super::watch::{Eyes, Unanswered, Watched, watch};
use crate::db::error::{DbError, DbErrorClass};
use crate::db::session::{Begin, Session, Watcher};
use crate::db::url::DatabaseUrl;
use crate::source::{Body, Checksum, Script};
use crate::text::Span;
use std::time::{Duration, Instant};

/// A seed file.
#[derive(Debug, Clone)]
pub struct SeedFile {
    /// Its path, as it is shown.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// Why seeding stopped.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// It could not begin.
    #[error(transparent)]
    Begin(RunError),
    /// Another run has the lock.
    #[error("another run has the lock, and had it for all of {waited_s} s")]
    Locked {
        /// How long we waited.
        waited_s: u64,
    },
    /// Files that are not run at all.
    #[error("{} problem(s) in the seed files", .0.len())]
    Scripts(Vec<ScriptProblem>),
    /// The server refused a statement; the file was rolled back.
    #[error("{path}:{line}: {error}")]
    Statement {
        /// The file.
        path: String,
        /// Line of the statement.
        line: usize,
        /// The server's words.
        #[source]
        error: DbError,
        /// Files that are applied.
        done: usize,
    },
    /// A signal asked us to stop.
    #[error("stopped by a signal")]
    Interrupted {
        /// Files that are applied.
        done: usize,
    },
    /// The server does not answer after it was asked to stop.
    #[error("the server has not stopped the statement yet")]
    NotAnswering {
        /// Files that are applied.
        done: usize,
    },
}

/// Runs `files` one after the other, each in a transaction of its own, under the run's lock. Gives how many were run.
pub async fn seed(
    url: &DatabaseUrl,
    journal: &Journal,
    files: &[SeedFile],
    options: &RunOptions,
    signal: &Signal,
) -> Result<usize, SeedError> {
    let script_options = ScriptOptions { dialect: url.dialect(), native: true };
    let mut prepared = Vec::with_capacity(files.len());
    let mut problems = Vec::new();
    for file in files {
        match script::prepare(&as_script(file), script_options) {
            Ok(ready) => prepared.push((file, ready)),
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        return Err(SeedError::Scripts(problems));
    }
    let mut stop = signal.clone();
    let mut seeder = tokio::select! {
        biased;
        () = stop.raised() => return Err(SeedError::Interrupted { done: 0 }),
        begun = Seeder::begin(url, journal, options, signal) => begun?,
    };
    for (file, ready) in &prepared {
        if let Work::Statements(statements) = &ready.work {
            seeder.file(file, statements).await?;
        }
    }
    seeder.end().await;
    Ok(prepared.len())
}

/// A session that has the run's lock, and what watches it.
struct Seeder<'a> {
    session: Box<dyn Session>,
    watcher: Box<dyn Watcher>,
    journal: &'a Journal,
    options: &'a RunOptions,
    signal: &'a Signal,
    done: usize,
}

impl<'a> Seeder<'a> {
    async fn begin(
        url: &DatabaseUrl,
        journal: &'a Journal,
        options: &'a RunOptions,
        signal: &'a Signal,
    ) -> Result<Self, SeedError> {
        let connect = |error| SeedError::Begin(RunError::Connect { url: url.to_string(), error });
        let database = |error| SeedError::Begin(RunError::Journal(JournalError::Database(error)));
        let mut session = crate::db::connect(url, &options.connect).await.map_err(connect)?;
        if let Some(why) = session.identity().await.map_err(database)?.read_only {
            return Err(SeedError::Begin(RunError::ReadOnly(why)));
        }
        let mut watcher = crate::db::engine_of(url)
            .watch(url, &options.connect, session.watched())
            .await
            .map_err(connect)?;
        if let Some(seen) = watcher.pooler_seen(&mut *session).await.map_err(database)? {
            return Err(SeedError::Begin(RunError::Pooler(seen)));
        }
        session.prepare_to_write().await.map_err(database)?;
        let started = Instant::now();
        while !session.try_lock(&journal.lock_key()).await.map_err(database)? {
            if started.elapsed() >= options.run_deadline {
                return Err(SeedError::Locked { waited_s: started.elapsed().as_secs() });
            }
            tokio::time::sleep(Duration::from_millis(100 + contention::random() % 150)).await;
        }
        session.identity().await.map_err(database)?;
        Ok(Self { session, watcher, journal, options, signal, done: 0 })
    }

    /// Runs one file. A lock is waited for as long as a run would try to get it: rows keep nobody else waiting.
    async fn file(&mut self, file: &SeedFile, statements: &[Statement]) -> Result<(), SeedError> {
        let done = self.done;
        let failed = |line: usize, error| SeedError::Statement { path: file.path.clone(), line, error, done };
        let begin = Begin { lock_timeout: self.options.lock_deadline, fresh: true, lock: None };
        let transaction = self.session.begin(begin).await.map_err(|error| failed(1, error))?;
        for statement in statements {
            if let Err(problem) = self.send(statement).await {
                return Err(self.give_up(problem, |error| failed(statement.line, error)).await);
            }
        }
        let key = self.journal.lock_key();
        let committed = self
            .watched(&file.path, async |session| session.commit(&transaction, &key, "SELECT 1").await)
            .await;
        if let Err(problem) = committed {
            return Err(self.give_up(problem, |error| failed(1, error)).await);
        }
        self.done += 1;
        tracing::info!(event = "seeded", file = %file.path, "seeded {}", file.path);
        Ok(())
    }

    async fn send(&mut self, statement: &Statement) -> Result<(), Unanswered> {
        if self.signal.is_raised() {
            return Err(Unanswered::Server(DbError::new(DbErrorClass::Cancelled, "stopped by a signal")));
        }
        self.watched(&statement.title(), async |session| match &statement.rows {
            None => session.run(statement.sql()).await.map(drop),
            Some(rows) => session.copy_in(statement.sql(), &mut rows.in_pieces().map(Ok)).await.map(drop),
        })
        .await
    }

    async fn watched<T>(
        &mut self,
        title: &str,
        act: impl AsyncFnOnce(&mut dyn Session) -> Result<T, DbError>,
    ) -> Result<T, Unanswered> {
        let mut eyes = Eyes::new(Some(&mut *self.watcher), None, None);
        watch(&mut *self.session, &mut eyes, self.signal, Watched::without_limit(title), act).await
    }

    /// Rolls the open file back, and says why.
    async fn give_up(&mut self, problem: Unanswered, failed: impl FnOnce(DbError) -> SeedError) -> SeedError {
        match problem {
            Unanswered::NotAnswering => SeedError::NotAnswering { done: self.done },
            Unanswered::Server(error) => {
                // The connection may be the reason; it is given up either way.
                let _ = self.session.rollback().await;
                if self.signal.is_raised() && error.class == DbErrorClass::Cancelled {
                    SeedError::Interrupted { done: self.done }
                } else {
                    failed(error)
                }
            }
        }
    }

    async fn end(mut self) {
        // The lock ends with the session in any case.
        let _ = self.session.unlock(&self.journal.lock_key()).await;
        self.watcher.close().await;
        self.session.close().await;
    }
}

fn as_script(file: &SeedFile) -> Script {
    let text: std::sync::Arc<str> = file.text.as_str().into();
    Script {
        path: file.path.clone(),
        checksum: Checksum::of(&text),
        body: Body::Sql { span: Span::new(0, text.len()), file: text },
        transaction: true,
        directives: Vec::new(),
    }
}
