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
    let (table_name, columns, nulls_not_distinct) = match place.kind() {
        ChangeKind::CreateIndex(create) if create.unique => of_index(create),
        ChangeKind::AlterTable(alter) => match &alter.action {
            TableAction::AddIndex(create) if create.unique => of_index(create),
            TableAction::AddConstraint { constraint, .. } => match &constraint.kind {
                ConstraintKind::Unique(key) if crate::engine::is_unique_an_index(place.dialect()) => {
                    (&alter.table, Some(key.columns.iter().collect()), false)
                }
                _ => return None,
            },
            _ => return None,
        },
        _ => return None,
    };
    if place.is_skipped() || !place.is_used(table_name) {
        return None;
    }
    let table = place.table(table_name);
    if let (Some(table), Some(columns)) = (table, &columns) {
        let new = |column: &&Name| {
            table.column(column).is_some_and(|column| !place.is_known_to_code(column.created))
        };
        // Running code leaves a new column empty, and NULLs are never duplicates of each other.
        if columns.iter().any(new) && !nulls_not_distinct || table.is_unique_by(columns, &[]) {
            return None;
        }
    }
    let shown = place.shown(table_name);
    let on = columns.map_or_else(|| "an expression".to_owned(), |columns| names(&columns));
    Some(
        Draft::new(
            format!("unique index on {on} of `{shown}`: writes of running code may be refused"),
            "it fails if there are duplicates, and from then on running code that writes one gets an error",
        )
        .help("look for duplicates first; deploy code that does not write them, or handles the error, before the index"),
    )
}

/// The table of an index, its columns if it has nothing else, and whether NULLs are duplicates of each other.
fn of_index(create: &CreateIndex) -> (&TableName, Option<Vec<&Name>>, bool) {
    (&create.table, create.plain_columns(), create.nulls_not_distinct)
}

fn names(columns: &[&Name]) -> String {
    columns.iter().map(|column| format!("`{column}`")).collect::<Vec<_>>().join(", ")
}
