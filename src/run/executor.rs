//! Does what the machine commands, and tells it what came of it.

use super::activity::{Activity, Doing};
use super::adopt::mirror::{Mirror, MirrorWish};
use super::chunks::{Backfill, Pace};
use super::contention::{self, Contention};
use super::error::{Place, RunError};
use super::fault;
use super::journal::{History, Journal, JournalError, RunRecord, State, StoredDown};
use super::limits::Limits;
use super::machine::{Command, Event, Failure, Finding, Machine, Outcome, Unit};
use super::pending::{Backfills, Wanted};
use super::script::{Piece, Statement, Work};
use super::signal::Signal;
use super::task::{self, Agenda, Author, Direction, Goal, Task, UnitRef};
use super::watch::{FirstLook, Unanswered, Watched};
use crate::db::error::{DbError, DbErrorClass};
use crate::db::session::{
    Backend, Begin, Blocker, ConnectOptions, IN_TRANSACTION, Identity, Session, Transaction, Watcher,
};
use crate::db::url::DatabaseUrl;
use crate::dialect::Dialect;
use crate::engine::{self, Resume, SessionChange};
use crate::source::{Folder, ReadOptions, Version};
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How a run behaves.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// How connections are opened.
    pub connect: ConnectOptions,
    /// Longest time that a statement stands in a lock's queue.
    pub lock_timeout: Duration,
    /// How long a unit tries again to get its locks.
    pub lock_deadline: Duration,
    /// How long to wait for another run.
    pub run_deadline: Duration,
    /// The host, for the journal.
    pub host: String,
    /// The release.
    pub release: Option<String>,
    /// The migrations folder, where programs and large files are.
    pub folder: PathBuf,
    /// How its files are read.
    pub read: ReadOptions,
    /// Whether the table of the tool that was adopted from is written too.
    pub mirror: MirrorWish,
    /// How fast backfills go.
    pub pace: Pace,
}

/// One migration that a run has finished.
#[derive(Debug, Clone)]
pub struct Finished {
    /// Version and name.
    pub label: String,
    /// Which way.
    pub direction: Direction,
    /// How long its statements took.
    pub duration: Duration,
}

/// What a run came to.
#[derive(Debug)]
pub struct RunReport {
    /// How it ended.
    pub outcome: Outcome,
    /// What it finished, in order.
    pub finished: Vec<Finished>,
    /// Why it stopped, if it did.
    pub error: Option<RunError>,
    /// Migrations that were to be done, at the last look.
    pub wanted: usize,
    /// The run's number in the journal, if it got one.
    pub run_id: Option<i64>,
    /// Whether a migration is half applied, or half taken back, now.
    pub half: bool,
    /// Migrations whose rows are left to be filled.
    pub left: Vec<String>,
}

/// A session that is being opened while the migrations folder is read.
pub struct EarlySession(tokio::task::JoinHandle<Result<Box<dyn Session>, DbError>>);

impl EarlySession {
    /// Begins to open it. Nothing of a file database is touched before the folder is known to be right.
    pub fn open(url: &DatabaseUrl, options: &ConnectOptions) -> Option<Self> {
        let (url, options) = (url.clone(), options.clone());
        let is_server = !url.is_file();
        is_server.then(|| Self(tokio::spawn(async move { crate::db::connect(&url, &options).await })))
    }

    async fn session(self) -> Result<Box<dyn Session>, DbError> {
        match self.0.await {
            Ok(opened) => opened,
            Err(error) => Err(DbError::new(DbErrorClass::Unreachable, error.to_string())),
        }
    }
}

/// Brings the database of `url` to `goal`, with a session that is being opened already, if there is one.
pub async fn run(
    url: &DatabaseUrl,
    journal: &Journal,
    folder: &Folder,
    goal: &Goal,
    options: &RunOptions,
    signal: &Signal,
    early: Option<EarlySession>,
) -> RunReport {
    let mut executor = Executor {
        url,
        journal,
        folder,
        goal,
        options,
        signal: signal.clone(),
        early,
        session: None,
        watcher: None,
        history: History::default(),
        tasks: Vec::new(),
        refs: Vec::new(),
        units: Vec::new(),
        transaction: None,
        begun: None,
        locked: false,
        run_id: None,
        by: None,
        lock_since: None,
        looked_for_dead: None,
        last_sign: Instant::now(),
        said_waiting: false,
        contention: None,
        no_prelock: HashSet::new(),
        locked_first: None,
        seen_blockers: Vec::new(),
        intended: HashMap::new(),
        outliving: HashSet::new(),
        spent: Duration::ZERO,
        backfills: HashMap::new(),
        finished: Vec::new(),
        error: None,
        warned: false,
        large_at: None,
        mirror: None,
        limits: Limits::default(),
        activity: None,
        backfills_locked: false,
        left: Vec::new(),
    };
    let mut machine = Machine::default();
    let mut event = Event::Started;
    let outcome = loop {
        let command = machine.on(event);
        if let Command::Finish(outcome) = command {
            break outcome;
        }
        event = executor.perform(command).await;
    };
    executor.close().await;
    let wanted = executor.tasks.len();
    RunReport {
        outcome,
        finished: executor.finished,
        error: executor.error,
        wanted,
        run_id: executor.run_id,
        half: machine.is_half(),
        left: executor.left,
    }
}

