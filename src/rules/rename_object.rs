//! Renaming a view, function, type, sequence, constraint, index or role breaks the running code that names it.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "rename-object",
    Group::Compat,
    Severity::Warning,
    ALL_ENGINES,
    include_str!("rename_object.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (kind, name, of) = renamed(place)?;
    if place.is_skipped() {
        return None;
    }
    let shown = of.map_or_else(String::new, |of| format!(" of `{}`", place.shown(of)));
    let draft = Draft::new(
        format!("renaming {} `{name}`{shown}", kind.title()),
        match kind {
            ObjectKind::Constraint => "running code that names it fails: `ON CONFLICT ON CONSTRAINT`, and error handling by the constraint's name",
            ObjectKind::Index => "nothing of SQL names an index but hints and maintenance; code that tells errors of unique indexes by their name does",
            ObjectKind::Role => "running code that connects as it, or is granted it by name, fails; a password that was hashed with the name is lost",
            ObjectKind::Trigger | ObjectKind::Policy => "code that enables, disables or alters it by name fails",
            _ => "running code that uses the old name fails from that moment on, and new code fails until then",
        },
    )
    .help("keep both names for a release where that can be done: a view, function or type of the other name");
    Some(match kind {
        ObjectKind::Index | ObjectKind::Trigger | ObjectKind::Policy => draft.severity(Severity::Note),
        _ => draft,
    })
}

/// What is renamed: its kind, its name, and what it belongs to; none where nothing of the running code can know it.
fn renamed<'a>(place: &Place<'a>) -> Option<(ObjectKind, &'a Name, Option<&'a TableName>)> {
    let before = place.before();
    if let Some((alter, action)) = place.alter() {
        let used = place.is_used(&alter.table);
        return match action {
            TableAction::RenameConstraint { from, .. } => {
                let made = place.table(&alter.table).and_then(|table| table.constraint(from)?.created);
                (used && place.is_known_to_code(made)).then_some((
                    ObjectKind::Constraint,
                    from,
                    Some(&alter.table),
                ))
            }
            TableAction::RenameIndex { from, .. } => {
                used.then_some((ObjectKind::Index, from, Some(&alter.table)))
            }
            TableAction::RenameTable { .. } if is_other_relation(alter.object) => {
                let again = place.committed().relation(&alter.table).is_some();
                (used && !again).then_some((alter.object, &alter.table.name, None))
            }
            _ => None,
        };
    }
    match place.kind() {
        ChangeKind::Rename(rename) => {
            let made = match rename.object {
                ObjectKind::Schema | ObjectKind::Table | ObjectKind::Column => return None,
                ObjectKind::Type | ObjectKind::Domain => {
                    before.user_type(&rename.name).and_then(|found| found.created)
                }
                ObjectKind::Sequence | ObjectKind::View | ObjectKind::MaterializedView => {
                    place.made(&rename.name)
                }
                ObjectKind::Function
                | ObjectKind::Procedure
                | ObjectKind::Routine
                | ObjectKind::Aggregate => {
                    before.routines(&rename.name).iter().find_map(|routine| routine.created)
                }
                ObjectKind::Index => before.index(&rename.name).and_then(|(_, index)| index.created),
                _ => rename.on.as_ref().and_then(|on| place.made(on)),
            };
            let again = match rename.object {
                // A type that is renamed to make room for its successor keeps its name for the code.
                ObjectKind::Type | ObjectKind::Domain => place.committed().user_type(&rename.name).is_some(),
                _ => false,
            };
            (place.is_known_to_code(made) && !again).then_some((
                rename.object,
                &rename.name.name,
                rename.on.as_ref(),
            ))
        }
        ChangeKind::AlterDomain { name, action: DomainAction::RenameConstraint { from, .. } } => {
            Some((ObjectKind::Constraint, from, Some(name)))
        }
        _ => None,
    }
}

fn is_other_relation(kind: ObjectKind) -> bool {
    matches!(
        kind,
        ObjectKind::View
            | ObjectKind::MaterializedView
            | ObjectKind::Sequence
            | ObjectKind::Index
            | ObjectKind::ForeignTable
    )
}
