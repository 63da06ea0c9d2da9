//! What every engine's connection can do. All SQL goes as plain text, one round trip a message, so that nothing
//! depends on prepared statements (poolers) or on the types of a driver.

use super::error::DbError;
use super::url::DatabaseUrl;
use crate::dialect::Dialect;
use async_trait::async_trait;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// One row of a result; every value as the server prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row(pub Vec<Option<String>>);

impl Row {
    /// The value of column `index` (from 0), `None` where it is NULL or not there.
    pub fn get(&self, index: usize) -> Option<&str> {
        self.0.get(index).and_then(|value| value.as_deref())
    }

    /// The value of column `index`, empty where it is NULL.
    pub fn text(&self, index: usize) -> &str {
        self.get(index).unwrap_or("")
    }

    /// The value of column `index` as a number.
    pub fn number(&self, index: usize) -> Option<i64> {
        self.get(index).and_then(|value| value.parse().ok())
    }

    /// Whether column `index` holds the server's word for true.
    pub fn is_true(&self, index: usize) -> bool {
        matches!(self.get(index), Some("t" | "true" | "1"))
    }
}

/// How a connection is opened.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// Longest time for one attempt.
    pub connect_timeout: Duration,
    /// How long to try again while the server cannot be reached.
    pub wait: Duration,
    /// What the server shows as our name.
    pub application_name: String,
    /// `SET ROLE` after connecting.
    pub role: Option<String>,
    /// `statement_timeout` of the session; none where it is zero.
    pub statement_timeout: Duration,
    /// Whether a missing SQLite file is made.
    pub create_if_missing: bool,
    /// Whether nothing will be written, so that a file is opened for reading only.
    pub read_only: bool,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            wait: Duration::ZERO,
            application_name: "twostep".to_owned(),
            role: None,
            statement_timeout: Duration::ZERO,
            create_if_missing: false,
            read_only: false,
        }
    }
}

/// The server's own name for a connection: enough to end it, and to know that it is still the same one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    /// Process or thread id on the server; 0 where there is none (SQLite).
    pub pid: i64,
    /// When the server started it, in the server's own spelling.
    pub started: String,
}

/// A session as its watcher knows it.
#[derive(Debug, Clone)]
pub struct Watched {
    /// Its backend on the server.
    pub backend: Backend,
    /// The flag that stops its statement, where the engine runs in this process.
    pub stop: Arc<AtomicBool>,
}

/// What a server says about itself and about us.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Product and version, for people.
    pub version: String,
    /// The major version, or as much of it as decides what the server can do (`150018`, `1011`, `3046`).
    pub version_number: i64,
    /// The database that we are connected to.
    pub database: String,
    /// The role that we act as.
    pub user: String,
    /// Our own backend.
    pub backend: Backend,
    /// Why writes cannot work, if that is known.
    pub read_only: Option<String>,
}

/// A session that keeps others, or us, waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// Process or thread id on the server.
    pub pid: i64,
    /// Its `application_name` or user.
    pub application: String,
    /// What it is doing, in one line: state, age, lock mode.
    pub doing: String,
    /// Whether it is an autovacuum worker, which gives way when it is waited for ([`Watcher::end_autovacuum`]).
    pub autovacuum: bool,
}

/// How one transaction of ours is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begin {
    /// Longest time a statement may stand in a lock's queue.
    pub lock_timeout: Duration,
    /// Whether the session is taken back first to what it was after connecting: true at the start of a migration,
    /// false between the statements of one that runs without a transaction around it.
    pub fresh: bool,
    /// What asks for the lock of the transaction's first statement, where the engine can ask for one: it goes with
    /// what opens the transaction, and saves a round trip.
    pub lock: Option<String>,
}

/// The open transaction, so that it is noticed when a migration has ended it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// The server's id of it, or the name of the savepoint that lives as long as it.
    pub token: String,
}

/// An engine: how to get a session, and the acts that need a connection of their own.
#[async_trait]
pub trait Engine: Send + Sync {
    /// The dialect that it speaks.
    fn dialect(&self) -> Dialect;

    /// Schemes of its URLs, lower case.
    fn schemes(&self) -> &'static [&'static str];

    /// Opens one session. One attempt.
    async fn connect(&self, url: &DatabaseUrl, options: &ConnectOptions)
    -> Result<Box<dyn Session>, DbError>;

    /// Opens what watches `session` from outside: it cancels, and names who blocks.
    async fn watch(
        &self,
        url: &DatabaseUrl,
        options: &ConnectOptions,
        watched: Watched,
    ) -> Result<Box<dyn Watcher>, DbError>;

    /// The text that opens a transaction, for [`Session::begin`] and for people.
    fn begin_sql(&self, options: &Begin) -> String;

    /// Makes the URL's database; `Ok(false)` where it exists.
    async fn create_database(
        &self,
        url: &DatabaseUrl,
        options: &ConnectOptions,
        settings: &DatabaseSettings,
    ) -> Result<bool, DbError>;

    /// Removes the URL's database, ending the sessions that are connected to it; `Ok(false)` where there is none.
    async fn drop_database(&self, url: &DatabaseUrl, options: &ConnectOptions) -> Result<bool, DbError>;
}

