//! Another expression of a generated column rewrites the table, and running code reads other values.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "alter-generated-expression",
    Group::Lock,
    Severity::Error,
    POSTGRES,
    include_str!("alter_generated_expression.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (alter, TableAction::SetExpression { column, .. }) = place.alter_of_table()? else { return None };
    if place.is_skipped() || !place.is_busy(&alter.table) {
        return None;
    }
    let shown = place.shown(&alter.table);
    Some(
        Draft::new(
            format!("the expression of generated column `{column}` of `{shown}` changes, which rewrites the table"),
            format!("ACCESS EXCLUSIVE on `{shown}` blocks reads and writes meanwhile, and running code reads other values afterwards"),
        )
        .help("add a second column with the new expression, and let the new code read that"),
    )
}
