//! Takes a database over: looks, plans, and writes the journal, all under the lock of the runs.

use super::files::{SeenByError, seen_by};
use super::find::{self, Found, Named};
use super::plan::{Accepted, Adoption, PlanError, baseline, plan};
use crate::db::error::DbError;
use crate::db::session::Session;
use crate::run::journal::{AdoptedFrom, History, Journal, JournalError, MigrationRecord, RunRecord, State};
use crate::run::task::kind_id;
use crate::schema::breaks::BreaksOlder;
use crate::source::{Folder, ReadOptions, Version};
use std::path::Path;

/// What a person wants.
#[derive(Debug, Clone)]
pub struct Wish {
    /// From where.
    pub origin: Origin,
    /// Edits that are accepted.
    pub accepted: Accepted,
    /// Whether the tool's table is kept in step from now on.
    pub mirror: bool,
    /// Whether nothing is written.
    pub dry_run: bool,
    /// Who: the host.
    pub host: String,
    /// The release.
    pub release: Option<String>,
}

/// Where the history comes from.
#[derive(Debug, Clone)]
pub enum Origin {
    /// Another tool.
    Tool(Named),
    /// A person, who says that all files up to a version are there; none where it is `None`.
    Baseline(Option<Version>),
}

/// The files.
#[derive(Debug, Clone, Copy)]
pub struct Files<'a> {
    /// As they are run.
    pub folder: &'a Folder,
    /// Where they are.
    pub path: &'a Path,
    /// Whether a person has named their format.
    pub format_is_chosen: bool,
    /// How they are read.
    pub options: &'a ReadOptions,
}

/// What was taken over.
#[derive(Debug)]
pub struct Adopted {
    /// What was planned, and written unless it was only to be shown.
    pub adoption: Adoption,
    /// The table that it came from.
    pub table: Option<String>,
}

/// Why a database is not taken over.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A run has the lock.
    #[error("a run has the lock")]
    Locked,
    /// The journal has something to say already.
    #[error("the history of twostep has {0} migrations already")]
    NotEmpty(usize),
    /// There is no history of another tool.
    #[error("no history of another tool was found in this database")]
    NoHistory,
    /// There are several.
    #[error("several histories of other tools were found: {}", .0.join(", "))]
    Several(Vec<String>),
    /// It is not to be taken over.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The files cannot be seen as the tool sees them.
    #[error(transparent)]
    Files(#[from] SeenByError),
    /// Nothing can be written.
    #[error("the database cannot be written: {0}")]
    ReadOnly(String),
    /// What the tool keeps cannot be kept in step.
    #[error("the history of {tool} cannot be kept in step")]
    NoMirror {
        /// The tool.
        tool: &'static str,
        /// Why.
        why: &'static str,
    },
}

impl From<DbError> for AdoptError {
    fn from(error: DbError) -> Self {
        AdoptError::Journal(JournalError::Database(error))
    }
}

/// Takes the database of `session` over, as `wish` says.
pub async fn adopt(
    session: &mut dyn Session,
    journal: &Journal,
    files: Files<'_>,
    wish: &Wish,
) -> Result<Adopted, AdoptError> {
    if wish.dry_run {
        return Ok(look(session, journal, files, wish).await?.0);
    }
    let key = journal.lock_key();
    if let Some(why) = session.identity().await?.read_only {
        return Err(AdoptError::ReadOnly(why));
    }
    session.prepare_to_write().await?;
    if !session.try_lock(&key).await? {
        return Err(AdoptError::Locked);
    }
    let done = match look(session, journal, files, wish).await {
        Ok((adopted, history, from)) => {
            let written = write(session, journal, &adopted.adoption, &history, from, wish).await;
            written.map(|()| adopted)
        }
        Err(error) => Err(error),
    };
    // It ends with the connection in any case.
    let _ = session.unlock(&key).await;
    done
}

