//! Dropping a domain breaks the running code that casts to it.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "drop-domain",
    Group::Compat,
    Severity::Error,
    POSTGRES,
    include_str!("drop_domain.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::Drop(drop) = place.kind() else { return None };
    let made = place.before().user_type(&drop.name).and_then(|found| found.created);
    let again = place.committed().user_type(&drop.name).is_some();
    if drop.object != ObjectKind::Domain || place.is_skipped() || again || !place.is_known_to_code(made) {
        return None;
    }
    Some(
        Draft::new(
            format!("dropping domain `{}` breaks running code that uses it", place.shown(&drop.name)),
            "casts of running code that name it fail at once; with CASCADE, columns of the domain go too",
        )
        .help("drop it in a release after the one that stopped using it"),
    )
}
