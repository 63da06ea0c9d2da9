//! What is written to the journal of a history that another tool has kept, or why it cannot be. Pure.

use super::files::{AsKept, SeenBy};
use super::tool::{Entry, Told, Tool, Trouble, numbers};
use crate::run::journal::{Applied, History, State, StoredDown};
use crate::run::task::{label, stored_down};
use crate::source::{Checksum, Folder, Kind, Migration, Version};
use std::collections::{HashMap, HashSet};

/// What taking over comes to.
#[derive(Debug, Clone, Default)]
pub struct Adoption {
    /// Where it comes from: the tool, or `baseline`.
    pub from: String,
    /// Every migration of the files and of the history, in the order of the files.
    pub lines: Vec<Line>,
    /// What a person should know, one sentence each.
    pub notes: Vec<String>,
    /// What is written, in order of application.
    pub taken: Vec<Taken>,
}

/// One migration as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What becomes of it.
    pub fate: Fate,
    /// Version and name.
    pub label: String,
    /// What is said of it.
    pub note: String,
}

/// What becomes of a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is written to the journal as applied.
    Adopted,
    /// It is in the journal already.
    Known,
    /// It is applied and written to the journal, and there is no file of it.
    WithoutFile,
    /// The next `migrate` runs it.
    Pending,
    /// It is not run here: a baseline, on a database that has what it makes.
    NotRun,
}

impl Fate {
    /// The word in the table.
    pub const fn word(self) -> &'static str {
        match self {
            Fate::Adopted => "adopted",
            Fate::Known => "known",
            Fate::WithoutFile => "no file",
            Fate::Pending => "pending",
            Fate::NotRun => "not run",
        }
    }
}

/// What is written of a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its version.
    pub version: Version,
    /// Its name.
    pub name: String,
    /// What it is run for.
    pub kind: Kind,
    /// Checksum of its file; empty where there is none, or where it shall be run again.
    pub checksum: Checksum,
    /// What takes it back.
    pub down: Option<StoredDown>,
}

/// Files that may differ from what the tool has applied.
#[derive(Debug, Clone, Default)]
pub struct Accepted {
    /// All of them.
    pub all: bool,
    /// These versions.
    pub versions: Vec<Version>,
}

/// An applied migration whose file is another one now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Its version.
    pub version: Version,
    /// The file.
    pub path: String,
    /// The tool's checksum.
    pub recorded: String,
}

/// Why a history is not taken over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The tool has left something unsettled.
    #[error("{tool} has left its history unsettled")]
    Unsettled {
        /// The tool.
        tool: &'static str,
        /// What.
        troubles: Vec<Trouble>,
    },
    /// There are no files at all, and the tool had some.
    #[error("{tool} has migrated this database, and the migrations folder holds no migration")]
    NoFiles {
        /// The tool.
        tool: &'static str,
    },
    /// Files are not what was applied.
    #[error("{} of what {tool} has applied {} edited since", files(changed.len()), if changed.len() == 1 { "was" } else { "were" })]
    Changed {
        /// The tool.
        tool: &'static str,
        /// Which.
        changed: Vec<Changed>,
    },
    /// Nothing of the history is among the files.
    #[error("none of the {count} versions in the history of {tool} is among the files")]
    Strangers {
        /// The tool.
        tool: &'static str,
        /// How many versions it has.
        count: usize,
        /// The last of them.
        last: String,
    },
    /// The history names only its newest version, and there is no file of that.
    #[error("{tool} stands at {version}, and there is no file of that version")]
    NewestMissing {
        /// The tool.
        tool: &'static str,
        /// The version.
        version: String,
    },
    /// The tool has taken back what the journal has as applied.
    #[error("{tool} has taken back what is applied here: {}", .versions.join(", "))]
    TakenBack {
        /// The tool.
        tool: &'static str,
        /// Which.
        versions: Vec<String>,
    },
}

fn files(count: usize) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
}

/// What is written of what `tool` has told, beside what is `known` already.
pub fn plan(
    tool: &'static dyn Tool,
    told: &Told,
    folder: &Folder,
    seen: &SeenBy,
    accepted: &Accepted,
    known: &History,
) -> Result<Adoption, PlanError> {
    if !told.troubles.is_empty() {
        return Err(PlanError::Unsettled { tool: tool.id(), troubles: told.troubles.clone() });
    }
    if folder.migrations.is_empty() && tool.format().is_some() && !told.is_empty() {
        return Err(PlanError::NoFiles { tool: tool.id() });
    }
    let matching = Matching { tool, told, folder, seen };
    let entries = matching.entries()?;
    matching.are_no_strangers(&entries)?;
    matching.are_still_there(&entries, known)?;
    matching.are_unchanged(&entries, accepted)?;
    Ok(matching.adoption(entries, known))
}

