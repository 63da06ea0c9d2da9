//! A new policy hides rows from the roles of the running code, or lets them see more.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "create-policy",
    Group::Compat,
    Severity::Warning,
    POSTGRES,
    include_str!("create_policy.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::CreatePolicy(policy) = place.kind() else { return None };
    let replaces = place
        .at_start()
        .table(&policy.table)
        .is_some_and(|table| table.policies.iter().any(|old| old.name == policy.name));
    if !place.is_used(&policy.table) || replaces {
        return None;
    }
    // Row security that the same transaction switches on is a finding of its own.
    let enables = |schema: &Schema| schema.table(&policy.table).is_some_and(|table| table.row_security);
    if enables(place.committed()) && !enables(place.at_start()) {
        return None;
    }
    // The first policies of a table whose row security is not on yet change nothing.
    let off = !place.is_assumed(&policy.table)
        && place.committed().table(&policy.table).is_some_and(|table| !table.row_security);
    if off {
        return None;
    }
    let why = if policy.restrictive {
        "it is restrictive: rows that do not pass it vanish for running code"
    } else {
        "it lets rows through; where it is the first one, all others vanish for running code"
    };
    Some(
        Draft::new(format!("new policy `{}` on `{}`", policy.name, place.shown(&policy.table)), why)
            .help("make permissive policies that let through what running code needs, before row security is switched on"),
    )
}
