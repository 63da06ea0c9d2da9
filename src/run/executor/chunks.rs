//! Backfills: an UPDATE that goes through its table in chunks of rows, each a transaction that also writes how far it
//! has come. It may be stopped anywhere and goes on there; the size of a chunk follows the time that one takes.

use super::failure::StatementProblem;
use super::run::shown;
use super::state::Executor;
use crate::db::error::{DbError, DbErrorClass};
use crate::db::session::Row;
use crate::engine::backfill::{self, Chunks, key_column};
use crate::run::activity::{self, Activity, Doing};
use crate::run::fault;
use crate::run::journal::Cursor;
use crate::run::machine::{Event, Failure};
use crate::run::pace::{Pace, ROWS, next_rows, rest_after};
use crate::run::script::Statement;
use crate::run::watch::{FirstLook, Watched};
use std::time::{Duration, Instant};

/// Rows of the first chunk.
const FIRST_ROWS: u64 = 1_000;

/// How often progress is said.
const SAY_EVERY: Duration = Duration::from_secs(5);

/// How often it is looked whether somebody is to be given way to.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The longest pause for others' locks and statements: whoever waits longer does not wait for us.
const PAUSE_MAX: Duration = Duration::from_secs(60);

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
    /// The key of the last row of the chunk behind the open one, asked for together with that one's UPDATE: a round trip
    /// less for each chunk; and about how many rows those are. None where it was not asked for.
    next: Option<(Option<Vec<String>>, u64)>,
    /// About how many rows the open chunk has.
    size: u64,
    /// The chunk of the open transaction: the key of its last row, none where it is the end of the table.
    current: Option<(Option<Vec<String>>, Instant)>,
    started: Instant,
    seen_before: u64,
    said: Instant,
    /// When it was looked last whether somebody is to be given way to.
    looked: Option<Instant>,
}

impl Backfill {
    /// Whether there are rows behind the chunk of the open transaction.
    pub fn goes_on(&self) -> bool {
        self.current.as_ref().is_some_and(|(last, _)| last.is_some())
    }

    /// How far it has come once the open chunk is committed, for the journal.
    fn cursor(&self) -> String {
        let last = self.current.as_ref().and_then(|(last, _)| last.clone());
        Cursor { after: last, rows: self.seen + self.size }.to_text()
    }

    /// How far it has come without the open chunk; none where that is the first one.
    fn cursor_before(&self) -> Option<String> {
        let after = self.after.clone();
        after.is_some().then(|| Cursor { after, rows: self.seen }.to_text())
    }
}

impl Backfill {
    /// About how long it goes on, once that can be told.
    fn left(&self) -> Option<Duration> {
        let done = self.seen - self.seen_before;
        let left = self.of.checked_sub(self.seen).filter(|_| done > 0)?;
        Some(Duration::from_secs_f64(self.started.elapsed().as_secs_f64() * left as f64 / done as f64))
    }

    fn doing(&self, pausing: Option<String>) -> Doing {
        let left_s = self.left().map(|left| left.as_secs());
        Doing::Backfilling { rows: self.seen, of: self.of, left_s, pausing }
    }
}

