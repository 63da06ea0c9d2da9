//! Migrations, one statement after the other: what each does, on which schema, in which transaction.

use crate::dialect::Dialect;
use crate::engine;
use crate::name::{Name, ObjectName};
use crate::parallel;
use crate::schema::apply::{Note, apply};
use crate::schema::change::*;
use crate::schema::map::Map;
use crate::schema::model::{Schema, When};
use crate::source::{Body, GivenStatement, Script};
use crate::sql::split::{StatementKind, split};
use crate::text::Span;
use std::sync::Arc;

/// How deep routines that call each other are followed.
const CALL_DEPTH: usize = 4;

/// One statement of a migration.
#[derive(Debug, Clone)]
pub struct Step {
    /// Which one it is.
    pub at: When,
    /// Its text, as the server gets it.
    pub sql: Arc<str>,
    /// Where it stands in its file. Places in `changes` are places in `sql`.
    pub span: Span,
    /// Blank space and comments in front of it in its file, where its directives stand; empty where its format has
    /// separated the statements.
    pub leading: Span,
    /// What it does, in order.
    pub changes: Vec<Applied>,
    /// The schema before it.
    pub before: Schema,
    /// The schema after it.
    pub after: Schema,
    /// The transaction that it runs in: the same number for all statements of one; none where it commits by itself.
    pub transaction: Option<usize>,
    /// The settings that the migration has made so far (`lock_timeout`, …), names in lower case.
    pub settings: Map<String, String>,
}

impl Step {
    /// The text of one change: the whole statement, or one action of several as a statement.
    pub fn text_of(&self, change: &Change) -> String {
        let ChangeKind::AlterTable(alter) = &change.kind else { return self.sql.to_string() };
        if self.changes.len() == 1 {
            return self.sql.to_string();
        }
        let front = self.sql.get(..self.changes[0].change.span.start).unwrap_or("").trim_end();
        let (part, _) = alter.part;
        let beside = [part.checked_sub(1), part.checked_add(1)].into_iter().flatten();
        let shared = beside.filter_map(|at| self.changes.get(at)).any(|one| one.change.span == change.span);
        match &alter.action {
            // `ADD (a int, b int)`
            TableAction::AddColumn { column, .. } if shared => {
                format!("{front} ADD COLUMN {}", column.span.of(&self.sql).trim())
            }
            _ => format!("{front} {}", change.span.of(&self.sql).trim()),
        }
    }
}

/// One change of a statement, applied.
#[derive(Debug, Clone)]
pub struct Applied {
    /// What it does.
    pub change: Change,
    /// The schema just before it.
    pub before: Schema,
    /// What applying it came upon.
    pub notes: Vec<Note>,
}

/// The steps of several migrations, and the schema behind the last of them.
#[derive(Debug, Clone)]
pub struct Analysis {
    /// All statements in order.
    pub steps: Vec<Step>,
    /// The schema at the end.
    pub end: Schema,
}

/// Analyses `scripts`, one after the other, from the schema `start` on. Each begins with a session of its own.
pub fn analyze<'a>(scripts: impl IntoIterator<Item = &'a Script>, start: Schema) -> Analysis {
    let scripts: Vec<&Script> = scripts.into_iter().collect();
    // What a statement says depends on nothing before it; what it does to the schema, on everything.
    let read = parallel::map(&scripts, |script| read(script, start.dialect));
    let mut run = Run::new(start);
    for (migration, (script, pieces)) in scripts.into_iter().zip(read).enumerate() {
        run.script(script, migration, pieces);
    }
    Analysis { steps: run.steps, end: run.schema }
}

/// Analyses one script, which is (or takes back) the migration of number `migration`.
pub fn analyze_one(script: &Script, migration: usize, start: Schema) -> Analysis {
    let pieces = read(script, start.dialect);
    let mut run = Run::new(start);
    run.script(script, migration, pieces);
    Analysis { steps: run.steps, end: run.schema }
}

/// The text of the statement of this number, from 0, in `script`.
pub fn statement_text(script: &Script, dialect: Dialect, number: usize) -> Option<String> {
    let pieces = read(script, dialect);
    let mut statements = pieces.iter().flat_map(|piece| &piece.statements);
    statements.nth(number).map(|read| read.sql.to_owned()).filter(|sql| !sql.is_empty())
}

/// What the server gets in one piece: one statement, or several that it runs as one.
struct Piece<'s> {
    statements: Vec<Read<'s>>,
    /// Whether several statements are one for the server, where there is no transaction around them anyway.
    is_one: bool,
}

