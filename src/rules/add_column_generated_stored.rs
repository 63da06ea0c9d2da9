//! A new stored generated column makes the server write the whole table anew.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "add-column-generated-stored",
    Group::Lock,
    Severity::Error,
    POSTGRES_AND_MYSQL,
    include_str!("add_column_generated_stored.md"),
    find,
)
.splitting();

fn find(place: &Place<'_>) -> Option<Draft> {
    let (alter, TableAction::AddColumn { column, .. }) = place.alter_of_table()? else { return None };
    let stored = matches!(column.generation, Some(Generation::Expression { stored: true, .. }));
    if !stored || place.is_skipped() || !place.is_busy(&alter.table) {
        return None;
    }
    let shown = place.shown(&alter.table);
    let target = place.effects().target();
    let lock = target.map_or("an exclusive lock", |effect| effect.lock.name);
    let waits = target.and_then(|effect| effect.lock.blocked()).unwrap_or("no one");
    let draft = Draft::new(
        format!("new generated column `{}` STORED rewrites `{shown}`", column.name),
        format!("{lock} on `{shown}` blocks {waits} while the table and its indexes are rewritten"),
    );
    Some(match crate::engine::has_virtual_columns(place.server()) {
        true => draft.help("VIRTUAL computes it when it is read, and rewrites nothing"),
        false => draft,
    })
}
