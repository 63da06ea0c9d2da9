//! Dropping a sequence breaks the running code that takes numbers from it.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "drop-sequence",
    Group::Compat,
    Severity::Error,
    POSTGRES,
    include_str!("drop_sequence.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::Drop(drop) = place.kind() else { return None };
    let made = place.before().sequence(&drop.name).and_then(|found| found.created);
    if drop.object != ObjectKind::Sequence || place.is_skipped() || !place.is_known_to_code(made) {
        return None;
    }
    Some(
        Draft::new(
            format!(
                "dropping sequence `{}` breaks running code that takes numbers from it",
                place.shown(&drop.name)
            ),
            "`nextval` of running code and of column defaults fails at once, and the last number is lost",
        )
        .help("drop it in a release after the one that stopped using it"),
    )
}
