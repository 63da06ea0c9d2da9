//! Switching a trigger or a rule on or off changes what happens for everyone, not only for the migration.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "toggle-trigger",
    Group::Wrong,
    Severity::Warning,
    POSTGRES,
    include_str!("toggle_trigger.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (alter, action) = place.alter_of_table()?;
    let (what, state, all) = match action {
        TableAction::TriggerState { trigger, all, state } => (
            trigger.as_ref().map_or_else(|| "all triggers".to_owned(), |name| format!("trigger `{name}`")),
            *state,
            *all,
        ),
        TableAction::RuleState { rule, state } => (format!("rule `{rule}`"), *state, false),
        _ => return None,
    };
    if place.is_skipped() || !place.is_busy(&alter.table) || is_reverted(place, &alter.table) {
        return None;
    }
    let shown = place.shown(&alter.table);
    let (verb, why) = match state {
        FiringState::Enabled => ("switched on", "it runs in old code's writes from now on"),
        FiringState::Disabled if all => (
            "switched off",
            "with them the checks of foreign keys: rows that old code writes are not checked, and never will be",
        ),
        FiringState::Disabled => {
            ("switched off", "what it filled or checked is not done for rows that old code writes meanwhile")
        }
        FiringState::Replica => ("left to replicas", "it no longer runs in old code's writes"),
        FiringState::Always => ("made to run always", "it also runs for what replication applies"),
    };
    Some(Draft::new(format!("{what} of `{shown}` {verb} for everyone"), why).help(
        "for one session: SET LOCAL session_replication_role = replica, in the transaction that needs it",
    ))
}

/// Whether the same transaction switches it back before anyone else sees it.
fn is_reverted(place: &Place<'_>, table: &TableName) -> bool {
    let toggles = |change: &Change| matches!(change.table_action(), Some((alter, TableAction::TriggerState { .. } | TableAction::RuleState { .. })) if place.is_same(&alter.table, table));
    let steps = place.judged.transaction_of(place.number);
    let states: Vec<&Change> = steps
        .iter()
        .flat_map(|step| &step.changes)
        .map(|applied| &applied.change)
        .filter(|change| toggles(change))
        .collect();
    let enables = |change: &Change| match change.table_action() {
        Some((_, TableAction::TriggerState { state, .. } | TableAction::RuleState { state, .. })) => {
            *state == FiringState::Enabled
        }
        _ => false,
    };
    place.in_transaction()
        && states.len() >= 2
        && !enables(states[0])
        && states.last().is_some_and(|last| enables(last))
}
