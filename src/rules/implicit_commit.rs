//! A schema change within a transaction of MySQL, which commits it.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_migration(
    "implicit-commit",
    Group::Wrong,
    Severity::Warning,
    MYSQL,
    include_str!("implicit_commit.md"),
    find,
);

fn find(judged: &Judged<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let (mut open, mut rows) = (false, false);
    for place in judged.places() {
        match place.kind() {
            ChangeKind::Transaction(TransactionControl::Begin) => (open, rows) = (true, false),
            ChangeKind::Transaction(
                TransactionControl::Commit { .. } | TransactionControl::Rollback { .. },
            ) => {
                open = false;
            }
            ChangeKind::Insert(_) | ChangeKind::Update(_) | ChangeKind::Delete(_) => rows = true,
            _ if open && commits(&place) => {
                let what = if rows {
                    "commits the rows that were written before it"
                } else {
                    "ends the transaction"
                };
                drafts.push(
                    Draft::new(
                        format!("a schema change within a transaction {what}"),
                        "each statement that changes the schema commits, so a later failure or ROLLBACK takes nothing back, and what follows runs without a transaction",
                    )
                    .help("leave BEGIN and COMMIT out around schema changes, and give the rows a migration of their own")
                    .at(At::Statement(place.number, place.change().span)),
                );
                open = false;
            }
            _ => {}
        }
    }
    drafts
}

/// Whether a change is one that commits.
fn commits(place: &Place<'_>) -> bool {
    match place.kind() {
        ChangeKind::CreateTable(create) => create.persistence != Persistence::Temporary,
        ChangeKind::Drop(drop) => !drop.temporary,
        ChangeKind::AlterTable(_)
        | ChangeKind::CreateIndex(_)
        | ChangeKind::CreateView(_)
        | ChangeKind::CreateTrigger(_)
        | ChangeKind::CreateRoutine(_)
        | ChangeKind::Truncate(_) => true,
        _ => false,
    }
}
