//! Dropping an index without CONCURRENTLY queues behind readers, and everyone behind it.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "drop-index-nonconcurrent",
    Group::Lock,
    Severity::Warning,
    POSTGRES,
    include_str!("drop_index_nonconcurrent.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::Drop(drop) = place.kind() else { return None };
    if drop.object != ObjectKind::Index || place.is_skipped() {
        return None;
    }
    let owner = place.before().index(&drop.name).map(|(table, _)| table);
    let partitioned = owner.is_some_and(|table| table.partition_by.is_some());
    const AS_A_WHOLE: &str = "the index of a partitioned table can only be dropped without CONCURRENTLY: with a short lock_timeout, tried again";
    if drop.concurrently && (drop.part.1 > 1 || drop.cascade) {
        let (what, why) = match drop.part.1 {
            1 => ("with CASCADE", "no CASCADE"),
            _ => ("of several indexes", "one index only"),
        };
        return (drop.part.0 == 0).then(|| {
            Draft::new(
                format!("DROP INDEX CONCURRENTLY {what} is refused"),
                format!("it takes {why}: the server refuses the statement, so the migration fails"),
            )
            .help(format!("one statement for each: DROP INDEX CONCURRENTLY {};", place.sql(&drop.name)))
            .severity(Severity::Error)
        });
    }
    if drop.concurrently {
        return partitioned.then(|| {
            Draft::new(
                format!(
                    "index `{}` is one of a partitioned table, and takes no DROP INDEX CONCURRENTLY",
                    drop.name.name
                ),
                "the server refuses the statement, so the migration fails",
            )
            .help(AS_A_WHOLE)
            .severity(Severity::Error)
        });
    }
    if owner.is_some_and(|table| !place.is_busy(&table.name)) {
        return None;
    }
    let of = owner.map_or_else(String::new, |table| format!(" of `{}`", place.shown(&table.name)));
    let draft = Draft::new(
        format!(
            "dropping index `{}`{of} takes the table from readers and writers for a moment",
            drop.name.name
        ),
        "ACCESS EXCLUSIVE on its table: behind a long query it waits, and everyone else behind it",
    );
    if partitioned {
        return Some(draft.help(AS_A_WHOLE));
    }
    let Some((sql, edit)) = place.with_word_behind("INDEX", "CONCURRENTLY") else { return Some(draft) };
    // Several indexes cannot be dropped concurrently in one statement.
    let alone = drop.part.1 == 1;
    let draft = if alone {
        place.fixed_outside(draft.help(sql), edit)
    } else {
        draft.help(format!("DROP INDEX CONCURRENTLY {};", place.sql(&drop.name)))
    };
    Some(if place.in_transaction() {
        draft.help("it cannot run in a transaction: give it a migration of its own, with `-- twostep: no-transaction` at its top")
    } else {
        draft
    })
}
