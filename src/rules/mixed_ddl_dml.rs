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
    let rows = places.iter().filter_map(|place| Some((place, changed(place)?)));
    let mut drafts: Vec<Draft> = Vec::new();
    let mut told = None;
    for (place, rows) in rows {
        let same = |other: &&Place<'_>| other.step.transaction == place.step.transaction;
        // Behind a lock for reads it is another rule's; this one is about weaker locks, and rows in front of them.
        let before = places.iter().filter(same).take_while(|other| other.number < place.number);
        let after = places.iter().filter(same).skip_while(|other| other.number <= place.number);
        let held = before.clone().find_map(|other| locked(other, false));
        let taken = after.clone().find_map(|other| locked(other, true));
        let strong = before.clone().any(|other| locked(other, true).is_some());
        let rows = place.shown(rows);
        let (message, why) = match (held, taken) {
            (Some(table), _) if !strong => {
                let table = place.shown(&table);
                (
                    format!("rows of `{rows}` are changed in the transaction that has locked `{table}`"),
                    format!(
                        "writes of `{table}` wait until all those rows are changed and the transaction commits"
                    ),
                )
            }
            (None, Some(table)) => {
                let table = place.shown(&table);
                (
                    format!("the transaction changes rows of `{rows}`, and then locks `{table}`"),
                    format!(
                        "the rows stay locked while it waits for `{table}`, and whoever wants `{table}` waits for the commit as well"
                    ),
                )
            }
            _ => continue,
        };
        if told == place.step.transaction {
            continue;
        }
        told = place.step.transaction;
        drafts.push(
            Draft::new(message, why)
                .help("one migration for the schema, and another for the rows")
                .at(At::Statement(place.number, place.change().span)),
        );
    }
    drafts
}

/// The table in use of which a change writes rows, and not just some that it names.
fn changed<'a>(place: &Place<'a>) -> Option<&'a TableName> {
    let table = match place.kind() {
        ChangeKind::Update(update) => &update.table,
        ChangeKind::Delete(delete) => &delete.table,
        ChangeKind::Insert(insert) if insert.rows == InsertRows::Query => &insert.table,
        ChangeKind::Merge(merge) => &merge.table,
        _ => return None,
    };
    place.is_busy(table).then_some(table)
}

/// A table in use that the change locks for writes, or (`strong`) for reads too.
fn locked(place: &Place<'_>, strong: bool) -> Option<TableName> {
    let fits = |effect: &&RelationEffect| {
        effect.role != Role::Index
            && if strong { effect.lock.blocks_reads } else { effect.lock.blocks_writes }
    };
    place.felt().find(fits).map(|effect| effect.relation.clone())
}
