//! Renaming a schema breaks the running code that uses its name.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "rename-schema",
    Group::Compat,
    Severity::Error,
    POSTGRES,
    include_str!("rename_schema.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::Rename(rename) = place.kind() else { return None };
    if rename.object != ObjectKind::Schema {
        return None;
    }
    let made = place.before().schemas.get(&rename.name.name).copied().flatten();
    place.is_known_to_code(made).then(|| {
        Draft::new(
            format!("renaming schema `{}` to `{}` breaks running code that uses the old name", rename.name.name, rename.to),
            "qualified names and the `search_path` of open connections point to a schema that is no longer there",
        )
        .help("make the new schema, with views on the tables of the old one, and move the tables when no older code runs")
    })
}
