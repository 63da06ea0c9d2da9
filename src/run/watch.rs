//! Waiting for the server's answer while looking at what goes on: it says what takes long and who is in the way, gives
//! the run's sign of life, and has the server stop what runs when a signal asks us to.

use super::contention;
use super::signal::Signal;
use crate::db::error::{DbError, DbErrorClass};
use crate::db::session::{Blocker, Session, Watcher};
use std::time::{Duration, Instant};

/// How long the server has to stop a statement after it was asked to. The time until it is asked, and what is left to
/// be written afterwards, are within the ten seconds that a run takes from a signal to its end.
const STOP_WITHIN: Duration = Duration::from_secs(7);

/// How long the second connection has for one answer: while it is waited for, nothing else is looked at.
const WATCHER_WITHIN: Duration = Duration::from_secs(1);

/// How long a statement stands in a lock's queue before it steps back, where the server does not count.
const STEP_BACK_AFTER: Duration = Duration::from_secs(1);

/// How often it is said that a statement still runs, and that this run is alive.
pub(super) const SAY_EVERY: Duration = Duration::from_secs(5);

/// How often it is written what this run does, where that changes.
pub(super) const TELL_EVERY: Duration = Duration::from_secs(1);

/// How something is watched.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watched<'t> {
    /// What runs, for people.
    pub(super) title: &'t str,
    /// The server is asked to stop it after this time.
    pub(super) deadline: Option<Duration>,
    /// Whether it is looked at early, and what for.
    pub(super) first_look: Option<FirstLook>,
}

/// What is done early about a statement that stands in the queue of a lock.
#[derive(Debug, Clone, Copy)]
pub(super) enum FirstLook {
    /// After this time, who is in the way is noted: the server will end the try soon.
    Note(Duration),
    /// It is stopped: others wait behind it, and nothing of it is done yet.
    StepBack,
}

impl FirstLook {
    const fn after(self) -> Duration {
        match self {
            FirstLook::Note(after) => after,
            FirstLook::StepBack => STEP_BACK_AFTER,
        }
    }
}

impl<'t> Watched<'t> {
    /// What runs for as long as it takes.
    pub(super) const fn without_limit(title: &'t str) -> Self {
        Self { title, deadline: None, first_look: None }
    }

    /// What is stopped after some time.
    pub(super) const fn within(title: &'t str, deadline: Duration) -> Self {
        Self { title, deadline: Some(deadline), first_look: None }
    }
}

/// Why there is no result.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// The server said no.
    Server(DbError),
    /// It was asked to stop, and has not said anything since: the connection cannot be used any more.
    NotAnswering,
}

/// Awaits what `act` does with `session`. A signal that is raised already is not heeded: then this is what is left to
/// be done before the end.
pub(super) async fn watch<T>(
    session: &mut dyn Session,
    eyes: &mut Eyes<'_>,
    signal: &Signal,
    how: Watched<'_>,
    act: impl AsyncFnOnce(&mut dyn Session) -> Result<T, DbError>,
) -> Result<T, Unanswered> {
    let started = Instant::now();
    let mut signal = signal.clone();
    let heeds = !signal.is_raised();
    let mut stopping: Option<Instant> = None;
    let (mut first_look, mut stepped_back) = (how.first_look, false);
    // Never dropped before its answer is there: a statement whose answer nobody reads would leave the connection in
    // the middle of a message.
    let mut running = std::pin::pin!(act(session));
    loop {
        let left = |limit: Duration| limit.saturating_sub(started.elapsed());
        let next = match (stopping, first_look.map(FirstLook::after).or(how.deadline)) {
            (Some(since), _) => STOP_WITHIN.saturating_sub(since.elapsed()).min(WATCHER_WITHIN),
            (None, limit) => limit.map_or(SAY_EVERY, left).min(SAY_EVERY),
        };
        tokio::select! {
            biased;
            answer = &mut running => {
                return answer.map_err(|error| Unanswered::Server(as_contention(error, stepped_back)));
            }
            () = signal.raised(), if heeds && stopping.is_none() => {
                tracing::info!(event = "stopping", "asked to stop; the server is told to cancel the statement");
                stopping = Some(Instant::now());
                eyes.cancel().await;
            }
            () = tokio::time::sleep(next) => match stopping {
                Some(since) if since.elapsed() >= STOP_WITHIN => return Err(Unanswered::NotAnswering),
                // It may have come too early, or have got lost.
                Some(_) => eyes.cancel().await,
                None if first_look.is_some_and(|look| left(look.after()).is_zero()) => match first_look.take() {
                    Some(FirstLook::StepBack) => stepped_back = eyes.steps_back().await,
                    Some(FirstLook::Note(_)) | None => eyes.seen = eyes.blockers().await,
                },
                None if how.deadline.is_some_and(|limit| left(limit).is_zero()) => {
                    stopping = Some(Instant::now());
                    eyes.seen = eyes.blockers().await;
                    eyes.cancel().await;
                }
                None => eyes.say(how.title, started.elapsed()).await,
            },
        }
    }
}

