//! Looks at what is to be done: the journal is read beside the files, at first without a lock and then under it.

use super::state::{Executor, ToDo};
use crate::db::error::DbErrorClass;
use crate::run::contention;
use crate::run::error::RunError;
use crate::run::gate;
use crate::run::journal::{History, JournalError, State, StoredDown};
use crate::run::machine::{Event, Failure};
use crate::run::pending::{Backfills, Wanted};
use crate::run::task::{self, Agenda, Author, Direction, Goal};
use crate::source::Version;
use std::collections::HashMap;
use std::time::{Duration, Instant};

impl Executor<'_> {
    pub(super) async fn read_journal(&mut self) -> Event {
        let Some(agenda) = self.read_agenda_unless_stopped().await else {
            return self.interrupted();
        };
        match agenda {
            Ok(agenda) => {
                if !self.warned {
                    agenda.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
                    agenda.held.iter().for_each(|held| tracing::info!(event = "held", "{held}"));
                    self.warned = true;
                }
                self.note_finished_elsewhere();
                self.left = agenda.left;
                self.todo = ToDo::new(agenda.tasks);
                self.sign_tasks();
                let run = self.run_id;
                let committed = !self.finished.is_empty()
                    || self.history.applied.iter().any(|applied| Some(applied.run_id) == run);
                Event::Pending { units: self.todo.units.clone(), committed }
            }
            Err(RunError::Journal(JournalError::Database(error))) => {
                let failure = self.failure_of(&error);
                self.fail(failure, RunError::Journal(JournalError::Database(error)))
            }
            Err(error) => self.fail(Failure::Refused, error),
        }
    }

    /// [`Executor::read_agenda`], given up when a signal is raised: nothing is under way, and a server that is not
    /// there yet, or does not answer, must not keep us.
    async fn read_agenda_unless_stopped(&mut self) -> Option<Result<Agenda, RunError>> {
        let mut signal = self.signal.clone();
        let agenda = tokio::select! {
            biased;
            () = signal.raised() => None,
            agenda = self.read_agenda() => Some(agenda),
        };
        if agenda.is_none() {
            // An answer may still come that nobody reads.
            self.session = None;
        }
        agenda
    }

    async fn read_agenda(&mut self) -> Result<Agenda, RunError> {
        let journal = self.journal;
        let mut downs = HashMap::new();
        // A file is only made once it is known that something will be written to it.
        if self.session.is_some() || !self.url.is_missing_file() {
            let first_look = self.session.is_none();
            self.connect().await?;
            if first_look && self.is_up_to_date().await {
                return Ok(Agenda::default());
            }
            self.history = self.read_history().await?;
            self.refuse_other_history().await?;
            for version in task::downs_wanted(self.goal, self.folder, &self.history) {
                if let Some(down) = journal.stored_down(self.session(), &version).await? {
                    downs.insert(version, down);
                }
            }
        }
        let author = Author { by: self.options.host.clone(), release: self.options.release.clone() };
        let agenda = self.agenda(&downs, &author).await?;
        if agenda.tasks.is_empty() && self.session.is_some() {
            // With nothing to do here there may still be something that the other tool has done or taken back.
            self.open_mirror().await?;
        }
        Ok(agenda)
    }

    /// What is to be done. What fills rows is left where a process does that now, and nothing is taken back meanwhile.
    async fn agenda(
        &mut self,
        downs: &HashMap<Version, StoredDown>,
        author: &Author,
    ) -> Result<Agenda, RunError> {
        let dialect = self.url.dialect();
        let goal = self.seen().await;
        let agenda = task::agenda(&goal, self.folder, &self.history, downs, author, dialect)?;
        let concerns = agenda.fills_rows() || matches!(self.goal, Goal::Rollback(_));
        let alone = !self.locked || self.journal.fills_rows() || self.url.is_file();
        if !concerns || alone || self.has_backfill_lock().await? {
            return Ok(agenda);
        }
        match goal {
            Goal::Migrate(wanted) => {
                let left = Goal::Migrate(Wanted { backfills: Backfills::Leave, ..wanted });
                task::agenda(&left, self.folder, &self.history, downs, author, dialect)
            }
            Goal::Rollback(_) => Err(RunError::BackfillRuns),
        }
    }

    /// The goal, with what is seen of those who need what its contracts take away.
    async fn seen(&mut self) -> Goal {
        let Some(session) = self.session.as_deref_mut() else { return self.goal.clone() };
        gate::seen(session, self.folder, &self.history, self.goal, self.options.release.as_deref()).await
    }

    /// Takes the lock of what fills rows too, so that no process does that meanwhile; whether it could.
    async fn has_backfill_lock(&mut self) -> Result<bool, RunError> {
        if !self.backfills_locked {
            let key = self.journal.backfill_lock_key();
            let taken = self.session().try_lock(&key).await;
            self.backfills_locked =
                taken.map_err(|error| RunError::Journal(JournalError::Database(error)))?;
        }
        Ok(self.backfills_locked)
    }

    /// The history. Where one writer keeps all readers out (SQLite), its end is waited for.
    async fn read_history(&mut self) -> Result<History, JournalError> {
        let since = Instant::now();
        loop {
            let journal = self.journal;
            match journal.read(self.session()).await {
                Err(JournalError::Database(error))
                    if error.class == DbErrorClass::Contention
                        && since.elapsed() < self.options.lock_deadline =>
                {
                    tokio::time::sleep(Duration::from_millis(20 + contention::random() % 100)).await;
                }
                read => return read,
            }
        }
    }

    /// Whether a short look shows that there is nothing to do and nothing to say.
    async fn is_up_to_date(&mut self) -> bool {
        let (journal, folder) = (self.journal, self.folder);
        let Goal::Migrate(Wanted { to: None, .. }) = self.goal else { return false };
        let migrations = folder
            .migrations
            .iter()
            .map(|one| (one.version.as_str(), task::kind_id(one.kind), one.up.checksum.as_str()));
        journal.is_all_applied(self.session(), migrations).await == Some(true)
    }

    /// After a broken connection: what the journal says that this run has applied, although no answer told it.
    fn note_finished_elsewhere(&mut self) {
        let Some(run_id) = self.run_id else { return };
        for number in 0..self.todo.tasks.len() {
            let task = &self.todo.tasks[number];
            let row = self.history.get(&task.record.version);
            let done = match task.direction {
                Direction::Up => row.is_some_and(|row| row.state == State::Applied && row.run_id == run_id),
                Direction::Down => row.is_none(),
            };
            if done && !self.finished.iter().any(|finished| finished.label == task.label) {
                let (label, direction) = (task.label.clone(), task.direction);
                self.say_finished(label, direction, Duration::ZERO);
            }
        }
    }

    /// Puts this run's number and author on the tasks, once it has them.
    pub(super) fn sign_tasks(&mut self) {
        for task in &mut self.todo.tasks {
            if let Some(id) = self.run_id {
                task.record.run_id = id;
            }
            if let Some(by) = &self.by {
                task.record.by.clone_from(by);
            }
        }
    }
}
