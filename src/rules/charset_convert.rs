//! Converting a table to another character set writes it anew, and comparisons change.

use super::prelude::*;
use crate::engine::effects::Algorithm;

/// The rule.
pub static RULE: Rule = Rule::on_change(
    "charset-convert",
    Group::Lock,
    Severity::Error,
    MYSQL,
    include_str!("charset_convert.md"),
    find,
);

fn find(place: &Place<'_>) -> Option<Draft> {
    let (alter, TableAction::ConvertCharset { charset, .. }) = place.alter_of_table()? else { return None };
    let effects = place.effects();
    let copies = effects.algorithm == Some(Algorithm::Copy);
    if !copies || place.is_skipped() || !place.is_busy(&alter.table) {
        return None;
    }
    let (shown, sql) = (place.shown(&alter.table), place.sql(&alter.table));
    let target = effects.target()?;
    let waits = if target.lock.blocks_writes {
        "inserts, updates and deletes wait"
    } else {
        "it takes as long as the table is large"
    };
    let unknown = place.is_assumed(&alter.table);
    let draft = Draft::new(
        format!("converting `{shown}` to {charset} copies the whole table"),
        format!("{} holds {}: {waits}; indexes may get too long, and running code may find other rows equal, or in another order", target.lock, target.work.during()),
    )
    .help(format!("for new columns alone: ALTER TABLE {sql} DEFAULT CHARACTER SET {charset}, ALGORITHM=INPLACE, LOCK=NONE;"))
    .help(format!("with the rows, on a copy beside the table:\ngh-ost --database=DATABASE --table={} --alter='{}' --execute", alter.table.name, place.text()));
    Some(if unknown { draft.severity(Severity::Warning) } else { draft })
}
