//! Moving an object to another schema breaks the running code that does not look there.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "set-schema",
    Group::Compat,
    Severity::Error,
    POSTGRES,
    include_str!("set_schema.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let before = place.before();
    let (what, name, made, to) = match place.kind() {
        ChangeKind::AlterTable(alter) => match &alter.action {
            TableAction::SetSchema { schema } => {
                let old = before.relation_key(&alter.table).unwrap_or_else(|| before.new_key(&alter.table));
                if place.committed().relation(&old).is_some() {
                    return None;
                }
                (
                    alter.object.title(),
                    place.shown(&alter.table),
                    place.made(&alter.table),
                    schema.to_string(),
                )
            }
            _ => return None,
        },
        ChangeKind::SetSchema { object, name, schema, .. } => {
            let made = match object {
                ObjectKind::Type | ObjectKind::Domain => {
                    before.user_type(name).and_then(|found| found.created)
                }
                ObjectKind::Function
                | ObjectKind::Procedure
                | ObjectKind::Routine
                | ObjectKind::Aggregate => before.routines(name).iter().find_map(|routine| routine.created),
                _ => place.made(name),
            };
            (object.title(), place.shown(name), made, schema.to_string())
        }
        _ => return None,
    };
    if place.is_skipped() || !place.is_known_to_code(made) {
        return None;
    }
    Some(
        Draft::new(
            format!("moving {what} `{name}` to schema `{to}` breaks running code that names or finds it where it was"),
            "queries with the old schema in front fail, and so do those without one whose `search_path` does not hold the new schema",
        )
        .help("leave a view under the old name, in the same transaction, until no older code runs; or put the new schema into the roles' `search_path` first"),
    )
}
