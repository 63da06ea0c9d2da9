//! Rows of MySQL that a rollback does not take back: an intent says beforehand that they may have been written.

use super::state::Executor;
use crate::db::error::{DbError, DbErrorClass};
use crate::dialect::Dialect;
use crate::run::error::RunError;
use crate::run::task::Direction;

impl Executor<'_> {
    /// Writes an intent of the unit where a rollback would not take back what it writes: a run that dies in it cannot
    /// tell what it has written.
    pub(super) async fn note_what_outlives(&mut self, unit: usize) -> Result<(), DbError> {
        let (_, task, piece) = self.unit(unit);
        let ordinal = piece.statements.start;
        if self.url.dialect() != Dialect::Mysql {
            return Ok(());
        }
        let started = if task.done.is_empty() { self.started_sql(task, task.direction) } else { None };
        let texts: Vec<String> = piece
            .statements
            .clone()
            .filter_map(|ordinal| self.statement(unit, ordinal))
            .map(|statement| statement.sql().to_owned())
            .collect();
        let mut outlives = false;
        for text in &texts {
            outlives |= self.session().outlives_rollback(text).await?;
        }
        if outlives {
            let mut journal: Vec<String> = started.into_iter().collect();
            journal.push(self.journal.intent_sql(&self.statement_row(unit, ordinal, None)));
            self.write(&journal.join(";")).await?;
            self.outliving.insert(unit);
        }
        Ok(())
    }

    /// After a rollback: the intent goes where the server has refused the unit's only statement before it wrote.
    pub(super) async fn forget_what_outlives(&mut self, unit: usize) -> Result<(), DbError> {
        /// A syntax error.
        const UNREAD: Option<&str> = Some("1064");
        let unread = match &self.error {
            Some(RunError::Statement { error, .. }) => {
                error.class == DbErrorClass::Missing || error.code.as_deref() == UNREAD
            }
            Some(RunError::TableLock { .. }) => true,
            _ => false,
        };
        let (_, task, piece) = self.unit(unit);
        if !unread || piece.statements.len() != 1 || !self.outliving.contains(&unit) {
            return Ok(());
        }
        let mut journal = vec![self.journal.forget_intent_sql(&task.record.version, piece.statements.start)];
        if task.done.is_empty() {
            match task.direction {
                Direction::Up if !task.known => journal.push(self.journal.reverted_sql(&task.record.version)),
                Direction::Up => {}
                Direction::Down => journal.push(self.journal.still_applied_sql(&task.record.version)),
            }
        }
        self.outliving.remove(&unit);
        self.write(&journal.join(";")).await
    }
}
