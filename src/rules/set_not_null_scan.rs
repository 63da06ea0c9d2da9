//! SET NOT NULL reads all rows while everyone is kept out, unless a validated check says it already.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "set-not-null-scan",
    Group::Lock,
    Severity::Error,
    POSTGRES,
    include_str!("set_not_null_scan.md"),
    find,
)
.splitting();

fn find(place: &Place<'_>) -> Option<Draft> {
    let (alter, action) = place.alter_of_table()?;
    let column = match action {
        TableAction::SetNotNull { column } => column,
        // PostgreSQL 18 has it as a constraint with a name too.
        TableAction::AddConstraint { constraint, .. } => match &constraint.kind {
            ConstraintKind::NotNull(column) => column,
            _ => return None,
        },
        _ => return None,
    };
    let table = place.table(&alter.table);
    let foreign = alter.object == ObjectKind::ForeignTable
        || table.is_some_and(|table| table.form == TableForm::Foreign);
    let scans = place.effects().target().is_some_and(|effect| effect.work == Work::Scan);
    if foreign
        || !scans
        || place.is_skipped()
        || !place.is_busy(&alter.table)
        || may_be_proven(place, &alter.table)
    {
        return None;
    }
    let shown = place.shown(&alter.table);
    let unproven = table.is_some_and(|table| {
        table.constraints.iter().any(|one| {
            !one.valid
                && matches!(&one.kind, ConstraintKind::Check(expr) if expr.requires_not_null.contains(column))
        })
    });
    let mut why = format!("ACCESS EXCLUSIVE on `{shown}` during the scan");
    if unproven {
        why.push_str("; the check that says so is not validated, and does not help");
    }
    Some(Draft::new(
        format!(
            "setting column `{column}` of `{shown}` NOT NULL blocks reads and writes while all rows are checked"
        ),
        why,
    ))
}

/// Whether this migration has validated a constraint that no statement of the history made: it is taken to be the one
/// that says the column is not NULL.
fn may_be_proven(place: &Place<'_>, table: &TableName) -> bool {
    let known = place.table(table);
    let validated = place.judged.outline().validated.iter().any(|(at, other, name)| {
        *at < place.number
            && known.is_none_or(|table| table.constraint(name).is_none())
            && place.is_same(other, table)
    });
    validated && place.server().at_least((12, 0, 0))
}
