//! What the statements of a migration say of each other, before each is decided by itself: columns that it takes apart, and
//! what it drops to make it anew.

use super::decide::Refusal;
use crate::analysis::Step;
use crate::engine;
use crate::engine::proposal::{Apart, Given};
use crate::name::{Name, ObjectName, TableName};
use crate::schema::change::{ChangeKind, ObjectKind, TableAction};
use crate::schema::model::Index;
use std::sync::Arc;

/// Adds to `given` what all `steps` of the migration with this number say together.
pub(super) fn of_whole(given: &mut Given, steps: &[Step], migration: usize) {
    given.apart = apart(steps, migration);
    given.renumbered = renumbered(steps);
    given.rebuilt = rebuilt(steps);
    given.replaced = replaced(steps);
}

/// The columns of tables from before the migration that it takes apart.
fn apart(steps: &[Step], migration: usize) -> Vec<Apart> {
    let changes = steps.iter().flat_map(|step| &step.changes);
    let found = changes.filter_map(|one| {
        let apart = engine::apart(&one.change, &one.before)?;
        let created = one.before.table(&apart.table)?.created;
        created.is_none_or(|created| created.migration != migration).then_some(apart)
    });
    let mut all: Vec<Apart> = Vec::new();
    for one in found {
        // A second change of the same column waits for the contract.
        let again = |other: &Apart| {
            other.table == one.table && (other.column == one.column || other.copy == one.column)
        };
        if !all.iter().any(again) {
            all.push(one);
        }
    }
    all
}

/// The columns whose default from a sequence of theirs is dropped before they become identities.
fn renumbered(steps: &[Step]) -> Vec<(TableName, Name)> {
    let (mut dropped, mut found) = (Vec::new(), Vec::new());
    for one in steps.iter().flat_map(|step| &step.changes) {
        let Some((alter, action)) = one.change.table_action() else { continue };
        let Some(table) = one.before.relation_key(&alter.table) else { continue };
        match action {
            TableAction::DropDefault { column } => {
                let owner = (table, column.clone());
                let mut sequences = one.before.sequences.iter();
                if sequences.any(|(_, sequence)| sequence.owned_by.as_ref() == Some(&owner)) {
                    dropped.push(owner);
                }
            }
            TableAction::AddIdentity { column, .. } => {
                found.extend(dropped.iter().find(|one| **one == (table.clone(), column.clone())).cloned());
            }
            _ => {}
        }
    }
    found
}

/// The indexes that are dropped and then made anew on the same table under the same name, as they were.
fn rebuilt(steps: &[Step]) -> Vec<(TableName, Arc<Index>)> {
    let (mut dropped, mut found) = (Vec::new(), Vec::new());
    for one in steps.iter().flat_map(|step| &step.changes) {
        match &one.change.kind {
            ChangeKind::Drop(drop) if drop.object == ObjectKind::Index && !drop.cascade => {
                let known = one.before.index(&drop.name);
                let whole =
                    known.filter(|(table, _)| table.partition_by.is_none() && table.partition_of.is_none());
                dropped.extend(whole.map(|(table, index)| (table.name.clone(), Arc::clone(index))));
            }
            ChangeKind::CreateIndex(create) if !create.if_not_exists => {
                let table = one.before.relation_key(&create.table);
                let is_it = |(of, index): &&(TableName, Arc<Index>)| {
                    Some(of) == table.as_ref() && create.name.as_ref() == Some(&index.name)
                };
                found.extend(dropped.iter().find(is_it).cloned());
            }
            _ => {}
        }
    }
    found
}

/// The routines that are there and are replaced.
fn replaced(steps: &[Step]) -> Vec<ObjectName> {
    let found = steps.iter().flat_map(|step| &step.changes).filter_map(|one| match &one.change.kind {
        ChangeKind::CreateRoutine(create) if create.or_replace => {
            one.before.routines(&create.name).first().map(|there| there.name.clone())
        }
        _ => None,
    });
    found.collect()
}

/// A `--fill` for a column that the migration does not know.
pub(super) fn unused(given: &Given, steps: &[Step], from_user: usize) -> Option<Refusal> {
    let after = &steps.last()?.after;
    let own = given.fills.len() - from_user;
    let missing = |fill: &&(TableName, Name, String)| {
        after.table(&fill.0).is_none_or(|table| table.column(&fill.1).is_none())
    };
    let (table, column, _) = given.fills[own..].iter().find(missing)?;
    Some(Refusal {
        statement: 0,
        what: format!("--fill names `{table}.{}`, which is not there", column.as_str()),
        help: "name a table and a column of it that the migration makes NOT NULL".to_owned(),
    })
}
