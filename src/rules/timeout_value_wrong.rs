//! A lock_timeout of zero, or a far too long one, protects nobody.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "timeout-value-wrong",
    Group::Wrong,
    Severity::Warning,
    POSTGRES,
    include_str!("timeout_value_wrong.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::SetVariable(set) = place.kind() else { return None };
    let limit_ms = match set.name.as_str() {
        "lock_timeout" => 5_000,
        "statement_timeout" => 600_000,
        _ => return None,
    };
    let value = set.value()?;
    let milliseconds = milliseconds(value)?;
    // No limit on a statement is what a long one needs that blocks nobody.
    let endless = milliseconds == 0 && set.name == "lock_timeout";
    if !endless && milliseconds <= limit_ms || !locks_later(place) {
        return None;
    }
    let why = if endless {
        "0 is no limit: a statement that waits for its lock makes everyone behind it wait as long as it takes"
    } else {
        "as long as a statement waits for its lock, or holds it, everyone behind it waits too"
    };
    Some(
        Draft::new(format!("{} of {value} protects nobody", set.name), why)
            .help("SET lock_timeout = '2s'; and leave it out under `twostep migrate`, which sets a short one and tries again"),
    )
}

/// Whether a later statement of the migration locks a table that is in use.
fn locks_later(place: &Place<'_>) -> bool {
    let locks = |other: &Place<'_>| {
        other.felt().any(|effect| effect.lock.blocks_writes && effect.role != Role::Index)
    };
    let last = place
        .judged
        .last_lock
        .get_or_init(|| place.judged.places().filter(locks).map(|other| other.number).last());
    last.is_some_and(|last| last > place.number)
}

/// `2s`, `500`, `1min` in milliseconds.
fn milliseconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let factor = match text[digits..].trim() {
        "" | "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(factor)
}
