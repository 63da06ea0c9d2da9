//! What lint has found, for people and for programs: one file per output, and the list of all of them.
//!
//! - `findings`: what all outputs are written from.
//!
//! A new output is one file and a line in [`OUTPUTS`].

mod findings;
mod github;
mod gitlab;
mod json;
mod junit;
mod markdown;
mod sarif;
mod text;

pub use findings::{Findings, Item, Summary};

use crate::rules::{Finding, Severity};

/// A way to write findings down.
#[derive(Debug)]
pub struct Output {
    /// The name used in arguments.
    pub id: &'static str,
    /// What it is for.
    pub title: &'static str,
    /// Writes it.
    pub write: fn(&Findings, Look) -> String,
}

/// How an output for people looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// Whether with colours.
    pub colours: bool,
    /// How bad a finding must be to fail the run; none where no finding does.
    pub fail_on: Option<Severity>,
}

/// All outputs, the usual one first.
pub static OUTPUTS: &[&Output] = &[
    &text::OUTPUT,
    &json::OUTPUT,
    &sarif::OUTPUT,
    &github::OUTPUT,
    &gitlab::OUTPUT,
    &markdown::OUTPUT,
    &junit::OUTPUT,
];

/// The output called `id`.
pub fn by_id(id: &str) -> Option<&'static Output> {
    OUTPUTS.iter().copied().find(|output| output.id == id)
}

/// Everything that is said of a finding, as plain text.
fn prose(finding: &Finding) -> String {
    let mut text = format!("{}\nwhy: {}", finding.message, finding.why);
    for help in &finding.help {
        text.push_str("\nhelp: ");
        text.push_str(help);
    }
    if let Some(proposal) = &finding.proposal {
        text.push_str("\nin two steps:\n");
        text.push_str(&proposal.text());
    }
    text
}
