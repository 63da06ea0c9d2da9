//! Proofs, for people and for programs: one file per output, and the list of all of them. Pure.

mod json;
mod markdown;
mod text;

use super::verdict::Proofs;

/// A way to write proofs down.
#[derive(Debug)]
pub struct Output {
    /// The name used in arguments.
    pub id: &'static str,
    /// Writes it.
    pub write: fn(&Proofs) -> String,
}

/// All outputs, the usual one first.
pub static OUTPUTS: &[&Output] = &[&text::OUTPUT, &json::OUTPUT, &markdown::OUTPUT];

/// The output called `id`.
pub fn by_id(id: &str) -> Option<&'static Output> {
    OUTPUTS.iter().copied().find(|output| output.id == id)
}

/// How many claims hold, do not, and were not asked.
fn summary(proofs: &Proofs) -> String {
    use super::verdict::Outcome;
    let checks = || proofs.proofs.iter().flat_map(|proof| &proof.checks);
    let held = checks().filter(|check| check.outcome == Outcome::Holds).count();
    let asked_not = checks().filter(|check| matches!(check.outcome, Outcome::NotAsked(_))).count();
    let (deploys, failures) = (proofs.proofs.len(), proofs.failures());
    let s = if deploys == 1 { "" } else { "s" };
    let mut parts = vec![format!("{held} claims hold")];
    if failures > 0 {
        parts.push(format!("{failures} do not"));
    }
    if asked_not > 0 {
        parts.push(format!("{asked_not} not asked"));
    }
    format!("{deploys} deploy{s}: {}", parts.join(", "))
}
