//! Markdown for a comment on a pull request or a job's summary.

use super::{Output, summary};
use crate::proof::verdict::{Outcome, Point, Proof, Proofs};
use std::fmt::Write as _;

/// The output.
pub static OUTPUT: Output = Output { id: "markdown", write };

fn write(proofs: &Proofs) -> String {
    let headline = match proofs.failures() {
        0 => "proved",
        _ => "not proved",
    };
    let mut out = format!("### twostep plan --verify: {headline}\n\n");
    for proof in &proofs.proofs {
        one(proof, &mut out);
    }
    let _ = writeln!(out, "{} on {}", summary(proofs), proofs.server);
    out
}

fn one(proof: &Proof, out: &mut String) {
    let _ = writeln!(out, "**{}**\n\n| | claim |\n|---|---|", cell(&proof.label));
    let mut details = String::new();
    for check in Point::ALL.into_iter().flat_map(|point| proof.of(point)) {
        let word = match &check.outcome {
            Outcome::Holds => "holds",
            Outcome::NotAsked(_) => "not asked",
            Outcome::Fails { why, diff } => {
                let text = format!("{}\n{diff}", why.join("\n"));
                // A fence longer than any in the text.
                let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
                let fence = "`".repeat(longest.max(2) + 1);
                let _ = writeln!(
                    details,
                    "\n<details><summary>{}</summary>\n\n{fence}diff\n{}\n{fence}\n\n</details>",
                    cell(&check.claim),
                    text.trim()
                );
                "**fails**"
            }
        };
        let _ = writeln!(out, "| {word} | {} |", cell(&check.claim));
    }
    out.push_str(&details);
    for note in &proof.notes {
        let _ = writeln!(out, "\nnote: {}", cell(note));
    }
    out.push('\n');
}

/// `text` in one line that is no markup.
fn cell(text: &str) -> String {
    text.replace(['\n', '\r'], " ").replace('|', "\\|").replace('<', "&lt;")
}
