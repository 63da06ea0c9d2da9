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
    // What SQLite's ALTER TABLE does not have is another rule's.
    let mut words = place.step.sql.split_whitespace().map(str::to_ascii_lowercase);
    let alters = words.next().as_deref() == Some("alter") && words.next().as_deref() == Some("table");
    if opaque.reason != OpaqueReason::Syntax || alters && crate::engine::alters_little(place.dialect()) {
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