impl Executor<'_> {
    /// Writes the next chunk, in the open transaction.
    pub(super) async fn run_chunk(&mut self, unit: usize) -> Event {
        let ordinal = self.unit(unit).2.statements.start;
        match self.try_chunk(unit, ordinal).await {
            Ok(()) => Event::Done,
            Err(problem) => {
                if let (StatementProblem::Server { error, .. }, Some(one)) =
                    (&problem, self.todo.backfills.get_mut(&unit))
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
        if !self.todo.backfills.contains_key(&unit) {
            let begun = self.begin_backfill(unit, ordinal).await?;
            self.todo.backfills.insert(unit, begun);
        }
        let title = self.statement(unit, ordinal).map(Statement::title).unwrap_or_default();
        let Some(one) = self.todo.backfills.get(&unit) else { return Ok(()) };
        let started = Instant::now();
        let (chunks, after, rows) = (one.chunks.clone(), one.after.clone(), one.rows);
        let (last, size) = match self.todo.backfills.get_mut(&unit).and_then(|one| one.next.take()) {
            Some(known) => known,
            None => {
                let ask = chunks.last_key(after.as_deref(), rows);
                let how = Watched::without_limit(&title);
                (key_of(&self.watched(how, async |session| session.query(&ask).await).await?), rows)
            }
        };
        // The first chunk may be the last one as well: then there is no cursor that knows where the table ends.
        let mut update = chunks.update(after.as_deref(), last.as_deref());
        if last.is_some() {
            update.push(';');
            update.push_str(&chunks.last_key(last.as_deref(), rows));
        }
        self.sent = true;
        // Who has the row is seen while the second try waits for it.
        let retries = self.contention.as_ref().is_some_and(|contention| contention.tries > 0);
        let look = retries.then(|| FirstLook::Note(self.patience(false) / 2));
        let how = Watched { first_look: look, ..Watched::without_limit(&title) };
        let found = self.watched(how, async |session| session.query(&update).await).await?;
        fault::point("in a chunk");
        if let Some(one) = self.todo.backfills.get_mut(&unit) {
            one.next = last.is_some().then(|| (key_of(&found), rows));
            one.size = size;
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
        let dialect = self.url.dialect();
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
            Some((_, cursor)) => Cursor::from_text(cursor)
                .map(|cursor| (cursor.after, cursor.rows))
                .ok_or_else(|| refused(format!("the history has `{cursor}` for how far it has come")))?,
        };
        let now = Instant::now();
        Ok(Backfill {
            chunks,
            after,
            seen,
            of: of.unwrap_or(0),
            rows: FIRST_ROWS,
            next: None,
            size: FIRST_ROWS,
            current: None,
            started: now,
            seen_before: seen,
            said: now,
            looked: None,
        })
    }

    /// What the journal says once the open chunk is committed, and there are more.
    pub(super) fn journal_of_chunk(&self, unit: usize) -> String {
        let (_, task, piece) = self.unit(unit);
        let cursor = self.todo.backfills.get(&unit).map(Backfill::cursor);
        let first = self.todo.backfills.get(&unit).is_some_and(|one| one.after.is_none());
        let row = self.statement_row(unit, piece.statements.start, cursor);
        let started = if first { self.started_sql(task) } else { None };
        let mut sql: Vec<String> = started.into_iter().collect();
        sql.extend(backfill::soft_commit(self.url.dialect()).map(str::to_owned));
        sql.push(self.journal.part_sql(&row));
        sql.join(";")
    }

    /// The open chunk is committed: sizes the next one, and leaves others some time.
    pub(super) async fn chunk_done(&mut self, unit: usize) -> Event {
        self.contention = None;
        let migration = self.place(unit, None).migration;
        let pace = self.options.pace.clone();
        let mut rest = Duration::ZERO;
        let mut look = false;
        if let Some(one) = self.todo.backfills.get_mut(&unit) {
            let Some((last, started)) = one.current.take() else { return Event::Failed(Failure::Refused) };
            one.after = last;
            one.seen += one.size;
            let took = started.elapsed();
            rest = rest_after(took, &pace);
            one.rows = next_rows(one.size, took, pace.chunk);
            look = one.looked.is_none_or(|looked| looked.elapsed() >= LOOK_EVERY);
            if look {
                one.looked = Some(Instant::now());
            }
            if one.said.elapsed() >= SAY_EVERY {
                one.said = Instant::now();
                say(&migration, one);
            }
            let activity = Activity { migration: migration.clone(), doing: one.doing(None) };
            self.activity = Some(activity);
        }
        self.tell_activity().await;
        if look {
            self.give_way(unit, &migration, &pace).await;
        }
        // A signal is heeded where the next chunk begins.
        if !rest.is_zero() {
            self.signal.raised_within(rest).await;
        }
        Event::More
    }

    /// Waits while replicas are far behind, or others wait for locks or have much to do.
    async fn give_way(&mut self, unit: usize, migration: &str, pace: &Pace) {
        let since = Instant::now();
        let mut said: Option<Instant> = None;
        let mut asks = backfill::load_queries(self.url.dialect()).iter();
        let Some(mut ask) = asks.next() else { return };
        loop {
            let rows = match (self.session().query(ask).await, asks.next()) {
                (Ok(rows), _) => rows,
                (Err(_), Some(other)) => {
                    ask = other;
                    continue;
                }
                (Err(_), None) => return,
            };
            let number = |at: usize| rows.first().and_then(|row| row.number(at)).unwrap_or(0);
            let Some(found) = pace.gives_way(number(0), number(1), number(2), number(3)) else { return };
            if !found.always && since.elapsed() >= PAUSE_MAX {
                return;
            }
            let why = found.why;
            if said.is_none_or(|said| said.elapsed() >= SAY_EVERY) {
                said = Some(Instant::now());
                tracing::info!(event = "pausing", migration, "{migration}: the backfill pauses: {why}");
            }
            if let Some(one) = self.todo.backfills.get(&unit) {
                let doing = one.doing(Some(why));
                self.activity = Some(Activity { migration: migration.to_owned(), doing });
            }
            self.tell_activity().await;
            if self.signal.raised_within(LOOK_EVERY / 2).await {
                return;
            }
        }
    }

    /// How far the unit's backfill has come, in this run or an earlier one, with the chunks that are committed.
    pub(super) fn cursor_before(&self, unit: usize) -> Option<String> {
        let (_, task, piece) = self.unit(unit);
        let earlier = || task.cursors.iter().find(|(number, _)| *number == piece.statements.start);
        match self.todo.backfills.get(&unit) {
            Some(one) => one.cursor_before(),
            None => earlier().map(|(_, cursor)| cursor.clone()),
        }
    }

    /// Forgets a backfill that is done.
    pub(super) fn backfill_done(&mut self, unit: usize) {
        self.todo.backfills.remove(&unit);
    }
}

/// The key that an answer gives; none where it has no row.
fn key_of(found: &[Row]) -> Option<Vec<String>> {
    found.first().map(|row| (0..row.0.len()).map(|at| row.text(at).to_owned()).collect())
}

fn say(migration: &str, one: &Backfill) {
    let percent =
        activity::percent(one.seen, one.of).map_or_else(String::new, |share| format!(" ({share} %)"));
    let estimate = one.left().map_or_else(String::new, |left| format!(", about {} left", shown(left)));
    tracing::info!(
        event = "backfilling",
        migration,
        rows = one.seen,
        "{migration}: {} rows of {} are done{percent}{estimate}",
        one.seen,
        one.chunks.table()
    );
}
