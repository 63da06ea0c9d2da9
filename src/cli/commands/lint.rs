//! `twostep lint`: what would break or block the running code. No database, no network.

use super::roundtrip::ScratchArgs;
use crate::cli::commands::compat::default_file;
use crate::cli::context::Context;
use crate::cli::evidence;
use crate::cli::exit::Exit;
use crate::cli::explain;
use crate::cli::lint::target::{Finder, Target};
use crate::cli::lint::{baseline, fix, levels, since};
use crate::cli::printer::{self, Report};
use crate::cli::verify;
use crate::compat::running::Running;
use crate::dialect::Dialect;
use crate::engine::version::ServerVersion;
use crate::evidence::model::Evidence;
use crate::parallel;
use crate::report::{self, Findings, Look};
use crate::rules::{self, Group, Level, Options, Runner, Severity};
use crate::schema::model::Schema;
use crate::source::ReadOptions;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files and folders; earlier migrations beside a file are its context (default: the migrations folder)
    #[arg(value_name = "PATHS")]
    paths: Vec<PathBuf>,

    /// Judge only what is new or changed since this revision (git), as one deploy
    #[arg(long, value_name = "REV")]
    since: Option<String>,

    /// postgres, mysql or sqlite (default: told by the database URL, or by the files)
    #[arg(long, value_name = "ENGINE", value_parser = engine)]
    engine: Option<Dialect>,

    /// Version of the server: 16, 8.0.35, `mariadb 10.11`
    #[arg(long, value_name = "VERSION")]
    server_version: Option<String>,

    /// How findings are written
    #[arg(long, default_value = "text", value_parser = formats())]
    format: String,

    /// A group of rules that is off by default: style; may be given several times
    #[arg(long, value_name = "GROUP", value_parser = group)]
    group: Vec<Group>,

    /// How bad a rule or a group is: off, note, warning or error; may be given several times
    #[arg(long, value_name = "RULE=SEVERITY", value_parser = levels::level)]
    rule: Vec<Level>,

    /// How bad a finding must be for exit code 1: error, warning, note or never (default: error)
    #[arg(long, value_name = "SEVERITY", value_parser = ["error", "warning", "note", "never"])]
    fail_on: Option<String>,

    /// File of findings that are accepted (default: twostep.baseline.json, if there is one)
    #[arg(long, value_name = "FILE")]
    baseline: Option<String>,

    /// Accept all that is found now: write it to the baseline
    #[arg(long)]
    write_baseline: bool,

    /// Do what the help of a finding says, where that changes nothing else; shows the difference
    #[arg(long, conflicts_with_all = ["stdin", "write_baseline"])]
    fix: bool,

    /// Show what --fix would change, and change nothing
    #[arg(long, conflicts_with_all = ["stdin", "write_baseline", "fix"])]
    diff: bool,

    /// The queries of the running code, to tell which notice (default: twostep.evidence.json, if there is one)
    #[arg(long, value_name = "FILE")]
    evidence: Option<PathBuf>,

    /// Ask a server too what becomes of those queries: each is prepared before and after each new migration, on a
    /// scratch database
    #[arg(long)]
    verify: bool,

    /// Where the scratch database is
    #[command(flatten)]
    scratch: ScratchArgs,

    /// Judge what comes on standard input
    #[arg(long, conflicts_with_all = ["paths", "since"])]
    stdin: bool,
}