/// The world of one run.
pub(super) struct Executor<'a> {
    url: &'a DatabaseUrl,
    pub(super) journal: &'a Journal,
    pub(super) folder: &'a Folder,
    goal: &'a Goal,
    pub(super) options: &'a RunOptions,
    pub(super) signal: Signal,
    early: Option<EarlySession>,
    pub(super) session: Option<Box<dyn Session>>,
    pub(super) watcher: Option<Box<dyn Watcher>>,
    pub(super) history: History,
    pub(super) tasks: Vec<Task>,
    refs: Vec<UnitRef>,
    units: Vec<Unit>,
    transaction: Option<Transaction>,
    /// The task whose settings the session has now.
    begun: Option<usize>,
    locked: bool,
    pub(super) run_id: Option<i64>,
    /// Role and host, once the server has told the role.
    by: Option<String>,
    lock_since: Option<Instant>,
    /// When it was looked last whether the run that has the lock is dead.
    looked_for_dead: Option<Instant>,
    /// When it was written last that this run is alive.
    pub(super) last_sign: Instant,
    said_waiting: bool,
    pub(super) contention: Option<Contention>,
    /// Statements (task, ordinal) whose locks cannot be asked for beforehand.
    no_prelock: HashSet<(usize, usize)>,
    /// The lock that was taken with the transaction's beginning.
    locked_first: Option<(String, &'static str)>,
    /// Who was in the way when something that was watched was given up.
    pub(super) seen_blockers: Vec<Blocker>,
    /// What was true before the statement of a unit ran.
    intended: HashMap<usize, Option<String>>,
    /// Units that have an intent because a rollback does not take back what they write.
    outliving: HashSet<usize>,
    pub(super) spent: Duration,
    /// The backfills that this run is in.
    pub(super) backfills: HashMap<usize, Backfill>,
    finished: Vec<Finished>,
    error: Option<RunError>,
    warned: bool,
    /// Line and first words of the statement of a large file that has failed.
    pub(super) large_at: Option<(usize, String)>,
    /// The old tool's table, where it is to be kept in step.
    pub(super) mirror: Option<Mirror>,
    /// The time limits that the migration of the command sets for itself.
    pub(super) limits: Limits,
    /// What the run does now, for its row in the journal.
    pub(super) activity: Option<Activity>,
    /// Whether this session has the lock of what fills rows as well.
    backfills_locked: bool,
    /// Migrations whose rows are left to be filled.
    left: Vec<String>,
}

