//! What is to be done: the files of a folder beside the history of a database. Pure.

use super::contracts::{Contracts, Gate};
use super::journal::{Applied, History, State};
use crate::schema::breaks::BreaksOlder;
use crate::source::{Checksum, Folder, Kind, Migration, Phase, Version};
use std::collections::HashMap;

/// What to do with a migration that is new but stands before one that is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutOfOrder {
    /// Apply it, and say so.
    #[default]
    Warn,
    /// Refuse to run.
    Error,
    /// Apply it.
    Allow,
}

/// How far to go, and what to put up with.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Apply nothing behind this version.
    pub to: Option<Version>,
    /// What to do with migrations that are out of order.
    pub out_of_order: OutOfOrder,
    /// Whether a database that is ahead of the files with what breaks this code is accepted.
    pub allow_ahead: bool,
    /// What to do with contracts.
    pub contracts: Contracts,
    /// Why contracts are applied although no release is confirmed, for the history.
    pub because: Option<String>,
    /// What to do with migrations that fill rows in chunks.
    pub backfills: Backfills,
    /// What was seen of those who need what contracts take away.
    pub gate: Gate,
}

/// What to do with migrations that fill rows in chunks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Backfills {
    /// Apply them with the others.
    #[default]
    Run,
    /// Leave them to a process of their own.
    Leave,
    /// Apply nothing else: those that come next, or this one.
    Only(Option<Version>),
}

/// An applied migration whose file is another one now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// Its version.
    pub version: Version,
    /// Its name.
    pub name: String,
    /// The file.
    pub path: String,
    /// The checksum in the journal.
    pub applied: Checksum,
    /// The checksum of the file.
    pub now: Checksum,
    /// Whether it is half applied, so that it cannot go on with another text.
    pub half: bool,
}

/// The comparison of a folder with a history.
#[derive(Debug, Clone, Default)]
pub struct Comparison {
    /// Migrations to apply, as positions in the folder, in order.
    pub pending: Vec<usize>,
    /// Applied migrations whose text has changed since.
    pub edited: Vec<Edited>,
    /// Applied migrations that are not among the files.
    pub ahead: Vec<Applied>,
    /// Pending migrations that stand before an applied one.
    pub out_of_order: Vec<usize>,
    /// Migrations that an earlier run left half applied or half taken back.
    pub half: Vec<Applied>,
}

impl Comparison {
    /// What is ahead of the files and breaks this code.
    pub fn ahead_breaking(&self) -> impl Iterator<Item = &Applied> {
        self.ahead.iter().filter(|applied| applied.breaks_older == BreaksOlder::Yes)
    }

    /// What is ahead of the files, and nobody knows whether it breaks this code.
    pub fn ahead_unknown(&self) -> impl Iterator<Item = &Applied> {
        self.ahead.iter().filter(|applied| applied.breaks_older == BreaksOlder::Unknown)
    }

    /// Whether files and history agree but for what is pending.
    pub fn has_drift(&self) -> bool {
        !self.edited.is_empty() || !self.ahead.is_empty() || !self.half.is_empty()
    }
}

/// Compares `folder` with `history`.
pub fn compare(folder: &Folder, history: &History, to: Option<&Version>) -> Comparison {
    let applied: HashMap<&str, &Applied> =
        history.applied.iter().map(|applied| (applied.version.as_str(), applied)).collect();
    let files: HashMap<&str, usize> = folder
        .migrations
        .iter()
        .enumerate()
        .map(|(position, migration)| (migration.version.as_str(), position))
        .collect();
    let mut comparison = Comparison::default();
    // What had no file when it was taken over is not missed.
    let is_missing =
        |applied: &&Applied| !files.contains_key(applied.version.as_str()) && !applied.had_no_file();
    comparison.ahead = history.applied.iter().filter(is_missing).cloned().collect();
    comparison.half =
        history.applied.iter().filter(|applied| applied.state != State::Applied).cloned().collect();

    let last_applied = folder.migrations.iter().rposition(|migration| {
        migration.kind == Kind::Versioned && applied.contains_key(migration.version.as_str())
    });
    let wanted = wanted(folder, to);
    let baseline = baseline(folder, history, &wanted);
    for (position, migration) in folder.migrations.iter().enumerate() {
        match applied.get(migration.version.as_str()) {
            Some(row) => {
                let same = row.checksum == migration.up.checksum;
                if migration.kind == Kind::Repeatable {
                    if (!same && wanted[position]) || row.state != State::Applied {
                        comparison.pending.push(position);
                    }
                    continue;
                }
                if row.state == State::Applying {
                    comparison.pending.push(position);
                }
                if !same && !row.had_no_file() {
                    comparison.edited.push(edited(migration, row));
                }
            }
            None if !wanted[position] => {}
            None => match (migration.kind, baseline) {
                (Kind::Baseline, _) if Some(position) != baseline => {}
                (Kind::Versioned, Some(from)) if position < from => {}
                (kind, _) => {
                    // A contract waits while others go on.
                    let late = kind == Kind::Versioned && last_applied.is_some_and(|last| position < last);
                    if late && migration.phase() != Some(Phase::Contract) {
                        comparison.out_of_order.push(position);
                    }
                    comparison.pending.push(position);
                }
            },
        }
    }
    comparison
}

