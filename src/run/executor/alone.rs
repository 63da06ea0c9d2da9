//! Units that no transaction can hold: an intent is written, the statement or program runs, and then its outcome.

use super::failure::StatementProblem;
use super::state::Executor;
use crate::db::error::DbError;
use crate::db::session::{Begin, IN_TRANSACTION, IN_TRANSACTION_BESIDE};
use crate::run::activity::Doing;
use crate::run::contention::Contention;
use crate::run::error::RunError;
use crate::run::fault;
use crate::run::machine::{Event, Failure};
use crate::run::script::Work;
use crate::run::watch::FirstLook;
use std::time::Instant;

impl Executor<'_> {
    pub(super) async fn intend(&mut self, unit: usize) -> Event {
        if self.signal.is_raised() {
            return self.interrupted();
        }
        let number = self.unit(unit).0;
        if self.begun != Some(number)
            && let Err(error) = self.enter_task(unit).await
        {
            return self.fail_with(error);
        }
        match self.try_intend(unit).await {
            Ok(()) => Event::Done,
            Err(error) => {
                let place = self.place(unit, None);
                self.fail_with(RunError::Commit { place, error })
            }
        }
    }

    async fn try_intend(&mut self, unit: usize) -> Result<(), DbError> {
        self.contention.get_or_insert_with(Contention::start);
        let sql = self.first_sql(unit);
        let before = self.session().before_alone(&sql).await?;
        self.write_intent(unit, before.clone()).await?;
        self.todo.intended.insert(unit, before);
        Ok(())
    }

    pub(super) async fn run_alone(&mut self, unit: usize) -> Event {
        let started = Instant::now();
        self.sent = false;
        let (_, task, piece) = self.unit(unit);
        let ordinal = piece.statements.start;
        if let Work::Program(program) = &task.prepared.work {
            let program = program.clone();
            let event = self.run_program(unit, &program).await;
            self.spent += started.elapsed();
            return event;
        }
        let Some(statement) = self.statement(unit, ordinal).cloned() else { return Event::Done };
        tracing::info!(progress = true, "{}: {}", self.place(unit, Some(ordinal)), statement.title());
        self.note_activity(unit, Doing::Running(statement.title())).await;
        let before = self.todo.intended.get(&unit).cloned().flatten();
        if let Err(error) = self.prepare_alone(unit, statement.sql(), before.as_deref()).await {
            return self
                .alone_failed(unit, ordinal, StatementProblem::Server { error, relation: None })
                .await;
        }
        self.sent = true;
        let outcome = self.send(statement.sql(), Some(FirstLook::StepBack)).await;
        fault::point("after a statement alone");
        self.spent += started.elapsed();
        if let Err(problem) = outcome {
            return self.alone_failed(unit, ordinal, problem).await;
        }
        match self.session().doubt_alone(statement.sql(), before.as_deref()).await {
            Ok(None) => Event::Done,
            Ok(Some((what, help))) => {
                let place = self.place(unit, Some(ordinal));
                self.fail(Failure::Refused, RunError::Invalid { place, what, help })
            }
            Err(error) => {
                let place = self.place(unit, Some(ordinal));
                self.fail_with(RunError::Statement { place, error })
            }
        }
    }

    /// Waits for locks are bounded; a statement that runs others gets a transaction, which begins with a mark.
    async fn prepare_alone(&mut self, unit: usize, sql: &str, before: Option<&str>) -> Result<(), DbError> {
        let (lock_timeout, lock_deadline) = (self.lock_timeout(), self.lock_deadline());
        self.limit_statements(false).await?;
        if !matches!(before, Some(IN_TRANSACTION | IN_TRANSACTION_BESIDE)) {
            return self.session().prepare_alone(sql, lock_timeout, lock_deadline).await;
        }
        let (_, task, piece) = self.unit(unit);
        let mark = self.journal.mark_sql(&task.record.version, piece.statements.start);
        let transaction =
            self.session().begin(Begin { lock_timeout: lock_deadline, fresh: false, lock: None }).await?;
        self.transaction = Some(transaction);
        self.session().run(&mark).await?;
        fault::point("in the transaction of a statement that runs others");
        Ok(())
    }

    pub(super) async fn record(&mut self, unit: usize) -> Event {
        let (_, _, piece) = self.unit(unit);
        let ordinal = piece.statements.start;
        let journal = self.journal_of(unit);
        match self.write_outcome(&journal).await {
            Ok(()) => {
                self.unit_done(unit);
                Event::Done
            }
            Err(error) => {
                let place = self.place(unit, Some(ordinal));
                self.fail_with(RunError::Commit { place, error })
            }
        }
    }

    /// Writes `journal`, in the transaction of the statement if it has one that it has not ended itself.
    async fn write_outcome(&mut self, journal: &str) -> Result<(), DbError> {
        let Some(transaction) = self.transaction.take() else { return self.write(journal).await };
        let key = self.journal.lock_key();
        match self.session().commit(&transaction, &key, journal).await {
            // What it runs has committed; if the lock is gone, the next try says so.
            Err(error) if error.is_fence() => {
                self.session().rollback().await?;
                self.write(journal).await
            }
            other => other,
        }
    }
}
