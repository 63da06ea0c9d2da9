//! The lock of the runs: free, held by a run that is alive, or by one that is dead.

use super::check::{Check, Patient, Seen};
use crate::db::error::DbError;
use crate::dialect::Dialect;
use crate::run::contention::describe;
use async_trait::async_trait;
use std::time::Duration;

/// A run gives a sign of life every few seconds.
const SILENCE: Duration = Duration::from_secs(60);

/// See the module.
pub struct Lock;

#[async_trait]
impl Check for Lock {
    fn id(&self) -> &'static str {
        "lock"
    }

    async fn look(&self, patient: &mut Patient<'_>) -> Result<Vec<Seen>, DbError> {
        if patient.dialect() == Dialect::Sqlite {
            // The system's lock on a file does not tell its holder, and ends with him.
            return Ok(Vec::new());
        }
        let key = patient.journal.lock_key();
        let Some(holder) = patient.session.lock_holder(&key).await? else {
            return Ok(vec![Seen::fine("no run has the lock")]);
        };
        let journal = patient.journal;
        let run = journal.read(&mut *patient.session).await.ok().and_then(|history| history.open_run);
        let run = run.filter(|run| run.backend.pid == holder.pid);
        let held = describe(std::slice::from_ref(&holder));
        let is_dead = match &run {
            Some(run) => run.silent_s >= SILENCE.as_secs().cast_signed(),
            None => patient.session.idle_holder(&key, SILENCE).await?.is_some(),
        };
        Ok(vec![if is_dead {
            Seen::problem(
                format!("the lock is held by {held}, and its run gives no sign of life"),
                "`twostep unlock` shows it, `twostep unlock --yes` ends that session",
            )
        } else {
            let who = run.map_or_else(String::new, |run| format!(", run {} by {}", run.id, run.by));
            Seen::note(format!("a run is under way: {held}{who}"))
        }])
    }
}
