//! Every fault that the tests can make, at every place where it can strike, for each command on each engine: run again,
//! and the end is that of an undisturbed run. What was tried and what survived is a row of docs/reliability.md.
//!
//! A test run tries a few places of each kind. `TWOSTEP_FAULTS=all` tries all of them, another number that many, in an
//! order that `TWOSTEP_FAULTS_SEED` shuffles; `TWOSTEP_FAULTS_ROW_S` ends each row after so many seconds.
//! `TWOSTEP_FAULTS_REPORT=FILE` adds a line per row (`scripts/reliability`).

mod backend;
mod disk;
pub mod kill;
pub mod mariadb;
mod network;
pub mod postgres;
pub mod scene;
mod silence;
pub mod sqlite;
mod unknown;

use std::io::Write;
use std::time::{Duration, Instant};

use crate::proxy::{Harm, Proxy};
use crate::servers::tell;
use scene::{Place, Scene};

/// The places that are tried, of `count`: their numbers, from 1. A `few` of them are evenly spread, with the last.
fn chosen(count: usize, few: usize) -> Chosen {
    let wanted = match std::env::var("TWOSTEP_FAULTS") {
        Ok(all) if all == "all" => count,
        Ok(number) => number.parse().expect("TWOSTEP_FAULTS is `all` or a number"),
        Err(_) => few,
    };
    let wanted = wanted.min(count);
    let mut places: Vec<usize> = (1..=wanted).map(|place| (place * count).div_ceil(wanted)).collect();
    if let Some(seed) = number("TWOSTEP_FAULTS_SEED") {
        shuffle(&mut places, seed);
    }
    // What each test run tries in full has all its time here too.
    let time = row_time().filter(|_| few < count);
    Chosen { places: places.into_iter(), given: 0, until: time.map(|time| Instant::now() + time) }
}

/// How long one row may take, if that is limited.
fn row_time() -> Option<Duration> {
    number("TWOSTEP_FAULTS_ROW_S").map(Duration::from_secs)
}

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} is a number, and not `{value}`")))
}

/// Puts `places` into an order that `seed` gives, so that those of a row that runs out of time are a fair sample.
fn shuffle(places: &mut [usize], seed: u64) {
    let mut random = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) | 1;
    for last in (1..places.len()).rev() {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let other = random % (last as u64 + 1);
        places.swap(last, usize::try_from(other).expect("it is an index"));
    }
}

/// Places one by one, until the row's time is over; three in any case.
struct Chosen {
    places: std::vec::IntoIter<usize>,
    given: usize,
    until: Option<Instant>,
}

impl Iterator for Chosen {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        const IN_ANY_CASE: usize = 3;
        let over = self.until.is_some_and(|until| Instant::now() >= until);
        if over && self.given >= IN_ANY_CASE {
            return None;
        }
        self.given += 1;
        self.places.next()
    }
}

/// Whether every place is tried, also where that takes long.
fn is_long() -> bool {
    std::env::var("TWOSTEP_FAULTS").is_ok()
}

/// What an undisturbed run sends.
fn messages(scene: &Scene<'_>, proxy: &Proxy) -> Vec<String> {
    let place = scene.place();
    proxy.plan(Harm::Drop, usize::MAX, false);
    let outcome = scene.run(&proxy.url(&place.url)).run().expect(0);
    scene.is_at_its_end(&place, "through the proxy", &outcome.stderr);
    let messages = proxy.seen();
    assert!(messages.len() > 20, "too few messages:\n{}", messages.join("\n"));
    messages
}

/// Disturbs a run at `few` of its messages that matter, or at all of them, by what `plan` has the proxy do. The run goes
/// on by itself, or says what holds, and the same command comes to the end.
fn at_messages(
    scene: &Scene<'_>,
    proxy: &Proxy,
    name: &'static str,
    matters: &dyn Fn(&str) -> bool,
    few: usize,
    plan: &dyn Fn(usize, &Place<'_>),
) {
    let messages = messages(scene, proxy);
    let places: Vec<usize> = (1..=messages.len()).filter(|n| matters(&messages[n - 1])).collect();
    let mut tally = Tally::new(name, scene, places.len());
    for message in chosen(places.len(), few).map(|n| places[n - 1]) {
        let place = scene.place();
        plan(message, &place);
        let disturbed = scene.run(&proxy.url(&place.url)).run();
        let what = format!("{name} {message} ({})", messages[message - 1]);
        scene.is_honest(&place, &disturbed, &what);
        if !proxy.is_done() {
            // A backfill on a server that is quicker this time has fewer chunks.
            assert_eq!(disturbed.code(), 0, "{what}: {}", disturbed.stderr);
            continue;
        }
        scene.completes(&place, &what, &disturbed.stderr);
        tally.survived();
    }
}

/// What came of one kind of fault, in one scene.
struct Tally {
    fault: &'static str,
    engine: &'static str,
    command: &'static str,
    places: usize,
    tries: usize,
    asked: usize,
    started: Instant,
}

impl Tally {
    fn new(fault: &'static str, scene: &Scene, places: usize) -> Tally {
        let (engine, command) = (scene.engine, scene.command);
        Tally { fault, engine, command, places, tries: 0, asked: 0, started: Instant::now() }
    }

    /// One more place survived: whoever does not survive panics.
    fn survived(&mut self) {
        self.tries += 1;
    }

    /// One more place, at which a person had to say what holds, and was told how.
    fn survived_with_a_person(&mut self) {
        self.tries += 1;
        self.asked += 1;
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let Tally { fault, engine, command, places, tries, asked, started } = self;
        assert!(*tries > 0, "{fault}, {engine}, {command}: nothing was tried");
        let seconds = started.elapsed().as_secs();
        tell(&format!(
            "faults: {engine}, {command}, {fault}: {tries} of {places} places tried, all survived, \
             {asked} of them with a person's word ({seconds} s)\n"
        ));
        if let Some(path) = std::env::var_os("TWOSTEP_FAULTS_REPORT") {
            let mut report = std::fs::File::options().create(true).append(true).open(path).unwrap();
            writeln!(report, "{fault}\t{engine}\t{command}\t{places}\t{tries}\t{asked}\t{seconds}").unwrap();
        }
    }
}
