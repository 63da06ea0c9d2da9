//! The tasks that apply what is pending.

use super::agenda::{Agenda, Author};
use super::down::stored_down;
use super::held::not_held_back;
use super::one::{Direction, Task, TaskProblem, kind_id, label, resume};
use crate::dialect::Dialect;
use crate::engine;
use crate::run::contracts::{self, Contracts, Gate, Held};
use crate::run::error::RunError;
use crate::run::journal::{Applied, History, MigrationRecord, State};
use crate::run::pending::{self, Backfills, Comparison, OutOfOrder, Wanted};
use crate::run::script::{self, Prepared, ScriptOptions, Work};
use crate::schema::breaks::{BreaksOlder, breaks_older};
use crate::source::{Folder, Kind, Migration, Phase, Version};

pub(super) fn migrate(
    wanted: &Wanted,
    folder: &Folder,
    history: &History,
    author: &Author,
    dialect: Dialect,
) -> Result<Agenda, RunError> {
    is_there(wanted.to.as_ref(), folder)?;
    let comparison = pending::compare(folder, history, wanted.to.as_ref());
    let mut warnings = accepted(wanted, folder, &comparison)?;
    let options = ScriptOptions { dialect, native: folder.format == "twostep" };
    let mut tasks = Vec::with_capacity(comparison.pending.len());
    let mut problems = Vec::new();
    let mut free = history.next_sequence()..;
    let held = contracts::held(folder, history, &comparison.pending, wanted.contracts, &wanted.gate);
    if let (Contracts::Apply, Gate::Closed(who)) = (wanted.contracts, &wanted.gate) {
        warnings.push(format!("contracts are applied although older code is there: {who}"));
    }
    let waits = |position: &usize| held.iter().any(|held| held.position == *position);
    // There are no rows in a database that has nothing.
    let leaves = wanted.backfills == Backfills::Leave && !history.applied.is_empty();
    let mut left: Vec<Held> = Vec::new();
    for position in comparison.pending.iter().filter(|position| !waits(position)) {
        let migration = &folder.migrations[*position];
        let known = history.get(&migration.version).map(|row| row.sequence);
        let sequence = known.or_else(|| free.next()).unwrap_or(i64::MAX);
        match up_task(migration, history, author, options, sequence) {
            Ok(task) if leaves && task.fills_rows() => {
                let why = "its rows are left to `twostep backfill`".to_owned();
                left.push(Held { position: *position, why });
            }
            Ok(task) => {
                warnings.extend(without_statements(&task));
                tasks.push(task);
            }
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
    let waiting: Vec<Held> = held.iter().chain(&left).cloned().collect();
    not_held_back(folder, &waiting, &comparison.pending, options)?;
    let sentence = |held: &Held| format!("{} is held: {}", name(held.position), held.why);
    let left = left.iter().map(|left| name(left.position)).collect();
    Ok(Agenda { tasks, warnings, held: held.iter().map(sentence).collect(), left })
}

/// What is said of a migration in which nothing stands.
fn without_statements(task: &Task) -> Option<String> {
    let Work::Statements(statements) = &task.prepared.work else { return None };
    statements
        .is_empty()
        .then(|| format!("{} has no statement: its file is empty, or holds comments only", task.label))
}

/// Fails where there is no migration to go up to.
fn is_there(to: Option<&Version>, folder: &Folder) -> Result<(), RunError> {
    if let Some(to) = to
        && !folder.migrations.iter().any(|migration| migration.version == *to)
    {
        let last = folder.migrations.iter().rev().find(|migration| migration.kind == Kind::Versioned);
        return Err(RunError::NoSuchVersion {
            version: to.clone(),
            last: last.map(|migration| migration.version.clone()),
        });
    }
    Ok(())
}

/// Fails where files and history do not go together, unless that is to be put up with; gives what should be said of it.
fn accepted(wanted: &Wanted, folder: &Folder, comparison: &Comparison) -> Result<Vec<String>, RunError> {
    if let Some(half) = comparison.half.iter().find(|applied| applied.state == State::Reverting) {
        return Err(RunError::Half {
            migration: label(&half.version, &half.name),
            state: "taken back",
            help: "run `twostep rollback --steps 1` again: it goes on where it stopped".to_owned(),
        });
    }
    not_renamed(folder, comparison)?;
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
    Ok(warnings)
}

/// Fails where what is pending was applied under another number: it would be done a second time.
fn not_renamed(folder: &Folder, comparison: &Comparison) -> Result<(), RunError> {
    let pending = comparison.pending.iter().map(|position| &folder.migrations[*position]);
    for migration in pending.filter(|one| one.kind == Kind::Versioned) {
        let is_it =
            |row: &&Applied| row.checksum == migration.up.checksum && row.kind == kind_id(Kind::Versioned);
        if let Some(row) = comparison.ahead.iter().find(is_it) {
            return Err(RunError::Renamed {
                pending: label(&migration.version, &migration.name),
                path: migration.up.path.clone(),
                applied: label(&row.version, &row.name),
            });
        }
    }
    Ok(())
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

/// Whether a script breaks older code, as far as its statements are understood.
fn breaks_older_by(prepared: &Prepared, dialect: Dialect) -> BreaksOlder {
    let Work::Statements(statements) = &prepared.work else { return BreaksOlder::Unknown };
    let changes: Vec<_> =
        statements.iter().flat_map(|statement| engine::lower(statement.sql(), dialect)).collect();
    breaks_older(&changes)
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
