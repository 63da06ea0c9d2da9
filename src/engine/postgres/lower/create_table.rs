//! `CREATE TABLE` in all its forms, `CREATE FOREIGN TABLE`, `SELECT INTO`.

use super::{change, column, types};
use crate::engine::read::constraint;
use crate::engine::read::cursor::{Cursor, Read, Unread};
use crate::engine::read::query;
use crate::schema::change::*;

/// Behind `CREATE … TABLE`.
pub fn create_table(
    cursor: &mut Cursor<'_>,
    start: usize,
    persistence: Persistence,
    form: TableForm,
    out: &mut Vec<Change>,
) -> Read<()> {
    let if_not_exists = cursor.eat(&["IF", "NOT", "EXISTS"]);
    let table = cursor.object_name()?;
    let mut create = CreateTable { table, if_not_exists, persistence, form, ..CreateTable::default() };
    let mut unread = Vec::new();
    if cursor.eat(&["PARTITION", "OF"]) {
        let parent = cursor.object_name()?;
        if cursor.is_punct(b'(') {
            elements(cursor, &mut create, &mut unread)?;
        }
        create.partition_of = Some(PartitionOf { parent, bound: bound(cursor)? });
    } else if cursor.eat(&["OF"]) {
        create.of_type = Some(cursor.object_name()?);
        if cursor.is_punct(b'(') {
            elements(cursor, &mut create, &mut unread)?;
        }
    } else if cursor.is_punct(b'(') {
        elements(cursor, &mut create, &mut unread)?;
        let behind = cursor.at();
        let typeless =
            create.columns.iter().find(|column| column.data_type.is_none()).map(|column| column.span);
        tail(cursor, &mut create)?;
        // Only `CREATE TABLE … AS` lists columns without their types.
        if let Some(span) = typeless.filter(|_| create.as_query.is_none()) {
            cursor.set(behind);
            return Err(Unread {
                span,
                why: format!("expected a data type for `{}`", span.of(cursor.text())),
            });
        }
    } else if !cursor.is_any(&["AS", "USING", "WITH", "ON", "TABLESPACE"]) {
        return Err(cursor.unexpected("`(`"));
    }
    tail(cursor, &mut create)?;
    out.push(change(cursor, start, ChangeKind::CreateTable(Box::new(create))));
    out.extend(unread.into_iter().map(Unread::opaque));
    Ok(())
}

/// `( columns, constraints, LIKE … )`, or the bare column names of `CREATE TABLE … AS`. What cannot be read of them
/// goes into `unread`; the others are kept.
fn elements(cursor: &mut Cursor<'_>, create: &mut CreateTable, unread: &mut Vec<Unread>) -> Read<()> {
    cursor.expect_punct(b'(')?;
    if cursor.eat_punct(b')') {
        return Ok(());
    }
    loop {
        let from = cursor.at();
        let read = element(cursor, create);
        let ends = cursor.is_punct(b',') || cursor.is_punct(b')');
        if let Err(error) =
            read.and_then(|()| if ends { Ok(()) } else { Err(cursor.unexpected("`,` or `)`")) })
        {
            // From its start, so that commas within its own parentheses do not count.
            cursor.set(from);
            cursor.set(cursor.find(|cursor, at| cursor.punct_at(at, b',') || cursor.punct_at(at, b')')));
            unread.push(error);
        }
        if !cursor.eat_punct(b',') {
            break;
        }
    }
    cursor.expect_punct(b')')
}

fn element(cursor: &mut Cursor<'_>, create: &mut CreateTable) -> Read<()> {
    if cursor.eat(&["LIKE"]) {
        let like = like(cursor, create.columns.len())?;
        create.like.push(like);
    } else if constraint::starts_table_constraint(cursor) {
        create.constraints.push(constraint::table_constraint(cursor)?);
    } else {
        create.columns.push(element_column(cursor)?);
    }
    Ok(())
}

