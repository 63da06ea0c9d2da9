//! The run's lock: an advisory lock of the session, and who holds it.

use super::blockers::{blocker, blocker_query};
use super::session::PostgresSession;
use crate::db::error::DbError;
use crate::db::session::{Backend, Blocker, LockKey, Session as _};
use std::time::Duration;

/// Takes the lock, without waiting.
pub(super) async fn try_lock(session: &mut PostgresSession, key: &LockKey) -> Result<bool, DbError> {
    // Never waits inside the server: a session that waits in pg_advisory_lock makes a CREATE INDEX
    // CONCURRENTLY of the holder deadlock. It is taken twice, so that `commit` can tell by giving one back and
    // taking it again that it is still ours: a look into pg_locks costs a third of a small migration.
    let number = key.number();
    let sql = format!(
        "SELECT CASE WHEN pg_catalog.pg_try_advisory_lock({number}) \
         THEN pg_catalog.pg_try_advisory_lock({number}) ELSE false END"
    );
    let rows = session.query(&sql).await?;
    Ok(rows.first().is_some_and(|row| row.is_true(0)))
}

/// Who holds it, as far as can be seen.
pub(super) async fn lock_holder(
    session: &mut PostgresSession,
    key: &LockKey,
) -> Result<Option<Blocker>, DbError> {
    let rows = session
        .query(&blocker_query(&format!(
            "SELECT pid, mode, NULL AS target FROM pg_catalog.pg_locks WHERE {} AND granted",
            advisory_condition(key)
        )))
        .await?;
    Ok(rows.first().map(blocker))
}

/// The session that holds it and has done nothing for that long, as far as can be seen.
pub(super) async fn idle_holder(
    session: &mut PostgresSession,
    key: &LockKey,
    idle: Duration,
) -> Result<Option<Backend>, DbError> {
    // The state of another role's session is hidden from a role without rights, and then this finds nobody.
    let sql = format!(
        "SELECT a.pid, a.backend_start::pg_catalog.text FROM pg_catalog.pg_locks l \
         JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) l.pid \
         WHERE l.granted AND l.{} AND pg_catalog.starts_with(a.state, 'idle') \
         AND EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.state_change) OPERATOR(pg_catalog.>=) {}",
        advisory_condition(key),
        idle.as_secs()
    );
    let rows = session.query(&sql).await?;
    Ok(rows.first().map(|row| Backend { pid: row.number(0).unwrap_or(0), started: row.text(1).to_owned() }))
}

/// Frees it; `Ok(false)` where it was no longer ours.
pub(super) async fn unlock(session: &mut PostgresSession, key: &LockKey) -> Result<bool, DbError> {
    let number = key.number();
    let sql =
        format!("SELECT pg_catalog.pg_advisory_unlock({number}), pg_catalog.pg_advisory_unlock({number})");
    let rows = session.query(&sql).await?;
    Ok(rows.first().is_some_and(|row| row.is_true(0) && row.is_true(1)))
}

/// The condition on `pg_locks` for our key: a bigint key is split into `classid` and `objid`, with `objsubid` 1
/// (<https://www.postgresql.org/docs/current/view-pg-locks.html>).
fn advisory_condition(key: &LockKey) -> String {
    let number = key.number().cast_unsigned();
    format!(
        "locktype OPERATOR(pg_catalog.=) 'advisory' AND database OPERATOR(pg_catalog.=) (SELECT oid FROM \
         pg_catalog.pg_database WHERE datname OPERATOR(pg_catalog.=) pg_catalog.current_database()) \
         AND classid::pg_catalog.int8 OPERATOR(pg_catalog.=) {} AND objid::pg_catalog.int8 OPERATOR(pg_catalog.=) {} \
         AND objsubid OPERATOR(pg_catalog.=) 1",
        number >> 32,
        number & 0xffff_ffff
    )
}
