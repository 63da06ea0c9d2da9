//! Sending statements: locks asked for without queueing, rows of COPY, and each of them watched.

use super::failure::StatementProblem;
use super::state::Executor;
use crate::db::error::DbError;
use crate::engine::LockRequest;
use crate::run::contention::Contention;
use crate::run::script::{self, Statement, Text};
use crate::run::watch::{FirstLook, Watched};
use std::collections::HashSet;

/// Locks that the open transaction has, or whose tables nobody else can know.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) locks: HashSet<(String, &'static str)>,
    pub(super) made: HashSet<String>,
    /// Whether a lock of a kind that keeps others waiting is held.
    pub(super) strong: bool,
    pub(super) patient: Option<bool>,
}

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
        let title = script::title(sql);
        let sent = self.watched(Watched::without_limit(&title), async |session| {
            session.copy_in(sql, &mut rows.in_pieces().map(Ok)).await
        });
        sent.await.map(drop).map_err(StatementProblem::from)
    }

    /// Sends a statement and watches it.
    pub(super) async fn send(
        &mut self,
        sql: &str,
        first_look: Option<FirstLook>,
    ) -> Result<(), StatementProblem> {
        let title = script::title(sql);
        let how = Watched { title: &title, deadline: self.statement_deadline(), first_look };
        let sent = self.watched(how, async |session| session.run(sql).await);
        sent.await.map(drop).map_err(StatementProblem::from)
    }
}
