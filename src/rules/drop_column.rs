//! Dropping a column breaks the running code that reads or writes it.

use super::prelude::*;
use crate::schema::model::When;
use std::sync::Arc;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "drop-column",
    Group::Compat,
    Severity::Error,
    ALL_ENGINES,
    include_str!("drop_column.md"),
    find,
)
.splitting();

fn find(place: &Place<'_>) -> Option<Draft> {
    if let ChangeKind::AlterType { name, action: TypeAction::DropAttribute { name: attribute, .. } } =
        place.kind()
    {
        let made = place.before().user_type(name).and_then(|found| found.created);
        return place.is_known_to_code(made).then(|| {
            Draft::new(
                format!("dropping attribute `{attribute}` of type `{}` breaks running code that uses it", place.shown(name)),
                "every value of the type loses it at once, also in functions and row literals of running code",
            )
            .help("stop using the attribute, deploy, and drop it in a later release")
        });
    }
    if let Some((name, old, new)) = super::columns::made_anew(place) {
        return left_out(place, name, old, new);
    }
    let (alter, TableAction::DropColumn { column, cascade, .. }) = place.alter_of_table()? else {
        return None;
    };
    let table = place.table(&alter.table);
    let made = table.and_then(|table| table.column(column)).and_then(|column| column.created);
    if place.is_skipped() || !place.is_used(&alter.table) || !place.is_known_to_code(made) {
        return None;
    }
    let shown = place.shown(&alter.table);
    // A column that takes the name over is what a contract leaves behind: code that uses the name goes on.
    if let Some(now) = place.committed().table(&alter.table).and_then(|table| table.column(column)) {
        let old = table.and_then(|table| table.column(column));
        return is_emptied(place, old, now).then(|| {
            Draft::new(
                format!("dropping column `{column}` of `{shown}` and adding it again throws its values away"),
                "the new column has the old one's name, but holds NULL or its default in every row",
            )
            .help("change the type of the column that is there, or fill the new one from the old one before that goes")
            .whole()
        });
    }
    let taken: Vec<String> =
        place.taken().map(|subject| format!("{} `{}`", subject.object.title(), subject.name.name)).collect();
    let mut why = "queries of running code that name it fail at once, `SELECT *` changes its shape, and the data is gone".to_owned();
    if !taken.is_empty() {
        why.push_str(&format!("; it takes along {}", taken.join(", ")));
    } else if *cascade {
        why.push_str("; `CASCADE` takes along whatever depends on it, unseen");
    }
    Some(Draft::new(format!("dropping column `{column}` of `{shown}` breaks running code that uses it"), why))
}

/// Whether the column that has the name now was added after the drop, and is not computed from others.
fn is_emptied(place: &Place<'_>, old: Option<&Arc<Column>>, now: &Arc<Column>) -> bool {
    let dropped = When { migration: place.judged.number, statement: place.number };
    let is_later = now.created.is_some_and(|made| made >= dropped);
    let computed = |column: &Arc<Column>| matches!(column.generation, Some(Generation::Expression { .. }));
    is_later && !computed(now) && !old.is_some_and(computed)
}

/// A table that is made anew without some of its columns.
fn left_out(place: &Place<'_>, name: &TableName, old: &Table, new: &Table) -> Option<Draft> {
    let lost: Vec<&str> = (old.columns.iter())
        .filter(|column| new.column(&column.name).is_none() && place.is_known_to_code(column.created))
        .map(|column| column.name.as_str())
        .collect();
    let shown = place.shown(name);
    let them = lost.join("`, `");
    (!lost.is_empty()).then(|| {
        Draft::new(
            format!("making `{shown}` anew without `{them}` breaks running code that uses it"),
            "queries of running code that name it fail at once, `SELECT *` changes its shape, and the data is gone",
        )
        .help("stop using it, deploy, and leave it out in a later release")
        .whole()
    })
}
