//! The tasks as the machine sees them: what of them is still to be done, piece by piece.

use super::one::Task;
use crate::run::machine::Unit;
use crate::run::script::{Prepared, Work};

/// One unit of the machine: a piece of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitRef {
    /// Which task.
    pub task: usize,
    /// Which piece of it.
    pub piece: usize,
}

/// The pieces of `tasks` that are still to be done, as the machine sees them.
pub fn units(tasks: &[Task]) -> (Vec<UnitRef>, Vec<Unit>) {
    let mut refs = Vec::new();
    let mut units = Vec::new();
    for (number, task) in tasks.iter().enumerate() {
        let count = task.prepared.pieces.len();
        for (position, piece) in task.prepared.pieces.iter().enumerate() {
            let is_last = position + 1 == count;
            let done = !piece.statements.is_empty()
                && piece.statements.end != usize::MAX
                && piece.statements.clone().all(|ordinal| task.done.contains(&ordinal));
            if done && !is_last {
                continue;
            }
            let uncertain = task
                .intent
                .as_ref()
                .is_some_and(|intent| !done && piece.statements.contains(&intent.ordinal));
            refs.push(UnitRef { task: number, piece: position });
            units.push(Unit {
                // A last piece that is done already only lacks the row that says that its migration is.
                atomic: piece.atomic || done,
                uncertain,
                begins: position == 0 && task.done.is_empty() && task.cursors.is_empty(),
                completes: is_last,
            });
        }
    }
    (refs, units)
}

/// The number of statements of a script in memory; 0 where it is not known.
pub fn statement_count(prepared: &Prepared) -> usize {
    match &prepared.work {
        Work::Statements(statements) => statements.len(),
        Work::LargeFile { .. } => 0,
        Work::Program(_) => 1,
    }
}
