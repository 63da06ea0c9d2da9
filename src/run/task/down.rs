//! The tasks that take back what was applied, by the files or by the downs that the journal keeps.

use super::agenda::{Agenda, Author, Goal};
use super::one::{Direction, Task, TaskProblem, label, resume};
use crate::dialect::Dialect;
use crate::run::error::RunError;
use crate::run::journal::{Applied, History, MigrationRecord, State, StoredDown};
use crate::run::limits::Limits;
use crate::run::rollback::{RollbackTarget, to_roll_back};
use crate::run::script::{self, Piece, Prepared, ScriptOptions, ScriptProblem, Work};
use crate::source::{Body, Checksum, Folder, GivenStatement, Migration, Script, Version};
use crate::sql::directive;
use crate::text::Span;
use std::collections::HashMap;
use std::sync::Arc;

/// Versions that `goal` takes back and whose down the journal must give, since no file has it.
pub fn downs_wanted(goal: &Goal, folder: &Folder, history: &History) -> Vec<Version> {
    let Goal::Rollback(target) = goal else { return Vec::new() };
    let has_file = |applied: &Applied| {
        folder
            .migrations
            .iter()
            .any(|migration| migration.version == applied.version && migration.down.is_some())
    };
    to_roll_back(history, target)
        .unwrap_or_default()
        .into_iter()
        .filter(|applied| applied.has_down && !has_file(applied))
        .map(|applied| applied.version)
        .collect()
}

pub(super) fn rollback(
    target: &RollbackTarget,
    folder: &Folder,
    history: &History,
    downs: &HashMap<Version, StoredDown>,
    author: &Author,
    dialect: Dialect,
) -> Result<Agenda, RunError> {
    let chosen = to_roll_back(history, target).map_err(RunError::NoRollback)?;
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
        pieces: vec![Piece::atomic(0..0)],
        limits: Limits::default(),
    }
}

/// A stored down as a script of its own.
fn prepare_stored(
    stored: &StoredDown,
    shown: &str,
    options: ScriptOptions,
) -> Result<Prepared, Vec<ScriptProblem>> {
    let texts: Vec<String> =
        if stored.separated { serde_json::from_str(&stored.sql).unwrap_or_default() } else { Vec::new() };
    let file: Arc<str> = if stored.separated { texts.join("\n").into() } else { stored.sql.as_str().into() };
    let whole = Span::new(0, file.len());
    let directives = directive::head(&file, whole).found;
    let body = if stored.separated {
        let given = |text: String| GivenStatement { text, span: Span::default() };
        Body::Statements { file, statements: texts.into_iter().map(given).collect() }
    } else {
        Body::Sql { span: whole, file }
    };
    let script = Script {
        path: format!("{shown} (the down that the history keeps)"),
        body,
        transaction: stored.transaction,
        directives,
        checksum: Checksum::of(&stored.sql),
    };
    script::prepare(&script, options)
}

/// A down as the journal keeps it, so that a rollback works without the files. Programs and large files are not kept.
pub fn stored_down(script: &Script) -> Option<StoredDown> {
    let (sql, separated) = match &script.body {
        Body::Sql { file, span } => (span.of(file).to_owned(), false),
        Body::Statements { file, statements } => {
            let mut texts: Vec<String> = statements.iter().map(|statement| statement.text.clone()).collect();
            // The limits stand in comments, which are no part of a statement here.
            let limits = script.directives.iter().filter(|directive| directive.name == "set");
            let limits: String = limits.map(|limit| format!("{}\n", limit.span.of(file))).collect();
            if let Some(first) = texts.first_mut().filter(|first| !first.contains(limits.trim_end())) {
                first.insert_str(0, &limits);
            }
            (serde_json::to_string(&texts).unwrap_or_default(), true)
        }
        Body::LargeFile { .. } | Body::Program { .. } => return None,
    };
    Some(StoredDown { sql, separated, transaction: script.transaction })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;
    use std::time::Duration;

    /// What the history keeps of a down is run with the limits that the file has set for it.
    #[test]
    fn a_stored_down_keeps_its_limits() {
        let text = "-- twostep: set lock-timeout=2s, statement-timeout=1m\ndrop table a;\ndrop table b;\n";
        let file: Arc<str> = text.into();
        let whole = Span::new(0, text.len());
        let given = |text: &str| GivenStatement { text: text.to_owned(), span: Span::default() };
        let bodies = [
            Body::Sql { file: Arc::clone(&file), span: whole },
            Body::Statements { file, statements: vec![given("drop table a"), given("drop table b")] },
        ];
        for body in bodies {
            let script = Script {
                path: "1.down.sql".to_owned(),
                body,
                transaction: true,
                directives: directive::head(text, whole).found,
                checksum: Checksum::of(text),
            };
            let stored = stored_down(&script).unwrap();
            let options = ScriptOptions { dialect: Dialect::Postgres, native: true };
            let prepared = prepare_stored(&stored, "1", options).unwrap();
            assert_eq!(prepared.limits.lock_timeout, Some(Duration::from_secs(2)), "{}", stored.sql);
            assert_eq!(prepared.limits.statement_timeout, Some(Duration::from_secs(60)), "{}", stored.sql);
            let Work::Statements(statements) = &prepared.work else { panic!("{:?}", prepared.work) };
            assert_eq!(statements.len(), 2);
        }
    }
}
