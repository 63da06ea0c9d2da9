//! The pieces of a script for MySQL and MariaDB, where every schema change commits, before it and behind it, whatever
//! was open. Pure.

use super::piece::{Piece, Pieces, finished};
use super::problem::ScriptProblem;
use super::statement::Statement;
use crate::engine::{Conflict, ConflictKind, SessionChange, TransactionControl};

/// So many INSERTs in a row share a transaction: a round trip for each statement's outcome would take longer than the
/// statement.
const MOST_INSERTS: usize = 500;

/// Groups `statements` into pieces, and takes out the BEGIN and COMMIT that the file carries.
pub(super) fn pieces(statements: Vec<Statement>, path: &str) -> Pieces {
    let mut grouping = Grouping::default();
    for statement in statements {
        let line = statement.line;
        if statement.backfill.is_some() && (grouping.open.is_some() || grouping.locked) {
            let what = "a backfill stands between BEGIN and COMMIT, or where tables are locked: none of its chunks could commit";
            return Err(vec![ScriptProblem::new(path, line, what)]);
        }
        grouping.take(statement).map_err(|what| vec![ScriptProblem::new(path, line, what)])?;
    }
    finished(grouping.kept, grouping.pieces, grouping.open, path)
}

#[derive(Default)]
struct Grouping {
    kept: Vec<Statement>,
    pieces: Vec<Piece>,
    /// The first statement and the line of the file's open transaction.
    open: Option<(usize, usize)>,
    /// `LOCK TABLES` holds, which a transaction would end.
    locked: bool,
    /// The last piece is a row of INSERTs.
    inserts: bool,
}

impl Grouping {
    fn take(&mut self, statement: Statement) -> Result<(), &'static str> {
        match &statement.traits.control {
            Some(TransactionControl::Begin) => {
                self.commit();
                self.locked = false;
                self.open = Some((self.kept.len(), statement.line));
            }
            Some(TransactionControl::Commit { chain }) => {
                self.commit();
                self.open = chain.then_some((self.kept.len(), statement.line));
            }
            Some(TransactionControl::Rollback { .. }) if self.open.is_some() => {
                return Err("`ROLLBACK` would take back what is recorded as applied");
            }
            // Nothing is open, as in the client.
            Some(TransactionControl::Rollback { .. }) => {}
            _ => self.run(statement),
        }
        Ok(())
    }

    /// The open transaction ends, if there is one.
    fn commit(&mut self) {
        if let Some((from, _)) = self.open.take()
            && self.kept.len() > from
        {
            self.pieces.push(Piece::atomic(from..self.kept.len()));
        }
        self.inserts = false;
    }

    fn run(&mut self, statement: Statement) {
        let traits = &statement.traits;
        let ends = |kind| matches!(kind, ConflictKind::Commits | ConflictKind::MayCommit);
        let commits = traits.conflict.is_some_and(|Conflict { kind, .. }| ends(kind))
            || matches!(traits.control, Some(TransactionControl::Autocommit { .. }));
        let (outside, asks) = (traits.only_session, traits.asks_for_the_last && !commits && !self.locked);
        if commits {
            self.commit();
        }
        let at = self.kept.len();
        for change in &traits.session {
            match change {
                SessionChange::TableLock => self.locked = true,
                SessionChange::TableUnlock => self.locked = false,
                _ => {}
            }
        }
        let insert = !self.locked && traits.is_insert();
        let chunked = statement.backfill.is_some();
        self.kept.push(statement);
        if self.open.is_some() {
            return;
        }
        let previous = self.pieces.last_mut().filter(|piece| {
            let full = piece.statements.len() >= MOST_INSERTS;
            let asks = asks && piece.atomic && !piece.outside;
            asks || (insert && self.inserts && !full) || (outside && piece.outside)
        });
        match previous {
            _ if chunked => self.pieces.push(Piece::chunked(at)),
            Some(piece) => piece.statements.end = at + 1,
            None if outside => self.pieces.push(Piece::outside(at..at + 1)),
            None if commits || self.locked => self.pieces.push(Piece::alone(at)),
            None => self.pieces.push(Piece::atomic(at..at + 1)),
        }
        self.inserts = insert;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;

    /// The pieces as letters: `a` for one in a transaction, `o` for the session's, `x` for one alone; with the numbers
    /// of statements.
    fn check(sql: &str, expect: &str) {
        let own = |text: &str| Statement::own(text.to_owned(), 1, Dialect::Mysql);
        let statements = sql.split(';').map(str::trim).filter(|text| !text.is_empty()).map(own).collect();
        let shown = match pieces(statements, "f") {
            Ok((kept, pieces)) => {
                assert_eq!(pieces.iter().map(|piece| piece.statements.len()).sum::<usize>(), kept.len());
                let letter = |piece: &Piece| match (piece.atomic, piece.outside) {
                    (true, false) => 'a',
                    (true, true) => 'o',
                    (false, _) => 'x',
                };
                let shown = |piece: &Piece| format!("{}{}", letter(piece), piece.statements.len());
                pieces.iter().map(shown).collect::<Vec<_>>().join(" ")
            }
            Err(problems) => problems[0].what.clone(),
        };
        assert_eq!(shown, expect, "{sql}");
    }

    #[test]
    fn each_statement_is_a_transaction_or_alone() {
        check("create table t (a int); update t set a = 1; delete from t", "x1 a1 a1");
        check(
            "insert into t values (1); insert into t values (2); replace into t values (3); update t set a = 1",
            "a3 a1",
        );
        check("set names utf8; set @a = 1; insert into t values (@a); set @a = 2", "o2 a1 o1");
        check("call p(); select 1", "x1 a1");
        check(
            "insert into t values (1); set @id = last_insert_id(); update t set a = @id; set @n = row_count()",
            "a2 a2",
        );
        check("", "a0");
    }

    #[test]
    fn a_transaction_of_the_file_ends_with_a_schema_change() {
        check("begin; insert into t values (1); set @a = 1; update t set a = 1; commit; select 1", "a3 a1");
        check("start transaction; create table t (a int); insert into t values (1); commit", "x1 a1");
        check("begin; update t set a = 1; alter table t add b int; update t set a = 2; commit", "a1 x1 a1");
        check("begin; insert into t values (1); begin; insert into t values (2); commit", "a1 a1");
        check(
            "begin; update t set a = 1; rollback",
            "`ROLLBACK` would take back what is recorded as applied",
        );
        check("begin; update t set a = 1", "the transaction that begins here is never committed");
        check("rollback; set autocommit = 0; insert into t values (1); commit", "o1 a1");
    }

    #[test]
    fn locked_tables_have_no_transactions() {
        check(
            "lock tables t write; insert into t values (1); alter table t disable keys; unlock tables; insert into t values (2)",
            "o1 x1 x1 o1 a1",
        );
    }
}
