//! A migration's script as the pieces in which it is run: which statements share a transaction, which stand alone,
//! and what would go wrong before anything was done. Pure.

use crate::dialect::Dialect;
use crate::engine::mysql::variables::LAST_ID;
use crate::engine::update::{unquoted, update_parts};
use crate::engine::{self, Conflict, ConflictKind, LockRequest, Resume, SessionChange, TransactionControl};
use crate::name::{Name, TableName};
use crate::run::limits::Limits;
use crate::source::{Body, Script};
use crate::sql::directive::{self, Directive};
use crate::sql::lex::{TokenKind, significant};
use crate::sql::split::{StatementKind, split};
use crate::text::{LineIndex, Span};
use std::ops::Range;
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

/// One statement, ready to be sent.
#[derive(Debug, Clone)]
pub struct Statement {
    text: Text,
    /// Line of its first word in the file, from 1.
    pub line: usize,
    /// Rows for `COPY … FROM stdin`.
    pub rows: Option<Text>,
    /// What the runner must know of it.
    pub traits: Traits,
    /// Where it is a backfill, the columns that it goes by; none for the primary key.
    pub backfill: Option<Vec<Name>>,
}

/// A text that is a part of a file, or stands by itself.
#[derive(Debug, Clone)]
pub enum Text {
    /// A part of a file.
    Part(Arc<str>, Span),
    /// A text of its own.
    Own(String),
}

impl Text {
    /// The text.
    pub fn as_str(&self) -> &str {
        match self {
            Text::Part(file, span) => span.of(file),
            Text::Own(text) => text,
        }
    }

    /// The rows of a COPY, in the pieces in which they are sent.
    pub fn in_pieces(&self) -> impl Iterator<Item = Vec<u8>> {
        const BYTES: usize = 64 * 1024;
        self.as_str().as_bytes().chunks(BYTES).map(<[u8]>::to_vec)
    }
}

impl Statement {
    /// A statement that stands by itself.
    pub fn own(text: String, line: usize, dialect: Dialect) -> Self {
        let traits = Traits::of(&text, dialect);
        let backfill =
            directive::place(&text, &split(&text, dialect), dialect).of(0).find_map(keyed(dialect));
        Self { text: Text::Own(text), line, rows: None, traits, backfill }
    }

    /// What is sent.
    pub fn sql(&self) -> &str {
        self.text.as_str()
    }

    /// A checksum of its text, for the journal.
    pub fn checksum(&self) -> String {
        crate::source::Checksum::of(self.sql()).as_str()[..16].to_owned()
    }

    /// Its first words, for people.
    pub fn title(&self) -> String {
        title(self.sql())
    }
}

