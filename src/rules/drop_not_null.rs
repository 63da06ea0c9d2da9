//! A column that may become NULL surprises running code that reads it.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "drop-not-null",
    Group::Compat,
    Severity::Warning,
    ALL_ENGINES,
    include_str!("drop_not_null.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (alter, action) = place.alter_of_table()?;
    let column = match action {
        TableAction::DropNotNull { column } => column,
        TableAction::ChangeColumn { from, column, .. } if column.nullability != Nullability::NotNull => {
            let known = place.column(&alter.table, from)?;
            if known.nullability != Nullability::NotNull {
                return None;
            }
            from
        }
        _ => return None,
    };
    let known = place.column(&alter.table, column);
    let nullable = known.is_some_and(|known| known.nullability == Nullability::Null);
    let made = known.and_then(|known| known.created);
    if nullable || place.is_skipped() || !place.is_used(&alter.table) || !place.is_known_to_code(made) {
        return None;
    }
    let shown = place.shown(&alter.table);
    Some(
        Draft::new(
            format!("column `{column}` of `{shown}` may be NULL from now on, which running code does not expect"),
            "as soon as new code writes the first NULL, old code that reads it may fail to decode the row",
        )
        .help("deploy code that can read NULL before code that writes it; for a column that is to be dropped nothing else is needed"),
    )
}
