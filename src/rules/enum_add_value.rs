//! A new label of an enum cannot be used in the transaction that adds it, and cannot be taken back.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "enum-add-value",
    Group::Wrong,
    Severity::Note,
    POSTGRES,
    include_str!("enum_add_value.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::AlterType { name, action: TypeAction::AddValue { value, .. } } = place.kind() else {
        return None;
    };
    let made = place.before().user_type(name).and_then(|found| found.created);
    if place.is_skipped() || !place.is_known_to_code(made) {
        return None;
    }
    let shown = place.shown(name);
    let later = place.judged.transaction_of(place.number).iter().filter(|step| step.at > place.step.at);
    let quoted = crate::name::plain_literal(value);
    let used = place.in_transaction() && later.clone().any(|step| step.sql.contains(&quoted));
    if used {
        return Some(
            Draft::new(
                format!("label `{value}` of enum `{shown}` is used in the transaction that adds it"),
                "the server refuses it: a new label can be used only after the commit",
            )
            .severity(Severity::Error)
            .help("put ALTER TYPE … ADD VALUE into a migration of its own, before this one"),
        );
    }
    if place.in_transaction() && !place.server().at_least((12, 0, 0)) {
        return Some(
            Draft::new(
                format!("adding label `{value}` to enum `{shown}` cannot run in a transaction"),
                "before PostgreSQL 12 the server refuses it there",
            )
            .severity(Severity::Error)
            .help("give it a migration of its own, with `-- twostep: no-transaction` at its top"),
        );
    }
    Some(
        Draft::new(
            format!("label `{value}` of enum `{shown}` cannot be taken back"),
            "PostgreSQL has no DROP VALUE, so a down cannot undo it; and running code that reads it meets a label that it does not know",
        )
        .help("deploy code that can read it before code that writes it"),
    )
}
