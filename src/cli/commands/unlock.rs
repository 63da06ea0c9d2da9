//! `twostep unlock`: show who has the run's lock, and end a run that is dead.

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::explain;
use crate::cli::printer::Report;
use crate::db::session::Backend;
use crate::run::contention::describe;

/// How long a session that has the lock, and belongs to no run in the history, has to do nothing to be taken for dead.
const IDLE: std::time::Duration = std::time::Duration::from_secs(10);

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// End the session that holds the lock
    #[arg(long)]
    yes: bool,
}

/// Shows the holder; with `--yes`, ends it.
pub async fn run(context: &Context, args: &Args) -> Result<Exit, Report> {
    let url = context.release_url()?;
    let journal = context.journal(&url);
    let failed = |error| explain::connect(&url, &error);
    let mut session = context.connect_to_lock(&url).await?;
    let key = journal.lock_key();
    if session.try_lock(&key).await.map_err(failed)? {
        session.unlock(&key).await.map_err(failed)?;
        context.printer.result("nobody has the lock");
        return Ok(Exit::Done);
    }
    let history =
        journal.read(&mut *session).await.map_err(|error| explain::journal(&url, &journal, &error))?;
    let holder = session.lock_holder(&key).await.map_err(failed)?;
    let mut backend: Option<Backend> = None;
    let mut text = String::from("the lock is held");
    if let Some(holder) = &holder {
        text.push_str(&format!(" by {}", describe(std::slice::from_ref(holder))));
    }
    if let Some(run) = &history.open_run {
        text.push_str(&format!(
            "\nrun {} (`{}` by {}) began {}; last sign of life {} s ago",
            run.id, run.command, run.by, run.started_at, run.silent_s
        ));
        let same = holder.as_ref().is_none_or(|holder| holder.pid == run.backend.pid);
        backend = same.then(|| run.backend.clone());
    }
    if backend.is_none() {
        // A run that was lost before it has written of itself.
        backend = session.idle_holder(&key, IDLE).await.map_err(failed)?;
    }
    context.printer.result(&text);
    if !args.yes {
        context.printer.hint(
            "\nif that run is dead, `twostep unlock --yes` ends its session; its transaction is rolled back",
        );
        return Ok(Exit::LockTimeout);
    }
    let Some(backend) = backend else {
        return Err(Report::new(
            Exit::LockTimeout,
            "the session that holds the lock is not one of a run in the history",
        )
        .why("it took the lock by itself, or its run has not written anything yet")
        .state("nothing changed")
        .help("run this again in a moment, or end that session by hand if it is yours"));
    };
    if session.end_backend(&backend).await.map_err(failed)? {
        context.printer.result(&format!("ended session {}; its transaction is rolled back", backend.pid));
        Ok(Exit::Done)
    } else {
        Err(Report::new(Exit::LockTimeout, format!("session {} could not be ended", backend.pid))
            .why("it is gone already, or the server does not let this role end it; SQLite has no sessions")
            .state("nothing changed")
            .help("run this again to see; on SQLite the lock ends with the process: end that"))
    }
}
