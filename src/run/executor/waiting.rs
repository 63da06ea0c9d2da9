//! Waiting for the locks of a unit: for how long, for whom, and the pauses between two tries.

use super::state::Executor;
use crate::db::error::{DbError, DbErrorClass};
use crate::run::activity::Doing;
use crate::run::contention::{self, Contention};
use crate::run::machine::Event;
use std::time::Duration;

impl Executor<'_> {
    /// Longest time that a statement of this migration stands in a lock's queue.
    pub(super) fn lock_timeout(&self) -> Duration {
        self.limits.lock_timeout.unwrap_or(self.options.lock_timeout)
    }

    /// How long this migration tries again to get its locks.
    pub(super) fn lock_deadline(&self) -> Duration {
        self.limits.lock_deadline.unwrap_or(self.options.lock_deadline)
    }

    /// Longest time that a statement of the unit may stand in a lock's queue.
    pub(super) fn patience(&self, rows_only: bool) -> Duration {
        if rows_only {
            // Waiting for a row keeps nobody else waiting.
            self.lock_deadline().max(self.lock_timeout())
        } else {
            self.lock_timeout()
        }
    }

    pub(super) async fn note_contention(
        &mut self,
        error: &DbError,
        relation: Option<(String, &'static str)>,
    ) {
        if error.class != DbErrorClass::Contention {
            return;
        }
        let mut blockers = Vec::new();
        if let (Some(watcher), Some((relation, mode))) = (self.watcher.as_mut(), &relation) {
            blockers = watcher.holders(relation, mode).await.unwrap_or_default();
        }
        if blockers.is_empty() {
            blockers = std::mem::take(&mut self.seen_blockers);
        }
        if blockers.is_empty()
            && let Some(seen) = self.contention.as_ref().map(|contention| contention.blockers.clone())
        {
            blockers = seen;
        }
        let contention = self.contention.get_or_insert_with(Contention::start);
        contention.failed(relation.map(|(relation, _)| relation), blockers);
    }

    pub(super) async fn pause(&mut self, unit: usize) -> Event {
        let place = self.place(unit, None);
        let deadline = self.lock_deadline();
        let contention = self.contention.get_or_insert_with(Contention::start);
        if contention.elapsed() >= deadline {
            return Event::Expired;
        }
        let waits = waits_for(contention);
        if contention.time_to_say() {
            let on = contention.relation.clone().unwrap_or_else(|| "a lock".to_owned());
            let by = if contention.blockers.is_empty() {
                String::new()
            } else {
                format!(": {}", contention::describe(&contention.blockers))
            };
            tracing::info!(
                event = "waiting for lock",
                migration = %place.migration,
                relation = %on,
                tries = contention.tries,
                "{}: waiting for {on}{by}",
                place.migration
            );
        }
        let (tries, autovacuum) = (contention.tries, contention.autovacuum());
        if tries >= 2 {
            self.note_activity(unit, Doing::WaitingForLock(waits)).await;
        } else {
            self.sign_of_life().await;
        }
        let is_gone = match autovacuum {
            Some(worker) => self.end_autovacuum(worker).await,
            None => false,
        };
        let contention = self.contention.get_or_insert_with(Contention::start);
        // The last try is at the deadline.
        let left = deadline.saturating_sub(contention.elapsed());
        let pause = if tries == 0 || is_gone { Duration::ZERO } else { contention.pause().min(left) };
        if self.signal.raised_within(pause).await {
            return self.interrupted();
        }
        Event::Done
    }

    /// Makes an autovacuum worker give way, whose server process is `worker`; whether it did. One that must not (it keeps
    /// transaction ids from running out), or whose table is not ours to lock, is waited for like everybody else.
    async fn end_autovacuum(&mut self, worker: i64) -> bool {
        let Some(watcher) = self.watcher.as_mut() else { return false };
        let is_gone = watcher.end_autovacuum(worker).await.unwrap_or(false);
        if is_gone {
            let relation = self.contention.as_ref().and_then(|contention| contention.relation.as_deref());
            let on = relation.map_or_else(String::new, |relation| format!(" on {relation}"));
            tracing::info!(event = "autovacuum gave way", "an autovacuum{on} was in the way, and gave way");
        }
        is_gone
    }
}

/// What a unit waits for, and who is in the way.
fn waits_for(contention: &Contention) -> String {
    let on = contention.relation.clone().unwrap_or_else(|| "a lock".to_owned());
    match contention.blockers.as_slice() {
        [] => on,
        blockers => format!("{on}: {}", contention::describe(blockers)),
    }
}
