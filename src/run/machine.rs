//! What happens next: a pure table of states and events. The executor does what it commands, and tells what came of
//! it; every way in which a run can end is a row here.

pub use crate::db::session::Finding;

/// One piece of work that is atomic for us: a transaction, or a statement that no transaction can hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Whether it runs in a transaction together with what is written of it.
    pub atomic: bool,
    /// Whether an earlier run was about to run it and has not said what came of it.
    pub uncertain: bool,
    /// Whether it is the first of its migration, with nothing of it done before.
    pub begins: bool,
    /// Whether its migration is whole when it is done.
    pub completes: bool,
}

impl Unit {
    /// Whether its migration is half applied before it.
    fn is_half(&self) -> bool {
        self.uncertain || !self.begins
    }
}

/// What the executor is to do. Numbers are those of the units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Read the journal, and compare it with the files.
    ReadJournal,
    /// Try once to take the run's lock.
    TakeLock,
    /// Wait a little before the lock is tried again.
    PauseForLock,
    /// Look whether we may write, make the journal's tables, and write that the run begins.
    Prepare,
    /// Open the unit's transaction.
    Begin(usize),
    /// Run its statements.
    Run(usize),
    /// Write what was done, and commit it all.
    Commit(usize),
    /// Give up the open transaction.
    Rollback(usize),
    /// Wait a little before the unit is tried again.
    Pause(usize),
    /// Write that the unit's statement is about to be run.
    Intend(usize),
    /// Run it.
    RunAlone(usize),
    /// Take away what a failed try of it left behind, and the intent.
    CleanUp(usize),
    /// Write that it is done.
    Record(usize),
    /// Connect again, and take the lock again. What is to be done is then read anew: the lock was free for a while.
    Reconnect,
    /// Look in the catalog whether the unit's statement was carried out.
    Investigate(usize),
    /// Write how the run ends.
    FinishRun(Outcome),
    /// Free the run's lock.
    Unlock(Outcome),
    /// Say it, and go.
    Finish(Outcome),
}

impl Command {
    /// The unit that it is about.
    pub const fn unit(&self) -> Option<usize> {
        match self {
            Command::Begin(unit)
            | Command::Run(unit)
            | Command::Commit(unit)
            | Command::Rollback(unit)
            | Command::Pause(unit)
            | Command::Intend(unit)
            | Command::RunAlone(unit)
            | Command::CleanUp(unit)
            | Command::Record(unit)
            | Command::Investigate(unit) => Some(*unit),
            Command::ReadJournal
            | Command::TakeLock
            | Command::PauseForLock
            | Command::Prepare
            | Command::Reconnect
            | Command::FinishRun(_)
            | Command::Unlock(_)
            | Command::Finish(_) => None,
        }
    }
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The first event.
    Started,
    /// It is done.
    Done,
    /// A part of the unit is committed, and it goes on (`Commit`).
    More,
    /// This is to be done (`ReadJournal`), and whether the journal says that this run has committed something.
    Pending {
        /// What is to be done.
        units: Vec<Unit>,
        /// Whether this run has committed something: the answer to a commit may have been lost.
        committed: bool,
    },
    /// Somebody else has the lock (`TakeLock`).
    Busy,
    /// The time for it is over (`PauseForLock`, `Pause`, `Reconnect`).
    Expired,
    /// A signal asked us to stop, and nothing is under way.
    Interrupted,
    /// What was found (`Investigate`).
    Found(Finding),
    /// It failed.
    Failed(Failure),
}

/// How a command failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// A lock was not there in time: the same again may work.
    Contention,
    /// The server said no, and nothing of it was carried out.
    Refused,
    /// It was stopped on the server because a signal asked for it.
    Interrupted,
    /// The connection broke; what was sent last may have been carried out.
    Lost,
    /// Our transaction or lock was ended by somebody else, or a rollback takes not all of it back, so that nothing is
    /// sure.
    Fenced,
    /// It was asked to stop and has not in time: the connection cannot be used any more.
    NotAnswering,
}

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// There was nothing to do.
    NothingToDo,
    /// All is done.
    Done,
    /// It failed; this run committed nothing.
    FailedClean,
    /// It failed after something was committed; the same command goes on from there.
    FailedPartly,
    /// The run's lock, or a lock on a table, was not there in time; this run committed nothing.
    LockTimeout,
    /// A signal stopped it; every migration is either applied or not.
    Interrupted,
    /// Nobody can tell what the last thing came to: a person must look.
    Unknown,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Deciding,
    Locking,
    WaitingForLock,
    /// What is not known yet is told by what is read.
    Rereading(Doubt),
    Preparing,
    Beginning(usize),
    Running(usize),
    Committing(usize),
    RollingBack(usize, Then),
    Pausing(usize),
    Intending(usize),
    RunningAlone(usize),
    CleaningUp(usize, Then),
    Recording(usize),
    Reconnecting(Doubt),
    Investigating(usize),
    Finishing(Outcome),
    Unlocking(Outcome),
    Finished,
}

