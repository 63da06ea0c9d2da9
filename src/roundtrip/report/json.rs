//! One JSON object with everything that was found, for programs: `docs/roundtrip.schema.json` describes it.

use super::{Look, Output};
use crate::roundtrip::verdict::{Chain, Findings, Judgement, Verdict};
use serde_json::{Map, Value, json};

/// The output.
pub static OUTPUT: Output = Output { id: "json", title: "one JSON object, for programs", write };

fn write(findings: &Findings, _: Look) -> String {
    let counts: Map<String, Value> = Verdict::ALL
        .into_iter()
        .map(|verdict| (verdict.id().to_owned(), findings.count(verdict).into()))
        .collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "server": findings.server,
        "place": findings.place,
        "duration_ms": milliseconds(findings.duration),
        "failures": findings.failures(),
        "earlier": findings.earlier,
        "verdicts": counts,
        "migrations": findings.migrations.iter().map(migration).collect::<Vec<_>>(),
        "chain": findings.chain.as_ref().map(chain),
        "seeds": findings.seeds,
        "prerequisites": findings.prerequisites,
        "notes": findings.notes,
    })
    .to_string()
}

fn milliseconds(duration: std::time::Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}

fn migration(judged: &Judgement) -> Value {
    json!({
        "version": judged.version.as_str(),
        "label": judged.label,
        "file": judged.path,
        "verdict": judged.verdict.id(),
        "failure": judged.is_failure(),
        "allowed": judged.allowed,
        "down": judged.down.map(Verdict::id),
        "second_up": judged.second_up.map(crate::roundtrip::verdict::SecondUp::id),
        "missing": judged.missing,
        "left": judged.left,
        "rows": judged.rows,
        "notes": judged.notes,
        "diff": judged.diff,
        "duration_ms": milliseconds(judged.duration),
    })
}

fn chain(chain: &Chain) -> Value {
    json!({
        "taken_back": chain.taken_back,
        "of": chain.of,
        "behind": chain.behind,
        "failure": chain.is_failure(),
        "allowed": chain.allowed,
        "problems": chain.problems,
        "notes": chain.notes,
        "diff": chain.diff,
    })
}
