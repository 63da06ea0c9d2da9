//! What lint has found, for people and for programs: one file per output, and the list of all of them.
//!
//! - `findings`: what all outputs are written from.
//!
//! A new output is one file and a line in [`OUTPUTS`].

mod findings;
mod json;
mod text;

pub use findings::{Findings, Item, Summary};

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
}

/// All outputs, the usual one first.
pub static OUTPUTS: &[&Output] = &[&text::OUTPUT, &json::OUTPUT];

/// The output called `id`.
pub fn by_id(id: &str) -> Option<&'static Output> {
    OUTPUTS.iter().copied().find(|output| output.id == id)
}
