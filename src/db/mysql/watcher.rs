//! The second connection: it stops the session's statement, and names who may be in its way.
//!
//! Who holds a lock on a table is only known where the server keeps a list of them: MySQL by default, to accounts
//! that may read `performance_schema`; MariaDB with the plugin METADATA_LOCK_INFO. Elsewhere candidates are named:
//! whoever has a transaction open, or is in the middle of a statement.

use super::session::{DIALECT, MysqlSession};
use crate::db::error::DbError;
use crate::db::session::{Backend, Blocker, Row, Session, Watcher};
use crate::engine::mysql::alone::alone;
use crate::name::{Name, TableName, literal};
use async_trait::async_trait;
use std::collections::BTreeMap;

/// Watches one session.
pub(super) struct MysqlWatcher {
    pub(super) own: MysqlSession,
    pub(super) watched: Backend,
}

/// A session that is not shown to us.
pub(super) fn hidden(pid: i64) -> Blocker {
    Blocker { pid, application: "hidden".to_owned(), doing: "state hidden".to_owned(), autovacuum: false }
}

/// A row of `SHOW FULL PROCESSLIST`: id, user, host, database, command, seconds, state, text.
pub(super) fn blocker(row: &Row) -> Blocker {
    let age = row.number(5).unwrap_or(0);
    let age = if age >= 120 { format!("{} min", age / 60) } else { format!("{age} s") };
    let state = match (row.text(4), row.text(6)) {
        ("Sleep", _) => "idle".to_owned(),
        ("Query", "") => "busy".to_owned(),
        ("Query", state) => state.to_lowercase(),
        (command, _) => command.to_lowercase(),
    };
    Blocker {
        pid: row.number(0).unwrap_or(0),
        application: row.text(1).to_owned(),
        doing: format!("{state} for {age}"),
        autovacuum: false,
    }
}

impl MysqlWatcher {
    async fn processes(&mut self) -> Result<BTreeMap<i64, Row>, DbError> {
        let rows = self.own.ask("SHOW FULL PROCESSLIST").await?;
        Ok(rows.into_iter().filter_map(|row| Some((row.number(0)?, row))).collect())
    }

    /// The connections that `sql` names; none where it cannot be asked.
    async fn connections(&mut self, sql: &str) -> Vec<i64> {
        match self.own.ask(sql).await {
            Ok(rows) => rows.iter().filter_map(|row| row.number(0)).collect(),
            Err(error) => {
                tracing::debug!("{error}");
                Vec::new()
            }
        }
    }

    /// Those that hold what the session waits for, as the server knows it.
    async fn known(&mut self) -> Vec<i64> {
        let pid = self.watched.pid;
        let sql = if self.own.is_mariadb() {
            format!(
                "SELECT DISTINCT b.trx_mysql_thread_id FROM information_schema.innodb_lock_waits w \
                 JOIN information_schema.innodb_trx r ON r.trx_id = w.requesting_trx_id \
                 JOIN information_schema.innodb_trx b ON b.trx_id = w.blocking_trx_id \
                 WHERE r.trx_mysql_thread_id = {pid}"
            )
        } else {
            format!(
                "SELECT DISTINCT b.processlist_id FROM performance_schema.data_lock_waits w \
                 JOIN performance_schema.threads r ON r.thread_id = w.requesting_thread_id \
                 JOIN performance_schema.threads b ON b.thread_id = w.blocking_thread_id \
                 WHERE r.processlist_id = {pid} UNION \
                 SELECT DISTINCT b.processlist_id FROM performance_schema.metadata_locks w \
                 JOIN performance_schema.threads r ON r.thread_id = w.owner_thread_id \
                 JOIN performance_schema.metadata_locks h ON h.object_type = w.object_type \
                 AND h.object_schema <=> w.object_schema AND h.object_name <=> w.object_name \
                 AND h.lock_status = 'GRANTED' AND h.owner_thread_id <> w.owner_thread_id \
                 JOIN performance_schema.threads b ON b.thread_id = h.owner_thread_id \
                 WHERE r.processlist_id = {pid} AND w.lock_status = 'PENDING'"
            )
        };
        self.connections(&sql).await
    }

    /// Those that hold a lock on one of `tables`.
    async fn on_tables(&mut self, tables: &[TableName]) -> Vec<i64> {
        let database = self.own.database().to_owned();
        let pair = |table: &TableName| {
            let schema = table.schema.as_ref().map_or(database.as_str(), Name::as_str);
            format!("({}, {})", literal(schema, DIALECT), literal(table.name.as_str(), DIALECT))
        };
        let list = tables.iter().map(pair).collect::<Vec<_>>().join(", ");
        if list.is_empty() {
            return Vec::new();
        }
        let sql = if self.own.is_mariadb() {
            format!(
                "SELECT DISTINCT thread_id FROM information_schema.metadata_lock_info \
                 WHERE (table_schema, table_name) IN ({list})"
            )
        } else {
            format!(
                "SELECT DISTINCT b.processlist_id FROM performance_schema.metadata_locks h \
                 JOIN performance_schema.threads b ON b.thread_id = h.owner_thread_id \
                 WHERE h.lock_status = 'GRANTED' AND (h.object_schema, h.object_name) IN ({list})"
            )
        };
        self.connections(&sql).await
    }

