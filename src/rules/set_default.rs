//! With another default, inserts of the running code that leave the column out write another value.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "set-default",
    Group::Compat,
    Severity::Note,
    ALL_ENGINES,
    include_str!("set_default.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    if let ChangeKind::AlterDomain { name, action: DomainAction::SetDefault(default) } = place.kind() {
        let made = place.before().user_type(name).and_then(|found| found.created);
        let what = format!("domain `{}`", place.shown(name));
        return place.is_known_to_code(made).then(|| draft(&what, &default.text));
    }
    let (alter, action) = place.alter()?;
    let (column, default) = match action {
        TableAction::SetDefault { column, default } => (column, default),
        // Of a column that is not known, MySQL's MODIFY may repeat what it had.
        TableAction::ChangeColumn { from, column, .. } if place.column(&alter.table, from).is_some() => {
            (from, column.default.as_ref()?)
        }
        _ => return None,
    };
    let known = place.column(&alter.table, column);
    let old = known.and_then(|known| known.default.as_ref());
    let same = match old {
        Some(old) => old.text == default.text || is_same_call(old, default),
        // Without a default it is NULL.
        None => default.is_null && known.is_some(),
    };
    let made = known.and_then(|known| known.created);
    let new = !place.is_known_to_code(made);
    // What was NOT NULL without a default, or becomes so now, running code has to write anyway.
    let end = place.committed().table(&alter.table).and_then(|table| table.column(column));
    let required = |column: &std::sync::Arc<Column>| column.nullability == Nullability::NotNull;
    let had_none = known.is_some_and(|known| known.default.is_none() && required(known));
    if had_none || end.is_some_and(required) && known.is_none_or(|known| known.default.is_none()) {
        return None;
    }
    if same || new || place.is_skipped() || !place.is_used(&alter.table) {
        return None;
    }
    let what = format!("column `{column}` of `{}`", place.shown(&alter.table));
    Some(draft(&what, &default.text))
}

/// Whether both are the same function's value, with more digits or fewer: `CURRENT_TIMESTAMP` and
/// `CURRENT_TIMESTAMP(6)`.
fn is_same_call(old: &Expr, new: &Expr) -> bool {
    let called = |expr: &Expr| match expr.calls.as_slice() {
        [call] if call.literals.is_empty() && expr.columns.is_empty() => Some(call.name.clone()),
        _ => None,
    };
    let starts = |one: &Expr, other: &Expr| one.text.split('(').next() == other.text.split('(').next();
    called(old).is_some() && called(old) == called(new) && starts(old, new)
}

fn draft(what: &str, default: &str) -> Draft {
    Draft::new(
        format!("{what} gets the default `{default}`"),
        "inserts of running code that leave the column out write that from now on, which it may not expect to read",
    )
    .help("set it once all running code can read such a value; rows that are there do not change")
}
