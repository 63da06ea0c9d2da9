//! Runs the statements of a file that is too large to be held, one after the other as they are read.

use super::failure::StatementProblem;
use super::state::Executor;
use super::statements::Held;
use crate::dialect::Dialect;
use crate::run::error::RunError;
use crate::run::fault;
use crate::run::large::Statements;
use crate::run::machine::{Event, Failure};
use crate::run::script::Statement;
use crate::run::watch::Watched;
use crate::sql::reader::{Next, ReadKind, ReadStatement};

impl Executor<'_> {
    /// Runs the statements of the unit's file in its open transaction.
    pub(super) async fn run_large_file(&mut self, unit: usize) -> Event {
        let path = self.options.folder.join(&self.unit(unit).1.prepared.path);
        let dialect = self.session().dialect();
        let mut statements = match Statements::open(&path, dialect) {
            Ok(statements) => statements,
            Err(error) => return self.large_file_failed(unit, error.to_string()),
        };
        let mut held = Held::default();
        let mut ordinal = 0;
        loop {
            self.sign_of_life().await;
            if self.signal.is_raised() {
                return self.fail(Failure::Interrupted, RunError::Interrupted);
            }
            let found = match statements.next() {
                Ok(Next::Statement(found)) => found,
                Ok(Next::End) => return Event::Done,
                Ok(Next::Rows(_) | Next::RowsEnd | Next::NeedMore) => continue,
                Ok(Next::Unterminated { open, line }) => {
                    let why = format!("line {line}: the {} that begins here is never closed", open.what);
                    return self.large_file_failed(unit, why);
                }
                Ok(Next::InvalidUtf8 { offset }) => {
                    return self.large_file_failed(unit, format!("byte {offset} is not valid UTF-8"));
                }
                Ok(Next::Nul { offset }) => {
                    return self
                        .large_file_failed(unit, format!("byte {offset} is NUL, which no server takes"));
                }
                Err(error) => return self.large_file_failed(unit, error.to_string()),
            };
            let (line, kind) = (found.line, found.kind);
            let statement = match self.large_statement(found, dialect) {
                Ok(statement) => statement,
                Err(why) => return self.large_file_failed(unit, why),
            };
            let sent = match kind {
                ReadKind::Copy => self.copy_from(&statement, &mut statements).await,
                ReadKind::Sql | ReadKind::ClientCommand => self.run_one(&statement, false, &mut held).await,
            };
            if let Err(problem) = sent {
                self.large_at = Some((line, statement.title()));
                return self.statement_failed(unit, ordinal, problem).await;
            }
            fault::point("after a statement of a large file");
            ordinal += 1;
        }
    }

    /// What is sent of a statement; what cannot run in the file's transaction is refused.
    fn large_statement(&self, found: ReadStatement, dialect: Dialect) -> Result<Statement, String> {
        let line = found.line;
        let statement = Statement::own(found.text, line, dialect);
        if found.kind == ReadKind::ClientCommand {
            return Err(format!(
                "line {line}: `{}` is a command of the command line client",
                statement.title()
            ));
        }
        if statement.traits.control.is_some() || statement.traits.conflict.is_some() {
            return Err(format!("line {line}: `{}` cannot run in the file's transaction", statement.title()));
        }
        Ok(statement)
    }

    fn large_file_failed(&mut self, unit: usize, why: String) -> Event {
        let place = self.place(unit, None);
        self.fail(Failure::Refused, RunError::File { place, why })
    }

    async fn copy_from(
        &mut self,
        statement: &Statement,
        statements: &mut Statements,
    ) -> Result<(), StatementProblem> {
        let mut rows = std::iter::from_fn(|| match statements.next() {
            Ok(Next::Rows(rows)) => Some(Ok(rows)),
            Ok(Next::RowsEnd) => None,
            Ok(other) => Some(Err(std::io::Error::other(format!("the rows are broken off: {other:?}")))),
            Err(error) => Some(Err(error)),
        });
        let title = statement.title();
        let how = Watched::without_limit(&title);
        let sent = self.watched(how, async |session| session.copy_in(statement.sql(), &mut rows).await);
        sent.await.map(drop).map_err(StatementProblem::from)
    }
}
