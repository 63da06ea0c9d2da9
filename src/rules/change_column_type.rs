//! Changing the type of a column rewrites the table under a lock, and running code sends and reads another type.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "change-column-type",
    Group::Compat,
    Severity::Error,
    ALL_ENGINES,
    include_str!("change_column_type.md"),
    find,
)
.splitting();

fn find(place: &Place<'_>) -> Option<Draft> {
    if let ChangeKind::AlterType {
        name,
        action: TypeAction::SetAttributeType { name: attribute, data_type },
    } = place.kind()
    {
        let made = place.before().user_type(name).and_then(|found| found.created);
        let shown = place.shown(name);
        return place.is_known_to_code(made).then(|| {
            Draft::new(
                format!("attribute `{attribute}` of type `{shown}` becomes `{data_type}`"),
                "running code sends and reads values of the old shape; the server refuses it while a table has a column of the type",
            )
        });
    }
    let (alter, action) = place.alter_of_table()?;
    let (column, to, says_more) = match action {
        TableAction::SetType { column, data_type, using, collation } => {
            (column, data_type, using.is_some() || collation.is_some())
        }
        TableAction::ChangeColumn { from, column, .. } => (from, column.data_type.as_ref()?, false),
        _ => return None,
    };
    let known = place.column(&alter.table, column);
    let from = known.and_then(|known| known.data_type.as_ref());
    let made = known.and_then(|known| known.created);
    let new = !place.is_known_to_code(made) && !place.is_busy(&alter.table);
    if new
        || from == Some(to)
        || place.is_skipped()
        || !place.is_used(&alter.table) && !place.is_busy(&alter.table)
    {
        return None;
    }
    let shown = place.shown(&alter.table);
    let message = match from {
        Some(from) => format!("column `{column}` of `{shown}` changes from `{from}` to `{to}`"),
        None => format!("column `{column}` of `{shown}` changes its type to `{to}`"),
    };
    let target = place.effects().target();
    let work = target.map_or(Work::Catalog, |effect| effect.work);
    let draft = match (work, from) {
        // What it was nobody knows; these types take all that their kind can hold.
        (_, None) if !says_more && engine_widens(place, to) => return None,
        // What a wider type costs on MySQL is a rule of its own.
        (_, Some(from))
            if place.effects().algorithm.is_some()
                && crate::engine::is_same_kind(from, to, place.dialect()) =>
        {
            return other_number(place, from, to, message);
        }
        (Work::Catalog, Some(from)) if crate::engine::is_same_kind(from, to, place.dialect()) => return None,
        (Work::Catalog, _) => Draft::new(
            message,
            "no row is rewritten, but prepared statements fail once, and running code may send or read a type that no longer fits",
        )
        .severity(Severity::Warning),
        _ => {
            let lock = target.map_or("an exclusive lock", |effect| effect.lock.name);
            let waits = target.and_then(|effect| effect.lock.blocked()).unwrap_or("no one");
            let during = work.during();
            let unless = if from.is_none() { ", unless the old type is one that the new one only relabels" } else { "" };
            Draft::new(
                message,
                format!("{lock} on `{shown}` blocks {waits} {during}{unless}; prepared statements fail once, and running code may send or read the old type"),
            )
        }
    };
    Some(draft)
}

/// What a wider type of numbers means for programs that read it.
fn other_number(place: &Place<'_>, from: &DataType, to: &DataType, message: String) -> Option<Draft> {
    crate::engine::is_other_number(from, to, place.dialect()).then(|| {
        Draft::new(
            message,
            "running code that reads it into a type of fixed width fails to decode it, at once or with the first value that does not fit",
        )
        .severity(Severity::Warning)
        .help("deploy code that reads the wider type first")
    })
}

/// Whether the new type holds every value of the types that it usually follows.
fn engine_widens(place: &Place<'_>, to: &DataType) -> bool {
    to.dimensions == 0 && to.arguments.is_empty() && crate::engine::is_widest(to, place.dialect())
}
