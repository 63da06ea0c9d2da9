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
mod tests {
    use super::*;

    fn unit(atomic: bool, uncertain: bool) -> Unit {
        Unit { atomic, uncertain, begins: true, completes: true }
    }

    fn pending(units: Vec<Unit>) -> Event {
        Event::Pending { units, committed: false }
    }

    /// Feeds `events` to a machine, and gives what it commanded after each.
    fn commands(events: impl IntoIterator<Item = Event>) -> Vec<Command> {
        let mut machine = Machine::default();
        events.into_iter().map(|event| machine.on(event)).collect()
    }

    fn started(units: Vec<Unit>) -> Vec<Event> {
        vec![Event::Started, pending(units.clone()), Event::Done, pending(units), Event::Done]
    }

    #[test]
    fn nothing_to_do_takes_no_lock() {
        let seen = commands([Event::Started, pending(Vec::new())]);
        assert_eq!(seen, [Command::ReadJournal, Command::Finish(Outcome::NothingToDo)]);
    }

    #[test]
    fn a_transaction_is_begun_run_and_committed() {
        let mut events = started(vec![unit(true, false)]);
        events.extend([Event::Done, Event::Done, Event::Done, Event::Done, Event::Done]);
        let seen = commands(events);
        assert_eq!(
            seen,
            [
                Command::ReadJournal,
                Command::TakeLock,
                Command::ReadJournal,
                Command::Prepare,
                Command::Begin(0),
                Command::Run(0),
                Command::Commit(0),
                Command::FinishRun(Outcome::Done),
                Command::Unlock(Outcome::Done),
                Command::Finish(Outcome::Done),
            ]
        );
    }

    #[test]
    fn a_lost_commit_is_looked_up_and_never_guessed() {
        let mut events = started(vec![unit(true, false)]);
        events.extend([Event::Done, Event::Done, Event::Failed(Failure::Lost)]);
        let mut found = events.clone();
        found.extend([Event::Done, pending(Vec::new())]);
        assert_eq!(commands(found).last(), Some(&Command::FinishRun(Outcome::Done)));
        let mut not_found = events.clone();
        not_found.extend([Event::Done, pending(vec![unit(true, false)]), Event::Done]);
        assert_eq!(commands(not_found).last(), Some(&Command::Begin(0)));
        events.push(Event::Expired);
        assert_eq!(commands(events).last(), Some(&Command::Finish(Outcome::Unknown)));
    }

    /// The connection that was opened again breaks while the journal is read, and is not had back.
    #[test]
    fn what_is_in_doubt_stays_so_until_the_journal_is_read() {
        let mut events = started(vec![unit(true, false)]);
        events.extend([Event::Done, Event::Done, Event::Failed(Failure::Lost), Event::Done]);
        let ends = |rest: Vec<Event>| commands(events.iter().cloned().chain(rest)).pop();
        let unknown = Some(Command::Finish(Outcome::Unknown));
        assert_eq!(ends(vec![Event::Failed(Failure::Lost), Event::Expired]), unknown);
        assert_eq!(ends(vec![Event::Failed(Failure::Lost), Event::Interrupted]), unknown);
        let said = Some(Command::FinishRun(Outcome::Unknown));
        assert_eq!(ends(vec![Event::Failed(Failure::Refused)]), said);
        assert_eq!(ends(vec![Event::Interrupted]), said);
    }

    /// An earlier run has stopped in the middle of the migration: no end of this one may say that nothing is half done.
    #[test]
    fn what_an_earlier_run_left_half_applied_stays_so() {
        let rest = Unit { begins: false, ..unit(true, false) };
        let events = started(vec![rest]);
        let ends = |rest: Vec<Event>| commands(events.iter().cloned().chain(rest)).pop();
        let partly = Some(Command::FinishRun(Outcome::FailedPartly));
        assert_eq!(ends(vec![Event::Interrupted, Event::Done]), partly);
        assert_eq!(ends(vec![Event::Done, Event::Failed(Failure::Refused), Event::Done]), partly);
        assert_eq!(ends(vec![Event::Failed(Failure::Contention), Event::Done, Event::Expired]), partly);
        let mut before = events[..4].to_vec();
        before.push(Event::Interrupted);
        assert_eq!(commands(before).pop(), partly);
    }

