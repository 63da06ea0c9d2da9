//! Old and new code at work while a deploy goes through its steps.

use super::{Case, Deployment};
use crate::client::Client;
use crate::servers;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A client of one version of the code, which writes and reads by the names that it knows.
struct Code {
    stop: Arc<AtomicBool>,
    rounds: Arc<AtomicU64>,
    thread: JoinHandle<Seen>,
}

/// What a [`Code`] was told, and what went wrong.
#[derive(Default)]
struct Seen {
    /// Key and value of each row as it was written last.
    told: Vec<(String, String)>,
    failures: Vec<String>,
    longest: Duration,
}

impl Code {
    /// Writes and reads `column` of `items` in rows of its own, and increments what all share.
    fn start(url: &str, name: &'static str, table: &'static str, column: &'static str) -> Code {
        let (stop, rounds) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, counted, url) = (Arc::clone(&stop), Arc::clone(&rounds), url.to_owned());
        let thread = std::thread::spawn(move || {
            let mut client = Client::connect(&url, name);
            let mut seen = Seen::default();
            let mut number = 0_u64;
            while !stopped.load(Ordering::Relaxed) {
                number += 1;
                let key = format!("{name} {number}");
                let first = format!("{key} a");
                let last = format!("{key} b");
                let statements = [
                    format!("insert into {table} (owner, {column}) values ('{key}', '{first}')"),
                    format!(
                        "update {table} set {column} = '{last}' where owner = '{key}' and {column} = '{first}'"
                    ),
                    format!("update {table} set hits = hits + 1 where id = {}", 1 + number % 100),
                    format!("update {table} set note = '{key}' where owner = '{key}'"),
                    format!("select {column}, hits from {table} where {column} = '{last}'"),
                ];
                for sql in &statements {
                    let started = Instant::now();
                    if let Err(error) = client.try_run(sql) {
                        seen.failures.push(format!("{error}: {sql}"));
                    }
                    seen.longest = seen.longest.max(started.elapsed());
                }
                seen.told.push((key, last));
                counted.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(2));
            }
            seen
        });
        Code { stop, rounds, thread }
    }

    /// Waits until it has gone round `more` times.
    fn go_on(&self, more: u64) {
        let from = self.rounds.load(Ordering::Relaxed);
        crate::wait::until_true("the code has done its rounds", Duration::from_secs(60), || {
            self.rounds.load(Ordering::Relaxed) >= from + more || self.thread.is_finished()
        });
    }

    fn end(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("a client does not panic")
    }
}

/// Runs the deploy of `plain` with old code all through the expand and the backfill, both until the contract, and the
/// new one behind it: no query fails, and what each was told is there.
fn deploy(plain: &'static str, old: (&'static str, &'static str), new: (&'static str, &'static str)) {
    let Some(server) = servers::postgres() else { return };
    let case = Case {
        schema: "CREATE TABLE items (id bigserial PRIMARY KEY, owner text, sku text NOT NULL UNIQUE, hits int NOT NULL DEFAULT 0, note text);
            CREATE INDEX ON items (owner);",
        rows: "insert into items (owner, sku) select 'seed ' || n, 'sku ' || n from generate_series(1, 20000) n",
        plain,
        ..Case::default()
    };
    let deployment = Deployment::new(server, &case);
    let url = deployment.database.url();
    let all: Arc<Mutex<Vec<(&str, Seen)>>> = Arc::default();
    let old_code = Code::start(&url, "old", old.0, old.1);
    old_code.go_on(20);
    deployment.plan(&case);
    deployment.twostep(&["migrate"]).expect(0);
    // Back and forth once, with the old code alone.
    deployment.twostep(&["rollback", "--run", "2"]).expect(0);
    old_code.go_on(10);
    deployment.twostep(&["migrate"]).expect(0);
    let new_code = Code::start(&url, "new", new.0, new.1);
    old_code.go_on(40);
    new_code.go_on(40);
    all.lock().unwrap().push(("old", old_code.end()));
    deployment.twostep(&["migrate", "--contract"]).expect(0);
    new_code.go_on(20);
    all.lock().unwrap().push(("new", new_code.end()));

    let rounds: usize = all.lock().unwrap().iter().map(|(_, seen)| seen.told.len()).sum();
    for (code, seen) in all.lock().unwrap().iter() {
        assert!(
            seen.failures.is_empty(),
            "{code} code: {} failures, first {:?}",
            seen.failures.len(),
            seen.failures[0]
        );
        let found = deployment.database.psql(&format!(
            "select owner || '|' || {} || '|' || note from {} where owner like '{code} %' order by id",
            new.1, new.0
        ));
        let told: Vec<String> = seen.told.iter().map(|(key, value)| format!("{key}|{value}|{key}")).collect();
        assert_eq!(found.lines().collect::<Vec<_>>(), told, "what {code} code was told is there");
        // The noise of a machine that runs other tests as well is in it.
        assert!(seen.longest < Duration::from_secs(2), "{code} code waited {:?}", seen.longest);
    }
    let hits = deployment.database.psql(&format!("select sum(hits) from {}", new.0));
    assert_eq!(hits, rounds.to_string(), "no increment is lost");
}

#[test]
fn rename_of_a_column_under_load() {
    deploy("ALTER TABLE items RENAME COLUMN sku TO code;", ("items", "sku"), ("items", "code"));
}

#[test]
fn rename_of_a_table_under_load() {
    deploy("ALTER TABLE items RENAME TO goods;", ("items", "sku"), ("goods", "sku"));
}

#[test]
fn a_change_of_type_and_a_dropped_column_under_load() {
    deploy(
        "ALTER TABLE items ALTER COLUMN hits TYPE bigint; ALTER TABLE items ADD CONSTRAINT long CHECK (length(sku) > 1);",
        ("items", "sku"),
        ("items", "sku"),
    );
}
