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
use crate::text::{deceives, visible};
use std::fmt::Write as _;

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

/// Everything that is said of a finding, as plain text in which nothing deceives.
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
    honest(&text)
}

/// `text` as people see it: what would turn the direction of what follows, or move the cursor, is made visible, so that
/// neither a file's name nor its SQL looks like another one. The line ends of Windows are no part of it.
fn honest(text: &str) -> String {
    visible(&text.replace("\r\n", "\n"))
}

/// JSON whose values are exact and whose text deceives nobody: such characters, which stand in strings only, are escaped.
fn plain_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if deceives(character) {
            // All of them are in the first plane; writing to a String cannot fail.
            let _ = write!(out, "\\u{:04x}", u32::from(character));
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_deceives() {
        assert_eq!(honest("a\u{202e}b\r\n\tc\u{1b}"), "a\\u{202e}b\n\tc\\u{1b}");
        let json = serde_json::to_string("a\u{202e}\u{7f}\u{9b}\n").unwrap();
        let plain = plain_json(&json);
        assert_eq!(plain, r#""a\u202e\u007f\u009b\n""#);
        assert_eq!(serde_json::from_str::<String>(&plain).unwrap(), "a\u{202e}\u{7f}\u{9b}\n");
    }
}
