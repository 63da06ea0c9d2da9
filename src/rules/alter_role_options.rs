//! Other options of a role change new connections of the running code, or refuse them.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "alter-role-options",
    Group::Compat,
    Severity::Warning,
    POSTGRES,
    include_str!("alter_role_options.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::AlterOther { object: ObjectKind::Role, name: Some(name), what } = place.kind() else {
        return None;
    };
    let first = what.split_whitespace().next().unwrap_or("").to_ascii_uppercase();
    if matches!(first.as_str(), "ADD" | "DROP") || is_new(place, name) {
        return None;
    }
    Some(
        Draft::new(
            format!("role `{}` gets other options", name.name),
            "connections of running code that are opened from now on have other settings or rights, or are refused; open ones keep theirs",
        )
        .help("make a second role with them, and let the new code connect as it"),
    )
}

fn is_new(place: &Place<'_>, name: &ObjectName) -> bool {
    let made = place.before().others.get(&(ObjectKind::Role, name.clone())).copied().flatten();
    !place.is_known_to_code(made)
}
