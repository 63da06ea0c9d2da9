//! Taking rights away or changing the owner locks the running code out.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "revoke-owner",
    Group::Compat,
    Severity::Warning,
    POSTGRES,
    include_str!("revoke_owner.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (message, why) = match place.kind() {
        ChangeKind::Revoke(revoked) if !is_new(place, revoked) => (
            format!("revoking {} from {}", revoked.privileges.join(", "), list(&revoked.grantees)),
            "running code that connects as such a role, or through it, gets `permission denied` at once",
        ),
        ChangeKind::DefaultPrivileges { revokes: true } => (
            "revoking default privileges".to_owned(),
            "what is made from now on is not open to the roles of running code",
        ),
        ChangeKind::SetOwner { object, name: Some(name), owner }
            if place.is_used(name) && !is_new_object(place, *object, name) =>
        {
            (format!("{} `{}` gets the owner `{owner}`", object.title(), place.shown(name)), OWNER)
        }
        ChangeKind::SetOwner { name: None, owner, .. } => {
            (format!("reassigning what is owned to `{owner}`"), OWNER)
        }
        ChangeKind::AlterTable(alter) => match &alter.action {
            TableAction::SetOwner { owner } if place.is_used(&alter.table) => (
                format!("{} `{}` gets the owner `{owner}`", alter.object.title(), place.shown(&alter.table)),
                OWNER,
            ),
            _ => return None,
        },
        ChangeKind::AlterOther { object: ObjectKind::Role, name: Some(name), what }
            if takes_members(what) =>
        {
            (
                format!("taking members out of `{}`", name.name),
                "roles of running code lose what the group was granted",
            )
        }
        ChangeKind::Drop(drop) if drop.object == ObjectKind::Role && is_known_role(place, &drop.name) => (
            format!("dropping role `{}`", drop.name.name),
            "running code that connects as it, or has its rights through it, is refused",
        ),
        ChangeKind::AlterOther { object: ObjectKind::Owned, .. } => {
            ("dropping what a role owns".to_owned(), "its objects and its rights are gone at once")
        }
        _ => return None,
    };
    Some(
        Draft::new(message, why)
            .help("grant to the new role first, let the code connect as it, and revoke in a later release"),
    )
}

const OWNER: &str = "running code that connects as the old owner keeps only what was granted to it, and can no longer alter the object";

fn list(names: &[Name]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Whether all that the rights are on came with this deploy.
fn is_new(place: &Place<'_>, revoked: &Privileges) -> bool {
    let object = revoked.object.unwrap_or(ObjectKind::Role);
    !revoked.names.is_empty()
        && !revoked.all_in_schema
        && revoked.names.iter().all(|name| is_new_object(place, object, name))
}

fn is_new_object(place: &Place<'_>, object: ObjectKind, name: &ObjectName) -> bool {
    let before = place.before();
    let made = match object {
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine | ObjectKind::Aggregate => {
            before.routines(name).iter().find_map(|routine| routine.created)
        }
        ObjectKind::Type | ObjectKind::Domain => before.user_type(name).and_then(|found| found.created),
        ObjectKind::Schema => before.schemas.get(&name.name).copied().flatten(),
        _ => place.made(name),
    };
    !place.is_known_to_code(made)
}

fn is_known_role(place: &Place<'_>, name: &ObjectName) -> bool {
    let made = place.before().others.get(&(ObjectKind::Role, name.clone())).copied().flatten();
    place.is_known_to_code(made) && !place.is_skipped()
}

/// `ALTER GROUP … DROP USER`.
fn takes_members(what: &str) -> bool {
    let mut words = what.split_whitespace();
    words.next().is_some_and(|word| word.eq_ignore_ascii_case("drop"))
}
