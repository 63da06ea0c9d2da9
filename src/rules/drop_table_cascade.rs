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
        ObjectKind::Trigger | ObjectKind::Policy | ObjectKind::Rule | ObjectKind::Index => true,
        _ => false,
    };
    let taken: Vec<String> = place.taken().map(|subject| named(place, subject)).collect();
    if made_here && taken.is_empty() {
        return None;
    }
    let shown = place.shown(&drop.name);
    let message =
        format!("dropping {} `{shown}` with CASCADE takes along what depends on it", drop.object.title());
    let why = if taken.is_empty() {
        "views, foreign keys, policies, functions and columns that depend on it go with it, whichever there are".to_owned()
    } else {
        format!("by the schema so far it takes along {}", taken.join(", "))
    };
    Some(Draft::new(message, why).help("drop each dependant by its name first, and leave CASCADE out: then what was forgotten stops the migration"))
}

fn named(place: &Place<'_>, subject: &Subject) -> String {
    let of = subject.of.as_ref().map_or_else(String::new, |of| format!(" of `{}`", place.shown(of)));
    format!("{} `{}`{of}", subject.object.title(), place.shown(&subject.name))
}
