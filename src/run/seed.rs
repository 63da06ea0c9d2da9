//! Seed files: rows that a database is filled with after it is migrated, one transaction a file.

use super::journal::{Journal, JournalError};
use super::script::{self, ScriptOptions, ScriptProblem, Statement, Work};
use super::signal::Signal;
use crate::db::error::DbError;
use crate::db::session::{Begin, Session};
use crate::source::{Body, Checksum, Script};
use crate::text::Span;
use std::time::Duration;

/// A seed file.
#[derive(Debug, Clone)]
pub struct SeedFile {
    /// Its path, as it is shown.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// Why seeding stopped.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// Another run has the lock.
    #[error("another run has the lock")]
    Locked,
    /// Files that are not run at all.
    #[error("{} of the seed files cannot be run", .0.len())]
    Scripts(Vec<ScriptProblem>),
    /// The history cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The server refused a statement; the file was rolled back.
    #[error("{path}:{line}: {error}")]
    Statement {
        /// The file.
        path: String,
        /// Line of the statement.
        line: usize,
        /// The server's words.
        #[source]
        error: DbError,
    },
    /// A signal asked us to stop.
    #[error("stopped by a signal")]
    Interrupted,
}

/// Runs `files` one after the other, each in a transaction of its own, under the run's lock. Gives how many were run.
pub async fn seed(
    session: &mut dyn Session,
    journal: &Journal,
    files: &[SeedFile],
    lock_timeout: Duration,
    signal: &Signal,
) -> Result<usize, SeedError> {
    let database = |error| SeedError::Journal(JournalError::Database(error));
    let options = ScriptOptions { dialect: session.dialect(), native: true };
    let mut prepared = Vec::with_capacity(files.len());
    let mut problems = Vec::new();
    for file in files {
        match script::prepare(&as_script(file), options) {
            Ok(ready) => prepared.push((file, ready)),
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        return Err(SeedError::Scripts(problems));
    }
    session.prepare_to_write().await.map_err(database)?;
    session.identity().await.map_err(database)?;
    let key = journal.lock_key();
    if !session.try_lock(&key).await.map_err(database)? {
        return Err(SeedError::Locked);
    }
    for (file, ready) in &prepared {
        let Work::Statements(statements) = &ready.work else { continue };
        if signal.is_raised() {
            return Err(SeedError::Interrupted);
        }
        let transaction = session.begin(Begin { lock_timeout, fresh: true }).await.map_err(database)?;
        for statement in statements {
            if let Err(error) = send(session, statement).await {
                // The connection may be the reason; it is given up either way.
                let _ = session.rollback().await;
                return Err(SeedError::Statement { path: file.path.clone(), line: statement.line, error });
            }
        }
        session.commit(&transaction, &key, "SELECT 1").await.map_err(|error| SeedError::Statement {
            path: file.path.clone(),
            line: 1,
            error,
        })?;
        tracing::info!(event = "seeded", file = %file.path, "seeded {}", file.path);
    }
    session.unlock(&key).await.map_err(database)?;
    Ok(prepared.len())
}

async fn send(session: &mut dyn Session, statement: &Statement) -> Result<(), DbError> {
    match &statement.rows {
        None => session.run(statement.sql()).await.map(drop),
        Some(rows) => {
            let mut chunks = rows.as_str().as_bytes().chunks(64 * 1024).map(|chunk| Ok(chunk.to_vec()));
            session.copy_in(statement.sql(), &mut chunks).await.map(drop)
        }
    }
}

fn as_script(file: &SeedFile) -> Script {
    let text: std::sync::Arc<str> = file.text.as_str().into();
    Script {
        path: file.path.clone(),
        checksum: Checksum::of(&text),
        body: Body::Sql { span: Span::new(0, text.len()), file: text },
        transaction: true,
        directives: Vec::new(),
    }
}
