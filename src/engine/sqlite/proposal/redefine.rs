//! What SQLite's `ALTER TABLE` has no words for, written as on other engines: done by the documented rebuild.

use super::{rebuild, required};
use crate::engine::proposal::about::About;
use crate::engine::proposal::{Back, Proposal, Stage};
use crate::schema::change::TableAction;

pub(super) fn propose(about: &About<'_>, action: &TableAction) -> Option<Proposal> {
    let id = |column| about.id(column);
    // What older code meets: nothing, or what only a contract may bring.
    let code = match action {
        TableAction::DropNotNull { .. }
        | TableAction::SetDefault { .. }
        | TableAction::DropConstraint { .. } => String::new(),
        TableAction::SetNotNull { column } => {
            format!("it writes {} in every row, and no row is NULL any more", id(column))
        }
        TableAction::DropDefault { column } => format!("it writes {} in every insert", id(column)),
        TableAction::SetType { column, .. } => format!("it works with both types of {}", id(column)),
        TableAction::AddConstraint { .. } => {
            "what it writes satisfies it, and no row breaks it any more".to_owned()
        }
        _ => return None,
    };
    let mut proposal = Proposal { code, ..Proposal::default() };
    about.must_be_known(&mut proposal);
    let (Some(before), Some(after)) = (about.table, rebuild::after(about)) else { return Some(proposal) };
    if let TableAction::SetNotNull { column } = action
        && let Some(fill) = about.fill(column)
    {
        return Some(required::filled(about, column, fill, Vec::new(), (before, &after)));
    }
    let text = "ALTER TABLE cannot do this; the documented rebuild can.";
    let actions = rebuild::both_ways(about, before, &after, &rebuild::same, text, &mut proposal);
    if proposal.code.is_empty() {
        proposal.expand.push(Stage::Together(actions));
        return Some(proposal);
    }
    proposal.contract.push(Stage::Together(actions));
    let back = rebuild::rebuild(about, &after, before, &rebuild::same, "As it was.");
    proposal.back = back.map_or(Back::Authors, |actions| Back::Stages(vec![Stage::Together(actions)]));
    Some(proposal)
}
