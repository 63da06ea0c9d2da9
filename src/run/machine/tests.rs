//! The machine by its rows, and in a simulated world of mishaps.

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

/// Nothing is in doubt before the first unit: as long as there are tries left, a run goes on.
#[test]
fn a_connection_that_breaks_before_the_first_unit_is_opened_again() {
    let mut events = started(vec![unit(true, false)]);
    events.pop();
    let again = [Event::Failed(Failure::Lost), Event::Done, pending(vec![unit(true, false)])];
    for _ in 0..RECONNECTS {
        events.extend(again.clone());
        assert_eq!(commands(events.clone()).last(), Some(&Command::Prepare));
    }
    let mut goes_on = events.clone();
    goes_on.push(Event::Done);
    assert_eq!(commands(goes_on).last(), Some(&Command::Begin(0)));
    events.push(Event::Failed(Failure::Lost));
    assert_eq!(commands(events).last(), Some(&Command::Finish(Outcome::FailedClean)));
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
            Command::Prepare if self.chance(10) => self.lose(),
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
                        assert_eq!(world.recorded, world.units.len(), "seed {seed}: said done: {world:?}");
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
