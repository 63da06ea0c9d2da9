//! A finding: a draft of a rule, with its place in a file.

use super::rule::{At, Draft, Edit, Rule, Severity};
use crate::analysis::Step;
use crate::engine::proposal::Proposal;
use crate::source::{Body, Script};
use crate::text::{LineIndex, Position, Span};
use std::collections::HashMap;
use std::sync::Arc;

/// Something that a rule has found.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// How bad it is, by the rule and the settings.
    pub severity: Severity,
    /// The file, below the migrations folder.
    pub path: String,
    /// Where it is in the file.
    pub span: Span,
    /// Where it starts.
    pub start: Position,
    /// Where it ends.
    pub end: Position,
    /// What and where, in one line that stands alone.
    pub message: String,
    /// Why.
    pub why: String,
    /// What to do instead.
    pub help: Vec<String>,
    /// The two steps that do the same without harm, where they are known.
    pub proposal: Option<Proposal>,
    /// Edits of the file that do what the help says.
    pub fix: Vec<Edit>,
    /// The statement that it is about, as it stands in the file: a fingerprint of it outlives changes around it.
    pub statement: String,
}

/// Puts drafts in their places.
#[derive(Default)]
pub struct Places {
    lines: HashMap<String, LineIndex>,
}

impl Places {
    /// The finding that `draft` is. `steps` are those of the script that its place is counted in.
    pub fn finding(
        &mut self,
        rule: &'static Rule,
        severity: Severity,
        script: &Script,
        steps: &[Step],
        draft: Draft,
        proposal: Option<Proposal>,
    ) -> Finding {
        let file = text(script);
        let (span, step, exact) = match draft.at {
            Some(At::Statement(number, inner)) => of_step(&file, steps, number, Some(inner)),
            Some(At::Step(number)) => of_step(&file, steps, number, None),
            Some(At::Line(line)) => (span_of_line(&file, line), None, false),
            Some(At::File | At::Down) | None => (first_line(&file), None, false),
        };
        let (start, end) = self.positions(&script.path, &file, span);
        let statement = step.map_or_else(String::new, |step| step.sql.to_string());
        let base = step.map_or(0, |step| step.span.start);
        let shifted = |edit: Edit| Edit { span: edit.span.shifted(base), text: edit.text };
        Finding {
            rule,
            severity,
            path: script.path.clone(),
            span,
            start,
            end,
            message: draft.message,
            why: draft.why,
            help: draft.help,
            proposal,
            fix: if exact { draft.fix.into_iter().map(shifted).collect() } else { Vec::new() },
            statement,
        }
    }

    /// Where `span` of the file at `path` starts and ends.
    pub fn positions(&mut self, path: &str, file: &str, span: Span) -> (Position, Position) {
        if !self.lines.contains_key(path) {
            self.lines.insert(path.to_owned(), LineIndex::new(file));
        }
        let lines = &self.lines[path];
        (lines.position(file, span.start), lines.position(file, span.end))
    }
}

/// The text of the file that `script` stands in; empty where there is none.
pub fn text(script: &Script) -> Arc<str> {
    match &script.body {
        Body::Sql { file, .. } | Body::Statements { file, .. } => Arc::clone(file),
        Body::LargeFile { .. } | Body::Program { .. } => Arc::from(""),
    }
}

/// The place of the statement of number `number`, or of `inner` within it; whether its text is that of the file.
fn of_step<'s>(
    file: &str,
    steps: &'s [Step],
    number: usize,
    inner: Option<Span>,
) -> (Span, Option<&'s Step>, bool) {
    let Some(step) = steps.get(number) else { return (first_line(file), None, false) };
    // A format may send another text than its file holds; then only the statement's own place is known.
    let exact = step.span.of(file) == &*step.sql;
    let span = match inner.filter(|inner| exact && !inner.is_empty()) {
        Some(inner) => inner.shifted(step.span.start),
        None => step.span,
    };
    (span, Some(step), exact)
}

fn first_line(file: &str) -> Span {
    Span::new(0, file.find('\n').unwrap_or(file.len()))
}

fn span_of_line(file: &str, line: usize) -> Span {
    let mut start = 0;
    for text in file.split_inclusive('\n').take(line.saturating_sub(1)) {
        start += text.len();
    }
    let length = file[start..].find('\n').unwrap_or(file.len() - start);
    Span::new(start, start + length)
}
