//! IF NOT EXISTS hides an index that a failed concurrent build left invalid.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "invalid-index-left",
    Group::Wrong,
    Severity::Warning,
    POSTGRES,
    include_str!("invalid_index_left.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::CreateIndex(create) = place.kind() else { return None };
    if !create.concurrently || !create.if_not_exists || place.judged.runner == Runner::Own {
        return None;
    }
    let name = create.name.as_ref()?;
    Some(
        Draft::new(
            format!("if a build of index `{name}` fails, the next run takes what it left for done"),
            "a failed CONCURRENTLY leaves an invalid index, which queries do not use, and IF NOT EXISTS finds it there",
        )
        .help(format!("DROP INDEX CONCURRENTLY IF EXISTS {}; in front of it, and CREATE without IF NOT EXISTS", place.id(name))),
    )
}
