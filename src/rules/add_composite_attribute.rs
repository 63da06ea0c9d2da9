//! A new attribute of a composite type breaks row literals of the running code.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "add-composite-attribute",
    Group::Compat,
    Severity::Warning,
    POSTGRES,
    include_str!("add_composite_attribute.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::AlterType { name, action: TypeAction::AddAttribute { name: attribute, .. } } =
        place.kind()
    else {
        return None;
    };
    let made = place.before().user_type(name).and_then(|found| found.created);
    place.is_known_to_code(made).then(|| {
        Draft::new(
            format!("composite type `{}` gets an attribute, `{attribute}`", place.shown(name)),
            "`ROW(…)::type` of running code has too few fields, and drivers that decode the type get too many",
        )
        .help("make a second type with the attribute, and let the new code use that")
    })
}
