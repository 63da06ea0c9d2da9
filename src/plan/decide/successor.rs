//! Foreign keys that a migration drops to add them again, under another name or with another action.

use super::{Deciding, Decision, Refusal, short};
use crate::analysis::Step;
use crate::engine;
use crate::engine::proposal::{Back, Proposal};
use crate::name::{Name, TableName};
use crate::schema::change::{Change, ConstraintKind, ForeignKey, TableAction};
use crate::schema::model::{Schema, Table, TableConstraint};
use std::sync::Arc;

/// A foreign key that stays until the one that takes its place is there.
pub(in crate::plan) struct Waiting {
    table: TableName,
    key: ForeignKey,
    /// What drops it.
    proposal: Proposal,
}

/// A foreign key that a statement of the migration adds.
pub(in crate::plan) struct AddedKey {
    table: TableName,
    name: Option<Name>,
    key: ForeignKey,
}

/// The foreign keys that `steps` add.
pub(in crate::plan) fn added_keys(steps: &[Step]) -> Vec<AddedKey> {
    let found = steps.iter().flat_map(|step| &step.changes).filter_map(|one| {
        let (alter, TableAction::AddConstraint { constraint, .. }) = one.change.table_action()? else {
            return None;
        };
        let ConstraintKind::ForeignKey(key) = &constraint.kind else { return None };
        let table = one.before.relation_key(&alter.table)?;
        Some(AddedKey { table, name: constraint.name.clone(), key: key.clone() })
    });
    found.collect()
}

impl Deciding<'_> {
    /// Whether `change` drops a foreign key that a later change of the migration adds again. Where the two cannot be one
    /// transaction, the new one is added in the contract: dropped at first, nothing would keep orphans away until then.
    pub(super) fn waits_for_successor(
        &mut self,
        step: &Step,
        change: &Change,
        before: &Schema,
        text: &str,
    ) -> Result<Option<Decision>, Refusal> {
        if engine::rolls_back_schema(before.dialect) {
            return Ok(None);
        }
        let Some((alter, TableAction::DropConstraint { name, .. })) = change.table_action() else {
            return Ok(None);
        };
        let Some(table) = before.table(&alter.table) else { return Ok(None) };
        let Some(ConstraintKind::ForeignKey(key)) = table.constraint(name).map(|constraint| &constraint.kind)
        else {
            return Ok(None);
        };
        // Two of one name cannot be there at once.
        let comes = |added: &&AddedKey| {
            let other_name = added.name.as_ref().is_none_or(|own| !table.same(own, name));
            added.table == table.name && other_name && says_the_same(&added.key, key, table)
        };
        let Some(added) = self.added_keys.iter().find(comes) else { return Ok(None) };
        let mut proposal = self.kept_behind(step, change, before, text)?;
        proposal.limits.push(format!(
            "`{}` waits for the contract, until the key that takes its place is there",
            short(text)
        ));
        let is_there = |one: &Arc<TableConstraint>| match &one.kind {
            ConstraintKind::ForeignKey(other) => {
                !table.same(&one.name, name) && says_the_same(&added.key, other, table)
            }
            _ => false,
        };
        if table.constraints.iter().any(is_there) {
            return Ok(Some(Decision::TwoSteps(Box::new(proposal))));
        }
        self.waiting.push(Waiting { table: table.name.clone(), key: key.clone(), proposal });
        Ok(Some(Decision::Leave))
    }

    /// Adds to what adds a foreign key the drop of the one whose place it takes, behind it.
    pub(super) fn drop_predecessor(&mut self, change: &Change, before: &Schema, proposal: &mut Proposal) {
        let Some((alter, TableAction::AddConstraint { constraint, .. })) = change.table_action() else {
            return;
        };
        let ConstraintKind::ForeignKey(added) = &constraint.kind else { return };
        let Some(table) = before.table(&alter.table) else { return };
        let is_it = |one: &Waiting| one.table == table.name && says_the_same(added, &one.key, table);
        let Some(at) = self.waiting.iter().position(is_it) else { return };
        let old = self.waiting.remove(at).proposal;
        proposal.back = match (old.back, std::mem::take(&mut proposal.back)) {
            (Back::Authors, _) | (_, Back::Authors) => Back::Authors,
            (Back::Nothing, back) | (back, Back::Nothing) => back,
            // An index that the server has made for the new key is only there, under its name, until it has made one for
            // the old.
            (Back::Stages(then), Back::Stages(mut first)) => {
                first.extend(then);
                Back::Stages(first)
            }
        };
        proposal.limits.extend(old.limits);
        proposal.contract.extend(old.contract);
    }
}

/// Whether the two let the same rows refer to the same rows.
fn says_the_same(added: &ForeignKey, there: &ForeignKey, table: &Table) -> bool {
    let all = |one: &[Name], other: &[Name]| {
        one.len() == other.len() && one.iter().zip(other).all(|(one, other)| table.same(one, other))
    };
    let referenced =
        added.referenced_columns.is_empty() || all(&added.referenced_columns, &there.referenced_columns);
    added.references.name == there.references.name && all(&added.columns, &there.columns) && referenced
}
