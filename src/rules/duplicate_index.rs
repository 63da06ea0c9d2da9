//! An index whose columns another one begins with.

use super::prelude::*;
use std::sync::Arc;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "duplicate-index",
    Group::Style,
    Severity::Warning,
    ALL_ENGINES,
    include_str!("duplicate_index.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    match place.kind() {
        ChangeKind::CreateIndex(create) => added(place, create),
        ChangeKind::AlterTable(alter) => match &alter.action {
            TableAction::AddIndex(create) => added(place, create),
            _ => None,
        },
        ChangeKind::CreateTable(create) if !place.is_skipped() => within(place, &create.table),
        _ => None,
    }
}

/// An index that is added beside one that serves the same queries: it is too much, or makes the other one so.
fn added(place: &Place<'_>, create: &CreateIndex) -> Option<Draft> {
    let plain = create.method.as_deref().is_none_or(|method| method == "btree") && create.predicate.is_none();
    let columns = create.plain_columns().filter(|_| plain)?;
    let table = place.table(&create.table)?;
    // The one that is there may go in the same migration.
    let after = place.judged.after.table(&create.table)?;
    let mut others = table
        .indexes
        .iter()
        .filter(|other| Some(&other.name) != create.name.as_ref() && after.index(&other.name).is_some());
    let other = others.find(|other| {
        plain_columns(other).is_some_and(|own| {
            let served = !create.unique && own.starts_with(&columns);
            served || !other.unique && columns.starts_with(&own)
        })
    })?;
    let is_longer = plain_columns(other).is_some_and(|own| own.len() < columns.len());
    let shown = place.shown(&create.table);
    Some(if is_longer {
        draft(format!("the new index begins with all columns of index `{}` of `{shown}`", other.name))
            .help(format!("drop `{}` once the new one is there", other.name))
    } else {
        draft(format!("index `{}` of `{shown}` begins with the same columns", other.name))
            .help("leave the new one out, or drop the old one")
    })
}

/// Indexes of a new table, of which one serves what another is for.
fn within(place: &Place<'_>, name: &TableName) -> Option<Draft> {
    let table = place.step.after.table(name)?;
    let after = place.judged.after.table(name)?;
    let kept = |index: &&Arc<Index>| after.index(&index.name).is_some();
    let mut all = table.indexes.iter().filter(kept).enumerate();
    let (short, long) = all.find_map(|(at, short)| {
        let columns = plain_columns(short).filter(|_| !short.unique)?;
        let mut others = table.indexes.iter().filter(kept).enumerate();
        let long = others.find(|(other, long)| {
            // Of two alike, the second one is too much.
            plain_columns(long).is_some_and(|own| {
                *other != at && own.starts_with(&columns) && (own.len() > columns.len() || *other < at)
            })
        })?;
        Some((short, long.1))
    })?;
    let shown = place.shown(name);
    Some(
        draft(format!(
            "index `{}` of `{shown}` begins with the columns of index `{}`",
            long.name, short.name
        ))
        .help(format!("leave `{}` out", short.name)),
    )
}

fn draft(message: String) -> Draft {
    Draft::new(message, "it serves the same queries; two cost each write twice")
}

/// The columns of an index that is ordered, holds all rows and can be used.
fn plain_columns(index: &Index) -> Option<Vec<&Name>> {
    let plain = index.method.as_deref().is_none_or(|method| method == "btree") && index.predicate.is_none();
    index.plain_columns().filter(|_| plain && index.valid)
}
