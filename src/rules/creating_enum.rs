//! An enum whose labels can be added, but not taken away.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "creating-enum",
    Group::Style,
    Severity::Warning,
    POSTGRES,
    include_str!("creating_enum.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::CreateType { name, definition: TypeDefinition::Enum(_) } = place.kind() else {
        return None;
    };
    Some(
        Draft::new(
            format!("type `{}` is an enum", place.shown(name)),
            "labels cannot be dropped, and a down cannot take back one that was added",
        )
        .help("text with a check, or a table of the values with a foreign key"),
    )
}
