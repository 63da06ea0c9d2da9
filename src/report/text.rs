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
    out.push_str(&findings.headline());
    out.push('\n');
    if let Some(first) = findings.items.first() {
        let _ = writeln!(out, "`twostep explain {}` says more, and so for each rule", first.finding.rule.id);
    }
    out
}

fn finding(item: &Item, renderer: &Renderer) -> String {
    let finding = &item.finding;
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let message = super::honest(&finding.message);
    let title = level.primary_title(&*message).id(finding.rule.id);
    let (from, to) = shown_part(item);
    let shown = |upto: usize| super::honest(&item.text[from..upto.clamp(from, to)]);
    let (start, end) = (shown(finding.span.start).len(), shown(finding.span.end).len());
    // A carriage return at a line's end is no part of what people read.
    let part = super::honest(item.text[from..to].trim_end_matches('\r'));
    let (start, end) = (start.min(part.len()), end.min(part.len()));
    let snippet = Snippet::source(part)
        .line_start(finding.start.line)
        .path(super::honest(&item.file))
        .fold(false)
        .annotation(AnnotationKind::Primary.span(start..end.max(start)));
    let mut group: Group<'_> = title.element(snippet);
    group = group.element(Level::NOTE.with_name("why").message(super::honest(&finding.why)));
    for help in &finding.help {
        group = group.element(Level::HELP.message(super::honest(help)));
    }
    if let Some(proposal) = &finding.proposal {
        group = group.element(Level::HELP.with_name("two steps").message(super::honest(&proposal.text())));
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
