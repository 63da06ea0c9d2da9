//! `twostep migrate`: bring the database to what this release needs.

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::explain;
use crate::cli::printer::Report;
use crate::db::url::DatabaseUrl;
use crate::run::contracts::{Contracts, Gate};
use crate::run::executor::{self, EarlySession, RunReport, shown};
use crate::run::machine::Outcome;
use crate::run::pending::Wanted;
use crate::run::preview;
use crate::run::task::Goal;
use crate::source::Folder;
use std::time::Instant;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Apply nothing behind this version
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,

    /// Print the SQL that would run, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Go on although the database is ahead of these files with what breaks this code
    #[arg(long)]
    allow_ahead: bool,

    /// Apply contracts too, although no release is confirmed: no older code runs, and why that is known
    #[arg(long, value_name = "REASON", num_args = 0..=1, default_missing_value = "")]
    contract: Option<String>,

    /// Apply no contract, also if one could be
    #[arg(long, value_name = "PHASE", value_parser = ["expand"], conflicts_with = "contract")]
    phase: Option<String>,

    /// run or leave: fill rows in chunks too, or leave them to `twostep backfill`, and exit with 4 until that is done
    #[arg(long, value_name = "WISH")]
    backfills: Option<String>,

    /// What holds for every run
    #[command(flatten)]
    pub run: RunArgs,
}

impl Args {
    /// The settings that are given by flags.
    pub fn flags(&self) -> Vec<(&'static str, String)> {
        let own = self.backfills.clone().map(|wish| ("backfills", wish));
        self.run.flags().into_iter().chain(own).collect()
    }
}

/// Options of every command that changes the schema.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// Wait this long for a database that is not there yet, such as 60s
    #[arg(long, value_name = "TIME")]
    wait: Option<String>,

    /// Wait this long for another run to finish
    #[arg(long, value_name = "TIME")]
    run_deadline: Option<String>,

    /// Try this long to get the locks on tables
    #[arg(long, value_name = "TIME")]
    lock_deadline: Option<String>,

    /// Longest time that a statement stands in a lock's queue before it steps back
    #[arg(long, value_name = "TIME")]
    lock_timeout: Option<String>,

    /// Longest time for one statement; 0s for none
    #[arg(long, value_name = "TIME")]
    statement_timeout: Option<String>,

    /// Run the migrations as this role (SET ROLE)
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,

    /// Id of the release, best its commit
    #[arg(long, value_name = "ID")]
    release: Option<String>,

    /// Write the table of the tool that was adopted from too, so that it can still be used
    #[arg(long)]
    mirror_history: bool,

    /// warn, error or allow: migrations that stand before an applied one
    #[arg(long, value_name = "POLICY")]
    out_of_order: Option<String>,
}

impl RunArgs {
    /// The settings that are given by flags.
    pub fn flags(&self) -> Vec<(&'static str, String)> {
        [
            ("wait", &self.wait),
            ("run_deadline", &self.run_deadline),
            ("lock_deadline", &self.lock_deadline),
            ("lock_timeout", &self.lock_timeout),
            ("statement_timeout", &self.statement_timeout),
            ("role", &self.role),
            ("release", &self.release),
            ("out_of_order", &self.out_of_order),
        ]
        .into_iter()
        .filter_map(|(key, value)| value.clone().map(|value| (key, value)))
        .chain(self.mirror_history.then(|| ("mirror_history", "yes".to_owned())))
        .collect()
    }
}

/// Applies what is pending.
pub async fn run(context: &Context, args: &Args) -> Result<Exit, Report> {
    let url = context.release_url()?;
    let mut options = context.run_options(url.dialect());
    options.connect.create_if_missing = true;
    let early = if args.dry_run { None } else { EarlySession::open(&url, &options.connect) };
    let folder = context.folder_meanwhile(Some(url.dialect())).await?;
    let to = args.to.as_ref().map(|typed| {
        folder.find(typed).map_or_else(|| crate::source::Version::new(typed), |found| found.version.clone())
    });
    let contracts = match (&args.contract, &args.phase) {
        (Some(_), _) => Contracts::Apply,
        (None, Some(_)) => Contracts::Hold,
        (None, None) => Contracts::Confirmed,
    };
    let wanted = Wanted {
        to,
        out_of_order: context.settings.out_of_order(),
        allow_ahead: args.allow_ahead,
        contracts,
        because: args.contract.clone(),
        backfills: context.settings.backfills(),
        gate: Gate::Unknown,
    };
    let goal = Goal::Migrate(wanted);
    if args.dry_run {
        return dry_run(context, &url, &folder, &goal, &options).await;
    }
    let started = Instant::now();
    let journal = context.journal(&url);
    let report = executor::run(&url, &journal, &folder, &goal, &options, &context.signal, early).await;
    end(context, &url, &report, started)?;
    if !report.left.is_empty() {
        return Err(left(&report));
    }
    match report.outcome {
        Outcome::NothingToDo => tracing::info!(event = "up to date", "{url} is up to date"),
        _ => {
            let count = report.finished.len();
            let s = if count == 1 { "" } else { "s" };
            let run = report.run_id.unwrap_or(0);
            tracing::info!(
                event = "done",
                migrations = count,
                run,
                "{url} is up to date: {count} migration{s} in {} (run {run})",
                shown(started.elapsed())
            );
            context.printer.hint(&format!(
                "\nnext: `twostep status` shows them, `twostep rollback --run {run}` takes them back"
            ));
        }
    }
    Ok(Exit::from(report.outcome))
}

/// The rows that new code needs are not filled.
fn left(report: &RunReport) -> Report {
    let done = match report.finished.len() {
        0 => "nothing else was to be done".to_owned(),
        1 => "1 migration was applied".to_owned(),
        count => format!("{count} migrations were applied"),
    };
    Report::new(Exit::FailedPartly, format!("the rows of {} are not filled yet", report.left.join(", ")))
        .why("the code of this release must not start before they are")
        .state(format!("{done}; old code goes on"))
        .help("`twostep backfill` fills them, as a process of its own; then run the same again")
}

/// The error of a run that did not end well.
pub fn end(context: &Context, url: &DatabaseUrl, report: &RunReport, started: Instant) -> Result<(), Report> {
    if matches!(report.outcome, Outcome::Done | Outcome::NothingToDo) {
        return Ok(());
    }
    tracing::debug!("the run took {}", shown(started.elapsed()));
    Err(explain::run(url, &context.journal(url), &context.folder_path(), report))
}

/// Prints what `goal` would do.
pub async fn dry_run(
    context: &Context,
    url: &DatabaseUrl,
    folder: &Folder,
    goal: &Goal,
    options: &executor::RunOptions,
) -> Result<Exit, Report> {
    let journal = context.journal(url);
    let agenda = preview::preview(url, &journal, folder, goal, options).await.map_err(|error| {
        let report = RunReport {
            outcome: Outcome::FailedClean,
            finished: Vec::new(),
            error: Some(error),
            wanted: 0,
            run_id: None,
            half: false,
            left: Vec::new(),
        };
        explain::run(url, &journal, &context.folder_path(), &report)
    })?;
    for warning in &agenda.warnings {
        tracing::warn!("{warning}");
    }
    for held in &agenda.held {
        tracing::info!(event = "held", "{held}");
    }
    if agenda.tasks.is_empty() {
        tracing::info!("nothing to do");
    } else {
        context.printer.result(&preview::sql(&agenda.tasks, url, &journal, options));
    }
    Ok(Exit::Done)
}
