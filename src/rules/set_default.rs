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
    let (alter, TableAction::SetDefault { column, default }) = place.alter()? else { return None };
    let known = place.column(&alter.table, column);
    let same = known.and_then(|known| known.default.as_ref()).is_some_and(|old| old.text == default.text);
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

fn draft(what: &str, default: &str) -> Draft {
    Draft::new(
        format!("{what} gets the default `{default}`"),
        "inserts of running code that leave the column out write that from now on, which it may not expect to read",
    )
    .help("set it once all running code can read such a value; rows that are there do not change")
}
