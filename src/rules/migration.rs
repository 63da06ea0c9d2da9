//! A migration that is judged, with what stands around it.

use super::place::Place;
use crate::analysis::Step;
use crate::engine::version::ServerVersion;
use crate::name::{Name, TableName};
use crate::schema::change::{Change, ChangeKind, TableAction, TransactionControl};
use crate::schema::model::{Schema, When};
use crate::source::{Migration, Script};
use std::cell::OnceCell;
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
    /// Whether somebody has said so.
    pub is_server_known: bool,
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
    /// What is worked out once for all of its statements.
    pub outline: OnceCell<Outline>,
    /// The last step that waits for a lock which others feel, once that was asked for.
    pub last_lock: OnceCell<Option<usize>>,
}

/// Where the transactions of a migration begin and end.
#[derive(Debug, Default)]
pub struct Outline {
    /// For each step those of its transaction.
    transactions: Vec<Range<usize>>,
    /// The steps that commit, in order.
    commits: Vec<usize>,
    /// The constraints that are added NOT VALID: step, table and name.
    pub unvalidated: Vec<(usize, TableName, Name)>,
    /// The constraints that are validated.
    pub validated: Vec<(usize, TableName, Name)>,
}

impl Outline {
    fn new(steps: &[Step]) -> Self {
        let mut outline = Self::default();
        let mut start = 0;
        while start < steps.len() {
            let number = steps[start].transaction;
            let same = |step: &Step| number.is_some() && step.transaction == number;
            let length = steps[start..].iter().take_while(|step| same(step)).count().max(1);
            let range = start..start + length;
            outline.transactions.extend(range.clone().map(|_| range.clone()));
            start = range.end;
        }
        let commits = |step: &Step| step.changes.iter().any(|applied| is_commit(&applied.change));
        outline.commits = (0..steps.len()).filter(|number| commits(&steps[*number])).collect();
        for (number, step) in steps.iter().enumerate() {
            for applied in &step.changes {
                outline.constraint(number, &applied.change);
            }
        }
        outline
    }

    fn constraint(&mut self, number: usize, change: &Change) {
        match change.table_action() {
            Some((alter, TableAction::AddConstraint { constraint, .. })) if constraint.not_valid => {
                let name = constraint.name.clone().unwrap_or_default();
                self.unvalidated.push((number, alter.table.clone(), name));
            }
            Some((alter, TableAction::ValidateConstraint { name })) => {
                self.validated.push((number, alter.table.clone(), name.clone()));
            }
            _ => {}
        }
    }
}

/// What the way back of a migration comes to.
#[derive(Debug, Clone)]
pub struct Back {
    /// Its steps.
    pub steps: Vec<Step>,
    /// The schema after it.
    pub end: Schema,
}

impl Back {
    /// Whether it has no statement: then it is none.
    pub fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| {
            let control = |change: &Change| {
                matches!(change.kind, ChangeKind::Transaction(_) | ChangeKind::Harmless { .. })
            };
            step.changes.iter().all(|applied| control(&applied.change))
        })
    }
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

    /// What is worked out once for all of its statements.
    pub fn outline(&self) -> &Outline {
        self.outline.get_or_init(|| Outline::new(self.steps))
    }

    /// The step that made something at `made`, if this migration did.
    pub fn step_of(&self, made: When) -> Option<&'a Step> {
        let steps: &'a [Step] = self.steps;
        let at = steps.binary_search_by(|step| step.at.cmp(&made)).ok()?;
        steps.get(at)
    }

    /// Whether this migration itself committed with `COMMIT` between `made` and the step of number `now`: whoever
    /// writes that wants others to see what was made.
    pub fn is_published(&self, made: When, now: usize) -> bool {
        let from = if made.migration == self.number { made.statement } else { 0 };
        let commits = &self.outline().commits;
        let behind = commits.partition_point(|at| self.steps[*at].at.statement <= from);
        made.migration == self.number && commits.get(behind).is_some_and(|at| *at < now)
    }

    /// The steps of the transaction that the step of number `number` runs in; that step alone where it commits by
    /// itself.
    pub fn transaction_of(&self, number: usize) -> &'a [Step] {
        let steps: &'a [Step] = self.steps;
        self.outline().transactions.get(number).map_or(&[], |range| &steps[range.clone()])
    }

    /// Whether the tool sends the file in one piece, so that the server runs it in one transaction unless the file
    /// has some of its own.
    pub fn is_sent_in_one_piece(&self) -> bool {
        matches!(self.format, "golang-migrate" | "prisma")
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