/// What follows when a failed try is cleared away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Retry,
    Stop(Stop),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Failed,
    Interrupted,
    Unknown,
}

/// What is not known when the connection breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    /// Nothing: a transaction that was not committed is rolled back by the server.
    None,
    /// Whether the commit was carried out; the journal tells.
    Commit,
    /// Whether a statement outside a transaction was carried out; the catalog tells.
    Statement,
}

/// How often a run connects again before it gives up.
const RECONNECTS: u32 = 3;

/// A run.
#[derive(Debug)]
pub struct Machine {
    state: State,
    units: Vec<Unit>,
    committed: bool,
    /// Whether a migration is half applied because of this run or an earlier one.
    half: bool,
    reconnects: u32,
}

impl Default for Machine {
    fn default() -> Self {
        Self { state: State::Start, units: Vec::new(), committed: false, half: false, reconnects: 0 }
    }
}

impl Machine {
    /// Whether this run has committed something.
    pub fn has_committed(&self) -> bool {
        self.committed
    }

    /// Whether a migration is half applied, because of this run or an earlier one.
    pub fn is_half(&self) -> bool {
        self.half
    }

    /// What is to be done after `event`.
    pub fn on(&mut self, event: Event) -> Command {
        if event == Event::Failed(Failure::NotAnswering) {
            return self.end(Outcome::Unknown);
        }
        match self.state {
            State::Start => self.go(State::Deciding, Command::ReadJournal),
            State::Deciding => match event {
                Event::Pending { units, .. } if units.is_empty() => self.end(Outcome::NothingToDo),
                Event::Pending { .. } => self.go(State::Locking, Command::TakeLock),
                other => self.stop_before_lock(&other),
            },
            State::Locking => match event {
                Event::Done => self.go(State::Rereading(Doubt::None), Command::ReadJournal),
                Event::Busy => self.go(State::WaitingForLock, Command::PauseForLock),
                other => self.stop_before_lock(&other),
            },
            State::WaitingForLock => match event {
                Event::Done => self.go(State::Locking, Command::TakeLock),
                Event::Expired => self.end(Outcome::LockTimeout),
                other => self.stop_before_lock(&other),
            },
            State::Rereading(doubt) => self.on_reread(doubt, event),
            State::Preparing => match event {
                Event::Done => self.enter(0),
                Event::Interrupted | Event::Failed(Failure::Interrupted) => self.finish(Stop::Interrupted),
                Event::Failed(Failure::Lost) => self.reconnect(Doubt::None),
                _ => self.finish(Stop::Failed),
            },
            State::Beginning(_) | State::Running(_) | State::Committing(_) => self.on_transaction(event),
            State::Intending(_) | State::RunningAlone(_) | State::Recording(_) => self.on_alone(event),
            State::RollingBack(unit, then) => self.on_cleared(unit, then, &event),
            State::CleaningUp(unit, then) => {
                match event {
                    Event::Done => self.half = !self.units[unit].begins,
                    // What the failed statement left behind is still there, and its intent too.
                    _ => self.half = true,
                }
                self.on_cleared(unit, then, &event)
            }
            State::Pausing(unit) => match event {
                Event::Done => self.enter(unit),
                Event::Expired if self.committed || self.half => self.finish_with(Outcome::FailedPartly),
                Event::Expired => self.finish_with(Outcome::LockTimeout),
                Event::Interrupted => self.finish(Stop::Interrupted),
                _ => self.finish(Stop::Failed),
            },
            State::Reconnecting(doubt) => self.on_reconnected(doubt, &event),
            State::Investigating(unit) => match event {
                Event::Found(Finding::Done) => self.go(State::Recording(unit), Command::Record(unit)),
                Event::Found(Finding::NotDone) => {
                    self.units[unit].uncertain = false;
                    self.enter(unit)
                }
                Event::Failed(Failure::Lost) => self.reconnect(Doubt::Statement),
                Event::Interrupted | Event::Failed(Failure::Interrupted) => self.finish(Stop::Interrupted),
                // What was left behind is known, and could not be cleared away now.
                Event::Failed(Failure::Contention) => self.finish(Stop::Failed),
                _ => self.finish(Stop::Unknown),
            },
            State::Finishing(outcome) => self.unlock(outcome),
            State::Unlocking(outcome) => self.end(outcome),
            State::Finished => Command::Finish(Outcome::Unknown),
        }
    }

