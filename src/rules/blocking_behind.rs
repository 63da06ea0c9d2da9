//! A short exclusive lock queues behind the longest reader, and everyone behind it.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "blocking-behind",
    Group::Lock,
    Severity::Warning,
    POSTGRES,
    include_str!("blocking_behind.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    if place.judged.runner == Runner::Own
        || place.step.settings.get("lock_timeout").is_some_and(|value| value != "0")
    {
        return None;
    }
    let effect = place.felt().find(|effect| {
        effect.lock.blocks_reads && effect.work == Work::Catalog && effect.role != Role::Index
    })?;
    let shown = place.shown(&effect.relation);
    Some(
        Draft::new(
            format!("a brief lock on `{shown}` without lock_timeout may stop everyone"),
            format!(
                "{} waits for the longest query on `{shown}`, and every later query waits behind it",
                effect.lock
            ),
        )
        .help(
            "SET lock_timeout = '200ms'; and try again when it fails, which `twostep migrate` does by itself",
        ),
    )
}