/// A statement as it is read, before anything is known of the schema.
struct Read<'s> {
    sql: &'s str,
    /// Where it stands in its file, and what is in front of it.
    span: Span,
    leading: Span,
    changes: Vec<Change>,
}

/// All statements of a script.
fn read(script: &Script, dialect: Dialect) -> Vec<Piece<'_>> {
    match &script.body {
        Body::Sql { file, span } => {
            let statements = read_text(span.of(file), dialect, |inner| inner.shifted(span.start));
            vec![Piece { statements, is_one: false }]
        }
        Body::Statements { file, statements } => {
            statements.iter().map(|given| read_given(file, given, dialect)).collect()
        }
        Body::LargeFile { .. } => vec![whole("the file is too large to be looked into")],
        Body::Program { .. } => vec![whole("a program")],
    }
}

/// The statements of a text; `place` tells where a part of it stands in the file.
fn read_text(text: &str, dialect: Dialect, place: impl Fn(Span) -> Span) -> Vec<Read<'_>> {
    split(text, dialect)
        .statements
        .into_iter()
        .map(|statement| {
            let client = statement.kind == StatementKind::ClientCommand;
            let changes =
                if client { vec![unread(statement.text)] } else { engine::lower(statement.text, dialect) };
            Read {
                sql: statement.text,
                span: place(statement.span),
                leading: place(statement.leading),
                changes,
            }
        })
        .collect()
}

/// What the format has put into one piece, which may be several statements: the server runs them as one.
fn read_given<'s>(file: &str, given: &'s GivenStatement, dialect: Dialect) -> Piece<'s> {
    let verbatim = given.span.of(file) == given.text;
    let place = |inner: Span| if verbatim { inner.shifted(given.span.start) } else { given.span };
    let statements = read_text(&given.text, dialect, place);
    Piece { is_one: statements.len() > 1, statements }
}

/// A script of which nothing can be said but that it is there.
fn whole(why: &str) -> Piece<'static> {
    let opaque = Opaque { reason: OpaqueReason::Client, why: why.to_owned(), may_make: true };
    let changes = vec![Change::new(Span::default(), ChangeKind::Opaque(opaque))];
    let statement = Read { sql: "", span: Span::default(), leading: Span::default(), changes };
    Piece { statements: vec![statement], is_one: false }
}

/// A savepoint, or the start of a transaction: what a rollback comes back to.
struct Mark {
    name: Option<Name>,
    schema: Schema,
    settings: Map<String, String>,
}

/// The settings of a session, and its search path.
type Session = (Map<String, String>, Arc<[Name]>);

struct Run {
    dialect: Dialect,
    schema: Schema,
    steps: Vec<Step>,
    /// How many statements of the script have been read.
    statements: usize,
    /// The search path that a new session has.
    search_path: Arc<[Name]>,
    settings: Map<String, String>,
    /// What to come back to when the transaction ends (`SET LOCAL`).
    before_local: Option<Session>,
    /// The open transaction, if one is.
    transaction: Option<usize>,
    /// How many there have been.
    transactions: usize,
    marks: Vec<Mark>,
}

impl Run {
    fn new(start: Schema) -> Self {
        Self {
            dialect: start.dialect,
            search_path: Arc::clone(&start.search_path),
            schema: start,
            steps: Vec::new(),
            statements: 0,
            settings: Map::default(),
            before_local: None,
            transaction: None,
            transactions: 0,
            marks: Vec::new(),
        }
    }

    fn script(&mut self, script: &Script, migration: usize, pieces: Vec<Piece<'_>>) {
        self.new_session();
        if script.transaction {
            self.begin();
        }
        for piece in pieces {
            let together = piece.is_one && self.transaction.is_none();
            if together {
                self.begin();
            }
            for read in piece.statements {
                self.step(migration, read);
            }
            if together {
                self.end_transaction();
            }
        }
        self.end_transaction();
    }

    /// Settings and temporary objects of the last script are gone.
    fn new_session(&mut self) {
        self.statements = 0;
        self.settings = Map::default();
        self.before_local = None;
        self.marks.clear();
        self.transaction = None;
        self.schema.search_path = Arc::clone(&self.search_path);
        self.schema.drop_temporary();
    }

    fn begin(&mut self) {
        self.transaction = Some(self.transactions);
        self.transactions += 1;
        self.marks = vec![self.mark(None)];
    }

