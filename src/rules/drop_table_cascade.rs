//! `DROP … CASCADE` takes along what depends on the object, without saying what.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "drop-table-cascade",
    Group::Compat,
    Severity::Warning,
    POSTGRES,
    include_str!("drop_table_cascade.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    if let Some((alter, action)) = place.alter_of_table() {
        return of_part(place, alter, action);
    }
    if let ChangeKind::AlterOther { object: ObjectKind::Owned, .. } = place.kind() {
        let cascades = place.text().to_ascii_uppercase().split_whitespace().any(|word| word == "CASCADE");
        return cascades.then(|| draft("what a role owns with CASCADE", &[]));
    }
    let ChangeKind::Drop(drop) = place.kind() else { return None };
    if !drop.cascade || place.is_skipped() {
        return None;
    }
    let made_here = match drop.object {
        ObjectKind::Table | ObjectKind::ForeignTable | ObjectKind::View | ObjectKind::MaterializedView => {
            !place.is_used(&drop.name)
        }
        ObjectKind::Type | ObjectKind::Domain => {
            let made = place.before().user_type(&drop.name).and_then(|found| found.created);
            !place.is_known_to_code(made)
        }
        ObjectKind::Index => place.before().index(&drop.name).is_some(),
        ObjectKind::Trigger | ObjectKind::Policy | ObjectKind::Rule => true,
        _ => false,
    };
    let taken: Vec<String> = place.taken().map(|subject| named(place, subject)).collect();
    if made_here && taken.is_empty() {
        return None;
    }
    let shown = place.shown(&drop.name);
    Some(draft(&format!("{} `{shown}` with CASCADE", drop.object.title()), &taken))
}

/// `DROP COLUMN … CASCADE`, `DROP CONSTRAINT … CASCADE`: where something goes along, or where nobody knows.
fn of_part(place: &Place<'_>, alter: &AlterTable, action: &TableAction) -> Option<Draft> {
    let what = match action {
        TableAction::DropColumn { column, cascade: true, .. } => format!("column `{column}`"),
        TableAction::DropConstraint { name, cascade: true, .. } => format!("constraint `{name}`"),
        _ => return None,
    };
    if place.is_skipped() || !place.is_used(&alter.table) {
        return None;
    }
    // What belongs to the table itself goes without CASCADE too.
    let own = |subject: &&Subject| subject.of.as_ref().is_none_or(|of| !place.is_same(of, &alter.table));
    let own_part = |subject: &&Subject| {
        matches!(subject.object, ObjectKind::Constraint | ObjectKind::Index | ObjectKind::Sequence)
    };
    let beyond = place.taken().filter(|subject| own(subject) && !(subject.of.is_none() && own_part(subject)));
    let taken: Vec<String> = beyond.map(|subject| named(place, subject)).collect();
    if taken.is_empty() && !place.is_assumed(&alter.table) {
        return None;
    }
    Some(draft(&format!("{what} of `{}` with CASCADE", place.shown(&alter.table)), &taken))
}

fn draft(what: &str, taken: &[String]) -> Draft {
    let why = if taken.is_empty() {
        "views, foreign keys, policies, functions and columns that depend on it go with it, whichever there are".to_owned()
    } else {
        format!("by the schema so far it takes along {}", taken.join(", "))
    };
    Draft::new(format!("dropping {what} takes along what depends on it"), why)
        .help("drop each dependant by its name first, and leave CASCADE out: then what was forgotten stops the migration")
}

fn named(place: &Place<'_>, subject: &Subject) -> String {
    let of = subject.of.as_ref().map_or_else(String::new, |of| format!(" of `{}`", place.shown(of)));
    format!("{} `{}`{of}", subject.object.title(), place.shown(&subject.name))
}
