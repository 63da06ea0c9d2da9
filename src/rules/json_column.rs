//! A column of type json has no equality, so DISTINCT, GROUP BY and UNION over the table fail.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "json-column",
    Group::Style,
    Severity::Warning,
    POSTGRES,
    include_str!("json_column.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (column, data_type, of) =
        super::columns::written(place).find(|(_, data_type, _)| data_type.name == "json")?;
    Some(
        Draft::new(format!("column `{column}` of `{of}` is of type `{data_type}`"), "json has no equality operator: `SELECT DISTINCT *` of running code fails as soon as the column is there")
            .help("use jsonb"),
    )
}
