//! What a run is for, and what it has to do for that.

use super::down::rollback;
use super::one::Task;
use super::up::migrate;
use crate::dialect::Dialect;
use crate::run::error::RunError;
use crate::run::journal::{History, StoredDown};
use crate::run::pending::{Backfills, Wanted};
use crate::run::rollback::RollbackTarget;
use crate::source::{Folder, Version};
use std::collections::HashMap;

/// What a run is for.
#[derive(Debug, Clone)]
pub enum Goal {
    /// Apply what is pending.
    Migrate(Wanted),
    /// Take back what was applied.
    Rollback(RollbackTarget),
}

impl Goal {
    /// The command's name, for the journal.
    pub fn command(&self) -> String {
        match self {
            Goal::Migrate(Wanted { because: Some(why), .. }) if why.is_empty() => {
                "migrate --contract".to_owned()
            }
            Goal::Migrate(Wanted { because: Some(why), .. }) => {
                // Half of what the column holds on every engine.
                let why: String = why.chars().take(120).collect();
                format!("migrate --contract because {why}")
            }
            Goal::Migrate(Wanted { backfills: Backfills::Only(_), .. }) => "backfill".to_owned(),
            Goal::Migrate(_) => "migrate".to_owned(),
            Goal::Rollback(_) => "rollback".to_owned(),
        }
    }
}

/// Who runs, and for which release.
#[derive(Debug, Clone, Default)]
pub struct Author {
    /// Role and host.
    pub by: String,
    /// The release.
    pub release: Option<String>,
}

/// What is to be done, and what should be said before.
#[derive(Debug, Clone, Default)]
pub struct Agenda {
    /// The tasks, in order.
    pub tasks: Vec<Task>,
    /// What a person should know, one sentence each.
    pub warnings: Vec<String>,
    /// Contracts that wait, and why: one sentence each.
    pub held: Vec<String>,
    /// Migrations whose rows are left to a process of their own.
    pub left: Vec<String>,
}

impl Agenda {
    /// Whether rows are filled in chunks.
    pub fn fills_rows(&self) -> bool {
        self.tasks.iter().any(Task::fills_rows)
    }
}

/// What `goal` means for this history. `downs` holds the stored downs of migrations that are not among the files.
pub fn agenda(
    goal: &Goal,
    folder: &Folder,
    history: &History,
    downs: &HashMap<Version, StoredDown>,
    author: &Author,
    dialect: Dialect,
) -> Result<Agenda, RunError> {
    match goal {
        Goal::Migrate(wanted) => migrate(wanted, folder, history, author, dialect),
        Goal::Rollback(target) => rollback(target, folder, history, downs, author, dialect),
    }
}
