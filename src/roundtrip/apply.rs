//! Runs a migration's statements as `migrate` and `rollback` would, with the same transactions and the same session,
//! but without a history: nobody else is there, and nothing has to be resumed.

use crate::db::error::{DbError, DbErrorClass};
use crate::db::session::{Begin, IN_TRANSACTION, IN_TRANSACTION_BESIDE, LockKey, Row, Session};
use crate::db::url::DatabaseUrl;
use crate::run::large::Statements;
use crate::run::program;
use crate::run::script::{Piece, Prepared, ScriptProblem, Statement, Work};
use crate::run::task::Direction;
use crate::source::Version;
use crate::sql::reader::{Next, ReadKind};
use std::path::PathBuf;
use std::time::Duration;

/// Nobody else uses the database, so that only the server itself (an autovacuum) can hold a lock for a moment.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);

/// Rows of a COPY are sent in pieces of this many bytes.
const COPY_BYTES: usize = 64 * 1024;

/// Why a script was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// It is not run at all.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Script(Vec<ScriptProblem>),
    /// The server refused a statement.
    #[error("{path}:{line}: `{title}`: {error}{}", notes(.error))]
    Statement {
        /// The file.
        path: String,
        /// Line of the statement.
        line: usize,
        /// Its first words.
        title: String,
        /// The server's words.
        #[source]
        error: DbError,
    },
    /// It went through, and must not be believed.
    #[error("{path}:{line}: {what}")]
    Doubtful {
        /// The file.
        path: String,
        /// Line of the statement.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// A program failed, or a file cannot be read.
    #[error("{path}: {what}")]
    File {
        /// The file.
        path: String,
        /// What is wrong.
        what: String,
    },
}

fn notes(error: &DbError) -> String {
    error.notes.iter().map(|note| format!("; {}", note.lines().next().unwrap_or(""))).collect()
}

impl ApplyError {
    /// The server's error, where there is one.
    pub fn server(&self) -> Option<&DbError> {
        match self {
            ApplyError::Statement { error, .. } => Some(error),
            ApplyError::Script(_) | ApplyError::Doubtful { .. } | ApplyError::File { .. } => None,
        }
    }
}

/// A session that migrations are run in.
pub struct Applier {
    session: Box<dyn Session>,
    url: DatabaseUrl,
    key: LockKey,
    folder: PathBuf,
    looks: Option<Looks>,
}

/// A query that is asked behind each statement of a transaction, and the answers: what the transaction holds then.
#[derive(Debug, Clone, Default)]
pub struct Looks {
    /// The query.
    pub sql: &'static str,
    /// The answers so far.
    pub seen: Vec<Look>,
}

/// One answer.
#[derive(Debug, Clone)]
pub struct Look {
    /// The number of the transaction, from 1.
    pub transaction: usize,
    /// Line of the statement that it was taken behind; 0 at the beginning of the transaction.
    pub line: usize,
    /// Its first words.
    pub title: String,
    /// What the query gave.
    pub rows: Vec<Row>,
}

impl Applier {
    /// Makes `session`, which is on `url`, ready for migrations of `folder`. `role` is who they run as.
    pub async fn new(
        mut session: Box<dyn Session>,
        url: &DatabaseUrl,
        folder: PathBuf,
        key: LockKey,
    ) -> Result<Self, DbError> {
        session.identity().await?;
        session.prepare_to_write().await?;
        session.identity().await?;
        // Each commit looks whether the lock is held.
        if !session.try_lock(&key).await? {
            return Err(DbError::new(
                DbErrorClass::Contention,
                "the scratch database is locked by another run",
            ));
        }
        Ok(Self { session, url: url.clone(), key, folder, looks: None })
    }

    /// The database.
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// The session, for reading.
    pub fn session(&mut self) -> &mut dyn Session {
        &mut *self.session
    }

    /// Asks `sql` behind each statement of a transaction from now on.
    pub fn look(&mut self, sql: &'static str) {
        self.looks = Some(Looks { sql, seen: Vec::new() });
    }

    /// The answers since then.
    pub fn looked(&mut self) -> Vec<Look> {
        self.looks.take().map(|looks| looks.seen).unwrap_or_default()
    }

    /// Closes the session.
    pub async fn close(self) {
        self.session.close().await;
    }

