//! The SQL of the stages of one direction of a migration.

use super::deploy::Phase;
use crate::dialect::Dialect;
use crate::engine;
use crate::engine::proposal::{Action, Stage};
use crate::name::Name;

/// One direction of a planned migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedScript {
    /// Its text, with a comment for each statement.
    pub text: String,
    /// Its statements, each with the comments above it.
    pub statements: Vec<String>,
}

/// Whether `stages` are one transaction.
pub(super) fn is_transaction(stages: &[Stage]) -> bool {
    match stages {
        [] | [Stage::Together(_)] => true,
        [_] | [_, ..] => false,
    }
}

/// The SQL of `stages` with `head` above it. `transaction`: whether all of it runs in one;
/// `phase`: whose up it is; none for a down.
pub(super) fn script(
    stages: &[Stage],
    head: &[String],
    transaction: bool,
    phase: Option<Phase>,
    dialect: Dialect,
) -> PlannedScript {
    let mut statements = Vec::new();
    for stage in stages {
        let together = !transaction && matches!(stage, Stage::Together(actions) if actions.len() > 1);
        if together {
            statements.push("BEGIN".to_owned());
        }
        for action in stage.actions() {
            let told = action.told.then(|| engine::told_of_backfill(dialect)).flatten();
            statements.extend(told.map(|(begins, _)| begins.to_owned()));
            let directive = match stage {
                Stage::Backfill { key, .. } => Some(directive(key, dialect)),
                Stage::Together(_) | Stage::Alone(_) => None,
            };
            statements.push(statement(action, directive, phase));
            statements.extend(told.map(|(_, ends)| ends.to_owned()));
        }
        if together {
            statements.push("COMMIT".to_owned());
        }
    }
    let head: String = head.iter().map(|line| format!("{line}\n")).collect();
    let mut text = head.clone();
    for (number, statement) in statements.iter().enumerate() {
        if !text.is_empty() && (statement.starts_with("--") || number == 0) {
            text.push('\n');
        }
        text.push_str(statement);
        text.push_str(";\n");
    }
    if let Some(first) = statements.first_mut() {
        first.insert_str(0, &head);
    }
    PlannedScript { text, statements }
}

fn statement(action: &Action, directive: Option<String>, phase: Option<Phase>) -> String {
    let mut out = String::new();
    let lines =
        action.about.lines().filter(|line| !line.starts_with("twostep: allow") || is_found(line, phase));
    lines.for_each(|line| out.push_str(&format!("-- {line}\n")));
    if let Some(directive) = directive {
        out.push_str(&directive);
        out.push('\n');
    }
    out.push_str(action.sql.trim().trim_end_matches(';'));
    out
}

/// Whether lint would find what the line allows: nothing of the kind in a way back, and nothing that older code would meet
/// once there is none.
fn is_found(line: &str, phase: Option<Phase>) -> bool {
    match phase {
        None => false,
        Some(Phase::Contract) => !line.contains("new-write-restriction"),
        Some(Phase::Expand | Phase::Backfill) => true,
    }
}

/// The line that makes an UPDATE run in chunks.
fn directive(key: &[Name], dialect: Dialect) -> String {
    let columns: Vec<String> = key.iter().map(|column| column.readable(dialect)).collect();
    let columns = columns.join(",");
    let quoted = if columns.contains(['"', ' ', '`']) { format!("'{columns}'") } else { columns };
    format!("-- twostep: backfill key={quoted}")
}
