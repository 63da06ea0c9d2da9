//! One task: a migration in one direction, with what the journal knows of it.

use crate::run::error::RunError;
use crate::run::journal::{History, MigrationRecord, StatementRow};
use crate::run::script::{Prepared, ScriptProblem, Statement, Work};
use crate::source::{Kind, Version};
use crate::text::deceives;

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Apply.
    Up,
    /// Take back.
    Down,
}

/// One migration in one direction.
#[derive(Debug, Clone)]
pub struct Task {
    /// Version and name, as they are shown.
    pub label: String,
    /// Which way.
    pub direction: Direction,
    /// What is written of it.
    pub record: MigrationRecord,
    /// Its statements, in pieces.
    pub prepared: Prepared,
    /// Whether the journal has a row of it already.
    pub known: bool,
    /// Statements that an earlier run has done.
    pub done: Vec<usize>,
    /// The values that the user's variables had behind statements that an earlier run has done, by number.
    pub kept: Vec<(usize, String)>,
    /// How far statements have come that run in parts: number and cursor.
    pub cursors: Vec<(usize, String)>,
    /// A statement that an earlier run was about to run.
    pub intent: Option<StatementRow>,
}

impl Task {
    /// Whether rows are filled in chunks.
    pub fn fills_rows(&self) -> bool {
        self.prepared.pieces.iter().any(|piece| piece.chunked)
    }
}

pub(super) enum TaskProblem {
    Scripts(Vec<ScriptProblem>),
    Run(Box<RunError>),
}

/// Takes over what an earlier run has done of the task, if its statements are still the same.
pub(super) fn resume(task: &mut Task, history: &History) -> Result<(), TaskProblem> {
    let statements: &[Statement] = match &task.prepared.work {
        Work::Statements(statements) => statements,
        Work::LargeFile { .. } | Work::Program(_) => &[],
    };
    for row in history.statements.iter().filter(|row| row.version == task.record.version) {
        let now = statements.get(row.ordinal).map(Statement::checksum);
        if (row.done || row.in_parts)
            && now.as_deref() != Some(row.checksum.as_str())
            && !statements.is_empty()
        {
            return Err(TaskProblem::Run(Box::new(RunError::Half {
                migration: task.label.clone(),
                state: "applied",
                help: format!(
                    "statement {} was applied, or begun, with another text than {} has now; put it back as it was, and edit only \
                     what comes after it",
                    row.ordinal + 1,
                    task.prepared.path
                ),
            })));
        }
        if row.done {
            task.done.push(row.ordinal);
            task.kept.extend(row.before.iter().map(|kept| (row.ordinal, kept.clone())));
        } else if row.in_parts {
            task.cursors.extend(row.before.iter().map(|cursor| (row.ordinal, cursor.clone())));
        } else {
            task.intent = Some(row.clone());
        }
    }
    Ok(())
}

/// Version and name as people write them.
pub fn label(version: &Version, name: &str) -> String {
    let label = if name.is_empty() || version.as_str().ends_with(name) {
        version.to_string()
    } else {
        format!("{version}_{name}")
    };
    if !label.contains(deceives) {
        return label;
    }
    let shown = |character: char| {
        if deceives(character) { character.escape_unicode().to_string() } else { character.to_string() }
    };
    label.chars().map(shown).collect()
}

/// The word that the journal has for it.
pub const fn kind_id(kind: Kind) -> &'static str {
    match kind {
        Kind::Versioned => "versioned",
        Kind::Repeatable => "repeatable",
        Kind::Baseline => "baseline",
    }
}
