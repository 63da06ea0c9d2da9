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
    if place.is_skipped() || !place.is_busy(&alter.table) {
        return None;
    }
    if !copies {
        return place
            .table(&alter.table)
            .filter(|table| is_unsaid(table))
            .map(|_| unsaid(place, alter, charset));
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

/// Whether a table has texts whose character set is that of a database of which no statement says it.
fn is_unsaid(table: &Table) -> bool {
    let said = |name: &str| table.options.iter().any(|(option, _)| option == name);
    let text = |column: &Column| {
        let kind = column.data_type.as_ref().map_or("", |data_type| data_type.name.as_str());
        kind.ends_with("char") || kind.ends_with("text") || kind == "enum" || kind == "set"
    };
    !said("charset")
        && !said("collate")
        && table
            .columns
            .iter()
            .any(|column| text(column) && column.charset.is_none() && column.collation.is_none())
}

fn unsaid(place: &Place<'_>, alter: &AlterTable, charset: &str) -> Draft {
    let shown = place.shown(&alter.table);
    Draft::new(
        format!("converting `{shown}` to {charset} copies the whole table, unless it has that already"),
        "no migration says which character set it has, so it was the database's when it was made; while it is copied writes wait, and running code may find other rows equal, or in another order",
    )
    .severity(Severity::Warning)
    .help(format!(
        "look what it has: SELECT table_collation FROM information_schema.tables WHERE table_name = {};",
        crate::name::plain_literal(alter.table.name.as_str())
    ))
}
