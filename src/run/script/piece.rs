//! Which statements of a script share a transaction, and which stand alone.

use super::problem::ScriptProblem;
use super::statement::Statement;
use super::{ScriptOptions, autocommit};
use crate::dialect::Dialect;
use crate::engine::{Conflict, ConflictKind, TransactionControl};
use crate::source::Script;
use std::ops::Range;

/// A run of statements that is atomic for us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Which statements.
    pub statements: Range<usize>,
    /// Whether they share a transaction with what the journal says of them.
    pub atomic: bool,
    /// Whether they only change the session, and run before the transaction in which the journal says so.
    pub outside: bool,
    /// Whether it is an UPDATE that runs in chunks of rows, each with its own transaction.
    pub chunked: bool,
}

impl Piece {
    /// Statements that share a transaction.
    pub fn atomic(statements: Range<usize>) -> Self {
        Self { statements, atomic: true, outside: false, chunked: false }
    }

    /// Statements that only change the session.
    pub fn outside(statements: Range<usize>) -> Self {
        Self { statements, atomic: true, outside: true, chunked: false }
    }

    /// A statement that no transaction can hold.
    pub fn alone(statement: usize) -> Self {
        Self { statements: statement..statement + 1, atomic: false, outside: false, chunked: false }
    }

    /// An UPDATE in chunks of rows.
    pub fn chunked(statement: usize) -> Self {
        Self { chunked: true, ..Self::atomic(statement..statement + 1) }
    }
}

/// The statements that are run, and their pieces; or what speaks against running them.
pub(super) type Pieces = Result<(Vec<Statement>, Vec<Piece>), Vec<ScriptProblem>>;

/// Groups statements into pieces, and takes out the BEGIN and COMMIT that a file carries by itself.
pub(super) fn pieces(statements: Vec<Statement>, script: &Script, options: ScriptOptions) -> Pieces {
    if options.dialect == Dialect::Mysql {
        return autocommit::pieces(statements, &script.path);
    }
    let wrapped = is_wrapped(&statements);
    let controls = statements.iter().any(|statement| is_boundary(statement.traits.control.as_ref()));
    let one_transaction = script.transaction && (wrapped || !controls || options.native);
    if one_transaction {
        in_one_transaction(statements, wrapped, &script.path)
    } else {
        one_by_one(statements, &script.path)
    }
}

/// The pieces of a script that runs in one transaction: one.
fn in_one_transaction(mut statements: Vec<Statement>, wrapped: bool, path: &str) -> Pieces {
    let problems = misplaced(&statements, wrapped, path);
    if !problems.is_empty() {
        return Err(problems);
    }
    if wrapped {
        statements.pop();
        statements.remove(0);
    }
    let count = statements.len();
    Ok((statements, vec![Piece::atomic(0..count)]))
}

/// The pieces of a script that begins and commits its own transactions, or has none.
fn one_by_one(statements: Vec<Statement>, path: &str) -> Pieces {
    let mut kept = Vec::with_capacity(statements.len());
    let mut pieces: Vec<Piece> = Vec::new();
    let mut open: Option<(usize, usize)> = None;
    for statement in statements {
        let line = statement.line;
        let problem = |what: &str| vec![ScriptProblem::new(path, line, what)];
        match (&statement.traits.control, open) {
            (Some(TransactionControl::Begin), None) => open = Some((kept.len(), line)),
            (Some(TransactionControl::Begin), Some(_)) => {
                return Err(problem("a transaction is begun inside another one"));
            }
            (Some(TransactionControl::Commit { chain }), Some((from, _))) => {
                if kept.len() > from {
                    pieces.push(Piece::atomic(from..kept.len()));
                }
                open = (*chain).then_some((kept.len(), line));
            }
            // A COMMIT without a BEGIN does nothing, as in the client.
            (Some(TransactionControl::Commit { .. }), None) => {}
            (Some(TransactionControl::PrepareTransaction), _) => {
                return Err(problem("`PREPARE TRANSACTION` would take the transaction away from this run"));
            }
            (Some(TransactionControl::Rollback { .. }), _) => {
                return Err(problem("`ROLLBACK` would take back what is recorded as applied"));
            }
            _ => {
                let at = kept.len();
                if open.is_none() {
                    let traits = &statement.traits;
                    let atomic = traits.conflict.is_none() && !traits.ends_transactions;
                    pieces.push(match (&statement.backfill, atomic) {
                        (Some(_), _) => Piece::chunked(at),
                        (None, true) => Piece::atomic(at..at + 1),
                        (None, false) => Piece::alone(at),
                    });
                } else if statement.backfill.is_some() {
                    return Err(problem(
                        "a backfill stands between BEGIN and COMMIT, where none of its chunks could commit",
                    ));
                } else if let Some(conflict) = statement.traits.conflict {
                    return Err(problem(&conflict_sentence(&statement, conflict)));
                }
                kept.push(statement);
            }
        }
    }
    finished(kept, pieces, open, path)
}

