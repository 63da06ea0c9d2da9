//! The whole of a round trip, from an empty scratch database to its findings.

use super::allow::{self, Allowance};
use super::apply::ApplyError;
use super::bench::{Bench, Down, Ready, is_empty};
use super::chain::{self, Floor};
use super::judge::Judge;
use super::prerequisite::Prerequisite;
use super::verdict::{Findings, Verdict};
use crate::db::error::DbError;
use crate::db::scratch::{Place, ScratchError};
use crate::db::session::ConnectOptions;
use crate::dialect::Dialect;
use crate::run::journal::History;
use crate::run::pending;
use crate::run::script::{self, Prepared, ScriptOptions, ScriptProblem};
use crate::run::task::{self, Direction};
use crate::schema::catalog::Catalog;
use crate::source::{Body, Checksum, Folder, Kind, Migration, Script};
use crate::text::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How a round trip is made.
#[derive(Debug, Clone)]
pub struct Options {
    /// How connections are opened.
    pub connect: ConnectOptions,
    /// The migrations folder, where programs and large files are.
    pub folder: PathBuf,
    /// The name of the journal, which is left out of catalogs.
    pub journal: String,
    /// What is there before the first migration: path and text.
    pub prelude: Option<(String, String)>,
    /// What fills the database at the last version.
    pub seeds: Seeds,
    /// Versions that are new; all are judged where it is none.
    pub only: Option<BTreeSet<String>>,
    /// What is known not to close.
    pub allowances: Vec<Allowance>,
    /// Whether there is a row in every table before each up and each down.
    pub with_rows: bool,
    /// Whether the whole chain is judged.
    pub chain: bool,
}

/// What fills a database.
#[derive(Debug, Clone, Default)]
pub struct Seeds {
    /// Seed files, ready to be run.
    pub files: Vec<Prepared>,
    /// A command for the shell, which finds the database in `DATABASE_URL`.
    pub command: Option<String>,
    /// They may make a difference when they are run a second time.
    pub once: bool,
}

impl Seeds {
    /// Whether there is nothing to fill it with.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.command.is_none()
    }
}

