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
    if lost.is_empty() {
        return Vec::new();
    }
    let draft = Draft::new(
        format!("the way back drops {}", lost.join(", ")),
        "rows and values that were written between the deploy and the rollback are gone",
    )
    .help("if they must survive, copy them away in the down, or go forward instead of back")
    .at(At::Down);
    vec![draft]
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
