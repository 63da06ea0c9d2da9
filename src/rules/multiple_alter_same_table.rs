//! Several ALTER TABLE of one table take its lock, and scan it, several times.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "multiple-alter-same-table",
    Group::Style,
    Severity::Warning,
    POSTGRES,
    include_str!("multiple_alter_same_table.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (alter, action) = place.alter_of_table()?;
    // These cannot stand beside others in one statement.
    let alone = |action: &TableAction| {
        matches!(
            action,
            TableAction::RenameTable { .. }
                | TableAction::RenameColumn { .. }
                | TableAction::RenameConstraint { .. }
                | TableAction::SetSchema { .. }
                | TableAction::ValidateConstraint { .. }
                | TableAction::AttachPartition { .. }
                | TableAction::DetachPartition { .. }
        )
    };
    if alone(action) || alter.part.0 > 0 {
        return None;
    }
    let key =
        |name: &TableName| place.before().relation_key(name).unwrap_or_else(|| place.before().new_key(name));
    let own = key(&alter.table);
    let mut earlier = place.judged.changes().take_while(|(number, _)| *number < place.number);
    let found = earlier.any(|(_, change)| match change.table_action() {
        Some((other, action)) => key(&other.table) == own && !alone(action) && other.object == alter.object,
        None => false,
    });
    found.then(|| {
        Draft::new(
            format!("another ALTER TABLE of `{}` stands before this one", place.shown(&alter.table)),
            "each takes the lock, and scans or rewrites where it must, by itself",
        )
        .help("put the actions into one ALTER TABLE, parted by commas")
    })
}
