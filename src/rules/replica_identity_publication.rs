//! A change of the replica identity or of a publication changes what logical replication sends.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "replica-identity-publication",
    Group::Compat,
    Severity::Warning,
    POSTGRES,
    include_str!("replica_identity_publication.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (message, why) = match place.kind() {
        ChangeKind::AlterTable(alter) => match &alter.action {
            TableAction::ReplicaIdentity { identity } if place.is_used(&alter.table) => (
                format!("the replica identity of `{}` changes", place.shown(&alter.table)),
                match identity {
                    ReplicaIdentity::Nothing => {
                        "updates and deletes of running code fail if the table is published"
                    }
                    _ => "consumers of its changes see other old values from now on",
                },
            ),
            _ => return None,
        },
        ChangeKind::Drop(drop)
            if matches!(drop.object, ObjectKind::Publication | ObjectKind::Subscription) =>
        {
            (
                format!("dropping {} `{}`", drop.object.title(), drop.name.name),
                "whoever follows it gets no more changes, and may have to be filled anew",
            )
        }
        ChangeKind::AlterOther { object: ObjectKind::Publication, name, what } if narrows(what) => (
            format!(
                "publication `{}` changes",
                name.as_ref().map_or_else(String::new, |name| name.name.to_string())
            ),
            "tables or kinds of change that it no longer holds are missing for those who follow it",
        ),
        ChangeKind::AlterOther { object: ObjectKind::Subscription, name, .. } => (
            format!(
                "subscription `{}` changes",
                name.as_ref().map_or_else(String::new, |name| name.name.to_string())
            ),
            "what it receives, and from where, changes under running code",
        ),
        _ => return None,
    };
    Some(Draft::new(message, why).help("agree on it with those who read the changes, before the deploy"))
}

/// Whether an `ALTER PUBLICATION` does more than to add tables.
fn narrows(what: &str) -> bool {
    let first = what.split_whitespace().next().unwrap_or("");
    first.eq_ignore_ascii_case("drop") || first.eq_ignore_ascii_case("set")
}
