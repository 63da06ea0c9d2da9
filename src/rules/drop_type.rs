//! Dropping a type breaks the running code that casts to it.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "drop-type",
    Group::Compat,
    Severity::Error,
    POSTGRES,
    include_str!("drop_type.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::Drop(drop) = place.kind() else { return None };
    let found = place.before().user_type(&drop.name);
    let new = found.is_some_and(|found| !place.is_known_to_code(found.created));
    // A type that was renamed away and replaced keeps its name for the code.
    let renamed = found.is_some() && place.at_start().user_type(&drop.name).is_none();
    let again = place.committed().user_type(&drop.name).is_some();
    if drop.object != ObjectKind::Type || place.is_skipped() || new || renamed || again {
        return None;
    }
    Some(
        Draft::new(
            format!("dropping type `{}` breaks running code that uses it", place.shown(&drop.name)),
            "casts and prepared statements of running code that name it fail at once",
        )
        .help("drop it in a release after the one that stopped using it"),
    )
}
