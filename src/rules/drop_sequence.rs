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
    let draft = Draft::new(
        format!(
            "dropping sequence `{}` breaks running code that takes numbers from it",
            place.shown(&drop.name)
        ),
        "`nextval` of running code and of column defaults fails at once, and the last number is lost",
    )
    .help("drop it in a release after the one that stopped using it");
    Some(if is_left_over(place, &drop.name) { draft.severity(Severity::Note) } else { draft })
}

/// Whether it belongs to a column, or did, and no default takes numbers from it any more.
fn is_left_over(place: &Place<'_>, name: &ObjectName) -> bool {
    let Some(sequence) = place.before().sequence(name) else { return false };
    let literal = sequence.name.name.as_str();
    let takes = |column: &std::sync::Arc<Column>| {
        column.default.as_ref().is_some_and(|default| default.text.contains(literal))
    };
    let used = place.before().tables.values().any(|table| table.columns.iter().any(takes));
    sequence.owned_by.is_some() && !used
}
