//! The second connection: it cancels, names who is in the way, and sees a pooler.

use super::blockers::{blocker, blocker_query, conflicting_modes};
use super::session::{DIALECT, PostgresSession};
use crate::db::error::DbError;
use crate::db::session::{Backend, Blocker, Session, Watcher};
use crate::name::literal;
use async_trait::async_trait;
use std::time::Duration;

/// How long behind `deadlock_timeout` a cancelled worker may take to be gone.
const BEHIND_DEADLOCK_TIMEOUT_MS: i64 = 500;

/// Where `deadlock_timeout` is longer than this, a worker is left to its work: the run's own signs of life come from this
/// connection too.
const LONGEST_WAIT_FOR_VACUUM_MS: i64 = 5_000;

/// The second connection.
pub(super) struct PostgresWatcher {
    pub(super) own: PostgresSession,
    pub(super) watched: Backend,
}

#[async_trait]
impl Watcher for PostgresWatcher {
    async fn cancel(&mut self) -> Result<(), DbError> {
        let sql = format!(
            "SELECT pg_catalog.pg_cancel_backend(pid) FROM pg_catalog.pg_stat_activity \
             WHERE pid = {} AND backend_start::text = {}",
            self.watched.pid,
            literal(&self.watched.started, DIALECT)
        );
        self.own.query(&sql).await.map(drop)
    }

    async fn blockers(&mut self) -> Result<Vec<Blocker>, DbError> {
        let sql = blocker_query(&format!(
            "SELECT b.pid, h.mode, h.relation::pg_catalog.regclass::pg_catalog.text AS target \
             FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids({pid})) AS b(pid) \
             LEFT JOIN LATERAL (SELECT h.mode, h.relation FROM pg_catalog.pg_locks h \
             JOIN pg_catalog.pg_locks w USING (database, relation) \
             WHERE w.pid = {pid} AND NOT w.granted AND h.pid = b.pid AND h.granted LIMIT 1) h ON true",
            pid = self.watched.pid
        ));
        Ok(self.own.query(&sql).await?.iter().map(blocker).collect())
    }

    async fn holders(&mut self, relation: &str, mode: &str) -> Result<Vec<Blocker>, DbError> {
        let conflicting =
            conflicting_modes(mode).iter().map(|mode| literal(mode, DIALECT)).collect::<Vec<_>>();
        let sql = blocker_query(&format!(
            "SELECT pid, mode, NULL AS target FROM pg_catalog.pg_locks WHERE relation = pg_catalog.to_regclass({}) AND granted \
             AND mode IN ({}) AND pid <> {}",
            literal(relation, DIALECT),
            conflicting.join(", "),
            self.watched.pid
        ));
        Ok(self.own.query(&sql).await?.iter().map(blocker).collect())
    }

    /// A worker is cancelled by the server once somebody has waited for it for `deadlock_timeout`
    /// (<https://www.postgresql.org/docs/current/routine-vacuuming.html#AUTOVACUUM>). A statement that waits so long for
    /// `ACCESS EXCLUSIVE` has all of the application in the queue behind it; `SHARE UPDATE EXCLUSIVE` is in the way of
    /// vacuum as well, and of no query.
    async fn end_autovacuum(&mut self, pid: i64) -> Result<bool, DbError> {
        let held = format!(
            "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), s.setting \
             FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             CROSS JOIN pg_catalog.pg_settings s \
             WHERE l.pid = {pid} AND l.granted AND l.mode = 'ShareUpdateExclusiveLock' AND c.relkind = 'r' \
             AND s.name = 'deadlock_timeout'"
        );
        let mut gave_way = false;
        for row in self.own.query(&held).await? {
            let patience = row.number(1).unwrap_or(i64::MAX).saturating_add(BEHIND_DEADLOCK_TIMEOUT_MS);
            if patience > LONGEST_WAIT_FOR_VACUUM_MS {
                continue;
            }
            let lock = format!(
                "BEGIN; SET LOCAL lock_timeout = {patience}; \
                 LOCK TABLE ONLY {} IN SHARE UPDATE EXCLUSIVE MODE; ROLLBACK",
                row.text(0)
            );
            match self.own.run(&lock).await {
                Ok(_) => gave_way = true,
                Err(error) => {
                    self.own.rollback().await?;
                    return Err(error);
                }
            }
        }
        Ok(gave_way)
    }

    async fn run(&mut self, sql: &str) -> Result<u64, DbError> {
        self.own.run(sql).await
    }

    async fn pooler_seen(&mut self, session: &mut dyn Session) -> Result<Option<String>, DbError> {
        let look = self.look_for_pooler(session);
        match tokio::time::timeout(Duration::from_secs(5), look).await {
            Ok(Err(error)) if error.message.contains("statement pooling") => Ok(Some(error.message)),
            Ok(seen) => seen,
            Err(_) => Ok(Some("one connection of ours kept the other one from being answered".to_owned())),
        }
    }

    async fn close(self: Box<Self>) {
        Box::new(self.own).close().await;
    }
}

impl PostgresWatcher {
    /// An open transaction keeps its server process, so that a pooler gives the two connections one each. Once both
    /// have ended, it hands the processes out anew: the one that was free last to whoever asks first, or each in its
    /// turn. Whoever is served by another process than before, or by one that was the other's, is behind a pooler.
    async fn look_for_pooler(&mut self, session: &mut dyn Session) -> Result<Option<String>, DbError> {
        let known = Some(self.watched.pid);
        for _ in 0..2 {
            session.run("BEGIN").await?;
            self.own.run("BEGIN").await?;
            let (theirs, mine) = (pid(session).await?, pid(&mut self.own).await?);
            session.run("ROLLBACK").await?;
            self.own.run("ROLLBACK").await?;
            let (theirs_now, mine_now) = (pid(session).await?, pid(&mut self.own).await?);
            if [theirs, theirs_now].iter().any(|pid| *pid != known) || mine != mine_now {
                return Ok(Some(
                    "statements of one connection were served by different processes".to_owned(),
                ));
            }
            if mine == known {
                return Ok(Some("two connections were served by the same process".to_owned()));
            }
        }
        Ok(None)
    }
}

const PID: &str = "SELECT pg_catalog.pg_backend_pid()";

async fn pid(session: &mut dyn Session) -> Result<Option<i64>, DbError> {
    Ok(session.query(PID).await?.first().and_then(|row| row.number(0)))
}