    fn on_reread(&mut self, doubt: Doubt, event: Event) -> Command {
        match (event, doubt) {
            (Event::Pending { units, committed }, _) => {
                self.committed |= committed;
                match (units.is_empty(), self.reconnects) {
                    (true, 0) => self.unlock(Outcome::NothingToDo),
                    (true, _) => self.finish_with(Outcome::Done),
                    (false, _) => {
                        self.units = units;
                        self.half |= self.units[0].is_half();
                        self.go(State::Preparing, Command::Prepare)
                    }
                }
            }
            (Event::Failed(Failure::Lost), _) => self.reconnect(doubt),
            // What was in doubt when the connection broke still is.
            (_, Doubt::Commit | Doubt::Statement) => self.finish(Stop::Unknown),
            (Event::Interrupted | Event::Failed(Failure::Interrupted), Doubt::None) => {
                self.finish(Stop::Interrupted)
            }
            (_, Doubt::None) => self.finish(Stop::Failed),
        }
    }

    fn on_cleared(&mut self, unit: usize, then: Then, event: &Event) -> Command {
        match (then, event) {
            (_, Event::Failed(Failure::Fenced)) => self.finish(Stop::Unknown),
            (Then::Retry, Event::Done) => self.go(State::Pausing(unit), Command::Pause(unit)),
            (Then::Retry, Event::Failed(Failure::Lost)) => self.reconnect(Doubt::None),
            (Then::Retry, _) => self.finish(Stop::Failed),
            // A transaction that cannot be rolled back ends with its connection.
            (Then::Stop(stop), _) => self.finish(stop),
        }
    }

    fn on_transaction(&mut self, event: Event) -> Command {
        let (unit, committing) = match self.state {
            State::Committing(unit) => (unit, true),
            State::Beginning(unit) | State::Running(unit) => (unit, false),
            _ => return self.finish(Stop::Unknown),
        };
        match event {
            Event::Done => match self.state {
                State::Beginning(_) => self.go(State::Running(unit), Command::Run(unit)),
                State::Running(_) => self.go(State::Committing(unit), Command::Commit(unit)),
                _ => self.next(unit),
            },
            Event::More if committing => {
                self.committed = true;
                self.half = true;
                self.go(State::Beginning(unit), Command::Begin(unit))
            }
            Event::Failed(Failure::Contention) => self.roll_back(unit, Then::Retry),
            Event::Failed(Failure::Lost) if committing => self.reconnect(Doubt::Commit),
            Event::Failed(Failure::Lost) => self.reconnect(Doubt::None),
            Event::Failed(Failure::Fenced) => self.roll_back(unit, Then::Stop(Stop::Unknown)),
            Event::Interrupted | Event::Failed(Failure::Interrupted) => {
                self.roll_back(unit, Then::Stop(Stop::Interrupted))
            }
            _ => self.roll_back(unit, Then::Stop(Stop::Failed)),
        }
    }

