//! The stages of all statements of a migration, in an order in which each of them works.

use super::decide::{Deciding, Decision, Refusal, added_keys, one_transaction, unsettled};
use super::fills::{Filled, own_fills, parse_fill};
use super::given;
use crate::analysis::{Step, analyze, analyze_one};
use crate::engine::proposal::{Action, Back, Stage, Undo};
use crate::engine::version::ServerVersion;
use crate::name::TableName;
use crate::schema::model::Schema;
use crate::source::{Folder, Kind, Migration, Script};

/// What is to be planned.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The migrations folder.
    pub folder: &'a Folder,
    /// The place of the migration in it.
    pub at: usize,
    /// The server that it is for.
    pub server: ServerVersion,
    /// What columns shall hold in rows that do not give them: `table.column=expression`.
    pub fills: &'a [String],
}

/// A step of a deploy, and how it is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// With the release: it works with the code that is running, and with the new one.
    Expand,
    /// The rows, and what proves that they are right: before the new code starts.
    Backfill,
    /// Once no older code runs.
    Contract,
}

impl Phase {
    /// Its name.
    pub const fn title(self) -> &'static str {
        match self {
            Phase::Expand => "expand",
            Phase::Backfill => "backfill",
            Phase::Contract => "contract",
        }
    }
}

/// One migration of the deploy.
#[derive(Debug, Clone)]
pub struct Part {
    /// Which step it is.
    pub phase: Phase,
    /// What it does.
    pub up: Vec<Stage>,
    /// What takes it back.
    pub down: Down,
}

/// What takes a part back.
#[derive(Debug, Clone)]
pub enum Down {
    /// These stages; none where there is nothing to take back.
    Stages(Vec<Stage>),
    /// What the author of the migration has written.
    Authors(Box<Script>),
    /// Nothing does.
    Irreversible,
}

/// A deploy.
#[derive(Debug, Clone)]
pub struct Deploy {
    /// Its migrations in order; none where the migration is good as it stands. A single one that is no contract stands in the place of the old one.
    pub parts: Vec<Part>,
    /// What the code must do before the contract.
    pub code: Vec<String>,
    /// What is not quite the same, or has to be known.
    pub limits: Vec<String>,
    /// What `--fill` says beside the plain migration.
    pub filled: Filled,
    /// The schema before it.
    pub before: Schema,
}

impl Deploy {
    /// Whether it is one migration that needs no second step.
    pub fn is_single(&self) -> bool {
        matches!(self.parts.as_slice(), [only] if only.phase == Phase::Expand)
    }
}

/// The deploy that does what the migration does, or why there is none. `start`: what there is before the first migration.
pub fn plan(request: &Request<'_>, start: Schema) -> Result<Deploy, Vec<Refusal>> {
    let scripts = request.folder.migrations[..request.at].iter().map(|migration| &migration.up);
    plan_behind(request, analyze(scripts, start).end)
}

