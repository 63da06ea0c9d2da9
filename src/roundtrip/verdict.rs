//! What a round trip has found.

use crate::schema::catalog::diff::CatalogDiff;
use crate::source::Version;
use std::time::Duration;

/// What is to be said of one migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// The down undoes the up, and the up then makes the same again.
    Exact,
    /// The same but for the order of columns.
    ColumnOrder,
    /// Something is missing after the down, or left.
    NotReversed,
    /// The down runs, and changes nothing of what the up did.
    DownDoesNothing,
    /// The down is refused.
    DownFails,
    /// The down restores the schema, but rows that were there before the up are not as they were.
    LosesRows,
    /// After the down, the up is refused.
    SecondUpFails,
    /// After the down, the up makes something else than the first time.
    SecondUpDiffers,
    /// There is no down, or an empty one.
    NoDown,
    /// There is no down, and the migration says why.
    Irreversible,
    /// The up is refused, so that there is nothing to undo.
    UpFails,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Verdict; 11] = [
        Verdict::Exact,
        Verdict::ColumnOrder,
        Verdict::NotReversed,
        Verdict::DownDoesNothing,
        Verdict::DownFails,
        Verdict::LosesRows,
        Verdict::SecondUpFails,
        Verdict::SecondUpDiffers,
        Verdict::NoDown,
        Verdict::Irreversible,
        Verdict::UpFails,
    ];

    /// Its name in settings, arguments and reports.
    pub const fn id(self) -> &'static str {
        match self {
            Verdict::Exact => "exact",
            Verdict::ColumnOrder => "column-order",
            Verdict::NotReversed => "not-reversed",
            Verdict::DownDoesNothing => "down-does-nothing",
            Verdict::DownFails => "down-fails",
            Verdict::LosesRows => "loses-rows",
            Verdict::SecondUpFails => "second-up-fails",
            Verdict::SecondUpDiffers => "second-up-differs",
            Verdict::NoDown => "no-down",
            Verdict::Irreversible => "irreversible",
            Verdict::UpFails => "up-fails",
        }
    }

    /// The same in prose.
    pub const fn title(self) -> &'static str {
        match self {
            Verdict::Exact => "exact",
            Verdict::ColumnOrder => "column order only",
            Verdict::NotReversed => "not reversed",
            Verdict::DownDoesNothing => "down does nothing",
            Verdict::DownFails => "down fails",
            Verdict::LosesRows => "loses rows",
            Verdict::SecondUpFails => "second up fails",
            Verdict::SecondUpDiffers => "second up differs",
            Verdict::NoDown => "no down",
            Verdict::Irreversible => "irreversible",
            Verdict::UpFails => "up fails",
        }
    }

    /// Whether the round trip does not close, so that it is a failure where nothing allows it. No code depends on the
    /// order of columns unless it asks for it, and what is declared irreversible is known.
    pub const fn is_failure(self) -> bool {
        match self {
            Verdict::Exact | Verdict::ColumnOrder | Verdict::Irreversible => false,
            Verdict::NotReversed
            | Verdict::DownDoesNothing
            | Verdict::DownFails
            | Verdict::LosesRows
            | Verdict::SecondUpFails
            | Verdict::SecondUpDiffers
            | Verdict::NoDown
            | Verdict::UpFails => true,
        }
    }
}

/// What the second up came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondUp {
    /// It makes the same.
    Same,
    /// It makes the same but for the order of columns.
    ColumnOrder,
    /// It makes something else.
    Differs,
    /// It is refused.
    Fails,
}

impl SecondUp {
    /// Its name in reports.
    pub const fn id(self) -> &'static str {
        match self {
            SecondUp::Same => "same",
            SecondUp::ColumnOrder => "column-order",
            SecondUp::Differs => "differs",
            SecondUp::Fails => "fails",
        }
    }
}

/// One migration, judged.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// Its version.
    pub version: Version,
    /// Version and name.
    pub label: String,
    /// The file to look at: the down's, where there is one.
    pub path: String,
    /// What is to be said of it.
    pub verdict: Verdict,
    /// What is to be said of its down and the schema alone; none where it was not run.
    pub down: Option<Verdict>,
    /// What the second up came to; none where it was not run.
    pub second_up: Option<SecondUp>,
    /// What was there before the up and is not after the down.
    pub missing: Vec<String>,
    /// What is there after the down and was not before the up.
    pub left: Vec<String>,
    /// The same as a unified diff, or that of the second up with the first.
    pub diff: String,
    /// What happened to rows, a line each.
    pub rows: Vec<String>,
    /// The server's words, or why something could not be judged.
    pub notes: Vec<String>,
    /// Why this is known and no failure.
    pub allowed: Option<String>,
    /// How long it took.
    pub duration: Duration,
}

impl Judgement {
    /// Whether it makes the run fail.
    pub fn is_failure(&self) -> bool {
        self.verdict.is_failure() && self.allowed.is_none()
    }

    /// Takes over what is missing and left from a comparison.
    pub(super) fn set_difference(&mut self, found: &CatalogDiff, before: &str, after: &str) {
        self.missing = found.missing();
        self.left = found.extra();
        self.diff = found.unified(before, after, 3);
    }
}

/// The whole chain, judged.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    /// Migrations that were taken back, of those that have a down in an unbroken row up to the last one.
    pub taken_back: usize,
    /// How many those are.
    pub of: usize,
    /// The migration behind which it begins, because that one has no down or is not new; none for the empty database.
    pub behind: Option<String>,
    /// What does not close, a sentence each.
    pub problems: Vec<String>,
    /// The differences as unified diffs.
    pub diff: String,
    /// What was not judged, a sentence each.
    pub notes: Vec<String>,
    /// Why it is known that it does not close.
    pub allowed: Option<String>,
}

impl Chain {
    /// Whether it makes the run fail.
    pub fn is_failure(&self) -> bool {
        !self.problems.is_empty() && self.allowed.is_none()
    }
}

/// What a whole run has found.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// The server's product and version.
    pub server: String,
    /// Where the scratch database was, in a few words.
    pub place: String,
    /// Migrations that were applied without being judged (`--since`).
    pub earlier: usize,
    /// The judged migrations, in order.
    pub migrations: Vec<Judgement>,
    /// The chain; none where it was not asked for.
    pub chain: Option<Chain>,
    /// What the seeds came to, a sentence for each problem.
    pub seeds: Vec<String>,
    /// What is missing on the scratch server, a sentence each, and what provides it.
    pub prerequisites: Vec<String>,
    /// What else is to be said of the run.
    pub notes: Vec<String>,
    /// How long it took, with the start of the server.
    pub duration: Duration,
}

impl Findings {
    /// How many migrations have `verdict`.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.migrations.iter().filter(|judged| judged.verdict == verdict).count()
    }

    /// How many things fail: migrations, the chain, the seeds.
    pub fn failures(&self) -> usize {
        let migrations = self.migrations.iter().filter(|judged| judged.is_failure()).count();
        let chain = usize::from(self.chain.as_ref().is_some_and(Chain::is_failure));
        migrations + chain + self.seeds.len()
    }
}
