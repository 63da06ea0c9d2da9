//! The session as a migration finds it: fresh, or as its statements left it that are done, and with its time limits.

use super::state::Executor;
use crate::db::error::DbError;
use crate::dialect::Dialect;
use crate::engine::{self, Resume, SessionChange};
use crate::run::error::RunError;
use crate::run::script::Statement;
use std::time::Duration;

impl Executor<'_> {
    /// Takes the session to the start of the unit's migration: fresh, then the settings that its done statements made.
    pub(super) async fn enter_task(&mut self, unit: usize) -> Result<(), RunError> {
        let number = self.unit(unit).0;
        let sets = match self.replayed(unit) {
            Ok(sets) => sets,
            Err(ordinal) => return Err(RunError::SessionGone { place: self.place(unit, Some(ordinal)) }),
        };
        let place = self.place(unit, None);
        let failed = |error| RunError::Statement { place: place.clone(), error };
        self.session().reset().await.map_err(failed)?;
        for set in sets {
            self.session().run(&set).await.map_err(failed)?;
        }
        self.begun = Some(number);
        self.spent = Duration::ZERO;
        Ok(())
    }

    /// What sets again, in a new session, what the done statements of the unit's migration set in theirs; or the
    /// statement that left behind what cannot be had again.
    fn replayed(&self, unit: usize) -> Result<Vec<String>, usize> {
        let task = self.unit(unit).1;
        let mut done = task.done.clone();
        done.sort_unstable();
        let texts = || done.iter().filter_map(|ordinal| self.statement(unit, *ordinal)).map(Statement::sql);
        let left = engine::left_behind(texts(), self.url.dialect(), false);
        let mut sql = Vec::new();
        for (at, ordinal) in done.iter().enumerate() {
            let Some(statement) = self.statement(unit, *ordinal) else { continue };
            let kept = task.kept.iter().find(|(number, _)| number == ordinal);
            let kept = kept.and_then(|(_, kept)| engine::put_back(kept, self.url.dialect()));
            let only_variables = |change: &SessionChange| matches!(change, SessionChange::Variable { .. });
            match (statement.traits.resume, &kept) {
                (Resume::Nothing, _) => {}
                (Resume::Replay, _) => sql.push(statement.sql().to_owned()),
                (Resume::Impossible, Some(_)) if statement.traits.only_session => {
                    if !statement.traits.session.iter().all(only_variables) {
                        sql.push(statement.sql().to_owned());
                    }
                }
                (Resume::Impossible, _) if left.iter().any(|left| left.statement == at) => {
                    return Err(*ordinal);
                }
                (Resume::Impossible, _) if statement.traits.session.iter().any(only_variables) => {
                    return Err(*ordinal);
                }
                // It was taken away again.
                (Resume::Impossible, _) => {}
            }
            sql.extend(kept);
        }
        Ok(sql)
    }

    /// Sets the migration's own `statement_timeout`, where the server watches that itself: for the open transaction,
    /// or until the session is taken back to what it was.
    pub(super) async fn limit_statements(&mut self, in_transaction: bool) -> Result<(), DbError> {
        let Some(limit) = self.limits.statement_timeout.filter(|_| self.url.dialect() == Dialect::Postgres)
        else {
            return Ok(());
        };
        let local = if in_transaction { "LOCAL " } else { "" };
        let sql = format!("SET {local}statement_timeout = {}", limit.as_millis());
        self.session().run(&sql).await.map(drop)
    }

    /// How long a statement may take, where the server does not watch that itself.
    pub(super) fn statement_deadline(&self) -> Option<Duration> {
        let limit = self.limits.statement_timeout.unwrap_or(self.options.connect.statement_timeout);
        (self.url.dialect() == Dialect::Mysql && !limit.is_zero()).then_some(limit)
    }
}
