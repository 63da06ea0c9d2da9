//! A refresh with CONCURRENTLY keeps other refreshes of the view waiting.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "refresh-matview-concurrent-exclusive",
    Group::Lock,
    Severity::Note,
    POSTGRES,
    include_str!("refresh_matview_concurrent_exclusive.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::RefreshMaterializedView { name, concurrently: true, .. } = place.kind() else {
        return None;
    };
    place.is_used(name).then(|| {
        Draft::new(
            format!("refreshing `{}` concurrently keeps its other refreshes waiting", place.shown(name)),
            "EXCLUSIVE on the view while its query runs: reads go on, a refresh by the application or a job waits",
        )
        .help("refresh it where that is done at other times, and not in a migration")
    })
}
