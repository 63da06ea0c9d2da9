//! What a run has to do, as tasks: one migration in one direction, with what the journal knows of it. Pure.

use super::error::RunError;
use super::journal::{Applied, History, MigrationRecord, State, StatementRow, StoredDown};
use super::limits::Limits;
use super::machine::Unit;
use super::pending::{self, Backfills, Contracts, Gate, OutOfOrder, RollbackTarget, Wanted};
use super::script::{self, Prepared, ScriptOptions, ScriptProblem, Statement, Work};
use crate::dialect::Dialect;
use crate::engine;
use crate::schema::breaks::{BreaksOlder, breaks_older};
use crate::schema::change::ChangeKind;
use crate::source::{Body, Checksum, Folder, Kind, Migration, Phase, Script, Version};
use std::collections::HashMap;

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Apply.
    Up,
    /// Take back.
    Down,
}

/// What a run is for.
#[derive(Debug, Clone)]
pub enum Goal {
    /// Apply what is pending.
    Migrate(Wanted),
    /// Take back what was applied.
    Rollback(RollbackTarget),
}

impl Goal {
    /// The command's name, for the journal.
    pub fn command(&self) -> String {
        match self {
            Goal::Migrate(Wanted { because: Some(why), .. }) if why.is_empty() => {
                "migrate --contract".to_owned()
            }
            Goal::Migrate(Wanted { because: Some(why), .. }) => {
                // Half of what the column holds on every engine.
                let why: String = why.chars().take(120).collect();
                format!("migrate --contract because {why}")
            }
            Goal::Migrate(Wanted { backfills: Backfills::Only(_), .. }) => "backfill".to_owned(),
            Goal::Migrate(_) => "migrate".to_owned(),
            Goal::Rollback(_) => "rollback".to_owned(),
        }
    }
}

/// One migration in one direction.
#[derive(Debug, Clone)]
pub struct Task {
    /// Version and name, as they are shown.
    pub label: String,
    /// Which way.
    pub direction: Direction,
    /// What is written of it.
    pub record: MigrationRecord,
    /// Its statements, in pieces.
    pub prepared: Prepared,
    /// Whether the journal has a row of it already.
    pub known: bool,
    /// Statements that an earlier run has done.
    pub done: Vec<usize>,
    /// The values that the user's variables had behind statements that an earlier run has done, by number.
    pub kept: Vec<(usize, String)>,
    /// How far statements have come that run in parts: number and cursor.
    pub cursors: Vec<(usize, String)>,
    /// A statement that an earlier run was about to run.
    pub intent: Option<StatementRow>,
}

/// Who runs, and for which release.
#[derive(Debug, Clone, Default)]
pub struct Author {
    /// Role and host.
    pub by: String,
    /// The release.
    pub release: Option<String>,
}

/// What is to be done, and what should be said before.
#[derive(Debug, Clone, Default)]
pub struct Agenda {
    /// The tasks, in order.
    pub tasks: Vec<Task>,
    /// What a person should know, one sentence each.
    pub warnings: Vec<String>,
    /// Contracts that wait, and why: one sentence each.
    pub held: Vec<String>,
    /// Migrations whose rows are left to a process of their own.
    pub left: Vec<String>,
}

impl Agenda {
    /// Whether rows are filled in chunks.
    pub fn fills_rows(&self) -> bool {
        self.tasks.iter().any(Task::fills_rows)
    }
}

impl Task {
    /// Whether rows are filled in chunks.
    pub fn fills_rows(&self) -> bool {
        self.prepared.pieces.iter().any(|piece| piece.chunked)
    }
}

/// What `goal` means for this history. `downs` holds the stored downs of migrations that are not among the files.
pub fn agenda(
    goal: &Goal,
    folder: &Folder,
    history: &History,
    downs: &HashMap<Version, StoredDown>,
    author: &Author,
    dialect: Dialect,
) -> Result<Agenda, RunError> {
    match goal {
        Goal::Migrate(wanted) => migrate(wanted, folder, history, author, dialect),
        Goal::Rollback(target) => rollback(target, folder, history, downs, author, dialect),
    }
}

/// Versions that `goal` takes back and whose down the journal must give, since no file has it.
pub fn downs_wanted(goal: &Goal, folder: &Folder, history: &History) -> Vec<Version> {
    let Goal::Rollback(target) = goal else { return Vec::new() };
    let has_file = |applied: &Applied| {
        folder
            .migrations
            .iter()
            .any(|migration| migration.version == applied.version && migration.down.is_some())
    };
    pending::to_roll_back(history, target)
        .unwrap_or_default()
        .into_iter()
        .filter(|applied| applied.has_down && !has_file(applied))
        .map(|applied| applied.version)
        .collect()
}

