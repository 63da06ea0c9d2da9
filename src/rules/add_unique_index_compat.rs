//! A unique index on columns that are there refuses writes of the running code that were allowed.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "add-unique-index-compat",
    Group::Compat,
    Severity::Warning,
    ALL_ENGINES,
    include_str!("add_unique_index_compat.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let create: &CreateIndex = match place.kind() {
        ChangeKind::CreateIndex(create) => create,
        ChangeKind::AlterTable(alter) => match &alter.action {
            TableAction::AddIndex(create) => create,
            _ => return None,
        },
        _ => return None,
    };
    if !create.unique || place.is_skipped() || !place.is_used(&create.table) {
        return None;
    }
    let table = place.table(&create.table);
    let columns = create.plain_columns();
    if let (Some(table), Some(columns)) = (table, &columns) {
        let new = |column: &&Name| {
            table.column(column).is_some_and(|column| !place.is_known_to_code(column.created))
        };
        // Running code leaves a new column empty, and NULLs are never duplicates of each other.
        if columns.iter().any(new) && !create.nulls_not_distinct || is_unique_already(table, columns) {
            return None;
        }
    }
    let shown = place.shown(&create.table);
    let on = columns.map_or_else(|| "an expression".to_owned(), |columns| names(&columns));
    Some(
        Draft::new(
            format!("unique index on {on} of `{shown}`: writes of running code may be refused"),
            "it fails if there are duplicates, and from then on running code that writes one gets an error",
        )
        .help("look for duplicates first; deploy code that does not write them, or handles the error, before the index"),
    )
}

fn names(columns: &[&Name]) -> String {
    columns.iter().map(|column| format!("`{column}`")).collect::<Vec<_>>().join(", ")
}

/// Whether an index or a key says already that these columns (or fewer of them) are unique.
fn is_unique_already(table: &Table, columns: &[&Name]) -> bool {
    table.indexes.iter().any(|index| {
        let plain = index.plain_columns();
        index.unique
            && index.predicate.is_none()
            && plain.is_some_and(|own| own.iter().all(|column| columns.contains(column)))
    })
}
