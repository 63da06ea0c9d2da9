//! One JSON object with everything that is known of each finding, for programs. `docs/lint.schema.json` describes it.

use super::{Findings, Item, Look, Output};
use crate::engine::proposal::Proposal;
use crate::rules::Severity;
use crate::text::LineIndex;
use serde::Serialize;

/// The output.
pub static OUTPUT: Output = Output { id: "json", title: "one JSON object, for programs", write };

#[derive(Serialize)]
struct Document<'f> {
    version: &'static str,
    servers: Vec<String>,
    summary: Counts,
    findings: Vec<Entry<'f>>,
}

#[derive(Serialize)]
struct Counts {
    errors: usize,
    warnings: usize,
    notes: usize,
    allowed: usize,
    accepted: usize,
    migrations: usize,
    statements: usize,
}

#[derive(Serialize)]
struct Entry<'f> {
    rule: &'static str,
    group: &'static str,
    severity: &'static str,
    file: &'f str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    start: usize,
    end: usize,
    message: &'f str,
    why: &'f str,
    help: String,
    statement: &'f str,
    two_steps: Option<TwoSteps<'f>>,
    fix: Option<Vec<Change<'f>>>,
    fingerprint: &'f str,
}

#[derive(Serialize)]
struct TwoSteps<'f> {
    expand: Vec<String>,
    backfill: Vec<String>,
    code: &'f str,
    contract: Vec<String>,
    limits: &'f [String],
}

#[derive(Serialize)]
struct Change<'f> {
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    start: usize,
    end: usize,
    text: &'f str,
}

fn write(findings: &Findings, _: Look) -> String {
    let summary = &findings.summary;
    let document = Document {
        version: env!("CARGO_PKG_VERSION"),
        servers: findings.servers.iter().map(ToString::to_string).collect(),
        summary: Counts {
            errors: findings.count(Severity::Error),
            warnings: findings.count(Severity::Warning),
            notes: findings.count(Severity::Note),
            allowed: summary.allowed,
            accepted: summary.accepted,
            migrations: summary.migrations,
            statements: summary.statements,
        },
        findings: findings.items.iter().map(entry).collect(),
    };
    let text = serde_json::to_string(&document).expect("texts and numbers can always be written");
    super::plain_json(&text)
}

fn entry(item: &Item) -> Entry<'_> {
    let finding = &item.finding;
    Entry {
        rule: finding.rule.id,
        group: finding.rule.group.id(),
        severity: finding.severity.id(),
        file: &item.file,
        line: finding.start.line,
        column: finding.start.column,
        end_line: finding.end.line,
        end_column: finding.end.column,
        start: finding.span.start,
        end: finding.span.end,
        message: &finding.message,
        why: &finding.why,
        help: finding.help.join("\n"),
        statement: &finding.statement,
        two_steps: finding.proposal.as_ref().map(two_steps),
        fix: (!finding.fix.is_empty()).then(|| fix(item)),
        fingerprint: &item.fingerprint,
    }
}

fn two_steps(proposal: &Proposal) -> TwoSteps<'_> {
    TwoSteps {
        expand: proposal.expand_lines(),
        backfill: proposal.backfill_lines(),
        code: &proposal.code,
        contract: proposal.contract_lines(),
        limits: &proposal.limits,
    }
}

/// The edits that do what the help says.
fn fix(item: &Item) -> Vec<Change<'_>> {
    let lines = LineIndex::new(&item.text);
    let edits = item.finding.fix.iter().map(|edit| {
        let from = lines.position(&item.text, edit.span.start);
        let to = lines.position(&item.text, edit.span.end);
        Change {
            line: from.line,
            column: from.column,
            end_line: to.line,
            end_column: to.column,
            start: edit.span.start,
            end: edit.span.end,
            text: &edit.text,
        }
    });
    edits.collect()
}
