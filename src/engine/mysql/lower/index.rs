//! Indexes of MySQL and MariaDB, wherever they are written
//! (<https://dev.mysql.com/doc/refman/8.4/en/create-index.html>).

use crate::engine::read::constraint::{self, IndexOption};
use crate::engine::read::cursor::{Cursor, Read};
use crate::name::TableName;
use crate::schema::change::*;

/// Whether `KEY`, `INDEX`, `FULLTEXT …` or `SPATIAL …` comes next.
pub fn starts_index(cursor: &Cursor<'_>) -> bool {
    cursor.is_any(&["KEY", "INDEX", "FULLTEXT", "SPATIAL"])
}

/// An index of a table's definition or of `ADD`.
pub fn index(cursor: &mut Cursor<'_>, table: &TableName) -> Read<CreateIndex> {
    let start = cursor.at();
    let mut index = CreateIndex { table: table.clone(), ..CreateIndex::default() };
    if let Some(kind) = cursor.eat_any(&["FULLTEXT", "SPATIAL"]) {
        index.method = Some(kind.to_ascii_lowercase());
    }
    cursor.eat_any(&["KEY", "INDEX"]);
    index.if_not_exists = cursor.eat(&["IF", "NOT", "EXISTS"]);
    if !cursor.is_punct(b'(') && !cursor.is(&["USING"]) {
        index.name = Some(cursor.name()?);
    }
    index_rest(cursor, &mut index)?;
    index.span = cursor.span_from(start);
    Ok(index)
}

/// `[USING method] ( key ) [options]`.
pub fn index_rest(cursor: &mut Cursor<'_>, index: &mut CreateIndex) -> Read<()> {
    index_options(cursor, index)?;
    index.elements = cursor.in_parens(constraint::index_element)?;
    index_options(cursor, index)
}

/// Options of an index, and `ALGORITHM=`, `LOCK=` behind `CREATE INDEX`.
pub fn index_options(cursor: &mut Cursor<'_>, index: &mut CreateIndex) -> Read<()> {
    loop {
        if let Some((name, value)) = algorithm_or_lock(cursor)? {
            let place = if name == "ALGORITHM" { &mut index.algorithm } else { &mut index.lock };
            *place = Some(value);
            continue;
        }
        match constraint::mysql_index_option(cursor)? {
            Some(IndexOption::Method(method)) => index.method = Some(method),
            Some(IndexOption::Invisible) => index.invisible = true,
            Some(IndexOption::Other) => {}
            None => return Ok(()),
        }
    }
}

/// `ALGORITHM [=] value` or `LOCK [=] value`, in upper case.
pub fn algorithm_or_lock(cursor: &mut Cursor<'_>) -> Read<Option<(&'static str, String)>> {
    let Some(name) = cursor.eat_any(&["ALGORITHM", "LOCK"]) else { return Ok(None) };
    cursor.eat_op("=");
    Ok(Some((name, cursor.any_name()?.as_str().to_uppercase())))
}
