//! A statement outside a transaction that fails when the migration is run a second time.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "robust-stmts",
    Group::Style,
    Severity::Warning,
    POSTGRES,
    include_str!("robust_stmts.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let first = place.step.changes.iter().take_while(|other| !std::ptr::eq(*other, place.applied));
    // What stands alone in its file either was done or was not.
    let alone = place.judged.steps.iter().filter(|step| !is_setting(step)).take(2).count() <= 1
        && !is_concurrent(place);
    if place.in_transaction() && !is_concurrent(place) && !ends_early(place)
        || alone && place.judged.script.transaction
        || first.count() > 0 && !matches!(place.kind(), ChangeKind::AlterTable(_))
    {
        return None;
    }
    let missing = missing(place)?;
    Some(
        Draft::new(format!("this fails when the migration is run again: it has no {missing}"), "outside a transaction, what ran before a failure stays; the next run meets it")
            .help(format!("{missing}; `twostep migrate` remembers each statement and goes on where it stopped, so that it is not needed there")),
    )
}

fn is_setting(step: &crate::analysis::Step) -> bool {
    step.changes.iter().all(|applied| matches!(applied.change.kind, ChangeKind::SetVariable(_)))
}

fn is_concurrent(place: &Place<'_>) -> bool {
    match place.kind() {
        ChangeKind::CreateIndex(create) => create.concurrently,
        ChangeKind::Drop(drop) => drop.concurrently,
        _ => false,
    }
}

/// Whether other transactions follow in the same migration, so that a failure there leaves this one done.
fn ends_early(place: &Place<'_>) -> bool {
    let own = place.judged.transaction_of(place.number);
    let Some(last) = own.last() else { return false };
    let behind = place.judged.steps.partition_point(|step| step.at <= last.at);
    // A transaction that records its own version is not begun a second time.
    let records = || {
        own.iter().flat_map(|step| &step.changes).any(|applied| {
            matches!(&applied.change.kind, ChangeKind::Update(update) if update.table.name.as_str().contains("version"))
        })
    };
    place.judged.steps[behind..].iter().any(|step| !is_setting(step)) && !records()
}

/// The words that would make the statement repeatable.
fn missing(place: &Place<'_>) -> Option<&'static str> {
    match place.kind() {
        ChangeKind::CreateTable(create) if create.persistence == Persistence::Temporary => None,
        ChangeKind::CreateTable(create) => (!create.if_not_exists).then_some("IF NOT EXISTS"),
        ChangeKind::CreateIndex(create) => (!create.if_not_exists).then_some("IF NOT EXISTS"),
        ChangeKind::CreateSequence { if_not_exists, .. } | ChangeKind::CreateSchema { if_not_exists, .. } => {
            (!if_not_exists).then_some("IF NOT EXISTS")
        }
        ChangeKind::Drop(drop) => (!drop.if_exists).then_some("IF EXISTS"),
        ChangeKind::AlterTable(alter) => match &alter.action {
            TableAction::AddColumn { if_not_exists, .. } => (!if_not_exists).then_some("IF NOT EXISTS"),
            TableAction::DropColumn { if_exists, .. } => (!if_exists).then_some("IF EXISTS"),
            TableAction::DropConstraint { if_exists, .. } => (!if_exists).then_some("IF EXISTS"),
            TableAction::AddConstraint { constraint, .. } => {
                (!is_dropped_before(place, &alter.table, constraint))
                    .then_some("DROP CONSTRAINT IF EXISTS in front of it")
            }
            _ => None,
        },
        _ => None,
    }
}

/// Whether the constraint is dropped, if it is there, by the statement before.
fn is_dropped_before(place: &Place<'_>, table: &TableName, constraint: &Constraint) -> bool {
    let Some(name) = &constraint.name else { return false };
    let earlier = place.judged.changes().take_while(|(number, _)| *number < place.number);
    let mut dropped = false;
    for (_, change) in earlier {
        match change.table_action() {
            Some((alter, TableAction::DropConstraint { name: other, if_exists: true, .. }))
                if place.is_same(&alter.table, table) && other == name =>
            {
                dropped = true
            }
            Some((alter, TableAction::AddConstraint { constraint, .. }))
                if place.is_same(&alter.table, table) && constraint.name.as_ref() == Some(name) =>
            {
                dropped = false
            }
            _ => {}
        }
    }
    dropped
}
