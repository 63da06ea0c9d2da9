//! Building an index without CONCURRENTLY stops all writes to the table until it is done.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "create-index-nonconcurrent",
    Group::Lock,
    Severity::Error,
    POSTGRES,
    include_str!("create_index_nonconcurrent.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::CreateIndex(create) = place.kind() else { return None };
    let partitioned = place.table(&create.table).is_some_and(|table| table.partition_by.is_some());
    if create.concurrently && partitioned && !place.is_skipped() {
        return Some(refused(place, create));
    }
    if create.concurrently || place.is_skipped() || !place.is_busy(&create.table) {
        return None;
    }
    let shown = place.shown(&create.table);
    let built = place.felt().find(|effect| effect.work == Work::IndexBuild)?;
    let name = create.name.as_ref().map_or_else(|| "an index".to_owned(), |name| format!("index `{name}`"));
    let draft = Draft::new(
        format!("building {name} on `{shown}` blocks writes until it is done"),
        format!(
            "{} lock on `{shown}` {}: inserts, updates and deletes wait",
            built.lock,
            built.work.during()
        ),
    );
    if partitioned {
        return Some(
            draft.help(format!("a partitioned table takes no CONCURRENTLY: {}", one_by_one(place, create))),
        );
    }
    let Some((sql, edit)) = place.with_word_behind("INDEX", "CONCURRENTLY") else { return Some(draft) };
    let draft = place.fixed_outside(draft.help(sql), edit);
    Some(if place.in_transaction() { draft.help(NO_TRANSACTION) } else { draft })
}

/// `CONCURRENTLY` on a partitioned table.
fn refused(place: &Place<'_>, create: &CreateIndex) -> Draft {
    Draft::new(
        format!("`{}` is partitioned, and takes no CREATE INDEX CONCURRENTLY", place.shown(&create.table)),
        "the server refuses the statement, so the migration fails",
    )
    .help(one_by_one(place, create))
}

/// How an index comes to a partitioned table without keeping writes waiting.
fn one_by_one(place: &Place<'_>, create: &CreateIndex) -> String {
    format!(
        "CREATE INDEX … ON ONLY {}, then one CONCURRENTLY on each partition, then ALTER INDEX … ATTACH PARTITION",
        place.sql(&create.table)
    )
}

const NO_TRANSACTION: &str = "it cannot run in a transaction: give it a migration of its own, with `-- twostep: no-transaction` at its top";
