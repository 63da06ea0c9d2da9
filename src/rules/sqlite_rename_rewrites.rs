//! A table of SQLite that is renamed away to be made anew takes the foreign keys of other tables along.

use super::prelude::*;
use crate::engine::SQLITE;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "sqlite-rename-rewrites",
    Group::Wrong,
    Severity::Error,
    SQLITE,
    include_str!("sqlite_rename_rewrites.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (alter, TableAction::RenameTable { to }) = place.alter_of_table()? else { return None };
    let later = || place.judged.changes().filter(|(number, _)| *number > place.number);
    let made = later().any(|(_, change)| {
        matches!(&change.kind, ChangeKind::CreateTable(create) if place.is_same(&create.table, &alter.table))
    });
    let dropped = later()
        .any(|(_, change)| matches!(&change.kind, ChangeKind::Drop(drop) if place.is_same(&drop.name, to)));
    let legacy = place.step.settings.get("legacy_alter_table");
    let is_legacy =
        legacy.is_some_and(|value| ["1", "on", "true"].contains(&value.to_ascii_lowercase().as_str()));
    if !made || !dropped || is_legacy {
        return None;
    }
    let table = place.table(&alter.table)?;
    let mut users: Vec<String> = place
        .before()
        .references_to(&table.name)
        .filter(|(from, _)| from.name != table.name)
        .map(|(from, _)| place.shown(&from.name))
        .collect();
    users.extend(place.before().views_of(&table.name).map(|(view, _)| place.shown(&view.name)));
    users.dedup();
    let users = (!users.is_empty()).then(|| users.join("`, `"))?;
    let (old, new) = (place.shown(&alter.table), place.shown(to));
    Some(
        Draft::new(
            format!("renaming `{old}` to `{new}` makes `{users}` refer to `{new}`, which is dropped"),
            "SQLite follows a renamed table in foreign keys, views and triggers; after the drop they name a table that is not there, and writes fail",
        )
        .help(format!("the other way round: CREATE TABLE {old}_new, INSERT … SELECT, DROP TABLE {old}, ALTER TABLE {old}_new RENAME TO {old} (https://www.sqlite.org/lang_altertable.html#otheralter)")),
    )
}
