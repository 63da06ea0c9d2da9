//! SET LOGGED and SET UNLOGGED write the table anew; an unlogged table is empty after a crash.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "set-logged-unlogged",
    Group::Lock,
    Severity::Error,
    POSTGRES,
    include_str!("set_logged_unlogged.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (alter, action) = place.alter_of_table()?;
    let (word, unlogged) = match action {
        TableAction::SetLogged => ("LOGGED", false),
        TableAction::SetUnlogged => ("UNLOGGED", true),
        _ => return None,
    };
    if place.is_skipped() || !place.is_busy(&alter.table) {
        return None;
    }
    let shown = place.shown(&alter.table);
    let loses = if unlogged { "; after a crash it is empty, and replicas do not have it" } else { "" };
    Some(
        Draft::new(
            format!("SET {word} on `{shown}` blocks reads and writes while it is written anew"),
            format!("ACCESS EXCLUSIVE while the table and its indexes are rewritten{loses}"),
        )
        .help("make a new table that is as it should be, and move the rows in batches"),
    )
}