impl Args {
    /// The settings that are given by flags.
    pub fn flags(&self) -> Vec<(&'static str, String)> {
        [
            ("lint.engine", self.engine.map(|engine| engine.id().to_owned())),
            ("lint.server_version", self.server_version.clone()),
            ("lint.fail_on", self.fail_on.clone()),
            ("lint.baseline", self.baseline.clone()),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect()
    }
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
pub async fn run(context: &Context, args: &Args) -> Result<Exit, Report> {
    let path = Path::new(context.settings.text("lint.baseline"));
    if args.write_baseline {
        let findings = found(context, args).await?;
        baseline::write(&findings, path)?;
        let count = findings.items.len();
        tracing::info!("{} now accepts {count} finding(s); only others will be shown", path.display());
        return Ok(Exit::Done);
    }
    let mut findings = accepted(context, args, path).await?;
    if args.fix || args.diff {
        let fixed = fix::fixed(&findings);
        for one in &fixed {
            if args.diff || args.format == "text" {
                let diff = one.diff();
                context.printer.result(&if printer::is_read() { printer::visible(&diff) } else { diff });
            }
            if args.fix {
                one.write()?;
            }
        }
        if args.diff {
            return Ok(if fixed.is_empty() { Exit::Done } else { Exit::Findings });
        }
        let count: usize = fixed.iter().map(|one| one.findings).sum();
        if count > 0 {
            tracing::info!("{count} finding(s) are fixed in {} file(s)", fixed.len());
            drop(fixed);
            findings = accepted(context, args, path).await?;
        }
    }
    let output = report::by_id(&args.format).expect("the argument's values are those of the list");
    let fail_on = Severity::from_id(context.settings.text("lint.fail_on"));
    let look = Look { colours: printer::shows_colours(), fail_on };
    context.printer.result(&(output.write)(&findings, look));
    let fails = fail_on.is_some_and(|least| findings.worst().is_some_and(|worst| worst >= least));
    Ok(if fails { Exit::Findings } else { Exit::Done })
}

/// All that is found.
async fn found(context: &Context, args: &Args) -> Result<Findings, Report> {
    let settings = &context.settings;
    let usage = |error| explain::settings(&error);
    let mut levels = levels::levels(settings).map_err(usage)?;
    levels.extend(args.rule.iter().cloned());
    let mut groups = levels::groups(settings).map_err(usage)?;
    groups.extend(&args.group);
    let engine = settings.optional("lint.engine").and_then(Dialect::from_word);
    let finder = Finder { context, engine };
    let targets =
        if args.stdin { vec![finder.text("<stdin>", &stdin()?)?] } else { finder.targets(&args.paths)? };
    let is_whole = |target: &Target| target.named.is_none() && args.since.is_none();
    if (args.fix || args.diff) && targets.iter().any(is_whole) {
        return Err(Report::new(Exit::Usage, "only new migrations can be fixed")
            .why("a migration that is applied somewhere must keep its text: `twostep migrate` compares it")
            .state("nothing was judged, nothing changed")
            .help("say which are new: `--since main`, or the files"));
    }
    let evidence = args.evidence.as_deref().or(default_file()).map(evidence::read).transpose()?;
    if args.verify && evidence.is_none() {
        return Err(Report::new(Exit::Usage, "there are no queries that a server could be asked about")
            .why("there is no evidence of the running code")
            .state("nothing was judged, nothing changed")
            .help("make it with `twostep capture`, or leave --verify out"));
    }
    let running = evidence.as_ref().map(|evidence| Arc::new(Running::new(evidence)));
    let mut judged = Vec::new();
    for mut target in targets {
        let mut options = options(context, target.dialect)?;
        let is_theirs = evidence.as_ref().is_some_and(|one| one.dialect() == Some(target.dialect));
        options.running = running.clone().filter(|_| is_theirs);
        options.groups.clone_from(&groups);
        options.levels = levels::for_folder(&levels, &target.root.to_string_lossy());
        if let Some(revision) = &args.since {
            let read = ReadOptions { variables: settings.variables.clone(), dialect: Some(target.dialect) };
            let new = since::narrow(&mut target, revision, &read)?;
            options.edited = new.edited;
            options.deploy_from = new.first;
        }
        if let (true, Some(evidence)) = (args.verify, evidence.as_ref().filter(|_| is_theirs)) {
            options.running = Some(Arc::new(asked(context, args, &target, evidence).await?));
        }
        judged.push((target, options));
    }
    let mut findings = Findings::new();
    for one in parallel::map_large(&judged, |(target, options)| judge(target, options)) {
        findings.append(one);
    }
    Ok(findings)
}

/// The queries of `evidence` with what a server says to them at the migrations of `target`.
async fn asked(
    context: &Context,
    args: &Args,
    target: &Target,
    evidence: &Evidence,
) -> Result<Running, Report> {
    if target.named.is_none() && args.since.is_none() {
        return Err(Report::new(Exit::Usage, "a server is asked about new migrations only")
            .why("each query is prepared again behind each migration")
            .state("nothing was judged, nothing changed")
            .help("say which are new: `--since main`, or the files"));
    }
    let queries: Vec<String> = evidence.queries.iter().map(|query| query.sql.clone()).collect();
    let answers = verify::ask(context, &args.scratch, target, &queries).await?;
    let files = target.chosen.iter().map(|number| target.folder.migrations[*number].up.path.clone());
    Ok(Running::new(evidence).with_answers(answers, files.collect()))
}

/// What is found and not accepted by the baseline in `path`.
async fn accepted(context: &Context, args: &Args, path: &Path) -> Result<Findings, Report> {
    let mut findings = found(context, args).await?;
    if !path.as_os_str().is_empty() {
        let gone = baseline::accept(&mut findings, path, levels::names_baseline(&context.settings))?;
        if gone > 0 && args.paths.is_empty() && args.since.is_none() && !args.stdin {
            let path = path.display();
            tracing::info!(
                "{gone} finding(s) of {path} are gone; `twostep lint --write-baseline` drops them"
            );
        }
    }
    Ok(findings)
}

fn judge(target: &Target, options: &Options) -> Findings {
    let mut linted = rules::lint(&target.folder, &target.chosen, Schema::new(target.dialect), options);
    target.keep_wanted(&mut linted.findings);
    // What may be applied somewhere keeps its text.
    let edited = linted.findings.iter_mut().filter(|finding| options.edited.contains_key(&finding.path));
    edited.for_each(|finding| finding.fix.clear());
    let mut findings = Findings::new();
    findings.add(linted, options.server, |path| target.shown(path));
    findings
}

/// How migrations in `dialect` are judged.
fn options(context: &Context, dialect: Dialect) -> Result<Options, Report> {
    let settings = &context.settings;
    let named = settings.optional("lint.server_version");
    let is_server_known = named.is_some();
    let server = match named {
        None => ServerVersion::usual(dialect),
        Some(text) => ServerVersion::parse(text, dialect).ok_or_else(|| {
            let origin = settings.origin("lint.server_version");
            Report::new(Exit::Usage, format!("{origin}: `{text}` is no version of {}", dialect.title()))
                .why("what a statement locks depends on it")
                .state("nothing was judged, nothing changed")
                .help("it looks like `16`, `8.0.35` or `mariadb 10.11`")
        })?,
    };
    let runner = if settings.text("lint.runner") == "other" { Runner::Other } else { Runner::Own };
    Ok(Options { runner, is_server_known, ..Options::new(server) })
}

/// What comes on standard input.
fn stdin() -> Result<String, Report> {
    let unreadable = |message: &str, why: String| {
        Report::new(Exit::Usage, message)
            .why(why)
            .state("nothing was judged, nothing changed")
            .help("give SQL as UTF-8 text: `twostep lint --stdin < FILE`")
    };
    let mut bytes = Vec::new();
    let wrong = "standard input cannot be read";
    std::io::stdin().lock().read_to_end(&mut bytes).map_err(|error| unreadable(wrong, error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|error| unreadable(wrong, error.to_string()))?;
    if text.trim().is_empty() {
        return Err(unreadable("standard input is empty", "there is nothing to judge".to_owned()));
    }
    Ok(text)
}
