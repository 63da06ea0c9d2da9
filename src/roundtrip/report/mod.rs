//! A round trip's findings, for people and for programs: one file per output, and the list of all of them. Pure.
//!
//! A new output is one file and a line in [`OUTPUTS`].

mod json;
mod junit;
mod markdown;
mod text;

use super::verdict::Findings;

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
    /// Whether each migration has a line, also where nothing is to be said of it.
    pub all: bool,
}

/// All outputs, the usual one first.
pub static OUTPUTS: &[&Output] = &[&text::OUTPUT, &json::OUTPUT, &junit::OUTPUT, &markdown::OUTPUT];

/// The output called `id`.
pub fn by_id(id: &str) -> Option<&'static Output> {
    OUTPUTS.iter().copied().find(|output| output.id == id)
}

/// Up to this many lines of a diff are shown to people; the rest is counted.
const DIFF_LINES_MAX: usize = 60;

/// A diff as people are shown it.
fn shortened(diff: &str) -> String {
    let lines: Vec<&str> = diff.lines().collect();
    if lines.len() <= DIFF_LINES_MAX {
        return lines.join("\n");
    }
    let rest = lines.len() - DIFF_LINES_MAX;
    format!("{}\n… {rest} more lines: --format json has them", lines[..DIFF_LINES_MAX].join("\n"))
}

/// A duration as people read it.
fn shown(duration: std::time::Duration) -> String {
    format!("{}.{} s", duration.as_secs(), duration.subsec_millis() / 100)
}

/// One sentence on the chain.
fn chain_sentence(chain: &super::verdict::Chain) -> String {
    let from = chain.behind.as_ref().map_or_else(String::new, |last| format!(" behind {last}"));
    let (taken_back, of) = (chain.taken_back, chain.of);
    match (of, chain.problems.is_empty()) {
        (0, true) => "nothing to take back".to_owned(),
        (_, true) => format!("all {of}{from} taken back and applied again, the same database twice"),
        (_, false) => format!("{taken_back} of {of}{from} taken back; it does not close"),
    }
}
