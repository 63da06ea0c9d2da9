//! Reads the journal: in a short look whether all is applied, or the whole of it.

use super::history::{AdoptedFrom, Applied, Confirmed, History, Live, OpenRun, State, StatementRow};
use super::place::Journal;
use super::record::StoredDown;
use super::tables::{FORMAT, JournalError};
use super::write::{CONFIRM, MARKED, PART};
use crate::db::error::DbErrorClass;
use crate::db::session::{Backend, Row, Session};
use crate::dialect::Dialect;
use crate::run::activity::Activity;
use crate::schema::breaks::BreaksOlder;
use crate::source::{Checksum, Version};

impl Journal {
    /// Whether all of `migrations` (version, kind, checksum) are applied by us and nothing else is. `None` where the
    /// journal is not there. What is not so is left to [`Journal::read`] to tell: five columns are read here, since with
    /// them as they are a new session answers soonest (a hash made by the server takes it twice as long).
    pub async fn is_all_applied<'a>(
        &self,
        session: &mut dyn Session,
        migrations: impl Iterator<Item = (&'a str, &'a str, &'a str)>,
    ) -> Option<bool> {
        let sql =
            format!("SELECT version, kind, state, checksum, adopted_from FROM {}", self.table("migration"));
        let rows = session.query(&sql).await.ok()?;
        if rows.iter().any(|row| row.get(4).is_some()) {
            // The other tool's table may have to be looked at.
            return Some(false);
        }
        let mut applied: Vec<_> =
            rows.iter().map(|row| (row.text(0), row.text(1), row.text(2), row.text(3))).collect();
        let mut wanted: Vec<_> = migrations
            .map(|(version, kind, checksum)| (version, kind, State::Applied.id(), checksum))
            .collect();
        applied.sort_unstable();
        wanted.sort_unstable();
        Some(applied == wanted)
    }

    /// Reads the whole journal, with one round trip and without making anything.
    pub async fn read(&self, session: &mut dyn Session) -> Result<History, JournalError> {
        let mut answer = session.query(&self.read_sql()).await;
        if answer.as_ref().is_err_and(|error| error.class == DbErrorClass::Missing) {
            let shape = self.shape(session).await?;
            if shape.is_empty() || self.is_partly_made(session, &shape).await? {
                return Ok(History::default());
            }
            self.only_ours(&shape)?;
            if self.dialect == Dialect::Mysql {
                // Another run may have made the rest in between.
                answer = session.query(&self.read_sql()).await;
            }
        }
        let rows = match answer {
            Ok(rows) => rows,
            Err(error) if error.class == DbErrorClass::Missing => return Err(self.foreign(&error.message)),
            Err(error) => return Err(error.into()),
        };
        let mut history = History { exists: true, oldest_writer: FORMAT, ..History::default() };
        for row in &rows {
            match row.text(0) {
                "v" => history.oldest_writer = row.number(2).unwrap_or(FORMAT),
                "m" => history.applied.push(applied(row).map_err(|why| self.foreign(&why))?),
                "s" => history.statements.push(statement(row)),
                "a" => history.adopted = AdoptedFrom::from_text(row.text(1)),
                "c" => {
                    history.confirmed = Live::from_text(row.text(1));
                    let (release, by, at) = (row.text(2), row.text(3), row.text(4));
                    history.confirmed_by =
                        Some(Confirmed { release: release.to_owned(), by: by.to_owned(), at: at.to_owned() });
                }
                "o" => history.open_runs.push(open_run(row)),
                _ => {
                    history.last_run_id = row.number(1).unwrap_or(0);
                    history.open_run = row.get(8).is_none().then(|| open_run(row));
                }
            }
        }
        Ok(history)
    }

