//! An UPDATE that sets a column twice fails, or the last value wins.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "duplicate-column-assignment",
    Group::Wrong,
    Severity::Error,
    ALL_ENGINES,
    include_str!("duplicate_column_assignment.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::Update(update) = place.kind() else { return None };
    let twice = update.set.iter().enumerate().find(|(at, column)| update.set[..*at].contains(column));
    let column = twice?.1;
    // Elements of an array and fields of a composite are set one by one.
    let in_parts = [
        format!("{column}["),
        format!("{column}."),
        format!("{}[", place.id(column)),
        format!("{}.", place.id(column)),
    ];
    if in_parts.iter().any(|part| place.step.sql.contains(part.as_str())) {
        return None;
    }
    Some(
        Draft::new(
            format!("column `{column}` of `{}` is set twice", place.shown(&update.table)),
            "PostgreSQL and SQLite's strict readers refuse it; elsewhere the last value wins",
        )
        .help("leave one of them out"),
    )
}