    /// Whoever may hold a lock: open transactions, with those of the longest first, and running statements.
    async fn candidates(&mut self, processes: &BTreeMap<i64, Row>) -> Vec<Blocker> {
        let sql = "SELECT trx_mysql_thread_id, TIMESTAMPDIFF(SECOND, trx_started, NOW()) \
                   FROM information_schema.innodb_trx WHERE trx_mysql_thread_id <> 0 ORDER BY trx_started";
        let open = self.own.ask(sql).await.unwrap_or_default();
        let mut found = Vec::new();
        for row in &open {
            let Some(pid) = row.number(0).filter(|pid| *pid != self.watched.pid) else { continue };
            let mut candidate = processes.get(&pid).map_or_else(|| hidden(pid), blocker);
            candidate.doing.push_str(&format!(", a transaction open for {} s; perhaps", row.text(1)));
            found.push(candidate);
        }
        let database = self.own.database().to_owned();
        for (pid, row) in processes {
            let is_busy = row.text(4) == "Query" && !row.text(6).starts_with("Waiting for table");
            let is_new = *pid != self.watched.pid && found.iter().all(|known| known.pid != *pid);
            if is_busy && is_new && row.text(3) == database && !row.text(7).contains("PROCESSLIST") {
                let mut candidate = blocker(row);
                candidate.doing.push_str("; perhaps");
                found.push(candidate);
            }
        }
        found
    }

    async fn name(&mut self, mut pids: Vec<i64>) -> Result<Vec<Blocker>, DbError> {
        let processes = self.processes().await?;
        let own = self.own.watched().backend.pid;
        pids.retain(|pid| *pid != self.watched.pid && *pid != own);
        if pids.is_empty() {
            return Ok(self.candidates(&processes).await);
        }
        Ok(pids.iter().map(|pid| processes.get(pid).map_or_else(|| hidden(*pid), blocker)).collect())
    }
}

#[async_trait]
impl Watcher for MysqlWatcher {
    async fn cancel(&mut self) -> Result<(), DbError> {
        self.own.send(&format!("KILL QUERY {}", self.watched.pid)).await.map(drop)
    }

    async fn blockers(&mut self) -> Result<Vec<Blocker>, DbError> {
        let processes = self.processes().await?;
        let state = processes.get(&self.watched.pid).map(|row| row.text(6).to_owned()).unwrap_or_default();
        let known = self.known().await;
        if known.is_empty() && !state.starts_with("Waiting for") {
            return Ok(Vec::new());
        }
        self.name(known).await
    }

    async fn holders(&mut self, _relation: &str, _mode: &str) -> Result<Vec<Blocker>, DbError> {
        // Nothing asks for a lock by itself here; see `in_the_way`.
        Ok(Vec::new())
    }

    async fn in_the_way(&mut self, sql: &str) -> Result<Vec<Blocker>, DbError> {
        let holders = self.on_tables(&alone(sql).tables()).await;
        self.name(holders).await
    }

    async fn stands_in_queue(&mut self) -> Result<bool, DbError> {
        let processes = self.processes().await?;
        // https://dev.mysql.com/doc/refman/8.4/en/general-thread-states.html
        Ok(processes.get(&self.watched.pid).is_some_and(|row| row.text(6).starts_with("Waiting for table")))
    }

    async fn run(&mut self, sql: &str) -> Result<u64, DbError> {
        self.own.send(sql).await
    }

    async fn pooler_seen(&mut self, session: &mut dyn Session) -> Result<Option<String>, DbError> {
        // A transaction pins our own server connection, so that a pooler must show the other one another.
        self.own.send("START TRANSACTION").await?;
        let mine = self.own.ask("SELECT CONNECTION_ID()").await;
        let theirs = session.query("SELECT CONNECTION_ID()").await;
        self.own.send("ROLLBACK").await?;
        let (mine, theirs) = (mine?, theirs?);
        let (mine, theirs) =
            (mine.first().and_then(|r| r.number(0)), theirs.first().and_then(|r| r.number(0)));
        let known = Some(self.watched.pid);
        Ok(if mine == known {
            Some(format!("two connections that were open at once were both number {}", self.watched.pid))
        } else if theirs != known {
            Some("statements of one connection were served by different ones".to_owned())
        } else {
            None
        })
    }

    async fn close(self: Box<Self>) {
        Box::new(self.own).close().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_described() {
        let row = |values: &[&str]| Row(values.iter().map(|value| Some((*value).to_owned())).collect());
        let told = |values: &[&str]| blocker(&row(values)).doing;
        assert_eq!(told(&["7", "app", "h", "db", "Sleep", "300", "", ""]), "idle for 5 min");
        assert_eq!(
            told(&["7", "app", "h", "db", "Query", "3", "Sending data", "select 1"]),
            "sending data for 3 s"
        );
    }
}
