//! Rows and schema changed in one transaction keep each other's locks until the commit.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_migration(
    "mixed-ddl-dml",
    Group::Lock,
    Severity::Warning,
    POSTGRES,
    include_str!("mixed_ddl_dml.md"),
    find,
);

fn find(judged: &Judged<'_>) -> Vec<Draft> {
    let places: Vec<Place<'_>> = judged.places().filter(Place::in_transaction).collect();
    let rows = places.iter().filter(|place| changes_many_rows(place));
    let mut drafts: Vec<Draft> = Vec::new();
    let mut told = None;
    for place in rows {
        let same = |other: &&Place<'_>| other.step.transaction == place.step.transaction;
        // Behind a lock for reads it is another rule's; this one is about weaker locks, and rows in front of them.
        let before = places.iter().filter(same).take_while(|other| other.number < place.number);
        let after = places.iter().filter(same).skip_while(|other| other.number <= place.number);
        let held = before.clone().find_map(|other| locked(other, false));
        let taken = after.clone().find_map(|other| locked(other, true));
        let strong = before.clone().any(|other| locked(other, true).is_some());
        let (table, first) = match (held, taken) {
            (Some(table), _) if !strong => (table, "is locked for writes while"),
            (None, Some(table)) => (table, "is locked only after"),
            _ => continue,
        };
        if told == place.step.transaction {
            continue;
        }
        told = place.step.transaction;
        let shown = place.shown(&table);
        drafts.push(
            Draft::new(
                format!("`{shown}` {first} the transaction changes rows"),
                "the rows stay locked while it waits for the table, or the table while it changes the rows; everyone waits for both",
            )
            .help("one migration for the schema, and another for the rows")
            .at(At::Statement(place.number, place.change().span)),
        );
    }
    drafts
}

/// Whether a change writes rows of a table in use, and not just some that it names.
fn changes_many_rows(place: &Place<'_>) -> bool {
    match place.kind() {
        ChangeKind::Update(update) => place.is_busy(&update.table),
        ChangeKind::Delete(delete) => place.is_busy(&delete.table),
        ChangeKind::Insert(insert) => insert.rows == InsertRows::Query && place.is_busy(&insert.table),
        ChangeKind::Merge(merge) => place.is_busy(&merge.table),
        _ => false,
    }
}

/// A table in use that the change locks for writes, or (`strong`) for reads too.
fn locked(place: &Place<'_>, strong: bool) -> Option<TableName> {
    let fits = |effect: &&RelationEffect| {
        effect.role != Role::Index
            && if strong { effect.lock.blocks_reads } else { effect.lock.blocks_writes }
    };
    place.felt().find(fits).map(|effect| effect.relation.clone())
}