/// How a database is made.
#[derive(Debug, Clone, Default)]
pub struct DatabaseSettings {
    /// Character encoding (`UTF8`, `utf8mb4`).
    pub encoding: Option<String>,
    /// Collation, and on PostgreSQL the character type with it.
    pub collation: Option<String>,
    /// Owner of the database.
    pub owner: Option<String>,
    /// The roles of a service that are made with it.
    pub roles: Option<ServiceRoles>,
}

/// The two roles of a service: one changes the schema, the other works with the rows.
#[derive(Clone)]
pub struct ServiceRoles {
    /// Owns the database and migrates it.
    pub migrator: String,
    /// Reads and writes rows, and cannot change the schema.
    pub application: String,
    /// Password of the one; it is made without where there is none.
    pub migrator_password: Option<String>,
    /// Password of the other.
    pub application_password: Option<String>,
}

impl std::fmt::Debug for ServiceRoles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ServiceRoles({}, {})", self.migrator, self.application)
    }
}

/// One connection.
#[async_trait]
pub trait Session: Send {
    /// The dialect that it speaks.
    fn dialect(&self) -> Dialect;

    /// What a watcher needs to know of this session, once [`Session::identity`] has been asked.
    fn watched(&self) -> Watched;

    /// Makes the settings that a session needs before it writes (timeouts, role). A session that only reads
    /// does without, and is a round trip faster.
    async fn prepare_to_write(&mut self) -> Result<(), DbError>;

    /// Asks the server who it is, and who we are to it. One round trip, then remembered.
    async fn identity(&mut self) -> Result<Identity, DbError>;

    /// Runs one or more statements, and gives the number of rows that they touched.
    async fn run(&mut self, sql: &str) -> Result<u64, DbError>;

    /// Runs one or more statements, and gives all rows of all of them.
    async fn query(&mut self, sql: &str) -> Result<Vec<Row>, DbError>;

    /// Asks what the server makes of the one query `sql`, without running it: the names and the types of the columns of
    /// its result. It fails where the server would refuse to run it, whatever its parameters are.
    async fn describe(&mut self, sql: &str) -> Result<Vec<(String, String)>, DbError>;

    /// Runs `COPY … FROM stdin` with `rows`.
    async fn copy_in(
        &mut self,
        statement: &str,
        rows: &mut (dyn Iterator<Item = std::io::Result<Vec<u8>>> + Send),
    ) -> Result<u64, DbError>;

    /// Takes the run's lock, without waiting.
    async fn try_lock(&mut self, key: &LockKey) -> Result<bool, DbError>;

    /// Who holds the run's lock, as far as can be seen.
    async fn lock_holder(&mut self, key: &LockKey) -> Result<Option<Blocker>, DbError>;

    /// The session that holds the run's lock and has done nothing for that long, as far as can be seen.
    async fn idle_holder(&mut self, _key: &LockKey, _idle: Duration) -> Result<Option<Backend>, DbError> {
        Ok(None)
    }

    /// Frees the run's lock; `Ok(false)` where it was no longer ours.
    async fn unlock(&mut self, key: &LockKey) -> Result<bool, DbError>;

    /// Ends the backend if it is still the same one; `Ok(false)` where it is gone already.
    async fn end_backend(&mut self, backend: &Backend) -> Result<bool, DbError>;

    /// Opens a transaction.
    async fn begin(&mut self, options: Begin) -> Result<Transaction, DbError>;

    /// Changes how long the statements of the open transaction wait for a lock.
    async fn set_lock_timeout(&mut self, lock_timeout: Duration) -> Result<(), DbError>;

    /// Writes `journal` and commits, in one message. Fails, with nothing of `journal` written, where the open
    /// transaction is not `transaction` any more or the run's lock is no longer ours
    /// ([`DbError::is_fence`]). After [`DbErrorClass::ConnectionLost`](super::error::DbErrorClass) nobody knows
    /// from here whether it was committed.
    async fn commit(
        &mut self,
        transaction: &Transaction,
        key: &LockKey,
        journal: &str,
    ) -> Result<(), DbError>;

    /// Gives up the open transaction; harmless where there is none.
    async fn rollback(&mut self) -> Result<(), DbError>;

    /// The same; whether that has taken back all that was written in it, also to tables without transactions.
    async fn rollback_whole(&mut self) -> Result<bool, DbError> {
        self.rollback().await?;
        Ok(true)
    }

