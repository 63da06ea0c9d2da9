//! Units in a transaction: it is begun, their statements run in it, and it commits together with what is written of them.

use super::chunks::Backfill;
use super::failure::StatementProblem;
use super::outliving::NOT_TAKEN_BACK;
use super::state::Executor;
use super::statements::Held;
use crate::db::error::DbErrorClass;
use crate::db::session::Begin;
use crate::run::activity::Doing;
use crate::run::contention::Contention;
use crate::run::error::RunError;
use crate::run::fault;
use crate::run::machine::{Event, Failure};
use crate::run::script::Work;
use crate::run::watch::{Unanswered, Watched};
use std::time::{Duration, Instant};

impl Executor<'_> {
    pub(super) async fn begin(&mut self, unit: usize) -> Event {
        if self.signal.is_raised() {
            return self.interrupted();
        }
        let (number, task, piece) = self.unit(unit);
        let (whole, outside) = (task.prepared.pieces.len() == 1 && !piece.chunked, piece.outside);
        // A chunk that waits for one row keeps those waiting that want the others: it steps back soon.
        let rows_only = !piece.chunked
            && self
                .statement(unit, piece.statements.start)
                .is_some_and(|statement| statement.traits.rows_only);
        self.contention.get_or_insert_with(Contention::start);
        self.sent = false;
        if (!whole || outside)
            && self.begun != Some(number)
            && let Err(error) = self.enter_task(unit).await
        {
            return self.fail_with(error);
        }
        if outside {
            // The transaction of what is written of it begins behind it.
            return Event::Done;
        }
        if whole {
            self.begun = Some(number);
            self.spent = Duration::ZERO;
        }
        if let Err(error) = self.note_what_outlives(unit).await {
            let place = self.place(unit, None);
            return self.fail_with(RunError::Commit { place, error });
        }
        let first = self.first_lock(unit);
        let lock = first.as_ref().map(|(_, _, sql)| sql.clone());
        let begin = Begin { lock_timeout: self.patience(rows_only), fresh: whole, lock };
        match (self.session().begin(begin).await, first) {
            (Ok(transaction), first) => {
                self.transaction = Some(transaction);
                self.locked_first = first.map(|(_, relation, _)| relation);
                match self.limit_statements(true).await {
                    Ok(()) => Event::Done,
                    Err(error) => {
                        let place = self.place(unit, None);
                        self.fail_with(RunError::Statement { place, error })
                    }
                }
            }
            (Err(error), Some((ordinal, relation, _))) => {
                self.statement_failed(unit, ordinal, StatementProblem::Prelock { error, relation }).await
            }
            (Err(error), None) => {
                if error.class == DbErrorClass::Contention
                    && let Some(contention) = &mut self.contention
                {
                    contention.failed(None, Vec::new());
                }
                let place = self.place(unit, None);
                self.fail_with(RunError::Statement { place, error })
            }
        }
    }

    /// The lock that the first statement of the unit takes, where it is one only and can be asked for beforehand: the
    /// statement's number, the lock, and what asks for it.
    fn first_lock(&mut self, unit: usize) -> Option<(usize, (String, &'static str), String)> {
        if self.contention.as_ref().is_some_and(Contention::stands_in_queues) {
            return None;
        }
        let (number, task, piece) = self.unit(unit);
        let ordinal = piece.statements.clone().find(|ordinal| !task.done.contains(ordinal))?;
        if self.todo.no_prelock.contains(&(number, ordinal)) {
            return None;
        }
        let statement = self.statement(unit, ordinal)?;
        let [request] = statement.traits.locks.as_slice() else { return None };
        if request.if_exists {
            return None;
        }
        let relation = (request.table.quoted(self.url.dialect()), request.mode.sql());
        Some((ordinal, relation, request.sql()))
    }

    pub(super) async fn run_unit(&mut self, unit: usize) -> Event {
        let started = Instant::now();
        let (_, task, piece) = self.unit(unit);
        // A person may have said that all of its rows are written.
        let chunked = piece.chunked && !task.done.contains(&piece.statements.start);
        let event = match task.prepared.work {
            Work::Statements(_) if chunked => self.run_chunk(unit).await,
            Work::LargeFile { .. } => self.run_large_file(unit).await,
            Work::Statements(_) | Work::Program(_) => self.run_statements(unit).await,
        };
        self.spent += started.elapsed();
        event
    }

    async fn run_statements(&mut self, unit: usize) -> Event {
        let mut held = Held::default();
        held.locks.extend(self.locked_first.take());
        for ordinal in self.unit(unit).2.statements.clone() {
            let (number, task, _) = self.unit(unit);
            if task.done.contains(&ordinal) {
                continue;
            }
            let Some(statement) = self.statement(unit, ordinal).cloned() else { continue };
            self.sign_of_life().await;
            if self.signal.is_raised() {
                return self.interrupted();
            }
            tracing::info!(progress = true, "{}: {}", self.place(unit, Some(ordinal)), statement.title());
            self.note_activity(unit, Doing::Running(statement.title())).await;
            self.sent = true;
            let prelock = !self.todo.no_prelock.contains(&(number, ordinal));
            match self.run_one(&statement, prelock, &mut held).await {
                Ok(()) => fault::point("after a statement"),
                Err(problem) => return self.statement_failed(unit, ordinal, problem).await,
            }
        }
        Event::Done
    }

    pub(super) async fn commit(&mut self, unit: usize) -> Event {
        let goes_on = self.todo.backfills.get(&unit).is_some_and(Backfill::goes_on);
        let journal = if goes_on { self.journal_of_chunk(unit) } else { self.journal_of(unit) };
        if self.unit(unit).2.outside {
            return self.record(unit).await;
        }
        let Some(transaction) = self.transaction.take() else {
            let place = self.place(unit, None);
            return self.fail(Failure::Fenced, RunError::Fenced { place });
        };
        let key = self.journal.lock_key();
        let title = format!("the commit of {}", self.unit(unit).1.label);
        let how = Watched::without_limit(&title);
        let committed =
            self.watched(how, async |session| session.commit(&transaction, &key, &journal).await).await;
        fault::point("after a commit's answer");
        match committed {
            Ok(()) if goes_on => self.chunk_done(unit).await,
            Ok(()) => {
                self.backfill_done(unit);
                self.unit_done(unit);
                Event::Done
            }
            Err(Unanswered::NotAnswering) => self.fail(Failure::NotAnswering, RunError::NotAnswering),
            Err(Unanswered::Server(error)) => {
                let place = self.place(unit, None);
                if error.class == DbErrorClass::Contention {
                    self.note_contention(&error, None).await;
                }
                self.fail_database(error, |error| match error.switched_role() {
                    _ if error.is_fence() => RunError::Fenced { place },
                    Some(role) => RunError::Role { place, role: role.to_owned() },
                    None => RunError::Commit { place, error },
                })
            }
        }
    }

    pub(super) async fn rollback(&mut self, unit: usize) -> Event {
        self.transaction = None;
        let rolled_back = if self.todo.outliving.contains(&unit) {
            self.roll_back_outliving(unit).await
        } else {
            self.session().rollback().await.map(|()| true)
        };
        match rolled_back {
            Ok(true) => Event::Done,
            Ok(false) => self.stays_written(unit, NOT_TAKEN_BACK),
            Err(error) => {
                let failure = self.failure_of(&error);
                Event::Failed(failure)
            }
        }
    }
}