    /// One text that gives all rows of the journal, each with its table's letter in front.
    fn read_sql(&self) -> String {
        format!(
            "SELECT 'o', id, command, run_by, backend_pid, backend_started, {silent}, {started_at}, detail \
             FROM {run} WHERE outcome IS NULL ORDER BY id;\
             SELECT 'v', format, oldest_writer FROM {meta};\
             SELECT 'm', version, name, kind, state, checksum, breaks_older, sequence, run_id, {applied_at}, \
             duration_ms, release_id, applied_by, down_sql IS NOT NULL, adopted_from FROM {migration} \
             ORDER BY sequence;\
             SELECT 's', version, ordinal, state, checksum, before_it, backend_pid, backend_started \
             FROM {statement} ORDER BY version, ordinal;\
             SELECT 'a', detail FROM {run} WHERE id = (SELECT MAX(id) FROM {run} WHERE command = 'adopt' \
             AND outcome = 'done');\
             SELECT 'r', id, command, run_by, backend_pid, backend_started, {silent}, {started_at}, outcome \
             FROM {run} ORDER BY id DESC LIMIT 1;\
             SELECT 'c', detail, release_id, run_by, {started_at} FROM {run} WHERE command = {confirm} ORDER BY id DESC LIMIT 1",
            confirm = self.text(CONFIRM),
            meta = self.table("meta"),
            run = self.table("run"),
            migration = self.table("migration"),
            statement = self.table("statement"),
            applied_at = self.shown_time("applied_at"),
            started_at = self.shown_time("started_at"),
            silent = self.age_s("heartbeat_at"),
        )
    }

    /// The down that is stored for `version`.
    pub async fn stored_down(
        &self,
        session: &mut dyn Session,
        version: &Version,
    ) -> Result<Option<StoredDown>, JournalError> {
        let sql = format!(
            "SELECT down_sql, down_separated, down_transaction FROM {} WHERE version = {}",
            self.table("migration"),
            self.text(version.as_str())
        );
        let rows = session.query(&sql).await?;
        Ok(rows.first().and_then(|row| {
            let sql = row.get(0)?.to_owned();
            Some(StoredDown { sql, separated: row.is_true(1), transaction: row.is_true(2) })
        }))
    }
}

fn applied(row: &Row) -> Result<Applied, String> {
    let state = match row.text(4) {
        "applied" => State::Applied,
        "applying" => State::Applying,
        "reverting" => State::Reverting,
        other => return Err(format!("migration {} has the unknown state `{other}`", row.text(1))),
    };
    Ok(Applied {
        version: Version::new(row.text(1)),
        name: row.text(2).to_owned(),
        kind: row.text(3).to_owned(),
        state,
        checksum: Checksum::stored(row.text(5)),
        breaks_older: match row.text(6) {
            "yes" => BreaksOlder::Yes,
            "no" => BreaksOlder::No,
            _ => BreaksOlder::Unknown,
        },
        sequence: row.number(7).unwrap_or(0),
        run_id: row.number(8).unwrap_or(0),
        applied_at: row.text(9).to_owned(),
        duration_ms: row.number(10).unwrap_or(0),
        release: row.get(11).map(str::to_owned),
        applied_by: row.text(12).to_owned(),
        has_down: row.is_true(13),
        adopted_from: row.get(14).map(str::to_owned),
    })
}

fn statement(row: &Row) -> StatementRow {
    StatementRow {
        version: Version::new(row.text(1)),
        ordinal: row.number(2).and_then(|number| usize::try_from(number).ok()).unwrap_or(0),
        done: row.text(3) == "done",
        marked: row.text(3) == MARKED,
        in_parts: row.text(3) == PART,
        checksum: row.text(4).to_owned(),
        before: row.get(5).map(str::to_owned),
        backend: Backend { pid: row.number(6).unwrap_or(0), started: row.text(7).to_owned() },
    }
}

fn open_run(row: &Row) -> OpenRun {
    OpenRun {
        id: row.number(1).unwrap_or(0),
        command: row.text(2).to_owned(),
        by: row.text(3).to_owned(),
        backend: Backend { pid: row.number(4).unwrap_or(0), started: row.text(5).to_owned() },
        silent_s: row.number(6).unwrap_or(0),
        started_at: row.text(7).to_owned(),
        activity: row.get(8).and_then(Activity::from_text),
    }
}
