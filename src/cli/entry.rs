//! From the arguments to the exit code.

use super::args::Args;
use super::context::Context;
use super::exit::Exit;
use super::explain;
use super::printer::{self, LogForm, Printer, Report};
use super::settings::{Settings, Surroundings};
use crate::run::signal::{Raise, Signal};
use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;

/// Runs the command that the process's arguments ask for.
pub fn main() -> ExitCode {
    forbid_core_dumps();
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // `--help` and `--version` come this way too, and are no errors. A closed pipe is no error of ours.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    match run(args) {
        Ok(exit) => exit.into(),
        Err((printer, report)) => {
            printer.error(&report);
            report.exit.into()
        }
    }
}

/// A dump of this process would hold its passwords. Where dumps go to a program, only the second of the two holds
/// (<https://man7.org/linux/man-pages/man5/core.5.html>). A process that may not ask for it runs all the same.
fn forbid_core_dumps() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

fn run(args: Args) -> Result<Exit, (Printer, Report)> {
    // Until the settings are read, only the flag and the variable can say how to complain about them.
    let form = args.global.log.clone().or_else(|| std::env::var("TWOSTEP_LOG").ok());
    let early = Printer::plain(LogForm::from_word(form.as_deref().unwrap_or("auto")));
    let settings = settings(&args).map_err(|report| (early, report))?;
    let form = LogForm::from_word(settings.text("log"));
    let printer = Printer::install(form, args.global.quiet, args.global.verbose);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        (printer, Report::new(Exit::FailedClean, format!("the process cannot start its event loop: {error}")))
    })?;
    let exit = runtime.block_on(async {
        let (raise, signal) = Signal::new();
        listen(raise);
        let context = Context { settings, printer, signal };
        args.command.run(&context).await
    });
    printer.clear();
    // A blocking call that still runs (a name that is being looked up) must not keep the process.
    runtime.shutdown_background();
    exit.map_err(|report| (printer, report))
}

fn settings(args: &Args) -> Result<Settings, Report> {
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let mut flags = args.global.flags();
    flags.extend(args.command.flags());
    // In a release nobody wants a file of development; on a terminal it is what people expect.
    let default_env_file = PathBuf::from(".env");
    let env_file = args
        .global
        .env_file
        .clone()
        .or_else(|| (printer::is_watched() && default_env_file.exists()).then_some(default_env_file));
    let surroundings = Surroundings { environment, config: args.global.config.clone(), env_file, flags };
    let mut settings = Settings::load(&surroundings).map_err(|error| explain::settings(&error))?;
    settings.variables.extend(args.global.variables.iter().cloned());
    Ok(settings)
}

/// SIGTERM and SIGINT ask every wait of the run to end; platforms send them several times.
fn listen(raise: Raise) {
    use tokio::signal::unix::{SignalKind, signal};
    for kind in [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()] {
        let raise = raise.clone();
        match signal(kind) {
            Ok(mut stream) => {
                tokio::spawn(async move {
                    while stream.recv().await.is_some() {
                        raise.raise();
                    }
                });
            }
            Err(error) => tracing::warn!("signals cannot be listened to: {error}"),
        }
    }
}
