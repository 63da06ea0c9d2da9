//! An index that is dropped at once leaves no way back when queries turn out to need it.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "drop-index-first-invisible",
    Group::Lock,
    Severity::Note,
    MYSQL,
    include_str!("drop_index_first_invisible.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (name, table) = match place.kind() {
        ChangeKind::Drop(drop) if drop.object == ObjectKind::Index => (&drop.name.name, drop.on.as_ref()?),
        ChangeKind::AlterTable(alter) => match &alter.action {
            TableAction::DropIndex { name, .. } => (name, &alter.table),
            _ => return None,
        },
        _ => return None,
    };
    let known = place.table(table);
    let index = known.and_then(|table| table.index(name));
    if index.is_some_and(|index| index.invisible) || place.is_skipped() || !place.is_used(table) {
        return None;
    }
    let replaced = index.is_some_and(|index| {
        known.is_some_and(|table| {
            table
                .indexes
                .iter()
                .any(|other| other.name != index.name && other.plain_columns() == index.plain_columns())
        })
    });
    if replaced || !place.is_known_to_code(index.and_then(|index| index.created)) {
        return None;
    }
    let (shown, sql) = (place.shown(table), place.sql(table));
    Some(
        Draft::new(
            format!("index `{name}` of `{shown}` is dropped without having been invisible first"),
            "if a query needs it after all, building it again takes as long as the table is large",
        )
        .help(format!("ALTER TABLE {sql} ALTER INDEX {} INVISIBLE;", place.id(name))),
    )
}
