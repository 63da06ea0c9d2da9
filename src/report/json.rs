//! One JSON object with everything that is known of each finding, for programs. `docs/lint.schema.json` describes it.

use super::{Findings, Item, Look, Output};
use crate::engine::proposal::Proposal;
use crate::rules::Severity;
use crate::text::LineIndex;
use serde_json::{Value, json};

/// The output.
pub static OUTPUT: Output = Output { id: "json", title: "one JSON object, for programs", write };

fn write(findings: &Findings, _: Look) -> String {
    let summary = &findings.summary;
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "servers": findings.servers.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "summary": {
            "errors": findings.count(Severity::Error),
            "warnings": findings.count(Severity::Warning),
            "notes": findings.count(Severity::Note),
            "allowed": summary.allowed,
            "accepted": summary.accepted,
            "migrations": summary.migrations,
            "statements": summary.statements,
        },
        "findings": findings.items.iter().map(finding).collect::<Vec<_>>(),
    })
    .to_string()
}

fn finding(item: &Item) -> Value {
    let finding = &item.finding;
    json!({
        "rule": finding.rule.id,
        "group": finding.rule.group.id(),
        "severity": finding.severity.id(),
        "file": item.file,
        "line": finding.start.line,
        "column": finding.start.column,
        "end_line": finding.end.line,
        "end_column": finding.end.column,
        "start": finding.span.start,
        "end": finding.span.end,
        "message": finding.message,
        "why": finding.why,
        "help": finding.help.join("\n"),
        "statement": finding.statement,
        "two_steps": finding.proposal.as_ref().map(two_steps),
        "fix": fix(item),
        "fingerprint": item.fingerprint,
    })
}

fn two_steps(proposal: &Proposal) -> Value {
    json!({
        "expand": proposal.expand_lines(),
        "backfill": proposal.backfill_lines(),
        "code": proposal.code,
        "contract": proposal.contract_lines(),
        "limits": proposal.limits,
    })
}

/// The edits that do what the help says; null where none is known that changes nothing else.
fn fix(item: &Item) -> Value {
    if item.finding.fix.is_empty() {
        return Value::Null;
    }
    let lines = LineIndex::new(&item.text);
    let edits = item.finding.fix.iter().map(|edit| {
        let (from, to) =
            (lines.position(&item.text, edit.span.start), lines.position(&item.text, edit.span.end));
        json!({
            "line": from.line, "column": from.column, "end_line": to.line, "end_column": to.column,
            "start": edit.span.start, "end": edit.span.end, "text": edit.text,
        })
    });
    Value::Array(edits.collect())
}
