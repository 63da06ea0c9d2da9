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
    let (alter, TableAction::ConvertCharset { charset, collation }) = place.alter_of_table()? else {
        return None;
    };
    let effects = place.effects();
    let copies = effects.algorithm == Some(Algorithm::Copy);
    if place.is_skipped() || !place.is_busy(&alter.table) {
        return None;
    }
    if !copies {
        let table = place.table(&alter.table)?;
        if is_unsaid(table) {
            return Some(unsaid(place, alter, charset));
        }
        let collation = collation.as_ref().filter(|_| !place.is_assumed(&alter.table))?;
        return compares_otherwise(table, collation).then(|| other_collation(place, alter, collation));
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

/// Whether a text of the table is not compared as `collation` says so far, as far as is known.
fn compares_otherwise(table: &Table, collation: &str) -> bool {
    let of_table = table.options.iter().rev().find(|(option, _)| option == "collate").map(|(_, set)| set);
    let texts = table.columns.iter().filter(|column| is_text(column));
    texts
        .map(|column| column.collation.as_ref().or(of_table))
        .any(|is_now| is_now.is_none_or(|is_now| !is_now.eq_ignore_ascii_case(collation)))
}

fn other_collation(place: &Place<'_>, alter: &AlterTable, collation: &str) -> Draft {
    let shown = place.shown(&alter.table);
    Draft::new(
        format!("texts of `{shown}` are compared by {collation}"),
        "no row is written, but running code may find other rows equal, or in another order, and a unique index may refuse what it took so far",
    )
    .severity(Severity::Warning)
    .help("look for texts that become equal: SELECT … GROUP BY column COLLATE … HAVING count(*) > 1")
}

/// Whether a column holds text.
fn is_text(column: &Column) -> bool {
    let kind = column.data_type.as_ref().map_or("", |data_type| data_type.name.as_str());
    kind.ends_with("char") || kind.ends_with("text") || kind == "enum" || kind == "set"
}

/// Whether a table has texts whose character set is that of a database of which no statement says it.
fn is_unsaid(table: &Table) -> bool {
    let said = |name: &str| table.options.iter().any(|(option, _)| option == name);
    !said("charset")
        && !said("collate")
        && table
            .columns
            .iter()
            .any(|column| is_text(column) && column.charset.is_none() && column.collation.is_none())
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
