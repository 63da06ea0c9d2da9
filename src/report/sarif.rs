//! SARIF 2.1.0, which code hosts and editors read
//! (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>).

use super::{Findings, Item, Look, Output};
use crate::rules::page;
use crate::rules::{Rule, Severity};
use crate::text::{LineIndex, Position, Span};
use serde_json::{Value, json};

/// The output.
pub static OUTPUT: Output = Output { id: "sarif", title: "SARIF 2.1.0, for code hosts and editors", write };

/// Where the schema of the form is kept.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

fn write(findings: &Findings, _: Look) -> String {
    let mut rules: Vec<&'static Rule> = findings.items.iter().map(|item| item.finding.rule).collect();
    rules.sort_by_key(|rule| rule.id);
    rules.dedup_by_key(|rule| rule.id);
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "twostep",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": "https://crates.io/crates/twostep",
                "rules": rules.iter().map(|rule| descriptor(rule)).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "results": findings.items.iter().map(|item| result(item, &rules)).collect::<Vec<_>>(),
        }],
    });
    super::plain_json(&log.to_string())
}

fn descriptor(rule: &Rule) -> Value {
    let text = page::document(rule);
    json!({
        "id": rule.id,
        "shortDescription": { "text": page::summary(rule) },
        "help": { "text": text, "markdown": text },
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": { "tags": [rule.group.id()] },
    })
}

fn result(item: &Item, rules: &[&Rule]) -> Value {
    let finding = &item.finding;
    let index = rules.iter().position(|rule| rule.id == finding.rule.id);
    let mut result = json!({
        "ruleId": finding.rule.id,
        "ruleIndex": index,
        "level": level(finding.severity),
        "message": { "text": super::prose(finding) },
        "locations": [{ "physicalLocation": {
            "artifactLocation": artifact(item),
            "region": region(finding.start, finding.end, finding.span.of(&item.text)),
        } }],
        "partialFingerprints": { "twostep/v1": item.fingerprint },
    });
    if !finding.fix.is_empty() {
        result["fixes"] = json!([fix(item)]);
    }
    result
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn artifact(item: &Item) -> Value {
    json!({ "uri": uri(&item.file) })
}

/// `path` as a relative reference (<https://www.rfc-editor.org/rfc/rfc3986#section-2.3>).
fn uri(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let part = |byte: u8| {
        if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    path.bytes().map(part).collect()
}

fn region(start: Position, end: Position, snippet: &str) -> Value {
    json!({
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
        "snippet": { "text": snippet },
    })
}

fn fix(item: &Item) -> Value {
    let lines = LineIndex::new(&item.text);
    let at = |span: Span| (lines.position(&item.text, span.start), lines.position(&item.text, span.end));
    let replacement = |edit: &crate::rules::rule::Edit| {
        let (start, end) = at(edit.span);
        json!({
            "deletedRegion": {
                "startLine": start.line, "startColumn": start.column,
                "endLine": end.line, "endColumn": end.column,
            },
            "insertedContent": { "text": edit.text },
        })
    };
    json!({
        "description": { "text": super::honest(item.finding.help.first().map_or("", String::as_str)) },
        "artifactChanges": [{
            "artifactLocation": artifact(item),
            "replacements": item.finding.fix.iter().map(replacement).collect::<Vec<_>>(),
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_relative_references() {
        assert_eq!(uri("db/1_a b.sql"), "db/1_a%20b.sql");
        assert_eq!(uri("<stdin>"), "%3Cstdin%3E");
        assert_eq!(uri("ä:%"), "%C3%A4%3A%25");
    }
}
