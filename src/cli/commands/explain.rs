//! `twostep explain`: the page of a rule, or the list of all rules.

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::printer::Report;
use crate::rules::page;
use crate::rules::{self, RULES, Rule};
use crate::text::nearest;
use serde_json::json;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The rule; without it, the list of all rules
    #[arg(value_name = "RULE")]
    rule: Option<String>,

    /// text or json
    #[arg(long, default_value = "text", value_parser = ["text", "json"])]
    format: String,
}

/// Prints it.
pub fn run(context: &Context, args: &Args) -> Result<Exit, Report> {
    let rules = match &args.rule {
        None => RULES.to_vec(),
        Some(id) => vec![rules::by_id(id).ok_or_else(|| unknown(id))?],
    };
    let text = match (args.format.as_str(), &args.rule) {
        ("json", _) => json(&rules),
        (_, Some(_)) => page::document(rules[0]),
        (_, None) => list(&rules),
    };
    context.printer.result(&text);
    Ok(Exit::Done)
}

fn unknown(id: &str) -> Report {
    let report = Report::new(Exit::Usage, format!("there is no rule `{id}`"))
        .why("a rule is called by its id, as findings show it in brackets")
        .state("nothing changed");
    match nearest(id, RULES.iter().map(|rule| rule.id)) {
        Some(near) => report.help(format!("did you mean `{near}`?")),
        None => report.help("`twostep explain` lists all rules"),
    }
}

fn list(rules: &[&Rule]) -> String {
    let width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let line = |rule: &&Rule| {
        let (severity, group) = (rule.severity.id(), rule.group.id());
        format!("{:width$}  {severity:7}  {group:6}  {}\n", rule.id, page::summary(rule))
    };
    rules.iter().map(line).collect()
}

fn json(rules: &[&Rule]) -> String {
    let rules: Vec<_> = rules
        .iter()
        .map(|rule| {
            json!({
                "rule": rule.id,
                "severity": rule.severity.id(),
                "group": rule.group.id(),
                "engines": rule.engines.iter().map(|engine| engine.id()).collect::<Vec<_>>(),
                "summary": page::summary(rule),
                "page": page::document(rule),
            })
        })
        .collect();
    json!({ "rules": rules }).to_string()
}
