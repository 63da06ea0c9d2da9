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
        let effect = place.felt().find(strong).filter(|effect| !held.contains(&effect.relation));
        let is_new = effect.is_some();
        held.extend(effect.map(|effect| effect.relation.clone()));
        if is_new && held.len() == 2 {
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
        rename(&place, &mut held);
    }
    drafts
}

/// A table that gets another name is the same one still.
fn rename(place: &Place<'_>, held: &mut [TableName]) {
    let Some((alter, TableAction::RenameTable { to })) = place.alter_of_table() else { return };
    let before = place.before();
    let old = before.relation_key(&alter.table).unwrap_or_else(|| before.new_key(&alter.table));
    let schema = to.schema.clone().or_else(|| old.schema.clone());
    let new = before.new_key(&TableName { schema, name: to.name.clone() });
    for name in held.iter_mut().filter(|name| **name == old) {
        *name = new.clone();
    }
}
