//! `CREATE INDEX`, `REINDEX`.

use super::change;
use crate::engine::read::constraint;
use crate::engine::read::cursor::{Cursor, Read};
use crate::engine::read::expr;
use crate::schema::change::*;

/// Behind `CREATE [UNIQUE] INDEX`.
pub fn create_index(cursor: &mut Cursor<'_>, start: usize, unique: bool, out: &mut Vec<Change>) -> Read<()> {
    let mut index =
        CreateIndex { unique, concurrently: cursor.eat(&["CONCURRENTLY"]), ..CreateIndex::default() };
    index.if_not_exists = cursor.eat(&["IF", "NOT", "EXISTS"]);
    if !cursor.is(&["ON"]) {
        index.name = Some(cursor.name()?);
    }
    cursor.expect(&["ON"])?;
    index.only = cursor.eat(&["ONLY"]);
    index.table = cursor.object_name()?;
    if cursor.eat(&["USING"]) {
        index.method = Some(cursor.any_name()?.as_str().to_lowercase());
    }
    index.elements = cursor.in_parens(constraint::index_element)?;
    loop {
        if cursor.eat(&["INCLUDE"]) {
            index.include = cursor.names_in_parens()?;
        } else if cursor.eat(&["NULLS", "NOT", "DISTINCT"]) {
            index.nulls_not_distinct = true;
        } else if cursor.eat(&["NULLS", "DISTINCT"]) {
        } else if cursor.eat(&["WITH"]) {
            cursor.parens()?;
        } else if cursor.eat(&["TABLESPACE"]) {
            cursor.name()?;
        } else if cursor.eat(&["WHERE"]) {
            index.predicate = Some(expr::expr(cursor, &[])?);
        } else {
            break;
        }
    }
    index.span = cursor.span_from(start);
    out.push(change(cursor, start, ChangeKind::CreateIndex(Box::new(index))));
    Ok(())
}

/// `REINDEX [(options)] INDEX | TABLE | SCHEMA | DATABASE | SYSTEM [CONCURRENTLY] name`.
pub fn reindex(cursor: &mut Cursor<'_>, out: &mut Vec<Change>) -> Read<()> {
    let start = cursor.at();
    cursor.expect(&["REINDEX"])?;
    let mut concurrently = false;
    if cursor.is_punct(b'(') {
        let (from, to) = cursor.parens()?;
        concurrently = (from..to).any(|at| {
            cursor.word_at(at, "CONCURRENTLY")
                && !["FALSE", "OFF"].iter().any(|off| cursor.word_at(at + 1, off))
                && cursor.word(at + 1) != "0"
        });
    }
    let object = match cursor.eat_any(&["INDEX", "TABLE", "SCHEMA", "DATABASE", "SYSTEM"]) {
        Some("INDEX") => ObjectKind::Index,
        Some("TABLE") => ObjectKind::Table,
        Some("SCHEMA") => ObjectKind::Schema,
        Some("DATABASE") => ObjectKind::Database,
        Some(_) => ObjectKind::System,
        None => return Err(cursor.unexpected("`INDEX`, `TABLE`, `SCHEMA`, `DATABASE` or `SYSTEM`")),
    };
    concurrently |= cursor.eat(&["CONCURRENTLY"]);
    let name = if cursor.is_done() { None } else { Some(cursor.object_name()?) };
    out.push(change(cursor, start, ChangeKind::Reindex(Reindex { object, name, concurrently })));
    Ok(())
}