/// The same, given what the migrations before it have made.
pub fn plan_behind(request: &Request<'_>, before: Schema) -> Result<Deploy, Vec<Refusal>> {
    let script = &request.folder.migrations[request.at].up;
    let steps = analyze_one(script, request.at, before.clone()).steps;
    let before = steps.first().map_or(before, |first| first.before.clone());
    let (mut given, filling) = own_fills(&steps);
    let problem = |what: String| {
        let help = "give it as table.column=expression, such as --fill \"users.email=''\"".to_owned();
        vec![Refusal { statement: 0, what, help }]
    };
    for fill in request.fills {
        given.fills.push(parse_fill(fill, &before).map_err(problem)?);
    }
    let filled = Filled::of(&given.fills[given.fills.len() - request.fills.len()..], &before);
    given::of_whole(&mut given, &steps, request.at);
    let mut composing = Composing::default();
    let mut refusals = Vec::new();
    let mut deciding = Deciding {
        migration: request.at,
        folder: request.folder,
        server: request.server,
        given: &given,
        touched: Vec::new(),
        unsettled: unsettled(&given, &steps),
        filled: Vec::new(),
        follows: false,
        read_by_views: Vec::new(),
        added_keys: added_keys(&steps),
        waiting: Vec::new(),
        limits: Vec::new(),
        unless_whole: Vec::new(),
    };
    // Elsewhere a plan says in each statement how the server is to do it.
    let mut stays = one_transaction(&before);
    for (number, step) in steps.iter().enumerate() {
        if filling.contains(&number) {
            stays = false;
            continue;
        }
        match deciding.step(step) {
            Ok(decisions) => {
                stays &= decisions.iter().all(Decision::stays);
                decisions.into_iter().for_each(|decision| composing.add(decision, step));
            }
            Err(refusal) => refusals.push(refusal),
        }
    }
    if refusals.is_empty() && !deciding.waiting.is_empty() {
        refusals.push(Refusal {
            statement: 0,
            what: "a foreign key is dropped, and the one that takes its place has no plan".to_owned(),
            help: "leave the two in a migration of their own".to_owned(),
        });
    }
    if let Some(unused) = given::unused(&given, &steps, request.fills.len()) {
        refusals.push(unused);
    }
    if !stays {
        refusals.append(&mut deciding.unless_whole);
        refusals.sort_by_key(|refusal| refusal.statement);
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let mut limits = deciding.limits;
    let behind = later(request.folder, request.at).count();
    if behind > 0 && !stays {
        limits.push(format!(
            "{behind} migrations stand behind it: if a database has it already, it is history, and stays as it is; plan what is not released yet"
        ));
    }
    limits.extend(std::mem::take(&mut composing.limits));
    if stays {
        return Ok(Deploy { parts: Vec::new(), code: Vec::new(), limits, filled, before });
    }
    let authors = request.folder.migrations[request.at].down.clone();
    let code = std::mem::take(&mut composing.code);
    Ok(Deploy { code, parts: composing.parts(authors), limits, filled, before })
}

/// The migrations behind the one at `at` that are applied in order.
pub(super) fn later(folder: &Folder, at: usize) -> impl Iterator<Item = &Migration> {
    folder.migrations[at + 1..].iter().filter(|migration| migration.kind == Kind::Versioned)
}

#[derive(Default)]
struct Composing {
    /// The stages of the expand, with the table that a transaction is about.
    expand: Vec<(Option<TableName>, Stage)>,
    backfill: Vec<Stage>,
    /// What must not meet the rows that the changes fill, and all that is written behind it.
    behind: Vec<Stage>,
    contract: Vec<Stage>,
    /// What takes the contract back, of each change.
    back: Vec<Back>,
    code: Vec<String>,
    limits: Vec<String>,
}

impl Composing {
    fn add(&mut self, decision: Decision, step: &Step) {
        match decision {
            Decision::Leave => {}
            Decision::Keep(action) => self.together(None, vec![action]),
            Decision::Apart(action) => self.expand.push((None, Stage::Alone(action))),
            Decision::BehindRows(action) => self.behind.push(Stage::Together(vec![action])),
            // What takes back the others comes before.
            Decision::WithContract(proposal) => {
                self.contract.extend(proposal.contract);
                self.back.insert(0, proposal.back);
                self.limits.extend(proposal.limits);
            }
            Decision::Backfill { action, key } => {
                let stages = if self.behind.is_empty() { &mut self.backfill } else { &mut self.behind };
                stages.push(Stage::Backfill { action, key });
            }
            Decision::TwoSteps(proposal) => {
                let table = step.changes.first().and_then(|one| match &one.change.kind {
                    crate::schema::change::ChangeKind::AlterTable(alter) => Some(alter.table.clone()),
                    _ => None,
                });
                let fills = |stage: &Stage| matches!(stage, Stage::Backfill { .. });
                let split = proposal.expand.iter().position(fills).unwrap_or(proposal.expand.len());
                for (at, stage) in proposal.expand.into_iter().enumerate() {
                    match stage {
                        Stage::Together(actions) if at < split => self.together(table.clone(), actions),
                        stage if at < split => self.expand.push((table.clone(), stage)),
                        stage if self.behind.iter().any(fills) => self.behind.push(stage),
                        stage => self.backfill.push(stage),
                    }
                }
                self.contract.extend(proposal.contract);
                self.back.push(proposal.back);
                if !proposal.code.is_empty() && !self.code.contains(&proposal.code) {
                    self.code.push(proposal.code);
                }
                for limit in proposal.limits {
                    if !self.limits.contains(&limit) {
                        self.limits.push(limit);
                    }
                }
            }
        }
    }

    /// Adds to the transaction before it where that is about the same table: two tables are not locked together.
    fn together(&mut self, table: Option<TableName>, actions: Vec<Action>) {
        match self.expand.last_mut() {
            Some((of, Stage::Together(before))) if *of == table => before.extend(actions),
            _ => self.expand.push((table, Stage::Together(actions))),
        }
    }

    fn parts(mut self, authors: Option<Script>) -> Vec<Part> {
        self.backfill.append(&mut self.behind);
        let expand: Vec<Stage> = self.expand.into_iter().map(|(_, stage)| stage).collect();
        let alone = expand.is_empty() && self.backfill.is_empty();
        let mut parts = Vec::new();
        for (phase, up) in [(Phase::Expand, expand), (Phase::Backfill, self.backfill)] {
            if !up.is_empty() {
                let down = Down::Stages(reversed(&up));
                parts.push(Part { phase, up, down });
            }
        }
        if !self.contract.is_empty() {
            let down = back(self.back, authors.filter(|_| alone));
            parts.push(Part { phase: Phase::Contract, up: merged(self.contract), down });
        }
        parts
    }
}

/// Neighbours that are transactions as one, so that the contract of a migration is one moment.
fn merged(stages: Vec<Stage>) -> Vec<Stage> {
    let mut out: Vec<Stage> = Vec::new();
    for stage in stages {
        match (out.last_mut(), stage) {
            (Some(Stage::Together(before)), Stage::Together(actions)) => before.extend(actions),
            (_, stage) => out.push(stage),
        }
    }
    out
}

/// What takes a contract back, the last change first.
fn back(all: Vec<Back>, authors: Option<Script>) -> Down {
    let mut stages = Vec::new();
    for back in all.into_iter().rev() {
        match back {
            Back::Nothing => {}
            Back::Stages(more) => stages.extend(more),
            Back::Authors => {
                return authors.map_or(Down::Irreversible, |script| Down::Authors(Box::new(script)));
            }
        }
    }
    Down::Stages(merged(stages))
}

/// What takes `up` back, the last statement first.
pub(super) fn reversed(up: &[Stage]) -> Vec<Stage> {
    let mut stages = Vec::new();
    for stage in up.iter().rev() {
        let mut together: Vec<Action> = Vec::new();
        for action in stage.actions().iter().rev() {
            match &action.undo {
                Undo::Nothing => {}
                Undo::Together(all) => together.extend(all.iter().map(|sql| Action::new("", sql.clone()))),
                Undo::Alone(all) => {
                    if !together.is_empty() {
                        stages.push(Stage::Together(std::mem::take(&mut together)));
                    }
                    stages.extend(all.iter().map(|sql| Stage::Alone(Action::new("", sql.clone()))));
                }
            }
        }
        if !together.is_empty() {
            stages.push(Stage::Together(together));
        }
    }
    stages
}
