//! What is written to the journal, as SQL: it is sent together with what it is written of.

use super::history::{Live, State, StatementRow};
use super::place::Journal;
use super::record::{MigrationRecord, RunRecord};
use crate::db::session::Backend;
use crate::dialect::Dialect;
use crate::run::activity::Activity;
use crate::source::{Checksum, Version};

/// The state of a statement whose transaction was begun.
pub(super) const MARKED: &str = "marked";

/// The state of a statement that is done in part, up to a cursor.
pub(super) const PART: &str = "part";

/// The command of a row that says that a release is live.
pub(super) const CONFIRM: &str = "release confirm";

impl Journal {
    /// Writes that a run begins.
    pub fn begin_run_sql(&self, run: &RunRecord) -> String {
        format!(
            "INSERT INTO {table} (id, command, release_id, run_by, program, backend_pid, backend_started, started_at, \
             heartbeat_at) VALUES ({id}, {command}, {release}, {by}, {program}, {pid}, {started}, {now}, {now})",
            table = self.table("run"),
            id = run.id,
            command = self.text(&run.command),
            release = self.optional(run.release.as_deref()),
            by = self.text(&run.by),
            program = self.text(concat!("twostep ", env!("CARGO_PKG_VERSION"))),
            pid = run.backend.pid,
            started = self.text(&run.backend.started),
            now = self.now(),
        )
    }

    /// Writes that a release is live.
    pub fn confirm_sql(&self, run: &RunRecord, live: &Live) -> String {
        let run = RunRecord { command: CONFIRM.to_owned(), ..run.clone() };
        format!(
            "{};{}",
            self.begin_run_sql(&run),
            self.finish_run_sql(run.id, "done", 0, Some(&live.to_text()))
        )
    }

    /// Writes how a run has ended.
    pub fn finish_run_sql(&self, id: i64, outcome: &str, exit_code: u8, detail: Option<&str>) -> String {
        format!(
            "UPDATE {} SET finished_at = {now}, heartbeat_at = {now}, outcome = {}, exit_code = {exit_code}, \
             detail = {} WHERE id = {id}",
            self.table("run"),
            self.text(outcome),
            self.optional(detail),
            now = self.now(),
        )
    }

    /// A sign of life of a run, with what it does now, written on its watcher's connection.
    pub fn heartbeat_sql(&self, id: i64, activity: Option<&Activity>) -> String {
        let detail =
            activity.map_or_else(String::new, |one| format!(", detail = {}", self.text(&one.to_text())));
        let (run, now) = (self.table("run"), self.now());
        format!("UPDATE {run} SET heartbeat_at = {now}{detail} WHERE id = {id} AND outcome IS NULL")
    }

    /// Writes that the run's connection is another one now.
    pub fn reconnected_sql(&self, id: i64, backend: &Backend) -> String {
        format!(
            "UPDATE {} SET backend_pid = {}, backend_started = {}, heartbeat_at = {} WHERE id = {id}",
            self.table("run"),
            backend.pid,
            self.text(&backend.started),
            self.now()
        )
    }

    /// Writes that a migration is applied (`State::Applied`), or is on its way. `replace` where a row of it may
    /// stand already.
    pub fn migration_sql(
        &self,
        record: &MigrationRecord,
        state: State,
        duration_ms: u128,
        replace: bool,
    ) -> String {
        let table = self.table("migration");
        let version = self.text(record.version.as_str());
        let replaced = if replace {
            format!(
                "DELETE FROM {table} WHERE version = {version};DELETE FROM {} WHERE version = {version} AND {};",
                self.table("statement"),
                if state == State::Applied { "1 = 1" } else { "1 = 0" }
            )
        } else {
            String::new()
        };
        let down = record.down.as_ref();
        let flag = |value: bool| match (self.dialect, value) {
            (Dialect::Postgres, true) => "true",
            (Dialect::Postgres, false) => "false",
            (_, true) => "1",
            (_, false) => "0",
        };
        format!(
            "{replaced}INSERT INTO {table} (version, name, kind, phase, state, checksum, breaks_older, sequence, \
             run_id, release_id, applied_by, started_at, applied_at, duration_ms, down_sql, down_separated, \
             down_transaction, adopted_from) VALUES ({version}, {name}, {kind}, 'whole', {state}, {checksum}, \
             {breaks_older}, {sequence}, {run_id}, {release}, {by}, {now}, {applied_at}, {duration_ms}, {down_sql}, \
             {separated}, {transaction}, {adopted_from})",
            name = self.text(&record.name),
            kind = self.text(record.kind),
            state = self.text(state.id()),
            checksum = self.text(record.checksum.as_str()),
            breaks_older = self.text(record.breaks_older.id()),
            sequence = record.sequence,
            run_id = record.run_id,
            release = self.optional(record.release.as_deref()),
            by = self.text(&record.by),
            now = self.now(),
            applied_at = if state == State::Applied { self.now() } else { "NULL" },
            down_sql = self.optional(down.map(|down| down.sql.as_str())),
            separated = flag(down.is_some_and(|down| down.separated)),
            transaction = flag(down.is_none_or(|down| down.transaction)),
            adopted_from = self.optional(record.adopted_from.as_deref()),
        )
    }

