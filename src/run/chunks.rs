//! Backfills: an UPDATE that goes through its table in chunks of rows, each a transaction that also writes how far it
//! has come. It may be stopped anywhere and goes on there; the size of a chunk follows the time that one takes.

use super::executor::{Executor, StatementProblem};
use super::machine::{Event, Failure};
use super::watch::Watched;
use crate::db::error::{DbError, DbErrorClass};
use crate::engine::backfill::{self, Chunks, key_column};
use serde_json::json;
use std::time::{Duration, Instant};

/// Rows of the first chunk.
const FIRST_ROWS: u64 = 1_000;
/// Fewest and most rows of a chunk.
const ROWS: (u64, u64) = (50, 50_000);
/// How long a chunk is to take.
const AIM: Duration = Duration::from_millis(100);
/// The share of the time that is left to others.
const REST_OF_TIME: u32 = 10;
/// A replica that is further behind than this is waited for.
const MOST_LAG_S: i64 = 10;
/// How often replicas are looked at, and how often progress is said.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// A backfill that is under way.
pub(super) struct Backfill {
    chunks: Chunks,
    /// The key of the last row of the last chunk that is committed.
    after: Option<Vec<String>>,
    /// Rows that were looked at, also by earlier runs.
    seen: u64,
    /// About how many rows the table has.
    of: u64,
    rows: u64,
    /// The chunk of the open transaction: the key of its last row, none where it is the end of the table.
    current: Option<(Option<Vec<String>>, Instant)>,
    started: Instant,
    seen_before: u64,
    said: Instant,
}

impl Backfill {
    /// Whether there are rows behind the chunk of the open transaction.
    pub fn goes_on(&self) -> bool {
        self.current.as_ref().is_some_and(|(last, _)| last.is_some())
    }

    /// How far it has come once the open chunk is committed, for the journal.
    fn cursor(&self) -> String {
        let last = self.current.as_ref().and_then(|(last, _)| last.clone());
        json!({ "after": last, "rows": self.seen + self.rows }).to_string()
    }
}

/// A cursor of the journal: the key, and how many rows lie before it.
fn read_cursor(text: &str) -> Option<(Option<Vec<String>>, u64)> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    let after = value.get("after")?;
    let key = after
        .as_array()
        .map(|key| key.iter().filter_map(|part| part.as_str().map(str::to_owned)).collect::<Vec<String>>());
    Some((key, value.get("rows")?.as_u64()?))
}

