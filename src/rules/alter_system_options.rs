//! `ALTER SYSTEM` changes the whole server, for all databases.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "alter-system-options",
    Group::Wrong,
    Severity::Error,
    POSTGRES,
    include_str!("alter_system_options.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    matches!(place.kind(), ChangeKind::AlterOther { object: ObjectKind::System, .. }).then(|| {
        Draft::new(
            "ALTER SYSTEM in a migration",
            "it writes the server's configuration for all databases, needs a superuser, cannot run in a transaction, and a down cannot know what was there",
        )
        .help("configure the server where its configuration is kept")
    })
}
