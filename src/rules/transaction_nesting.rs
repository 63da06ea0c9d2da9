//! BEGIN or COMMIT in a migration that the runner puts into a transaction ends or nests that transaction.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_migration(
    "transaction-nesting",
    Group::Wrong,
    Severity::Error,
    ALL_ENGINES,
    include_str!("transaction_nesting.md"),
    find,
);

fn find(judged: &Judged<'_>) -> Vec<Draft> {
    let by_file = judged.script.transaction && !judged.is_sent_in_one_piece();
    let mut open = by_file;
    let mut own = false;
    let mut drafts = Vec::new();
    for (number, change) in judged.changes().filter(|(_, change)| change.via == Via::Statement) {
        let ChangeKind::Transaction(control) = &change.kind else { continue };
        let at = At::Statement(number, change.span);
        match control {
            TransactionControl::Begin => {
                if open {
                    drafts.push(nested(by_file && !own).at(at));
                }
                own = true;
                open = true;
            }
            TransactionControl::Commit { chain } | TransactionControl::Rollback { chain } => {
                let word =
                    if matches!(control, TransactionControl::Commit { .. }) { "COMMIT" } else { "ROLLBACK" };
                if !open {
                    drafts.push(without(word).at(at));
                } else if by_file && !own {
                    drafts.push(ends(word).at(at));
                }
                open = *chain;
                own = *chain;
            }
            _ => {}
        }
    }
    // The first says what is wrong with the file; the others follow from it.
    drafts.truncate(1);
    drafts
}

const HELP: &str = "leave BEGIN and COMMIT out, or put `-- twostep: no-transaction` at the top of the file, so that they are its own";

fn nested(by_runner: bool) -> Draft {
    let why = if by_runner {
        "the runner has begun one already: BEGIN does nothing but warn, and the COMMIT that belongs to it ends the runner's"
    } else {
        "BEGIN within a transaction does nothing but warn"
    };
    Draft::new("BEGIN within a transaction", why).help(HELP)
}

fn without(word: &str) -> Draft {
    Draft::new(
        format!("{word} without a transaction"),
        "there is none open here, so it does nothing but warn: a BEGIN is missing, or one too many ended it",
    )
    .help("make pairs of BEGIN and COMMIT")
}

fn ends(word: &str) -> Draft {
    Draft::new(
        format!("{word} ends the runner's transaction"),
        "what follows commits statement by statement, and what stands before it is no longer undone when a later one fails",
    )
    .help(HELP)
}
