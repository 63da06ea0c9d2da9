//! `twostep roundtrip`: does every down undo its up, and does the whole chain build the same database twice?

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::explain;
use crate::cli::lint::target::Finder;
use crate::cli::printer::Report;
use crate::cli::roundtrip::{self, Preparation};
use crate::dialect::Dialect;
use crate::roundtrip::report::{self, Look};
use crate::roundtrip::run;
use std::path::PathBuf;
use std::time::Instant;

/// Where scratch databases are made, and what is in them from the start.
#[derive(Debug, Default, clap::Args)]
pub struct ScratchArgs {
    /// A server on which scratch databases may be made (default: a private one, from the programs on this machine)
    #[arg(long, value_name = "URL")]
    pub scratch_url: Option<String>,

    /// Make scratch databases on the server of the database URL; never in that database itself
    #[arg(long)]
    pub scratch_on_same_server: bool,

    /// SQL that makes what is there before the first migration (default: prelude.sql, if there is one)
    #[arg(long, value_name = "FILE")]
    pub prelude: Option<PathBuf>,
}

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// postgres, mysql or sqlite (default: told by the URLs, or by the files)
    #[arg(long, value_name = "ENGINE", value_parser = engine)]
    pub engine: Option<Dialect>,

    /// Where the scratch databases are
    #[command(flatten)]
    pub scratch: ScratchArgs,

    /// Judge only what is new or changed since this revision of git, on top of everything earlier
    #[arg(long, value_name = "REV")]
    pub since: Option<String>,

    /// Known not to close: a migration, a verdict or `chain`, with the reason; may be given several times
    #[arg(long, value_name = "NAME=REASON")]
    pub allow: Vec<String>,

    /// A command that fills the database at $DATABASE_URL, after the seed files
    #[arg(long, value_name = "COMMAND")]
    pub seed_command: Option<String>,

    /// The seeds may make a difference when they are run a second time
    #[arg(long)]
    pub seeds_once: bool,

    /// Put generated rows into every table before each up and down, so that what needs or loses rows is found
    #[arg(long)]
    pub with_rows: bool,

    /// Judge each migration by itself only, not all of them in a row
    #[arg(long)]
    pub no_chain: bool,

    /// text, json, junit or markdown
    #[arg(long, default_value = "text", value_parser = formats())]
    pub format: String,

    /// Show each migration, also where its down is exact (default: up to 40 of them)
    #[arg(long)]
    pub all: bool,
}

/// From this number of migrations on, those that are exact are only counted.
const SHOWN_MAX: usize = 40;

fn engine(text: &str) -> Result<Dialect, String> {
    Dialect::from_word(text).ok_or_else(|| "it is postgres, mysql or sqlite".to_owned())
}

fn formats() -> clap::builder::PossibleValuesParser {
    report::OUTPUTS.iter().map(|output| output.id).collect::<Vec<_>>().into()
}

/// Makes the round trip, and prints what was found.
pub async fn run(context: &Context, args: &Args) -> Result<Exit, Report> {
    let started = Instant::now();
    let wished = roundtrip::wish(context, &args.scratch, args.engine)?;
    let target = Finder { context, engine: Some(wished.dialect()).filter(|_| wished.is_told()) };
    let target = target.targets(&[])?.remove(0);
    let wished = wished.of(target.dialect);
    let preparation = Preparation { context, dialect: target.dialect };
    let options = preparation.options(args, &target.folder, &wished)?;
    let mut signal = context.signal.clone();
    let mut place = wished.open(context, &options.connect).await?;
    let found = tokio::select! {
        biased;
        () = signal.raised() => None,
        found = run::run(&mut place, &target.folder, &options, started) => Some(found),
    };
    place.close().await;
    let findings = match found {
        None => return Err(explain::interrupted()),
        Some(found) => found.map_err(|error| roundtrip::broken(&error))?,
    };
    let output = report::by_id(&args.format).expect("the argument's values are those of the list");
    let look = Look { all: args.all || findings.migrations.len() <= SHOWN_MAX };
    context.printer.result(&(output.write)(&findings, look));
    Ok(if findings.failures() > 0 { Exit::Findings } else { Exit::Done })
}