/// A statement that was cancelled to let others pass has met a lock, no more.
fn as_contention(mut error: DbError, stepped_back: bool) -> DbError {
    if stepped_back && error.class == DbErrorClass::Cancelled {
        error.class = DbErrorClass::Contention;
        "stepped back from the queue of a lock".clone_into(&mut error.message);
    }
    error
}

/// The second connection, and what it is used for. Nothing of it may keep the run waiting.
pub(super) struct Eyes<'e> {
    watcher: Option<&'e mut (dyn Watcher + 'static)>,
    heartbeat: Option<String>,
    /// What writes that it waits for these.
    pub(super) waits: Option<&'e (dyn Fn(String) -> Option<String> + Sync)>,
    last_sign: Option<&'e mut Instant>,
    /// Who was in the way when the deadline had passed.
    pub(super) seen: Vec<Blocker>,
}

impl<'e> Eyes<'e> {
    /// `heartbeat` is what writes that this run is alive, and `last_sign` when that was written last.
    pub(super) fn new(
        watcher: Option<&'e mut (dyn Watcher + 'static)>,
        heartbeat: Option<String>,
        last_sign: Option<&'e mut Instant>,
    ) -> Self {
        Self { watcher, heartbeat, waits: None, last_sign, seen: Vec::new() }
    }

    async fn cancel(&mut self) {
        let Some(watcher) = &mut self.watcher else { return };
        match tokio::time::timeout(WATCHER_WITHIN, watcher.cancel()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!("the server could not be told to stop: {error}"),
            Err(_) => tracing::warn!("the server does not answer to being told to stop"),
        }
    }

    /// Stops what runs if it does nothing but keep others waiting; true where it was told to.
    async fn steps_back(&mut self) -> bool {
        let Some(watcher) = &mut self.watcher else { return false };
        let queued = tokio::time::timeout(WATCHER_WITHIN, watcher.stands_in_queue()).await;
        let queued = matches!(queued, Ok(Ok(true)));
        if queued {
            self.cancel().await;
        }
        queued
    }

    pub(super) async fn sign_of_life(&mut self) {
        if let Some(last) = &mut self.last_sign {
            **last = Instant::now();
        }
        if let (Some(watcher), Some(heartbeat)) = (&mut self.watcher, &self.heartbeat) {
            match tokio::time::timeout(WATCHER_WITHIN, watcher.run(heartbeat)).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => tracing::debug!("no sign of life could be written: {error}"),
                Err(_) => tracing::debug!("no sign of life could be written in time"),
            }
        }
    }

    async fn blockers(&mut self) -> Vec<Blocker> {
        let Some(watcher) = &mut self.watcher else { return Vec::new() };
        match tokio::time::timeout(WATCHER_WITHIN, watcher.blockers()).await {
            Ok(Ok(blockers)) => blockers,
            Ok(Err(_)) | Err(_) => Vec::new(),
        }
    }

    async fn say(&mut self, title: &str, elapsed: Duration) {
        self.sign_of_life().await;
        let blockers = self.blockers().await;
        let seconds = elapsed.as_secs();
        if blockers.is_empty() {
            tracing::info!(event = "running", seconds, "still running: {title}");
        } else {
            let blockers = contention::describe(&blockers);
            if let (Some(watcher), Some(sql)) =
                (&mut self.watcher, self.waits.and_then(|waits| waits(blockers.clone())))
            {
                let _ = tokio::time::timeout(WATCHER_WITHIN, watcher.run(&sql)).await;
            }
            tracing::info!(event = "waiting for lock", seconds, "still waiting: {title}: {blockers}");
        }
    }
}
