//! `twostep rollback`: take back what was applied, in reverse order of application.

use super::migrate::{self, RunArgs};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::printer::Report;
use crate::run::executor::{self, shown};
use crate::run::machine::Outcome;
use crate::run::rollback::RollbackTarget;
use crate::run::task::Goal;
use crate::source::{Folder, Version};
use std::time::Instant;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many migrations (default: 1)
    #[arg(long, value_name = "N", group = "target", value_parser = clap::value_parser!(u32).range(1..))]
    steps: Option<u32>,

    /// Until this version is the last that is applied
    #[arg(long, value_name = "VERSION", group = "target")]
    to: Option<String>,

    /// Exactly what this run applied
    #[arg(long = "run", value_name = "ID", group = "target")]
    run_id: Option<i64>,

    /// Everything
    #[arg(long, group = "target")]
    all: bool,

    /// Print the SQL that would run, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// What holds for every run
    #[command(flatten)]
    pub run: RunArgs,
}

/// Takes migrations back.
pub async fn run(context: &Context, args: &Args) -> Result<Exit, Report> {
    let url = context.release_url()?;
    // The files are not needed: the history keeps the downs. What is there is used, for it may have been mended.
    let folder = if context.folder_path().exists() {
        context.folder(Some(url.dialect()))?
    } else {
        Folder { format: "twostep", migrations: Vec::new(), warnings: Vec::new() }
    };
    let target = match (&args.to, args.run_id, args.all) {
        (Some(typed), _, _) => {
            let found = folder.find(typed).map(|found| found.version.clone());
            RollbackTarget::To(found.unwrap_or_else(|| Version::new(typed)))
        }
        (None, Some(run), _) => RollbackTarget::Run(run),
        (None, None, true) => RollbackTarget::All,
        (None, None, false) => {
            RollbackTarget::Steps(args.steps.unwrap_or(1).try_into().unwrap_or(usize::MAX))
        }
    };
    let goal = Goal::Rollback(target);
    let options = context.run_options(url.dialect());
    if args.dry_run {
        return migrate::dry_run(context, &url, &folder, &goal, &options).await;
    }
    let started = Instant::now();
    let journal = context.journal(&url);
    let report = executor::run(&url, &journal, &folder, &goal, &options, &context.signal, None).await;
    migrate::end(context, &url, &report, started)?;
    if report.outcome == Outcome::NothingToDo {
        tracing::info!("nothing is applied that could be rolled back");
    } else {
        let count = report.finished.len();
        let s = if count == 1 { "" } else { "s" };
        tracing::info!(
            event = "done",
            migrations = count,
            run = report.run_id.unwrap_or(0),
            "rolled back {count} migration{s} in {}",
            shown(started.elapsed())
        );
    }
    Ok(Exit::from(report.outcome))
}
