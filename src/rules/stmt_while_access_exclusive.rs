//! A statement that takes time, behind one that took ACCESS EXCLUSIVE in the same transaction, keeps everyone out meanwhile.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "stmt-while-access-exclusive",
    Group::Lock,
    Severity::Warning,
    POSTGRES,
    include_str!("stmt_while_access_exclusive.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    if !place.in_transaction() || !takes_time(place) {
        return None;
    }
    let earlier = place.judged.places().take_while(|other| other.number < place.number);
    let mut same = earlier.filter(|other| other.step.transaction == place.step.transaction);
    let table = same.find_map(|other| locked(&other))?;
    let shown = place.shown(&table);
    let what = place.step.sql.split_whitespace().take(2).collect::<Vec<_>>().join(" ").to_uppercase();
    Some(
        Draft::new(
            format!("`{what} …` runs while `{shown}` is locked for reads and writes"),
            format!("an earlier statement of the transaction took ACCESS EXCLUSIVE on `{shown}`, which is held until the commit"),
        )
        .help("put it into a migration of its own, or in front of the statement that takes the lock"),
    )
}

/// A table that is in use and that the change keeps everyone out of.
fn locked(place: &Place<'_>) -> Option<TableName> {
    place
        .felt()
        .find(|effect| effect.lock.blocks_reads && effect.role != Role::Index)
        .map(|effect| effect.relation.clone())
}

/// Whether a change takes longer the more rows there are, or reads.
fn takes_time(place: &Place<'_>) -> bool {
    match place.kind() {
        ChangeKind::Select(select) => {
            // Settings and sequences are looked at with SELECT too.
            select.query.reads.iter().any(|name| place.is_busy(name))
        }
        ChangeKind::Insert(insert) => {
            place.is_busy(&insert.table)
                || insert.rows == InsertRows::Query
                    && insert.query.reads.iter().any(|name| place.is_busy(name))
        }
        ChangeKind::Update(_) | ChangeKind::Delete(_) | ChangeKind::Merge(_) | ChangeKind::Copy(_) => {
            place.felt().any(|effect| effect.work.grows_with_rows())
        }
        ChangeKind::CreateIndex(_) | ChangeKind::RefreshMaterializedView { .. } => {
            place.felt().any(|effect| effect.work.grows_with_rows())
        }
        ChangeKind::AlterTable(alter) => match &alter.action {
            TableAction::ValidateConstraint { .. } => {
                place.felt().any(|effect| effect.work.grows_with_rows())
            }
            _ => false,
        },
        _ => false,
    }
}
