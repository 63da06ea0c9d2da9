//! A name of more than 63 bytes is cut without a word.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "identifier-too-long",
    Group::Style,
    Severity::Warning,
    POSTGRES,
    include_str!("identifier_too_long.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let first = place.step.changes.first().is_some_and(|first| std::ptr::eq(first, place.applied));
    if !first {
        return None;
    }
    let (name, span) = crate::engine::long_identifier(&place.step.sql, place.dialect())?;
    let cut = stored(&name, place.dialect());
    Some(
        Draft::new(
            format!("`{name}` is cut to `{cut}`"),
            "names have at most 63 bytes; two that differ only behind that are the same to the server",
        )
        .help("give it a shorter name")
        .at(At::Statement(place.number, span)),
    )
}