/// A column with its type; without one in `CREATE TABLE … AS`, and `name [WITH OPTIONS] constraints` in a typed
/// table or a partition.
fn element_column(cursor: &mut Cursor<'_>) -> Read<ColumnDef> {
    let start = cursor.at();
    let behind = start + 1;
    let typeless = cursor.punct_at(behind, b',')
        || cursor.punct_at(behind, b')')
        || cursor.word_at(behind, "WITH")
        || ["CONSTRAINT", "NOT", "NULL", "CHECK", "DEFAULT", "UNIQUE", "PRIMARY", "REFERENCES"]
            .iter()
            .any(|word| cursor.word_at(behind, word))
        || (cursor.word_at(behind, "GENERATED") && cursor.word_at(behind + 2, "AS"));
    if !typeless {
        return column::column(cursor);
    }
    let mut column = ColumnDef::bare(cursor.name()?);
    cursor.eat(&["WITH", "OPTIONS"]);
    column::qualities(cursor, &mut column)?;
    column.span = cursor.span_from(start);
    Ok(column)
}

/// `LIKE table [INCLUDING …] [EXCLUDING …]`.
fn like(cursor: &mut Cursor<'_>, at: usize) -> Read<LikeTable> {
    const ALL: [&str; 8] =
        ["comments", "compression", "constraints", "defaults", "generated", "identity", "indexes", "storage"];
    let table = cursor.object_name()?;
    let mut including: Vec<String> = Vec::new();
    loop {
        let include = cursor.eat(&["INCLUDING"]);
        if !include && !cursor.eat(&["EXCLUDING"]) {
            return Ok(LikeTable { table, including, at });
        }
        let what = cursor.any_name()?.as_str().to_lowercase();
        including.retain(|known| *known != what && what != "all");
        if include && what == "all" {
            including = ALL.iter().map(ToString::to_string).collect();
            including.push("statistics".to_owned());
        } else if include {
            including.push(what);
        }
    }
}

/// `FOR VALUES …` or `DEFAULT`.
pub fn bound(cursor: &mut Cursor<'_>) -> Read<PartitionBound> {
    if cursor.eat(&["DEFAULT"]) {
        return Ok(PartitionBound::Default);
    }
    let start = cursor.at();
    cursor.expect(&["FOR", "VALUES"])?;
    if cursor.eat(&["FROM"]) {
        cursor.parens()?;
        cursor.expect(&["TO"])?;
        cursor.parens()?;
    } else if cursor.eat(&["IN"]) || cursor.eat(&["WITH"]) {
        cursor.parens()?;
    } else {
        return Err(cursor.unexpected("`FROM`, `IN` or `WITH`"));
    }
    Ok(PartitionBound::Values(cursor.span_from(start).of(cursor.text()).to_owned()))
}

/// `PARTITION BY strategy ( key )`, behind those words.
pub fn partition_by(cursor: &mut Cursor<'_>) -> Read<PartitionBy> {
    let strategy = cursor.any_name()?.as_str().to_lowercase();
    let key = cursor.in_parens(constraint::index_element)?;
    Ok(PartitionBy { strategy, key: key.into_iter().map(|element| element.expr).collect() })
}

/// What follows the columns.
fn tail(cursor: &mut Cursor<'_>, create: &mut CreateTable) -> Read<()> {
    loop {
        if cursor.eat(&["INHERITS"]) {
            create.inherits = cursor.in_parens(Cursor::object_name)?;
        } else if cursor.eat(&["PARTITION", "BY"]) {
            create.partition_by = Some(partition_by(cursor)?);
        } else if cursor.eat(&["USING"]) {
            let method = cursor.any_name()?;
            create.options.push(("access method".to_owned(), method.to_string()));
        } else if cursor.is(&["WITH"]) && cursor.punct_at(cursor.at() + 1, b'(') {
            cursor.bump();
            create.options.extend(storage_options(cursor)?);
        } else if cursor.eat_any(&["WITHOUT", "WITH"]).is_some() {
            cursor.expect(&["OIDS"])?;
        } else if cursor.eat(&["ON", "COMMIT"]) {
            if !(cursor.eat(&["PRESERVE", "ROWS"])
                || cursor.eat(&["DELETE", "ROWS"])
                || cursor.eat(&["DROP"]))
            {
                return Err(cursor.unexpected("`PRESERVE ROWS`, `DELETE ROWS` or `DROP`"));
            }
        } else if cursor.eat(&["TABLESPACE"]) {
            create.options.push(("tablespace".to_owned(), cursor.name()?.to_string()));
        } else if cursor.eat(&["SERVER"]) {
            create.options.push(("server".to_owned(), cursor.name()?.to_string()));
        } else if cursor.eat(&["OPTIONS"]) {
            cursor.parens()?;
        } else if cursor.eat(&["AS"]) {
            let end = cursor.end();
            create.no_data = end >= 3 && cursor.word_at(end - 2, "NO") && cursor.word_at(end - 1, "DATA");
            create.as_query = Some(body(cursor)?);
            return Ok(());
        } else {
            return Ok(());
        }
    }
}

