//! A new column whose default is another value for each row makes the server write the whole table anew.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "add-column-volatile-default",
    Group::Lock,
    Severity::Error,
    POSTGRES,
    include_str!("add_column_volatile_default.md"),
    find,
)
.splitting();

fn find(place: &Place<'_>) -> Option<Draft> {
    let (alter, TableAction::AddColumn { column, .. }) = place.alter_of_table()? else { return None };
    if column.generation.is_some() || place.is_skipped() || !place.is_busy(&alter.table) {
        return None;
    }
    let rewrites = place.effects().target().is_some_and(|effect| effect.work == Work::Rewrite);
    if !rewrites {
        return None;
    }
    let shown = place.shown(&alter.table);
    let name = &column.name;
    let why = format!(
        "ACCESS EXCLUSIVE on `{shown}` blocks reads and writes while the table and its indexes are rewritten"
    );
    let Some(default) = &column.default else {
        let of = column.data_type.as_ref().map_or_else(String::new, |data_type| format!(" `{data_type}`"));
        return Some(
            Draft::new(format!("new column `{name}` of the constrained domain{of} rewrites `{shown}`"), why)
                .help("add it with the domain's base type, and a check NOT VALID that says what the domain says"),
        );
    };
    let known = crate::engine::volatility(default, place.before()) == Volatility::Volatile;
    let unless = if known { "" } else { ", unless what the default calls is STABLE or IMMUTABLE" };
    Some(Draft::new(
        format!("new column `{name}` with the default `{}` rewrites `{shown}`", default.text),
        format!("{why}{unless}"),
    ))
}