impl Executor<'_> {
    /// Writes the next chunk, in the open transaction.
    pub(super) async fn run_chunk(&mut self, unit: usize) -> Event {
        let ordinal = self.unit(unit).2.statements.start;
        match self.try_chunk(unit, ordinal).await {
            Ok(()) => Event::Done,
            Err(problem) => {
                if let (StatementProblem::Server { error, .. }, Some(one)) =
                    (&problem, self.backfills.get_mut(&unit))
                    && error.class == DbErrorClass::Contention
                {
                    // Fewer rows meet fewer others.
                    one.rows = (one.rows / 2).max(ROWS.0);
                }
                self.statement_failed(unit, ordinal, problem).await
            }
        }
    }

    async fn try_chunk(&mut self, unit: usize, ordinal: usize) -> Result<(), StatementProblem> {
        if !self.backfills.contains_key(&unit) {
            let begun = self.begin_backfill(unit, ordinal).await?;
            self.backfills.insert(unit, begun);
        }
        let title = self.statement(unit, ordinal).map(super::script::Statement::title).unwrap_or_default();
        let Some(one) = self.backfills.get(&unit) else { return Ok(()) };
        let started = Instant::now();
        let ask = one.chunks.last_key(one.after.as_deref(), one.rows);
        let (chunks, after) = (one.chunks.clone(), one.after.clone());
        let how = Watched::without_limit(&title);
        let found = self.watched(how, async |session| session.query(&ask).await).await?;
        let last =
            found.first().map(|row| (0..row.0.len()).map(|at| row.text(at).to_owned()).collect::<Vec<_>>());
        let update = chunks.update(after.as_deref(), last.as_deref());
        let how = Watched::without_limit(&title);
        self.watched(how, async |session| session.run(&update).await).await?;
        super::fault::point("in a chunk");
        if let Some(one) = self.backfills.get_mut(&unit) {
            one.current = Some((last, started));
        }
        Ok(())
    }

    /// Finds the key, how far an earlier run has come, and how much there is to do.
    async fn begin_backfill(&mut self, unit: usize, ordinal: usize) -> Result<Backfill, StatementProblem> {
        let refused = |message: String| StatementProblem::Server {
            error: DbError::new(DbErrorClass::Statement, message),
            relation: None,
        };
        let Some(statement) = self.statement(unit, ordinal).cloned() else {
            return Err(refused("there is no such statement".to_owned()));
        };
        let dialect = self.url().dialect();
        let sql = statement.sql().to_owned();
        let server = |error| StatementProblem::Server { error, relation: None };
        let named = statement.backfill.clone().unwrap_or_default();
        let key: Vec<_> = match backfill::key_query(&sql, &named, dialect) {
            Some(ask) => {
                let rows = self.session().query(&ask).await.map_err(server)?;
                rows.iter().map(|row| key_column(row.text(0), row.text(1), dialect)).collect()
            }
            None => named.iter().map(|name| key_column(name.as_str(), "", dialect)).collect(),
        };
        if key.len() < named.len() {
            return Err(refused("the table does not have all columns that `backfill key=` names".to_owned()));
        }
        let Some(chunks) = Chunks::new(&sql, key, dialect) else {
            return Err(refused(
                "the table has no primary key: name the columns of a unique key, `backfill key=COLUMN`"
                    .to_owned(),
            ));
        };
        let rows = match backfill::size_query(&sql, dialect) {
            Some(ask) => self.session().query(&ask).await.map_err(server)?,
            None => Vec::new(),
        };
        let of = rows.first().and_then(|row| row.number(0)).and_then(|rows| u64::try_from(rows).ok());
        let cursor = self.unit(unit).1.cursors.iter().find(|(number, _)| *number == ordinal);
        let (after, seen) = match cursor {
            None => (None, 0),
            Some((_, cursor)) => read_cursor(cursor)
                .ok_or_else(|| refused(format!("the history has `{cursor}` for how far it has come")))?,
        };
        let now = Instant::now();
        Ok(Backfill {
            chunks,
            after,
            seen,
            of: of.unwrap_or(0),
            rows: FIRST_ROWS,
            current: None,
            started: now,
            seen_before: seen,
            said: now,
        })
    }

    /// What the journal says once the open chunk is committed, and there are more.
    pub(super) fn journal_of_chunk(&self, unit: usize) -> String {
        let (_, task, piece) = self.unit(unit);
        let cursor = self.backfills.get(&unit).map(Backfill::cursor);
        let first = self.backfills.get(&unit).is_some_and(|one| one.after.is_none());
        let row = self.statement_row(unit, piece.statements.start, cursor);
        let started = if first { self.started_sql(task, task.direction) } else { None };
        let mut sql: Vec<String> = started.into_iter().collect();
        sql.push(self.journal.part_sql(&row));
        sql.join(";")
    }

    /// The open chunk is committed: sizes the next one, and leaves others some time.
    pub(super) async fn chunk_done(&mut self, unit: usize) -> Event {
        self.contention = None;
        let place = self.place(unit, None);
        let mut rest = Duration::ZERO;
        let mut look = false;
        if let Some(one) = self.backfills.get_mut(&unit) {
            let Some((last, started)) = one.current.take() else { return Event::Failed(Failure::Refused) };
            one.after = last;
            one.seen += one.rows;
            let took = started.elapsed();
            rest = (took / REST_OF_TIME).min(AIM);
            one.rows = next_rows(one.rows, took);
            look = one.said.elapsed() >= LOOK_EVERY;
            if look {
                one.said = Instant::now();
                say(&place.migration, one);
            }
        }
        self.sign_of_life().await;
        if look {
            self.wait_for_replicas().await;
        }
        // A signal is heeded where the next chunk begins.
        self.signal.raised_within(rest).await;
        Event::More
    }

    /// Waits while a replica is far behind.
    async fn wait_for_replicas(&mut self) {
        let Some(ask) = backfill::lag_query(self.url().dialect()) else { return };
        loop {
            let behind = self.session().query(ask).await;
            let behind = behind.ok().and_then(|rows| rows.first()?.number(0)).unwrap_or(0);
            if behind <= MOST_LAG_S {
                return;
            }
            tracing::info!(
                event = "waiting for replicas",
                lag_s = behind,
                "a replica is {behind} s behind; the backfill waits for it"
            );
            self.sign_of_life().await;
            if self.signal.raised_within(LOOK_EVERY).await {
                return;
            }
        }
    }

    /// Forgets a backfill that is done.
    pub(super) fn backfill_done(&mut self, unit: usize) {
        self.backfills.remove(&unit);
    }
}

/// The rows of the next chunk, so that it takes as long as it is to take.
fn next_rows(rows: u64, took: Duration) -> u64 {
    let took = took.as_micros().max(1);
    let ideal = u128::from(rows) * AIM.as_micros() / took;
    let ideal = u64::try_from(ideal).unwrap_or(ROWS.1);
    ideal.clamp(rows / 2, rows * 2).clamp(ROWS.0, ROWS.1)
}

fn say(migration: &str, one: &Backfill) {
    let done = (one.seen - one.seen_before).max(1);
    let elapsed = one.started.elapsed();
    let left = one.of.saturating_sub(one.seen);
    let percent = (one.seen * 100)
        .checked_div(one.of)
        .map_or_else(String::new, |share| format!(" ({} %)", share.min(99)));
    let estimate = if one.of > one.seen {
        let left_s = elapsed.as_secs_f64() * left as f64 / done as f64;
        format!(", about {} left", super::executor::shown(Duration::from_secs_f64(left_s)))
    } else {
        String::new()
    };
    tracing::info!(
        event = "backfilling",
        migration,
        rows = one.seen,
        "{migration}: {} rows of {} are done{percent}{estimate}",
        one.seen,
        one.chunks.table()
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_grow_and_shrink_with_the_time_that_they_take() {
        let ms = Duration::from_millis;
        assert_eq!(next_rows(1_000, ms(10)), 2_000);
        assert_eq!(next_rows(1_000, ms(100)), 1_000);
        assert_eq!(next_rows(1_000, ms(130)), 769);
        assert_eq!(next_rows(1_000, ms(5_000)), 500);
        assert_eq!(next_rows(60, ms(5_000)), 50);
        assert_eq!(next_rows(40_000, ms(1)), 50_000);
    }

    #[test]
    fn cursors_are_read_as_they_are_written() {
        let cursor = r#"{"after":["1","a'b"],"rows":7}"#;
        assert_eq!(read_cursor(cursor), Some((Some(vec!["1".to_owned(), "a'b".to_owned()]), 7)));
        assert_eq!(read_cursor("{}"), None);
    }
}
