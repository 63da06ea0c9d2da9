//! Refreshing a materialized view without CONCURRENTLY makes its readers wait.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "refresh-matview-nonconcurrent",
    Group::Lock,
    Severity::Warning,
    POSTGRES,
    include_str!("refresh_matview_nonconcurrent.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::RefreshMaterializedView { name, concurrently: false, .. } = place.kind() else {
        return None;
    };
    let view = place.before().view(name);
    let empty = view.is_some_and(|view| !view.populated);
    if !place.is_used(name) || empty {
        return None;
    }
    let unique =
        view.is_none_or(|view| view.indexes.iter().any(|index| index.unique && index.predicate.is_none()));
    let draft = Draft::new(
        format!("refreshing `{}` makes its readers wait until it is done", place.shown(name)),
        "ACCESS EXCLUSIVE on the view while its query runs",
    );
    let sql = format!("REFRESH MATERIALIZED VIEW CONCURRENTLY {};", place.sql(name));
    Some(if unique { draft.help(sql) } else { draft.help("make a unique index on it").help(sql) })
}
