//! What a run knows while it is under way, and the units of it by their numbers.

use super::chunks::Backfill;
use super::connection::EarlySession;
use super::lock::LockWait;
use super::run::{Finished, RunOptions};
use crate::db::session::{Blocker, Session, Transaction, Watcher};
use crate::db::url::DatabaseUrl;
use crate::run::activity::Activity;
use crate::run::adopt::mirror::Mirror;
use crate::run::contention::Contention;
use crate::run::error::{Place, RunError};
use crate::run::journal::{History, Journal, RunRecord};
use crate::run::limits::Limits;
use crate::run::machine::Unit;
use crate::run::script::{Piece, Statement, Work};
use crate::run::signal::Signal;
use crate::run::task::{self, Goal, Task, UnitRef};
use crate::source::Folder;
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

/// What is to be done, as the last look has it, and what is known of its units since. After another look they have other
/// numbers, and all of it is new.
#[derive(Default)]
pub(super) struct ToDo {
    pub(super) tasks: Vec<Task>,
    pub(super) refs: Vec<UnitRef>,
    pub(super) units: Vec<Unit>,
    /// Statements (task, ordinal) whose locks cannot be asked for beforehand.
    pub(super) no_prelock: HashSet<(usize, usize)>,
    /// What was true before the statement of a unit ran.
    pub(super) intended: HashMap<usize, Option<String>>,
    /// Units that have an intent because a rollback does not take back what they write.
    pub(super) outliving: HashSet<usize>,
    /// The backfills that this run is in.
    pub(super) backfills: HashMap<usize, Backfill>,
}

impl ToDo {
    pub(super) fn new(tasks: Vec<Task>) -> Self {
        let (refs, units) = task::units(&tasks);
        Self { tasks, refs, units, ..Self::default() }
    }
}

/// The world of one run.
pub(super) struct Executor<'a> {
    pub(super) url: &'a DatabaseUrl,
    pub(super) journal: &'a Journal,
    pub(super) folder: &'a Folder,
    pub(super) goal: &'a Goal,
    pub(super) options: &'a RunOptions,
    pub(super) signal: Signal,
    pub(super) early: Option<EarlySession>,
    pub(super) session: Option<Box<dyn Session>>,
    pub(super) watcher: Option<Box<dyn Watcher>>,
    pub(super) history: History,
    pub(super) todo: ToDo,
    pub(super) transaction: Option<Transaction>,
    /// The task whose settings the session has now.
    pub(super) begun: Option<usize>,
    pub(super) locked: bool,
    pub(super) run_id: Option<i64>,
    /// The run's row as it was sent last: the answer may have been lost.
    pub(super) sent_row: Option<RunRecord>,
    /// Role and host, once the server has told the role.
    pub(super) by: Option<String>,
    pub(super) lock_wait: LockWait,
    /// When it was written last that this run is alive.
    pub(super) last_sign: Instant,
    pub(super) contention: Option<Contention>,
    /// Whether a statement of the unit that is being tried was sent.
    pub(super) sent: bool,
    /// The lock that was taken with the transaction's beginning.
    pub(super) locked_first: Option<(String, &'static str)>,
    /// Who was in the way when something that was watched was given up.
    pub(super) seen_blockers: Vec<Blocker>,
    pub(super) spent: Duration,
    pub(super) finished: Vec<Finished>,
    pub(super) error: Option<RunError>,
    pub(super) warned: bool,
    /// Line and first words of the statement of a large file that has failed.
    pub(super) large_at: Option<(usize, String)>,
    /// The old tool's table, where it is to be kept in step.
    pub(super) mirror: Option<Mirror>,
    /// The time limits that the migration of the command sets for itself.
    pub(super) limits: Limits,
    /// What the run does now, for its row in the journal.
    pub(super) activity: Option<Activity>,
    /// Whether this session has the lock of what fills rows as well.
    pub(super) backfills_locked: bool,
    /// Migrations whose rows are left to be filled.
    pub(super) left: Vec<String>,
}

impl<'a> Executor<'a> {
    /// A run that has not begun.
    pub(super) fn new(
        url: &'a DatabaseUrl,
        journal: &'a Journal,
        folder: &'a Folder,
        goal: &'a Goal,
        options: &'a RunOptions,
        signal: &Signal,
        early: Option<EarlySession>,
    ) -> Self {
        Self {
            url,
            journal,
            folder,
            goal,
            options,
            signal: signal.clone(),
            early,
            session: None,
            watcher: None,
            history: History::default(),
            todo: ToDo::default(),
            transaction: None,
            begun: None,
            locked: false,
            run_id: None,
            sent_row: None,
            by: None,
            lock_wait: LockWait::default(),
            last_sign: Instant::now(),
            contention: None,
            sent: false,
            locked_first: None,
            seen_blockers: Vec::new(),
            spent: Duration::ZERO,
            finished: Vec::new(),
            error: None,
            warned: false,
            large_at: None,
            mirror: None,
            limits: Limits::default(),
            activity: None,
            backfills_locked: false,
            left: Vec::new(),
        }
    }
}

impl Executor<'_> {
    pub(super) fn session(&mut self) -> &mut dyn Session {
        self.session
            .as_deref_mut()
            .expect("the first command connects, and a broken session is replaced or the end")
    }

    pub(super) fn unit(&self, unit: usize) -> (usize, &Task, &Piece) {
        let UnitRef { task, piece } = self.todo.refs[unit];
        (task, &self.todo.tasks[task], &self.todo.tasks[task].prepared.pieces[piece])
    }

    pub(super) fn statement(&self, unit: usize, ordinal: usize) -> Option<&Statement> {
        match &self.unit(unit).1.prepared.work {
            Work::Statements(statements) => statements.get(ordinal),
            Work::LargeFile { .. } | Work::Program(_) => None,
        }
    }

    /// The text of the unit's first statement; empty where it is a program.
    pub(super) fn first_sql(&self, unit: usize) -> String {
        let first = self.unit(unit).2.statements.start;
        self.statement(unit, first).map(|statement| statement.sql().to_owned()).unwrap_or_default()
    }

    /// The place of a statement of the unit, or of its migration where `ordinal` is `None`.
    pub(super) fn place(&self, unit: usize, ordinal: Option<usize>) -> Place {
        let (_, task, _) = self.unit(unit);
        let statement = ordinal.and_then(|ordinal| self.statement(unit, ordinal));
        Place {
            migration: task.label.clone(),
            file: task.prepared.path.clone(),
            line: statement.map_or(1, |statement| statement.line),
            statement: ordinal.map_or(0, |ordinal| ordinal + 1),
            of: task::statement_count(&task.prepared),
            title: statement.map(Statement::title).unwrap_or_default(),
        }
    }
}