/// The first words of a statement, on one line.
pub fn title(sql: &str) -> String {
    let mut words = String::new();
    for word in sql.split_whitespace() {
        if words.len() + word.len() > 60 {
            words.push_str(" …");
            break;
        }
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    // One word may be longer than a line.
    if words.chars().count() > 72 {
        words = words.chars().take(70).collect::<String>() + " …";
    }
    words
}

/// What the runner must know of a statement.
#[derive(Debug, Clone)]
pub struct Traits {
    /// Why it cannot run in a transaction, if it cannot.
    pub conflict: Option<Conflict>,
    /// Whether it begins or ends one.
    pub control: Option<TransactionControl>,
    /// What it changes in the session.
    pub session: Vec<SessionChange>,
    /// What is done about it when the run goes on in another session.
    pub resume: Resume,
    /// Whether it does nothing but change the session.
    pub only_session: bool,
    /// Whether it asks the session what the statement before it did.
    pub asks_for_the_last: bool,
    /// The user's variables that it names, whose values are kept for another session.
    pub variables: Vec<String>,
    /// Whether it reads or writes rows, so that waiting for a lock keeps nobody else waiting.
    pub rows_only: bool,
    /// Whether it is an `INSERT` or `REPLACE`.
    pub inserts: bool,
    /// The locks that are surely needed, so that they can be asked for without queueing.
    pub locks: Vec<LockRequest>,
    /// Whether it may end transactions by itself, so that it only runs outside of ours.
    pub ends_transactions: bool,
    /// The table that it makes: nobody else can hold a lock on it.
    pub makes: Option<TableName>,
}

impl Traits {
    /// Looks at `sql`.
    pub fn of(sql: &str, dialect: Dialect) -> Self {
        Self {
            // What only does nothing there stops no run.
            conflict: engine::transaction_conflict(sql, dialect)
                .filter(|conflict| conflict.kind != ConflictKind::NoEffect),
            control: engine::transaction_control(sql, dialect),
            session: engine::session_changes(sql, dialect),
            resume: engine::resume(sql, dialect),
            only_session: engine::only_session(sql, dialect),
            asks_for_the_last: engine::asks_for_the_last(sql, dialect),
            variables: engine::user_variables(sql, dialect),
            rows_only: engine::touches_rows_only(sql, dialect),
            inserts: engine::inserts(sql, dialect),
            locks: engine::relations_locked(sql, dialect),
            ends_transactions: engine::may_end_transactions(sql, dialect),
            makes: engine::table_made(sql, dialect),
        }
    }
}

impl Traits {
    /// Whether it adds rows, and nothing of the session decides which.
    pub fn is_insert(&self) -> bool {
        self.inserts && self.variables.is_empty() && self.session.is_empty()
    }
}

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
            let own = |given: &crate::source::GivenStatement| {
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

/// Where a statement asks for the number of the last row, each one before it keeps that number with its outcome.
fn keep_last_ids(statements: &mut [Statement]) {
    let asked = statements.iter().rposition(|statement| statement.traits.asks_for_the_last);
    for statement in &mut statements[..asked.unwrap_or(0)] {
        statement.traits.variables.push(LAST_ID.to_owned());
    }
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

/// The columns that a `backfill` directive names.
fn keyed(dialect: Dialect) -> impl Fn(&Directive) -> Option<Vec<Name>> {
    move |directive| {
        if directive.name != "backfill" {
            return None;
        }
        let columns = directive.value("key").unwrap_or("");
        let named = significant(columns, dialect).filter_map(|token| match token.kind {
            TokenKind::Word => Some(Name::unquoted(token.text(columns), dialect)),
            TokenKind::QuotedWord => Some(unquoted(token.text(columns))),
            _ => None,
        });
        Some(named.collect())
    }
}

/// What is wrong with a backfill: it is cut into chunks, each of which commits.
fn backfill_problem(
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
fn harmless_client_command(text: &str) -> bool {
    let word = text.split_whitespace().next().unwrap_or("");
    ["\\restrict", "\\unrestrict"].contains(&word) || word.eq_ignore_ascii_case("delimiter")
}

/// Directives that are none, or that stand where they mean nothing: what they were to say is not done in silence.
fn misdirected(script: &Script, dialect: Dialect) -> Vec<ScriptProblem> {
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
fn refusals(statements: &[Statement], path: &str, transaction: bool) -> Vec<ScriptProblem> {
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

/// Groups statements into pieces, and takes out the BEGIN and COMMIT that a file carries by itself.
fn pieces(
    statements: Vec<Statement>,
    script: &Script,
    options: ScriptOptions,
) -> Result<(Vec<Statement>, Vec<Piece>), Vec<ScriptProblem>> {
    if options.dialect == Dialect::Mysql {
        return super::autocommit::pieces(statements, &script.path);
    }
    let wrapped = is_wrapped(&statements);
    let controls = statements.iter().any(|statement| is_boundary(statement.traits.control.as_ref()));
    let one_transaction = script.transaction && (wrapped || !controls || options.native);
    if one_transaction {
        let problems: Vec<ScriptProblem> = misplaced(&statements, wrapped, &script.path);
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut statements = statements;
        if wrapped {
            statements.pop();
            statements.remove(0);
        }
        let count = statements.len();
        return Ok((statements, vec![Piece::atomic(0..count)]));
    }
    let mut kept = Vec::with_capacity(statements.len());
    let mut pieces: Vec<Piece> = Vec::new();
    let mut open: Option<(usize, usize)> = None;
    for statement in statements {
        let line = statement.line;
        let problem = |what: &str| {
            vec![ScriptProblem { path: script.path.clone(), line, what: what.to_owned(), help: None }]
        };
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
    if let Some((_, line)) = open {
        return Err(vec![ScriptProblem {
            path: script.path.clone(),
            line,
            what: "the transaction that begins here is never committed".to_owned(),
            help: Some("end it with `COMMIT;`".to_owned()),
        }]);
    }
    if pieces.is_empty() {
        pieces.push(Piece::atomic(0..0));
    }
    Ok((kept, pieces))
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
