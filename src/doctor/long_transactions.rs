//! Transactions that are open for long: a migration waits for their locks, and CREATE INDEX CONCURRENTLY for them all.

use super::check::{Check, Patient, Seen};
use crate::db::error::DbError;
use crate::dialect::Dialect;
use async_trait::async_trait;

/// Sessions, seconds, who, state; oldest first. Of other roles a role without rights sees less.
const POSTGRES: &str = "SELECT pid, EXTRACT(epoch FROM pg_catalog.clock_timestamp() - xact_start)::pg_catalog.int8, \
    COALESCE(NULLIF(application_name, ''), usename), state FROM pg_catalog.pg_stat_activity \
    WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid() \
    AND backend_type = 'client backend' AND xact_start < pg_catalog.clock_timestamp() - interval '60 seconds' \
    ORDER BY xact_start LIMIT 5";

const MYSQL: &str = "SELECT trx_mysql_thread_id, TIMESTAMPDIFF(SECOND, trx_started, NOW()), \
    COALESCE((SELECT user FROM information_schema.processlist WHERE id = trx_mysql_thread_id), 'hidden'), trx_state \
    FROM information_schema.innodb_trx WHERE trx_started < NOW() - INTERVAL 60 SECOND \
    AND trx_mysql_thread_id <> CONNECTION_ID() ORDER BY trx_started LIMIT 5";

/// See the module.
pub struct LongTransactions;

#[async_trait]
impl Check for LongTransactions {
    fn id(&self) -> &'static str {
        "long transactions"
    }

    async fn look(&self, patient: &mut Patient<'_>) -> Result<Vec<Seen>, DbError> {
        let sql = match patient.dialect() {
            Dialect::Postgres => POSTGRES,
            Dialect::Mysql => MYSQL,
            Dialect::Sqlite => return Ok(Vec::new()),
        };
        let rows = match patient.ask(sql).await {
            Ok(rows) => rows,
            Err(error) if error.class == crate::db::error::DbErrorClass::PermissionDenied => {
                return Ok(vec![Seen::note("open transactions are hidden: the account lacks PROCESS")]);
            }
            Err(error) => return Err(error),
        };
        if rows.is_empty() {
            return Ok(vec![Seen::fine("none is open for more than a minute")]);
        }
        let end = |pid: &str| match patient.url.dialect() {
            Dialect::Mysql => format!("KILL {pid};"),
            Dialect::Postgres | Dialect::Sqlite => format!("SELECT pg_terminate_backend({pid});"),
        };
        Ok(rows
            .iter()
            .map(|row| {
                let message = format!(
                    "session {} (`{}`, {}) has a transaction that is open for {} s",
                    row.text(0),
                    row.text(2),
                    row.text(3).to_lowercase(),
                    row.text(1)
                );
                Seen::warning(message, format!("let it end, or end it: {}", end(row.text(0))))
            })
            .collect())
    }
}
