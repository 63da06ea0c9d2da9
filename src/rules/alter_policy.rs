//! A changed policy shows other rows to the running code.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "alter-policy",
    Group::Compat,
    Severity::Warning,
    POSTGRES,
    include_str!("alter_policy.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::AlterPolicy(policy) = place.kind() else { return None };
    place.is_used(&policy.table).then(|| {
        Draft::new(
            format!("policy `{}` on `{}` changes", policy.name, place.shown(&policy.table)),
            "other rows are seen and may be written by the roles of running code from now on",
        )
        .help("add the new policy beside the old one first, and drop the old one in a later release")
    })
}
