//! `twostep compat`: what becomes of the queries of old and new code at each stage of a deploy. No database, but for a
//! scratch one with `--verify`.

use crate::cli::commands::roundtrip::ScratchArgs;
use crate::cli::context::Context;
use crate::cli::evidence;
use crate::cli::exit::Exit;
use crate::cli::lint::since;
use crate::cli::lint::target::{Finder, Target};
use crate::cli::printer::Report;
use crate::cli::verify;
use crate::compat::judge::Verdict;
use crate::compat::matrix::matrix;
use crate::compat::report::{Code, CompatReport, Row};
use crate::compat::running::Running;
use crate::compat::stages::{Deploy, deploy};
use crate::compat::verify::{Answers, Asked};
use crate::evidence::model::{Evidence, FILE_NAME};
use crate::schema::model::Schema;
use crate::source::ReadOptions;
use std::path::{Path, PathBuf};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The migrations of the deploy; earlier ones beside them are their context (default: the newest one)
    #[arg(value_name = "PATHS")]
    paths: Vec<PathBuf>,

    /// The deploy is what is new since this revision (git)
    #[arg(long, value_name = "REV")]
    since: Option<String>,

    /// Evidence of the code that is running
    #[arg(long, value_name = "FILE", default_value = FILE_NAME)]
    evidence: PathBuf,

    /// Evidence of the code that is deployed
    #[arg(long, value_name = "FILE")]
    new_evidence: Option<PathBuf>,

    /// Ask a server too: every query is prepared at every stage, on a scratch database
    #[arg(long)]
    verify: bool,

    /// Where the scratch database is
    #[command(flatten)]
    scratch: ScratchArgs,

    /// How it is written
    #[arg(long, default_value = "text", value_parser = ["text", "json", "markdown"])]
    format: String,

    /// What ends with exit code 1
    #[arg(long, value_name = "VERDICT", default_value = "writes-wrongly",
        value_parser = ["fails", "writes-wrongly", "other-result", "not-certain", "never"])]
    fail_on: String,
}

/// Judges, and prints the matrix.
pub async fn run(context: &Context, args: &Args) -> Result<Exit, Report> {
    let old = evidence::read(&args.evidence)?;
    let new = args.new_evidence.as_deref().map(evidence::read).transpose()?;
    let target = target(context, args, &old)?;
    let deploy = deploy(&target.folder, &target.chosen, Schema::new(target.dialect));
    let all = || old.queries.iter().chain(new.iter().flat_map(|new| &new.queries));
    let answers = match args.verify {
        true => {
            let queries: Vec<String> = all().map(|query| query.sql.clone()).collect();
            Some(verify::ask(context, &args.scratch, &target, &queries).await?)
        }
        false => None,
    };
    let mut report = CompatReport {
        stages: deploy.stages.iter().map(|stage| stage.label.clone()).collect(),
        gaps: old.gaps(),
        verified: answers.as_ref().map(|answers| answers.server.clone()),
        ..CompatReport::default()
    };
    let old_answers = answers.as_ref().map(|answers| answers.of(0..old.queries.len()));
    add(&mut report, Code::Old, &old, &deploy.before, &deploy, old_answers);
    if let Some(new) = &new {
        let range = old.queries.len()..old.queries.len() + new.queries.len();
        let answers = answers.as_ref().map(|answers| answers.of(range).of_new_code());
        add(&mut report, Code::New, new, deploy.after(), &deploy, answers);
    }
    let text = match args.format.as_str() {
        "json" => report.json(),
        "markdown" => report.markdown(),
        _ => report.text(),
    };
    context.printer.result(text.trim_end());
    let least = match args.fail_on.as_str() {
        "fails" => Some(Verdict::Fails),
        "writes-wrongly" => Some(Verdict::WritesWrongly),
        "other-result" => Some(Verdict::OtherResult),
        "not-certain" => Some(Verdict::NotCertain),
        _ => None,
    };
    Ok(if least.is_some_and(|least| report.worst() >= least) { Exit::Findings } else { Exit::Done })
}

/// Adds the queries of `evidence`, whose code knows the schema `home`.
fn add(
    report: &mut CompatReport,
    code: Code,
    evidence: &Evidence,
    home: &Schema,
    deploy: &Deploy,
    answers: Option<Answers>,
) {
    let running = Running::new(evidence);
    let (queries, prepared) = running.queries();
    let mut found = matrix(prepared, home, &deploy.stages);
    if let Some(answers) = answers {
        for (at, row) in found.rows.iter_mut().enumerate() {
            let asked = Asked {
                sql: &queries[at].sql,
                dialect: home.dialect,
                is_unread: prepared[at].read().is_err(),
            };
            answers.verify(at, asked, row);
        }
    }
    let rows = queries.iter().cloned().zip(found.rows);
    report.queries.extend(rows.map(|(query, verdicts)| Row { code, query, verdicts }));
}

/// The migrations of the deploy.
fn target(context: &Context, args: &Args, evidence: &Evidence) -> Result<Target, Report> {
    let finder = Finder { context, engine: evidence.dialect() };
    let mut targets = finder.targets(&args.paths)?;
    if targets.len() > 1 {
        return Err(Report::new(Exit::Usage, "the paths are not all of one folder of migrations")
            .why("a deploy has one order of migrations")
            .state("nothing was judged, nothing changed")
            .help("name one folder, or files of one"));
    }
    let mut target = targets.remove(0);
    if let Some(revision) = &args.since {
        let read =
            ReadOptions { variables: context.settings.variables.clone(), dialect: Some(target.dialect) };
        since::narrow(&mut target, revision, &read)?;
    } else if target.named.is_none() {
        // A whole folder: its newest migration is what a deploy brings.
        let newest = target.chosen.pop();
        target.chosen = newest.into_iter().collect();
    }
    Ok(target)
}

/// Where the evidence is, if it is there.
pub fn default_file() -> Option<&'static Path> {
    let path = Path::new(FILE_NAME);
    path.exists().then_some(path)
}
