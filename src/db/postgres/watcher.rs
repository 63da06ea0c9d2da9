//! The second connection: it cancels, names who is in the way, and sees a pooler.

use super::blockers::{blocker, blocker_query, conflicting_modes};
use super::session::{DIALECT, PostgresSession};
use crate::db::error::DbError;
use crate::db::session::{Backend, Blocker, Session, Watcher};
use crate::name::literal;
use async_trait::async_trait;
use std::time::Duration;

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