    fn on_alone(&mut self, event: Event) -> Command {
        match (self.state, event) {
            (State::Intending(unit), Event::Done) => {
                self.half = true;
                self.go(State::RunningAlone(unit), Command::RunAlone(unit))
            }
            (State::RunningAlone(unit), Event::Done) => {
                self.go(State::Recording(unit), Command::Record(unit))
            }
            (State::Recording(unit), Event::Done) => self.next(unit),
            (
                State::Intending(_) | State::RunningAlone(_) | State::Recording(_),
                Event::Failed(Failure::Lost),
            ) => self.reconnect(Doubt::Statement),
            (State::RunningAlone(unit), Event::Failed(Failure::Contention)) => {
                self.clean_up(unit, Then::Retry)
            }
            (State::RunningAlone(unit), Event::Interrupted | Event::Failed(Failure::Interrupted)) => {
                self.clean_up(unit, Then::Stop(Stop::Interrupted))
            }
            (State::RunningAlone(unit), _) => self.clean_up(unit, Then::Stop(Stop::Failed)),
            (State::Intending(_), Event::Interrupted | Event::Failed(Failure::Interrupted)) => {
                self.finish(Stop::Interrupted)
            }
            // The statement is done and only its record failed: the next run finds out from the catalog.
            (State::Recording(_), _) => self.finish_with(Outcome::FailedPartly),
            _ => self.finish(Stop::Failed),
        }
    }

    fn on_reconnected(&mut self, doubt: Doubt, event: &Event) -> Command {
        match (event, doubt) {
            (Event::Done, _) => self.go(State::Rereading(doubt), Command::ReadJournal),
            // Without a connection nothing can be written or unlocked; the lock ended with the old connection.
            (Event::Interrupted, Doubt::None) => self.end(self.outcome(Stop::Interrupted)),
            (_, Doubt::None) => self.end(self.outcome(Stop::Failed)),
            (_, Doubt::Commit | Doubt::Statement) => self.end(Outcome::Unknown),
        }
    }

    fn stop_before_lock(&mut self, event: &Event) -> Command {
        match event {
            Event::Interrupted | Event::Failed(Failure::Interrupted) => self.end(Outcome::Interrupted),
            _ => self.end(Outcome::FailedClean),
        }
    }

    fn enter(&mut self, unit: usize) -> Command {
        self.half |= self.units.get(unit).is_some_and(Unit::is_half);
        match self.units.get(unit) {
            None => self.finish_with(Outcome::Done),
            Some(Unit { uncertain: true, .. }) => {
                self.go(State::Investigating(unit), Command::Investigate(unit))
            }
            Some(Unit { atomic: true, .. }) => self.go(State::Beginning(unit), Command::Begin(unit)),
            Some(Unit { atomic: false, .. }) => self.go(State::Intending(unit), Command::Intend(unit)),
        }
    }

    fn next(&mut self, unit: usize) -> Command {
        self.committed = true;
        self.half = !self.units[unit].completes;
        self.enter(unit + 1)
    }

    fn roll_back(&mut self, unit: usize, then: Then) -> Command {
        self.go(State::RollingBack(unit, then), Command::Rollback(unit))
    }

    fn clean_up(&mut self, unit: usize, then: Then) -> Command {
        self.go(State::CleaningUp(unit, then), Command::CleanUp(unit))
    }

    fn reconnect(&mut self, doubt: Doubt) -> Command {
        self.reconnects += 1;
        if self.reconnects > RECONNECTS {
            return match doubt {
                Doubt::None => self.end(self.outcome(Stop::Failed)),
                Doubt::Commit | Doubt::Statement => self.end(Outcome::Unknown),
            };
        }
        self.go(State::Reconnecting(doubt), Command::Reconnect)
    }

    fn outcome(&self, stop: Stop) -> Outcome {
        match stop {
            Stop::Unknown => Outcome::Unknown,
            Stop::Interrupted if self.half => Outcome::FailedPartly,
            Stop::Interrupted => Outcome::Interrupted,
            Stop::Failed if self.committed || self.half => Outcome::FailedPartly,
            Stop::Failed => Outcome::FailedClean,
        }
    }

    fn finish(&mut self, stop: Stop) -> Command {
        self.finish_with(self.outcome(stop))
    }

    fn finish_with(&mut self, outcome: Outcome) -> Command {
        self.go(State::Finishing(outcome), Command::FinishRun(outcome))
    }

    fn unlock(&mut self, outcome: Outcome) -> Command {
        self.go(State::Unlocking(outcome), Command::Unlock(outcome))
    }

    fn end(&mut self, outcome: Outcome) -> Command {
        self.go(State::Finished, Command::Finish(outcome))
    }

    fn go(&mut self, state: State, command: Command) -> Command {
        self.state = state;
        command
    }
}

#[cfg(test)]
mod tests;
