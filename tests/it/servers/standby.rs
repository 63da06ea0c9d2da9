//! A streaming replica of the shared PostgreSQL: it can be read, and refuses to be written.

use std::sync::OnceLock;
use std::time::Duration;

use super::postgres::{Postgres, Recipe, postgres};
use crate::wait;

/// The replica of [`postgres`], with the same databases and passwords.
pub struct Standby {
    /// The replica, as a server.
    pub server: Postgres,
    primary: &'static Postgres,
}

/// The shared replica.
pub fn standby() -> Option<&'static Standby> {
    static SERVER: OnceLock<Standby> = OnceLock::new();
    let primary = postgres()?;
    Some(SERVER.get_or_init(|| {
        let recipe = Recipe { standby_of: Some(primary.port()), ..Recipe::default() };
        Standby { server: Postgres::start_as(&recipe).expect("the primary has the same programs"), primary }
    }))
}

impl Standby {
    /// Waits until everything that the primary has done by now is seen here.
    pub fn catch_up(&self) {
        // A record behind everything else: commits do not wait for the log to be written here.
        let done = self.primary.psql("postgres", "select pg_logical_emit_message(false, 'catch up', '')");
        let replayed = format!("select pg_last_wal_replay_lsn() >= '{done}'");
        wait::until_true("the standby catches up", Duration::from_secs(60), || {
            self.server.psql("postgres", &replayed) == "t"
        });
    }
}
