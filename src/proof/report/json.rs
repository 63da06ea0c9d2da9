//! One JSON object with everything that was found, for programs.

use super::Output;
use crate::proof::verdict::{Check, Outcome, Proof, Proofs};
use serde_json::{Value, json};

/// The output.
pub static OUTPUT: Output = Output { id: "json", write };

fn write(proofs: &Proofs) -> String {
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "server": proofs.server,
        "place": proofs.place,
        "duration_ms": u64::try_from(proofs.duration.as_millis()).unwrap_or(u64::MAX),
        "failures": proofs.failures(),
        "deploys": proofs.proofs.iter().map(deploy).collect::<Vec<_>>(),
    })
    .to_string()
}

fn deploy(proof: &Proof) -> Value {
    json!({
        "label": proof.label,
        "files": proof.files,
        "failures": proof.failures(),
        "notes": proof.notes,
        "duration_ms": u64::try_from(proof.duration.as_millis()).unwrap_or(u64::MAX),
        "claims": proof.checks.iter().map(claim).collect::<Vec<_>>(),
    })
}

fn claim(check: &Check) -> Value {
    let (outcome, why, diff): (&str, Vec<&str>, &str) = match &check.outcome {
        Outcome::Holds => ("holds", Vec::new(), ""),
        Outcome::NotAsked(why) => ("not-asked", vec![why], ""),
        Outcome::Fails { why, diff } => ("fails", why.iter().map(String::as_str).collect(), diff),
    };
    json!({ "point": check.point.id(), "claim": check.claim, "outcome": outcome, "why": why, "diff": diff })
}
