//! A constraint that is added NOT VALID and validated in one transaction keeps the strong lock during the scan.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "not-valid-and-validate-same-tx",
    Group::Lock,
    Severity::Error,
    POSTGRES,
    include_str!("not_valid_and_validate_same_tx.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (alter, TableAction::ValidateConstraint { name }) = place.alter_of_table()? else { return None };
    if !place.is_busy(&alter.table) {
        return None;
    }
    let earlier = place.judged.transaction_of(place.number).iter().take_while(|step| step.at < place.step.at);
    let here = place.step.changes.iter().take_while(|other| !std::ptr::eq(*other, place.applied));
    let adds = |change: &Change| match change.table_action() {
        Some((other, TableAction::AddConstraint { constraint, .. })) => {
            place.is_same(&other.table, &alter.table)
                && constraint.not_valid
                && constraint.name.as_ref().is_some_and(|own| same(own, name, place.dialect()))
        }
        _ => false,
    };
    let added = earlier.flat_map(|step| &step.changes).chain(here).any(|applied| adds(&applied.change));
    let shown = place.shown(&alter.table);
    added.then(|| {
        Draft::new(
            format!("constraint `{name}` of `{shown}` is validated in the transaction that adds it"),
            "the lock that adding it took is held until the commit, so everyone waits for the scan all the same",
        )
        .help("put VALIDATE CONSTRAINT into a migration of its own, after this one")
    })
}