    /// Runs a script. Where it fails, what its transaction held is rolled back.
    pub async fn run(
        &mut self,
        script: &Prepared,
        version: &Version,
        direction: Direction,
    ) -> Result<(), ApplyError> {
        match &script.work {
            Work::Program(program) => self.program(script, program, version, direction).await,
            Work::LargeFile { .. } => self.large_file(script).await,
            Work::Statements(statements) => self.pieces(script, statements).await,
        }
    }

    async fn pieces(&mut self, script: &Prepared, statements: &[Statement]) -> Result<(), ApplyError> {
        let whole = script.pieces.len() == 1;
        let mut entered = false;
        for piece in &script.pieces {
            let place = Place { path: &script.path, statement: statements.get(piece.statements.start) };
            if (!whole || piece.outside || !piece.atomic) && !entered {
                self.session.reset().await.map_err(|error| place.failed(error))?;
                entered = true;
            }
            let held = &statements[piece.statements.clone()];
            match piece {
                Piece { outside: true, .. } => {
                    for statement in held {
                        self.send(statement).await.map_err(|error| place.on(statement).failed(error))?;
                    }
                }
                Piece { atomic: true, .. } => self.atomic(&place, held, whole).await?,
                Piece { .. } => {
                    for statement in held {
                        self.alone(&place.on(statement), statement).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Runs statements in one transaction.
    async fn atomic(
        &mut self,
        place: &Place<'_>,
        statements: &[Statement],
        fresh: bool,
    ) -> Result<(), ApplyError> {
        let begin = Begin { lock_timeout: LOCK_TIMEOUT, fresh, lock: None };
        let transaction = self.session.begin(begin).await.map_err(|error| place.failed(error))?;
        let number =
            1 + self.looks.as_ref().and_then(|looks| looks.seen.last()).map_or(0, |look| look.transaction);
        self.take_look(number, None).await.map_err(|error| place.failed(error))?;
        for statement in statements {
            if let Err(error) = self.send(statement).await {
                return Err(self.give_up(place.on(statement).failed(error)).await);
            }
            let looked = self.take_look(number, Some(statement)).await;
            looked.map_err(|error| place.on(statement).failed(error))?;
        }
        match self.session.commit(&transaction, &self.key, "SELECT 1").await {
            Ok(()) => Ok(()),
            Err(error) => {
                let last = statements.last().map_or(Place { ..*place }, |last| place.on(last));
                Err(self.give_up(last.failed(error)).await)
            }
        }
    }

    /// Asks what the open transaction holds, at its beginning or behind a statement.
    async fn take_look(&mut self, transaction: usize, statement: Option<&Statement>) -> Result<(), DbError> {
        let Some(looks) = &mut self.looks else { return Ok(()) };
        let rows = self.session.query(looks.sql).await?;
        let line = statement.map_or(0, |statement| statement.line);
        let title = statement.map(Statement::title).unwrap_or_default();
        looks.seen.push(Look { transaction, line, title, rows });
        Ok(())
    }

    /// Runs a statement that no transaction can hold.
    async fn alone(&mut self, place: &Place<'_>, statement: &Statement) -> Result<(), ApplyError> {
        let failed = |error| place.failed(error);
        let before = self.session.before_alone(statement.sql()).await.map_err(failed)?;
        if matches!(before.as_deref(), Some(IN_TRANSACTION | IN_TRANSACTION_BESIDE)) {
            let begin = Begin { lock_timeout: LOCK_TIMEOUT, fresh: false, lock: None };
            let transaction = self.session.begin(begin).await.map_err(failed)?;
            if let Err(error) = self.send(statement).await {
                return Err(self.give_up(failed(error)).await);
            }
            return match self.session.commit(&transaction, &self.key, "SELECT 1").await {
                Ok(()) => Ok(()),
                // What it runs has committed by itself.
                Err(error) if error.is_fence() => self.session.rollback().await.map_err(failed),
                Err(error) => Err(self.give_up(failed(error)).await),
            };
        }
        let prepared = self.session.prepare_alone(statement.sql(), LOCK_TIMEOUT, LOCK_TIMEOUT).await;
        prepared.map_err(failed)?;
        if let Err(error) = self.send(statement).await {
            // What it left behind is the judged database's trouble, which is made anew.
            let _ = self.session.clear_alone(statement.sql(), before.as_deref()).await;
            return Err(failed(error));
        }
        let doubt = self.session.doubt_alone(statement.sql(), before.as_deref()).await.map_err(failed)?;
        match doubt {
            None => Ok(()),
            Some((what, _)) => {
                Err(ApplyError::Doubtful { path: place.path.to_owned(), line: statement.line, what })
            }
        }
    }

    async fn send(&mut self, statement: &Statement) -> Result<(), DbError> {
        match &statement.rows {
            None => self.session.run(statement.sql()).await.map(drop),
            Some(rows) => {
                let mut chunks = rows.as_str().as_bytes().chunks(COPY_BYTES).map(|chunk| Ok(chunk.to_vec()));
                self.session.copy_in(statement.sql(), &mut chunks).await.map(drop)
            }
        }
    }

    async fn give_up(&mut self, error: ApplyError) -> ApplyError {
        // The connection may be the reason; then the next use says so.
        let _ = self.session.rollback().await;
        error
    }

    async fn large_file(&mut self, script: &Prepared) -> Result<(), ApplyError> {
        let place = Place { path: &script.path, statement: None };
        let mut statements = Statements::open(&self.folder.join(&script.path), self.session.dialect())
            .map_err(|error| place.unreadable(error.to_string()))?;
        let begin = Begin { lock_timeout: LOCK_TIMEOUT, fresh: true, lock: None };
        let transaction = self.session.begin(begin).await.map_err(|error| place.failed(error))?;
        loop {
            let read = match statements.next() {
                Ok(Next::Statement(read)) => read,
                Ok(Next::End) => break,
                Ok(Next::Rows(_) | Next::RowsEnd | Next::NeedMore) => continue,
                Ok(other) => return Err(self.give_up(place.unreadable(format!("{other:?}"))).await),
                Err(error) => return Err(self.give_up(place.unreadable(error.to_string())).await),
            };
            let statement = Statement::own(read.text, read.line, self.session.dialect());
            let traits = &statement.traits;
            if read.kind == ReadKind::ClientCommand || traits.control.is_some() || traits.conflict.is_some() {
                let what = format!("line {}: `{}` cannot run here", statement.line, statement.title());
                return Err(self.give_up(place.unreadable(what)).await);
            }
            let sent = if read.kind == ReadKind::Copy {
                let mut rows = std::iter::from_fn(|| match statements.next() {
                    Ok(Next::Rows(rows)) => Some(Ok(rows)),
                    Ok(Next::RowsEnd) => None,
                    Ok(other) => Some(Err(std::io::Error::other(format!("{other:?}")))),
                    Err(error) => Some(Err(error)),
                });
                self.session.copy_in(statement.sql(), &mut rows).await
            } else {
                self.session.run(statement.sql()).await
            };
            if let Err(error) = sent {
                return Err(self.give_up(place.on(&statement).failed(error)).await);
            }
        }
        match self.session.commit(&transaction, &self.key, "SELECT 1").await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.give_up(place.failed(error)).await),
        }
    }

    async fn program(
        &mut self,
        script: &Prepared,
        name: &str,
        version: &Version,
        direction: Direction,
    ) -> Result<(), ApplyError> {
        let failed = |what: String| ApplyError::File { path: script.path.clone(), what };
        let mut command = program::command(&self.folder.join(name), &self.url, version, direction);
        let output = command.kill_on_drop(true).output().await;
        let output = output.map_err(|error| failed(format!("cannot be started: {error}")))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("");
        Err(failed(self.url.redact(&format!("failed ({}): {last}", output.status))))
    }
}

/// Where a statement stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    path: &'a str,
    statement: Option<&'a Statement>,
}

impl<'a> Place<'a> {
    fn on<'b>(&self, statement: &'b Statement) -> Place<'b>
    where
        'a: 'b,
    {
        Place { path: self.path, statement: Some(statement) }
    }

    fn unreadable(&self, what: String) -> ApplyError {
        ApplyError::File { path: self.path.to_owned(), what }
    }

    fn failed(&self, error: DbError) -> ApplyError {
        let mut line = self.statement.map_or(1, |statement| statement.line);
        if let (Some(offset), Some(statement)) = (error.offset, self.statement) {
            line += statement.sql().get(..offset).map_or(0, |before| before.matches('\n').count());
        }
        let title = self.statement.map(Statement::title).unwrap_or_default();
        ApplyError::Statement { path: self.path.to_owned(), line, title, error }
    }
}