impl Executor<'_> {
    async fn perform(&mut self, command: Command) -> Event {
        let name = format!("{command:?}");
        fault::point(&format!("before {name}"));
        if let Some(unit) = command.unit() {
            self.limits = self.unit(unit).1.prepared.limits;
        }
        let event = match command {
            Command::ReadJournal => self.read_journal().await,
            Command::TakeLock => self.take_lock().await,
            Command::PauseForLock => self.pause_for_lock().await,
            Command::Prepare => self.prepare().await,
            Command::Begin(unit) => self.begin(unit).await,
            Command::Run(unit) => self.run_unit(unit).await,
            Command::Commit(unit) => self.commit(unit).await,
            Command::Rollback(unit) => self.rollback(unit).await,
            Command::Pause(unit) => self.pause(unit).await,
            Command::Intend(unit) => self.intend(unit).await,
            Command::RunAlone(unit) => self.run_alone(unit).await,
            Command::CleanUp(unit) => self.clean_up(unit).await,
            Command::Record(unit) => self.record(unit).await,
            Command::Reconnect => self.reconnect().await,
            Command::Investigate(unit) => self.investigate(unit).await,
            Command::FinishRun(outcome) => self.finish_run(outcome).await,
            Command::Unlock(_) => self.unlock().await,
            Command::Finish(_) => Event::Done,
        };
        fault::point(&format!("after {name}"));
        event
    }

    /// Keeps `error` as the reason, and gives the event that it is for the machine.
    pub(super) fn fail(&mut self, failure: Failure, error: RunError) -> Event {
        self.error = Some(error);
        Event::Failed(failure)
    }

    fn fail_database(&mut self, error: DbError, wrap: impl FnOnce(DbError) -> RunError) -> Event {
        let failure = self.failure_of(&error);
        let error = match failure {
            Failure::Lost => RunError::Lost(error),
            Failure::Interrupted => RunError::Interrupted,
            Failure::Contention | Failure::Refused | Failure::Fenced | Failure::NotAnswering => wrap(error),
        };
        self.fail(failure, error)
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

    pub(super) fn session(&mut self) -> &mut dyn Session {
        self.session
            .as_deref_mut()
            .expect("the first command connects, and a broken session is replaced or the end")
    }

    async fn connect(&mut self) -> Result<(), RunError> {
        if self.session.is_none() {
            let session = match self.early.take() {
                Some(early) => early.session().await,
                None => crate::db::connect(self.url, &self.options.connect).await,
            }
            .map_err(|error| RunError::Connect { url: self.url.to_string(), error })?;
            self.session = Some(session);
        }
        Ok(())
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

    async fn read_journal(&mut self) -> Event {
        let Some(agenda) = self.read_agenda_unless_stopped().await else {
            self.error = Some(RunError::Interrupted);
            return Event::Interrupted;
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
                self.tasks = agenda.tasks;
                self.sign_tasks();
                self.intended.clear();
                self.backfills.clear();
                self.outliving.clear();
                self.no_prelock.clear();
                (self.refs, self.units) = task::units(&self.tasks);
                let run = self.run_id;
                let committed = !self.finished.is_empty()
                    || self.history.applied.iter().any(|applied| Some(applied.run_id) == run);
                Event::Pending { units: self.units.clone(), committed }
            }
            Err(RunError::Journal(JournalError::Database(error))) => {
                let failure = self.failure_of(&error);
                self.fail(failure, RunError::Journal(JournalError::Database(error)))
            }
            Err(error) => self.fail(Failure::Refused, error),
        }
    }

    /// After a broken connection: what the journal says that this run has applied, although no answer told it.
    fn note_finished_elsewhere(&mut self) {
        let Some(run_id) = self.run_id else { return };
        for number in 0..self.tasks.len() {
            let task = &self.tasks[number];
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
    fn sign_tasks(&mut self) {
        for task in &mut self.tasks {
            if let Some(id) = self.run_id {
                task.record.run_id = id;
            }
            if let Some(by) = &self.by {
                task.record.by.clone_from(by);
            }
        }
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
        let agenda = task::agenda(self.goal, self.folder, &self.history, downs, author, dialect)?;
        let concerns = agenda.fills_rows() || matches!(self.goal, Goal::Rollback(_));
        let alone = !self.locked || self.journal.fills_rows() || self.url.is_file();
        if !concerns || alone || self.has_backfill_lock().await? {
            return Ok(agenda);
        }
        match self.goal {
            Goal::Migrate(wanted) => {
                let left = Goal::Migrate(Wanted { backfills: Backfills::Leave, ..wanted.clone() });
                task::agenda(&left, self.folder, &self.history, downs, author, dialect)
            }
            Goal::Rollback(_) => Err(RunError::BackfillRuns),
        }
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

    async fn take_lock(&mut self) -> Event {
        if self.lock_since.is_none() {
            self.lock_since = Some(Instant::now());
            match self.get_ready_to_lock().await {
                Ok(()) => {}
                Err(RunError::Journal(JournalError::Database(error))) => {
                    return self
                        .fail_database(error, |error| RunError::Journal(JournalError::Database(error)));
                }
                Err(error) => return self.fail(Failure::Refused, error),
            }
        }
        let key = self.journal.lock_key();
        match self.session().try_lock(&key).await {
            Ok(true) => {
                self.locked = true;
                Event::Done
            }
            Ok(false) => {
                // Of twenty that wait, none needs a second connection.
                if let Some(watcher) = self.watcher.take() {
                    watcher.close().await;
                }
                Event::Busy
            }
            Err(error) => self.fail_database(error, |error| RunError::Journal(JournalError::Database(error))),
        }
    }

    /// Looks whether the session can be written with and keeps what is set and locked in it, before anything is.
    async fn get_ready_to_lock(&mut self) -> Result<(), RunError> {
        let database = |error| RunError::Journal(JournalError::Database(error));
        self.connect().await?;
        if let Some(why) = self.session().identity().await.map_err(database)?.read_only {
            return Err(RunError::ReadOnly(why));
        }
        self.open_watcher().await?;
        if let (Some(watcher), Some(session)) = (self.watcher.as_mut(), self.session.as_deref_mut())
            && let Some(seen) = watcher.pooler_seen(session).await.map_err(database)?
        {
            return Err(RunError::Pooler(seen));
        }
        // What an earlier connection left behind must not decide who we are while we wait.
        self.session().prepare_to_write().await.map_err(database)
    }

    async fn pause_for_lock(&mut self) -> Event {
        let waited = self.lock_since.map_or(Duration::ZERO, |since| since.elapsed());
        if waited >= self.options.run_deadline {
            return self.lock_expired(waited).await;
        }
        if !self.said_waiting && waited >= Duration::from_secs(1) {
            self.said_waiting = true;
            tracing::info!(event = "waiting", "another run has the lock; waiting for it to finish");
        }
        self.end_dead_runner().await;
        let pause = Duration::from_millis(100 + contention::random() % 150);
        if self.signal.raised_within(pause).await {
            self.error = Some(RunError::Interrupted);
            return Event::Interrupted;
        }
        Event::Done
    }

    async fn lock_expired(&mut self, waited: Duration) -> Event {
        let key = self.journal.lock_key();
        let holder = self.session().lock_holder(&key).await.ok().flatten();
        let history =
            self.journal.read(self.session.as_deref_mut().expect("connected")).await.unwrap_or_default();
        let run = history.open_run.map(|run| {
            format!(
                "run {} (`{}` by {}, since {}, last sign of life {} s ago)",
                run.id, run.command, run.by, run.started_at, run.silent_s
            )
        });
        self.error = Some(RunError::RunLock { waited_s: waited.as_secs(), holder, run });
        Event::Expired
    }

    /// Ends the session of a run that has given no sign of life for a minute, so that its lock is freed. Where the
    /// server watches the socket (`client_connection_check_interval`) it has done so long before; not where a machine
    /// was lost without a word. A run that has not written of itself yet is known by its session, which does nothing.
    async fn end_dead_runner(&mut self) {
        const SILENCE: Duration = Duration::from_secs(60);
        const LOOK_EVERY: Duration = Duration::from_secs(5);
        if self.looked_for_dead.is_some_and(|looked| looked.elapsed() < LOOK_EVERY) {
            return;
        }
        self.looked_for_dead = Some(Instant::now());
        let journal = self.journal;
        let Ok(history) = journal.read(self.session()).await else { return };
        let run = history.open_run;
        let silent = run.as_ref().filter(|run| run.silent_s >= SILENCE.as_secs().cast_signed());
        if let Some(run) = silent
            && self.session().end_backend(&run.backend).await.unwrap_or(false)
        {
            tracing::warn!(
                event = "ended dead runner",
                "ended session {} of run {}, which gave no sign of life for {} s",
                run.backend.pid,
                run.id,
                run.silent_s
            );
            return;
        }
        let key = journal.lock_key();
        let idle = self.session().idle_holder(&key, SILENCE).await.ok().flatten();
        // A run that gives signs of life may wait for a program.
        let lives =
            |idle: &Backend| run.as_ref().is_some_and(|run| run.backend.pid == idle.pid && silent.is_none());
        if let Some(idle) = idle.filter(|idle| !lives(idle))
            && self.session().end_backend(&idle).await.unwrap_or(false)
        {
            tracing::warn!(
                event = "ended dead runner",
                "ended session {}, which had the lock and did nothing for {} s",
                idle.pid,
                SILENCE.as_secs()
            );
        }
    }

    async fn prepare(&mut self) -> Event {
        match self.try_prepare().await {
            Ok(()) => Event::Done,
            Err(RunError::Journal(JournalError::Database(error))) => {
                self.fail_database(error, |error| RunError::Journal(JournalError::Database(error)))
            }
            Err(error) => self.fail(Failure::Refused, error),
        }
    }

    /// The first statement that this server surely does not understand: nothing is begun that would stop there.
    fn not_understood(&self, identity: &Identity) -> Option<RunError> {
        let what = |statement: &Statement| {
            engine::lacks(statement.sql(), self.url.dialect(), &identity.version, identity.version_number)
        };
        for (unit, at) in self.refs.iter().enumerate() {
            let task = &self.tasks[at.task];
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

    /// Writes that the run begins. What fills rows has a lock of its own, so that another run may have taken the number.
    async fn begin_run(&mut self, mut record: RunRecord) -> Result<(), RunError> {
        const TRIES: usize = 5;
        let journal = self.journal;
        let database = |error| RunError::Journal(JournalError::Database(error));
        for number in 1.. {
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

    async fn open_watcher(&mut self) -> Result<(), RunError> {
        let watched = self.session().watched();
        let mut options = self.options.connect.clone();
        options.application_name.push_str(" watcher");
        let watcher = crate::db::engine_of(self.url)
            .watch(self.url, &options, watched)
            .await
            .map_err(|error| RunError::Connect { url: self.url.to_string(), error })?;
        self.watcher = Some(watcher);
        Ok(())
    }

    /// Keeps what the unit does now, and writes it where the last time was a while ago.
    async fn note_activity(&mut self, unit: usize, doing: Doing) {
        let migration = self.unit(unit).1.label.clone();
        self.activity = Some(Activity { migration, doing });
        self.tell_activity().await;
    }

    pub(super) fn url(&self) -> &DatabaseUrl {
        self.url
    }

    pub(super) fn unit(&self, unit: usize) -> (usize, &Task, &Piece) {
        let UnitRef { task, piece } = self.refs[unit];
        (task, &self.tasks[task], &self.tasks[task].prepared.pieces[piece])
    }

    pub(super) fn statement(&self, unit: usize, ordinal: usize) -> Option<&Statement> {
        match &self.unit(unit).1.prepared.work {
            Work::Statements(statements) => statements.get(ordinal),
            Work::LargeFile { .. } | Work::Program(_) => None,
        }
    }

    /// The place of a statement of the unit, or of its migration where `ordinal` is `None`.
    pub(super) fn place(&self, unit: usize, ordinal: Option<usize>) -> Place {
        let (_, task, _) = self.unit(unit);
        let statement = ordinal.and_then(|ordinal| self.statement(unit, ordinal));
        Place {
            migration: task.label.clone(),
            file: task.prepared.path.clone(),
            line: statement.map_or(1, |statement| statement.line),
            statement: ordinal.map_or(0, |ordinal| ordinal + 1),
            of: task::statement_count(&task.prepared),
            title: statement.map(Statement::title).unwrap_or_default(),
        }
    }

    /// Longest time that a statement of the unit may stand in a lock's queue.
    pub(super) fn patience(&self, rows_only: bool) -> Duration {
        if self.contention.as_ref().is_some_and(|contention| contention.outwait_autovacuum) {
            contention::OUTWAIT_AUTOVACUUM
        } else if rows_only {
            // Waiting for a row keeps nobody else waiting.
            self.lock_deadline().max(self.lock_timeout())
        } else {
            self.lock_timeout()
        }
    }

    /// Takes the session to the start of the unit's migration: fresh, then the settings that its done statements made.
    async fn enter_task(&mut self, unit: usize) -> Result<(), RunError> {
        let number = self.unit(unit).0;
        let sets = match self.replayed(unit) {
            Ok(sets) => sets,
            Err(ordinal) => return Err(RunError::SessionGone { place: self.place(unit, Some(ordinal)) }),
        };
        let place = self.place(unit, None);
        let failed = |error| RunError::Statement { place: place.clone(), error };
        self.session().reset().await.map_err(failed)?;
        for set in sets {
            self.session().run(&set).await.map_err(failed)?;
        }
        self.begun = Some(number);
        self.spent = Duration::ZERO;
        Ok(())
    }

    /// What sets again, in a new session, what the done statements of the unit's migration set in theirs; or the
    /// statement that left behind what cannot be had again.
    fn replayed(&self, unit: usize) -> Result<Vec<String>, usize> {
        let task = self.unit(unit).1;
        let mut done = task.done.clone();
        done.sort_unstable();
        let texts = || done.iter().filter_map(|ordinal| self.statement(unit, *ordinal)).map(Statement::sql);
        let left = engine::left_behind(texts(), self.url.dialect(), false);
        let mut sql = Vec::new();
        for (at, ordinal) in done.iter().enumerate() {
            let Some(statement) = self.statement(unit, *ordinal) else { continue };
            let kept = task.kept.iter().find(|(number, _)| number == ordinal);
            let kept = kept.and_then(|(_, kept)| engine::put_back(kept, self.url.dialect()));
            let only_variables = |change: &SessionChange| matches!(change, SessionChange::Variable { .. });
            match (statement.traits.resume, &kept) {
                (Resume::Nothing, _) => {}
                (Resume::Replay, _) => sql.push(statement.sql().to_owned()),
                (Resume::Impossible, Some(_)) if statement.traits.only_session => {
                    if !statement.traits.session.iter().all(only_variables) {
                        sql.push(statement.sql().to_owned());
                    }
                }
                (Resume::Impossible, _) if left.iter().any(|left| left.statement == at) => {
                    return Err(*ordinal);
                }
                (Resume::Impossible, _) if statement.traits.session.iter().any(only_variables) => {
                    return Err(*ordinal);
                }
                // It was taken away again.
                (Resume::Impossible, _) => {}
            }
            sql.extend(kept);
        }
        Ok(sql)
    }

    /// The failure of [`Executor::enter_task`].
    fn not_entered(&mut self, error: RunError) -> Event {
        match error {
            RunError::Statement { place, error } => {
                self.fail_database(error, |error| RunError::Statement { place, error })
            }
            error => self.fail(Failure::Refused, error),
        }
    }

    async fn begin(&mut self, unit: usize) -> Event {
        if self.signal.is_raised() {
            self.error = Some(RunError::Interrupted);
            return Event::Interrupted;
        }
        let (number, task, piece) = self.unit(unit);
        let (whole, outside) = (task.prepared.pieces.len() == 1 && !piece.chunked, piece.outside);
        // A chunk that waits for one row keeps those waiting that want the others: it steps back soon.
        let rows_only = !piece.chunked
            && self
                .statement(unit, piece.statements.start)
                .is_some_and(|statement| statement.traits.rows_only);
        if self.contention.is_none() {
            self.contention = Some(Contention::start());
        }
        if (!whole || outside)
            && self.begun != Some(number)
            && let Err(error) = self.enter_task(unit).await
        {
            return self.not_entered(error);
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
            return self.fail_database(error, |error| RunError::Commit { place, error });
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
                        self.fail_database(error, |error| RunError::Statement { place, error })
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
                self.fail_database(error, |error| RunError::Statement { place, error })
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
        if self.no_prelock.contains(&(number, ordinal)) {
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

    /// Writes an intent of the unit where a rollback would not take back what it writes: a run that dies in it cannot
    /// tell what it has written.
    async fn note_what_outlives(&mut self, unit: usize) -> Result<(), DbError> {
        let (_, task, piece) = self.unit(unit);
        let ordinal = piece.statements.start;
        if self.url.dialect() != Dialect::Mysql {
            return Ok(());
        }
        let started = if task.done.is_empty() { self.started_sql(task, task.direction) } else { None };
        let texts: Vec<String> = piece
            .statements
            .clone()
            .filter_map(|ordinal| self.statement(unit, ordinal))
            .map(|statement| statement.sql().to_owned())
            .collect();
        let mut outlives = false;
        for text in &texts {
            outlives |= self.session().outlives_rollback(text).await?;
        }
        if outlives {
            let mut journal: Vec<String> = started.into_iter().collect();
            journal.push(self.journal.intent_sql(&self.statement_row(unit, ordinal, None)));
            self.write(&journal.join(";")).await?;
            self.outliving.insert(unit);
        }
        Ok(())
    }

    /// After a rollback: the intent goes where the server has refused the unit's only statement before it wrote.
    async fn forget_what_outlives(&mut self, unit: usize) -> Result<(), DbError> {
        /// A syntax error.
        const UNREAD: Option<&str> = Some("1064");
        let unread = match &self.error {
            Some(RunError::Statement { error, .. }) => {
                error.class == DbErrorClass::Missing || error.code.as_deref() == UNREAD
            }
            Some(RunError::TableLock { .. }) => true,
            _ => false,
        };
        let (_, task, piece) = self.unit(unit);
        if !unread || piece.statements.len() != 1 || !self.outliving.contains(&unit) {
            return Ok(());
        }
        let mut journal = vec![self.journal.forget_intent_sql(&task.record.version, piece.statements.start)];
        if task.done.is_empty() {
            match task.direction {
                Direction::Up if !task.known => journal.push(self.journal.reverted_sql(&task.record.version)),
                Direction::Up => {}
                Direction::Down => journal.push(self.journal.still_applied_sql(&task.record.version)),
            }
        }
        self.outliving.remove(&unit);
        self.write(&journal.join(";")).await
    }

    async fn run_unit(&mut self, unit: usize) -> Event {
        let started = Instant::now();
        let (_, task, piece) = self.unit(unit);
        let range = piece.statements.clone();
        let event = match task.prepared.work {
            Work::Statements(_) if piece.chunked => self.run_chunk(unit).await,
            Work::LargeFile { .. } => self.run_large_file(unit).await,
            Work::Statements(_) | Work::Program(_) => self.run_statements(unit, range).await,
        };
        self.spent += started.elapsed();
        event
    }

    async fn run_statements(&mut self, unit: usize, range: std::ops::Range<usize>) -> Event {
        let mut held = Held::default();
        held.locks.extend(self.locked_first.take());
        for ordinal in range {
            let (number, task, _) = self.unit(unit);
            if task.done.contains(&ordinal) {
                continue;
            }
            let Some(statement) = self.statement(unit, ordinal).cloned() else { continue };
            self.sign_of_life().await;
            if self.signal.is_raised() {
                self.error = Some(RunError::Interrupted);
                return Event::Interrupted;
            }
            tracing::info!(progress = true, "{}: {}", self.place(unit, Some(ordinal)), statement.title());
            self.note_activity(unit, Doing::Running(statement.title())).await;
            let prelock = !self.no_prelock.contains(&(number, ordinal));
            match self.run_one(&statement, prelock, &mut held).await {
                Ok(()) => fault::point("after a statement"),
                Err(problem) => return self.statement_failed(unit, ordinal, problem).await,
            }
        }
        Event::Done
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
                self.no_prelock.insert((number, ordinal));
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
        self.fail_database(error, |error| RunError::Statement { place, error })
    }

    /// Sorts the failure of a statement outside a transaction.
    async fn alone_failed(&mut self, unit: usize, ordinal: usize, problem: StatementProblem) -> Event {
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

    async fn note_contention(&mut self, error: &DbError, relation: Option<(String, &'static str)>) {
        if error.class != DbErrorClass::Contention {
            return;
        }
        let mut blockers = Vec::new();
        if let (Some(watcher), Some((relation, mode))) = (self.watcher.as_mut(), &relation) {
            blockers = watcher.holders(relation, mode).await.unwrap_or_default();
        }
        if blockers.is_empty() {
            blockers = std::mem::take(&mut self.seen_blockers);
        }
        if blockers.is_empty()
            && let Some(seen) = self.contention.as_ref().map(|contention| contention.blockers.clone())
        {
            blockers = seen;
        }
        let contention = self.contention.get_or_insert_with(Contention::start);
        contention.failed(relation.map(|(relation, _)| relation), blockers);
    }

    async fn rollback(&mut self, unit: usize) -> Event {
        self.transaction = None;
        let rolled_back = match self.session().rollback().await {
            Ok(()) => self.forget_what_outlives(unit).await,
            failed => failed,
        };
        match rolled_back {
            Ok(()) => Event::Done,
            Err(error) => {
                let failure = self.failure_of(&error);
                Event::Failed(failure)
            }
        }
    }

    async fn pause(&mut self, unit: usize) -> Event {
        let place = self.place(unit, None);
        let deadline = self.lock_deadline();
        let contention = self.contention.get_or_insert_with(Contention::start);
        if contention.elapsed() >= deadline {
            return Event::Expired;
        }
        let waits = waits_for(contention);
        if contention.time_to_say() {
            let on = contention.relation.clone().unwrap_or_else(|| "a lock".to_owned());
            let by = if contention.blockers.is_empty() {
                String::new()
            } else {
                format!(": {}", contention::describe(&contention.blockers))
            };
            tracing::info!(
                event = "waiting for lock",
                migration = %place.migration,
                relation = %on,
                tries = contention.tries,
                "{}: waiting for {on}{by}",
                place.migration
            );
        }
        // The last try is at the deadline.
        let left = deadline.saturating_sub(contention.elapsed());
        let tries = contention.tries;
        let pause = if tries == 0 { Duration::ZERO } else { contention.pause().min(left) };
        if tries >= 2 {
            self.note_activity(unit, Doing::WaitingForLock(waits)).await;
        } else {
            self.sign_of_life().await;
        }
        if self.signal.raised_within(pause).await {
            self.error = Some(RunError::Interrupted);
            return Event::Interrupted;
        }
        Event::Done
    }

    /// What the journal says once the unit is done, as SQL.
    fn journal_of(&self, unit: usize) -> String {
        let (number, task, piece) = self.unit(unit);
        let begins = self.refs.iter().position(|other| other.task == number) == Some(unit);
        let completes = self.units[unit].completes;
        let mut sql = Vec::new();
        match (task.direction, completes) {
            (Direction::Up, true) => {
                let replace =
                    task.known || !begins || !piece.atomic || piece.chunked || self.outliving.contains(&unit);
                sql.push(self.journal.migration_sql(
                    &task.record,
                    State::Applied,
                    self.spent.as_millis(),
                    replace,
                ));
            }
            (Direction::Down, true) => sql.push(self.journal.reverted_sql(&task.record.version)),
            (direction, false) => {
                if begins && piece.atomic {
                    sql.extend(self.started_sql(task, direction));
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

    pub(super) fn started_sql(&self, task: &Task, direction: Direction) -> Option<String> {
        if !task.done.is_empty() {
            return None;
        }
        Some(match direction {
            Direction::Up => self.journal.migration_sql(&task.record, State::Applying, 0, true),
            Direction::Down => self.journal.reverting_sql(&task.record.version),
        })
    }

    pub(super) fn statement_row(
        &self,
        unit: usize,
        ordinal: usize,
        before: Option<String>,
    ) -> super::journal::StatementRow {
        let backend = self.session.as_ref().map(|session| session.watched().backend);
        super::journal::StatementRow {
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

    async fn commit(&mut self, unit: usize) -> Event {
        let goes_on = self.backfills.get(&unit).is_some_and(Backfill::goes_on);
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

    /// Remembers and says that the unit is done.
    fn unit_done(&mut self, unit: usize) {
        self.contention = None;
        let (number, task, piece) = self.unit(unit);
        let statements = piece.statements.clone();
        let (label, direction) = (task.label.clone(), task.direction);
        let completes = self.units[unit].completes;
        if statements.end != usize::MAX {
            self.tasks[number].done.extend(statements);
        }
        if !completes {
            return;
        }
        let duration = std::mem::take(&mut self.spent);
        self.say_finished(label, direction, duration);
    }

    fn say_finished(&mut self, label: String, direction: Direction, duration: Duration) {
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

    async fn intend(&mut self, unit: usize) -> Event {
        if self.signal.is_raised() {
            self.error = Some(RunError::Interrupted);
            return Event::Interrupted;
        }
        let number = self.unit(unit).0;
        if self.begun != Some(number)
            && let Err(error) = self.enter_task(unit).await
        {
            return self.not_entered(error);
        }
        match self.try_intend(unit).await {
            Ok(()) => Event::Done,
            Err(error) => {
                let place = self.place(unit, None);
                self.fail_database(error, |error| RunError::Commit { place, error })
            }
        }
    }

    async fn try_intend(&mut self, unit: usize) -> Result<(), DbError> {
        let (_, task, piece) = self.unit(unit);
        let ordinal = piece.statements.start;
        let started = if task.done.is_empty() { self.started_sql(task, task.direction) } else { None };
        if self.contention.is_none() {
            self.contention = Some(Contention::start());
        }
        let sql =
            self.statement(unit, ordinal).map(|statement| statement.sql().to_owned()).unwrap_or_default();
        let before = self.session().before_alone(&sql).await?;
        let row = self.statement_row(unit, ordinal, before.clone());
        let mut journal: Vec<String> = started.into_iter().collect();
        journal.push(self.journal.intent_sql(&row));
        self.write(&journal.join(";")).await?;
        self.intended.insert(unit, before);
        Ok(())
    }

    /// Writes to the journal in a transaction of its own.
    async fn write(&mut self, journal: &str) -> Result<(), DbError> {
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

    async fn run_alone(&mut self, unit: usize) -> Event {
        let started = Instant::now();
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
        let before = self.intended.get(&unit).cloned().flatten();
        if let Err(error) = self.prepare_alone(unit, statement.sql(), before.as_deref()).await {
            return self
                .alone_failed(unit, ordinal, StatementProblem::Server { error, relation: None })
                .await;
        }
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
                self.fail_database(error, |error| RunError::Statement { place, error })
            }
        }
    }

    /// Waits for locks are bounded; a statement that runs others gets a transaction, which begins with a mark.
    async fn prepare_alone(&mut self, unit: usize, sql: &str, before: Option<&str>) -> Result<(), DbError> {
        let (lock_timeout, lock_deadline) = (self.lock_timeout(), self.lock_deadline());
        self.limit_statements(false).await?;
        if before != Some(IN_TRANSACTION) {
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

    async fn clean_up(&mut self, unit: usize) -> Event {
        // A statement that a signal stopped is cleared away too; the signal must not stop that as well.
        match self.try_clean_up(unit).await {
            Ok(()) => Event::Done,
            Err(Unanswered::NotAnswering) => Event::Failed(Failure::NotAnswering),
            Err(Unanswered::Server(error)) => {
                tracing::warn!(
                    "what the failed statement left behind could not be cleared away now, the next run does it: {error}"
                );
                Event::Failed(if error.class == DbErrorClass::ConnectionLost {
                    Failure::Lost
                } else {
                    Failure::Refused
                })
            }
        }
    }

    async fn try_clean_up(&mut self, unit: usize) -> Result<(), Unanswered> {
        let (_, task, piece) = self.unit(unit);
        let ordinal = piece.statements.start;
        let (version, direction) = (task.record.version.clone(), task.direction);
        let first = task.done.is_empty();
        let known = task.known;
        let sql =
            self.statement(unit, ordinal).map(|statement| statement.sql().to_owned()).unwrap_or_default();
        let before = self.intended.get(&unit).cloned().flatten();
        if self.transaction.take().is_some() {
            self.session().rollback().await.map_err(Unanswered::Server)?;
            if self.is_marked(&version, ordinal).await.map_err(Unanswered::Server)? {
                return Err(Unanswered::Server(DbError::new(
                    DbErrorClass::Statement,
                    "it had committed a part of what it does before it failed",
                )));
            }
        }
        // Dropping an index waits for whoever uses its table.
        let how = Watched::within("clearing away what the statement left behind", CLEAN_UP_WITHIN);
        self.watched(how, async |session| session.clear_alone(&sql, before.as_deref()).await).await?;
        let mut journal = vec![self.journal.forget_intent_sql(&version, ordinal)];
        if first {
            match direction {
                Direction::Up if !known => journal.push(self.journal.reverted_sql(&version)),
                Direction::Up => {}
                Direction::Down => journal.push(self.journal.still_applied_sql(&version)),
            }
        }
        self.write(&journal.join(";")).await.map_err(Unanswered::Server)
    }

    /// Whether what the statement runs has committed.
    async fn is_marked(&mut self, version: &Version, ordinal: usize) -> Result<bool, DbError> {
        let journal = self.journal;
        match journal.read(self.session()).await {
            Ok(history) => Ok(history
                .statements
                .iter()
                .any(|row| row.version == *version && row.ordinal == ordinal && row.marked)),
            Err(JournalError::Database(error)) => Err(error),
            Err(error) => Err(DbError::new(DbErrorClass::Statement, error.to_string())),
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

    async fn record(&mut self, unit: usize) -> Event {
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
                self.fail_database(error, |error| RunError::Commit { place, error })
            }
        }
    }

    async fn reconnect(&mut self) -> Event {
        tracing::warn!(event = "reconnecting", "the connection broke; connecting again");
        self.drop_connections();
        let deadline = Instant::now() + RECONNECT_DEADLINE;
        let key = self.journal.lock_key();
        loop {
            if self.session.is_none() && self.connect().await.is_ok() {
                let prepared = self.session().prepare_to_write().await;
                let known = self.session().identity().await;
                if prepared.is_err() || known.is_err() {
                    self.session = None;
                }
            }
            if self.session.is_some() {
                match self.session().try_lock(&key).await {
                    Ok(true) => break,
                    // The old session still has it, until the server notices that nobody is there.
                    Ok(false) => {}
                    Err(_) => self.session = None,
                }
            }
            if Instant::now() >= deadline {
                return Event::Expired;
            }
            if self.signal.raised_within(Duration::from_millis(200)).await {
                return Event::Interrupted;
            }
        }
        match self.reconnected().await {
            Ok(()) => Event::Done,
            Err(error) => self.fail(Failure::Refused, error),
        }
    }

    async fn reconnected(&mut self) -> Result<(), RunError> {
        self.open_watcher().await?;
        let backend = self.session().watched().backend;
        if let Some(id) = self.run_id {
            let sql = self.journal.reconnected_sql(id, &backend);
            self.session().run(&sql).await.map_err(JournalError::Database)?;
        }
        Ok(())
    }

    fn drop_connections(&mut self) {
        self.session = None;
        self.backfills_locked = false;
        self.watcher = None;
        self.begun = None;
        self.transaction = None;
    }

    async fn investigate(&mut self, unit: usize) -> Event {
        let (_, task, piece) = self.unit(unit);
        let ordinal = piece.statements.start;
        let intent = task.intent.clone();
        let place = self.place(unit, Some(ordinal));
        let Some(statement) = self.statement(unit, ordinal).cloned() else {
            let known = "a program was started, and whether it finished is not known".to_owned();
            return self.fail(Failure::Refused, RunError::Uncertain { place, known });
        };
        let before = match (self.intended.get(&unit), intent) {
            (Some(before), _) => before.clone(),
            (None, Some(intent)) if intent.checksum == statement.checksum() => intent.before,
            (None, Some(_)) => {
                let known = "its text is another one now than when it was run".to_owned();
                return self.fail(Failure::Refused, RunError::Uncertain { place, known });
            }
            (None, None) => None,
        };
        let marked = self.unit(unit).1.intent.as_ref().is_some_and(|intent| intent.marked);
        let title = format!("finding out what came of {}", statement.title());
        let how = Watched::within(&title, self.lock_deadline());
        let sql = statement.sql();
        let found = match before.as_deref() {
            Some(IN_TRANSACTION) if marked => Ok(Finding::Unknown),
            Some(IN_TRANSACTION) => Ok(Finding::NotDone),
            before => self.watched(how, async |session| session.after_alone(sql, before).await).await,
        };
        self.intended.insert(unit, before);
        match found {
            Ok(Finding::Unknown) => {
                let known = "it runs outside a transaction, and the catalog does not tell".to_owned();
                self.error = Some(RunError::Uncertain { place, known });
                Event::Found(Finding::Unknown)
            }
            Ok(finding) => {
                tracing::info!(
                    event = "resolved",
                    "{place}: an earlier run was stopped in it; it was {}carried out",
                    if finding == Finding::Done { "" } else { "not " }
                );
                Event::Found(finding)
            }
            Err(Unanswered::NotAnswering) => self.fail(Failure::NotAnswering, RunError::NotAnswering),
            Err(Unanswered::Server(error))
                if error.class == DbErrorClass::Cancelled && !self.signal.is_raised() =>
            {
                let blockers = std::mem::take(&mut self.seen_blockers);
                let waited_s = self.lock_deadline().as_secs();
                self.fail(Failure::Contention, RunError::LeftBehind { place, waited_s, blockers, error })
            }
            Err(Unanswered::Server(error)) => {
                self.fail_database(error, |error| RunError::Statement { place, error })
            }
        }
    }

    async fn finish_run(&mut self, outcome: Outcome) -> Event {
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

    async fn unlock(&mut self) -> Event {
        if self.locked && self.session.is_some() {
            let key = self.journal.lock_key();
            // The lock ends with the connection in any case.
            if let Ok(false) = self.session().unlock(&key).await {
                tracing::warn!("the lock of this run was gone before it ended");
            }
        }
        Event::Done
    }

    async fn close(&mut self) {
        if let Some(watcher) = self.watcher.take() {
            watcher.close().await;
        }
        if let Some(session) = self.session.take() {
            session.close().await;
        }
    }
}

/// What a unit waits for, and who is in the way.
fn waits_for(contention: &Contention) -> String {
    let on = contention.relation.clone().unwrap_or_else(|| "a lock".to_owned());
    match contention.blockers.as_slice() {
        [] => on,
        blockers => format!("{on}: {}", contention::describe(blockers)),
    }
}

/// How long a failed statement's remains are tried to be cleared away: what is left then is the next run's to do.
const CLEAN_UP_WITHIN: Duration = Duration::from_secs(2);

/// How long a run tries to connect again.
const RECONNECT_DEADLINE: Duration = Duration::from_secs(30);

/// Locks that the open transaction has, or whose tables nobody else can know.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) locks: HashSet<(String, &'static str)>,
    pub(super) made: HashSet<String>,
    /// Whether a lock of a kind that keeps others waiting is held.
    pub(super) strong: bool,
    pub(super) patient: Option<bool>,
}

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

/// A duration as people read it.
pub fn shown(duration: Duration) -> String {
    match duration.as_millis() {
        ms @ 0..1_000 => format!("{ms} ms"),
        ms @ 1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        ms => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
    }
}
