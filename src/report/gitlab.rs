//! A code quality report of GitLab, which its merge requests show
//! (<https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>).

use super::{Findings, Item, Look, Output};
use crate::rules::Severity;
use serde_json::{Value, json};

/// The output.
pub static OUTPUT: Output = Output { id: "gitlab", title: "a code quality report of GitLab", write };

fn write(findings: &Findings, _: Look) -> String {
    super::plain_json(&Value::Array(findings.items.iter().map(entry).collect()).to_string())
}

fn entry(item: &Item) -> Value {
    let finding = &item.finding;
    let severity = match finding.severity {
        Severity::Error => "critical",
        Severity::Warning => "major",
        Severity::Note => "info",
    };
    json!({
        "description": super::honest(&finding.message),
        "content": { "body": super::prose(finding) },
        "check_name": finding.rule.id,
        "fingerprint": item.fingerprint,
        "severity": severity,
        "location": {
            "path": item.file,
            "lines": { "begin": finding.start.line, "end": finding.end.line },
        },
    })
}
