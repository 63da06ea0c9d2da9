//! A statement that takes time, behind one that took ACCESS EXCLUSIVE in the same transaction, keeps everyone out meanwhile.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_migration(
    "stmt-while-access-exclusive",
    Group::Lock,
    Severity::Warning,
    POSTGRES,
    include_str!("stmt_while_access_exclusive.md"),
    find,
);

fn find(judged: &Judged<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let mut transaction = None;
    // The first table that the transaction keeps everyone out of, and the statement that took its lock.
    let mut held: Option<(TableName, usize)> = None;
    let mut is_told = false;
    for place in judged.places().filter(Place::in_transaction) {
        if place.step.transaction != transaction {
            (transaction, held, is_told) = (place.step.transaction, None, false);
        }
        let Some((table, taken)) = &held else {
            held = locked(&place).map(|table| (table, place.number));
            continue;
        };
        // One statement says it for all that follow.
        if !is_told && place.number > *taken && takes_time(&place) {
            is_told = true;
            drafts.push(draft(&place, table));
        }
    }
    drafts
}

fn draft(place: &Place<'_>, table: &TableName) -> Draft {
    let shown = place.shown(table);
    let what = place.step.sql.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    Draft::new(
        format!("`{what} …` runs while `{shown}` is locked for reads and writes"),
        format!("an earlier statement of the transaction took ACCESS EXCLUSIVE on `{shown}`, which is held until the commit"),
    )
    .help("put it into a migration of its own, or in front of the statement that takes the lock")
    .at(At::Statement(place.number, place.change().span))
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
            // Settings, sequences and the server's own catalogs are looked at with SELECT too.
            let small = |name: &TableName| {
                name.name.as_str().starts_with("pg_") || place.before().sequence(name).is_some()
            };
            select.query.reads.iter().any(|name| !small(name) && place.is_busy(name))
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
