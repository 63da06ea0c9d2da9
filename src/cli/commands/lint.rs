//! `twostep lint`: what would break or block the running code. No database, no network.

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::lint::target::{Finder, Target};
use crate::cli::printer::{self, Report};
use crate::dialect::Dialect;
use crate::engine::version::ServerVersion;
use crate::report::{self, Findings, Look};
use crate::rules::{self, Group, Options, Severity};
use crate::schema::model::Schema;
use std::io::Read as _;
use std::path::PathBuf;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files and folders; earlier migrations beside a file are its context (default: the migrations folder)
    #[arg(value_name = "PATHS")]
    paths: Vec<PathBuf>,

    /// postgres, mysql or sqlite (default: told by the database URL, or by the files)
    #[arg(long, value_name = "ENGINE", value_parser = engine)]
    engine: Option<Dialect>,

    /// Version of the server: 16, 8.0.35, `mariadb 10.11`
    #[arg(long, value_name = "VERSION")]
    server_version: Option<String>,

    /// text or json
    #[arg(long, default_value = "text", value_parser = formats())]
    format: String,

    /// A group of rules that is off by default: style; may be given several times
    #[arg(long, value_name = "GROUP", value_parser = group)]
    group: Vec<Group>,

    /// How bad a finding must be for exit code 1
    #[arg(long, default_value = "error", value_parser = ["error", "warning", "note", "never"])]
    fail_on: String,

    /// Judge what comes on standard input
    #[arg(long, conflicts_with = "paths")]
    stdin: bool,
}

fn engine(text: &str) -> Result<Dialect, String> {
    Dialect::from_word(text).ok_or_else(|| "it is postgres, mysql or sqlite".to_owned())
}

fn group(text: &str) -> Result<Group, String> {
    let all = || Group::ALL.iter().map(|group| group.id()).collect::<Vec<_>>().join(", ");
    Group::from_id(text).ok_or_else(|| format!("it is one of {}", all()))
}

fn formats() -> clap::builder::PossibleValuesParser {
    report::OUTPUTS.iter().map(|output| output.id).collect::<Vec<_>>().into()
}

/// Judges, and prints what was found.
pub fn run(context: &Context, args: &Args) -> Result<Exit, Report> {
    let finder = Finder { context, engine: args.engine };
    let targets =
        if args.stdin { vec![finder.text("<stdin>", &stdin()?)?] } else { finder.targets(&args.paths)? };
    let mut findings = Findings::new();
    for target in targets {
        let options = options(args, target.dialect)?;
        judge(&target, &options, &mut findings);
    }
    let output = report::by_id(&args.format).expect("the argument's values are those of the list");
    let look = Look { colours: printer::shows_colours() };
    context.printer.result(&(output.write)(&findings, look));
    let fails = |worst: Severity| Severity::from_id(&args.fail_on).is_some_and(|least| worst >= least);
    Ok(if findings.worst().is_some_and(fails) { Exit::Findings } else { Exit::Done })
}

fn judge(target: &Target, options: &Options, findings: &mut Findings) {
    let mut linted = rules::lint(&target.folder, &target.chosen, Schema::new(target.dialect), options);
    linted.findings.retain(|finding| target.is_wanted(&finding.path));
    findings.add(linted, options.server, |path| target.shown(path));
}

fn options(args: &Args, dialect: Dialect) -> Result<Options, Report> {
    let server = match &args.server_version {
        None => ServerVersion::usual(dialect),
        Some(text) => ServerVersion::parse(text, dialect).ok_or_else(|| {
            Report::new(Exit::Usage, format!("`{text}` is no version of {}", dialect.title()))
                .state("nothing was judged, nothing changed")
                .help("it looks like `16`, `8.0.35` or `mariadb 10.11`")
        })?,
    };
    Ok(Options { groups: args.group.clone(), ..Options::new(server) })
}

/// What comes on standard input.
fn stdin() -> Result<String, Report> {
    let unreadable = |why: String| {
        Report::new(Exit::Usage, "standard input cannot be read")
            .why(why)
            .state("nothing was judged, nothing changed")
            .help("give SQL as UTF-8 text: `twostep lint --stdin < FILE`")
    };
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes).map_err(|error| unreadable(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|error| unreadable(error.to_string()))?;
    if text.trim().is_empty() {
        return Err(unreadable("it is empty".to_owned()));
    }
    Ok(text)
}
