//! Switching row level security on or off hides or shows rows to the running code.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "alter-rls",
    Group::Compat,
    Severity::Warning,
    POSTGRES,
    include_str!("alter_rls.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (alter, TableAction::RowSecurity { state }) = place.alter_of_table()? else { return None };
    if place.is_skipped() || !place.is_used(&alter.table) {
        return None;
    }
    let shown = place.shown(&alter.table);
    let table = place.table(&alter.table);
    let known = !place.is_assumed(&alter.table);
    let is_so = table.is_some_and(|table| match state {
        RowSecurity::Enable => table.row_security,
        RowSecurity::Disable => known && !table.row_security,
        RowSecurity::Force => table.force_row_security,
        RowSecurity::NoForce => known && !table.force_row_security,
    });
    // ENABLE in the same transaction says it already.
    let enabled = *state == RowSecurity::Force
        && table.is_some_and(|table| table.row_security)
        && place.at_start().table(&alter.table).is_some_and(|table| !table.row_security);
    if is_so || enabled {
        return None;
    }
    let policies = place.committed().table(&alter.table).is_some_and(|table| !table.policies.is_empty());
    let (what, why) = match state {
        RowSecurity::Enable if !policies => (
            "switched on",
            "there is no policy: roles of running code other than the owner see no row at all",
        ),
        RowSecurity::Enable => {
            ("switched on", "roles of running code see only what the policies let through")
        }
        RowSecurity::Disable => ("switched off", "every role that may read the table sees all of its rows"),
        RowSecurity::Force => (
            "forced on the owner",
            "running code that connects as the owner sees only what the policies let through",
        ),
        RowSecurity::NoForce => {
            ("no longer forced on the owner", "code that connects as the owner sees all rows")
        }
    };
    Some(
        Draft::new(format!("row level security of `{shown}` is {what}"), why)
            .help("make policies that let through what running code needs first, and try it with `SET ROLE`"),
    )
}