/// Version and name as people write them.
pub fn label(version: &Version, name: &str) -> String {
    let label = if name.is_empty() || version.as_str().ends_with(name) {
        version.to_string()
    } else {
        format!("{version}_{name}")
    };
    // A file's name may hold what moves the cursor of a terminal, ends a line or turns the direction of the text.
    let is_hostile = |character: char| {
        character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !label.contains(is_hostile) {
        return label;
    }
    let shown = |character: char| {
        if is_hostile(character) { character.escape_unicode().to_string() } else { character.to_string() }
    };
    label.chars().map(shown).collect()
}

fn migrate(
    wanted: &Wanted,
    folder: &Folder,
    history: &History,
    author: &Author,
    dialect: Dialect,
) -> Result<Agenda, RunError> {
    if let Some(to) = &wanted.to
        && !folder.migrations.iter().any(|migration| migration.version == *to)
    {
        let last = folder.migrations.iter().rev().find(|migration| migration.kind == Kind::Versioned);
        return Err(RunError::NoSuchVersion {
            version: to.clone(),
            last: last.map(|migration| migration.version.clone()),
        });
    }
    let comparison = pending::compare(folder, history, wanted.to.as_ref());
    if let Some(half) = comparison.half.iter().find(|applied| applied.state == State::Reverting) {
        return Err(RunError::Half {
            migration: label(&half.version, &half.name),
            state: "taken back",
            help: "run `twostep rollback --steps 1` again: it goes on where it stopped".to_owned(),
        });
    }
    let mut warnings = Vec::new();
    let breaking: Vec<Applied> = comparison.ahead_breaking().cloned().collect();
    if !breaking.is_empty() && !wanted.allow_ahead {
        return Err(RunError::Ahead(breaking));
    }
    if !comparison.ahead.is_empty() {
        let labels: Vec<String> =
            comparison.ahead.iter().map(|applied| label(&applied.version, &applied.name)).collect();
        let known = comparison.ahead_unknown().count() == 0 && breaking.is_empty();
        let but =
            if known { "they break no older code" } else { "whether they break this code is not known" };
        warnings.push(format!("the database is ahead of these files: {}; {but}", labels.join(", ")));
    }
    let edited: Vec<_> = comparison.edited.iter().filter(|edited| !edited.half).cloned().collect();
    if !edited.is_empty() {
        return Err(RunError::Edited(edited));
    }
    let late: Vec<String> = comparison
        .out_of_order
        .iter()
        .map(|position| label(&folder.migrations[*position].version, &folder.migrations[*position].name))
        .collect();
    match wanted.out_of_order {
        _ if late.is_empty() => {}
        OutOfOrder::Allow => {}
        OutOfOrder::Warn => {
            warnings.push(format!(
                "applied out of order, behind migrations that come after: {}",
                late.join(", ")
            ));
        }
        OutOfOrder::Error => return Err(RunError::OutOfOrder(late)),
    }
    let options = ScriptOptions { dialect, native: folder.format == "twostep" };
    let mut tasks = Vec::with_capacity(comparison.pending.len());
    let mut problems = Vec::new();
    let mut free = history.next_sequence()..;
    let held = pending::held(folder, history, &comparison.pending, wanted.contracts, &wanted.gate);
    if let (Contracts::Apply, Gate::Closed(who)) = (wanted.contracts, &wanted.gate) {
        warnings.push(format!("contracts are applied although older code is there: {who}"));
    }
    let waits = |position: &usize| held.iter().any(|held| held.position == *position);
    // There are no rows in a database that has nothing.
    let leaves = wanted.backfills == Backfills::Leave && !history.applied.is_empty();
    let mut left: Vec<pending::Held> = Vec::new();
    for position in comparison.pending.iter().filter(|position| !waits(position)) {
        let migration = &folder.migrations[*position];
        let known = history.get(&migration.version).map(|row| row.sequence);
        let sequence = known.or_else(|| free.next()).unwrap_or(i64::MAX);
        match up_task(migration, history, author, options, sequence) {
            Ok(task) if leaves && task.fills_rows() => {
                let why = "its rows are left to `twostep backfill`".to_owned();
                left.push(pending::Held { position: *position, why });
            }
            Ok(task) => tasks.push(task),
            Err(TaskProblem::Scripts(found)) => problems.extend(found),
            Err(TaskProblem::Run(error)) => return Err(*error),
        }
    }
    if !problems.is_empty() {
        return Err(RunError::Scripts(problems));
    }
    if let Backfills::Only(only) = &wanted.backfills {
        return Ok(Agenda { tasks: fills(tasks, only.as_ref())?, ..Agenda::default() });
    }
    let name = |position: usize| {
        let migration = &folder.migrations[position];
        label(&migration.version, &migration.name)
    };
    let waiting: Vec<pending::Held> = held.iter().chain(&left).cloned().collect();
    not_held_back(folder, &waiting, &comparison.pending, options)?;
    let sentence = |held: &pending::Held| format!("{} is held: {}", name(held.position), held.why);
    let left = left.iter().map(|left| name(left.position)).collect();
    Ok(Agenda { tasks, warnings, held: held.iter().map(sentence).collect(), left })
}

/// Of what is pending, what fills rows and comes next, or the one that is asked for.
fn fills(tasks: Vec<Task>, only: Option<&Version>) -> Result<Vec<Task>, RunError> {
    let mut before = None;
    let mut chosen = Vec::new();
    for task in tasks {
        let wanted = only.is_none_or(|only| task.record.version == *only);
        match (task.fills_rows() && wanted, &before) {
            (true, None) => chosen.push(task),
            (true, Some(before)) if chosen.is_empty() => {
                return Err(RunError::NotYet { migration: task.label, before: String::clone(before) });
            }
            (true, Some(_)) => {}
            (false, _) => {
                before.get_or_insert(task.label);
            }
        }
    }
    Ok(chosen)
}

/// Fails where what is to be applied stands behind a contract that is held, and touches what that touches: it was
/// written for a schema that is not there yet.
fn not_held_back(
    folder: &Folder,
    held: &[pending::Held],
    pending: &[usize],
    options: ScriptOptions,
) -> Result<(), RunError> {
    for one in held {
        let contract = &folder.migrations[one.position];
        let Some(tables) = touched(contract, options.dialect) else { continue };
        let behind = pending.iter().filter(|position| **position > one.position);
        for position in behind.filter(|position| !held.iter().any(|other| other.position == **position)) {
            let migration = &folder.migrations[*position];
            let clash = match touched(migration, options.dialect) {
                // What a first step says is that it works with the schema that is there.
                None => (migration.phase().is_none()).then(|| "what it touches is not known".to_owned()),
                Some(others) => tables
                    .iter()
                    .find(|table| others.contains(*table))
                    .map(|table| format!("both touch `{table}`")),
            };
            if let Some(clash) = clash {
                return Err(RunError::Held {
                    contract: label(&contract.version, &contract.name),
                    migration: label(&migration.version, &migration.name),
                    clash,
                    why: one.why.clone(),
                });
            }
        }
    }
    Ok(())
}

/// The tables that a migration touches, by their names alone; none where that is not known.
fn touched(migration: &Migration, dialect: Dialect) -> Option<std::collections::BTreeSet<String>> {
    let prepared = script::prepare(&migration.up, ScriptOptions { dialect, native: true }).ok()?;
    let Work::Statements(statements) = &prepared.work else { return None };
    let changes = statements.iter().flat_map(|statement| engine::lower(statement.sql(), dialect));
    let mut tables = std::collections::BTreeSet::new();
    for change in changes {
        let name = match &change.kind {
            ChangeKind::Opaque(_) => return None,
            ChangeKind::AlterTable(alter) => &alter.table,
            ChangeKind::CreateTable(create) => &create.table,
            ChangeKind::CreateIndex(create) => &create.table,
            ChangeKind::CreateTrigger(create) => &create.table,
            ChangeKind::CreateView(create) => &create.name,
            ChangeKind::Drop(drop) => drop.on.as_ref().unwrap_or(&drop.name),
            ChangeKind::Insert(insert) => &insert.table,
            ChangeKind::Update(update) => &update.table,
            ChangeKind::Delete(delete) => &delete.table,
            _ => continue,
        };
        tables.insert(name.name.as_str().to_lowercase());
    }
    Some(tables)
}

enum TaskProblem {
    Scripts(Vec<ScriptProblem>),
    Run(Box<RunError>),
}

fn up_task(
    migration: &Migration,
    history: &History,
    author: &Author,
    options: ScriptOptions,
    sequence: i64,
) -> Result<Task, TaskProblem> {
    let prepared = script::prepare(&migration.up, options).map_err(TaskProblem::Scripts)?;
    let row = history.get(&migration.version);
    let record = MigrationRecord {
        version: migration.version.clone(),
        name: migration.name.clone(),
        kind: kind_id(migration.kind),
        checksum: migration.up.checksum.clone(),
        breaks_older: match breaks_older_by(&prepared, options.dialect) {
            // That it works with older code is what a first step says.
            BreaksOlder::Unknown if migration.phase() == Some(Phase::Expand) => BreaksOlder::No,
            found => found,
        },
        sequence,
        run_id: history.last_run_id + 1,
        release: author.release.clone(),
        by: author.by.clone(),
        down: migration.down.as_ref().and_then(stored_down),
        adopted_from: None,
    };
    let mut task = Task {
        label: label(&migration.version, &migration.name),
        direction: Direction::Up,
        record,
        prepared,
        known: row.is_some(),
        done: Vec::new(),
        kept: Vec::new(),
        cursors: Vec::new(),
        intent: None,
    };
    if row.is_some_and(|row| row.state == State::Applying) {
        resume(&mut task, history)?;
    }
    Ok(task)
}

/// Takes over what an earlier run has done of the task, if its statements are still the same.
fn resume(task: &mut Task, history: &History) -> Result<(), TaskProblem> {
    let statements: &[Statement] = match &task.prepared.work {
        Work::Statements(statements) => statements,
        Work::LargeFile { .. } | Work::Program(_) => &[],
    };
    for row in history.statements.iter().filter(|row| row.version == task.record.version) {
        let now = statements.get(row.ordinal).map(Statement::checksum);
        if (row.done || row.in_parts)
            && now.as_deref() != Some(row.checksum.as_str())
            && !statements.is_empty()
        {
            return Err(TaskProblem::Run(Box::new(RunError::Half {
                migration: task.label.clone(),
                state: "applied",
                help: format!(
                    "statement {} was applied, or begun, with another text than {} has now; put it back as it was, and edit only \
                     what comes after it",
                    row.ordinal + 1,
                    task.prepared.path
                ),
            })));
        }
        if row.done {
            task.done.push(row.ordinal);
            task.kept.extend(row.before.iter().map(|kept| (row.ordinal, kept.clone())));
        } else if row.in_parts {
            task.cursors.extend(row.before.iter().map(|cursor| (row.ordinal, cursor.clone())));
        } else {
            task.intent = Some(row.clone());
        }
    }
    Ok(())
}

fn rollback(
    target: &RollbackTarget,
    folder: &Folder,
    history: &History,
    downs: &HashMap<Version, StoredDown>,
    author: &Author,
    dialect: Dialect,
) -> Result<Agenda, RunError> {
    let chosen = pending::to_roll_back(history, target).map_err(RunError::NoRollback)?;
    let options = ScriptOptions { dialect, native: folder.format == "twostep" };
    let mut tasks = Vec::with_capacity(chosen.len());
    let mut problems = Vec::new();
    for applied in &chosen {
        let shown = label(&applied.version, &applied.name);
        if applied.state == State::Applying {
            return Err(RunError::Half {
                migration: shown,
                state: "applied",
                help: "run `twostep migrate` again to finish it, or `twostep resolve` to say what holds"
                    .to_owned(),
            });
        }
        let file = folder.migrations.iter().find(|migration| migration.version == applied.version);
        let prepared = match (file.and_then(|file| file.down.as_ref()), downs.get(&applied.version)) {
            (Some(script), _) => script::prepare(script, options),
            (None, Some(stored)) => prepare_stored(stored, &shown, options),
            // What a repeatable migration made is not known to it; its row goes, so that it is run again.
            (None, None) if applied.kind == "repeatable" => Ok(nothing_to_run(&shown)),
            (None, None) => {
                return Err(RunError::Irreversible { migration: shown, why: why_irreversible(file) });
            }
        };
        match prepared {
            Err(found) => problems.extend(found),
            Ok(prepared) => {
                let mut task = down_task(applied, shown, prepared, history, author);
                if applied.state == State::Reverting {
                    match resume(&mut task, history) {
                        Ok(()) => {}
                        Err(TaskProblem::Run(error)) => return Err(*error),
                        Err(TaskProblem::Scripts(found)) => problems.extend(found),
                    }
                }
                tasks.push(task);
            }
        }
    }
    if problems.is_empty() {
        Ok(Agenda { tasks, ..Agenda::default() })
    } else {
        Err(RunError::Scripts(problems))
    }
}

fn why_irreversible(file: Option<&Migration>) -> String {
    match file {
        Some(file) => file.irreversible.clone().unwrap_or_else(|| "it has no down".to_owned()),
        None => "its file is gone, and the history keeps no down of it".to_owned(),
    }
}

fn down_task(
    applied: &Applied,
    shown: String,
    prepared: Prepared,
    history: &History,
    author: &Author,
) -> Task {
    Task {
        label: shown,
        direction: Direction::Down,
        record: MigrationRecord {
            version: applied.version.clone(),
            name: applied.name.clone(),
            kind: "versioned",
            checksum: applied.checksum.clone(),
            breaks_older: applied.breaks_older,
            sequence: applied.sequence,
            run_id: history.last_run_id + 1,
            release: author.release.clone(),
            by: author.by.clone(),
            down: None,
            adopted_from: applied.adopted_from.clone(),
        },
        prepared,
        known: true,
        done: Vec::new(),
        kept: Vec::new(),
        cursors: Vec::new(),
        intent: None,
    }
}

fn nothing_to_run(label: &str) -> Prepared {
    Prepared {
        path: label.to_owned(),
        work: Work::Statements(Vec::new()),
        pieces: vec![script::Piece::atomic(0..0)],
        limits: Limits::default(),
    }
}

/// A stored down as a script of its own.
fn prepare_stored(
    stored: &StoredDown,
    shown: &str,
    options: ScriptOptions,
) -> Result<Prepared, Vec<ScriptProblem>> {
    let file: std::sync::Arc<str> = stored.sql.as_str().into();
    let body = if stored.separated {
        let texts: Vec<String> = serde_json::from_str(&stored.sql).unwrap_or_default();
        let given = |text: String| crate::source::GivenStatement { text, span: crate::text::Span::default() };
        Body::Statements { file, statements: texts.into_iter().map(given).collect() }
    } else {
        Body::Sql { span: crate::text::Span::new(0, file.len()), file }
    };
    let script = Script {
        path: format!("{shown} (the down that the history keeps)"),
        body,
        transaction: stored.transaction,
        directives: Vec::new(),
        checksum: Checksum::of(&stored.sql),
    };
    script::prepare(&script, options)
}

/// A down as the journal keeps it, so that a rollback works without the files. Programs and large files are not kept.
pub fn stored_down(script: &Script) -> Option<StoredDown> {
    let (sql, separated) = match &script.body {
        Body::Sql { file, span } => (span.of(file).to_owned(), false),
        Body::Statements { statements, .. } => {
            let texts: Vec<&str> = statements.iter().map(|statement| statement.text.as_str()).collect();
            (serde_json::to_string(&texts).unwrap_or_default(), true)
        }
        Body::LargeFile { .. } | Body::Program { .. } => return None,
    };
    Some(StoredDown { sql, separated, transaction: script.transaction })
}

/// The word that the journal has for it.
pub const fn kind_id(kind: Kind) -> &'static str {
    match kind {
        Kind::Versioned => "versioned",
        Kind::Repeatable => "repeatable",
        Kind::Baseline => "baseline",
    }
}

