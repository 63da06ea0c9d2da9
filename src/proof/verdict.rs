//! What a proof has found.

use std::time::Duration;

/// One of the four things that a deploy has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Point {
    /// At its end there is what the plain migration makes: catalog and rows.
    Same,
    /// Old code works until the contract, new code from the end of the backfill on, and neither loses what it writes.
    Works,
    /// Each stage can be taken back, and applied again.
    Back,
    /// No statement keeps reads or writes waiting for longer than a change of the catalog takes.
    Locks,
}

impl Point {
    /// All of them.
    pub const ALL: [Point; 4] = [Point::Same, Point::Works, Point::Back, Point::Locks];

    /// Its name in reports for programs.
    pub const fn id(self) -> &'static str {
        match self {
            Point::Same => "same",
            Point::Works => "works",
            Point::Back => "back",
            Point::Locks => "locks",
        }
    }

    /// Its name in prose.
    pub const fn title(self) -> &'static str {
        match self {
            Point::Same => "it ends as the plain migration does",
            Point::Works => "old and new code work in between",
            Point::Back => "each step can be taken back",
            Point::Locks => "nothing blocks for longer than a moment",
        }
    }
}

/// What came of something that was claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Holds,
    /// It does not: lines that say why, and a diff where there is one.
    Fails {
        /// Why.
        why: Vec<String>,
        /// Both sides.
        diff: String,
    },
    /// It could not be asked, and why.
    NotAsked(String),
}

/// Something that was claimed, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What it belongs to.
    pub point: Point,
    /// What is claimed, one line.
    pub claim: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of one deploy.
#[derive(Debug, Clone, Default)]
pub struct Proof {
    /// Its name.
    pub label: String,
    /// Its migrations in order.
    pub files: Vec<String>,
    /// What was claimed, in the order of the points.
    pub checks: Vec<Check>,
    /// What has to be known beside that.
    pub notes: Vec<String>,
    /// How long it took.
    pub duration: Duration,
}

impl Proof {
    /// The checks of a point.
    pub fn of(&self, point: Point) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(move |check| check.point == point)
    }

    /// How many of its claims do not hold.
    pub fn failures(&self) -> usize {
        self.checks.iter().filter(|check| matches!(check.outcome, Outcome::Fails { .. })).count()
    }
}

/// What came of several deploys.
#[derive(Debug, Clone, Default)]
pub struct Proofs {
    /// Product and version of the server.
    pub server: String,
    /// Where the scratch databases were.
    pub place: String,
    /// One for each deploy.
    pub proofs: Vec<Proof>,
    /// How long all of it took.
    pub duration: Duration,
}

impl Proofs {
    /// How many claims do not hold.
    pub fn failures(&self) -> usize {
        self.proofs.iter().map(Proof::failures).sum()
    }
}
