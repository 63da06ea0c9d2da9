//! Makes a script ready: its statements are read, what speaks against it is said, and it is cut into pieces.

use super::piece::{Piece, pieces};
use super::problem::{ScriptProblem, backfill_problem, harmless_client_command, misdirected, refusals};
use super::statement::{Statement, Text, Traits, keyed, title};
use crate::dialect::Dialect;
use crate::engine::mysql::variables::LAST_ID;
use crate::run::limits::Limits;
use crate::source::{Body, GivenStatement, Script};
use crate::sql::directive;
use crate::sql::split::{StatementKind, split};
use crate::text::{LineIndex, Span};
use std::sync::Arc;

/// A script that is ready to run.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The file, below the migrations folder.
    pub path: String,
    /// Its statements, or where they come from.
    pub work: Work,
    /// The pieces, in order.
    pub pieces: Vec<Piece>,
    /// The time limits that it sets for itself.
    pub limits: Limits,
}

/// What a script does.
#[derive(Debug, Clone)]
pub enum Work {
    /// These statements.
    Statements(Vec<Statement>),
    /// The statements of a file that is too large to be held.
    LargeFile {
        /// Its length in bytes.
        bytes: u64,
    },
    /// A program, by its path below the migrations folder.
    Program(String),
}

/// How a script is read.
#[derive(Debug, Clone, Copy)]
pub struct ScriptOptions {
    /// The dialect.
    pub dialect: Dialect,
    /// Whether the script is in our own format, where a COMMIT in the middle is a mistake; in the formats of tools
    /// that send whole files it has a meaning.
    pub native: bool,
}

