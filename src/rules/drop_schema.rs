//! Dropping a schema breaks the running code that uses anything in it.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "drop-schema",
    Group::Compat,
    Severity::Error,
    POSTGRES,
    include_str!("drop_schema.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::Drop(drop) = place.kind() else { return None };
    if drop.object != ObjectKind::Schema || place.is_skipped() {
        return None;
    }
    let made = place.before().schemas.get(&drop.name.name).copied().flatten();
    place.is_known_to_code(made).then(|| {
        Draft::new(
            format!("dropping schema `{}` breaks running code that uses anything in it", drop.name.name),
            "all tables, views, types and functions in it are gone, with their rows",
        )
        .help("drop what is in it object by object, each once no running code uses it, and the empty schema last")
    })
}
