//! A short exclusive lock queues behind the longest reader, and everyone behind it.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_migration(
    "blocking-behind",
    Group::Lock,
    Severity::Warning,
    POSTGRES,
    include_str!("blocking_behind.md"),
    find,
);

fn find(judged: &Judged<'_>) -> Vec<Draft> {
    if judged.runner == Runner::Own {
        return Vec::new();
    }
    // One setting at the top helps all statements, so the first one says it.
    let mut found = judged.places().filter_map(|place| {
        let draft = brief_lock(&place)?;
        Some((draft, At::Statement(place.number, place.change().span)))
    });
    let Some((draft, at)) = found.next() else { return Vec::new() };
    let more = found.count();
    let draft =
        if more > 0 { draft.help(format!("it goes for {more} more places below, too")) } else { draft };
    vec![draft.at(at)]
}

/// A lock for a moment that a statement waits for without a limit.
fn brief_lock(place: &Place<'_>) -> Option<Draft> {
    if place.step.settings.get("lock_timeout").is_some_and(|value| value != "0") {
        return None;
    }
    // A foreign key stops the writers of the table that it points to.
    let stops = |effect: &&RelationEffect| {
        effect.lock.blocks_reads || effect.role == Role::Referenced && effect.lock.blocks_writes
    };
    let brief: Vec<&RelationEffect> = place
        .felt()
        .filter(|effect| stops(effect) && effect.work == Work::Catalog && effect.role != Role::Index)
        .collect();
    let first = brief.first()?;
    let names: Vec<String> =
        brief.iter().map(|effect| format!("`{}`", place.shown(&effect.relation))).collect();
    let shown = place.shown(&first.relation);
    Some(
        Draft::new(
            format!("a brief lock on {} without lock_timeout may stop everyone", names.join(" and ")),
            format!(
                "{} waits for the longest query on `{shown}`, and every later query that it would stop waits behind it",
                first.lock
            ),
        )
        .help(
            "SET lock_timeout = '200ms'; and try again when it fails, which `twostep migrate` does by itself",
        ),
    )
}
