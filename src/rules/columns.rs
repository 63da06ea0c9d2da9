//! Columns and locks as several rules ask for them.

use super::prelude::*;
use std::sync::Arc;

/// The columns that a change writes down, with the table.
pub fn definitions<'a>(place: &Place<'a>) -> impl Iterator<Item = (&'a ColumnDef, &'a TableName)> {
    let (columns, table): (&'a [ColumnDef], Option<&'a TableName>) = match place.kind() {
        ChangeKind::CreateTable(create) => (&create.columns, Some(&create.table)),
        ChangeKind::AlterTable(alter) => match &alter.action {
            TableAction::AddColumn { column, .. } | TableAction::ChangeColumn { column, .. } => {
                (std::slice::from_ref(&**column), Some(&alter.table))
            }
            _ => (&[], None),
        },
        _ => (&[], None),
    };
    columns.iter().filter_map(move |column| Some((column, table?)))
}

/// The columns whose type a change writes down, with the type and the table as people read it.
pub fn written<'a>(place: &Place<'a>) -> impl Iterator<Item = (&'a Name, &'a DataType, String)> {
    let shown = place.table_written().map(|table| place.shown(table)).unwrap_or_default();
    let retyped = match place.kind() {
        ChangeKind::AlterTable(alter) => match &alter.action {
            TableAction::SetType { column, data_type, .. } => Some((column, data_type)),
            _ => None,
        },
        _ => None,
    };
    let defined =
        definitions(place).filter_map(|(column, _)| Some((&column.name, column.data_type.as_ref()?)));
    defined.chain(retyped).map(move |(column, data_type)| (column, data_type, shown.clone()))
}

/// Whether a change waits for a lock that others feel.
pub fn locks(place: &Place<'_>) -> bool {
    match place.kind() {
        // Whatever it is on, waiting for it is felt.
        ChangeKind::Reindex(reindex) => !reindex.concurrently,
        ChangeKind::RefreshMaterializedView { concurrently, .. } => !concurrently,
        ChangeKind::Drop(drop) if drop.object == ObjectKind::Index => !drop.concurrently,
        _ => place.felt().any(|effect| effect.lock.blocks_writes && effect.role != Role::Index),
    }
}

/// The first statement of a migration that waits for a lock which others feel, without having set `setting`.
pub fn first_lock_without(judged: &Judged<'_>, setting: &str) -> Option<At> {
    let mut places = judged.places();
    let found = places.find(|place| !place.step.settings.contains_key(setting) && locks(place))?;
    Some(At::Statement(found.number, found.change().span))
}

/// A relation that one statement takes away and a later one brings back, each seen by itself.
pub fn gone_for_a_moment(place: &Place<'_>, shown: &str) -> Draft {
    let help = if crate::engine::rolls_back_schema(place.dialect()) {
        "run both in one transaction, BEGIN and COMMIT around them: then nobody sees what is between"
    } else {
        "RENAME TABLE takes several renames at once, which nobody sees half done: RENAME TABLE old TO aside, new TO old;"
    };
    Draft::new(
        format!("there is no `{shown}` until a later statement brings it back"),
        "outside of a transaction others see each statement by itself: queries of running code on it fail in between, and from then on if the migration stops there",
    )
    .help(help)
    .severity(Severity::Warning)
    .whole()
}

/// A table that is made anew under its own name, as is usual on SQLite: what it was, and what it is in the end. Told at
/// the statement that drops the old one or renames it out of the way.
pub fn made_anew<'a>(place: &Place<'a>) -> Option<(&'a TableName, &'a Arc<Table>, &'a Arc<Table>)> {
    let name = match place.kind() {
        ChangeKind::Drop(drop) if drop.object == ObjectKind::Table => &drop.name,
        ChangeKind::AlterTable(alter) if matches!(alter.action, TableAction::RenameTable { .. }) => {
            &alter.table
        }
        _ => return None,
    };
    let old = place.table(name)?;
    let new = place.in_the_end().table(name).filter(|new| new.is_complete())?;
    let another = new.created != old.created && !place.is_known_to_code(new.created);
    (another && !place.is_skipped() && place.is_used(name)).then_some((name, old, new))
}
