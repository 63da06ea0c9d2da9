//! `twostep doctor`: what stands in the way of a migration, and what to do. Reads only.

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::explain;
use crate::cli::printer::{Report, visible};
use crate::db::session::ConnectOptions;
use crate::doctor::{CHECKS, Level, Patient, Seen};
use serde_json::json;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// text or json
    #[arg(long, default_value = "text", value_parser = ["text", "json"])]
    format: String,

    /// Exit with 1 for warnings too, not only for problems
    #[arg(long)]
    strict: bool,
}

/// Makes all checks, and shows what they saw.
pub async fn run(context: &Context, args: &Args) -> Result<Exit, Report> {
    let url = context.url()?;
    let journal = context.journal(&url);
    // A file that is opened for reading only would look as if it could not be written.
    let options: ConnectOptions = context.connect_options();
    let mut session = context.connect(&url, &options).await?;
    let identity = session.identity().await.map_err(|error| explain::connect(&url, &error))?;
    let mut patient = Patient { url: &url, options: &options, journal: &journal, session, identity };
    let mut found: Vec<(&'static str, Seen)> = Vec::new();
    for check in CHECKS {
        let seen = match check.look(&mut patient).await {
            Ok(seen) => seen,
            // One that the server refuses does not keep the others from being made.
            Err(error) => vec![Seen::warning(
                format!("it could not be looked at: {}", url.redact(&error.to_string())),
                "let a role look that may, or see the server's own log",
            )],
        };
        found.extend(seen.into_iter().map(|seen| (check.id(), seen)));
    }
    patient.session.close().await;
    let text = if args.format == "json" { as_json(&url.to_string(), &found) } else { as_text(&found) };
    context.printer.result(&text);
    let worst = found.iter().map(|(_, seen)| seen.level).max().unwrap_or(Level::Fine);
    let least = if args.strict { Level::Warning } else { Level::Problem };
    Ok(if worst >= least { Exit::Findings } else { Exit::Done })
}

fn as_text(found: &[(&'static str, Seen)]) -> String {
    let width = found.iter().map(|(check, _)| check.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (check, seen) in found {
        text.push_str(&format!("{:8} {check:width$}  {}\n", seen.level.id(), visible(&seen.message)));
        if let Some(help) = &seen.help {
            text.push_str(&format!("{:8} {:width$}  help: {}\n", "", "", visible(help)));
        }
    }
    let count = |level| found.iter().filter(|(_, seen)| seen.level == level).count();
    let counted = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    };
    let (problems, warnings) = (count(Level::Problem), count(Level::Warning));
    text.push_str(&format!("\n{}, {}\n", counted(problems, "problem"), counted(warnings, "warning")));
    text
}

fn as_json(url: &str, found: &[(&'static str, Seen)]) -> String {
    let checks: Vec<_> = found
        .iter()
        .map(|(check, seen)| {
            json!({ "check": check, "level": seen.level.id(), "message": seen.message, "help": seen.help })
        })
        .collect();
    let report = json!({ "database": url, "checks": checks });
    serde_json::to_string_pretty(&report).expect("plain values have a JSON form")
}