/// Why there are no findings.
#[derive(Debug, thiserror::Error)]
pub enum RoundtripError {
    /// There is no scratch database.
    #[error(transparent)]
    Scratch(#[from] ScratchError),
    /// The scratch database does not answer as it should.
    #[error("the scratch database cannot be worked with: {0}")]
    Database(#[source] DbError),
    /// The engine cannot copy databases after all.
    #[error("the scratch database cannot be copied")]
    NoCopy,
    /// What is to be there before the first migration cannot be made.
    #[error("the prelude cannot be run: {0}")]
    Prelude(#[source] ApplyError),
    /// A migration that is to be applied is refused.
    #[error("{migration} is refused: {why}")]
    UpFails {
        /// The migration.
        migration: String,
        /// Why.
        why: String,
    },
    /// What went through once does not a second time, so that no database can be made anew.
    #[error("{migration} was applied once and is refused the second time: {error}")]
    NotRepeatable {
        /// The migration.
        migration: String,
        /// Why.
        #[source]
        error: ApplyError,
    },
}

/// A script that stands by itself: a seed file or the prelude.
pub fn own_script(path: &str, text: &str, dialect: Dialect) -> Result<Prepared, Vec<ScriptProblem>> {
    let file: Arc<str> = text.into();
    let script = Script {
        path: path.to_owned(),
        checksum: Checksum::of(&file),
        body: Body::Sql { span: Span::new(0, file.len()), file },
        transaction: true,
        directives: Vec::new(),
    };
    script::prepare(&script, ScriptOptions { dialect, native: false })
}

/// Makes the round trip of `folder` on databases of `place`, which was asked for when it `started`.
pub async fn run(
    place: &mut Place,
    folder: &Folder,
    options: &Options,
    started: Instant,
) -> Result<Findings, RoundtripError> {
    let dialect = place.dialect();
    let migrations = ready(folder, dialect);
    let prelude = prelude(options, dialect)?;
    let mut findings = Findings { place: place.title(), ..Findings::default() };
    let bench = Bench::new(place, options, prelude);
    let mut judge = Judge::new(bench, &migrations).await?;
    findings.server = judge.server().await?;
    let mut floor = Floor { catalog: judge.catalog.clone(), ..Floor::default() };
    let mut refused: BTreeMap<Prerequisite, Vec<String>> = BTreeMap::new();
    let is_new =
        |ready: &Ready<'_>| options.only.as_ref().is_none_or(|only| only.contains(ready.version().as_str()));
    let first = migrations.iter().position(is_new).unwrap_or(migrations.len());
    for (position, ready) in migrations.iter().enumerate().take(first) {
        if let Some(why) = judge.apply(position).await? {
            findings.notes.push(format!("{} is refused, and left out: {why}", ready.label));
        }
        findings.earlier += 1;
    }
    if first > 0 {
        judge.settle().await?;
        floor = judge.floor();
    }
    let clock = Clock::start(migrations.len() - first);
    for (done, position) in (first..migrations.len()).enumerate() {
        clock.say(done, &migrations[position].label);
        if is_new(&migrations[position]) {
            let judged = judge.judge(position).await?;
            for needed in judge.refused.drain(..) {
                let by = refused.entry(needed).or_default();
                if by.last() != Some(&judged.label) {
                    by.push(judged.label.clone());
                }
            }
            findings.migrations.push(judged);
        } else if let Some(why) = judge.apply(position).await? {
            findings.notes.push(format!("{} is refused, and left out: {why}", migrations[position].label));
        } else {
            judge.follow(position).await?;
        }
        let ready = &migrations[position];
        let is_floor = matches!(ready.down, Down::None(_) | Down::Irreversible(_))
            && ready.migration.kind != Kind::Repeatable;
        if is_floor && judge.applied.last() == Some(&position) {
            floor = judge.floor();
        }
    }
    findings.prerequisites = refused.iter().map(|(needed, by)| needed.sentence(by)).collect();
    let failed = findings.count(Verdict::UpFails);
    if failed > 0 {
        let s = if failed == 1 { "" } else { "s" };
        findings.notes.push(format!(
            "{failed} migration{s} could not be applied, so that what comes after was judged without"
        ));
    }
    if options.chain {
        tracing::info!(progress = true, "all migrations in a row");
        findings.chain = Some(judge.chain(&floor, &mut findings.seeds).await?);
    }
    allow::apply(&options.allowances, &mut findings);
    findings.duration = started.elapsed();
    Ok(findings)
}

/// What is there before the first migration, ready to be run.
pub(crate) fn prelude(options: &Options, dialect: Dialect) -> Result<Option<Prepared>, RoundtripError> {
    let Some((path, text)) = &options.prelude else { return Ok(None) };
    let refused = |problems| RoundtripError::Prelude(ApplyError::Script(problems));
    own_script(path, text, dialect).map(Some).map_err(refused)
}

/// What the migrations of `folder` make of an empty database, with owners or without.
pub async fn catalog_of(
    place: &mut Place,
    folder: &Folder,
    options: &Options,
    owners: bool,
) -> Result<Catalog, RoundtripError> {
    let dialect = place.dialect();
    let migrations = ready(folder, dialect);
    let mut bench = Bench::new(place, options, prelude(options, dialect)?);
    let mut applier = bench.fresh().await?;
    for ready in &migrations {
        let refused = |why| RoundtripError::UpFails { migration: ready.label.clone(), why };
        let up = ready.up.as_ref().map_err(|why| refused(why.clone()))?;
        let done = applier.run(up, ready.version(), Direction::Up).await;
        done.map_err(|error| refused(error.to_string()))?;
    }
    bench.catalog_with(&mut applier, owners).await
}

impl Judge<'_, '_> {
    /// What is there now, as the floor of a chain.
    fn floor(&self) -> Floor {
        let last = self.applied.last().map(|position| self.migrations[*position].label.clone());
        Floor { applied: self.applied.len(), catalog: self.catalog.clone(), behind: last }
    }

    /// The server's product and version.
    async fn server(&mut self) -> Result<String, RoundtripError> {
        let identity = self.test().session().identity().await.map_err(RoundtripError::Database)?;
        Ok(identity.version)
    }

    /// Judges the chain of what is applied.
    async fn chain(
        &mut self,
        floor: &Floor,
        seeds: &mut Vec<String>,
    ) -> Result<super::verdict::Chain, RoundtripError> {
        let applied: Vec<&Ready<'_>> =
            self.applied.iter().map(|position| &self.migrations[*position]).collect();
        let applier =
            self.clean.as_mut().or(self.test.as_mut()).expect("one of them is there between migrations");
        chain::judge(&self.bench, applier, &applied, floor, seeds).await
    }
}

/// The migrations in the order in which `migrate` applies them to an empty database.
pub(crate) fn ready(folder: &Folder, dialect: Dialect) -> Vec<Ready<'_>> {
    let options = ScriptOptions { dialect, native: folder.format == "twostep" };
    let pending = pending::compare(folder, &History::default(), None).pending;
    pending.into_iter().map(|position| ready_one(&folder.migrations[position], options)).collect()
}

/// One migration, ready to be tried.
pub(crate) fn ready_one(migration: &Migration, options: ScriptOptions) -> Ready<'_> {
    let prepare = |script: &Script| {
        script::prepare(script, options)
            .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    };
    let declared = migration.up.directives.iter().find(|directive| directive.name == "irreversible");
    let down = match (&migration.down, declared) {
        (_, Some(declared)) => Down::Irreversible(declared.because.clone().unwrap_or_default()),
        (None, None) => Down::None(migration.irreversible.clone()),
        (Some(script), None) => match prepare(script) {
            down if is_empty(&down) => Down::Empty,
            down => Down::Script(down),
        },
    };
    Ready {
        migration,
        label: task::label(&migration.version, &migration.name),
        up: prepare(&migration.up),
        down,
    }
}

/// Says how far it is, and how long it will take.
struct Clock {
    started: Instant,
    of: usize,
}

impl Clock {
    fn start(of: usize) -> Self {
        Self { started: Instant::now(), of }
    }

    fn say(&self, done: usize, label: &str) {
        let elapsed = self.started.elapsed();
        let left = match (u32::try_from(self.of - done), u32::try_from(done)) {
            (Ok(left), Ok(done)) if done > 0 => elapsed / done * left,
            _ => Duration::ZERO,
        };
        let left = if done < 3 { String::new() } else { format!(", {} s left", left.as_secs() + 1) };
        tracing::info!(progress = true, "{}/{}{left}: {label}", done + 1, self.of);
    }
}
