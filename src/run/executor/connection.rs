//! The run's two connections: they are opened, opened again after they broke, and closed.

use super::state::Executor;
use crate::db::error::{DbError, DbErrorClass};
use crate::db::session::{ConnectOptions, LockKey, Session};
use crate::db::url::DatabaseUrl;
use crate::run::error::RunError;
use crate::run::journal::JournalError;
use crate::run::machine::{Event, Failure};
use std::time::{Duration, Instant};

/// How long a run tries to connect again.
const RECONNECT_DEADLINE: Duration = Duration::from_secs(30);

/// A session that is being opened while the migrations folder is read.
pub struct EarlySession(tokio::task::JoinHandle<Result<Box<dyn Session>, DbError>>);

impl EarlySession {
    /// Begins to open it. Nothing of a file database is touched before the folder is known to be right.
    pub fn open(url: &DatabaseUrl, options: &ConnectOptions) -> Option<Self> {
        let (url, options) = (url.clone(), options.clone());
        let is_server = !url.is_file();
        is_server.then(|| Self(tokio::spawn(async move { crate::db::connect(&url, &options).await })))
    }

    pub(super) async fn session(self) -> Result<Box<dyn Session>, DbError> {
        match self.0.await {
            Ok(opened) => opened,
            Err(error) => Err(DbError::new(DbErrorClass::Unreachable, error.to_string())),
        }
    }
}

impl Executor<'_> {
    pub(super) async fn connect(&mut self) -> Result<(), RunError> {
        if self.session.is_none() {
            let session = match self.early.take() {
                Some(early) => early.session().await,
                None => crate::db::connect(self.url, &self.options.connect).await,
            }
            .map_err(|error| RunError::Connect { url: self.url.to_string(), error })?;
            self.session = Some(session);
        }
        Ok(())
    }

    pub(super) async fn open_watcher(&mut self) -> Result<(), RunError> {
        let watched = self.session().watched();
        let mut options = self.options.connect.clone();
        options.application_name.push_str(" watcher");
        let watcher = crate::db::engine_of(self.url)
            .watch(self.url, &options, watched)
            .await
            .map_err(|error| RunError::Connect { url: self.url.to_string(), error })?;
        self.watcher = Some(watcher);
        Ok(())
    }

    pub(super) async fn reconnect(&mut self) -> Event {
        tracing::warn!(event = "reconnecting", "the connection broke; connecting again");
        self.drop_connections();
        let deadline = Instant::now() + RECONNECT_DEADLINE;
        let key = self.journal.lock_key();
        loop {
            match self.try_reconnect(&key).await {
                Ok(true) => return Event::Done,
                Ok(false) => {}
                Err(error) if self.is_lost(&error) => self.drop_connections(),
                Err(error) => return self.fail(Failure::Refused, error),
            }
            if Instant::now() >= deadline {
                return Event::Expired;
            }
            if self.signal.raised_within(Duration::from_millis(200)).await {
                return Event::Interrupted;
            }
        }
    }

    /// Whether another try may have more luck: there was no connection, or it broke.
    fn is_lost(&self, error: &RunError) -> bool {
        match error {
            RunError::Connect { .. } => true,
            RunError::Journal(JournalError::Database(error)) => self.failure_of(error) == Failure::Lost,
            _ => false,
        }
    }

    /// Connects and takes the lock, whichever of it is missing, and writes which session the run has now. Whether it has
    /// come so far: what fails before the lock is ours may work a moment later.
    async fn try_reconnect(&mut self, key: &LockKey) -> Result<bool, RunError> {
        if self.session.is_none() {
            self.connect().await?;
            let prepared = self.session().prepare_to_write().await;
            let known = self.session().identity().await;
            if prepared.is_err() || known.is_err() {
                self.session = None;
                return Ok(false);
            }
        }
        match self.session().try_lock(key).await {
            Ok(true) => {}
            // The old session still has it, until the server notices that nobody is there.
            Ok(false) => return Ok(false),
            Err(_) => {
                self.session = None;
                return Ok(false);
            }
        }
        self.open_watcher().await?;
        if let Some(id) = self.run_id {
            self.write_session(id).await?;
        }
        Ok(true)
    }

    /// Writes that the run `id` has the session that is open now.
    pub(super) async fn write_session(&mut self, id: i64) -> Result<(), RunError> {
        let backend = self.session().watched().backend;
        let sql = self.journal.reconnected_sql(id, &backend);
        self.session().run(&sql).await.map_err(JournalError::Database)?;
        Ok(())
    }

    fn drop_connections(&mut self) {
        self.session = None;
        self.backfills_locked = false;
        self.watcher = None;
        self.begun = None;
        self.transaction = None;
    }

    pub(super) async fn close(&mut self) {
        if let Some(watcher) = self.watcher.take() {
            watcher.close().await;
        }
        if let Some(session) = self.session.take() {
            session.close().await;
        }
    }
}
