//! One file per command, and the list of all of them.

pub mod adopt;
pub mod backfill;
pub mod capture;
pub mod compat;
pub mod completions;
pub mod config;
pub mod db;
pub mod doctor;
pub mod explain;
pub mod export;
pub mod init;
pub mod lint;
pub mod man;
pub mod migrate;
pub mod new;
pub mod plan;
pub mod release;
pub mod resolve;
pub mod rollback;
pub mod roundtrip;
pub mod status;
pub mod unlock;

use super::context::Context;
use super::exit::Exit;
use super::printer::Report;
use clap::Subcommand;

/// The commands. A new one is a file here, a line above, one in the list and one in [`Command::run`].
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a migrations folder, a twostep.toml and an example for CI
    Init(init::Args),
    /// Make the files of a new migration
    New(new::Args),
    /// Say what would break or block the running code
    Lint(lint::Args),
    /// Collect the queries that the running code sends, in one file without data
    Capture(capture::Args),
    /// Say what becomes of each query of the running code at each step of a deploy
    Compat(compat::Args),
    /// Show the page of a rule of lint, or list them all
    Explain(explain::Args),
    /// Take a hazardous migration apart into the steps that are not
    Plan(plan::Args),
    /// Apply what is pending
    Migrate(migrate::Args),
    /// Fill rows in chunks, as a process of its own
    Backfill(backfill::Args),
    /// Take back what was applied
    Rollback(rollback::Args),
    /// Show on a scratch database that every down undoes its up
    Roundtrip(roundtrip::Args),
    /// Show what is applied and what is pending
    Status(status::Args),
    /// Take over a database that another tool has migrated
    Adopt(adopt::Args),
    /// Write the migrations in the format of another tool
    Export(export::Args),
    /// Say that a release is live
    #[command(subcommand)]
    Release(release::Command),
    /// Make, remove, fill, show and compare databases
    #[command(subcommand)]
    Db(db::Command),
    /// Say what holds where twostep cannot know
    Resolve(resolve::Args),
    /// Show who has the lock, and end a run that is dead
    Unlock(unlock::Args),
    /// Say what stands in the way of a migration, and what to do
    Doctor(doctor::Args),
    /// Show each setting and where it came from
    Config(config::Args),
    /// Print completions for a shell
    Completions(completions::Args),
    /// Print the manual page
    Man(man::Args),
}

impl Command {
    /// Runs it.
    pub async fn run(self, context: &Context) -> Result<Exit, Report> {
        match self {
            Command::Init(args) => init::run(context, &args),
            Command::New(args) => new::run(context, &args),
            Command::Plan(args) => plan::run(context, &args).await,
            Command::Lint(args) => lint::run(context, &args).await,
            Command::Capture(args) => capture::run(context, &args).await,
            Command::Compat(args) => compat::run(context, &args).await,
            Command::Explain(args) => explain::run(context, &args),
            Command::Migrate(args) => migrate::run(context, &args).await,
            Command::Backfill(args) => backfill::run(context, &args).await,
            Command::Rollback(args) => rollback::run(context, &args).await,
            Command::Roundtrip(args) => roundtrip::run(context, &args).await,
            Command::Status(args) => status::run(context, &args).await,
            Command::Adopt(args) => adopt::run(context, &args).await,
            Command::Export(args) => export::run(context, &args),
            Command::Release(command) => release::run(context, command).await,
            Command::Db(command) => db::run(context, command).await,
            Command::Resolve(args) => resolve::run(context, &args).await,
            Command::Unlock(args) => unlock::run(context, &args).await,
            Command::Doctor(args) => doctor::run(context, &args).await,
            Command::Config(args) => config::run(context, &args),
            Command::Completions(args) => completions::run(context, &args),
            Command::Man(args) => man::run(context, &args),
        }
    }

    /// Settings that the command's own flags give.
    pub fn flags(&self) -> Vec<(&'static str, String)> {
        match self {
            Command::Lint(args) => args.flags(),
            Command::Migrate(args) => args.flags(),
            Command::Backfill(args) => args.run.flags(),
            Command::Rollback(args) => args.run.flags(),
            _ => Vec::new(),
        }
    }
}
