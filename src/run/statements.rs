//! Sending statements: locks asked for without queueing, rows of COPY, and each of them watched.

use super::contention::Contention;
use super::executor::{Executor, Held, StatementProblem};
use super::script::{Statement, Text};
use super::watch::{FirstLook, Unanswered, Watched};
use crate::db::error::DbError;
use crate::dialect::Dialect;
use crate::engine::LockRequest;
use std::time::Duration;

/// Rows of a COPY are sent in pieces of this many bytes.
pub(super) const COPY_BYTES: usize = 64 * 1024;

impl Executor<'_> {
    /// Runs one statement of an open transaction, after its locks were found free.
    pub(super) async fn run_one(
        &mut self,
        statement: &Statement,
        prelock: bool,
        held: &mut Held,
    ) -> Result<(), StatementProblem> {
        let outwait = self.contention.as_ref().is_some_and(Contention::stands_in_queues);
        let mut first = None;
        for request in &statement.traits.locks {
            let dialect = self.session().dialect();
            let relation = (request.table.quoted(dialect), request.mode.sql());
            if held.made.contains(&relation.0) || held.locks.contains(&relation) {
                continue;
            }
            first.get_or_insert_with(|| relation.clone());
            if prelock
                && !outwait
                && let Err(error) = self.prelock(request).await
            {
                return Err(StatementProblem::Prelock { error, relation });
            }
            held.locks.insert(relation);
        }
        // Once a strong lock is held, others queue behind us even while we only wait for a row.
        let patient = statement.traits.rows_only && !held.strong;
        if held.patient.is_some_and(|before| before != patient) {
            let lock_timeout = self.patience(patient);
            let set = self.session().set_lock_timeout(lock_timeout).await;
            set.map_err(|error| StatementProblem::Server { error, relation: None })?;
        }
        held.patient = Some(patient);
        held.strong |= !statement.traits.rows_only;
        if let Some(made) = &statement.traits.makes {
            let dialect = self.session().dialect();
            held.made.insert(made.quoted(dialect));
        }
        let sent = match &statement.rows {
            None => {
                let retries = self.contention.as_ref().is_some_and(|contention| contention.tries > 0);
                let look = (retries && !patient).then(|| FirstLook::Note(self.patience(false) / 2));
                self.send(statement.sql(), look).await
            }
            Some(rows) => self.send_rows(statement.sql(), rows).await,
        };
        sent.map_err(|problem| match problem {
            StatementProblem::Server { error, relation: None } => {
                StatementProblem::Server { error, relation: first }
            }
            other => other,
        })
    }

    /// Asks for a lock; a table that is missing, and may be, needs none.
    async fn prelock(&mut self, request: &LockRequest) -> Result<(), DbError> {
        match self.session().run(&request.sql()).await {
            // No such schema, no such relation.
            Err(error) if request.if_exists && matches!(error.code.as_deref(), Some("3F000" | "42P01")) => {
                let savepoint = LockRequest::SAVEPOINT;
                let sql = format!("ROLLBACK TO SAVEPOINT {savepoint}; RELEASE SAVEPOINT {savepoint}");
                self.session().run(&sql).await.map(drop)
            }
            other => other.map(drop),
        }
    }

    async fn send_rows(&mut self, sql: &str, rows: &Text) -> Result<(), StatementProblem> {
        let title = super::script::title(sql);
        let sent = self.watched(Watched::without_limit(&title), async |session| {
            let bytes = rows.as_str().as_bytes();
            let mut chunks = bytes.chunks(COPY_BYTES).map(|chunk| Ok(chunk.to_vec()));
            session.copy_in(sql, &mut chunks).await
        });
        sent.await.map(drop).map_err(StatementProblem::from)
    }

    /// Sends a statement and watches it.
    pub(super) async fn send(
        &mut self,
        sql: &str,
        first_look: Option<FirstLook>,
    ) -> Result<(), StatementProblem> {
        let title = super::script::title(sql);
        let how = Watched { title: &title, deadline: self.statement_deadline(), first_look };
        let sent = self.watched(how, async |session| session.run(sql).await);
        sent.await.map(drop).map_err(StatementProblem::from)
    }

    /// Longest time that a statement of this migration stands in a lock's queue.
    pub(super) fn lock_timeout(&self) -> Duration {
        self.limits.lock_timeout.unwrap_or(self.options.lock_timeout)
    }

    /// How long this migration tries again to get its locks.
    pub(super) fn lock_deadline(&self) -> Duration {
        self.limits.lock_deadline.unwrap_or(self.options.lock_deadline)
    }

    /// Sets the migration's own `statement_timeout`, where the server watches that itself: for the open transaction,
    /// or until the session is taken back to what it was.
    pub(super) async fn limit_statements(&mut self, in_transaction: bool) -> Result<(), DbError> {
        let Some(limit) = self.limits.statement_timeout.filter(|_| self.url().dialect() == Dialect::Postgres)
        else {
            return Ok(());
        };
        let local = if in_transaction { "LOCAL " } else { "" };
        let sql = format!("SET {local}statement_timeout = {}", limit.as_millis());
        self.session().run(&sql).await.map(drop)
    }

    /// How long a statement may take, where the server does not watch that itself.
    fn statement_deadline(&self) -> Option<Duration> {
        let limit = self.limits.statement_timeout.unwrap_or(self.options.connect.statement_timeout);
        (self.url().dialect() == Dialect::Mysql && !limit.is_zero()).then_some(limit)
    }
}

impl From<Unanswered> for StatementProblem {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Server(error) => StatementProblem::Server { error, relation: None },
            Unanswered::NotAnswering => StatementProblem::NotAnswering,
        }
    }
}
