//! Which contracts have to wait, and why. Pure.

use super::journal::{Applied, History};
use crate::source::{Folder, Kind, Phase};

/// What to do with migrations that are the second step of a deploy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Contracts {
    /// Apply one once a release that has its first step is confirmed to be live.
    #[default]
    Confirmed,
    /// Apply none.
    Hold,
    /// Apply all: a person knows that no older code runs.
    Apply,
}

/// What was seen of those who need what contracts take away.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Gate {
    /// Nobody has looked, or it cannot be told.
    #[default]
    Unknown,
    /// Sessions of releases that do without are connected, and no others.
    Open,
    /// Somebody needs it: who.
    Closed(String),
}

/// A contract that is not applied yet, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its position in the folder.
    pub position: usize,
    /// Why, one sentence.
    pub why: String,
}

/// Whether there is a contract among what is pending whose first steps an earlier run has applied.
pub fn may_contract(folder: &Folder, history: &History, pending: &[usize]) -> bool {
    let contracts = pending.iter().filter(|position| {
        let migration = &folder.migrations[**position];
        migration.phase() == Some(Phase::Contract) && history.get(&migration.version).is_none()
    });
    let first_steps = |position: &usize| {
        let before = &folder.migrations[..*position];
        before.iter().filter(|one| one.phase() == Some(Phase::Expand))
    };
    contracts.map(first_steps).any(|mut steps| steps.all(|one| history.get(&one.version).is_some()))
}

/// Whether a contract is the whole of its deploy: no code is prepared for it by a first step.
fn is_alone(folder: &Folder, position: usize) -> bool {
    let first = folder.migrations[position].up.directives.iter().any(|one| one.name == "stands-for");
    let before = folder.migrations[..position].iter().rev().find(|one| one.kind == Kind::Versioned);
    first || before.is_none_or(|one| one.phase() != Some(Phase::Expand))
}

/// The contracts among what is pending that have to wait.
pub fn held(
    folder: &Folder,
    history: &History,
    pending: &[usize],
    contracts: Contracts,
    gate: &Gate,
) -> Vec<Held> {
    // No older code runs on a database that has nothing.
    if contracts == Contracts::Apply || history.applied.is_empty() {
        return Vec::new();
    }
    let mut held = Vec::new();
    for position in pending.iter().copied() {
        let migration = &folder.migrations[position];
        let begun = history.get(&migration.version).is_some();
        if migration.phase() != Some(Phase::Contract) || begun {
            continue;
        }
        let before = folder.migrations[..position].iter().filter(|one| one.phase() == Some(Phase::Expand));
        let rows: Vec<Option<&Applied>> = before.map(|one| history.get(&one.version)).collect();
        let last = rows.iter().flatten().map(|row| row.sequence).max().unwrap_or(0);
        let alone = is_alone(folder, position);
        let live = history
            .confirmed
            .as_ref()
            .filter(|live| live.contracts.contains(&migration.version) || !alone && live.sequence >= last);
        let why = if contracts == Contracts::Hold {
            "only first steps are asked for".to_owned()
        } else if rows.iter().any(Option::is_none) {
            "its first step is applied with this run, and the code before it still runs".to_owned()
        } else {
            match (live, gate) {
                (Some(live), Gate::Closed(who)) if live.anyway.is_none() => {
                    format!("older code is there again: {who}")
                }
                (Some(_), _) => continue,
                (None, Gate::Open) if !alone => continue,
                (None, _) if alone => {
                    "no release that has it among its files is confirmed to be live".to_owned()
                }
                (None, _) => "no release that has its first step is confirmed to be live".to_owned(),
            }
        };
        held.push(Held { position, why });
    }
    held
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::journal::{Live, State};
    use crate::run::pending::compare;
    use crate::run::pending::tests::{folder, migration, row};
    use crate::source::{Migration, Version};

    fn phased(version: &str, phase: &str) -> Migration {
        let mut one = migration(version, Kind::Versioned, version);
        one.up.directives.push(crate::sql::directive::Directive {
            name: "phase".to_owned(),
            words: vec![phase.to_owned()],
            because: None,
            span: crate::text::Span::default(),
        });
        one
    }

    #[test]
    fn a_contract_waits_until_a_release_with_its_expand_is_confirmed() {
        let folder = folder(vec![
            migration("1", Kind::Versioned, "1"),
            phased("2", "expand"),
            phased("3", "contract"),
            migration("4", Kind::Versioned, "4"),
        ]);
        let waits = |history: &History, contracts| {
            let pending = compare(&folder, history, None).pending;
            held(&folder, history, &pending, contracts, &Gate::Unknown).len()
        };
        let live = |sequence| Some(Live { sequence, contracts: Vec::new(), anyway: None });
        assert_eq!(waits(&History::default(), Contracts::Confirmed), 0, "nobody uses an empty database");
        let mut history = History { applied: vec![row("1", "1", 1, State::Applied)], ..History::default() };
        assert_eq!(waits(&history, Contracts::Confirmed), 1, "its expand is in the same run");
        history.applied.push(row("2", "2", 2, State::Applied));
        history.applied.push(row("4", "4", 3, State::Applied));
        assert_eq!(waits(&history, Contracts::Confirmed), 1);
        assert!(compare(&folder, &history, None).out_of_order.is_empty());
        history.confirmed = live(1);
        assert_eq!(waits(&history, Contracts::Confirmed), 1, "the release before is confirmed");
        assert_eq!(waits(&history, Contracts::Apply), 0);
        history.confirmed = live(2);
        assert_eq!(waits(&history, Contracts::Confirmed), 0);
        assert_eq!(waits(&history, Contracts::Hold), 1);

        let pending = compare(&folder, &history, None).pending;
        let seen = |history: &History, gate| held(&folder, history, &pending, Contracts::Confirmed, &gate);
        let back = || Gate::Closed("2 sessions of r1".to_owned());
        assert!(seen(&history, back())[0].why.contains("2 sessions of r1"));
        history.confirmed.as_mut().expect("it was set").anyway = Some("the queue drains".to_owned());
        assert!(seen(&history, back()).is_empty(), "a person has said that it is right");
        history.confirmed = None;
        assert!(seen(&history, Gate::Open).is_empty(), "its release is the only one that is connected");
        assert_eq!(seen(&history, Gate::Unknown).len(), 1);
    }

    #[test]
    fn a_contract_without_a_first_step_waits_for_a_release_that_has_it() {
        let folder = folder(vec![
            phased("1", "expand"),
            phased("2", "contract"),
            migration("3", Kind::Versioned, "3"),
            phased("4", "contract"),
        ]);
        let applied = ["1", "2", "3"].iter().zip(1..).map(|(one, at)| row(one, one, at, State::Applied));
        let mut history = History { applied: applied.collect(), ..History::default() };
        let pending = compare(&folder, &history, None).pending;
        let waits =
            |history: &History, gate| held(&folder, history, &pending, Contracts::Confirmed, &gate).len();
        history.confirmed = Some(Live { sequence: 3, contracts: Vec::new(), anyway: None });
        assert_eq!(waits(&history, Gate::Unknown), 1, "the release before it is live");
        assert_eq!(
            waits(&history, Gate::Open),
            1,
            "which of the connected releases does without is not known"
        );
        let contracts = vec![Version::new("4")];
        history.confirmed = Some(Live { sequence: 3, contracts, anyway: None });
        assert_eq!(waits(&history, Gate::Unknown), 0);
    }
}
