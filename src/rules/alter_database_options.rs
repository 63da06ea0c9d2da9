//! Settings of the database change new connections of the running code.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "alter-database-options",
    Group::Compat,
    Severity::Warning,
    POSTGRES,
    include_str!("alter_database_options.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::AlterOther { object: ObjectKind::Database, name, what } = place.kind() else {
        return None;
    };
    let shown = name.as_ref().map_or_else(String::new, |name| name.name.to_string());
    Some(
        Draft::new(
            format!("database `{shown}` gets other settings: {}", what.lines().next().unwrap_or("")),
            "connections of running code that are opened from now on have them, and open ones do not; other databases of the same migration have other names",
        )
        .help("set it for the role that the new code connects as, or in the connection string"),
    )
}
