//! Adding a unique constraint builds its index while everyone is kept out.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "add-unique-constraint",
    Group::Lock,
    Severity::Error,
    POSTGRES,
    include_str!("add_unique_constraint.md"),
    find,
)
.splitting();

fn find(place: &Place<'_>) -> Option<Draft> {
    let (alter, action) = place.alter_of_table()?;
    let (columns, name, new_column) = match action {
        TableAction::AddConstraint { constraint, .. } => match &constraint.kind {
            ConstraintKind::Unique(key) if key.using_index.is_none() => {
                (key.columns.clone(), constraint.name.as_ref(), false)
            }
            _ => return None,
        },
        TableAction::AddColumn { column, .. } => {
            let unique = |constraint: &&Constraint| matches!(constraint.kind, ConstraintKind::Unique(_));
            let found = column.constraints.iter().find(unique)?;
            (vec![column.name.clone()], found.name.as_ref(), true)
        }
        _ => return None,
    };
    if place.is_skipped() || !place.is_busy(&alter.table) {
        return None;
    }
    let (shown, _) = (place.shown(&alter.table), new_column);
    let what =
        name.map_or_else(|| "a unique constraint".to_owned(), |name| format!("unique constraint `{name}`"));
    Some(Draft::new(
        format!(
            "adding {what} on ({}) of `{shown}` blocks reads and writes while its index is built",
            place.ids(&columns)
        ),
        format!("ACCESS EXCLUSIVE on `{shown}` during the build"),
    ))
}
