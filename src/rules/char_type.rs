//! A column of type char(n) pads its values with blanks.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "char-type",
    Group::Style,
    Severity::Warning,
    POSTGRES,
    include_str!("char_type.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (column, data_type, of) = super::columns::written(place).find(|(_, data_type, _)| {
        matches!(data_type.name.as_str(), "character" | "bpchar" | "\"char\"" | "char")
    })?;
    Some(
        Draft::new(format!("column `{column}` of `{of}` is of type `{data_type}`"), "values are padded with blanks to their length, which are then ignored in some comparisons and not in others")
            .help("use text, with a check of its length where that matters"),
    )
}
