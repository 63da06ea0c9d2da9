//! For people on a terminal: a table, what is wrong with its diff, and one line that sums up.

use super::{Look, Output, chain_sentence, shortened, shown};
use crate::roundtrip::verdict::{Findings, Judgement, Verdict};
use std::fmt::Write as _;

/// The output.
pub static OUTPUT: Output = Output { id: "text", title: "a table and diffs, for people", write };

fn write(findings: &Findings, look: Look) -> String {
    let mut out = String::new();
    table(findings, look, &mut out);
    for judged in findings.migrations.iter().filter(|judged| tells_more(judged)) {
        details(judged, &mut out);
    }
    if let Some(chain) = &findings.chain {
        let known = chain.allowed.as_ref().map_or_else(String::new, |why| format!(" (known: {why})"));
        let _ = writeln!(out, "\nall in a row: {}{known}", chain_sentence(chain));
        for line in chain.problems.iter().chain(&chain.notes) {
            let _ = writeln!(out, "  {line}");
        }
        block(&shortened(&chain.diff), &mut out);
    }
    section("seeds", &findings.seeds, &mut out);
    section("missing on the scratch server", &findings.prerequisites, &mut out);
    section("note", &findings.notes, &mut out);
    let _ = writeln!(out, "\n{}", summary(findings));
    out.trim_start_matches('\n').to_owned()
}

fn section(title: &str, lines: &[String], out: &mut String) {
    for line in lines {
        let _ = write!(out, "\n{title}: {line}");
    }
    if !lines.is_empty() {
        out.push('\n');
    }
}

fn table(findings: &Findings, look: Look, out: &mut String) {
    let is_shown = |judged: &&Judgement| look.all || judged.verdict != Verdict::Exact;
    let rows: Vec<&Judgement> = findings.migrations.iter().filter(is_shown).collect();
    let width = rows.iter().map(|judged| judged.label.chars().count()).max().unwrap_or(0);
    for judged in rows {
        let known = judged.allowed.as_ref().map_or_else(String::new, |why| format!(" (known: {why})"));
        let _ = writeln!(out, "{:width$}  {}{known}", judged.label, judged.verdict.title());
    }
}

/// Whether there is more to say of it than its verdict.
fn tells_more(judged: &Judgement) -> bool {
    let known = matches!(judged.verdict, Verdict::Exact | Verdict::NoDown);
    judged.allowed.is_none() && (!known || !judged.notes.is_empty() && judged.verdict != Verdict::Exact)
}

fn details(judged: &Judgement, out: &mut String) {
    let _ = writeln!(out, "\n{}: {} ({})", judged.label, judged.verdict.title(), judged.path);
    for note in judged.notes.iter().chain(&judged.rows) {
        let _ = writeln!(out, "  {}", note.replace('\n', "\n    "));
    }
    block(&shortened(&judged.diff), out);
}

fn block(text: &str, out: &mut String) {
    for line in text.lines() {
        let _ = writeln!(out, "  {line}");
    }
}

fn summary(findings: &Findings) -> String {
    let count = findings.migrations.len();
    let s = if count == 1 { "" } else { "s" };
    let parts: Vec<String> = Verdict::ALL
        .into_iter()
        .map(|verdict| (findings.count(verdict), verdict))
        .filter(|(count, _)| *count > 0)
        .map(|(count, verdict)| format!("{count} {}", verdict.title()))
        .collect();
    let verdicts = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    let earlier = match findings.earlier {
        0 => String::new(),
        earlier => format!(" on top of {earlier} earlier"),
    };
    let (server, place, time) = (&findings.server, &findings.place, shown(findings.duration));
    format!("{count} migration{s}{earlier} on {server} ({place}) in {time}{verdicts}")
}
