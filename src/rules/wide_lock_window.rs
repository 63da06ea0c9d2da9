//! Strong locks on several tables, held together until the commit, multiply waits and invite deadlocks.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_migration(
    "wide-lock-window",
    Group::Lock,
    Severity::Note,
    POSTGRES,
    include_str!("wide_lock_window.md"),
    find,
);

fn find(judged: &Judged<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let mut transaction = None;
    let mut held: Vec<TableName> = Vec::new();
    for place in judged.places().filter(Place::in_transaction) {
        if place.step.transaction != transaction {
            transaction = place.step.transaction;
            held.clear();
        }
        let strong = |effect: &&RelationEffect| {
            effect.lock.blocks_reads && matches!(effect.role, Role::Target | Role::Parent | Role::View)
        };
        let Some(effect) = place.felt().find(strong) else { continue };
        if held.contains(&effect.relation) {
            continue;
        }
        held.push(effect.relation.clone());
        if held.len() == 2 {
            let (first, second) = (place.shown(&held[0]), place.shown(&held[1]));
            drafts.push(
                Draft::new(
                    format!("`{first}` and `{second}` are locked for reads and writes at the same time"),
                    "both locks are held until the transaction commits: a query that uses both in the other order meets it in a deadlock, and each wait for one lengthens the other",
                )
                .help("one migration for each table")
                .at(At::Statement(place.number, place.change().span)),
            );
        }
    }
    drafts
}
