//! A new trigger stops writes for a moment, and changes what writes of the running code do.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "create-trigger",
    Group::Lock,
    Severity::Note,
    ALL_ENGINES,
    include_str!("create_trigger.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::CreateTrigger(create) = place.kind() else { return None };
    let there = |schema: &Schema| {
        schema
            .table(&create.table)
            .is_some_and(|table| table.triggers.iter().any(|old| old.definition.name == create.name))
    };
    // What is dropped and made again, or replaced, was there for running code before.
    if !place.is_busy(&create.table) || there(place.at_start()) {
        return None;
    }
    let shown = place.shown(&create.table);
    let lock = place
        .effects()
        .target()
        .map_or_else(String::new, |effect| format!("{} on `{shown}` for a moment, and ", effect.lock.name));
    Some(
        Draft::new(
            format!("new trigger `{}` on `{shown}` runs in writes of running code", create.name),
            format!(
                "{lock}from then on old code's writes do more, take longer, or fail where the trigger fails"
            ),
        )
        .help("let it do nothing for rows that old code writes, or see to it that it cannot fail"),
    )
}
