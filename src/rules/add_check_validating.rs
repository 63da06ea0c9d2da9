//! Adding a check that is verified at once keeps everyone out while all rows are read.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "add-check-validating",
    Group::Lock,
    Severity::Error,
    POSTGRES,
    include_str!("add_check_validating.md"),
    find,
)
.splitting();

fn find(place: &Place<'_>) -> Option<Draft> {
    let (alter, action) = place.alter_of_table()?;
    let (constraint, column) = match action {
        TableAction::AddConstraint { constraint, .. } => (&**constraint, None),
        TableAction::AddColumn { column, .. } => {
            let check = |constraint: &&Constraint| matches!(constraint.kind, ConstraintKind::Check(_));
            (column.constraints.iter().find(check)?, Some(column))
        }
        _ => return None,
    };
    let is_check = matches!(constraint.kind, ConstraintKind::Check(_));
    let foreign = alter.object == ObjectKind::ForeignTable;
    if !is_check
        || foreign
        || constraint.not_valid
        || constraint.not_enforced
        || place.is_skipped()
        || !place.is_busy(&alter.table)
    {
        return None;
    }
    let shown = place.shown(&alter.table);
    let what = match (&constraint.name, column) {
        (Some(name), _) => format!("check `{name}`"),
        (None, Some(column)) => format!("the check of new column `{}`", column.name),
        (None, None) => "a check".to_owned(),
    };
    Some(Draft::new(
        format!("adding {what} to `{shown}` blocks reads and writes while all rows are checked"),
        format!("ACCESS EXCLUSIVE on `{shown}` during the scan"),
    ))
}