    fn mark(&self, name: Option<Name>) -> Mark {
        Mark { name, schema: self.schema.clone(), settings: self.settings.clone() }
    }

    fn end_transaction(&mut self) {
        self.transaction = None;
        self.marks.clear();
        if let Some((settings, search_path)) = self.before_local.take() {
            self.settings = settings;
            self.schema.search_path = search_path;
        }
    }

    fn step(&mut self, migration: usize, read: Read<'_>) {
        let Read { sql, span, leading, changes } = read;
        let at = When { migration, statement: self.statements };
        self.statements += 1;
        let before = self.schema.clone();
        let settings = self.settings.clone();
        self.schema.now = at;
        let transaction = self.transaction;
        let mut applied = Vec::with_capacity(changes.len());
        for change in changes {
            self.apply(change, &mut applied, 0);
        }
        // BEGIN is the first of its transaction.
        let transaction = transaction.or(self.transaction);
        let after = self.schema.clone();
        let sql = Arc::from(sql);
        self.steps.push(Step {
            at,
            sql,
            span,
            leading,
            changes: applied,
            before,
            after,
            transaction,
            settings,
        });
    }

    fn apply(&mut self, change: Change, applied: &mut Vec<Applied>, depth: usize) {
        let before = self.schema.clone();
        match &change.kind {
            ChangeKind::Transaction(control) => self.control(control),
            ChangeKind::SetVariable(set) => self.set(set),
            _ => {}
        }
        let notes = apply(&mut self.schema, &change);
        let called = called_routines(&change);
        let (span, conditional) = (change.span, change.via.is_conditional());
        applied.push(Applied { change, before, notes });
        if depth >= CALL_DEPTH {
            return;
        }
        for routine in called {
            for inner in self.changes_of(&routine) {
                let conditional = conditional || inner.via.is_conditional();
                let via = Via::Call { routine: routine.clone(), conditional };
                self.apply(Change { span, via, kind: inner.kind }, applied, depth + 1);
            }
        }
    }

    /// What the routines called `name` do beyond reading. Of several that share the name all count.
    fn changes_of(&self, name: &ObjectName) -> Vec<Change> {
        let reads = |change: &Change| matches!(change.kind, ChangeKind::Select(_));
        let bodies = self.schema.routines(name).iter().map(|routine| &routine.definition.body.changes);
        bodies.flatten().filter(|change| !reads(change)).cloned().collect()
    }

    fn control(&mut self, control: &TransactionControl) {
        match control {
            TransactionControl::Begin => self.begin(),
            TransactionControl::Commit { chain } => {
                self.end_transaction();
                if *chain {
                    self.begin();
                }
            }
            TransactionControl::Rollback { chain } => {
                let first = self.marks.drain(..).next();
                if let Some(mark) = first {
                    self.come_back(mark);
                }
                self.end_transaction();
                if *chain {
                    self.begin();
                }
            }
            TransactionControl::Savepoint(name) => {
                let mark = self.mark(Some(name.clone()));
                self.marks.push(mark);
            }
            TransactionControl::RollbackTo(name) => {
                let at = self.marks.iter().rposition(|mark| mark.name.as_ref() == Some(name));
                let found = at.and_then(|at| self.marks.drain(at..).next());
                if let Some(mark) = found {
                    let again = Mark {
                        name: mark.name.clone(),
                        schema: mark.schema.clone(),
                        settings: mark.settings.clone(),
                    };
                    self.come_back(mark);
                    self.marks.push(again);
                }
            }
            TransactionControl::Release(_) | TransactionControl::TwoPhase | TransactionControl::Mode => {}
        }
    }

    fn come_back(&mut self, mark: Mark) {
        // Engines that commit at each statement that changes the schema have nothing to come back to.
        if engine::rolls_back_schema(self.dialect) {
            self.schema = mark.schema;
        }
        self.settings = mark.settings;
    }

    fn set(&mut self, set: &SetVariable) {
        match set.scope {
            SettingScope::Transaction => {
                if self.before_local.is_none() {
                    let path = Arc::clone(&self.schema.search_path);
                    self.before_local = Some((self.settings.clone(), path));
                }
            }
            SettingScope::Session => {}
            SettingScope::Server | SettingScope::UserVariable => return,
        }
        if set.values.is_empty() {
            self.settings.remove(&set.name);
        } else {
            self.settings.insert(set.name.clone(), set.values.join(", "));
        }
    }
}

