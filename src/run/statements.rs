//! Sending statements: locks asked for without queueing, a watch on whatever takes long, and a way to stop it.

use super::contention;
use super::executor::{Executor, Held, StatementProblem};
use super::script::{Statement, Text};
use crate::db::error::DbError;
use crate::engine::LockRequest;
use std::time::{Duration, Instant};

/// How long the server has to stop a statement after it was asked to.
const STOP_WITHIN: Duration = Duration::from_secs(9);

/// How often a statement that takes long is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Rows of a COPY are sent in pieces of this many bytes.
const COPY_BYTES: usize = 64 * 1024;

impl Executor<'_> {
    /// Runs one statement of an open transaction, after its locks were found free.
    pub(super) async fn run_one(
        &mut self,
        statement: &Statement,
        prelock: bool,
        held: &mut Held,
    ) -> Result<(), StatementProblem> {
        let outwait = self.contention.as_ref().is_some_and(|contention| contention.outwait_autovacuum);
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
            None => self.send(statement.sql()).await,
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
        let bytes = rows.as_str().as_bytes();
        let mut chunks = bytes.chunks(COPY_BYTES).map(|chunk| Ok(chunk.to_vec()));
        self.session().copy_in(sql, &mut chunks).await.map(drop).map_err(server)
    }

    /// Sends a statement and watches it: says when it takes long and who is in the way, gives the run's sign of
    /// life, and asks the server to stop it when a signal asks us to.
    pub(super) async fn send(&mut self, sql: &str) -> Result<(), StatementProblem> {
        let heartbeat = self.run_id.map(|id| self.journal.heartbeat_sql(id));
        let session = self.session.as_deref_mut().expect("a statement is only sent on an open session");
        let watcher = &mut self.watcher;
        let started = Instant::now();
        let mut signal = self.signal.clone();
        let mut stopping: Option<Instant> = None;
        let mut looks = 0u32;
        // Never dropped before its answer is there: a statement whose answer nobody reads would leave the
        // connection in the middle of a message.
        let mut running = std::pin::pin!(session.run(sql));
        loop {
            tokio::select! {
                biased;
                answer = &mut running => return answer.map(drop).map_err(server),
                () = signal.raised(), if stopping.is_none() => {
                    stopping = Some(Instant::now());
                    tracing::info!(event = "stopping", "asked to stop; the server is told to cancel the statement");
                    if let Some(watcher) = watcher.as_mut()
                        && let Err(error) = watcher.cancel().await
                    {
                        tracing::warn!("the server could not be told: {error}");
                    }
                }
                () = tokio::time::sleep(LOOK) => {
                    if stopping.is_some_and(|since| since.elapsed() >= STOP_WITHIN) {
                        return Err(StatementProblem::NotAnswering);
                    }
                    looks += 1;
                    if looks.is_multiple_of(5) && let Some(watcher) = watcher.as_mut() {
                        if let Some(heartbeat) = &heartbeat && let Err(error) = watcher.run(heartbeat).await {
                            tracing::debug!("no sign of life could be written: {error}");
                        }
                        let blockers = watcher.blockers().await.unwrap_or_default();
                        let title = super::script::title(sql);
                        if blockers.is_empty() {
                            tracing::info!(event = "running", seconds = started.elapsed().as_secs(), "still running: {title}");
                        } else {
                            let blockers = contention::describe(&blockers);
                            tracing::info!(event = "waiting for lock", "still waiting: {title}: {blockers}");
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn server(error: DbError) -> StatementProblem {
    StatementProblem::Server { error, relation: None }
}
