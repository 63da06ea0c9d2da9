//! What a change before has taken apart: a later change of the same thing waits for the contract.

use super::kinds::{is_alone, is_concurrent, needed_at_once};
use super::{Deciding, Decision, Refusal, backfill, left_behind, one_transaction, refusal, short};
use crate::analysis::Step;
use crate::engine;
use crate::engine::effects::Session;
use crate::engine::proposal::{Action, Back, Given, Proposal, Stage, Undo};
use crate::name::{Name, TableName};
use crate::plan::concern::{Concern, part, target};
use crate::plan::deploy::reversed;
use crate::schema::change::{Change, ChangeKind, ConstraintKind, ObjectKind, TableAction};
use crate::schema::model::{Dependency, Schema};

/// What remains where two changes of one thing cannot both be done at first.
pub(super) const ONE_AFTER_THE_OTHER: &str = "plan the two as migrations of their own, one after the other";

impl Deciding<'_> {
    /// A change of what a change before has taken apart: it waits for the contract, which leaves what it was written for.
    pub(super) fn behind(
        &mut self,
        step: &Step,
        change: &Change,
        before: &Schema,
        text: &str,
        touched: &Concern,
    ) -> Result<Decision, Refusal> {
        if let Some(why) = needed_at_once(change) {
            return Err(refusal(
                step,
                format!(
                    "`{}` is changed a second time, after a change that takes two steps: {why}",
                    shown(touched)
                ),
                ONE_AFTER_THE_OTHER,
            ));
        }
        let given = Given { apart: Vec::new(), ..self.given.clone() };
        let mut proposal = match self.proposal(step, change, before, text, &given)? {
            Some(proposal) => proposal,
            None => match &change.kind {
                ChangeKind::Update(update) => {
                    let (action, key) =
                        backfill(update, before, text).map_err(|(what, help)| refusal(step, what, &help))?;
                    let contract = vec![Stage::Backfill { action, key }];
                    Proposal { contract, ..Proposal::default() }
                }
                _ => self.kept_behind(step, change, before, text)?,
            },
        };
        if !proposal.expand.is_empty() {
            let undo = reversed(&proposal.expand);
            proposal.back = match std::mem::take(&mut proposal.back) {
                Back::Nothing => Back::Stages(undo),
                Back::Stages(mut stages) => {
                    stages.extend(undo);
                    Back::Stages(stages)
                }
                Back::Authors => Back::Authors,
            };
            proposal.expand.append(&mut proposal.contract);
            std::mem::swap(&mut proposal.expand, &mut proposal.contract);
        }
        let since = match self.read_until_contract(change, before) {
            Some(_) => format!("a view that goes with it reads `{}`", shown(touched)),
            None => format!("`{}` is taken apart until then", shown(touched)),
        };
        proposal.limits.push(format!(
            "`{}` waits for the contract, since {since}: the new code works without it",
            short(text)
        ));
        let (table, columns) = target(change, before);
        self.touch(table, columns, change, before);
        Ok(Decision::TwoSteps(Box::new(proposal)))
    }

    pub(super) fn kept_behind(
        &self,
        step: &Step,
        change: &Change,
        before: &Schema,
        text: &str,
    ) -> Result<Proposal, Refusal> {
        let effects = engine::effects(change, before, self.server, Session::default());
        if !effects.is_instant() && !is_concurrent(change) {
            let lock = self.lock(change, before);
            return Err(refusal(step, format!("no online way is planned yet for `{}`", short(text)), &lock));
        }
        let action = Action::new("As it was, on what the contract leaves.", text);
        let mut limits = Vec::new();
        let back = match engine::undo(change, before, self.server) {
            None => Back::Authors,
            Some(Undo::Nothing) => {
                limits.push(left_behind(text));
                Back::Nothing
            }
            Some(Undo::Together(all)) => {
                Back::Stages(vec![Stage::Together(all.into_iter().map(|sql| Action::new("", sql)).collect())])
            }
            Some(Undo::Alone(all)) => {
                Back::Stages(all.into_iter().map(|sql| Stage::Alone(Action::new("", sql))).collect())
            }
        };
        let stage =
            if is_alone(change, text, before) { Stage::Alone(action) } else { Stage::Together(vec![action]) };
        Ok(Proposal { contract: vec![stage], back, limits, ..Proposal::default() })
    }

    /// What a change before has taken apart of that which `all` names.
    /// `whole`: whether the change is about all columns.
    pub(super) fn taken_apart(&self, all: &[Concern], whole: bool) -> Option<Concern> {
        let meets = |touched: &&Concern| {
            all.iter().any(|one| {
                one.of == touched.of
                    && (touched.columns.is_empty()
                        || whole
                        || one.columns.iter().any(|column| touched.columns.contains(column)))
            })
        };
        self.touched.iter().find(meets).cloned()
    }

    /// The column to which `change` gives another type while a view reads it that goes with the contract: PostgreSQL
    /// refuses that.
    pub(super) fn read_until_contract(&self, change: &Change, before: &Schema) -> Option<Concern> {
        let (_, TableAction::SetType { .. }) = change.table_action()? else { return None };
        let (table, columns) = target(change, before);
        let of = table.filter(|_| one_transaction(before))?;
        let reads = |read: &Dependency| {
            read.relation == of && read.columns.iter().any(|column| columns.contains(column))
        };
        self.read_by_views.iter().any(reads).then_some(Concern { of, columns })
    }

    pub(super) fn touch(
        &mut self,
        table: Option<TableName>,
        columns: Vec<Name>,
        change: &Change,
        before: &Schema,
    ) {
        let Some(table) = table else { return };
        match &change.kind {
            ChangeKind::AlterTable(alter) => match &alter.action {
                // These are there for what comes behind them, and nothing of what was there has changed.
                TableAction::AddColumn { .. }
                | TableAction::SetNotNull { .. }
                | TableAction::AddIndex(_)
                | TableAction::DropIndex { .. } => {}
                // Its new name is the table's from the first step on; the old one is a view.
                TableAction::RenameTable { .. } | TableAction::SetSchema { .. } => {
                    self.touched.push(Concern { of: table, columns: Vec::new() });
                }
                TableAction::AddConstraint { constraint, .. } => {
                    let name = constraint.name.iter();
                    let of = name.map(|name| part(ObjectKind::Constraint, name, &table));
                    self.touched.extend(of.map(|of| Concern { of, columns: Vec::new() }));
                }
                TableAction::DropConstraint { name, .. } => {
                    // Until the key is gone its columns are required.
                    let key = before.table(&table).and_then(|table| table.constraint(name));
                    if let Some(ConstraintKind::PrimaryKey(key)) = key.map(|key| &key.kind) {
                        self.touched.push(Concern { of: table.clone(), columns: key.columns.clone() });
                    }
                    let of = part(ObjectKind::Constraint, name, &table);
                    self.touched.push(Concern { of, columns: Vec::new() });
                }
                TableAction::DetachPartition { partition, .. } => {
                    let of = before.relation_key(partition).unwrap_or_else(|| before.new_key(partition));
                    self.touched.push(Concern { of, columns: Vec::new() });
                }
                _ => self.touched.push(Concern { of: table, columns }),
            },
            ChangeKind::CreateIndex(_) | ChangeKind::Reindex(_) => {}
            ChangeKind::Drop(drop) if drop.on.is_some() && drop.object != ObjectKind::Index => {
                let of = part(drop.object, &drop.name.name, &table);
                self.touched.push(Concern { of, columns: Vec::new() });
            }
            _ => {
                if let Some(view) = before.views.get(&table) {
                    self.read_by_views.extend(view.reads.iter().cloned());
                }
                self.touched.push(Concern { of: table, columns });
            }
        }
    }
}

/// What is called by a concern, for people.
pub(super) fn shown(concern: &Concern) -> String {
    match concern.columns.first() {
        Some(column) => format!("{}.{}", concern.of.name.as_str(), column.as_str()),
        None => concern.of.name.as_str().to_owned(),
    }
}
