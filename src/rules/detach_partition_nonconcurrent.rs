//! Detaching a partition without CONCURRENTLY takes the whole parent from readers and writers.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "detach-partition-nonconcurrent",
    Group::Lock,
    Severity::Warning,
    POSTGRES,
    include_str!("detach_partition_nonconcurrent.md"),
    find,
)
.splitting();

fn find(place: &Place<'_>) -> Option<Draft> {
    let (alter, TableAction::DetachPartition { partition, concurrently: false, finalize: false }) =
        place.alter_of_table()?
    else {
        return None;
    };
    if !place.is_busy(&alter.table) {
        return None;
    }
    let shown = place.shown(&alter.table);
    let draft = Draft::new(
        format!(
            "detaching `{}` takes `{shown}` from readers and writers for a moment",
            place.shown(partition)
        ),
        format!("ACCESS EXCLUSIVE on `{shown}`: behind a long query it waits, and everyone else behind it"),
    );
    let default = place
        .before()
        .children_of(&place.before().new_key(&alter.table))
        .any(|child| child.partition_of.as_ref().is_some_and(|of| of.bound == PartitionBound::Default));
    Some(if !place.server().at_least((14, 0, 0)) {
        draft.help("before PostgreSQL 14 there is no other way: with a short lock_timeout, tried again")
    } else if default {
        draft.help(
            "a table with a default partition takes no CONCURRENTLY: with a short lock_timeout, tried again",
        )
    } else {
        draft.help(format!(
            "ALTER TABLE {} DETACH PARTITION {} CONCURRENTLY;",
            place.sql(&alter.table),
            place.sql(partition)
        ))
    })
}
