//! Dropping a trigger takes the table from everyone for a moment, and running code may rely on it.

use super::prelude::*;
use crate::source::Phase;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "drop-trigger",
    Group::Lock,
    Severity::Warning,
    ALL_ENGINES,
    include_str!("drop_trigger.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::Drop(drop) = place.kind() else { return None };
    if drop.object != ObjectKind::Trigger || place.is_skipped() {
        return None;
    }
    let table = &drop.on.clone().or_else(|| table_of(place.before(), &drop.name.name))?;
    if !place.is_busy(table) {
        return None;
    }
    // No older code runs by then.
    if place.judged.migration.phase() == Some(Phase::Contract) {
        return None;
    }
    let has = |schema: &Schema| {
        schema
            .table(table)
            .is_some_and(|table| table.triggers.iter().any(|one| one.definition.name == drop.name.name))
    };
    if has(place.committed()) {
        return None;
    }
    let shown = place.shown(table);
    let lock = place
        .effects()
        .target()
        .map_or_else(String::new, |effect| format!("; {} on `{shown}` for a moment", effect.lock.name));
    Some(
        Draft::new(
            format!("dropping trigger `{}` of `{shown}`, which running code may rely on", drop.name.name),
            format!("what it filled or checked is no longer done for old code's writes{lock}"),
        )
        .help("drop it in the release after the one whose code does it by itself"),
    )
}

/// The table of the trigger `name`, where triggers have names of their own: on MySQL and SQLite.
fn table_of(schema: &Schema, name: &Name) -> Option<TableName> {
    let has = |table: &Table| table.triggers.iter().any(|own| own.definition.name == *name);
    schema.tables.iter().find(|(_, table)| has(table)).map(|(key, _)| key.clone())
}
