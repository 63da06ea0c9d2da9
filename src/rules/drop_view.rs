//! Dropping a view breaks the running code that reads it.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "drop-view",
    Group::Compat,
    Severity::Error,
    ALL_ENGINES,
    include_str!("drop_view.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::Drop(drop) = place.kind() else { return None };
    if !matches!(drop.object, ObjectKind::View | ObjectKind::MaterializedView) || place.is_skipped() {
        return None;
    }
    if place.is_gone(&drop.name)
        || !place.is_used(&drop.name)
        || place.committed().relation(&drop.name).is_some()
    {
        return None;
    }
    let shown = place.shown(&drop.name);
    Some(
        Draft::new(
            format!("dropping {} `{shown}` breaks running code that uses it", drop.object.title()),
            "queries of running code that read it fail at once",
        )
        .help("drop it in the release after the one that stopped reading it"),
    )
}
