//! Keeps the table of the tool that was adopted from in step with the journal, in the same transaction, exactly as the
//! tool would write it, for the time in which both are used.

use super::files::{AsKept, SeenBy, SeenByError, seen_by};
use super::find::{self, Named};
use super::plan::{Accepted, PlanError, plan};
use super::tool::{Mirrored, Tool};
use super::tools;
use crate::db::error::DbError;
use crate::db::session::Session;
use crate::dialect::Dialect;
use crate::run::journal::History;
use crate::run::task::{Direction, Task};
use crate::source::{Folder, KeptChecksum, Kind, ReadOptions, Version};
use std::path::Path;

/// Whether the old tool's table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MirrorWish {
    /// As `adopt` was told.
    #[default]
    AsAdopted,
    /// Yes.
    Yes,
    /// No.
    No,
}

/// The table of another tool, and how it is written.
pub struct Mirror {
    tool: &'static dyn Tool,
    table: String,
    dialect: Dialect,
    seen: SeenBy,
    /// Whether versions have 32 bits (refinery), which its checksum depends on.
    narrow: bool,
}

/// Why a table cannot be kept in step.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MirrorError {
    /// The server said no.
    #[error(transparent)]
    Database(#[from] DbError),
    /// Nothing was taken over from another tool.
    #[error("there is no history of another tool to be kept in step: none was adopted")]
    NothingAdopted,
    /// The table is gone, or is another one now.
    #[error("`{table}`, the history of {tool} that is to be kept in step, is not there")]
    Gone {
        /// The tool.
        tool: String,
        /// Its table.
        table: String,
    },
    /// The tool has gone on by itself.
    #[error("{tool} has applied what the history of twostep does not know: {}", .versions.join(", "))]
    WentOn {
        /// The tool.
        tool: String,
        /// What.
        versions: Vec<String>,
    },
    /// The tool has taken back what the journal has as applied.
    #[error("{tool} has taken back what is applied here: {}", .versions.join(", "))]
    TakenBack {
        /// The tool.
        tool: String,
        /// What.
        versions: Vec<String>,
    },
    /// The tool's history is not in order, or cannot hold this.
    #[error("the history of {tool} cannot be kept in step")]
    NotPossible {
        /// The tool.
        tool: String,
        /// Why.
        why: String,
    },
}

impl Mirror {
    /// The table that is to be kept in step, if one is.
    pub async fn open(
        session: &mut dyn Session,
        wish: MirrorWish,
        history: &History,
        folder: &Folder,
        path: &Path,
        options: &ReadOptions,
    ) -> Result<Option<Self>, MirrorError> {
        let from = match (wish, &history.adopted) {
            (MirrorWish::No, _) | (MirrorWish::AsAdopted, None) => return Ok(None),
            (MirrorWish::AsAdopted, Some(from)) if !from.mirror => return Ok(None),
            (_, Some(from)) if !from.table.is_empty() => from,
            (MirrorWish::Yes | MirrorWish::AsAdopted, _) => return Err(MirrorError::NothingAdopted),
        };
        let gone = || MirrorError::Gone { tool: from.tool.clone(), table: from.table.clone() };
        let tool = tools::by_id(&from.tool).ok_or_else(gone)?;
        let named = Named { tool: Some(from.tool.clone()), table: Some(from.table.clone()) };
        let found = find::named(session, &named).await?.into_iter().next().ok_or_else(gone)?;
        let not_possible = |why: String| MirrorError::NotPossible { tool: from.tool.clone(), why };
        let seen = match seen_by(tool, path, folder, true, options) {
            Ok(seen) => seen,
            // A rollback goes without the files.
            Err(SeenByError::Files(_)) if folder.migrations.is_empty() => SeenBy::default(),
            Err(error) => return Err(not_possible(error.to_string())),
        };
        let everything = Accepted { all: true, versions: Vec::new() };
        match plan(tool, &found.told, folder, &seen, &everything, history) {
            Ok(adoption) if adoption.taken.is_empty() => {}
            Ok(adoption) => {
                let versions = adoption.taken.iter().map(|one| one.version.to_string()).collect();
                return Err(MirrorError::WentOn { tool: from.tool.clone(), versions });
            }
            // Without the files, or with those of an older release, what it names may not be there.
            Err(
                PlanError::NewestMissing { .. } | PlanError::Strangers { .. } | PlanError::NoFiles { .. },
            ) => {}
            Err(PlanError::Unsettled { troubles, .. }) => {
                let why = troubles.first().map(|trouble| trouble.what.clone()).unwrap_or_default();
                return Err(not_possible(why));
            }
            Err(PlanError::TakenBack { versions, .. }) => {
                return Err(MirrorError::TakenBack { tool: from.tool.clone(), versions });
            }
            Err(error @ PlanError::Changed { .. }) => return Err(not_possible(error.to_string())),
        }
        let dialect = session.dialect();
        // `int8` and `bigint`, as refinery makes it where it is built for versions of 64 bits.
        let is_narrow = |(name, kind): &(String, String)| {
            name == "version" && !kind.contains("big") && !kind.contains('8')
        };
        let narrow = found.table.columns.iter().any(is_narrow);
        Ok(Some(Self { tool, table: found.table.name.quoted(dialect), dialect, seen, narrow }))
    }

    /// What is written of `task` once it is done. `applied` tells what is applied then.
    pub fn sql(
        &self,
        task: &Task,
        duration_ms: u128,
        folder: &Folder,
        applied: &dyn Fn(&Version) -> bool,
    ) -> Result<Vec<String>, MirrorError> {
        let version = &task.record.version;
        let kept = self.seen.kept.get(version.as_str()).cloned().unwrap_or_else(|| AsKept {
            key: self.tool.canonical(version.as_str()),
            name: task.record.name.clone(),
            path: String::new(),
            kind: if task.record.kind == "repeatable" { Kind::Repeatable } else { Kind::Versioned },
            checksums: Vec::new(),
            sides: (String::new(), String::new()),
        });
        let newest = folder
            .migrations
            .iter()
            .rev()
            .find(|one| one.kind == Kind::Versioned && applied(&one.version))
            .and_then(|one| self.seen.kept.get(one.version.as_str()));
        let checksum = kept.checksums.first().map(|checksum| self.shown(checksum)).unwrap_or_default();
        let mirrored = Mirrored {
            table: &self.table,
            dialect: self.dialect,
            key: &kept.key,
            name: &kept.name,
            path: &kept.path,
            kind: kept.kind,
            checksum: &checksum,
            sides: (&kept.sides.0, &kept.sides.1),
            duration_ms,
            newest: newest.map(|newest| newest.key.as_str()),
        };
        let sql = match task.direction {
            Direction::Up => self.tool.applied_sql(&mirrored),
            Direction::Down => self.tool.reverted_sql(&mirrored),
        };
        sql.map_err(|why| MirrorError::NotPossible { tool: self.tool.id().to_owned(), why })
    }

    /// A checksum as the tool writes it.
    fn shown(&self, checksum: &KeptChecksum) -> String {
        match checksum {
            KeptChecksum::Refinery { int4: Some(int4), .. } if self.narrow => int4.to_string(),
            other => other.to_string(),
        }
    }
}
