//! A way back that throws away what was written since.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_migration(
    "down-loses-data",
    Group::Loss,
    Severity::Note,
    ALL_ENGINES,
    include_str!("down_loses_data.md"),
    find,
);

fn find(judged: &Judged<'_>) -> Vec<Draft> {
    let Some(back) = judged.back else { return Vec::new() };
    let lost: Vec<String> = back.steps.iter().flat_map(|step| &step.changes).filter_map(lost).collect();
    let emptied = emptied(judged, &back.end);
    let (message, why) = match (lost.is_empty(), emptied.is_empty()) {
        (true, true) => return Vec::new(),
        (false, _) => (
            format!("the way back drops {}", lost.join(", ")),
            "rows and values that were written between the deploy and the rollback are gone",
        ),
        (true, false) => (
            format!("the way back makes {} again, but empty", emptied.join(", ")),
            "the rows and values that the migration drops do not come back with it",
        ),
    };
    let draft = Draft::new(message, why)
        .help("if they must survive, copy them away first, or go forward instead of back")
        .at(At::Down);
    vec![draft]
}

/// What the migration drops with its values, and the way back makes again.
fn emptied(judged: &Judged<'_>, end: &Schema) -> Vec<String> {
    let changes = judged.changes().map(|(_, change)| change);
    let found = changes.filter_map(|change| match &change.kind {
        ChangeKind::Drop(drop) if drop.object == ObjectKind::Table => {
            let there = |schema: &Schema| schema.table(&drop.name).is_some();
            (there(judged.before) && !there(judged.after) && there(end))
                .then(|| format!("table `{}`", drop.name))
        }
        ChangeKind::AlterTable(alter) => match &alter.action {
            TableAction::DropColumn { column, .. } => {
                let there = |schema: &Schema| {
                    schema.table(&alter.table).is_some_and(|table| table.column(column).is_some())
                };
                (there(judged.before) && !there(judged.after) && there(end))
                    .then(|| format!("column `{column}` of `{}`", alter.table))
            }
            _ => None,
        },
        _ => None,
    });
    found.collect()
}

/// What a change of a down throws away.
fn lost(applied: &crate::analysis::Applied) -> Option<String> {
    match &applied.change.kind {
        ChangeKind::Drop(drop) if drop.object == ObjectKind::Table => {
            // A table that this migration filled by itself loses nothing of anyone's.
            Some(format!("table `{}`", drop.name))
        }
        ChangeKind::AlterTable(alter) => match &alter.action {
            TableAction::DropColumn { column, .. } => Some(format!("column `{column}` of `{}`", alter.table)),
            _ => None,
        },
        ChangeKind::Truncate(truncate) => Some(format!("all rows of `{}`", truncate.table)),
        _ => None,
    }
}
