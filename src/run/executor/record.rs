//! What is written of a unit in the journal, and what is said of it once that is committed.

use super::run::{Finished, shown};
use super::state::Executor;
use crate::db::error::DbError;
use crate::db::session::{Backend, Begin};
use crate::engine;
use crate::run::fault;
use crate::run::journal::{State, StatementRow};
use crate::run::machine::Failure;
use crate::run::script::Statement;
use crate::run::task::{Direction, Task, kind_id};
use crate::source::Kind;
use std::time::Duration;

impl Executor<'_> {
    /// What the journal says once the unit is done, as SQL.
    pub(super) fn journal_of(&self, unit: usize) -> String {
        let (number, task, piece) = self.unit(unit);
        let begins = self.todo.refs.iter().position(|other| other.task == number) == Some(unit);
        let completes = self.todo.units[unit].completes;
        let mut sql = Vec::new();
        match (task.direction, completes) {
            (Direction::Up, true) => {
                let replace = task.known
                    || !begins
                    || !piece.atomic
                    || piece.chunked
                    || self.todo.outliving.contains(&unit);
                sql.push(self.journal.migration_sql(
                    &task.record,
                    State::Applied,
                    self.spent.as_millis(),
                    replace,
                ));
            }
            (Direction::Down, true) => sql.push(self.journal.reverted_sql(&task.record.version)),
            (Direction::Up | Direction::Down, false) => {
                if begins && piece.atomic {
                    sql.extend(self.started_sql(task));
                }
                for ordinal in piece.statements.clone() {
                    let row = self.statement_row(unit, ordinal, None);
                    let variables =
                        self.statement(unit, ordinal).map(|statement| &statement.traits.variables);
                    sql.push(match variables.filter(|variables| !variables.is_empty()) {
                        None => self.journal.outcome_sql(&row),
                        Some(variables) => {
                            let kept = engine::keep(variables, self.url.dialect());
                            self.journal.outcome_with_sql(&row, &kept)
                        }
                    });
                }
            }
        }
        if completes {
            sql.extend(self.mirror_sql(number));
        }
        sql.join(";")
    }

    /// What says that the task is under way, where nothing of it is done yet.
    pub(super) fn started_sql(&self, task: &Task) -> Option<String> {
        if !task.done.is_empty() {
            return None;
        }
        Some(match task.direction {
            Direction::Up if task.known && task.record.kind == kind_id(Kind::Repeatable) => {
                self.journal.again_sql(&task.record.version)
            }
            Direction::Up => self.journal.migration_sql(&task.record, State::Applying, 0, true),
            Direction::Down => self.journal.reverting_sql(&task.record.version),
        })
    }

    pub(super) fn statement_row(&self, unit: usize, ordinal: usize, before: Option<String>) -> StatementRow {
        let backend = self.session.as_ref().map(|session| session.watched().backend);
        StatementRow {
            version: self.unit(unit).1.record.version.clone(),
            ordinal,
            done: false,
            marked: false,
            in_parts: false,
            checksum: self.statement(unit, ordinal).map(Statement::checksum).unwrap_or_default(),
            before,
            backend: backend.unwrap_or(Backend { pid: 0, started: String::new() }),
        }
    }

    /// Writes that the unit's first statement is about to run, and that it is the first of its migration if it is.
    pub(super) async fn write_intent(&mut self, unit: usize, before: Option<String>) -> Result<(), DbError> {
        let (_, task, piece) = self.unit(unit);
        let row = self.statement_row(unit, piece.statements.start, before);
        let mut journal: Vec<String> = self.started_sql(task).into_iter().collect();
        journal.push(self.journal.intent_sql(&row));
        self.write(&journal.join(";")).await
    }

    /// Takes [`Executor::write_intent`] back: nothing of the statement was done.
    pub(super) async fn forget_intent(&mut self, unit: usize) -> Result<(), DbError> {
        let (_, task, piece) = self.unit(unit);
        let version = &task.record.version;
        let mut journal = vec![self.journal.forget_intent_sql(version, piece.statements.start)];
        match task.direction {
            Direction::Up if task.done.is_empty() => journal.push(self.journal.not_begun_sql(version)),
            Direction::Down if task.done.is_empty() => journal.push(self.journal.still_applied_sql(version)),
            Direction::Up | Direction::Down => {}
        }
        self.write(&journal.join(";")).await
    }

    /// Writes how far the unit's statement has come, in place of its intent.
    pub(super) async fn write_part(&mut self, unit: usize, cursor: String) -> Result<(), DbError> {
        let row = self.statement_row(unit, self.unit(unit).2.statements.start, Some(cursor));
        let journal = self.journal.part_sql(&row);
        self.write(&journal).await
    }

    /// Writes to the journal in a transaction of its own.
    pub(super) async fn write(&mut self, journal: &str) -> Result<(), DbError> {
        let key = self.journal.lock_key();
        let begin = Begin { lock_timeout: self.options.lock_deadline, fresh: false, lock: None };
        let transaction = self.session().begin(begin).await?;
        fault::point("in a transaction of the journal's own");
        let written = self.session().commit(&transaction, &key, journal).await;
        if let Err(error) = &written
            && self.failure_of(error) != Failure::Lost
        {
            // The server's answer to a COMMIT that failed leaves no transaction; another error does.
            self.session().rollback().await?;
        }
        written
    }

    /// Remembers and says that the unit is done.
    pub(super) fn unit_done(&mut self, unit: usize) {
        self.contention = None;
        let (number, task, piece) = self.unit(unit);
        let statements = piece.statements.clone();
        let (label, direction) = (task.label.clone(), task.direction);
        let completes = self.todo.units[unit].completes;
        if statements.end != usize::MAX {
            self.todo.tasks[number].done.extend(statements);
        }
        if !completes {
            return;
        }
        let duration = std::mem::take(&mut self.spent);
        self.say_finished(label, direction, duration);
    }

    pub(super) fn say_finished(&mut self, label: String, direction: Direction, duration: Duration) {
        let word = match direction {
            Direction::Up => "applied",
            Direction::Down => "rolled back",
        };
        tracing::info!(
            event = word,
            migration = %label,
            duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
            "{word} {label} in {}",
            shown(duration)
        );
        self.finished.push(Finished { label, direction, duration });
    }
}
