//! A new column breaks functions of the schema that return or insert whole rows of the table.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "add-column-row-shape",
    Group::Compat,
    Severity::Warning,
    ALL_ENGINES,
    include_str!("add_column_row_shape.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (alter, TableAction::AddColumn { column, .. }) = place.alter_of_table()? else { return None };
    if place.is_skipped() || !place.is_used(&alter.table) {
        return None;
    }
    let before = place.before();
    let key = before.relation_key(&alter.table)?;
    let after = place.committed();
    let routines = before.routines.iter().flat_map(|(_, all)| all.iter());
    let users: Vec<String> = routines
        .filter(|routine| depends_on_shape(before, routine, &key))
        // A function that the same transaction makes anew is up to date.
        .filter(|routine| {
            let now = after.routines(&routine.name);
            now.iter().any(|now| {
                now.signature() == routine.signature()
                    && now.replaced == routine.replaced
                    && now.created == routine.created
            })
        })
        .map(|routine| format!("`{}`", place.shown(&routine.name)))
        .collect();
    if users.is_empty() {
        return None;
    }
    Some(
        Draft::new(
            format!("new column `{}` of `{}` changes the rows that {} works with", column.name, place.shown(&alter.table), users.join(", ")),
            "functions that return the table's row type from a list of columns, or insert into it without one, fail from now on",
        )
        .help("make the functions anew in the same transaction, with the columns named"),
    )
}

/// Whether a function returns rows of the table `key`, or inserts into it without naming columns.
fn depends_on_shape(schema: &Schema, routine: &Routine, key: &TableName) -> bool {
    let of_table = |name: &TableName| schema.relation_key(name).as_ref() == Some(key);
    let returned = routine.definition.returns.as_deref().unwrap_or("");
    let returned = returned.trim_start_matches("SETOF ").trim_matches('"');
    let returns = match returned.split_once('.') {
        Some((schema, name)) => of_table(&TableName::qualified(Name::new(schema), Name::new(name))),
        None => of_table(&TableName::bare(Name::new(returned))),
    };
    // `SELECT *` grows with the table, so only a list of columns is too short afterwards.
    let text = routine.definition.body.text.to_ascii_lowercase();
    let listed = !text.contains('*');
    let inserts = routine.definition.body.changes.iter().any(|change| match &change.kind {
        ChangeKind::Insert(insert) => {
            insert.columns.is_empty() && insert.rows == InsertRows::Query && of_table(&insert.table)
        }
        _ => false,
    });
    returns && listed || inserts
}
