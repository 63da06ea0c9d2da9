//! The run's lock: it is tried until it is free or the time is over, and a dead run that has it is ended.

use super::state::Executor;
use crate::db::session::Backend;
use crate::run::contention;
use crate::run::error::RunError;
use crate::run::journal::JournalError;
use crate::run::machine::Event;
use std::time::{Duration, Instant};

/// How far the waiting for the lock has come.
#[derive(Default)]
pub(super) struct LockWait {
    since: Option<Instant>,
    /// When it was looked last whether the run that has it is dead.
    looked_for_dead: Option<Instant>,
    said: bool,
}

impl Executor<'_> {
    pub(super) async fn take_lock(&mut self) -> Event {
        if self.lock_wait.since.is_none() {
            self.lock_wait.since = Some(Instant::now());
            if let Err(error) = self.get_ready_to_lock().await {
                return self.fail_with(error);
            }
        }
        let key = self.journal.lock_key();
        match self.session().try_lock(&key).await {
            Ok(true) => {
                self.locked = true;
                Event::Done
            }
            Ok(false) => {
                // Of twenty that wait, none needs a second connection.
                if let Some(watcher) = self.watcher.take() {
                    watcher.close().await;
                }
                Event::Busy
            }
            Err(error) => self.fail_with(JournalError::Database(error).into()),
        }
    }

    /// Looks whether the session can be written with and keeps what is set and locked in it, before anything is.
    async fn get_ready_to_lock(&mut self) -> Result<(), RunError> {
        let database = |error| RunError::Journal(JournalError::Database(error));
        self.connect().await?;
        if let Some(why) = self.session().identity().await.map_err(database)?.read_only {
            return Err(RunError::ReadOnly(why));
        }
        self.open_watcher().await?;
        if let (Some(watcher), Some(session)) = (self.watcher.as_mut(), self.session.as_deref_mut())
            && let Some(seen) = watcher.pooler_seen(session).await.map_err(database)?
        {
            return Err(RunError::Pooler(seen));
        }
        // What an earlier connection left behind must not decide who we are while we wait.
        self.session().prepare_to_write().await.map_err(database)
    }

    pub(super) async fn pause_for_lock(&mut self) -> Event {
        let waited = self.lock_wait.since.map_or(Duration::ZERO, |since| since.elapsed());
        if waited >= self.options.run_deadline {
            return self.lock_expired(waited).await;
        }
        if !self.lock_wait.said && waited >= Duration::from_secs(1) {
            self.lock_wait.said = true;
            tracing::info!(event = "waiting", "another run has the lock; waiting for it to finish");
        }
        self.end_dead_runner().await;
        let pause = Duration::from_millis(100 + contention::random() % 150);
        if self.signal.raised_within(pause).await {
            return self.interrupted();
        }
        Event::Done
    }

    async fn lock_expired(&mut self, waited: Duration) -> Event {
        let key = self.journal.lock_key();
        let holder = self.session().lock_holder(&key).await.ok().flatten();
        let history =
            self.journal.read(self.session.as_deref_mut().expect("connected")).await.unwrap_or_default();
        let run = history.open_run.map(|run| {
            format!(
                "run {} (`{}` by {}, since {}, last sign of life {} s ago)",
                run.id, run.command, run.by, run.started_at, run.silent_s
            )
        });
        self.error = Some(RunError::RunLock { waited_s: waited.as_secs(), holder, run });
        Event::Expired
    }

    /// Ends the session of a run that has given no sign of life for a minute, so that its lock is freed. Where the
    /// server watches the socket (`client_connection_check_interval`) it has done so long before; not where a machine
    /// was lost without a word. A run that has not written of itself yet is known by its session, which does nothing.
    async fn end_dead_runner(&mut self) {
        const SILENCE: Duration = Duration::from_secs(60);
        const LOOK_EVERY: Duration = Duration::from_secs(5);
        if self.lock_wait.looked_for_dead.is_some_and(|looked| looked.elapsed() < LOOK_EVERY) {
            return;
        }
        self.lock_wait.looked_for_dead = Some(Instant::now());
        let journal = self.journal;
        let Ok(history) = journal.read(self.session()).await else { return };
        let run = history.open_run;
        let silent = run.as_ref().filter(|run| run.silent_s >= SILENCE.as_secs().cast_signed());
        if let Some(run) = silent
            && self.session().end_backend(&run.backend).await.unwrap_or(false)
        {
            tracing::warn!(
                event = "ended dead runner",
                "ended session {} of run {}, which gave no sign of life for {} s",
                run.backend.pid,
                run.id,
                run.silent_s
            );
            return;
        }
        let key = journal.lock_key();
        let idle = self.session().idle_holder(&key, SILENCE).await.ok().flatten();
        // A run that gives signs of life may wait for a program.
        let lives =
            |idle: &Backend| run.as_ref().is_some_and(|run| run.backend.pid == idle.pid && silent.is_none());
        if let Some(idle) = idle.filter(|idle| !lives(idle))
            && self.session().end_backend(&idle).await.unwrap_or(false)
        {
            tracing::warn!(
                event = "ended dead runner",
                "ended session {}, which had the lock and did nothing for {} s",
                idle.pid,
                SILENCE.as_secs()
            );
        }
    }

    pub(super) async fn unlock(&mut self) -> Event {
        if self.locked && self.session.is_some() {
            let key = self.journal.lock_key();
            // The lock ends with the connection in any case.
            if let Ok(false) = self.session().unlock(&key).await {
                tracing::warn!("the lock of this run was gone before it ended");
            }
        }
        Event::Done
    }
}
