//! What speaks against running a script at all.

use super::statement::Statement;
use crate::dialect::Dialect;
use crate::engine::SessionChange;
use crate::engine::update::update_parts;
use crate::source::{Body, Script};
use crate::sql::directive;
use crate::sql::split::split;
use crate::text::{LineIndex, Span};

/// Why a script is not run at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}:{line}: {what}")]
pub struct ScriptProblem {
    /// The file, below the migrations folder.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong, one line that stands alone.
    pub what: String,
    /// What to do.
    pub help: Option<String>,
}

impl ScriptProblem {
    /// A problem that says all there is to say.
    pub(super) fn new(path: &str, line: usize, what: &str) -> Self {
        Self { path: path.to_owned(), line, what: what.to_owned(), help: None }
    }
}

/// Directives that are none, or that stand where they mean nothing: what they were to say is not done in silence.
pub(super) fn misdirected(script: &Script, dialect: Dialect) -> Vec<ScriptProblem> {
    let (file, offset, problems) = match &script.body {
        Body::Sql { file, span } => {
            let part = span.of(file);
            (file, span.start, directive::place(part, &split(part, dialect), dialect).problems)
        }
        Body::Statements { file, .. } => {
            let whole = Span::new(0, file.len());
            (file, 0, directive::directives(file, whole, dialect).problems)
        }
        Body::LargeFile { .. } | Body::Program { .. } => return Vec::new(),
    };
    let lines = LineIndex::new(file);
    let shown = |problem: directive::DirectiveProblem| ScriptProblem {
        path: script.path.clone(),
        line: lines.position(file, offset + problem.span.start).line,
        what: problem.what,
        help: Some(problem.help),
    };
    problems.into_iter().map(shown).collect()
}

/// What must not be run at all.
pub(super) fn refusals(statements: &[Statement], path: &str, transaction: bool) -> Vec<ScriptProblem> {
    let mut problems = Vec::new();
    for statement in statements {
        let what = statement.traits.session.iter().find_map(|change| match change {
            SessionChange::Role => Some((
                "switches the role, so that what follows would have other owners and rights",
                "set `role` in twostep.toml, or `--role`",
            )),
            SessionChange::NamedUnlock { all: true } | SessionChange::Discarded => Some((
                "releases all locks of the session, and with them the lock of this run",
                "release by name what the migration has locked itself",
            )),
            SessionChange::Temporary { .. } if !transaction => Some((
                "makes a temporary object, which would be gone when this migration has to go on in another session",
                "let the migration run in a transaction, or use an ordinary table",
            )),
            _ => None,
        });
        if let Some((what, help)) = what {
            problems.push(ScriptProblem {
                path: path.to_owned(),
                line: statement.line,
                what: format!("`{}` {what}", statement.title()),
                help: Some(help.to_owned()),
            });
        }
    }
    problems
}

/// What is wrong with a backfill: it is cut into chunks, each of which commits.
pub(super) fn backfill_problem(
    statement: &Statement,
    transaction: bool,
    dialect: Dialect,
) -> Option<(String, &'static str)> {
    statement.backfill.as_ref()?;
    let title = statement.title();
    // On MySQL a file is never one transaction.
    if transaction && dialect != Dialect::Mysql {
        return Some((
            format!(
                "`{title}` is a backfill: each chunk of it commits, which a transaction around it forbids"
            ),
            "put `-- twostep: no-transaction` on the first line, and no BEGIN in front of it",
        ));
    }
    if update_parts(statement.sql(), dialect).is_none() {
        return Some((
            format!("`{title}` cannot be run in chunks of rows"),
            "a backfill is an UPDATE … SET … WHERE … of one table; what it reads of others stands in sub-queries",
        ));
    }
    None
}

/// Client commands that change nothing for us: pg_dump's `\restrict` and `\unrestrict`, and `DELIMITER`, which the
/// splitter has followed already.
pub(super) fn harmless_client_command(text: &str) -> bool {
    let word = text.split_whitespace().next().unwrap_or("");
    ["\\restrict", "\\unrestrict"].contains(&word) || word.eq_ignore_ascii_case("delimiter")
}
