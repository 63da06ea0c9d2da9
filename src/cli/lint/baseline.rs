//! Findings that are accepted, so that only new ones fail: one reviewable file.

use crate::cli::exit::Exit;
use crate::cli::printer::Report;
use crate::report::Findings;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// The version of the file's form.
const VERSION: u64 = 1;

/// Takes from `findings` what the baseline in `path` accepts. Without the file that is nothing, unless it was `named`.
/// Gives how many of its findings are there no more.
pub fn accept(findings: &mut Findings, path: &Path, named: bool) -> Result<usize, Report> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => return Ok(0),
        Err(error) => {
            return Err(failed(format!("cannot read the baseline `{}`", path.display()), error.to_string())
                .help("`twostep lint --write-baseline` writes it"));
        }
    };
    let accepted = fingerprints(&text).map_err(|why| {
        failed(format!("`{}` is no baseline", path.display()), why)
            .help("`twostep lint --write-baseline` writes it anew")
    })?;
    let before = findings.items.len();
    let found: BTreeSet<String> = findings.items.iter().map(|item| item.fingerprint.clone()).collect();
    findings.items.retain(|item| !accepted.contains(&item.fingerprint));
    findings.summary.accepted = before - findings.items.len();
    Ok(accepted.difference(&found).count())
}

/// Writes a baseline that accepts all of `findings`: a line for each, so that a review shows what was added.
pub fn write(findings: &Findings, path: &Path) -> Result<(), Report> {
    let line = |item: &crate::report::Item| {
        let finding = &item.finding;
        json!({
            "file": finding.path, "rule": finding.rule.id, "message": finding.message,
            "fingerprint": item.fingerprint,
        })
        .to_string()
    };
    let mut lines: Vec<String> = findings.items.iter().map(line).collect();
    lines.sort();
    let list = if lines.is_empty() { String::new() } else { format!("\n    {}\n  ", lines.join(",\n    ")) };
    let text = format!("{{\n  \"version\": {VERSION},\n  \"findings\": [{list}]\n}}\n");
    std::fs::write(path, text).map_err(|error| {
        failed(format!("cannot write the baseline `{}`", path.display()), error.to_string())
            .help("name another file with --baseline")
    })
}

fn fingerprints(text: &str) -> Result<BTreeSet<String>, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if value["version"].as_u64() != Some(VERSION) {
        return Err(format!("its `version` is not {VERSION}"));
    }
    let list = value["findings"].as_array().ok_or("it has no list `findings`")?;
    let fingerprint = |entry: &Value| entry["fingerprint"].as_str().map(str::to_owned);
    list.iter().map(|entry| fingerprint(entry).ok_or("a finding has no `fingerprint`".to_owned())).collect()
}

fn failed(message: String, why: String) -> Report {
    Report::new(Exit::Usage, message).why(why).state("nothing changed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_baseline_says_why() {
        let good = r#"{"version": 1, "findings": [{"fingerprint": "a"}, {"fingerprint": "b", "x": 1}]}"#;
        assert_eq!(fingerprints(good).unwrap().len(), 2);
        assert!(fingerprints("{}").unwrap_err().contains("version"));
        assert!(fingerprints(r#"{"version": 1}"#).unwrap_err().contains("findings"));
        assert!(fingerprints(r#"{"version": 1, "findings": [1]}"#).unwrap_err().contains("fingerprint"));
        assert!(fingerprints("<<<<<<< HEAD").is_err());
    }
}
