//! Rows of MySQL that a rollback does not take back: an intent says beforehand that they may have been written.

use super::state::Executor;
use crate::db::error::DbError;
use crate::dialect::Dialect;
use crate::run::error::RunError;
use crate::run::machine::{Event, Failure};

/// Why what a failed unit has written is still there.
pub(super) const NOT_TAKEN_BACK: &str =
    "no rollback takes back what it has written to a table without transactions";

impl Executor<'_> {
    /// Writes an intent of the unit where a rollback would not take back what it writes: a run that dies in it cannot
    /// tell what it has written.
    pub(super) async fn note_what_outlives(&mut self, unit: usize) -> Result<(), DbError> {
        if self.url.dialect() != Dialect::Mysql {
            return Ok(());
        }
        let (_, task, piece) = self.unit(unit);
        let texts: Vec<String> = piece
            .statements
            .clone()
            .filter(|ordinal| !task.done.contains(ordinal))
            .filter_map(|ordinal| self.statement(unit, ordinal))
            .map(|statement| statement.sql().to_owned())
            .collect();
        let mut outlives = false;
        for text in &texts {
            outlives |= self.session().outlives_rollback(text).await?;
        }
        if outlives {
            // What is done of a backfill stays known while its next chunk is in doubt.
            let cursor = self.cursor_before(unit);
            self.write_intent(unit, cursor).await?;
            self.todo.outliving.insert(unit);
        }
        Ok(())
    }

    /// Gives up the unit's transaction. Where that takes back all of it the intent goes too, and otherwise it stays.
    pub(super) async fn roll_back_outliving(&mut self, unit: usize) -> Result<bool, DbError> {
        let whole = self.session().rollback_whole().await? || !self.sent;
        if whole {
            self.todo.outliving.remove(&unit);
            match self.cursor_before(unit) {
                Some(cursor) => self.write_part(unit, cursor).await?,
                None => self.forget_intent(unit).await?,
            }
        }
        Ok(whole)
    }

    /// What the unit has written before it failed stays written, and nobody knows how much that is: to try it again
    /// would write some of it twice.
    pub(super) fn stays_written(&mut self, unit: usize, stays: &str) -> Event {
        let first = self.unit(unit).2.statements.start;
        let place = self.place(unit, Some(first));
        let mut known = stays.to_owned();
        if let Some(error) = &self.error {
            known = format!("{known}, and then: {error}");
        }
        self.fail(Failure::Fenced, RunError::Uncertain { place, known })
    }
}
