//! A column that MySQL could add or drop at once, but not in this statement or not for this table.

use super::prelude::*;
use crate::engine::effects::Algorithm;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "instant-limit",
    Group::Lock,
    Severity::Warning,
    MYSQL,
    include_str!("instant_limit.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (alter, action) = place.alter_of_table()?;
    let column = match action {
        TableAction::AddColumn { column, .. } => &column.name,
        TableAction::DropColumn { column, .. } => column,
        _ => return None,
    };
    let effects = place.statement_effects();
    let target = effects.target()?;
    let alone = place.effects().algorithm == Some(Algorithm::Instant);
    let is_first = place.step.changes.iter().find(|applied| {
        matches!(
            applied.change.table_action(),
            Some((_, TableAction::AddColumn { .. } | TableAction::DropColumn { .. }))
        )
    });
    if !alone
        || target.work != Work::Rewrite
        || effects.algorithm == Some(Algorithm::Copy)
        || !is_first.is_some_and(|first| std::ptr::eq(first, place.applied))
        || place.is_skipped()
        || !place.is_busy(&alter.table)
    {
        return None;
    }
    let (shown, sql) = (place.shown(&alter.table), place.sql(&alter.table));
    Some(
        Draft::new(
            format!("column `{column}` would be changed at once by itself, but with the rest of the statement `{shown}` is written anew"),
            "all actions of one ALTER TABLE are carried out by one algorithm; a rebuild takes as long as the table is large, and replicas lag behind for as long",
        )
        .help(format!("a statement of its own:\nALTER TABLE {sql} {}, ALGORITHM=INSTANT;", place.text())),
    )
}