/// Makes `script` ready, or says everything that speaks against running it.
pub fn prepare(script: &Script, options: ScriptOptions) -> Result<Prepared, Vec<ScriptProblem>> {
    let dialect = options.dialect;
    let statements = match &script.body {
        Body::Program { program } => {
            return Ok(Prepared {
                path: script.path.clone(),
                work: Work::Program(program.clone()),
                pieces: vec![Piece::alone(0)],
                limits: Limits::default(),
            });
        }
        Body::LargeFile { bytes } => {
            return if script.transaction && dialect != Dialect::Mysql {
                Ok(Prepared {
                    path: script.path.clone(),
                    work: Work::LargeFile { bytes: *bytes },
                    pieces: vec![Piece::atomic(0..usize::MAX)],
                    limits: limits(script).map_err(|problem| vec![problem])?,
                })
            } else {
                Err(vec![ScriptProblem {
                    path: script.path.clone(),
                    line: 1,
                    what: format!(
                        "{bytes} bytes are too much for a file that does not run in one transaction"
                    ),
                    help: Some("split the file: up to 8 MiB are held in memory".to_owned()),
                }])
            };
        }
        Body::Sql { file, span } => held(file, *span, dialect)
            .map_err(|problem| vec![ScriptProblem { path: script.path.clone(), ..problem }])?,
        Body::Statements { file, statements } => {
            let lines = LineIndex::new(file);
            let own = |given: &GivenStatement| {
                Statement::own(given.text.clone(), lines.position(file, given.span.start).line, dialect)
            };
            statements.iter().map(own).collect()
        }
    };
    let mut problems = misdirected(script, dialect);
    let limits = limits(script).unwrap_or_else(|problem| {
        problems.push(problem);
        Limits::default()
    });
    let resumable = script.transaction || dialect == Dialect::Mysql;
    problems.extend(refusals(&statements, &script.path, resumable));
    for statement in &statements {
        if let Some((what, help)) = backfill_problem(statement, script.transaction, dialect) {
            let (path, line) = (script.path.clone(), statement.line);
            problems.push(ScriptProblem { path, line, what, help: Some(help.to_owned()) });
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let (mut statements, pieces) = pieces(statements, script, options)?;
    keep_last_ids(&mut statements);
    Ok(Prepared { path: script.path.clone(), work: Work::Statements(statements), pieces, limits })
}

/// The limits that the file sets.
fn limits(script: &Script) -> Result<Limits, ScriptProblem> {
    Limits::of(&script.directives).map_err(|(what, why)| {
        let directive = script.directives.iter().find(|directive| directive.name == "set");
        let line = match (&script.body, directive) {
            (Body::Sql { file, .. } | Body::Statements { file, .. }, Some(directive)) => {
                LineIndex::new(file).position(file, directive.span.start).line
            }
            _ => 1,
        };
        ScriptProblem { path: script.path.clone(), line, what, help: Some(why) }
    })
}

/// The statements of a part of a file.
fn held(file: &Arc<str>, span: Span, dialect: Dialect) -> Result<Vec<Statement>, ScriptProblem> {
    let lines = LineIndex::new(file);
    let line = |offset: usize| lines.position(file, span.start + offset).line;
    let problem = |offset: usize, what: String, help: Option<String>| ScriptProblem {
        path: String::new(),
        line: line(offset),
        what,
        help,
    };
    let part = span.of(file);
    let cut = split(part, dialect);
    if let Some(open) = cut.unterminated {
        return Err(problem(open.at, format!("the {} that begins here is never closed", open.what), None));
    }
    let mut statements = Vec::with_capacity(cut.statements.len());
    let placed = directive::place(part, &cut, dialect);
    for (number, statement) in cut.statements.into_iter().enumerate() {
        let rows = match statement.kind {
            StatementKind::Sql => None,
            StatementKind::Copy { data } => Some(Text::Part(file.clone(), data.shifted(span.start))),
            StatementKind::ClientCommand if harmless_client_command(statement.text) => continue,
            StatementKind::ClientCommand => {
                return Err(problem(
                    statement.span.start,
                    format!(
                        "`{}` is a command of the command line client, which no server understands",
                        title(statement.text)
                    ),
                    Some("write it as SQL, or take it out".to_owned()),
                ));
            }
        };
        statements.push(Statement {
            text: Text::Part(file.clone(), statement.span.shifted(span.start)),
            line: line(statement.span.start),
            rows,
            traits: Traits::of(statement.text, dialect),
            backfill: placed.of(number).find_map(keyed(dialect)),
        });
    }
    Ok(statements)
}

/// Where a statement asks for the number of the last row, each one before it keeps that number with its outcome.
fn keep_last_ids(statements: &mut [Statement]) {
    let asked = statements.iter().rposition(|statement| statement.traits.asks_for_the_last);
    for statement in &mut statements[..asked.unwrap_or(0)] {
        statement.traits.variables.push(LAST_ID.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Checksum;

    /// The pieces of a script, or why it is not run.
    #[track_caller]
    fn check(dialect: Dialect, transaction: bool, sql: &str, expect: &str) {
        let script = Script {
            path: "a.sql".to_owned(),
            body: Body::Sql { file: Arc::from(sql), span: Span::new(0, sql.len()) },
            transaction,
            directives: Vec::new(),
            checksum: Checksum::of(sql),
        };
        let shown = match prepare(&script, ScriptOptions { dialect, native: true }) {
            Ok(prepared) => {
                let piece = |piece: &Piece| {
                    format!("{:?}{}", piece.statements, if piece.atomic { " atomic" } else { "" })
                };
                prepared.pieces.iter().map(piece).collect::<Vec<_>>().join(", ")
            }
            Err(problems) => problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        };
        assert_eq!(shown, expect, "{sql}");
    }

    #[test]
    fn pieces_of_a_file() {
        let postgres = |transaction, sql, expect| check(Dialect::Postgres, transaction, sql, expect);
        postgres(true, "begin; select 1; select 2; commit;", "0..2 atomic");
        postgres(true, "select 1; select 2;", "0..2 atomic");
        postgres(
            false,
            "select 1; vacuum; begin; select 2; select 3; commit;",
            "0..1 atomic, 1..2, 2..4 atomic",
        );
        postgres(false, "begin; select 1; commit and chain; select 2; commit;", "0..1 atomic, 1..2 atomic");
        check(
            Dialect::Mysql,
            true,
            "insert into t values (1); alter table t add a int;",
            "0..1 atomic, 1..2",
        );
    }

    #[test]
    fn what_is_refused() {
        let postgres = |transaction, sql, expect| check(Dialect::Postgres, transaction, sql, expect);
        postgres(true, "select 1;\nvacuum;", "a.sql:2: `vacuum` cannot run in a transaction");
        postgres(true, "select 1;\ncommit;", "a.sql:2: `commit` would end the transaction of this migration");
        postgres(
            true,
            "prepare transaction 'a';",
            "a.sql:1: `prepare transaction 'a'` would end the transaction of this migration",
        );
        postgres(
            true,
            "set role a;",
            "a.sql:1: `set role a` switches the role, so that what follows would have other owners and rights",
        );
        postgres(
            false,
            "select pg_advisory_unlock_all();",
            "a.sql:1: `select pg_advisory_unlock_all()` releases all locks of the session, and with them the lock of \
             this run",
        );
        postgres(
            false,
            "create temp table t (a int);",
            "a.sql:1: `create temp table t (a int)` makes a temporary object, which would be gone when this migration \
             has to go on in another session",
        );
        postgres(
            true,
            "select 1;\n-- twostep: alow a because b\nselect 2;",
            "a.sql:2: there is no directive `alow`",
        );
        postgres(false, "begin; vacuum; commit;", "a.sql:1: `vacuum` cannot run in a transaction");
    }
}
