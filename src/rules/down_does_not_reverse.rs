//! A way back that leaves another schema than there was before.

use super::prelude::*;

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
    let differences = crate::schema::compare::differences(judged.before, &back.end);
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
