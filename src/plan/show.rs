//! A deploy as a table for people: what each statement locks, whom that blocks, when it may run, what takes it back.

use super::decide::short;
use super::deploy::{Deploy, Down, Phase};
use crate::engine;
use crate::engine::effects::{Effects, Session};
use crate::engine::proposal::{Action, Stage, Undo};
use crate::engine::version::ServerVersion;
use crate::schema::apply::apply;
use crate::schema::change::ChangeKind;
use crate::schema::model::Schema;
use std::collections::BTreeMap;

/// What the deploy has set in its session so far, by name.
type Settings = BTreeMap<String, String>;

/// The columns of the table.
const TITLES: [&str; 6] =
    ["phase", "statement", "lock", "who waits", "when it may run", "what rolls it back"];

/// The deploy, one statement a line.
pub fn table(deploy: &Deploy, server: ServerVersion) -> String {
    let mut schema = deploy.before.clone();
    let mut settings = Settings::new();
    let mut rows = vec![TITLES.map(str::to_owned)];
    for part in &deploy.parts {
        for stage in &part.up {
            for action in stage.actions() {
                let (lock, waits) = match stage {
                    Stage::Backfill { .. } => engine::row_locks(deploy.before.dialect),
                    Stage::Together(_) | Stage::Alone(_) => {
                        locks(action, &mut schema, &mut settings, &deploy.before, server)
                    }
                };
                let back = match (&action.undo, &part.down) {
                    (_, Down::Irreversible) => "nothing".to_owned(),
                    (_, Down::Authors(_)) => "the migration's own down".to_owned(),
                    (Undo::Together(all) | Undo::Alone(all), _) if part.phase != Phase::Contract => {
                        all.first().map_or_else(String::new, |sql| short(sql))
                    }
                    (Undo::Nothing, _) if part.phase != Phase::Contract => "goes with the rest".to_owned(),
                    _ => "the way back to the first step".to_owned(),
                };
                let when = match (part.phase, stage) {
                    (Phase::Expand, Stage::Backfill { .. }) | (Phase::Backfill, _) => {
                        "before the new code starts"
                    }
                    (Phase::Expand, _) => "while the old code runs",
                    (Phase::Contract, _) => "once no older code runs",
                };
                let row =
                    [part.phase.title().to_owned(), short(&action.sql), lock, waits, when.to_owned(), back];
                rows.push(row);
            }
        }
    }
    aligned(&rows)
}

/// The strongest lock of a statement, and who waits for it.
fn locks(
    action: &Action,
    schema: &mut Schema,
    settings: &mut Settings,
    before: &Schema,
    server: ServerVersion,
) -> (String, String) {
    let mut effects = Effects::default();
    for change in engine::lower(&action.sql, schema.dialect) {
        if let ChangeKind::SetVariable(set) = &change.kind {
            settings.insert(set.name.clone(), set.value().unwrap_or_default().to_owned());
        }
        let session = Session::of(|name| settings.get(name).map(String::as_str));
        effects.merge(engine::effects(&change, schema, server, session));
        apply(schema, &change);
    }
    // What the deploy itself makes nobody uses yet.
    let known = effects.relations.iter().filter(|effect| before.relation(&effect.relation).is_some());
    let strongest = known.max_by_key(|effect| effect.lock.strength);
    match strongest {
        None => (String::new(), "nobody".to_owned()),
        Some(effect) => match effect.lock.blocked() {
            None => (effect.lock.to_string(), "nobody".to_owned()),
            Some(blocked) => (
                effect.lock.to_string(),
                format!("{blocked}, {}", if action.prepared { "for a moment" } else { effect.work.during() }),
            ),
        },
    }
}

fn aligned(rows: &[[String; 6]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..6).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:width$}  "));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
