//! Dropping an extension takes its functions, types and operators from the running code.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "drop-extension",
    Group::Compat,
    Severity::Error,
    POSTGRES,
    include_str!("drop_extension.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::Drop(drop) = place.kind() else { return None };
    let made = place.before().extensions.get(&drop.name.name).copied().flatten();
    if drop.object != ObjectKind::Extension
        || !place.is_known_to_code(made)
        || place.is_skipped() && place.before().extensions.is_empty()
    {
        return None;
    }
    Some(
        Draft::new(
            format!("dropping extension `{}` takes its functions, types and operators from running code", drop.name.name),
            "queries that use any of them fail at once; with CASCADE, columns and indexes of its types go too",
        )
        .help("drop it in a release after the one that stopped using it; `pg_depend` tells what of the schema needs it"),
    )
}
