//! Without its default, a column that inserts of the running code leave out gets NULL or an error.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "drop-default",
    Group::Compat,
    Severity::Warning,
    ALL_ENGINES,
    include_str!("drop_default.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    if let ChangeKind::AlterDomain { name, action: DomainAction::DropDefault } = place.kind() {
        let made = place.before().user_type(name).and_then(|found| found.created);
        return place
            .is_known_to_code(made)
            .then(|| draft("the domain's columns", &place.shown(name), false));
    }
    let (alter, action) = place.alter()?;
    let column = match action {
        TableAction::DropDefault { column } => column,
        TableAction::ChangeColumn { from, column, .. } => {
            return forgotten(place, &alter.table, from, column);
        }
        _ => return None,
    };
    let known = place.column(&alter.table, column);
    let required = known.is_some_and(|known| known.nullability == Nullability::NotNull);
    let new = known.is_some_and(|known| !place.is_known_to_code(known.created));
    let has_none = known.is_some_and(|known| known.default.is_none()) && !place.is_assumed(&alter.table);
    // Of a new column old code knows nothing: it always leaves it out, which harms only where it is NOT NULL.
    if place.is_skipped() || !place.is_used(&alter.table) || has_none || new && !required {
        return None;
    }
    // Between two statements of one migration is but a moment.
    let end = place.in_the_end().table(&alter.table).and_then(|table| table.column(column));
    if end.is_some_and(|end| end.default.is_some() || end.generation.is_some()) {
        return None;
    }
    Some(draft(&format!("column `{column}`"), &place.shown(&alter.table), required))
}

/// A column that is defined anew without the default that it had: MySQL keeps nothing that is not said again.
fn forgotten(place: &Place<'_>, table: &TableName, from: &Name, to: &ColumnDef) -> Option<Draft> {
    let known = place.column(table, from)?;
    let had = known.default.as_ref().is_some_and(|default| !default.is_null);
    let none = to.default.is_none() && to.generation.is_none();
    if !had || !none || place.is_skipped() || !place.is_used(table) || !place.is_known_to_code(known.created)
    {
        return None;
    }
    let end = place.committed().table(table).and_then(|table| table.column(&to.name));
    let again = end.is_some_and(|end| end.default.is_some() || end.generation.is_some());
    let required = to.nullability == Nullability::NotNull;
    (!again).then(|| {
        draft(&format!("column `{from}`"), &place.shown(table), required)
            .help("MODIFY and CHANGE keep only what they say again: write the DEFAULT once more")
    })
}

fn draft(what: &str, of: &str, required: bool) -> Draft {
    let why = if required {
        "inserts of running code that leave it out fail, since it is NOT NULL"
    } else {
        "inserts of running code that leave it out write NULL, or fail if it is NOT NULL"
    };
    let draft = Draft::new(format!("dropping the default of {what} of `{of}`"), why)
        .help("drop it when all running code writes the column");
    if required { draft.severity(Severity::Error) } else { draft }
}
