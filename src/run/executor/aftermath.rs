//! After a statement alone that failed, or of which nobody has said what came of it: what it left behind is cleared
//! away, and the catalog tells whether it was carried out.

use super::outliving::NOT_TAKEN_BACK;
use super::state::Executor;
use crate::db::error::{DbError, DbErrorClass};
use crate::db::session::{IN_TRANSACTION, IN_TRANSACTION_BESIDE};
use crate::run::error::RunError;
use crate::run::journal::{JournalError, StatementRow};
use crate::run::machine::{Event, Failure, Finding};
use crate::run::watch::{Unanswered, Watched};
use crate::source::Version;
use std::time::Duration;

/// How long a failed statement's remains are tried to be cleared away: what is left then is the next run's to do.
const CLEAN_UP_WITHIN: Duration = Duration::from_secs(2);

/// What is known of a chunk of a backfill that was being written where no rollback takes it back.
fn chunk_in_doubt(intent: &StatementRow) -> String {
    let behind = match intent.cursor().and_then(|cursor| cursor.after) {
        None => "its first rows".to_owned(),
        Some(key) => format!("the rows behind the key {}", key.join(", ")),
    };
    format!("{behind} were being written, and {NOT_TAKEN_BACK}")
}

impl Executor<'_> {
    pub(super) async fn clean_up(&mut self, unit: usize) -> Event {
        // A statement that a signal stopped is cleared away too; the signal must not stop that as well.
        match self.try_clean_up(unit).await {
            Ok(None) => Event::Done,
            Ok(Some(stays)) => self.stays_written(unit, stays),
            Err(Unanswered::NotAnswering) => Event::Failed(Failure::NotAnswering),
            Err(Unanswered::Server(error)) => {
                tracing::warn!(
                    "what the failed statement left behind could not be cleared away now, the next run does it: {error}"
                );
                Event::Failed(if error.class == DbErrorClass::ConnectionLost {
                    Failure::Lost
                } else {
                    Failure::Refused
                })
            }
        }
    }

    /// What of the failed statement stays although nobody knows how much that is, if anything does.
    async fn try_clean_up(&mut self, unit: usize) -> Result<Option<&'static str>, Unanswered> {
        let (_, task, piece) = self.unit(unit);
        let ordinal = piece.statements.start;
        let version = task.record.version.clone();
        let sql = self.first_sql(unit);
        let before = self.todo.intended.get(&unit).cloned().flatten();
        if self.transaction.take().is_some() {
            let beside = before.as_deref() == Some(IN_TRANSACTION_BESIDE) && self.sent;
            let rolled_back = if beside {
                self.session().rollback_whole().await
            } else {
                self.session().rollback().await.map(|()| true)
            };
            let whole = rolled_back.map_err(Unanswered::Server)?;
            if self.is_marked(&version, ordinal).await.map_err(Unanswered::Server)? {
                return Ok(Some("it had committed a part of what it does before it failed"));
            }
            if !whole {
                return Ok(Some(NOT_TAKEN_BACK));
            }
        }
        // Dropping an index waits for whoever uses its table.
        let how = Watched::within("clearing away what the statement left behind", CLEAN_UP_WITHIN);
        self.watched(how, async |session| session.clear_alone(&sql, before.as_deref()).await).await?;
        self.forget_intent(unit).await.map_err(Unanswered::Server)?;
        Ok(None)
    }

    /// Whether what the statement runs has committed.
    async fn is_marked(&mut self, version: &Version, ordinal: usize) -> Result<bool, DbError> {
        let journal = self.journal;
        match journal.read(self.session()).await {
            Ok(history) => Ok(history
                .statements
                .iter()
                .any(|row| row.version == *version && row.ordinal == ordinal && row.marked)),
            Err(JournalError::Database(error)) => Err(error),
            Err(error) => Err(DbError::new(DbErrorClass::Statement, error.to_string())),
        }
    }

    pub(super) async fn investigate(&mut self, unit: usize) -> Event {
        let (_, task, piece) = self.unit(unit);
        let ordinal = piece.statements.start;
        let intent = task.intent.clone();
        let chunked = piece.chunked;
        let place = self.place(unit, Some(ordinal));
        let Some(statement) = self.statement(unit, ordinal).cloned() else {
            let known = "a program was started, and whether it finished is not known".to_owned();
            return self.fail(Failure::Refused, RunError::Uncertain { place, known });
        };
        let before = match (self.todo.intended.get(&unit), intent) {
            (Some(before), _) => before.clone(),
            (None, Some(intent)) if chunked && intent.checksum == statement.checksum() => {
                let known = chunk_in_doubt(&intent);
                return self.fail(Failure::Refused, RunError::Uncertain { place, known });
            }
            (None, Some(intent)) if intent.checksum == statement.checksum() => intent.before,
            (None, Some(_)) => {
                let known = "its text is another one now than when it was run".to_owned();
                return self.fail(Failure::Refused, RunError::Uncertain { place, known });
            }
            (None, None) => None,
        };
        let marked = self.unit(unit).1.intent.as_ref().is_some_and(|intent| intent.marked);
        let title = format!("finding out what came of {}", statement.title());
        let how = Watched::within(&title, self.lock_deadline());
        let sql = statement.sql();
        let found = match before.as_deref() {
            Some(IN_TRANSACTION) if marked => Ok(Finding::Unknown),
            Some(IN_TRANSACTION) => Ok(Finding::NotDone),
            before => self.watched(how, async |session| session.after_alone(sql, before).await).await,
        };
        self.todo.intended.insert(unit, before);
        match found {
            Ok(Finding::Unknown) => {
                let known = "it runs outside a transaction, and the catalog does not tell".to_owned();
                self.error = Some(RunError::Uncertain { place, known });
                Event::Found(Finding::Unknown)
            }
            Ok(finding) => {
                tracing::info!(
                    event = "resolved",
                    "{place}: an earlier run was stopped in it; it was {}carried out",
                    if finding == Finding::Done { "" } else { "not " }
                );
                Event::Found(finding)
            }
            Err(Unanswered::NotAnswering) => self.fail(Failure::NotAnswering, RunError::NotAnswering),
            Err(Unanswered::Server(error))
                if error.class == DbErrorClass::Cancelled && !self.signal.is_raised() =>
            {
                let blockers = std::mem::take(&mut self.seen_blockers);
                let waited_s = self.lock_deadline().as_secs();
                self.fail(Failure::Contention, RunError::LeftBehind { place, waited_s, blockers, error })
            }
            Err(Unanswered::Server(error)) => self.fail_with(RunError::Statement { place, error }),
        }
    }
}
