//! A transaction that is begun and never committed is rolled back: nothing is applied.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_migration(
    "uncommitted-transaction",
    Group::Wrong,
    Severity::Error,
    ALL_ENGINES,
    include_str!("uncommitted_transaction.md"),
    find,
);

fn find(judged: &Judged<'_>) -> Vec<Draft> {
    if judged.script.transaction && !judged.is_sent_in_one_piece() {
        return Vec::new();
    }
    let mut open: Option<At> = None;
    for (number, change) in judged.changes().filter(|(_, change)| change.via == Via::Statement) {
        let at = At::Statement(number, change.span);
        match &change.kind {
            ChangeKind::Transaction(TransactionControl::Begin) => open = open.or(Some(at)),
            ChangeKind::Transaction(
                TransactionControl::Commit { chain } | TransactionControl::Rollback { chain },
            ) => {
                open = chain.then_some(at);
            }
            ChangeKind::Transaction(TransactionControl::TwoPhase) => open = None,
            _ => {}
        }
    }
    let draft = |at| {
        Draft::new(
            "the transaction that begins here is never committed",
            "the server rolls it back when the migration's session ends: nothing of it stays",
        )
        .help("COMMIT; at the end")
        .at(at)
    };
    open.map(draft).into_iter().collect()
}
