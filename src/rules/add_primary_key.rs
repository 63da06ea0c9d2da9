//! Adding a primary key builds its index, and checks for NULL, while everyone is kept out.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "add-primary-key",
    Group::Lock,
    Severity::Error,
    POSTGRES,
    include_str!("add_primary_key.md"),
    find,
)
.splitting();

fn find(place: &Place<'_>) -> Option<Draft> {
    let (alter, action) = place.alter_of_table()?;
    let columns = match action {
        TableAction::AddConstraint { constraint, .. } => match &constraint.kind {
            ConstraintKind::PrimaryKey(key) if key.using_index.is_none() => key.columns.clone(),
            _ => return None,
        },
        TableAction::AddColumn { column, .. } => {
            let primary = |constraint: &Constraint| matches!(constraint.kind, ConstraintKind::PrimaryKey(_));
            column.constraints.iter().any(primary).then(|| vec![column.name.clone()])?
        }
        _ => return None,
    };
    if place.is_skipped() || !place.is_busy(&alter.table) {
        return None;
    }
    let shown = place.shown(&alter.table);
    Some(Draft::new(
        format!(
            "adding a primary key on ({}) of `{shown}` blocks reads and writes while its index is built",
            place.ids(&columns)
        ),
        format!(
            "ACCESS EXCLUSIVE on `{shown}` during the build, and during a scan for NULL where a column may hold it"
        ),
    ))
}
