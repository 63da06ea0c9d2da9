//! The table of the tool that the database was adopted from: kept in step where that is wished.

use super::state::Executor;
use crate::run::adopt::mirror::{Mirror, MirrorError};
use crate::run::error::RunError;
use crate::run::journal::{JournalError, State};
use crate::run::others::refuse;
use crate::run::task::Direction;
use std::collections::HashSet;

impl Executor<'_> {
    /// [`refuse`], for a run.
    pub(super) async fn refuse_other_history(&mut self) -> Result<(), RunError> {
        let history = std::mem::take(&mut self.history);
        let refused = refuse(self.session(), &history).await;
        self.history = history;
        refused
    }

    /// Looks at the table that is to be kept in step before anything is written, and whether it can hold all of it.
    pub(super) async fn open_mirror(&mut self) -> Result<(), RunError> {
        let history = std::mem::take(&mut self.history);
        let (folder, options) = (self.folder, self.options);
        let opened =
            Mirror::open(self.session(), options.mirror, &history, folder, &options.folder, &options.read)
                .await;
        self.history = history;
        self.mirror = opened.map_err(|error| match error {
            MirrorError::Database(error) => RunError::Journal(JournalError::Database(error)),
            error => RunError::Mirror(error),
        })?;
        for number in 0..self.todo.tasks.len() {
            self.try_mirror_sql(number)?;
        }
        Ok(())
    }

    /// What is written to the old tool's table once the task is done.
    pub(super) fn mirror_sql(&self, number: usize) -> Vec<String> {
        // It was written once before the run began.
        self.try_mirror_sql(number).unwrap_or_default()
    }

    fn try_mirror_sql(&self, number: usize) -> Result<Vec<String>, MirrorError> {
        let Some(mirror) = &self.mirror else { return Ok(Vec::new()) };
        let is_applied = |state: State| matches!(state, State::Applied | State::Reverting);
        let mut applied: HashSet<&str> = self
            .history
            .applied
            .iter()
            .filter(|row| is_applied(row.state))
            .map(|row| row.version.as_str())
            .collect();
        for task in &self.todo.tasks[..=number] {
            let version = task.record.version.as_str();
            match task.direction {
                Direction::Up => applied.insert(version),
                Direction::Down => applied.remove(version),
            };
        }
        let task = &self.todo.tasks[number];
        mirror.sql(task, self.spent.as_millis(), self.folder, &|version| applied.contains(version.as_str()))
    }
}
