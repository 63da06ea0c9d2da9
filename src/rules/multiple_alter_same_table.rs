//! Several ALTER TABLE of one table take its lock, and scan it, several times.

use super::prelude::*;
use std::collections::BTreeSet;

/// The rule.
pub static RULE: Rule = Rule::on_migration(
    "multiple-alter-same-table",
    Group::Style,
    Severity::Warning,
    POSTGRES_AND_MYSQL,
    include_str!("multiple_alter_same_table.md"),
    find,
);

fn find(judged: &Judged<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let mut altered: BTreeSet<(TableName, ObjectKind)> = BTreeSet::new();
    // Those of the statement that is looked at now.
    let mut open: Option<(usize, TableName, ObjectKind)> = None;
    for place in judged.places() {
        let Some((alter, action)) = place.alter_of_table() else { continue };
        if stands_alone(action) {
            continue;
        }
        if let Some((_, table, object)) = open.take_if(|(number, ..)| *number < place.number) {
            altered.insert((table, object));
        }
        let before = place.before();
        let key = before.relation_key(&alter.table).unwrap_or_else(|| before.new_key(&alter.table));
        if alter.part.0 == 0 && altered.contains(&(key.clone(), alter.object)) {
            drafts.push(draft(&place, &alter.table));
        }
        open = open.or(Some((place.number, key, alter.object)));
    }
    drafts
}

fn draft(place: &Place<'_>, table: &TableName) -> Draft {
    Draft::new(
        format!("another ALTER TABLE of `{}` stands before this one", place.shown(table)),
        "each takes the lock, and scans or rewrites where it must, by itself",
    )
    .help("put the actions into one ALTER TABLE, parted by commas")
    .at(At::Statement(place.number, place.change().span))
}

/// Whether an action cannot stand beside others in one statement.
fn stands_alone(action: &TableAction) -> bool {
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
}
