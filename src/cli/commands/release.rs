//! `twostep release confirm`: this release is live, and no older code runs; contracts behind its first steps may go.

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::explain;
use crate::cli::gate;
use crate::cli::printer::Report;
use crate::run::gate::asked;
use crate::run::journal::{Live, RunRecord};
use crate::run::limits::parse_duration;
use crate::source::{Migration, Phase};
use clap::Subcommand;
use std::time::Duration;

/// What is said of a release.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// This release is live, and no older code runs any more
    Confirm(Args),
}

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the release, best its commit
    #[arg(long, value_name = "ID")]
    release: Option<String>,

    /// How long to watch whether what the contracts break is still called, where the server counts queries
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_duration)]
    watch: Duration,

    /// Say so although sessions or queries of older code are seen, and why that is right
    #[arg(long, value_name = "REASON", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    anyway: Option<String>,
}

/// Writes it into the history.
pub async fn run(context: &Context, command: Command) -> Result<Exit, Report> {
    let Command::Confirm(args) = command;
    let release = args.release.as_deref().or_else(|| context.settings.optional("release"));
    let Some(release) = release else {
        return Err(Report::new(Exit::Usage, "which release is live is not said")
            .why("what is confirmed is kept under the release's id")
            .state(explain::UNCONNECTED)
            .help("say it with --release ID, best the commit, or in TWOSTEP_RELEASE"));
    };
    let url = context.release_url()?;
    let folder = context.folder(Some(url.dialect()))?;
    let journal = context.journal(&url);
    let failed = |error| explain::journal(&url, &journal, &error);
    let mut session = context.connect_to_lock(&url).await?;
    let database = |error: crate::db::error::DbError| {
        explain::journal(&url, &journal, &error.into()).state("nothing changed")
    };
    let key = journal.lock_key();
    if !session.try_lock(&key).await.map_err(database)? {
        return Err(Report::new(Exit::LockTimeout, "a run has the lock")
            .why("what is applied is still to be seen while it runs")
            .state("nothing changed")
            .help("wait for it to end; `twostep unlock` shows whose it is"));
    }
    let history = journal.read(&mut *session).await.map_err(failed)?;
    let is_file = |version: &crate::source::Version| {
        folder.migrations.iter().any(|migration| migration.version == *version)
    };
    let known = history.applied.iter().filter(|applied| is_file(&applied.version));
    let Some(sequence) = known.map(|applied| applied.sequence).max() else {
        return Err(Report::new(Exit::Usage, "no migration of these files is applied to the database")
            .why("a release is live with the migrations that it was made for")
            .state("nothing changed")
            .help("run it where the files of the release are; `twostep status` lists what is applied"));
    };
    let seen = asked(&mut *session, &folder, &history, Some(release), args.watch).await.map_err(database)?;
    if let Some(seen) = &seen {
        if args.anyway.is_none()
            && let Some(refused) = gate::refused(seen, release)
        {
            return Err(refused);
        }
        gate::doubts(seen).iter().for_each(|doubt| tracing::info!(event = "gate", "{doubt}"));
    }
    session.prepare_to_write().await.map_err(database)?;
    let identity = session.identity().await.map_err(database)?;
    let record = RunRecord {
        id: history.last_run_id + 1,
        // The journal writes what it is.
        command: String::new(),
        release: Some(release.to_owned()),
        by: identity.user,
        backend: identity.backend,
    };
    let waits =
        |one: &&Migration| one.phase() == Some(Phase::Contract) && history.get(&one.version).is_none();
    let contracts = folder.migrations.iter().filter(waits).map(|one| one.version.clone()).collect();
    let live = Live { sequence, contracts, anyway: args.anyway.clone() };
    session.run(&journal.confirm_sql(&record, &live)).await.map_err(database)?;
    session.unlock(&key).await.map_err(database)?;
    session.close().await;
    context.printer.result(&format!(
        "recorded: release {} is live; the next `twostep migrate` applies the contracts of what it has",
        crate::cli::printer::visible(release)
    ));
    Ok(Exit::Done)
}
