//! Dropping a column silently takes along the indexes and constraints that it is a part of.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "drop-column-drops-constraint",
    Group::Compat,
    Severity::Warning,
    POSTGRES,
    include_str!("drop_column_drops_constraint.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (alter, TableAction::DropColumn { column, .. }) = place.alter_of_table()? else { return None };
    if !place.is_used(&alter.table) {
        return None;
    }
    let table = place.table(&alter.table)?;
    // What stands on this column alone goes with it as everybody expects.
    let wider = |subject: &Subject| match subject.object {
        ObjectKind::Constraint => {
            table.constraint(&subject.name.name).is_some_and(|one| one.columns().len() > 1)
        }
        ObjectKind::Index => table.index(&subject.name.name).is_some_and(|index| {
            index.constraint.is_none() && (index.elements.len() > 1 || index.predicate.is_some())
        }),
        _ => false,
    };
    let of_table = |subject: &&Subject| {
        subject.of.as_ref().is_none_or(|of| place.table(of).is_some_and(|of| of.name == table.name))
    };
    let taken: Vec<String> = place
        .taken()
        .filter(|subject| of_table(subject) && wider(subject))
        .map(|subject| format!("{} `{}`", subject.object.title(), subject.name.name))
        .collect();
    if taken.is_empty() {
        return None;
    }
    Some(
        Draft::new(
            format!(
                "dropping column `{column}` of `{}` takes along {}",
                place.shown(&alter.table),
                taken.join(", ")
            ),
            "the server drops them without a word: duplicates are accepted, and queries lose their index",
        )
        .help("drop them by name, and make what the remaining columns need before"),
    )
}
