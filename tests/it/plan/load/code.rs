//! A client of one version of the code, which writes and reads by the names that it knows, and keeps what it was told.

use super::cases::Writes;
use crate::client::Client;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Where the deploy is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Nothing is done to the schema: the noise of the machine.
    Quiet,
    /// Expand and backfill.
    First,
    /// Old and new code.
    Both,
    /// The first steps are taken back.
    Back,
    /// The second step.
    Contract,
    /// New code alone.
    After,
}

impl Step {
    /// All of them.
    pub const ALL: [Step; 6] =
        [Step::Quiet, Step::First, Step::Both, Step::Back, Step::Contract, Step::After];
}

/// What a [`Code`] was told, and what went wrong.
#[derive(Default)]
pub struct Seen {
    /// Its name.
    pub name: String,
    /// Key and value of each row as it was written last.
    pub told: Vec<(String, String)>,
    /// How often it was told that a shared row is incremented.
    pub increments: usize,
    /// How many queries it has sent.
    pub queries: usize,
    /// How many queries failed as it was foreseen.
    pub foreseen: usize,
    /// What else failed.
    pub failures: Vec<String>,
    /// The longest query in each step.
    pub longest: [Duration; 6],
}

/// A client at work.
pub struct Code {
    stop: Arc<AtomicBool>,
    rounds: Arc<AtomicU64>,
    thread: JoinHandle<Seen>,
}

impl Code {
    /// Starts it: it writes rows of its own, and increments what all share.
    pub fn start(url: &str, name: String, writes: Writes, step: Arc<AtomicUsize>) -> Code {
        let (stop, rounds) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, counted, url) = (Arc::clone(&stop), Arc::clone(&rounds), url.to_owned());
        let thread = std::thread::spawn(move || {
            let mut at_work = AtWork::new(&url, name, writes, step);
            let mut number = 0_u64;
            while !stopped.load(Ordering::Relaxed) {
                number += 1;
                at_work.round(number);
                counted.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(2));
            }
            at_work.seen
        });
        Code { stop, rounds, thread }
    }

    /// Waits until it has gone round `more` times.
    pub fn go_on(&self, more: u64) {
        let from = self.rounds.load(Ordering::Relaxed);
        crate::wait::until_true("the code has done its rounds", Duration::from_secs(300), || {
            self.rounds.load(Ordering::Relaxed) >= from + more || self.thread.is_finished()
        });
    }

    /// Stops it, behind the round that it is in.
    pub fn end(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("a client does not panic")
    }
}

struct AtWork {
    client: Client,
    writes: Writes,
    step: Arc<AtomicUsize>,
    seen: Seen,
}

/// What a prepared statement says once when the columns of its table have changed.
const SHAPE: &str = "cached plan must not change result type";

impl AtWork {
    fn new(url: &str, name: String, writes: Writes, step: Arc<AtomicUsize>) -> Self {
        let client = Client::connect(url, &name);
        let mut one = Self { client, writes, step, seen: Seen { name, ..Seen::default() } };
        one.prepare();
        one
    }

    /// Prepares what depends on the table's shape, and what does not.
    fn prepare(&mut self) {
        let Writes { table, column, .. } = self.writes;
        self.client.run(&format!(
            "PREPARE star (text) AS SELECT * FROM {table} WHERE owner = $1; \
             PREPARE named (text) AS SELECT {column}, hits FROM {table} WHERE owner = $1; \
             PREPARE back (text, text) AS UPDATE {table} SET {column} = $2 WHERE owner = $1 RETURNING *"
        ));
    }

    /// Inserts a row, writes this column and another one, reads it by name and as a whole, and inserts it once more.
    fn round(&mut self, number: u64) {
        let Writes { table, column, more, also, .. } = self.writes;
        let name = self.seen.name.clone();
        let key = format!("{name} {number}");
        let (first, second, last) = (format!("{key} a"), format!("{key} b"), format!("{key} c"));
        let columns: String = more.iter().map(|(column, _)| format!(", {column}")).collect();
        let values: String = more.iter().map(|(_, value)| format!(", {value}")).collect();
        let insert = |value: &str| {
            format!("insert into {table} (owner, {column}{columns}) values ('{key}', '{value}'{values})")
        };
        self.send(&insert(&first));
        self.send(&format!(
            "update {table} set {column} = '{second}' where owner = '{key}' and {column} = '{first}'"
        ));
        if self.send(&format!("update {table} set hits = hits + 1 where id = {}", 1 + number % 100)) {
            self.seen.increments += 1;
        }
        self.send(&format!("update {table} set note = '{key}' where owner = '{key}'"));
        self.send(&format!(
            "select {column}, hits from {table} where owner = '{key}' and {column} = '{second}'"
        ));
        if self.writes.changes_type {
            self.shaped(&format!("execute named ('{key}')"));
        } else {
            self.send(&format!("execute named ('{key}')"));
        }
        self.shaped(&format!("execute star ('{key}')"));
        // Its own row is met again, as an upsert does.
        self.send(&format!(
            "{} on conflict (owner) do update set {column} = excluded.{column}",
            insert(&first)
        ));
        for query in also {
            self.send(&query.replace("{key}", &key));
        }
        self.shaped(&format!("execute back ('{key}', '{last}')"));
        self.seen.told.push((key, last));
    }

    /// Sends a query that must not fail; whether it did not.
    fn send(&mut self, sql: &str) -> bool {
        match self.timed(sql) {
            Ok(()) => true,
            Err(error) => {
                let step = self.step.load(Ordering::Relaxed);
                let step = Step::ALL[step];
                self.seen.failures.push(format!("{} in {step:?}: {error}: {sql}", self.seen.name));
                false
            }
        }
    }

    /// Sends a query that returns all columns: it may fail once when they change, and is then prepared anew.
    fn shaped(&mut self, sql: &str) {
        let Err(error) = self.timed(sql) else { return };
        if !error.contains(SHAPE) {
            self.seen.failures.push(format!("{}: {error}: {sql}", self.seen.name));
            return;
        }
        self.seen.foreseen += 1;
        self.client.run("DEALLOCATE ALL");
        self.prepare();
        self.send(sql);
    }

    fn timed(&mut self, sql: &str) -> Result<(), String> {
        let before = self.step.load(Ordering::SeqCst);
        let started = Instant::now();
        let done = self.client.try_run(sql);
        let took = started.elapsed();
        self.seen.queries += 1;
        // A query that began in one step and ended in the next may have waited in either.
        for step in [before, self.step.load(Ordering::SeqCst)] {
            self.seen.longest[step] = self.seen.longest[step].max(took);
        }
        done
    }
}
