//! An ALTER TABLE that SQLite does not have, or refuses.

use super::prelude::*;
use crate::engine::SQLITE;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "sqlite-unsupported-alter",
    Group::Wrong,
    Severity::Error,
    SQLITE,
    include_str!("sqlite_unsupported_alter.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let rebuild = "make the table anew, in one transaction: CREATE TABLE with another name, INSERT … SELECT, DROP TABLE, ALTER TABLE … RENAME TO, then its indexes and triggers; `twostep plan --write` writes that (https://www.sqlite.org/lang_altertable.html#otheralter)";
    if let ChangeKind::Opaque(opaque) = place.kind() {
        let mut words = place.step.sql.split_whitespace().map(str::to_ascii_lowercase);
        let alters = words.next().as_deref() == Some("alter") && words.next().as_deref() == Some("table");
        return (alters && opaque.reason == OpaqueReason::Syntax).then(|| {
            Draft::new(
                "SQLite has no such ALTER TABLE",
                format!(
                    "{}; it renames tables and columns, and adds and drops columns, nothing else",
                    opaque.why
                ),
            )
            .help(rebuild)
        });
    }
    let (alter, action) = place.alter_of_table()?;
    let why = crate::engine::refuses(place.change(), place.before(), place.effects())?;
    // A table that this migration made may have no rows, and then takes more.
    let new_column = matches!(action, TableAction::AddColumn { column, .. } if column.constraints.is_empty());
    if place.is_skipped() || new_column && !place.is_busy(&alter.table) {
        return None;
    }
    let column = match action {
        TableAction::AddColumn { column, .. } => &column.name,
        TableAction::DropColumn { column, .. } => column,
        _ => return Some(Draft::new("SQLite has no such ALTER TABLE", why).help(rebuild)),
    };
    Some(
        Draft::new(
            format!("SQLite refuses this change of column `{column}` of `{}`", place.shown(&alter.table)),
            why,
        )
        .help(rebuild),
    )
}
