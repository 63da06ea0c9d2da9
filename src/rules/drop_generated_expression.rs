//! Without its expression, a generated column is no longer filled for the running code.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "drop-generated-expression",
    Group::Compat,
    Severity::Warning,
    POSTGRES,
    include_str!("drop_generated_expression.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (alter, TableAction::DropExpression { column, .. }) = place.alter_of_table()? else { return None };
    let made = place.column(&alter.table, column).and_then(|known| known.created);
    if place.is_skipped() || !place.is_used(&alter.table) || !place.is_known_to_code(made) {
        return None;
    }
    Some(
        Draft::new(
            format!("column `{column}` of `{}` is no longer computed", place.shown(&alter.table)),
            "running code does not write it, so new rows get NULL, and updates leave the old value",
        )
        .help("let a trigger fill it, made in the same transaction, until all running code writes it"),
    )
}
