//! Options of sequences and identity columns.

use super::{change, types};
use crate::engine::read::cursor::{Cursor, Read};
use crate::name::TableName;
use crate::schema::change::*;

/// `( options )`, if they come next.
pub fn options_in_parens(cursor: &mut Cursor<'_>) -> Read<SequenceOptions> {
    let mut options = SequenceOptions::default();
    if cursor.eat_punct(b'(') {
        while option(cursor, &mut options)? {}
        cursor.expect_punct(b')')?;
    }
    Ok(options)
}

/// All options that come next.
pub fn options(cursor: &mut Cursor<'_>) -> Read<SequenceOptions> {
    let mut options = SequenceOptions::default();
    while option(cursor, &mut options)? {}
    Ok(options)
}

/// One option; whether there was one.
pub fn option(cursor: &mut Cursor<'_>, of: &mut SequenceOptions) -> Read<bool> {
    if cursor.eat(&["AS"]) {
        of.data_type = Some(types::data_type(cursor)?);
    } else if cursor.eat(&["INCREMENT"]) {
        cursor.eat(&["BY"]);
        of.increment = Some(cursor.integer()?);
    } else if cursor.eat(&["NO", "MINVALUE"]) {
        of.min = Some(None);
    } else if cursor.eat(&["MINVALUE"]) {
        of.min = Some(Some(cursor.integer()?));
    } else if cursor.eat(&["NO", "MAXVALUE"]) {
        of.max = Some(None);
    } else if cursor.eat(&["MAXVALUE"]) {
        of.max = Some(Some(cursor.integer()?));
    } else if cursor.eat(&["START"]) {
        cursor.eat(&["WITH"]);
        of.start = Some(cursor.integer()?);
    } else if cursor.eat(&["RESTART"]) {
        let with = cursor.eat(&["WITH"]);
        let value = cursor.integer();
        of.restart = Some(if with { Some(value?) } else { value.ok() });
    } else if cursor.eat(&["CACHE"]) {
        of.cache = Some(cursor.integer()?);
    } else if cursor.eat(&["NO", "CYCLE"]) {
        of.cycle = Some(false);
    } else if cursor.eat(&["CYCLE"]) {
        of.cycle = Some(true);
    } else if cursor.eat(&["OWNED", "BY"]) {
        of.owned_by = Some(owner(cursor)?);
    } else if cursor.eat(&["SEQUENCE", "NAME"]) {
        of.name = Some(cursor.object_name()?);
    } else {
        return Ok(cursor.eat_any(&["LOGGED", "UNLOGGED"]).is_some());
    }
    Ok(true)
}

/// `NONE`, or `[schema.]table.column`.
fn owner(cursor: &mut Cursor<'_>) -> Read<Option<(TableName, crate::name::Name)>> {
    if cursor.eat(&["NONE"]) {
        return Ok(None);
    }
    let mut parts = vec![cursor.name()?];
    while cursor.eat_punct(b'.') {
        parts.push(cursor.any_name()?);
    }
    let (Some(column), Some(table)) = (parts.pop(), parts.pop()) else {
        return Err(cursor.unexpected("`.` and a column"));
    };
    Ok(Some((TableName { schema: parts.pop(), name: table }, column)))
}

/// `CREATE [TEMP] SEQUENCE …`, behind the keyword.
pub fn create(cursor: &mut Cursor<'_>, start: usize, temporary: bool, out: &mut Vec<Change>) -> Read<()> {
    let if_not_exists = cursor.eat(&["IF", "NOT", "EXISTS"]);
    let name = cursor.object_name()?;
    let options = options(cursor)?;
    out.push(change(cursor, start, ChangeKind::CreateSequence { name, if_not_exists, temporary, options }));
    Ok(())
}
