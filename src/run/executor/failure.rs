//! What a failure is to the machine, and what is said of it: who was in the way, and on which line it was.

use super::state::Executor;
use crate::db::error::{DbError, DbErrorClass};
use crate::run::contention::Contention;
use crate::run::error::RunError;
use crate::run::journal::JournalError;
use crate::run::machine::{Event, Failure};
use crate::run::watch::Unanswered;

/// Why a statement did not run.
#[derive(Debug)]
pub(super) enum StatementProblem {
    /// Its locks were not free.
    Prelock {
        /// The server's words.
        error: DbError,
        /// Relation and mode.
        relation: (String, &'static str),
    },
    /// The server refused it, or the connection broke.
    Server {
        /// The server's words.
        error: DbError,
        /// The first relation whose lock it needs, with the mode.
        relation: Option<(String, &'static str)>,
    },
    /// It was asked to stop, and has not.
    NotAnswering,
}

impl From<Unanswered> for StatementProblem {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Server(error) => StatementProblem::Server { error, relation: None },
            Unanswered::NotAnswering => StatementProblem::NotAnswering,
        }
    }
}

impl Executor<'_> {
    /// Keeps `error` as the reason, and gives the event that it is for the machine.
    pub(super) fn fail(&mut self, failure: Failure, error: RunError) -> Event {
        self.error = Some(error);
        Event::Failed(failure)
    }

    pub(super) fn fail_database(&mut self, error: DbError, wrap: impl FnOnce(DbError) -> RunError) -> Event {
        let failure = self.failure_of(&error);
        let error = match failure {
            Failure::Lost => RunError::Lost(error),
            Failure::Interrupted => RunError::Interrupted,
            Failure::Contention | Failure::Refused | Failure::Fenced | Failure::NotAnswering => wrap(error),
        };
        self.fail(failure, error)
    }

    /// [`Executor::fail`] for what stops a run, sorted by the server's words that it bears.
    pub(super) fn fail_with(&mut self, error: RunError) -> Event {
        match error {
            RunError::Journal(JournalError::Database(error)) => {
                self.fail_database(error, |error| JournalError::Database(error).into())
            }
            RunError::Statement { place, error } => {
                self.fail_database(error, |error| RunError::Statement { place, error })
            }
            RunError::Commit { place, error } => {
                self.fail_database(error, |error| RunError::Commit { place, error })
            }
            error => self.fail(Failure::Refused, error),
        }
    }

    /// A signal asked us to stop, and nothing is under way.
    pub(super) fn interrupted(&mut self) -> Event {
        self.error = Some(RunError::Interrupted);
        Event::Interrupted
    }

    pub(super) fn failure_of(&self, error: &DbError) -> Failure {
        match error.class {
            DbErrorClass::Contention => Failure::Contention,
            DbErrorClass::ConnectionLost | DbErrorClass::Unreachable => Failure::Lost,
            DbErrorClass::Cancelled if self.signal.is_raised() => Failure::Interrupted,
            _ if error.is_fence() => Failure::Fenced,
            DbErrorClass::Cancelled
            | DbErrorClass::Refused
            | DbErrorClass::Tls
            | DbErrorClass::Configuration
            | DbErrorClass::PermissionDenied
            | DbErrorClass::ReadOnly
            | DbErrorClass::Resources
            | DbErrorClass::Missing
            | DbErrorClass::Statement => Failure::Refused,
        }
    }

    /// Sorts the failure of a statement, and finds out who is in the way.
    pub(super) async fn statement_failed(
        &mut self,
        unit: usize,
        ordinal: usize,
        problem: StatementProblem,
    ) -> Event {
        let mut place = self.place(unit, Some(ordinal));
        if let Some((line, title)) = self.large_at.take() {
            (place.line, place.title) = (line, title);
        }
        let error = match problem {
            StatementProblem::NotAnswering => {
                return self.fail(Failure::NotAnswering, RunError::NotAnswering);
            }
            StatementProblem::Prelock { error, relation: _ }
                if error.class != DbErrorClass::Contention && self.failure_of(&error) == Failure::Refused =>
            {
                // Not a table, not there yet, or no right to lock it: the statement itself will tell.
                let number = self.unit(unit).0;
                self.todo.no_prelock.insert((number, ordinal));
                return Event::Failed(Failure::Contention);
            }
            StatementProblem::Prelock { error, relation } => {
                self.note_contention(&error, Some(relation)).await;
                error
            }
            StatementProblem::Server { error, relation } => {
                self.note_contention(&error, relation).await;
                error
            }
        };
        if let (Some(offset), Some(statement)) = (error.offset, self.statement(unit, ordinal)) {
            place.line += statement.sql().get(..offset).map_or(0, |before| before.matches('\n').count());
        }
        let failure = self.failure_of(&error);
        if failure == Failure::Contention {
            let contention = self.contention.get_or_insert_with(Contention::start);
            let on = contention.relation.as_ref().map_or_else(String::new, |name| format!(" on {name}"));
            let error = RunError::TableLock {
                place,
                on,
                waited_s: contention.elapsed().as_secs(),
                tries: contention.tries,
                blockers: contention.blockers.clone(),
                error,
            };
            return self.fail(failure, error);
        }
        self.fail_with(RunError::Statement { place, error })
    }

    /// Sorts the failure of a statement outside a transaction.
    pub(super) async fn alone_failed(
        &mut self,
        unit: usize,
        ordinal: usize,
        problem: StatementProblem,
    ) -> Event {
        if let StatementProblem::Server { error, .. } = &problem
            && error.class == DbErrorClass::Contention
            && let (Some(statement), Some(watcher)) =
                (self.statement(unit, ordinal).cloned(), self.watcher.as_mut())
        {
            let blockers = watcher.in_the_way(statement.sql()).await.unwrap_or_default();
            let contention = self.contention.get_or_insert_with(Contention::start);
            if !blockers.is_empty() {
                contention.blockers = blockers;
            }
        }
        self.statement_failed(unit, ordinal, problem).await
    }
}
