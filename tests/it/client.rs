//! A client of PostgreSQL that stays connected, as the application is while a migration runs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection, Executor, Row};
use tokio::runtime::Runtime;

/// An open session. It ends with the value.
pub struct Client {
    runtime: Runtime,
    connection: Option<PgConnection>,
}

impl Client {
    /// Connects as `application`.
    pub fn connect(url: &str, application: &str) -> Client {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let options = url.parse::<PgConnectOptions>().unwrap().application_name(application);
        let connection = runtime.block_on(PgConnection::connect_with(&options)).unwrap();
        Client { runtime, connection: Some(connection) }
    }

    /// Runs statements.
    pub fn run(&mut self, sql: &str) {
        self.try_run(sql).unwrap_or_else(|error| panic!("{error}\nin: {sql}"));
    }

    /// The same, with the server's complaint as the error.
    pub fn try_run(&mut self, sql: &str) -> Result<(), String> {
        let connection = self.connection.as_mut().unwrap();
        let run = connection.execute(sqlx::raw_sql(AssertSqlSafe(sql)));
        self.runtime.block_on(run).map(drop).map_err(|error| error.to_string())
    }

    /// Runs one statement that is prepared once under a name, and kept.
    pub fn try_prepared(&mut self, sql: &str) -> Result<(), String> {
        let connection = self.connection.as_mut().unwrap();
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(connection);
        self.runtime.block_on(rows).map(drop).map_err(|error| error.to_string())
    }

    /// Runs one statement that is prepared without a name, in a transaction, as clients of a pooler do.
    pub fn try_in_transaction(&mut self, sql: &str) -> Result<(), String> {
        self.try_run("begin")?;
        let connection = self.connection.as_mut().unwrap();
        let rows = sqlx::query(AssertSqlSafe(sql)).persistent(false).fetch_all(connection);
        let got = self.runtime.block_on(rows).map(drop).map_err(|error| error.to_string());
        self.try_run(if got.is_ok() { "commit" } else { "rollback" })?;
        got
    }

    /// The first column of the first row of a query's answer, as text.
    pub fn text(&mut self, sql: &str) -> String {
        let connection = self.connection.as_mut().unwrap();
        let row = connection.fetch_one(sqlx::raw_sql(AssertSqlSafe(sql)));
        self.runtime.block_on(row).unwrap_or_else(|error| panic!("{error}\nin: {sql}")).get_unchecked(0)
    }

    /// The server's process for this session.
    pub fn pid(&mut self) -> i32 {
        let connection = self.connection.as_mut().unwrap();
        self.runtime.block_on(connection.fetch_one("select pg_backend_pid()")).unwrap().get(0)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            // The server notices in any case.
            self.runtime.block_on(connection.close()).ok();
        }
    }
}

/// A client that runs one statement over and over, and remembers how long the longest took.
pub struct Load {
    stop: Arc<AtomicBool>,
    worst: Arc<Mutex<Worst>>,
    thread: Option<JoinHandle<()>>,
}

/// What a [`Load`] saw.
#[derive(Debug, Clone, Copy, Default)]
pub struct Worst {
    /// How often it ran.
    pub count: u64,
    /// The longest time, from sending to the answer.
    pub longest: Duration,
}

impl Load {
    /// Runs `sql` over and over, until [`Load::stop`], with pauses so that a small machine has time for the rest.
    pub fn start(url: &str, sql: &str) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let worst = Arc::new(Mutex::new(Worst::default()));
        let (url, sql) = (url.to_owned(), sql.to_owned());
        let (stopped, seen) = (Arc::clone(&stop), Arc::clone(&worst));
        let thread = std::thread::spawn(move || {
            let mut client = Client::connect(&url, "load");
            while !stopped.load(Ordering::Relaxed) {
                let started = Instant::now();
                client.run(&sql);
                let took = started.elapsed();
                let mut worst = seen.lock().unwrap();
                worst.count += 1;
                worst.longest = worst.longest.max(took);
                drop(worst);
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        Load { stop, worst, thread: Some(thread) }
    }

    /// How often it ran so far.
    pub fn count(&self) -> u64 {
        self.worst.lock().unwrap().count
    }

    /// Ends it. Panics if a statement of it failed.
    pub fn stop(mut self) -> Worst {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().expect("no statement of the load failed");
        *self.worst.lock().unwrap()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
