//! A column that one statement names twice: the statement fails, or the last value wins.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "duplicate-column-assignment",
    Group::Wrong,
    Severity::Error,
    ALL_ENGINES,
    include_str!("duplicate_column_assignment.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (table, lists, verb): (&TableName, Vec<&[Name]>, &str) = match place.kind() {
        // Of several tables that are written together each may have a column of the name.
        ChangeKind::Update(update) if !update.query.reads.is_empty() => return None,
        ChangeKind::Update(update) => (&update.table, vec![&update.set], "set"),
        ChangeKind::Insert(insert) => {
            let upsert = insert.on_conflict.as_ref().map_or(&[][..], |conflict| &conflict.set);
            (&insert.table, vec![&insert.columns, upsert], "set")
        }
        ChangeKind::Merge(merge) => {
            (&merge.table, merge.set.iter().map(|columns| &columns[..]).collect(), "set")
        }
        ChangeKind::CreateView(create) => (&create.name, vec![&create.columns], "named"),
        ChangeKind::CreateTable(create) => return in_table(place, create),
        _ => return None,
    };
    let column = lists.into_iter().find_map(|columns| twice(columns, place.before()))?;
    // Elements of an array and fields of a composite are set one by one.
    let in_parts = [
        format!("{column}["),
        format!("{column}."),
        format!("{}[", place.id(column)),
        format!("{}.", place.id(column)),
    ];
    if in_parts.iter().any(|part| place.step.sql.contains(part.as_str())) {
        return None;
    }
    Some(draft(column, &place.shown(table), verb))
}

fn in_table(place: &Place<'_>, create: &CreateTable) -> Option<Draft> {
    let names: Vec<Name> = create.columns.iter().map(|column| column.name.clone()).collect();
    let column = twice(&names, place.before())?;
    Some(draft(column, &place.shown(&create.table), "named"))
}

fn twice<'c>(columns: &'c [Name], schema: &Schema) -> Option<&'c Name> {
    let earlier =
        |at: usize, column: &Name| columns[..at].iter().any(|other| same(other, column, schema.dialect));
    columns.iter().enumerate().find(|(at, column)| earlier(*at, column)).map(|(_, column)| column)
}

fn draft(column: &Name, of: &str, verb: &str) -> Draft {
    Draft::new(
        format!("column `{column}` of `{of}` is {verb} twice"),
        "PostgreSQL and SQLite's strict readers refuse it; elsewhere the last value wins",
    )
    .help("leave one of them out")
}
