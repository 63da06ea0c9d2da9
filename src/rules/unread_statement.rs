//! A statement that could not be looked into: what it does is not judged.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "unread-statement",
    Group::Wrong,
    Severity::Note,
    ALL_ENGINES,
    include_str!("unread_statement.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::Opaque(opaque) = place.kind() else { return None };
    let message = match opaque.reason {
        OpaqueReason::Syntax => return None,
        OpaqueReason::Client => return None,
        OpaqueReason::Dynamic => "SQL that is put together when it runs: what it does is not judged",
        OpaqueReason::Unknown => "a statement that could not be looked into: what it does is not judged",
    };
    Some(
        Draft::new(message, opaque.why.clone())
            .help("look at it by hand, and say so: `-- twostep: allow unread-statement because …`"),
    )
}