    #[test]
    fn a_unit_in_parts_goes_on_until_it_is_done_and_stops_half_applied() {
        let mut events = started(vec![unit(true, false)]);
        events.extend([Event::Done, Event::Done, Event::More]);
        assert_eq!(commands(events.clone()).last(), Some(&Command::Begin(0)));
        let mut stopped = events.clone();
        stopped.extend([Event::Interrupted, Event::Done]);
        assert_eq!(commands(stopped).last(), Some(&Command::FinishRun(Outcome::FailedPartly)));
        events.extend([Event::Done, Event::Done, Event::Done]);
        assert_eq!(commands(events).last(), Some(&Command::FinishRun(Outcome::Done)));
    }

    #[test]
    fn what_a_rollback_does_not_take_back_is_not_tried_again() {
        let mut events = started(vec![unit(true, false)]);
        events.extend([Event::Done, Event::Failed(Failure::Contention), Event::Failed(Failure::Fenced)]);
        assert_eq!(commands(events).last(), Some(&Command::FinishRun(Outcome::Unknown)));
    }

    #[test]
    fn an_uncertain_statement_is_investigated_first() {
        let mut events = started(vec![unit(false, true)]);
        assert_eq!(commands(events.clone()).last(), Some(&Command::Investigate(0)));
        events.push(Event::Found(Finding::Unknown));
        assert_eq!(commands(events).last(), Some(&Command::FinishRun(Outcome::Unknown)));
    }

    /// A model of the world: units that are done, one that is being done, and a lock.
    #[derive(Debug)]
    struct World {
        random: u64,
        units: Vec<bool>,
        applied: Vec<u32>,
        open: Option<usize>,
        intent: Option<usize>,
        alone_done: bool,
        locked: bool,
        connected: bool,
        recorded: usize,
        /// What was recorded when the run looked last: the number of its first unit.
        offset: usize,
        /// How many units this run has recorded.
        ours: usize,
    }

    impl World {
        /// A xorshift: seeded, so that a failure can be repeated.
        fn chance(&mut self, of: u64) -> bool {
            self.random ^= self.random << 13;
            self.random ^= self.random >> 7;
            self.random ^= self.random << 17;
            self.random.is_multiple_of(of)
        }

        fn pending(&self) -> Vec<Unit> {
            let rest = self.units.iter().enumerate().skip(self.recorded);
            rest.map(|(number, atomic)| Unit {
                atomic: *atomic,
                uncertain: self.intent == Some(number),
                begins: true,
                completes: true,
            })
            .collect()
        }

        /// The connection breaks: an open transaction is rolled back, the lock is freed.
        fn lose(&mut self) -> Event {
            self.open = None;
            self.locked = false;
            self.connected = false;
            Event::Failed(Failure::Lost)
        }

        fn apply(&mut self, unit: usize) {
            self.applied[unit] += 1;
        }

        /// Another run had the lock in between, and has done what comes next.
        fn somebody_else_was_there(&mut self) {
            if self.intent.is_none() && self.recorded < self.units.len() && self.chance(3) {
                self.apply(self.recorded);
                self.recorded += 1;
            }
        }