/// A line for a client program.
fn unread(text: &str) -> Change {
    if text.get(..9).is_some_and(|word| word.eq_ignore_ascii_case("delimiter")) {
        // The splitter has followed it.
        let kind = ChangeKind::Harmless { what: "DELIMITER".to_owned() };
        return Change::new(Span::new(0, text.len()), kind);
    }
    let why = format!("a line for a client program: `{}`", text.lines().next().unwrap_or(""));
    let opaque = Opaque { reason: OpaqueReason::Client, why, may_make: true };
    Change::new(Span::new(0, text.len()), ChangeKind::Opaque(opaque))
}

/// The routines that a change runs by name.
fn called_routines(change: &Change) -> Vec<ObjectName> {
    match &change.kind {
        ChangeKind::Call(call) => vec![call.name.clone()],
        ChangeKind::Select(select) => select.query.calls.iter().map(|call| call.name.clone()).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::TableName;
    use crate::source::Checksum;

    fn analysis(scripts: &[(&str, bool)]) -> Analysis {
        let script = |(sql, transaction): &(&str, bool)| Script {
            path: "1.sql".to_owned(),
            body: Body::Sql { file: Arc::from(*sql), span: Span::new(0, sql.len()) },
            transaction: *transaction,
            directives: Vec::new(),
            checksum: Checksum::of(sql),
        };
        let scripts: Vec<Script> = scripts.iter().map(script).collect();
        analyze(&scripts, Schema::new(Dialect::Postgres))
    }

    fn tables(schema: &Schema) -> Vec<String> {
        schema.tables.keys().map(ToString::to_string).collect()
    }

    #[test]
    fn each_step_knows_the_schema_before_and_after_it() {
        let found =
            analysis(&[("create table a (i int); alter table a add b int;", true), ("drop table a", true)]);
        let columns = |schema: &Schema| {
            schema.table(&TableName::bare(Name::new("a"))).map_or(0, |table| table.columns.len())
        };
        let counts: Vec<(usize, usize)> =
            found.steps.iter().map(|step| (columns(&step.before), columns(&step.after))).collect();
        assert_eq!(counts, [(0, 1), (1, 2), (2, 0)]);
        assert_eq!(found.steps[1].at, When { migration: 0, statement: 1 });
        assert_eq!(&*found.steps[1].sql, "alter table a add b int");
    }

    #[test]
    fn transactions_are_told_apart() {
        let found =
            analysis(&[("select 1; commit; select 2; begin; select 3; select 4; end; select 5", true)]);
        let numbers: Vec<Option<usize>> = found.steps.iter().map(|step| step.transaction).collect();
        assert_eq!(numbers, [Some(0), Some(0), None, Some(1), Some(1), Some(1), Some(1), None]);
    }

    #[test]
    fn what_is_rolled_back_is_gone() {
        let found = analysis(&[(
            "begin; create table a (i int); savepoint s; create table b (i int); rollback to s; create table c (i int); commit; \
             begin; create table d (i int); rollback",
            false,
        )]);
        assert_eq!(tables(&found.end), ["public.a", "public.c"]);
    }

    #[test]
    fn settings_last_as_long_as_the_server_keeps_them() {
        let found = analysis(&[
            (
                "set lock_timeout = '2s'; begin; set local lock_timeout = '1s'; select 1; commit; select 2",
                false,
            ),
            ("select 3", true),
        ]);
        let at = |number: usize| found.steps[number].settings.get("lock_timeout").map(String::as_str);
        assert_eq!((at(0), at(1), at(3), at(5), at(6)), (None, Some("2s"), Some("1s"), Some("2s"), None));
    }

    #[test]
    fn search_path_and_temporary_tables_end_with_the_session() {
        let found = analysis(&[
            (
                "create schema s; set search_path to s; create table a (i int); create temp table t (i int)",
                true,
            ),
            ("create table a (i int)", true),
        ]);
        assert_eq!(tables(&found.end), ["public.a", "s.a"]);
    }

    #[test]
    fn routines_are_followed_where_they_are_called() {
        let found = analysis(&[(
            "create function f() returns void language plpgsql as $$ begin drop table a; end $$; create table a (i int); select f()",
            true,
        )]);
        assert_eq!(tables(&found.end), [""; 0]);
        let call = &found.steps[2].changes[1].change;
        assert_eq!(call.span.of(&found.steps[2].sql), "select f()");
        assert!(
            matches!(&call.via, Via::Call { routine, conditional: false } if routine.name.as_str() == "f")
        );
    }
}
