//! Watching what runs on the run's own session, and telling the journal that the run is alive and what it does.

use super::state::Executor;
use crate::db::error::DbError;
use crate::db::session::Session;
use crate::run::activity::{Activity, Doing};
use crate::run::watch::{Eyes, SAY_EVERY, TELL_EVERY, Unanswered, Watched, watch};
use std::time::Duration;

impl Executor<'_> {
    /// [`watch`], on the run's own session.
    pub(super) async fn watched<T>(
        &mut self,
        how: Watched<'_>,
        act: impl AsyncFnOnce(&mut dyn Session) -> Result<T, DbError>,
    ) -> Result<T, Unanswered> {
        let heartbeat = self.run_id.map(|id| self.journal.heartbeat_sql(id, self.activity.as_ref()));
        let mut eyes = Eyes::new(self.watcher.as_deref_mut(), heartbeat, Some(&mut self.last_sign));
        let migration = self.activity.as_ref().map(|one| one.migration.clone()).unwrap_or_default();
        let waiting =
            |on: String| Activity { migration: migration.clone(), doing: Doing::WaitingForLock(on) };
        let waits = |on: String| self.run_id.map(|id| self.journal.heartbeat_sql(id, Some(&waiting(on))));
        eyes.waits = Some(&waits);
        let session = self.session.as_deref_mut().expect("something is only watched on an open session");
        let answer = watch(session, &mut eyes, &self.signal, how, act).await;
        self.seen_blockers = eyes.seen;
        answer
    }

    /// Writes that this run is alive, where it has not done so for a while: a run that is silent is taken for dead.
    pub(super) async fn sign_of_life(&mut self) {
        self.sign_after(SAY_EVERY).await;
    }

    /// Writes what this run does now, where the last time was a while ago.
    pub(super) async fn tell_activity(&mut self) {
        self.sign_after(TELL_EVERY).await;
    }

    async fn sign_after(&mut self, time: Duration) {
        let Some(id) = self.run_id.filter(|_| self.last_sign.elapsed() >= time) else { return };
        let heartbeat = Some(self.journal.heartbeat_sql(id, self.activity.as_ref()));
        let mut eyes = Eyes::new(self.watcher.as_deref_mut(), heartbeat, Some(&mut self.last_sign));
        eyes.sign_of_life().await;
    }

    /// Keeps what the unit does now, and writes it where the last time was a while ago.
    pub(super) async fn note_activity(&mut self, unit: usize, doing: Doing) {
        let migration = self.unit(unit).1.label.clone();
        self.activity = Some(Activity { migration, doing });
        self.tell_activity().await;
    }
}