        /// Does `command` with a random mishap.
        fn perform(&mut self, command: Command) -> Event {
            let offset = self.offset;
            let needs_connection = !matches!(
                command,
                Command::ReadJournal | Command::Reconnect | Command::Finish(_) | Command::PauseForLock
            );
            if needs_connection && !self.connected {
                return Event::Failed(Failure::Lost);
            }
            match command {
                Command::ReadJournal if self.connected && self.chance(10) => self.lose(),
                Command::ReadJournal if self.connected && self.chance(40) => Event::Failed(Failure::Refused),
                Command::ReadJournal => {
                    self.connected = true;
                    self.offset = self.recorded;
                    Event::Pending { units: self.pending(), committed: self.ours > 0 }
                }
                Command::TakeLock if self.chance(4) => Event::Busy,
                Command::TakeLock => {
                    self.locked = true;
                    Event::Done
                }
                Command::PauseForLock if self.chance(50) => Event::Expired,
                Command::PauseForLock | Command::Prepare => Event::Done,
                Command::Begin(_) if self.chance(30) => Event::Failed(Failure::Contention),
                Command::Begin(unit) => {
                    assert!(self.locked, "a transaction without the lock");
                    assert_eq!(offset + unit, self.recorded, "a unit out of order or twice");
                    self.open = Some(offset + unit);
                    Event::Done
                }
                Command::Run(_) if self.chance(20) => Event::Failed(Failure::Contention),
                Command::Run(_) if self.chance(60) => Event::Failed(Failure::Refused),
                Command::Run(_) if self.chance(60) => Event::Failed(Failure::Interrupted),
                Command::Run(_) if self.chance(20) => self.lose(),
                Command::Run(_) => Event::Done,
                Command::Commit(_) => {
                    let lost_before = self.chance(20);
                    let lost_after = self.chance(20);
                    if lost_before {
                        return self.lose();
                    }
                    let unit = self.open.take().expect("a commit has a transaction");
                    self.apply(unit);
                    self.recorded = unit + 1;
                    self.ours += 1;
                    if lost_after { self.lose() } else { Event::Done }
                }
                Command::Rollback(_) => {
                    self.open = None;
                    Event::Done
                }
                Command::Pause(_) if self.chance(10) => Event::Expired,
                Command::Pause(_) => Event::Done,
                Command::Intend(unit) => {
                    assert!(self.locked, "an intent without the lock");
                    self.intent = Some(offset + unit);
                    self.alone_done = false;
                    if self.chance(20) { self.lose() } else { Event::Done }
                }
                Command::RunAlone(_) if self.chance(10) => Event::Failed(Failure::Contention),
                Command::RunAlone(_) if self.chance(30) => Event::Failed(Failure::Refused),
                Command::RunAlone(_) if self.chance(10) => self.lose(),
                Command::RunAlone(unit) => {
                    assert_eq!(self.intent, Some(offset + unit), "a statement alone without its intent");
                    assert!(!self.alone_done, "a statement alone was run twice");
                    self.apply(offset + unit);
                    self.alone_done = true;
                    if self.chance(10) { self.lose() } else { Event::Done }
                }
                Command::CleanUp(_) => {
                    assert!(!self.alone_done, "what was done is cleared away");
                    self.intent = None;
                    Event::Done
                }
                Command::Record(unit) => {
                    if self.chance(10) {
                        return self.lose();
                    }
                    self.recorded = offset + unit + 1;
                    self.ours += 1;
                    self.intent = None;
                    self.alone_done = false;
                    if self.chance(10) { self.lose() } else { Event::Done }
                }
                Command::Reconnect if self.chance(5) => Event::Expired,
                Command::Reconnect => {
                    self.somebody_else_was_there();
                    self.connected = true;
                    self.locked = true;
                    Event::Done
                }
                Command::Investigate(unit) => {
                    assert_eq!(self.intent, Some(offset + unit), "an investigation without an intent");
                    let done = self.alone_done;
                    Event::Found(if done { Finding::Done } else { Finding::NotDone })
                }
                Command::FinishRun(_) => Event::Done,
                Command::Unlock(_) => {
                    self.locked = false;
                    Event::Done
                }
                Command::Finish(_) => Event::Done,
            }
        }
    }

    /// Random mishaps in random order, and a crash at random commands: each unit is done once and only once in the
    /// end, and what a run says of its end is true.
    #[test]
    fn no_order_of_mishaps_loses_or_repeats_a_unit() {
        let mut steps = 0u64;
        let mut seed = 0x2545_f491_4f6c_dd1d_u64;
        while steps < 1_000_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let mut world = World {
                random: seed | 1,
                units: Vec::new(),
                applied: Vec::new(),
                open: None,
                intent: None,
                alone_done: false,
                locked: false,
                connected: false,
                recorded: 0,
                offset: 0,
                ours: 0,
            };
            for _ in 0..4 {
                let atomic = world.chance(2);
                world.units.push(atomic);
            }
            world.applied = vec![0; world.units.len()];
            let mut runs = 0;
            while world.recorded < world.units.len() {
                runs += 1;
                assert!(runs < 1_000, "seed {seed}: never done: {world:?}");
                world.ours = 0;
                let mut machine = Machine::default();
                let mut event = Event::Started;
                loop {
                    steps += 1;
                    let command = machine.on(event);
                    if let Command::Finish(outcome) = command {
                        if outcome == Outcome::Done {
                            assert_eq!(
                                world.recorded,
                                world.units.len(),
                                "seed {seed}: said done: {world:?}"
                            );
                        }
                        if outcome == Outcome::FailedClean || outcome == Outcome::LockTimeout {
                            assert_eq!(world.ours, 0, "seed {seed}: said nothing was committed: {world:?}");
                        }
                        break;
                    }
                    if world.chance(40) {
                        // The process is killed; what it had begun ends with its connection.
                        world.lose();
                        break;
                    }
                    event = world.perform(command);
                }
                world.open = None;
                world.locked = false;
                world.connected = false;
            }
            assert!(world.applied.iter().all(|count| *count == 1), "seed {seed}: {world:?}");
        }
    }
}
