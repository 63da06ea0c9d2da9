//! Markdown for a comment on a pull request or a job's summary: what is wrong, each diff folded away.

use super::{Look, Output, chain_sentence, shortened, shown};
use crate::roundtrip::verdict::{Findings, Judgement, Verdict};
use std::fmt::Write as _;

/// The output.
pub static OUTPUT: Output = Output { id: "markdown", title: "a comment for a pull request", write };

fn write(findings: &Findings, look: Look) -> String {
    let failures = findings.failures();
    let headline = match failures {
        0 => "every down undoes its up".to_owned(),
        1 => "1 round trip does not close".to_owned(),
        many => format!("{many} round trips do not close"),
    };
    let mut out = format!("### twostep roundtrip: {headline}\n\n");
    let is_shown = |judged: &&Judgement| look.all || judged.verdict != Verdict::Exact;
    let rows: Vec<&Judgement> = findings.migrations.iter().filter(is_shown).collect();
    if !rows.is_empty() {
        out.push_str("| migration | verdict | |\n|---|---|---|\n");
    }
    for judged in rows {
        let mark = if judged.is_failure() { "**" } else { "" };
        let known = match (&judged.allowed, judged.verdict) {
            (Some(why), _) => format!("known: {why}"),
            (
                None,
                Verdict::Irreversible | Verdict::DownFails | Verdict::UpFails | Verdict::SecondUpFails,
            ) => judged.notes.first().cloned().unwrap_or_default(),
            (None, _) => judged.rows.first().cloned().unwrap_or_default(),
        };
        let title = judged.verdict.title();
        let _ = writeln!(out, "| {} | {mark}{title}{mark} | {} |", code(&judged.label), cell(&known));
    }
    for judged in findings.migrations.iter().filter(|judged| judged.is_failure() && !judged.diff.is_empty()) {
        folded(&format!("{}: {}", judged.label, judged.verdict.title()), &shortened(&judged.diff), &mut out);
    }
    if let Some(chain) = &findings.chain {
        let _ = writeln!(out, "\nAll in a row: {}.", cell(&chain_sentence(chain)));
        for problem in &chain.problems {
            let _ = writeln!(out, "- {}", cell(problem));
        }
        folded("all in a row", &shortened(&chain.diff), &mut out);
    }
    for line in findings.seeds.iter().chain(&findings.prerequisites).chain(&findings.notes) {
        let _ = writeln!(out, "- {}", cell(line));
    }
    let _ = writeln!(
        out,
        "\n{} migrations on {} ({}) in {}.",
        findings.migrations.len(),
        findings.server,
        findings.place,
        shown(findings.duration)
    );
    out
}

fn folded(title: &str, diff: &str, out: &mut String) {
    if diff.is_empty() {
        return;
    }
    // A fence longer than any in the text.
    let longest = diff.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let _ = writeln!(
        out,
        "\n<details><summary>{}</summary>\n\n{fence}diff\n{diff}\n{fence}\n\n</details>",
        cell(title)
    );
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'"))
}

/// `text` in one line that is no markup.
fn cell(text: &str) -> String {
    text.replace(['\n', '\r'], " ").replace('|', "\\|").replace('<', "&lt;")
}
