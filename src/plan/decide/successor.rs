//! Foreign keys that a migration drops to add them again, perhaps under another name or with another action.

use super::{Deciding, Decision, Refusal, refusal, short};
use crate::analysis::Step;
use crate::dialect::Dialect;
use crate::engine;
use crate::engine::proposal::{Back, Proposal, Stage};
use crate::name::{Name, TableName};
use crate::schema::apply::apply;
use crate::schema::change::{Change, ChangeKind, ConstraintKind, ForeignKey, TableAction};
use crate::schema::model::{Schema, Table, TableConstraint};
use crate::sql::lex::{Token, significant};
use std::sync::Arc;

/// A foreign key that stays until the one that takes its place is there.
pub(in crate::plan) struct Waiting {
    table: TableName,
    name: Name,
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
        let name = constraint.name.clone().or_else(|| given_name(&one.change, &one.before, &table));
        Some(AddedKey { table, name, key: key.clone() })
    });
    found.collect()
}

/// The name that the server gives the constraint which `change` adds.
fn given_name(change: &Change, before: &Schema, table: &TableName) -> Option<Name> {
    let mut after = before.clone();
    apply(&mut after, change);
    let known = before.table(table)?;
    let is_new = |one: &&Arc<TableConstraint>| known.constraint(&one.name).is_none();
    after.table(table)?.constraints.iter().find(is_new).map(|one| one.name.clone())
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
        let comes =
            |added: &&AddedKey| added.table == table.name && says_the_same(&added.key, key, table, before);
        let Some(added) = self.added_keys.iter().find(comes) else { return Ok(None) };
        let mut proposal = self.kept_behind(step, change, before, text)?;
        let again = added.name.as_ref().is_some_and(|own| table.same(own, name));
        proposal.limits.push(match again {
            true => format!(
                "`{}` waits for the contract, where another key stands in for it until it is there again",
                short(text)
            ),
            false => format!(
                "`{}` waits for the contract, until the key that takes its place is there",
                short(text)
            ),
        });
        let is_there = |one: &Arc<TableConstraint>| match &one.kind {
            ConstraintKind::ForeignKey(other) => {
                !table.same(&one.name, name) && says_the_same(&added.key, other, table, before)
            }
            _ => false,
        };
        if table.constraints.iter().any(is_there) {
            return Ok(Some(Decision::TwoSteps(Box::new(proposal))));
        }
        let (table, name) = (table.name.clone(), name.clone());
        self.waiting.push(Waiting { table, name, key: key.clone(), proposal });
        Ok(Some(Decision::Leave))
    }

    /// Adds to what adds a foreign key the drop of the one whose place it takes, behind it.
    pub(super) fn drop_predecessor(
        &mut self,
        step: &Step,
        change: &Change,
        before: &Schema,
        text: &str,
        proposal: &mut Proposal,
    ) -> Result<(), Refusal> {
        let Some((alter, TableAction::AddConstraint { constraint, .. })) = change.table_action() else {
            return Ok(());
        };
        let ConstraintKind::ForeignKey(added) = &constraint.kind else { return Ok(()) };
        let Some(table) = before.table(&alter.table) else { return Ok(()) };
        let is_it = |one: &Waiting| one.table == table.name && says_the_same(added, &one.key, table, before);
        let Some(at) = self.waiting.iter().position(is_it) else { return Ok(()) };
        let Waiting { name, proposal: old, .. } = self.waiting.remove(at);
        let own = constraint.name.clone().or_else(|| given_name(change, before, &table.name));
        if own.is_some_and(|own| table.same(&own, &name)) {
            let between = self.stand_in(step, change, before, text, &name)?;
            return among(between, old, proposal).ok_or_else(|| unknown_way_back(step, text));
        }
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
        Ok(())
    }

    /// What adds the key under another name, since two of one name cannot be there at once.
    fn stand_in(
        &self,
        step: &Step,
        change: &Change,
        before: &Schema,
        text: &str,
        name: &Name,
    ) -> Result<Proposal, Refusal> {
        // The longest name that the servers take has 64 characters.
        let short_name: String = name.as_str().chars().take(54).collect();
        let other = Name::new(format!("{short_name}_meanwhile"));
        let has_name = matches!(
            change.table_action(),
            Some((_, TableAction::AddConstraint { constraint, .. })) if constraint.name.is_some()
        );
        if !has_name {
            let what = format!("`{}` takes the place of a key whose name the server has given", short(text));
            return Err(refusal(
                step,
                what,
                "give the new one a name of its own: ADD CONSTRAINT name FOREIGN KEY …",
            ));
        }
        let mut change = change.clone();
        if let ChangeKind::AlterTable(alter) = &mut change.kind
            && let TableAction::AddConstraint { constraint, .. } = &mut alter.action
        {
            constraint.name = Some(other.clone());
        }
        let text = named(text, &other, before.dialect).ok_or_else(|| unknown_way_back(step, text))?;
        let proposal = self.proposal(step, &change, before, &text, self.given)?;
        proposal.ok_or_else(|| unknown_way_back(step, &text))
    }
}

fn unknown_way_back(step: &Step, text: &str) -> Refusal {
    let what = format!(
        "`{}` takes the place of a key of its name, and what is there meanwhile is not known",
        short(text)
    );
    refusal(step, what, "leave the two in a migration of their own")
}

/// Puts the change of `proposal` behind that of `old`, while `between` holds what both say; none where the way back is not
/// known.
fn among(mut between: Proposal, old: Proposal, proposal: &mut Proposal) -> Option<()> {
    let (Back::Stages(ends), Back::Stages(then), Back::Stages(first)) =
        (between.back, old.back, std::mem::take(&mut proposal.back))
    else {
        return None;
    };
    // The index that the server has made for a key goes when it makes one for the next of the same columns.
    let ends: Vec<Stage> = ends.into_iter().take(1).collect();
    let mut back = between.contract.clone();
    [first, then, ends.clone()].into_iter().for_each(|stages| back.extend(stages));
    proposal.back = Back::Stages(back);
    between.contract.extend(old.contract);
    between.contract.append(&mut proposal.contract);
    between.contract.extend(ends);
    proposal.contract = between.contract;
    proposal.limits.extend(old.limits);
    Some(())
}

/// The statement `text`, which adds a foreign key, with the name `name` for it.
fn named(text: &str, name: &Name, dialect: Dialect) -> Option<String> {
    let tokens: Vec<Token> = significant(text, dialect).collect();
    let foreign = tokens.iter().position(|token| token.is_word(text, "foreign"))?;
    let word = tokens[..foreign].iter().rposition(|token| token.is_word(text, "constraint"))?;
    let front = text.get(..tokens[word].span.start)?;
    let rest = text.get(tokens[foreign].span.start..)?;
    Some(format!("{front}CONSTRAINT {} {rest}", name.readable(dialect)))
}

/// Whether the two let the same rows refer to the same rows.
fn says_the_same(added: &ForeignKey, there: &ForeignKey, table: &Table, schema: &Schema) -> bool {
    let all = |one: &[Name], other: &[Name]| {
        one.len() == other.len() && one.iter().zip(other).all(|(one, other)| table.same(one, other))
    };
    let referenced =
        added.referenced_columns.is_empty() || all(&added.referenced_columns, &there.referenced_columns);
    let (to, from) = (schema.new_key(&added.references), schema.new_key(&there.references));
    to == from && all(&added.columns, &there.columns) && referenced
}
