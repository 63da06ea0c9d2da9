//! Rebuilding indexes without CONCURRENTLY stops writes, and reads that use them.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "reindex-nonconcurrent",
    Group::Lock,
    Severity::Error,
    POSTGRES,
    include_str!("reindex_nonconcurrent.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let ChangeKind::Reindex(reindex) = place.kind() else { return None };
    // The catalogs cannot be reindexed concurrently.
    if reindex.concurrently || reindex.object == ObjectKind::System {
        return None;
    }
    if let Some(name) = &reindex.name
        && reindex.object == ObjectKind::Table
        && !place.is_busy(name)
    {
        return None;
    }
    let what = reindex.name.as_ref().map_or_else(String::new, |name| format!(" `{}`", place.shown(name)));
    let draft = Draft::new(
        format!("rebuilding {}{what} blocks writes until it is done", reindex.object.title()),
        "SHARE lock on the table and ACCESS EXCLUSIVE on each index while it is built: writes wait, and reads that would use it",
    );
    let word = match reindex.object {
        ObjectKind::Index => "INDEX",
        ObjectKind::Table => "TABLE",
        ObjectKind::Schema => "SCHEMA",
        _ => "DATABASE",
    };
    Some(match place.with_word_behind(word, "CONCURRENTLY") {
        Some((sql, _)) => draft.help(sql),
        None => draft,
    })
}
