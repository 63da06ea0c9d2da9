//! A column of type varchar(n) has a limit that somebody has to change later.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "prefer-text",
    Group::Style,
    Severity::Warning,
    POSTGRES,
    include_str!("prefer_text.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (column, data_type, of) = super::columns::written(place)
        .find(|(_, data_type, _)| data_type.name == "character varying" && !data_type.arguments.is_empty())?;
    Some(
        Draft::new(format!("column `{column}` of `{of}` is of type `{data_type}`"), "changing the limit later locks the table, and rewrites it where it gets smaller")
            .help("use text, with a check of its length where that matters: a check can be changed without a lock that is felt"),
    )
}
