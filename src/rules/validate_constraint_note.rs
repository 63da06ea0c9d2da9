//! VALIDATE CONSTRAINT reads the whole table: it takes time, but blocks nobody.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "validate-constraint-note",
    Group::Style,
    Severity::Note,
    POSTGRES,
    include_str!("validate_constraint_note.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (alter, TableAction::ValidateConstraint { name }) = place.alter_of_table()? else { return None };
    place.is_busy(&alter.table).then(|| {
        Draft::new(
            format!("constraint `{name}` of `{}` is checked for all rows", place.shown(&alter.table)),
            "SHARE UPDATE EXCLUSIVE: reads and writes go on; the release waits for it",
        )
        .help("on a very large table, give it a migration of its own")
    })
}
