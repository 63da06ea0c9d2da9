//! The server's version: one that the runner is made for.

use super::check::{Check, Patient, Seen};
use crate::db::error::DbError;
use crate::dialect::Dialect;
use async_trait::async_trait;

/// See the module.
pub struct Version;

#[async_trait]
impl Check for Version {
    fn id(&self) -> &'static str {
        "version"
    }

    async fn look(&self, patient: &mut Patient<'_>) -> Result<Vec<Seen>, DbError> {
        let number = patient.identity.version_number;
        let is_mariadb = patient.identity.version.starts_with("MariaDB");
        // MySQL's and MariaDB's are 804 for 8.4 and 1011 for 10.11, SQLite's is 3046 for 3.46.
        let (oldest, least) = match patient.dialect() {
            Dialect::Postgres => (130_000, "PostgreSQL 13"),
            Dialect::Mysql if is_mariadb => (1006, "MariaDB 10.6"),
            Dialect::Mysql => (800, "MySQL 8.0"),
            Dialect::Sqlite => (3035, "SQLite 3.35"),
        };
        let shown = patient.identity.version.clone();
        if number < oldest {
            let help = format!("upgrade the server: twostep is made for {least} and later");
            return Ok(vec![Seen::problem(format!("{shown} is older than what is supported"), help)]);
        }
        if patient.dialect() == Dialect::Postgres && number < 140_000 {
            return Ok(vec![Seen::note(format!(
                "{shown} does not notice by itself that a client is gone: a killed run's lock is freed when its \
                 statement ends, or by the next run after a minute"
            ))]);
        }
        Ok(vec![Seen::fine(format!("{shown} is supported ({least} and later)"))])
    }
}
