//! Which statements of a deploy keep reads or writes waiting while rows are looked at: as the server shows it inside
//! their transactions, and as the table of effects has it for what runs outside of one.

use crate::analysis::analyze;
use crate::engine::effects::{Session, Work};
use crate::engine::{self, version::ServerVersion};
use crate::roundtrip::apply::Look;
use crate::schema::model::Schema;
use crate::source::Migration;
use crate::text::LineIndex;
use std::collections::BTreeMap;

/// What a transaction has done to a table so far.
#[derive(Debug, Clone)]
struct Seen {
    /// The name that it had when the transaction began.
    name: String,
    read: i64,
    file: String,
}

/// What the looks into the transactions of a migration show, a line each. `is_filled` tells tables with rows.
pub(super) fn measured(looks: &[Look], path: &str, is_filled: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    let mut transaction = 0;
    let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
    for look in looks {
        let begins = look.transaction != transaction;
        if begins {
            transaction = look.transaction;
            seen.clear();
        }
        for row in &look.rows {
            let (read, file) = (row.number(3).unwrap_or(0), row.text(4).to_owned());
            if begins {
                let name = row.text(1).to_owned();
                seen.insert(row.text(0).to_owned(), Seen { name, read, file });
                continue;
            }
            // What the transaction itself has made nobody else knows.
            let Some(before) = seen.get_mut(row.text(0)) else { continue };
            let work = match (before.file != file, read > before.read) {
                (true, _) => Some("the table is written anew"),
                (false, true) => Some("its rows are read"),
                (false, false) => None,
            };
            if let (Some(work), Some(lock)) = (work, row.get(2))
                && is_filled(&before.name)
            {
                let (line, title, name) = (look.line, &look.title, &before.name);
                found.push(format!("{path}:{line}: `{title}`: {work} while {name} is locked ({lock})"));
            }
            (before.read, before.file) = (read, file);
        }
    }
    found
}

/// A statement that keeps others waiting for as long as there are rows.
pub(super) struct Waits {
    /// It, and who waits for what.
    pub(super) line: String,
    /// Whether those who read wait too.
    pub(super) readers: bool,
}

/// What the table of effects says of the statements of `parts`: those that no look was taken into. `earlier` is what there
/// is before.
pub(super) fn known(
    earlier: &[Migration],
    parts: &[Migration],
    start: Schema,
    server: ServerVersion,
    is_looked_into: &dyn Fn(usize, usize) -> bool,
) -> Vec<Waits> {
    let scripts = earlier.iter().chain(parts).map(|migration| &migration.up);
    let analysis = analyze(scripts, start);
    let own = analysis.steps.iter().filter(|step| step.at.migration >= earlier.len());
    let mut found = Vec::new();
    let mut first: Option<&Schema> = None;
    for step in own {
        let before = *first.get_or_insert(&step.before);
        let part = step.at.migration - earlier.len();
        let (text, line) = place(&parts[part], step.span.start);
        if is_looked_into(part, line) {
            continue;
        }
        let session = Session::of(|name| step.settings.get(name).map(String::as_str));
        let changes: Vec<_> = step.changes.iter().map(|one| (&one.change, &one.before)).collect();
        let effects = engine::statement_effects(&changes, server, session);
        for effect in &effects.relations {
            // What the deploy itself makes nobody uses yet, and a row is waited for by those who write it.
            let blocked = effect.lock.blocked().filter(|_| before.relation(&effect.relation).is_some());
            if let Some(blocked) = blocked
                && effect.work.grows_with_rows()
                && effect.work != Work::Rows
            {
                let title = crate::run::script::title(&step.sql);
                let line = format!(
                    "{text}:{line}: `{title}`: {} of {} wait {} ({})",
                    blocked,
                    effect.relation,
                    effect.work.during(),
                    effect.lock
                );
                found.push(Waits { line, readers: effect.lock.blocks_reads });
            }
        }
    }
    found
}

/// The file and the line of a place of a migration's up.
fn place(migration: &Migration, at: usize) -> (String, usize) {
    let line = match &migration.up.body {
        crate::source::Body::Sql { file, .. } | crate::source::Body::Statements { file, .. } => {
            LineIndex::new(file).position(file, at).line
        }
        crate::source::Body::LargeFile { .. } | crate::source::Body::Program { .. } => 1,
    };
    (migration.up.path.clone(), line)
}
