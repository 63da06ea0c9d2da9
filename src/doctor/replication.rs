//! Replicas: how far they are behind, and slots that nobody reads.

use super::check::{Check, Patient, Seen};
use crate::db::error::DbError;
use crate::dialect::Dialect;
use async_trait::async_trait;

/// A backfill waits for replicas that are further behind.
const MOST_LAG_S: i64 = 10;
/// Log that a slot keeps, from which on a disk may be filled by it.
const MOST_KEPT_BYTES: i64 = 1 << 30;

const REPLICAS: &str = "SELECT COALESCE(NULLIF(application_name, ''), client_addr::text, pid::text), state, \
    COALESCE(EXTRACT(epoch FROM replay_lag), 0)::pg_catalog.int8 FROM pg_catalog.pg_stat_replication ORDER BY 1";

const SLOTS: &str = "SELECT slot_name, \
    pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), restart_lsn)::pg_catalog.int8 \
    FROM pg_catalog.pg_replication_slots WHERE NOT active AND restart_lsn IS NOT NULL ORDER BY 1";

/// See the module.
pub struct Replication;

#[async_trait]
impl Check for Replication {
    fn id(&self) -> &'static str {
        "replication"
    }

    async fn look(&self, patient: &mut Patient<'_>) -> Result<Vec<Seen>, DbError> {
        if patient.dialect() != Dialect::Postgres || patient.identity.read_only.is_some() {
            return Ok(Vec::new());
        }
        let mut seen = Vec::new();
        let replicas = patient.ask(REPLICAS).await?;
        for row in &replicas {
            // The state of other roles' replicas is hidden from a role without rights.
            let lag_s = row.number(2).unwrap_or(0);
            if lag_s > MOST_LAG_S {
                seen.push(Seen::warning(
                    format!("replica `{}` is {lag_s} s behind", row.text(0)),
                    "a backfill waits for it; find out what keeps it before you change much",
                ));
            }
        }
        for row in patient.ask(SLOTS).await? {
            let kept = row.number(1).unwrap_or(0);
            let message = format!(
                "replication slot `{}` has no reader, and keeps {} MB of the log",
                row.text(0),
                kept >> 20
            );
            seen.push(if kept > MOST_KEPT_BYTES {
                Seen::warning(message, "bring its replica back, or drop it: it fills the disk")
            } else {
                Seen::note(message)
            });
        }
        if seen.is_empty() {
            seen.push(Seen::fine(match replicas.len() {
                0 => "no replica is connected".to_owned(),
                count => format!("{count} replicas are connected, none further behind than {MOST_LAG_S} s"),
            }));
        }
        Ok(seen)
    }
}
