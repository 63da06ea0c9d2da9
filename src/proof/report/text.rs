//! For people on a terminal: each claim in a line, what is wrong below it.

use super::{Output, summary};
use crate::proof::verdict::{Outcome, Point, Proof, Proofs};
use std::fmt::Write as _;

/// The output.
pub static OUTPUT: Output = Output { id: "text", write };

fn write(proofs: &Proofs) -> String {
    let mut out = String::new();
    for proof in &proofs.proofs {
        one(proof, &mut out);
    }
    let (server, place) = (&proofs.server, &proofs.place);
    let took = proofs.duration;
    let _ = writeln!(
        out,
        "{} on {server} ({place}) in {}.{} s",
        summary(proofs),
        took.as_secs(),
        took.subsec_millis() / 100
    );
    out
}

fn one(proof: &Proof, out: &mut String) {
    let _ = writeln!(out, "{}: {}", proof.label, proof.files.join(", "));
    for point in Point::ALL {
        if proof.of(point).next().is_none() {
            continue;
        }
        let _ = writeln!(out, "  {}", point.title());
        for check in proof.of(point) {
            match &check.outcome {
                Outcome::Holds => {
                    let _ = writeln!(out, "    holds      {}", check.claim);
                }
                Outcome::NotAsked(why) => {
                    let _ = writeln!(out, "    not asked  {}: {}", check.claim, why.replace('\n', " "));
                }
                Outcome::Fails { why, diff } => {
                    let _ = writeln!(out, "    FAILS      {}", check.claim);
                    for line in why.iter().flat_map(|why| why.lines()).chain(diff.lines()) {
                        let _ = writeln!(out, "      {line}");
                    }
                }
            }
        }
    }
    for note in &proof.notes {
        let _ = writeln!(out, "  note: {}", note.replace('\n', " "));
    }
    out.push('\n');
}
