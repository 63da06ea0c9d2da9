//! A label that is added without a place comes last in comparisons.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "enum-value-ordering",
    Group::Style,
    Severity::Warning,
    POSTGRES,
    include_str!("enum_value_ordering.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::AlterType { name, action: TypeAction::AddValue { value, neighbour: None, .. } } =
        place.kind()
    else {
        return None;
    };
    Some(
        Draft::new(
            format!("label `{value}` of `{}` comes behind all others", place.shown(name)),
            "`<`, ORDER BY and max() on the enum follow the order of its labels",
        )
        .help("say where it belongs: BEFORE or AFTER a label"),
    )
}
