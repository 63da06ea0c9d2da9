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
    let transaction = place.judged.transaction_of(place.number).first()?.at;
    let number = place.number;
    // Those of the same transaction, and of the same statement in front of it.
    let added = place.judged.outline().unvalidated.iter().any(|(at, table, other)| {
        *at <= number
            && place.judged.steps[*at].at >= transaction
            && same(other, name, place.dialect())
            && place.is_same(table, &alter.table)
    });
    let shown = place.shown(&alter.table);
    added.then(|| {
        Draft::new(
            format!("constraint `{name}` of `{shown}` is validated in the transaction that adds it"),
            "the lock that adding it took is held until the commit, so everyone waits for the scan all the same",
        )
        .help("put VALIDATE CONSTRAINT into a migration of its own, after this one")
    })
}
