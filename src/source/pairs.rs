//! Formats with a file for each direction: which down belongs to which up.

use super::reading::{Direction, Reading};
use super::{SourceFile, SourceProblem};
use std::collections::{BTreeMap, BTreeSet};

/// A file that is one direction of a migration.
#[derive(Debug, Clone)]
pub(super) struct Half<'a> {
    /// The file.
    pub file: &'a SourceFile,
    /// The version as the file spells it.
    pub version: String,
    /// What its author called it.
    pub name: &'a str,
    /// Which direction it is.
    pub direction: Direction,
}

/// The files of one migration.
#[derive(Debug)]
pub(super) struct Pair<'a> {
    /// What brings the database forward.
    pub up: Half<'a>,
    /// What takes that back.
    pub down: Option<Half<'a>>,
}

/// Puts the two directions of each version together, in the order of the keys. Two files for one direction of one
/// version are a problem; a way back from nothing is never run, and so a warning.
pub(super) fn pairs<'a, K: Ord>(
    halves: impl IntoIterator<Item = (K, Half<'a>)>,
    tool: &str,
    reading: &mut Reading,
) -> Vec<Pair<'a>> {
    let mut found: BTreeMap<K, (Option<Half<'a>>, Option<Half<'a>>)> = BTreeMap::new();
    for (key, half) in halves {
        let (up, down) = found.entry(key).or_default();
        let place = match half.direction {
            Direction::Up => up,
            Direction::Down => down,
        };
        match place {
            Some(first) => same_version(first, &half, reading),
            None => *place = Some(half),
        }
    }
    let mut pairs = Vec::with_capacity(found.len());
    for (up, down) in found.into_values() {
        match (up, down) {
            (Some(up), down) => pairs.push(Pair { up, down }),
            (None, Some(down)) => {
                reading.skipped(
                    &down.file.path,
                    tool,
                    "finds no up file of its version",
                    "add one, or remove it",
                );
            }
            (None, None) => {}
        }
    }
    pairs
}

/// [`pairs`], for numbers that several migrations may share: those run in the order of their names, and their names
/// are part of their versions. That is a warning, with `why` at its end.
pub(super) fn pairs_with_shared_numbers<'a, N: Ord + Copy>(
    halves: Vec<(N, Half<'a>)>,
    tool: &str,
    why: &str,
    reading: &mut Reading,
) -> Vec<Pair<'a>> {
    let mut ups: BTreeMap<N, Vec<&Half<'a>>> = BTreeMap::new();
    for (number, half) in halves.iter().filter(|(_, half)| half.direction == Direction::Up) {
        ups.entry(*number).or_default().push(half);
    }
    ups.retain(|_, halves| halves.iter().any(|half| half.name != halves[0].name));
    for same in ups.values() {
        let paths: Vec<&str> = same.iter().map(|half| half.file.path.as_str()).collect();
        let what = format!("{} have one number, and run in the order of their names{why}", paths.join(", "));
        let warning = SourceProblem::new(paths[0], what).with_help("give each its own number");
        reading.warnings.push(warning);
    }
    let shared: BTreeSet<N> = ups.into_keys().collect();
    let keyed = halves.into_iter().map(|(number, mut half)| {
        if !shared.contains(&number) {
            return ((number, ""), half);
        }
        half.version = format!("{}_{}", half.version, half.name);
        ((number, half.name), half)
    });
    pairs(keyed.collect::<Vec<_>>(), tool, reading)
}

/// Notes that two files have one version.
pub(super) fn same_version(first: &Half<'_>, second: &Half<'_>, reading: &mut Reading) {
    let what = format!("has the same version as `{}`: {}", first.file.path, first.version);
    reading.problem(&second.file.path, what, "give one of them another version");
}
