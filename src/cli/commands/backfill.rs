//! `twostep backfill`: the rows of pending backfills, as a process of its own.

use super::migrate::RunArgs;
use crate::cli::commands::migrate;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::printer::{Report, visible};
use crate::run::contracts::Contracts;
use crate::run::executor::{self, shown};
use crate::run::machine::Outcome;
use crate::run::pending::{Backfills, OutOfOrder, Wanted};
use crate::run::signal::Signal;
use crate::run::task::Goal;
use crate::source::{Folder, Version};
use std::time::{Duration, Instant};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only the backfill of this migration
    #[arg(long, value_name = "VERSION")]
    migration: Option<String>,

    /// Stop behind the chunk that is under way after this time; the same command goes on there
    #[arg(long, value_name = "TIME", value_parser = time)]
    stop_after: Option<Duration>,

    /// Pause while a replica is further behind than this
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = time)]
    max_lag: Duration,

    /// Pause while a replica has this many MiB to catch up with
    #[arg(long, value_name = "MIB", default_value_t = 256)]
    max_lag_mib: u64,

    /// Pause while more sessions than this have waited for a lock for a second
    #[arg(long, value_name = "SESSIONS", default_value_t = 0)]
    max_waiting: u64,

    /// Pause while more statements of others than this run at once
    #[arg(long, value_name = "STATEMENTS")]
    max_active: Option<u64>,

    /// How long a chunk is to take
    #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = time)]
    chunk: Duration,

    /// The share of the time that is left to others, in per cent
    #[arg(long, value_name = "PERCENT", default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=95))]
    rest: u32,

    /// What holds for every run
    #[command(flatten)]
    pub run: RunArgs,
}

fn time(text: &str) -> Result<Duration, String> {
    crate::run::limits::parse_duration(text)
}

/// Fills the rows that are left.
pub async fn run(context: &Context, args: &Args) -> Result<Exit, Report> {
    let url = context.release_url()?;
    let mut options = context.run_options(url.dialect());
    options.pace.max_lag = args.max_lag;
    options.pace.max_lag_bytes = args.max_lag_mib.saturating_mul(1024 * 1024);
    options.pace.max_waiting = args.max_waiting;
    options.pace.max_active = args.max_active;
    options.pace.chunk = args.chunk.max(Duration::from_millis(1));
    options.pace.rest_percent = args.rest;
    let folder = context.folder(Some(url.dialect()))?;
    let only = args.migration.as_deref().map(|typed| named(&folder, typed)).transpose()?;
    let goal = Goal::Migrate(Wanted {
        backfills: Backfills::Only(only),
        contracts: Contracts::Hold,
        out_of_order: OutOfOrder::Allow,
        allow_ahead: true,
        ..Wanted::default()
    });
    let started = Instant::now();
    let journal = context.journal(&url).of_backfills();
    let signal = stopping(&context.signal, args.stop_after);
    let report = executor::run(&url, &journal, &folder, &goal, &options, &signal, None).await;
    if args.stop_after.is_some_and(|limit| started.elapsed() >= limit) && !context.signal.is_raised() {
        let stopped = matches!(report.outcome, Outcome::Interrupted | Outcome::FailedPartly);
        if stopped && matches!(report.error, None | Some(crate::run::error::RunError::Interrupted)) {
            return Err(Report::new(Exit::FailedPartly, "the time is over before the rows are filled")
                .state("what is filled stays filled, and old code goes on")
                .help("the same command goes on there; `twostep status` shows how far it is"));
        }
    }
    migrate::end(context, &url, &report, started)?;
    match report.outcome {
        Outcome::NothingToDo => tracing::info!(event = "up to date", "no backfill is left on {url}"),
        _ => {
            let count = report.finished.len();
            let s = if count == 1 { "" } else { "s" };
            tracing::info!(
                event = "done",
                migrations = count,
                run = report.run_id.unwrap_or(0),
                "the rows of {count} migration{s} are filled, in {}",
                shown(started.elapsed())
            );
        }
    }
    Ok(Exit::from(report.outcome))
}

/// The version of the migration that is meant.
fn named(folder: &Folder, typed: &str) -> Result<Version, Report> {
    folder.find(typed).map(|found| found.version.clone()).ok_or_else(|| {
        Report::new(Exit::Usage, format!("there is no migration {}", visible(typed)))
            .state("nothing changed")
            .help("`twostep status` lists all versions")
    })
}

/// The wish to stop, which is raised after some time too.
fn stopping(outer: &Signal, after: Option<Duration>) -> Signal {
    let Some(after) = after else { return outer.clone() };
    let (raise, signal) = Signal::new();
    let outer = outer.clone();
    tokio::spawn(async move {
        let _ = outer.raised_within(after).await;
        raise.raise();
    });
    signal
}
