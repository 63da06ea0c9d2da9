//! What a journal says: its rows as they are read.

use super::cursor::Cursor;
use crate::db::session::Backend;
use crate::run::activity::Activity;
use crate::schema::breaks::BreaksOlder;
use crate::source::{Checksum, Version};

/// The state of a migration in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is applied.
    Applied,
    /// It is being applied, statement by statement, or its run has stopped.
    Applying,
    /// It is being taken back, statement by statement, or its run has stopped.
    Reverting,
}

impl State {
    /// The word in the table.
    pub const fn id(self) -> &'static str {
        match self {
            State::Applied => "applied",
            State::Applying => "applying",
            State::Reverting => "reverting",
        }
    }
}

/// One migration in the journal.
#[derive(Debug, Clone)]
pub struct Applied {
    /// Its version.
    pub version: Version,
    /// Its name.
    pub name: String,
    /// `versioned`, `repeatable` or `baseline`.
    pub kind: String,
    /// Whether it is applied, or on its way.
    pub state: State,
    /// Checksum of what was run; empty where it was taken over and there is no file of it.
    pub checksum: Checksum,
    /// Whether it breaks older code.
    pub breaks_older: BreaksOlder,
    /// Its place in the order of application.
    pub sequence: i64,
    /// The run that applied it.
    pub run_id: i64,
    /// When it was applied: UTC, ISO 8601.
    pub applied_at: String,
    /// How long its statements took, in milliseconds.
    pub duration_ms: i64,
    /// The release that applied it.
    pub release: Option<String>,
    /// Who applied it: role and host.
    pub applied_by: String,
    /// Whether the journal holds SQL that takes it back.
    pub has_down: bool,
    /// The tool whose history it was taken over from.
    pub adopted_from: Option<String>,
}

impl Applied {
    /// Whether it was taken over from another tool, and there was no file of it.
    pub fn had_no_file(&self) -> bool {
        self.adopted_from.is_some() && self.checksum.as_str().is_empty()
    }
}

/// A statement of a migration that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementRow {
    /// The migration.
    pub version: Version,
    /// Its number among the migration's statements, from 0.
    pub ordinal: usize,
    /// Whether its outcome is recorded; without, it was about to be run.
    pub done: bool,
    /// Checksum of its text.
    pub checksum: String,
    /// Whether what it committed itself, if it did, has committed the mark as well (`Journal::mark_sql`).
    pub marked: bool,
    /// What was true before it ran, so that its outcome can be told from the catalog; once it is done, the values of
    /// the user's variables behind it. Of one that runs in parts, its cursor, also while a part is in doubt.
    pub before: Option<String>,
    /// The backend that was about to run it.
    pub backend: Backend,
    /// Whether it runs in parts, of which those up to the cursor in `before` are done.
    pub in_parts: bool,
}

impl StatementRow {
    /// Whether nobody has written what came of it: it was about to be run, or the next part of it was.
    pub fn is_in_doubt(&self) -> bool {
        !self.done && !self.in_parts
    }

    /// How far it has come, if it runs in parts.
    pub fn cursor(&self) -> Option<Cursor> {
        self.before.as_deref().filter(|_| !self.done).and_then(Cursor::from_text)
    }
}

/// A run that has not said how it ended.
#[derive(Debug, Clone)]
pub struct OpenRun {
    /// Its number.
    pub id: i64,
    /// `migrate` or `rollback`.
    pub command: String,
    /// Who runs it: role and host.
    pub by: String,
    /// Its backend.
    pub backend: Backend,
    /// Seconds since its last sign of life, by the server's clock.
    pub silent_s: i64,
    /// When it began: UTC, ISO 8601.
    pub started_at: String,
    /// What it does now, as it has written it last.
    pub activity: Option<Activity>,
}

/// All that a journal says.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Whether there is a journal at all.
    pub exists: bool,
    /// The oldest format that may write it.
    pub oldest_writer: i64,
    /// Migrations, in order of application.
    pub applied: Vec<Applied>,
    /// Statements of migrations that are under way, by number.
    pub statements: Vec<StatementRow>,
    /// The last run that has not said how it ended.
    pub open_run: Option<OpenRun>,
    /// All runs that have not said how they ended; those before the last one may be backfills.
    pub open_runs: Vec<OpenRun>,
    /// The highest run number so far.
    pub last_run_id: i64,
    /// What was confirmed last.
    pub confirmed: Option<Live>,
    /// Who has confirmed it.
    pub confirmed_by: Option<Confirmed>,
    /// Where the database was taken over from, if it was.
    pub adopted: Option<AdoptedFrom>,
}

impl History {
    /// The row of `version`.
    pub fn get(&self, version: &Version) -> Option<&Applied> {
        self.applied.iter().find(|applied| applied.version == *version)
    }

    /// The place that the next migration takes in the order of application.
    pub fn next_sequence(&self) -> i64 {
        self.applied.iter().map(|applied| applied.sequence).max().unwrap_or(0) + 1
    }
}

/// What a release has that is confirmed to be live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// The place in the order of application of the last of its migrations that is applied.
    pub sequence: i64,
    /// The contracts among its files that were not applied: it does without what they take away.
    pub contracts: Vec<Version>,
    /// Why it was said although older code may be seen; empty where an older twostep has kept no reason.
    pub anyway: Option<String>,
}

/// Who has confirmed a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    /// The release.
    pub release: String,
    /// Who: role and host.
    pub by: String,
    /// When: UTC, ISO 8601.
    pub at: String,
}

impl Live {
    /// As the run's row keeps it.
    pub(super) fn to_text(&self) -> String {
        let contracts: Vec<&str> = self.contracts.iter().map(Version::as_str).collect();
        serde_json::json!({
            "sequence": self.sequence,
            "contracts": contracts,
            "anyway": self.anyway.is_some(),
            "reason": self.anyway,
        })
        .to_string()
    }

    pub(super) fn from_text(text: &str) -> Option<Self> {
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        // At first only the place was written.
        let sequence = value.as_i64().or_else(|| value.get("sequence")?.as_i64())?;
        let contracts = value.get("contracts").and_then(|all| all.as_array()).into_iter().flatten();
        let anyway = value.get("anyway").and_then(serde_json::Value::as_bool).unwrap_or(false);
        let reason = value.get("reason").and_then(|reason| reason.as_str()).unwrap_or("");
        Some(Self {
            sequence,
            contracts: contracts.filter_map(|one| Some(Version::new(one.as_str()?))).collect(),
            anyway: anyway.then(|| reason.to_owned()),
        })
    }
}

/// Where a database was taken over from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdoptedFrom {
    /// The tool; `baseline` where a person has said what is there.
    pub tool: String,
    /// Its table, as it is shown; empty where there is none.
    pub table: String,
    /// Whether that table is to be kept in step.
    pub mirror: bool,
}

impl AdoptedFrom {
    /// As the run's row keeps it.
    pub fn to_text(&self) -> String {
        serde_json::json!({ "from": self.tool, "table": self.table, "mirror": self.mirror }).to_string()
    }

    pub(super) fn from_text(text: &str) -> Option<Self> {
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        let field = |name: &str| value.get(name)?.as_str().map(str::to_owned);
        let mirror = value.get("mirror")?.as_bool()?;
        Some(Self { tool: field("from")?, table: field("table")?, mirror })
    }
}
