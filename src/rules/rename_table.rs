//! Renaming a table breaks the running code, which uses the old name.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "rename-table",
    Group::Compat,
    Severity::Error,
    ALL_ENGINES,
    include_str!("rename_table.md"),
    find,
)
.splitting();

fn find(place: &Place<'_>) -> Option<Draft> {
    let (alter, TableAction::RenameTable { to }) = place.alter_of_table()? else { return None };
    let new =
        TableName { schema: to.schema.clone().or_else(|| alter.table.schema.clone()), name: to.name.clone() };
    if place.is_skipped() || !place.is_used(&alter.table) {
        return None;
    }
    let (start, end) = (place.at_start(), place.committed());
    let before = place.before();
    // The old name is there again, as a view on the table or as another table that takes its place.
    let comes_back = is_there(end, &alter.table);
    // The new name was there: code uses it already, through a view that this transaction took away.
    let was_there = is_there(start, &new)
        || before.gone.get(&before.new_key(&new)).is_some_and(|gone| at_or_after(place, *gone));
    if comes_back || was_there {
        return None;
    }
    let shown = place.shown(&alter.table);
    if is_there(place.in_the_end(), &alter.table) {
        return Some(super::columns::gone_for_a_moment(place, &shown));
    }
    Some(Draft::new(
        format!("renaming table `{shown}` to `{}` breaks running code that uses the old name", to.name),
        "queries of running code on the old name fail from that moment on, and new code fails until then",
    ))
}

/// Whether running code finds a relation under just this name.
fn is_there(schema: &Schema, name: &TableName) -> bool {
    let Some(found) = schema.relation(name) else { return false };
    let stored = match found {
        Relation::Table(table) => &table.name,
        Relation::View(view) => &view.name,
        Relation::Sequence(sequence) => &sequence.name,
    };
    !crate::engine::tells_tables_by_capitals(schema.dialect) || stored.name.as_str() == name.name.as_str()
}

/// Whether `when` is in the transaction of `place`.
fn at_or_after(place: &Place<'_>, when: When) -> bool {
    place.judged.transaction_of(place.number).first().is_some_and(|first| first.at <= when)
}