/// The query behind `AS`, with `WITH [NO] DATA` behind it.
fn body(cursor: &mut Cursor<'_>) -> Read<Query> {
    let (start, end) = (cursor.at(), cursor.end());
    let data = |at: usize| cursor.word_at(at, "WITH") && cursor.word_at(end - 1, "DATA");
    let to = match end {
        _ if end >= start + 3 && data(end - 2) => end - 2,
        _ if end >= start + 4 && data(end - 3) && cursor.word_at(end - 2, "NO") => end - 3,
        _ => end,
    };
    if to == start {
        return Err(cursor.unexpected("a query"));
    }
    cursor.set(end);
    Ok(query::describe(cursor, start, to))
}

/// `( name = value, … )`: names in lower case.
pub fn storage_options(cursor: &mut Cursor<'_>) -> Read<Vec<(String, String)>> {
    cursor.in_parens(|cursor| {
        let mut name = cursor.any_name()?.as_str().to_lowercase();
        while cursor.eat_punct(b'.') {
            name = format!("{name}.{}", cursor.any_name()?.as_str().to_lowercase());
        }
        let mut value = "true".to_owned();
        if cursor.eat_op("=") {
            let start = cursor.at();
            let stop = cursor.find(|cursor, at| cursor.punct_at(at, b',') || cursor.punct_at(at, b')'));
            cursor.set(stop);
            value = cursor.span_from(start).of(cursor.text()).trim_matches('\'').to_owned();
        }
        Ok((name, value))
    })
}

/// `SELECT … INTO [TEMP] [TABLE] name FROM …`; `into` is the number of that token.
pub fn select_into(cursor: &mut Cursor<'_>, start: usize, into: usize, out: &mut Vec<Change>) -> Read<()> {
    cursor.set(into + 1);
    let persistence = match cursor.eat_any(&["TEMP", "TEMPORARY", "UNLOGGED"]) {
        Some("UNLOGGED") => Persistence::Unlogged,
        Some(_) => Persistence::Temporary,
        None => Persistence::Permanent,
    };
    cursor.eat(&["TABLE"]);
    let table = cursor.object_name()?;
    let as_query = Some(query::describe(cursor, start, cursor.end()));
    cursor.set(cursor.end());
    let create = CreateTable { table, persistence, as_query, ..CreateTable::default() };
    out.push(change(cursor, start, ChangeKind::CreateTable(Box::new(create))));
    Ok(())
}

/// `CREATE TYPE`'s and `ALTER TYPE`'s attributes: `( name type [COLLATE …], … )`.
pub fn attributes(cursor: &mut Cursor<'_>) -> Read<Vec<(crate::name::Name, DataType)>> {
    cursor.expect_punct(b'(')?;
    if cursor.eat_punct(b')') {
        return Ok(Vec::new());
    }
    let all = cursor.list(|cursor| {
        let name = cursor.name()?;
        let data_type = types::data_type(cursor)?;
        if cursor.eat(&["COLLATE"]) {
            cursor.object_name()?;
        }
        Ok((name, data_type))
    })?;
    cursor.expect_punct(b')')?;
    Ok(all)
}