fn edited(migration: &Migration, row: &Applied) -> Edited {
    Edited {
        version: migration.version.clone(),
        name: migration.name.clone(),
        path: migration.up.path.clone(),
        applied: row.checksum.clone(),
        now: migration.up.checksum.clone(),
        half: row.state != State::Applied,
    }
}

/// Which positions of the folder are wanted: all, or all up to `to`. Repeatable ones only where all are.
fn wanted(folder: &Folder, to: Option<&Version>) -> Vec<bool> {
    let last = to.and_then(|to| folder.migrations.iter().position(|migration| migration.version == *to));
    folder
        .migrations
        .iter()
        .enumerate()
        .map(|(position, migration)| match last {
            None => true,
            Some(last) => position <= last && migration.kind != Kind::Repeatable,
        })
        .collect()
}

/// The baseline that stands for all migrations before it, on a database without any: the last that is wanted.
fn baseline(folder: &Folder, history: &History, wanted: &[bool]) -> Option<usize> {
    if !history.applied.is_empty() {
        return None;
    }
    let is_wanted = |(position, migration): (usize, &Migration)| {
        (wanted[position] && migration.kind == Kind::Baseline).then_some(position)
    };
    folder.migrations.iter().enumerate().filter_map(is_wanted).next_back()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::source::{Body, Script};

    pub(in crate::run) fn migration(version: &str, kind: Kind, text: &str) -> Migration {
        let script = Script {
            path: format!("{version}.up.sql"),
            body: Body::LargeFile { bytes: 0 },
            transaction: true,
            directives: Vec::new(),
            checksum: Checksum::of(text),
        };
        Migration {
            version: Version::new(version),
            name: version.to_owned(),
            kind,
            up: script,
            down: None,
            irreversible: None,
            warnings: Vec::new(),
        }
    }

    pub(in crate::run) fn row(version: &str, text: &str, sequence: i64, state: State) -> Applied {
        Applied {
            version: Version::new(version),
            name: version.to_owned(),
            kind: "versioned".to_owned(),
            state,
            checksum: Checksum::of(text),
            breaks_older: BreaksOlder::Unknown,
            sequence,
            run_id: sequence / 2,
            applied_at: String::new(),
            duration_ms: 0,
            release: None,
            applied_by: String::new(),
            has_down: false,
            adopted_from: None,
        }
    }

    pub(in crate::run) fn folder(migrations: Vec<Migration>) -> Folder {
        Folder { format: "twostep", migrations, warnings: Vec::new() }
    }

    fn versions(folder: &Folder, positions: &[usize]) -> Vec<String> {
        positions.iter().map(|position| folder.migrations[*position].version.to_string()).collect()
    }

    #[test]
    fn what_is_not_applied_is_pending_in_the_folders_order() {
        let folder = folder(["1", "2", "3"].map(|v| migration(v, Kind::Versioned, v)).to_vec());
        let history = History { applied: vec![row("1", "1", 1, State::Applied)], ..History::default() };
        let comparison = compare(&folder, &history, None);
        assert_eq!(versions(&folder, &comparison.pending), ["2", "3"]);
        assert!(!comparison.has_drift());
        let to_2 = compare(&folder, &history, Some(&Version::new("2")));
        assert_eq!(versions(&folder, &to_2.pending), ["2"]);
    }

    #[test]
    fn edited_missing_and_late_migrations_are_told_apart() {
        let folder = folder(["1", "2", "3"].map(|v| migration(v, Kind::Versioned, v)).to_vec());
        let applied = vec![
            row("1", "other", 1, State::Applied),
            row("3", "3", 2, State::Applied),
            row("4", "4", 3, State::Applied),
        ];
        let comparison = compare(&folder, &History { applied, ..History::default() }, None);
        assert_eq!(versions(&folder, &comparison.pending), ["2"]);
        assert_eq!(versions(&folder, &comparison.out_of_order), ["2"]);
        assert_eq!(comparison.edited.len(), 1);
        assert_eq!(comparison.ahead[0].version.as_str(), "4");
        assert_eq!(comparison.ahead_unknown().count(), 1);
        assert_eq!(comparison.ahead_breaking().count(), 0);
    }

    #[test]
    fn a_half_applied_migration_goes_on_and_a_repeatable_one_runs_when_it_changed() {
        let folder = folder(vec![
            migration("1", Kind::Versioned, "1"),
            migration("R_views", Kind::Repeatable, "new"),
            migration("R_same", Kind::Repeatable, "same"),
        ]);
        let applied = vec![
            row("1", "1", 1, State::Applying),
            row("R_views", "old", 2, State::Applied),
            row("R_same", "same", 3, State::Applied),
        ];
        let comparison = compare(&folder, &History { applied, ..History::default() }, None);
        assert_eq!(versions(&folder, &comparison.pending), ["1", "R_views"]);
        assert!(comparison.edited.is_empty());
        assert_eq!(comparison.half.len(), 1);
    }

    #[test]
    fn a_baseline_stands_for_what_is_before_it_on_an_empty_database_only() {
        let folder = folder(vec![
            migration("1", Kind::Versioned, "1"),
            migration("B2", Kind::Baseline, "b"),
            migration("3", Kind::Versioned, "3"),
        ]);
        let empty = compare(&folder, &History::default(), None);
        assert_eq!(versions(&folder, &empty.pending), ["B2", "3"]);
        let used = History { applied: vec![row("1", "1", 1, State::Applied)], ..History::default() };
        assert_eq!(versions(&folder, &compare(&folder, &used, None).pending), ["3"]);
    }
}
