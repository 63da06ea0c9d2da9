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
    if table.column(column).is_some_and(|known| !place.is_known_to_code(known.created)) {
        return None;
    }
    let is_key = |subject: &Subject| {
        table.constraint(&subject.name.name).is_some_and(|one| {
            matches!(one.kind, ConstraintKind::PrimaryKey(_) | ConstraintKind::Unique(_))
                || one.columns().len() > 1
        }) || table.index(&subject.name.name).is_some_and(|index| index.unique || index.elements.len() > 1)
    };
    // The index of a constraint is a part of it.
    let counts = |subject: &Subject| match subject.object {
        ObjectKind::Constraint => true,
        ObjectKind::Index => table.index(&subject.name.name).is_some_and(|index| index.constraint.is_none()),
        _ => false,
    };
    let of_table = |subject: &&Subject| {
        subject.of.as_ref().is_none_or(|of| place.table(of).is_some_and(|of| of.name == table.name))
    };
    let subjects: Vec<&Subject> =
        place.taken().filter(|subject| of_table(subject) && counts(subject)).collect();
    if subjects.is_empty() {
        return None;
    }
    let taken: Vec<String> = subjects
        .iter()
        .map(|subject| format!("{} `{}`", subject.object.title(), subject.name.name))
        .collect();
    let draft = Draft::new(
        format!(
            "dropping column `{column}` of `{}` takes along {}",
            place.shown(&alter.table),
            taken.join(", ")
        ),
        "the server drops them without a word: duplicates are accepted, and queries lose their index",
    )
    .help("drop them by name, and make what the remaining columns need before");
    // A check, a foreign key or an index of this column alone goes with it as most expect.
    Some(if subjects.iter().any(|subject| is_key(subject)) { draft } else { draft.severity(Severity::Note) })
}
