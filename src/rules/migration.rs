//! A migration that is judged, with what stands around it.

use super::place::Place;
use crate::analysis::Step;
use crate::engine::version::ServerVersion;
use crate::schema::change::{Change, ChangeKind, TransactionControl};
use crate::schema::model::{Schema, When};
use crate::source::{Migration, Script};
use std::ops::Range;

/// Who runs the migrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Runner {
    /// `twostep migrate`, which sets timeouts, retries locks and journals each statement.
    #[default]
    Own,
    /// Another tool.
    Other,
}

/// A migration that is judged.
pub struct Judged<'a> {
    /// Its number among all that were analysed: that of its [`When`]s.
    pub number: usize,
    /// Those that reach the database in the same deploy: what they make, no running code knows.
    pub deploy: Range<usize>,
    /// What it is.
    pub migration: &'a Migration,
    /// Its way forward.
    pub script: &'a Script,
    /// The steps of its way forward.
    pub steps: &'a [Step],
    /// The schema before it.
    pub before: &'a Schema,
    /// The schema after it.
    pub after: &'a Schema,
    /// What its way back comes to, if it has one that could be followed.
    pub back: Option<&'a Back>,
    /// The server that it is for.
    pub server: ServerVersion,
    /// Who runs it.
    pub runner: Runner,
    /// Whether its format can have ways back at all, and this folder uses them.
    pub wants_down: bool,
    /// The id of the format of its folder.
    pub format: &'static str,
    /// Whether it is the only one of its folder, so that nothing is known of what stands before it.
    pub is_alone: bool,
    /// Whether the schema before it is all there is: earlier migrations made it, and all of them were understood.
    pub is_history_known: bool,
}

/// What the way back of a migration comes to.
#[derive(Debug, Clone)]
pub struct Back {
    /// Its steps.
    pub steps: Vec<Step>,
    /// The schema after it.
    pub end: Schema,
}

impl<'a> Judged<'a> {
    /// The changes of all statements, in order, each as a place.
    pub fn places<'j>(&'j self) -> impl Iterator<Item = Place<'j>> {
        let steps: &'j [Step] = self.steps;
        steps.iter().enumerate().flat_map(move |(number, step)| {
            step.changes.iter().map(move |applied| Place::new(self, number, step, applied))
        })
    }

    /// All changes, in order, each with the number of its step.
    pub fn changes(&self) -> impl Iterator<Item = (usize, &'a Change)> + use<'a> {
        let steps: &'a [Step] = self.steps;
        steps
            .iter()
            .enumerate()
            .flat_map(|(number, step)| step.changes.iter().map(move |applied| (number, &applied.change)))
    }

    /// Whether something that was made at `made` came with this deploy, so that no running code knows it.
    pub fn is_of_deploy(&self, made: Option<When>) -> bool {
        made.is_some_and(|made| self.deploy.contains(&made.migration))
    }

    /// Whether this migration itself committed with `COMMIT` between `made` and the step of number `now`: whoever
    /// writes that wants others to see what was made.
    pub fn is_published(&self, made: When, now: usize) -> bool {
        let from = if made.migration == self.number { made.statement } else { 0 };
        let between = self.steps.iter().take(now).filter(|step| step.at.statement > from);
        made.migration == self.number
            && between.flat_map(|step| &step.changes).any(|applied| is_commit(&applied.change))
    }

    /// The steps of the transaction that the step of number `number` runs in; that step alone where it commits by
    /// itself.
    pub fn transaction_of(&self, number: usize) -> &'a [Step] {
        let Some(step) = self.steps.get(number) else { return &[] };
        let Some(transaction) = step.transaction else { return &self.steps[number..=number] };
        let same = |step: &Step| step.transaction == Some(transaction);
        let first = self.steps[..number].iter().rposition(|step| !same(step)).map_or(0, |at| at + 1);
        let last = self.steps[number..]
            .iter()
            .position(|step| !same(step))
            .map_or(self.steps.len(), |at| number + at);
        &self.steps[first..last]
    }

    /// The schema that others see once the step of number `number` has committed.
    pub fn committed_after(&self, number: usize) -> &'a Schema {
        match self.transaction_of(number).last() {
            // A transaction that the script's end commits has no statement of its own for it.
            Some(last) => &last.after,
            None => self.after,
        }
    }
}

/// Whether `change` commits what stands before it.
pub fn is_commit(change: &Change) -> bool {
    matches!(&change.kind, ChangeKind::Transaction(TransactionControl::Commit { .. }))
}