    /// Takes the session back to what it was after connecting: settings, role, search path.
    async fn reset(&mut self) -> Result<(), DbError>;

    /// Whether what `sql` writes may stay although its transaction is rolled back: tables of an engine without
    /// transactions.
    async fn outlives_rollback(&mut self, _sql: &str) -> Result<bool, DbError> {
        Ok(false)
    }

    /// What must be known before `sql` runs outside a transaction, so that its outcome can be told afterwards.
    /// [`IN_TRANSACTION`] or [`IN_TRANSACTION_BESIDE`] where it is to run in one all the same.
    async fn before_alone(&mut self, sql: &str) -> Result<Option<String>, DbError>;

    /// Sets how long `sql`, which is about to run outside a transaction, stands in the queue of a lock: at most
    /// `lock_timeout` while nothing would be lost by stepping back, else `lock_deadline`.
    async fn prepare_alone(
        &mut self,
        _sql: &str,
        _lock_timeout: Duration,
        _lock_deadline: Duration,
    ) -> Result<(), DbError> {
        Ok(())
    }

    /// Whether `sql`, which an earlier session was about to run outside a transaction, was carried out. What a
    /// broken-off try of it left behind is taken away, if it surely is ours.
    async fn after_alone(&mut self, sql: &str, before: Option<&str>) -> Result<Finding, DbError>;

    /// Takes away what a failed try of `sql` left behind, if it surely is ours.
    async fn clear_alone(&mut self, sql: &str, before: Option<&str>) -> Result<(), DbError>;

    /// Why the success of `sql` is not to be believed, and what to do: an index that was invalid before it.
    async fn doubt_alone(
        &mut self,
        sql: &str,
        before: Option<&str>,
    ) -> Result<Option<(String, String)>, DbError>;

    /// The session's connection is closed in order.
    async fn close(self: Box<Self>);
}

/// The look from outside at one session.
#[async_trait]
pub trait Watcher: Send {
    /// Asks the server to stop what the session is doing now. The session's own answer tells whether it did.
    async fn cancel(&mut self) -> Result<(), DbError>;

    /// Who keeps the session waiting.
    async fn blockers(&mut self) -> Result<Vec<Blocker>, DbError>;

    /// Who holds a lock on `relation` (as written in SQL) that is in the way of `mode` (`ACCESS EXCLUSIVE`, …).
    async fn holders(&mut self, relation: &str, mode: &str) -> Result<Vec<Blocker>, DbError>;

    /// Who may have kept `sql`, which the session has just given up, from getting its locks.
    async fn in_the_way(&mut self, _sql: &str) -> Result<Vec<Blocker>, DbError> {
        Ok(Vec::new())
    }

    /// Whether the session stands in the queue of a table's lock, where it keeps others waiting, and would not step
    /// back by itself.
    async fn stands_in_queue(&mut self) -> Result<bool, DbError> {
        Ok(false)
    }

    /// Waits for the tables of the autovacuum worker `pid` until it gives way, in a way that keeps nobody else waiting;
    /// whether it did.
    async fn end_autovacuum(&mut self, _pid: i64) -> Result<bool, DbError> {
        Ok(false)
    }

    /// Runs a statement on the watcher's own connection (the run's heartbeat).
    async fn run(&mut self, sql: &str) -> Result<u64, DbError>;

    /// Whether the watched session's server process turns out to be shared with the watcher's: a pooler that
    /// hands out servers by the transaction. The sentence says what was seen.
    async fn pooler_seen(&mut self, session: &mut dyn Session) -> Result<Option<String>, DbError>;

    /// Closes its connection in order.
    async fn close(self: Box<Self>);
}

/// The answer of [`Session::before_alone`] for a statement that runs others, which may commit: it runs in a transaction
/// that begins with a mark in the journal. Where the mark is not there afterwards, nothing was committed.
pub const IN_TRANSACTION: &str = "in a transaction";

/// The same beside tables without transactions: what it writes to those stays although nothing was committed, so that
/// only the server's word on a rollback tells that nothing was written.
pub const IN_TRANSACTION_BESIDE: &str = "in a transaction, beside tables without";

/// Whether something was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// It was.
    Done,
    /// It was not.
    NotDone,
    /// Nobody can tell from here.
    Unknown,
}

/// What the run's lock is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockKey {
    /// The journal's schema or table prefix: two journals in one database do not wait for each other.
    pub journal: String,
}

impl LockKey {
    /// The key as a number: the first eight bytes of SHA-256 of `twostep:` and the journal's name.
    pub fn number(&self) -> i64 {
        use sha2::Digest as _;
        let digest = sha2::Sha256::digest(format!("twostep:{}", self.journal));
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&digest[..8]);
        i64::from_be_bytes(bytes)
    }
}
