//! A run from its first command to its last: what it is asked for, and what it came to.

use super::connection::EarlySession;
use super::state::Executor;
use crate::db::session::ConnectOptions;
use crate::db::url::DatabaseUrl;
use crate::run::adopt::mirror::MirrorWish;
use crate::run::error::RunError;
use crate::run::fault;
use crate::run::journal::Journal;
use crate::run::machine::{Command, Event, Machine, Outcome};
use crate::run::pace::Pace;
use crate::run::signal::Signal;
use crate::run::task::{Direction, Goal};
use crate::source::{Folder, ReadOptions};
use std::path::PathBuf;
use std::time::Duration;

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
    let mut executor = Executor::new(url, journal, folder, goal, options, signal, early);
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
    let wanted = executor.todo.tasks.len();
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

impl Executor<'_> {
    async fn perform(&mut self, command: Command) -> Event {
        fault::point(format_args!("before {command:?}"));
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
        fault::point(format_args!("after {command:?}"));
        event
    }
}

/// A duration as people read it.
pub fn shown(duration: Duration) -> String {
    match duration.as_millis() {
        ms @ 0..1_000 => format!("{ms} ms"),
        ms @ 1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        ms => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
    }
}