/// What is written where all files up to `last` are there, whatever applied them; nothing where it is `None`.
pub fn baseline(folder: &Folder, last: Option<&Version>) -> Adoption {
    let last = last.and_then(|last| folder.migrations.iter().position(|one| one.version == *last));
    let mut adoption = Adoption { from: "baseline".to_owned(), ..Adoption::default() };
    for (position, migration) in folder.migrations.iter().enumerate() {
        let is_there = last.is_some_and(|last| position <= last) && migration.kind != Kind::Repeatable;
        let fate = if is_there { Fate::Adopted } else { Fate::Pending };
        adoption.lines.push(Line { fate, label: shown(migration), note: String::new() });
        if is_there {
            adoption.taken.push(taken(migration));
        }
    }
    adoption
}

/// A history beside a folder.
struct Matching<'a> {
    tool: &'static dyn Tool,
    told: &'a Told,
    folder: &'a Folder,
    seen: &'a SeenBy,
}

/// An applied migration, with its place among the files.
struct Matched {
    entry: Entry,
    position: Option<usize>,
    covered: bool,
}

impl Matching<'_> {
    fn migrations(&self) -> impl Iterator<Item = (usize, &Migration)> {
        self.folder.migrations.iter().enumerate()
    }

    fn kept(&self, migration: &Migration) -> Option<&AsKept> {
        self.seen.kept.get(migration.version.as_str())
    }

    fn key(&self, migration: &Migration) -> String {
        self.kept(migration).map_or_else(|| self.tool.key(migration), |kept| kept.key.clone())
    }

    /// What is applied, in order of application.
    fn entries(&self) -> Result<Vec<Matched>, PlanError> {
        let mut places: HashMap<(bool, String), usize> = HashMap::new();
        for (position, migration) in self.migrations() {
            let is_baseline = migration.kind == Kind::Baseline;
            places.insert((is_baseline, self.tool.canonical(&self.key(migration))), position);
        }
        let place = |entry: &Entry| {
            let key = self.tool.canonical(&entry.key);
            places.get(&(entry.kind == Kind::Baseline, key.clone())).or_else(|| places.get(&(false, key)))
        };
        let mut matched: Vec<Matched> = Vec::new();
        for entry in &self.told.entries {
            let position = place(entry).copied().or_else(|| self.by_number(entry));
            matched.push(Matched { entry: entry.clone(), position, covered: false });
        }
        if let Some(newest) = &self.told.newest {
            let last = place(&Entry::of(newest)).copied().or_else(|| self.by_name(newest));
            if last.is_none() && !self.folder.migrations.is_empty() {
                return Err(self.without_newest(newest));
            }
            let is_there = |at: usize, one: &Migration| {
                one.kind == Kind::Versioned && last.is_some_and(|last| at <= last)
            };
            let up_to = self.migrations().filter(|(at, one)| is_there(*at, one));
            matched.extend(up_to.map(|(at, one)| self.covered(at, one)));
        }
        if let Some(to) = &self.told.covered_up_to {
            let taken: HashSet<usize> = matched.iter().filter_map(|one| one.position).collect();
            let below = self.migrations().filter(|(position, one)| {
                one.kind == Kind::Versioned
                    && !taken.contains(position)
                    && self.tool.is_covered(&self.key(one), to)
            });
            let below: Vec<Matched> = below.map(|(position, one)| self.covered(position, one)).collect();
            matched.splice(0..0, below);
        }
        if !self.tool.keeps_order() {
            let number = |one: &Matched| numbers(&one.entry.key);
            matched.sort_by(|one, two| match (one.position, two.position) {
                (Some(one), Some(two)) => one.cmp(&two),
                _ => number(one).cmp(&number(two)),
            });
        }
        Ok(matched)
    }

    fn covered(&self, position: usize, migration: &Migration) -> Matched {
        Matched { entry: Entry::of(self.key(migration)), position: Some(position), covered: true }
    }

    /// The only file with the number of `entry`, where the files are in another format by now.
    fn by_number(&self, entry: &Entry) -> Option<usize> {
        if self.seen.own_format || self.tool.format().is_none() {
            return None;
        }
        let number = |text: &str| {
            let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            text[..end].trim_start_matches('0').to_owned()
        };
        let wanted = number(&entry.key);
        let mut found = self.migrations().filter(|(_, one)| number(one.version.as_str()) == wanted);
        let first = found.next().filter(|_| found.next().is_none());
        first.filter(|_| !wanted.is_empty()).map(|(position, _)| position)
    }

    /// The only file that is named after a revision (Alembic).
    fn by_name(&self, revision: &str) -> Option<usize> {
        let is_named =
            |one: &Migration| one.name.split(['_', '-', ' ']).any(|word| word.eq_ignore_ascii_case(revision));
        let mut found = self.migrations().filter(|(_, one)| is_named(one));
        found.next().filter(|_| found.next().is_none()).map(|(position, _)| position)
    }

    fn without_newest(&self, newest: &str) -> PlanError {
        PlanError::NewestMissing { tool: self.tool.id(), version: newest.to_owned() }
    }

    /// A history and a folder that have nothing in common are of two projects, unless all files are newer.
    fn are_no_strangers(&self, entries: &[Matched]) -> Result<(), PlanError> {
        let versioned = || entries.iter().filter(|one| one.entry.kind == Kind::Versioned);
        let last = versioned().map(|one| &one.entry.key).max_by_key(|key| numbers(key));
        let Some(last) = last else { return Ok(()) };
        let is_newer =
            |one: &Migration| one.kind != Kind::Versioned || numbers(&self.key(one)) > numbers(last);
        if entries.iter().any(|one| one.position.is_some()) || self.folder.migrations.iter().all(is_newer) {
            return Ok(());
        }
        Err(PlanError::Strangers { tool: self.tool.id(), count: versioned().count(), last: last.clone() })
    }

    fn are_still_there(&self, entries: &[Matched], known: &History) -> Result<(), PlanError> {
        let canonical = |version: &Version| self.tool.canonical(version.as_str());
        let told: HashSet<String> = entries.iter().map(|one| canonical(&self.version(one))).collect();
        let in_step = known.adopted.as_ref().is_some_and(|from| from.mirror);
        let gone = |row: &&Applied| {
            let was_there = in_step || row.adopted_from.as_deref() == Some(self.tool.id());
            was_there && row.state == State::Applied && !told.contains(&canonical(&row.version))
        };
        let gone: Vec<String> =
            known.applied.iter().filter(gone).map(|row| label(&row.version, &row.name)).collect();
        if gone.is_empty() {
            Ok(())
        } else {
            Err(PlanError::TakenBack { tool: self.tool.id(), versions: gone })
        }
    }

    fn are_unchanged(&self, entries: &[Matched], accepted: &Accepted) -> Result<(), PlanError> {
        let mut changed = Vec::new();
        for (migration, entry) in entries.iter().filter_map(|one| Some((self.file(one)?, &one.entry))) {
            let is_accepted = accepted.all || accepted.versions.contains(&migration.version);
            if migration.kind != Kind::Repeatable
                && !is_accepted
                && self.verdict(migration, entry) == Verdict::Differs
            {
                changed.push(Changed {
                    version: migration.version.clone(),
                    path: migration.up.path.clone(),
                    recorded: entry.checksum.clone().unwrap_or_default(),
                });
            }
        }
        if changed.is_empty() { Ok(()) } else { Err(PlanError::Changed { tool: self.tool.id(), changed }) }
    }

    fn file(&self, one: &Matched) -> Option<&Migration> {
        one.position.map(|position| &self.folder.migrations[position])
    }

    fn verdict(&self, migration: &Migration, entry: &Entry) -> Verdict {
        let Some(recorded) = entry.checksum.as_deref() else { return Verdict::NotKept };
        match self.kept(migration).map(|kept| kept.checksums.as_slice()) {
            None | Some([]) => Verdict::NotComparable,
            Some([first, ..]) if first.is(recorded) => Verdict::Same,
            Some(all) if all.iter().any(|checksum| checksum.is(recorded)) => Verdict::SameButLineEnds,
            Some(_) => Verdict::Differs,
        }
    }

    /// The version as the files spell it, or would.
    fn version(&self, one: &Matched) -> Version {
        let Some(migration) = self.file(one) else {
            let key = &self.tool.version_of(&one.entry.key);
            let mut widths = self.folder.migrations.iter().filter(|one| one.kind == Kind::Versioned);
            let width = widths.next().map_or(0, |first| first.version.as_str().len());
            let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            let same =
                widths.all(|one| one.version.as_str().len() == width && all_digits(one.version.as_str()));
            return Version::new(if same && all_digits(key) {
                format!("{key:0>width$}")
            } else {
                key.clone()
            });
        };
        migration.version.clone()
    }

    fn adoption(&self, entries: Vec<Matched>, known: &History) -> Adoption {
        let mut adoption = Adoption {
            from: self.tool.id().to_owned(),
            notes: self.told.notes.clone(),
            ..Adoption::default()
        };
        let last = entries.iter().filter_map(|one| one.position).max();
        let mut late = Vec::new();
        for (position, migration) in self.migrations() {
            let matched = entries.iter().find(|one| one.position == Some(position));
            let is_late = last.is_some_and(|last| position < last);
            let (fate, note) = match matched {
                _ if known.get(&migration.version).is_some() => (Fate::Known, String::new()),
                Some(one) => (Fate::Adopted, self.note(migration, one)),
                None if migration.kind == Kind::Baseline && !entries.is_empty() => {
                    (Fate::NotRun, "a baseline is for empty databases".to_owned())
                }
                None if is_late && migration.kind == Kind::Versioned => {
                    late.push(shown(migration));
                    (Fate::Pending, format!("never applied by {}, though later ones are", self.tool.id()))
                }
                None => (Fate::Pending, String::new()),
            };
            adoption.lines.push(Line { fate, label: shown(migration), note });
        }
        for one in &entries {
            let version = self.version(one);
            if known.get(&version).is_some() {
                continue;
            }
            match self.file(one) {
                Some(migration) => adoption.taken.push(self.taken(migration, &one.entry)),
                None => {
                    let label = label(&version, &one.entry.name);
                    let note = format!("applied by {}", self.tool.id());
                    adoption.lines.push(Line { fate: Fate::WithoutFile, label, note });
                    adoption.taken.push(without_file(version, &one.entry));
                }
            }
        }
        if !late.is_empty() {
            adoption.notes.push(format!(
                "{} never applied, and the next `twostep migrate` applies: {} (`out_of_order` says whether)",
                self.tool.id(),
                late.join(", ")
            ));
        }
        adoption
    }

    fn note(&self, migration: &Migration, one: &Matched) -> String {
        if one.covered {
            return match (&self.told.newest, &self.told.covered_up_to) {
                (Some(newest), _) => format!("{} stands at {newest}", self.tool.id()),
                (None, Some(to)) => format!("below the baseline {to}"),
                (None, None) => String::new(),
            };
        }
        let note = match self.verdict(migration, &one.entry) {
            Verdict::Same => "checksum matches",
            Verdict::SameButLineEnds => "checksum matches but for line ends",
            Verdict::NotKept => "",
            Verdict::NotComparable => "its checksum cannot be compared: the files are in another format",
            Verdict::Differs if migration.kind == Kind::Repeatable => "edited since, so that it runs again",
            Verdict::Differs => "edited since, and accepted",
        };
        note.to_owned()
    }

    fn taken(&self, migration: &Migration, entry: &Entry) -> Taken {
        let mut taken = taken(migration);
        let runs_again =
            migration.kind == Kind::Repeatable && self.verdict(migration, entry) != Verdict::Same;
        if runs_again {
            taken.checksum = Checksum::stored("");
        }
        taken
    }
}

/// What the checksums say of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Same,
    SameButLineEnds,
    NotKept,
    NotComparable,
    Differs,
}

fn shown(migration: &Migration) -> String {
    label(&migration.version, &migration.name)
}

fn taken(migration: &Migration) -> Taken {
    Taken {
        version: migration.version.clone(),
        name: migration.name.clone(),
        kind: migration.kind,
        checksum: migration.up.checksum.clone(),
        down: migration.down.as_ref().and_then(stored_down),
    }
}

fn without_file(version: Version, entry: &Entry) -> Taken {
    let down = entry.down.as_ref().and_then(|statements| {
        let sql = serde_json::to_string(statements).ok()?;
        Some(StoredDown { sql, separated: true, transaction: false })
    });
    Taken { version, name: entry.name.clone(), kind: entry.kind, checksum: Checksum::stored(""), down }
}
