//! A way back that leaves another schema than there was before.

use super::prelude::*;
use crate::schema::compare::How;
use std::collections::BTreeSet;

/// The rule.
pub static RULE: Rule = Rule::on_migration(
    "down-does-not-reverse",
    Group::Wrong,
    Severity::Error,
    ALL_ENGINES,
    include_str!("down_does_not_reverse.md"),
    find,
);

fn find(judged: &Judged<'_>) -> Vec<Draft> {
    let Some(back) = judged.back.filter(|back| !back.is_empty()) else { return Vec::new() };
    // Where a statement could not be followed, nothing is known of where it leads.
    let followed = |schema: &Schema, than: &Schema| schema.opaque == than.opaque;
    if !followed(judged.after, judged.before) || !followed(&back.end, judged.after) {
        return Vec::new();
    }
    // What is made only under a condition may be there or not.
    let conditional = |steps: &[crate::analysis::Step]| {
        steps
            .iter()
            .flat_map(|step| &step.changes)
            .any(|applied| applied.change.via.is_conditional() && changes_schema(&applied.change.kind))
    };
    if conditional(judged.steps) || conditional(&back.steps) {
        return Vec::new();
    }
    let mut differences = crate::schema::compare::differences(judged.before, &back.end);
    let unknown = taken_unknown(judged.steps);
    differences.retain(|one| {
        let is_of = |name: &str| unknown.contains(&last(name));
        !(one.how == How::Left && (is_of(&one.name) || one.of.as_deref().is_some_and(is_of)))
    });
    if differences.is_empty() {
        return Vec::new();
    }
    let shown: Vec<String> = differences.iter().take(5).map(ToString::to_string).collect();
    let more = differences.len().saturating_sub(shown.len());
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    let draft = Draft::new(
        "the way back does not lead to where the migration came from",
        format!("by the schema model, up and down again leaves: {}{more}", shown.join("; ")),
    )
    .help("let the down undo each statement of the up, in reverse order; `twostep roundtrip` tries it on a real database")
    .at(At::Down);
    vec![draft]
}

/// What the up takes away without any statement having made it: its down may well bring it back.
fn taken_unknown(steps: &[crate::analysis::Step]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for applied in steps.iter().flat_map(|step| &step.changes) {
        let before = &applied.before;
        let name = match &applied.change.kind {
            ChangeKind::Drop(drop) => {
                let known = before.relation(&drop.name).is_some() || before.index(&drop.name).is_some();
                (!known).then_some(&drop.name.name)
            }
            ChangeKind::AlterTable(alter) => {
                let known = before.table(&alter.table);
                match &alter.action {
                    TableAction::DropColumn { column, .. } => {
                        known.is_none_or(|table| table.column(column).is_none()).then_some(column)
                    }
                    _ => None,
                }
            }
            _ => None,
        };
        names.extend(name.map(|name| name.as_str().to_ascii_lowercase()));
    }
    names
}

/// A name without its schema.
fn last(shown: &str) -> String {
    shown.rsplit('.').next().unwrap_or(shown).to_ascii_lowercase()
}

fn changes_schema(kind: &ChangeKind) -> bool {
    matches!(
        kind,
        ChangeKind::CreateTable(_)
            | ChangeKind::AlterTable(_)
            | ChangeKind::CreateView(_)
            | ChangeKind::CreateRoutine(_)
            | ChangeKind::CreateType { .. }
            | ChangeKind::Drop(_)
            | ChangeKind::Rename(_)
    )
}
