//! The run's own row in the journal: written once nothing stands in its way any more, and at its end how it ended.

use super::state::Executor;
use crate::db::error::DbErrorClass;
use crate::db::session::Identity;
use crate::engine;
use crate::run::error::RunError;
use crate::run::journal::{JournalError, OpenRun, RunRecord};
use crate::run::machine::{Event, Outcome};
use crate::run::script::Statement;

impl Executor<'_> {
    pub(super) async fn prepare(&mut self) -> Event {
        match self.try_prepare().await {
            Ok(()) => Event::Done,
            Err(error) => self.fail_with(error),
        }
    }

    async fn try_prepare(&mut self) -> Result<(), RunError> {
        if self.run_id.is_some() {
            // After a broken connection: all of it was done for the first one.
            return Ok(());
        }
        let database = |error| RunError::Journal(JournalError::Database(error));
        let identity = self.session().identity().await.map_err(database)?;
        if let Some(error) = self.not_understood(&identity) {
            return Err(error);
        }
        if self.watcher.is_none() {
            self.open_watcher().await?;
        }
        self.open_mirror().await?;
        let journal = self.journal;
        let history = std::mem::take(&mut self.history);
        let prepared = journal.prepare(self.session(), &history).await;
        self.history = history;
        prepared?;
        if let Some(id) = self.row_that_arrived() {
            self.write_session(id).await?;
            self.run_id = Some(id);
            self.sign_tasks();
            return Ok(());
        }
        let id = self.history.last_run_id + 1;
        let by = if identity.user.is_empty() {
            self.options.host.clone()
        } else {
            format!("{}@{}", identity.user, self.options.host)
        };
        self.by = Some(by.clone());
        self.sign_tasks();
        let record = RunRecord {
            id,
            command: self.goal.command(),
            release: self.options.release.clone(),
            by,
            backend: identity.backend,
        };
        self.begin_run(record).await
    }

    /// The number of the row that an earlier connection has sent, if the journal has it: only its answer was lost.
    fn row_that_arrived(&self) -> Option<i64> {
        let sent = self.sent_row.as_ref()?;
        let is_it = |run: &&OpenRun| run.id == sent.id && run.backend == sent.backend;
        self.history.open_runs.iter().find(is_it).map(|run| run.id)
    }

    /// The first statement that this server surely does not understand: nothing is begun that would stop there.
    fn not_understood(&self, identity: &Identity) -> Option<RunError> {
        let what = |statement: &Statement| {
            engine::lacks(statement.sql(), self.url.dialect(), &identity.version, identity.version_number)
        };
        for (unit, at) in self.todo.refs.iter().enumerate() {
            let task = &self.todo.tasks[at.task];
            for ordinal in task.prepared.pieces[at.piece].statements.clone() {
                // A large file is read as it is run.
                let statement = self.statement(unit, ordinal)?;
                if let Some(what) = what(statement) {
                    return Some(RunError::NotUnderstood { place: self.place(unit, Some(ordinal)), what });
                }
            }
        }
        None
    }

    /// Writes that the run begins. What fills rows has a lock of its own, so that another run may have taken the number.
    async fn begin_run(&mut self, mut record: RunRecord) -> Result<(), RunError> {
        const TRIES: usize = 5;
        let journal = self.journal;
        let database = |error| RunError::Journal(JournalError::Database(error));
        for number in 1.. {
            self.sent_row = Some(record.clone());
            match self.session().run(&journal.begin_run_sql(&record)).await {
                Ok(_) => break,
                Err(error) if number == TRIES || error.class != DbErrorClass::Statement => {
                    return Err(database(error));
                }
                Err(error) => {
                    let last = journal.read(self.session()).await?.last_run_id;
                    if last < record.id {
                        return Err(database(error));
                    }
                    record.id = last + 1;
                }
            }
        }
        self.run_id = Some(record.id);
        self.sign_tasks();
        Ok(())
    }

    pub(super) async fn finish_run(&mut self, outcome: Outcome) -> Event {
        let Some(id) = self.run_id.filter(|_| self.session.is_some()) else { return Event::Done };
        let detail = self.error.as_ref().map(|error| self.url.redact(&error.to_string()));
        let (word, code) = match outcome {
            Outcome::NothingToDo | Outcome::Done => ("done", 0),
            Outcome::FailedClean => ("failed", 3),
            Outcome::FailedPartly => ("failed", 4),
            Outcome::LockTimeout => ("lock timeout", 5),
            Outcome::Interrupted => ("interrupted", 6),
            Outcome::Unknown => ("unknown", 7),
        };
        if outcome == Outcome::Done {
            self.error = None;
        }
        let detail = if outcome == Outcome::Done { None } else { detail };
        let sql = self.journal.finish_run_sql(id, word, code, detail.as_deref());
        // A run that cannot say how it ended is seen by its row that says nothing.
        let reset = self.session().reset().await;
        match (reset, self.session().run(&sql).await) {
            (_, Ok(_)) => Event::Done,
            (_, Err(error)) => Event::Failed(self.failure_of(&error)),
        }
    }
}
