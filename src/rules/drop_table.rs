//! Dropping a table breaks the running code that uses it, and its rows are gone.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "drop-table",
    Group::Compat,
    Severity::Error,
    ALL_ENGINES,
    include_str!("drop_table.md"),
    find,
)
.splitting();

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::Drop(drop) = place.kind() else { return None };
    let is_table = matches!(drop.object, ObjectKind::Table | ObjectKind::ForeignTable);
    let temporary = drop.temporary
        || place.table(&drop.name).is_some_and(|table| table.persistence == Persistence::Temporary);
    if !is_table || temporary || place.is_skipped() || place.is_gone(&drop.name) || !place.is_used(&drop.name)
    {
        return None;
    }
    // A table that takes the name over is one made anew; the columns that it leaves out are another rule's.
    if place.committed().table(&drop.name).is_some_and(|table| table.is_complete()) {
        return None;
    }
    let shown = place.shown(&drop.name);
    let others: Vec<String> = place
        .effects()
        .relations
        .iter()
        .filter(|effect| effect.role != Role::Target && effect.lock.blocks_reads)
        .map(|effect| format!("`{}` ({})", place.shown(&effect.relation), effect.role.title()))
        .collect();
    let mut why = "queries of running code that use it fail at once, and its rows are gone".to_owned();
    if !others.is_empty() {
        why.push_str(&format!("; it also blocks reads and writes of {}", others.join(", ")));
    }
    Some(Draft::new(format!("dropping table `{shown}` breaks running code that uses it"), why))
}
