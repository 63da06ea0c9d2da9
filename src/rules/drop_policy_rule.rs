//! Without a policy or a rule, rows appear or vanish for the running code.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "drop-policy-rule",
    Group::Compat,
    Severity::Warning,
    POSTGRES,
    include_str!("drop_policy_rule.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::Drop(drop) = place.kind() else { return None };
    let table = drop.on.as_ref()?;
    if !matches!(drop.object, ObjectKind::Policy | ObjectKind::Rule)
        || place.is_skipped()
        || !place.is_used(table)
    {
        return None;
    }
    let after = place.committed().table(table);
    let again = after.is_some_and(|after| match drop.object {
        ObjectKind::Policy => after.policies.iter().any(|policy| policy.name == drop.name.name),
        _ => after.rules.contains(&drop.name.name),
    });
    if again {
        return None;
    }
    let why = if drop.object == ObjectKind::Policy {
        "rows that it let through vanish for running code; without any restrictive policy, others may appear"
    } else {
        "statements of running code do something else from now on"
    };
    Some(
        Draft::new(
            format!("dropping {} `{}` of `{}`", drop.object.title(), drop.name.name, place.shown(table)),
            why,
        )
        .help("make its successor in the same transaction"),
    )
}
