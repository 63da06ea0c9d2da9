//! On PostgreSQL 14.0 to 14.3, building an index concurrently could corrupt it.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "pg14-cic-corruption",
    Group::Wrong,
    Severity::Error,
    POSTGRES,
    include_str!("pg14_cic_corruption.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let concurrent = match place.kind() {
        ChangeKind::CreateIndex(create) => create.concurrently,
        ChangeKind::Reindex(reindex) => reindex.concurrently,
        _ => return None,
    };
    let (major, minor, _) = place.server().number;
    // Of `14` alone nobody can tell which.
    (concurrent && major == 14 && (1..=3).contains(&minor)).then(|| {
        Draft::new(
            format!("building an index concurrently on {} may corrupt it", place.server()),
            "rows that were updated during the build could be missing in it (fixed in 14.4)",
        )
        .help("update the server to 14.4 or later first; amcheck finds indexes that were built before")
    })
}
