//! For people: each finding with the lines that it is about, why it is one, and what to do instead.

use super::{Findings, Item, Look, Output};
use crate::rules::Severity;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::fmt::Write as _;

/// The output.
pub static OUTPUT: Output = Output { id: "text", title: "for people", write };

/// Of a long statement this many lines are shown.
const LINES_MAX: usize = 8;

fn write(findings: &Findings, look: Look) -> String {
    let renderer = if look.colours { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for item in &findings.items {
        out.push_str(&finding(item, &renderer));
        out.push_str("\n\n");
    }
    out.push_str(&summary(findings));
    out
}

fn finding(item: &Item, renderer: &Renderer) -> String {
    let finding = &item.finding;
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(&*finding.message).id(finding.rule.id);
    let (from, to) = shown_part(item);
    let part = &item.text[from..to];
    let start = finding.span.start.clamp(from, to) - from;
    let end = finding.span.end.clamp(from, to) - from;
    let snippet = Snippet::source(part)
        .line_start(finding.start.line)
        .path(&*item.file)
        .fold(false)
        .annotation(AnnotationKind::Primary.span(start..end.max(start)));
    let mut group: Group<'_> = title.element(snippet);
    group = group.element(Level::NOTE.with_name("why").message(&*finding.why));
    for help in &finding.help {
        group = group.element(Level::HELP.message(&**help));
    }
    if let Some(proposal) = &finding.proposal {
        group = group.element(Level::HELP.with_name("two steps").message(proposal.text()));
    }
    renderer.render(&[group]).to_string()
}

/// The lines that `item` is about, as bytes of its text: whole lines, the first of many.
fn shown_part(item: &Item) -> (usize, usize) {
    let (text, span) = (&item.text, item.finding.span);
    let from = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let lines = text[from..].match_indices('\n').take(LINES_MAX).map(|(at, _)| from + at);
    let mut to = text.len();
    for end in lines {
        to = end;
        if end >= span.end {
            break;
        }
    }
    (from, to)
}

fn summary(findings: &Findings) -> String {
    let summary = &findings.summary;
    let mut out = String::new();
    let counted = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let found: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
        .into_iter()
        .map(|severity| (findings.count(severity), severity))
        .filter(|(count, _)| *count > 0)
        .map(|(count, severity)| counted(count, severity.id()))
        .collect();
    let found = if found.is_empty() { "nothing found".to_owned() } else { found.join(", ") };
    let servers = findings.servers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    let _ = write!(out, "{found} in {} for {servers}", counted(summary.migrations, "migration"));
    for (count, word) in [(summary.allowed, "allowed"), (summary.accepted, "in the baseline")] {
        if count > 0 {
            let _ = write!(out, "; {count} {word}");
        }
    }
    out.push('\n');
    out
}