/// Reads everything, and gives what is to be written.
async fn look(
    session: &mut dyn Session,
    journal: &Journal,
    files: Files<'_>,
    wish: &Wish,
) -> Result<(Adopted, History, AdoptedFrom), AdoptError> {
    let history = journal.read(session).await?;
    let named = match &wish.origin {
        Origin::Baseline(last) => {
            if !history.applied.is_empty() {
                return Err(AdoptError::NotEmpty(history.applied.len()));
            }
            let adoption = baseline(files.folder, last.as_ref());
            let from = AdoptedFrom { tool: adoption.from.clone(), table: String::new(), mirror: false };
            return Ok((Adopted { adoption, table: None }, history, from));
        }
        Origin::Tool(named) => named,
    };
    let found = only_one(find::named(session, named).await?)?;
    if let (true, Some(why)) = (wish.mirror, found.tool.cannot_be_mirrored()) {
        return Err(AdoptError::NoMirror { tool: found.tool.id(), why });
    }
    let from = AdoptedFrom {
        tool: found.tool.id().to_owned(),
        table: found.table_shown(),
        mirror: wish.mirror || history.adopted.as_ref().is_some_and(|before| before.mirror),
    };
    // Once more from the same table: what the tool has done since.
    let again =
        history.adopted.as_ref().is_some_and(|before| before.tool == from.tool && before.table == from.table);
    if !history.applied.is_empty() && !again {
        return Err(AdoptError::NotEmpty(history.applied.len()));
    }
    let seen = seen_by(found.tool, files.path, files.folder, files.format_is_chosen, files.options)?;
    let adoption = plan(found.tool, &found.told, files.folder, &seen, &wish.accepted, &history)?;
    Ok((Adopted { adoption, table: Some(found.table_shown()) }, history, from))
}

/// The history that is meant: the only one, or the only one in which something stands.
fn only_one(mut found: Vec<Found>) -> Result<Found, AdoptError> {
    if found.iter().any(|one| !one.told.is_empty()) {
        found.retain(|one| !one.told.is_empty());
    }
    match found.len() {
        0 => Err(AdoptError::NoHistory),
        1 => Ok(found.remove(0)),
        _ => Err(AdoptError::Several(
            found.iter().map(|one| format!("{} in `{}`", one.tool.id(), one.table_shown())).collect(),
        )),
    }
}

/// Writes the journal, and nothing else: all of it or nothing.
async fn write(
    session: &mut dyn Session,
    journal: &Journal,
    adoption: &Adoption,
    history: &History,
    from: AdoptedFrom,
    wish: &Wish,
) -> Result<(), AdoptError> {
    journal.prepare(session, history).await?;
    let identity = session.identity().await?;
    let by =
        if identity.user.is_empty() { wish.host.clone() } else { format!("{}@{}", identity.user, wish.host) };
    let run_id = history.last_run_id + 1;
    let run = RunRecord {
        id: run_id,
        command: "adopt".to_owned(),
        release: wish.release.clone(),
        by: by.clone(),
        backend: identity.backend,
    };
    let mut sql = vec![journal.begin_run_sql(&run)];
    for (sequence, taken) in (history.next_sequence()..).zip(&adoption.taken) {
        let record = MigrationRecord {
            version: taken.version.clone(),
            name: taken.name.clone(),
            kind: kind_id(taken.kind),
            checksum: taken.checksum.clone(),
            breaks_older: BreaksOlder::Unknown,
            sequence,
            run_id,
            release: wish.release.clone(),
            by: by.clone(),
            down: taken.down.clone(),
            adopted_from: Some(adoption.from.clone()),
        };
        sql.push(journal.migration_sql(&record, State::Applied, 0, false));
    }
    sql.push(journal.finish_run_sql(run_id, "done", 0, Some(&from.to_text())));
    session.run("BEGIN").await?;
    for statement in &sql {
        if let Err(error) = session.run(statement).await {
            // Nothing of it is kept; the first error is the one that tells.
            let _ = session.rollback().await;
            return Err(error.into());
        }
    }
    session.run("COMMIT").await?;
    Ok(())
}