/// The end of a script: a transaction that it has begun (its first statement and line) is over, and there is a piece also
/// where there is no statement.
pub(super) fn finished(
    kept: Vec<Statement>,
    mut pieces: Vec<Piece>,
    open: Option<(usize, usize)>,
    path: &str,
) -> Pieces {
    if let Some((_, line)) = open {
        let what = "the transaction that begins here is never committed";
        let help = Some("end it with `COMMIT;`".to_owned());
        return Err(vec![ScriptProblem { help, ..ScriptProblem::new(path, line, what) }]);
    }
    if pieces.is_empty() {
        pieces.push(Piece::atomic(0..0));
    }
    Ok((kept, pieces))
}

fn is_boundary(control: Option<&TransactionControl>) -> bool {
    matches!(
        control,
        Some(
            TransactionControl::Begin
                | TransactionControl::Commit { .. }
                | TransactionControl::Rollback { .. }
                | TransactionControl::PrepareTransaction
        )
    )
}

/// Whether a file is one transaction of its own: BEGIN first, COMMIT last, and none between.
fn is_wrapped(statements: &[Statement]) -> bool {
    let [first, between @ .., last] = statements else { return false };
    matches!(first.traits.control, Some(TransactionControl::Begin))
        && matches!(last.traits.control, Some(TransactionControl::Commit { chain: false }))
        && !between.iter().any(|statement| is_boundary(statement.traits.control.as_ref()))
}

/// What cannot stand in a script that runs in one transaction.
fn misplaced(statements: &[Statement], wrapped: bool, path: &str) -> Vec<ScriptProblem> {
    let inner = if wrapped { &statements[1..statements.len() - 1] } else { statements };
    let mut problems = Vec::new();
    for statement in inner {
        let (what, help) = if is_boundary(statement.traits.control.as_ref()) {
            (
                format!("`{}` would end the transaction of this migration", statement.title()),
                "take it out, or put `-- twostep: no-transaction` on the first line",
            )
        } else if let Some(conflict) = statement.traits.conflict {
            (
                conflict_sentence(statement, conflict),
                "put `-- twostep: no-transaction` on the first line, best in a migration of its own",
            )
        } else {
            continue;
        };
        problems.push(ScriptProblem {
            path: path.to_owned(),
            line: statement.line,
            what,
            help: Some(help.to_owned()),
        });
    }
    problems
}

/// Why a statement cannot stand in a transaction.
fn conflict_sentence(statement: &Statement, conflict: Conflict) -> String {
    let title = statement.title();
    match conflict.kind {
        ConflictKind::Refused => format!("`{title}` cannot run in a transaction"),
        ConflictKind::Commits => format!("`{title}` commits the transaction in which it stands"),
        ConflictKind::MayCommit => format!("`{title}` may commit the transaction in which it stands"),
        ConflictKind::NoEffect => format!("`{title}` does nothing in a transaction"),
    }
}
