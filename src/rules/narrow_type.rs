//! A narrower type refuses or cuts values that the running code writes.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "narrow-type",
    Group::Compat,
    Severity::Error,
    ALL_ENGINES,
    include_str!("narrow_type.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (alter, action) = place.alter_of_table()?;
    let (column, to) = match action {
        TableAction::SetType { column, data_type, .. } => (column, data_type),
        TableAction::ChangeColumn { from, column, .. } => (from, column.data_type.as_ref()?),
        _ => return None,
    };
    let known = place.column(&alter.table, column)?;
    let from = known.data_type.as_ref()?;
    let narrower = crate::engine::is_narrower(from, to, place.dialect());
    if !narrower || !place.is_used(&alter.table) || !place.is_known_to_code(known.created) {
        return None;
    }
    Some(
        Draft::new(
            format!("column `{column}` of `{}` becomes narrower: `{from}` to `{to}`", place.shown(&alter.table)),
            "the change fails if a row does not fit, and running code that writes such a value gets an error or loses a part of it",
        )
        .help(if crate::engine::has_not_valid(place.dialect()) {
            format!("look first whether any row does not fit, and let the code write only what fits before the type says so: a check NOT VALID on {} does that", place.sql(&alter.table))
        } else {
            format!("look first whether any row of {} does not fit, and deploy code that writes only what fits before the type says so", place.sql(&alter.table))
        }),
    )
}