/// Whether a script breaks older code, as far as its statements are understood.
fn breaks_older_by(prepared: &Prepared, dialect: Dialect) -> BreaksOlder {
    let Work::Statements(statements) = &prepared.work else { return BreaksOlder::Unknown };
    let changes: Vec<_> =
        statements.iter().flat_map(|statement| engine::lower(statement.sql(), dialect)).collect();
    breaks_older(&changes)
}

/// One unit of the machine: a piece of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitRef {
    /// Which task.
    pub task: usize,
    /// Which piece of it.
    pub piece: usize,
}

/// The pieces of `tasks` that are still to be done, as the machine sees them.
pub fn units(tasks: &[Task]) -> (Vec<UnitRef>, Vec<Unit>) {
    let mut refs = Vec::new();
    let mut units = Vec::new();
    for (number, task) in tasks.iter().enumerate() {
        let count = task.prepared.pieces.len();
        for (position, piece) in task.prepared.pieces.iter().enumerate() {
            let is_last = position + 1 == count;
            let done = !piece.statements.is_empty()
                && piece.statements.end != usize::MAX
                && piece.statements.clone().all(|ordinal| task.done.contains(&ordinal));
            if done && !is_last {
                continue;
            }
            let uncertain = task
                .intent
                .as_ref()
                .is_some_and(|intent| !done && piece.statements.contains(&intent.ordinal));
            refs.push(UnitRef { task: number, piece: position });
            units.push(Unit {
                // A last piece that is done already only lacks the row that says that its migration is.
                atomic: piece.atomic || done,
                uncertain,
                begins: position == 0 && task.done.is_empty(),
                completes: is_last,
            });
        }
    }
    (refs, units)
}

/// The number of statements of a script in memory; 0 where it is not known.
pub fn statement_count(prepared: &Prepared) -> usize {
    match &prepared.work {
        Work::Statements(statements) => statements.len(),
        Work::LargeFile { .. } => 0,
        Work::Program(_) => 1,
    }
}
