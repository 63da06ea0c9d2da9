//! Without a unique index, `ON CONFLICT` of the running code fails and duplicates are accepted.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "drop-index-compat",
    Group::Compat,
    Severity::Warning,
    ALL_ENGINES,
    include_str!("drop_index_compat.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (name, table) = dropped(place)?;
    if place.is_skipped() {
        return None;
    }
    let index = table.and_then(|table| table.index(name));
    let unique = index.map(|index| index.unique || index.primary);
    let made = index.and_then(|index| index.created);
    let replaced = index.is_some_and(|index| has_like(place, table, index));
    if unique == Some(false) || replaced || !place.is_known_to_code(made) {
        return None;
    }
    let draft = Draft::new(
        format!("dropping index `{name}`{}", if unique == Some(true) { ", which is unique" } else { "" }),
        "if running code relies on it, `ON CONFLICT` on its columns fails, duplicates are accepted, and queries get slow",
    )
    .help("look whether it is used (`pg_stat_user_indexes`), and make its replacement first");
    Some(if unique == Some(true) { draft } else { draft.severity(Severity::Note) })
}

/// The index that is dropped, and its table where that is known.
fn dropped<'a>(place: &Place<'a>) -> Option<(&'a Name, Option<&'a std::sync::Arc<Table>>)> {
    match place.kind() {
        ChangeKind::Drop(drop) if drop.object == ObjectKind::Index => {
            let table = match &drop.on {
                Some(table) => place.table(table),
                None => place.before().index(&drop.name).map(|(table, _)| table),
            };
            Some((&drop.name.name, table))
        }
        ChangeKind::AlterTable(alter) => match &alter.action {
            TableAction::DropIndex { name, .. } => Some((name, place.table(&alter.table))),
            _ => None,
        },
        _ => None,
    }
}

/// Whether another unique index on the same columns is left.
fn has_like(place: &Place<'_>, table: Option<&std::sync::Arc<Table>>, index: &Index) -> bool {
    let Some(table) = table.and_then(|table| place.committed().table(&table.name)) else { return true };
    table.indexes.iter().any(|other| {
        other.unique
            && other.valid
            && other.elements.len() == index.elements.len()
            && other.plain_columns() == index.plain_columns()
            && other.predicate.as_ref().map(|one| &one.text) == index.predicate.as_ref().map(|one| &one.text)
    })
}
