//! A column of type timestamp does not say which moment it means.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "prefer-timestamptz",
    Group::Style,
    Severity::Warning,
    POSTGRES,
    include_str!("prefer_timestamptz.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (column, data_type, of) = super::columns::written(place)
        .find(|(_, data_type, _)| data_type.name == "timestamp without time zone")?;
    Some(
        Draft::new(
            format!("column `{column}` of `{of}` is of type `{data_type}`"),
            "it holds a date and a time of day without a zone: readers with another zone see another moment",
        )
        .help("use timestamptz, which takes no more room"),
    )
}
