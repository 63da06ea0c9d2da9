//! What a run would do, as the SQL that it would send.

use super::error::RunError;
use super::executor::RunOptions;
use super::gate;
use super::journal::{History, Journal, State};
use super::others;
use super::script::Work;
use super::task::{self, Agenda, Author, Direction, Goal, Task};
use crate::db;
use crate::db::session::{Begin, Engine};
use crate::db::url::DatabaseUrl;
use crate::dialect::Dialect;
use crate::source::Folder;
use std::collections::HashMap;

/// Reads the history, and gives what `goal` means for it. Writes nothing, takes no lock.
pub async fn preview(
    url: &DatabaseUrl,
    journal: &Journal,
    folder: &Folder,
    goal: &Goal,
    options: &RunOptions,
) -> Result<Agenda, RunError> {
    let mut downs = HashMap::new();
    let mut seen = goal.clone();
    let history = if url.is_missing_file() {
        History::default()
    } else {
        let connect = db::session::ConnectOptions { create_if_missing: false, ..options.connect.clone() };
        let mut session = db::connect(url, &connect)
            .await
            .map_err(|error| RunError::Connect { url: url.to_string(), error })?;
        let history = journal.read(&mut *session).await?;
        others::refuse(&mut *session, &history).await?;
        for version in task::downs_wanted(goal, folder, &history) {
            if let Some(down) = journal.stored_down(&mut *session, &version).await? {
                downs.insert(version, down);
            }
        }
        seen = gate::seen(&mut *session, folder, &history, goal, options.release.as_deref()).await;
        session.close().await;
        history
    };
    let author = Author { by: options.host.clone(), release: options.release.clone() };
    task::agenda(&seen, folder, &history, &downs, &author, url.dialect())
}

/// The SQL of `tasks`, statement by statement, with its transactions, locks and timeouts.
pub fn sql(tasks: &[Task], url: &DatabaseUrl, journal: &Journal, options: &RunOptions) -> String {
    let engine = db::engine_of(url);
    let mut out = String::new();
    for task in tasks {
        let way = match task.direction {
            Direction::Up => "migration",
            Direction::Down => "rollback of",
        };
        out.push_str(&format!("-- {way} {} ({})\n", task.label, task.prepared.path));
        match &task.prepared.work {
            Work::Program(program) => out.push_str(&format!("-- runs the program {program}\n")),
            Work::LargeFile { bytes } => {
                out.push_str(&format!("-- the statements of the file, {bytes} bytes, in one transaction\n"));
            }
            Work::Statements(_) => pieces(task, engine, journal, options, &mut out),
        }
        out.push('\n');
    }
    out
}

fn pieces(task: &Task, engine: &dyn Engine, journal: &Journal, options: &RunOptions, out: &mut String) {
    let Work::Statements(statements) = &task.prepared.work else { return };
    let count = task.prepared.pieces.len();
    for (number, piece) in task.prepared.pieces.iter().enumerate() {
        let lock_timeout = task.prepared.limits.lock_timeout.unwrap_or(options.lock_timeout);
        let begin = Begin { lock_timeout, fresh: true, lock: None };
        if piece.atomic {
            out.push_str(&format!("{};\n", engine.begin_sql(&begin)));
            if let (Some(limit), Dialect::Postgres) =
                (task.prepared.limits.statement_timeout, engine.dialect())
            {
                out.push_str(&format!("SET LOCAL statement_timeout = {};\n", limit.as_millis()));
            }
        } else {
            out.push_str("-- outside a transaction, after its intent is written to the history:\n");
        }
        for statement in &statements[piece.statements.clone()] {
            for request in statement.traits.locks.iter().filter(|_| piece.atomic) {
                out.push_str(&format!("{};\n", request.sql()));
            }
            out.push_str(statement.sql());
            out.push_str(";\n");
            if let Some(rows) = &statement.rows {
                out.push_str(&format!("{}\\.\n", rows.as_str()));
            }
        }
        if number + 1 == count {
            let written = match task.direction {
                Direction::Up => {
                    journal.migration_sql(&task.record, State::Applied, 0, task.known || count > 1)
                }
                Direction::Down => journal.reverted_sql(&task.record.version),
            };
            out.push_str(&format!("{written};\n"));
        }
        if piece.atomic {
            out.push_str("COMMIT;\n");
        }
    }
}
