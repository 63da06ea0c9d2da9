//! Rows of MySQL that a rollback does not take back: an intent says beforehand that they may have been written.

use super::state::Executor;
use crate::db::error::{DbError, DbErrorClass};
use crate::dialect::Dialect;
use crate::run::error::RunError;

impl Executor<'_> {
    /// Writes an intent of the unit where a rollback would not take back what it writes: a run that dies in it cannot
    /// tell what it has written.
    pub(super) async fn note_what_outlives(&mut self, unit: usize) -> Result<(), DbError> {
        if self.url.dialect() != Dialect::Mysql {
            return Ok(());
        }
        let statements = self.unit(unit).2.statements.clone();
        let texts: Vec<String> = statements
            .filter_map(|ordinal| self.statement(unit, ordinal))
            .map(|statement| statement.sql().to_owned())
            .collect();
        let mut outlives = false;
        for text in &texts {
            outlives |= self.session().outlives_rollback(text).await?;
        }
        if outlives {
            self.write_intent(unit, None).await?;
            self.todo.outliving.insert(unit);
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
        if !unread || self.unit(unit).2.statements.len() != 1 || !self.todo.outliving.remove(&unit) {
            return Ok(());
        }
        self.forget_intent(unit).await
    }
}