    /// Writes that a migration which is applied, in an older text, is on its way again, statement by statement.
    pub fn again_sql(&self, version: &Version) -> String {
        format!(
            "UPDATE {} SET state = 'applying' WHERE version = {}",
            self.table("migration"),
            self.text(version.as_str())
        )
    }

    /// Takes back that a migration is on its way, of which nothing was done: it is what it was before, applied in an
    /// older text or not at all.
    pub fn not_begun_sql(&self, version: &Version) -> String {
        format!(
            "DELETE FROM {table} WHERE version = {version} AND applied_at IS NULL;\
             UPDATE {table} SET state = 'applied' WHERE version = {version}",
            table = self.table("migration"),
            version = self.text(version.as_str())
        )
    }

    /// Writes that an applied migration is being taken back, statement by statement.
    pub fn reverting_sql(&self, version: &Version) -> String {
        format!(
            "UPDATE {} SET state = 'reverting' WHERE version = {}",
            self.table("migration"),
            self.text(version.as_str())
        )
    }

    /// Takes [`Journal::reverting_sql`] back: nothing of it was done.
    pub fn still_applied_sql(&self, version: &Version) -> String {
        format!(
            "UPDATE {} SET state = 'applied' WHERE version = {}",
            self.table("migration"),
            self.text(version.as_str())
        )
    }

    /// Writes that a migration is applied as a whole, after a person has said so.
    pub fn settled_sql(&self, version: &Version) -> String {
        let version = self.text(version.as_str());
        format!(
            "DELETE FROM {} WHERE version = {version};UPDATE {} SET state = 'applied', \
             applied_at = COALESCE(applied_at, {}) WHERE version = {version}",
            self.table("statement"),
            self.table("migration"),
            self.now()
        )
    }

    /// Writes that a migration is not applied any more.
    pub fn reverted_sql(&self, version: &Version) -> String {
        let version = self.text(version.as_str());
        format!(
            "DELETE FROM {} WHERE version = {version};DELETE FROM {} WHERE version = {version}",
            self.table("statement"),
            self.table("migration")
        )
    }

    /// Writes what a migration's text is now, after a person has said that the edit is right.
    pub fn accept_edit_sql(&self, version: &Version, checksum: &Checksum) -> String {
        format!(
            "UPDATE {} SET checksum = {} WHERE version = {}",
            self.table("migration"),
            self.text(checksum.as_str()),
            self.text(version.as_str())
        )
    }

    /// Writes that a statement is about to be run outside a transaction.
    pub fn intent_sql(&self, row: &StatementRow) -> String {
        self.statement_sql(row, "intent", &self.optional(row.before.as_deref()))
    }

    /// Writes that a statement was run.
    pub fn outcome_sql(&self, row: &StatementRow) -> String {
        self.statement_sql(row, "done", &self.optional(row.before.as_deref()))
    }

    /// Writes how far a statement that runs in parts has come: `row.before` is its cursor.
    pub fn part_sql(&self, row: &StatementRow) -> String {
        self.statement_sql(row, PART, &self.optional(row.before.as_deref()))
    }

    /// Writes that a statement was run, with the value of an expression instead of `before`.
    pub fn outcome_with_sql(&self, row: &StatementRow, expression: &str) -> String {
        self.statement_sql(row, "done", expression)
    }

    /// Marks the intent in the transaction in which its statement will run: whatever the statement commits by itself
    /// commits the mark too.
    pub fn mark_sql(&self, version: &Version, ordinal: usize) -> String {
        format!(
            "UPDATE {} SET state = {} WHERE version = {} AND ordinal = {ordinal}",
            self.table("statement"),
            self.text(MARKED),
            self.text(version.as_str())
        )
    }

    fn statement_sql(&self, row: &StatementRow, state: &str, before: &str) -> String {
        let table = self.table("statement");
        let version = self.text(row.version.as_str());
        format!(
            "DELETE FROM {table} WHERE version = {version} AND ordinal = {ordinal};\
             INSERT INTO {table} (version, ordinal, state, checksum, before_it, backend_pid, backend_started, \
             started_at) VALUES ({version}, {ordinal}, {state}, {checksum}, {before}, {pid}, {started}, {now})",
            ordinal = row.ordinal,
            state = self.text(state),
            checksum = self.text(&row.checksum),
            pid = row.backend.pid,
            started = self.text(&row.backend.started),
            now = self.now(),
        )
    }

    /// Takes back that a statement was about to be run: it surely was not.
    pub fn forget_intent_sql(&self, version: &Version, ordinal: usize) -> String {
        format!(
            "DELETE FROM {} WHERE version = {} AND ordinal = {ordinal} AND state <> 'done'",
            self.table("statement"),
            self.text(version.as_str())
        )
    }
}
