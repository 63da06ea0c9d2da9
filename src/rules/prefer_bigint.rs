//! A column of an integer type below bigint runs out of numbers.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "prefer-bigint",
    Group::Style,
    Severity::Warning,
    POSTGRES,
    include_str!("prefer_bigint.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (column, data_type, of) = super::columns::written(place)
        .find(|(_, data_type, _)| matches!(data_type.name.as_str(), "integer" | "smallint"))?;
    Some(
        Draft::new(
            format!("column `{column}` of `{of}` is of type `{data_type}`"),
            "it ends at 2,147,483,647 (or 32,767), and a wider type later rewrites the table",
        )
        .help("use bigint"),
    )
}
