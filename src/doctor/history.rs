//! The history: there or not, readable, of this format, and nothing half done in it.

use super::check::{Check, Patient, Seen};
use crate::db::error::DbError;
use crate::run::journal::{JournalError, State};
use async_trait::async_trait;

/// See the module.
pub struct OfTwostep;

#[async_trait]
impl Check for OfTwostep {
    fn id(&self) -> &'static str {
        "history"
    }

    async fn look(&self, patient: &mut Patient<'_>) -> Result<Vec<Seen>, DbError> {
        let journal = patient.journal;
        let history = match journal.read(&mut *patient.session).await {
            Ok(history) => history,
            Err(JournalError::Database(error)) => return Err(error),
            Err(error @ (JournalError::Foreign { .. } | JournalError::TooOld { .. })) => {
                let help = "name another one with `--journal NAME`, or use a twostep that is as new";
                return Ok(vec![Seen::problem(error.to_string(), help)]);
            }
        };
        if !history.exists {
            return Ok(vec![Seen::fine("there is no history yet; `twostep migrate` makes it")]);
        }
        let mut seen = vec![Seen::fine(format!("{} migrations are in the history", history.applied.len()))];
        if history.oldest_writer > crate::run::journal::FORMAT {
            let error = JournalError::TooOld { found: history.oldest_writer };
            seen.push(Seen::problem(
                error.to_string(),
                "use a twostep that is as new as the one that wrote it",
            ));
        }
        for row in history.applied.iter().filter(|row| row.state != State::Applied) {
            let half = if row.state == State::Applying { "applied" } else { "rolled back" };
            seen.push(Seen::warning(
                format!("migration {} is half {half}", row.version),
                "`twostep resolve` shows where it stopped; the same command goes on from there",
            ));
        }
        Ok(seen)
    }
}
