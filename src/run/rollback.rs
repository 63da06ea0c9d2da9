//! Which applied migrations a rollback takes back, and in which order. Pure.

use super::journal::{Applied, History};
use crate::source::Version;

/// How far a rollback goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RollbackTarget {
    /// The last so many migrations.
    Steps(usize),
    /// All that were applied after this version.
    To(Version),
    /// All that a run applied.
    Run(i64),
    /// Everything.
    All,
}

/// The applied migrations that a rollback takes back, last applied first; or why there are none such.
pub fn to_roll_back(history: &History, target: &RollbackTarget) -> Result<Vec<Applied>, String> {
    let mut applied: Vec<&Applied> = history.applied.iter().collect();
    applied.sort_by_key(|applied| std::cmp::Reverse(applied.sequence));
    let chosen: Vec<&Applied> = match target {
        RollbackTarget::Steps(steps) => {
            applied.into_iter().filter(|applied| applied.kind != "repeatable").take(*steps).collect()
        }
        RollbackTarget::All => applied,
        RollbackTarget::Run(run) => {
            let chosen: Vec<_> = applied.into_iter().filter(|applied| applied.run_id == *run).collect();
            if chosen.is_empty() {
                return Err(format!("no migration is applied by run {run}"));
            }
            chosen
        }
        RollbackTarget::To(version) => {
            let Some(last) = history.get(version) else {
                return Err(format!(
                    "migration {version} is not applied, so nothing can be rolled back to it"
                ));
            };
            applied.into_iter().filter(|applied| applied.sequence > last.sequence).collect()
        }
    };
    Ok(chosen.into_iter().cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::journal::State;
    use crate::run::pending::tests::row;

    #[test]
    fn a_rollback_goes_against_the_order_of_application() {
        let applied = vec![
            row("1", "1", 1, State::Applied),
            row("3", "3", 2, State::Applied),
            row("2", "2", 3, State::Applied),
        ];
        let history = History { applied, ..History::default() };
        let chosen = |target| -> Vec<String> {
            let chosen = to_roll_back(&history, &target).expect("something to roll back");
            chosen.iter().map(|applied| applied.version.to_string()).collect()
        };
        assert_eq!(chosen(RollbackTarget::Steps(2)), ["2", "3"]);
        assert_eq!(chosen(RollbackTarget::To(Version::new("1"))), ["2", "3"]);
        assert_eq!(chosen(RollbackTarget::Run(1)), ["2", "3"]);
        assert_eq!(chosen(RollbackTarget::All), ["2", "3", "1"]);
        assert!(to_roll_back(&history, &RollbackTarget::To(Version::new("9"))).is_err());
    }
}
