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
    let last_lock = last_lock(place)?;
    if !endless && milliseconds <= limit_ms {
        let late = set.name == "lock_timeout" && last_lock < place.number && !is_set_before(place);
        return late.then(|| {
            Draft::new(
                "lock_timeout is set behind the statements that lock",
                "they have waited for their locks without a limit, with everyone else behind them",
            )
            .help(format!("put `{}` in front of the first of them", place.text().trim()))
        });
    }
    if last_lock < place.number {
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

/// The last statement of the migration that locks a table that is in use.
fn last_lock(place: &Place<'_>) -> Option<usize> {
    let locks = |other: &Place<'_>| {
        other.felt().any(|effect| effect.lock.blocks_writes && effect.role != Role::Index)
    };
    *place
        .judged
        .last_lock
        .get_or_init(|| place.judged.places().filter(locks).map(|other| other.number).last())
}

/// Whether an earlier statement of the migration sets it too.
fn is_set_before(place: &Place<'_>) -> bool {
    place
        .judged
        .changes()
        .take_while(|(number, _)| *number < place.number)
        .any(|(_, change)| matches!(&change.kind, ChangeKind::SetVariable(set) if set.name == "lock_timeout"))
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
