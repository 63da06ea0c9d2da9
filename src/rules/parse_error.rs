//! A statement that is not SQL of this engine, as far as its grammar is known.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "parse-error",
    Group::Wrong,
    Severity::Error,
    ALL_ENGINES,
    include_str!("parse_error.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::Opaque(opaque) = place.kind() else { return None };
    if opaque.reason != OpaqueReason::Syntax {
        return None;
    }
    Some(
        Draft::new(
            format!("this is not SQL that {} is known to understand", place.server().product.title()),
            format!("{}; the migration fails here, or does what cannot be judged", opaque.why),
        )
        .help("if the server does take it, say so: `-- twostep: allow parse-error because …`; then nothing else of the statement is judged"),
    )
}
