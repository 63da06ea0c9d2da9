//! A statement that asks MySQL for less work or a weaker lock than the change needs: the server refuses it.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "refused-algorithm",
    Group::Wrong,
    Severity::Error,
    MYSQL,
    include_str!("refused_algorithm.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let effects = place.statement_effects();
    let why = crate::engine::refuses(place.change(), place.before(), &effects)?;
    let is_first = place.step.changes.first().is_some_and(|first| std::ptr::eq(first, place.applied));
    let target = effects.target()?;
    // What is not known of the table may be what makes it possible.
    if !is_first
        || place.is_skipped()
        || !adds_keys_alone(place) && place.table(&target.relation).is_none_or(|table| !table.is_complete())
    {
        return None;
    }
    let (shown, server) = (place.shown(&target.relation), place.server());
    Some(
        Draft::new(format!("{server} refuses this change of `{shown}`: {why}"), "the migration fails here; what stands before it has been committed")
            .help("leave out ALGORITHM and LOCK only if the table is small enough to wait for; else change a copy with gh-ost or pt-online-schema-change"),
    )
}

/// Whether the statement does nothing but build indexes: what that takes does not depend on the table.
fn adds_keys_alone(place: &Place<'_>) -> bool {
    place.step.changes.iter().all(|applied| match &applied.change.kind {
        ChangeKind::CreateIndex(_) => true,
        ChangeKind::AlterTable(alter) => match &alter.action {
            TableAction::AddIndex(_) => true,
            TableAction::AddConstraint { constraint, .. } => {
                matches!(constraint.kind, ConstraintKind::Unique(_))
            }
            _ => false,
        },
        _ => false,
    })
}
