//! `CREATE TABLE` of MySQL and MariaDB, and options of a table
//! (<https://dev.mysql.com/doc/refman/8.4/en/create-table.html>).

use super::column::column;
use super::index::{index, starts_index};
use crate::engine::read::constraint;
use crate::engine::read::cursor::{Cursor, Read};
use crate::engine::read::{expr, query};
use crate::schema::change::*;

/// Behind `CREATE [OR REPLACE] [TEMPORARY] TABLE`.
pub fn create_table(cursor: &mut Cursor<'_>, or_replace: bool, temporary: bool) -> Read<ChangeKind> {
    let mut create = CreateTable {
        or_replace,
        if_not_exists: cursor.eat(&["IF", "NOT", "EXISTS"]),
        ..CreateTable::default()
    };
    create.table = cursor.object_name()?;
    if temporary {
        create.persistence = Persistence::Temporary;
    }
    let like_in_parens = cursor.is_punct(b'(') && cursor.word_at(cursor.at() + 1, "LIKE");
    if like_in_parens || cursor.is(&["LIKE"]) {
        cursor.eat_punct(b'(');
        cursor.expect(&["LIKE"])?;
        let table = cursor.object_name()?;
        cursor.eat_punct(b')');
        create.like.push(LikeTable { table, including: Vec::new(), at: 0 });
        return Ok(ChangeKind::CreateTable(Box::new(create)));
    }
    if cursor.is_punct(b'(') && !cursor.word_at(cursor.at() + 1, "SELECT") {
        elements(cursor, &mut create)?;
    }
    create.options = options(cursor)?;
    if cursor.eat(&["PARTITION", "BY"]) {
        create.partition_by = Some(partition_by(cursor)?);
    }
    cursor.eat_any(&["IGNORE", "REPLACE"]);
    cursor.eat(&["AS"]);
    if cursor.is_any(&["SELECT", "WITH", "VALUES"]) || cursor.is_punct(b'(') {
        create.as_query = Some(query::describe(cursor, cursor.at(), cursor.end()));
        cursor.set(cursor.end());
    }
    Ok(ChangeKind::CreateTable(Box::new(create)))
}

fn elements(cursor: &mut Cursor<'_>, create: &mut CreateTable) -> Read<()> {
    cursor.expect_punct(b'(')?;
    loop {
        if starts_index(cursor) {
            let index = index(cursor, &create.table)?;
            create.indexes.push(index);
        } else if constraint::starts_table_constraint(cursor) {
            create.constraints.push(constraint::table_constraint(cursor)?);
        } else {
            create.columns.push(column(cursor)?);
        }
        if !cursor.eat_punct(b',') {
            break;
        }
    }
    cursor.expect_punct(b')')
}

pub fn partition_by(cursor: &mut Cursor<'_>) -> Read<PartitionBy> {
    cursor.eat(&["LINEAR"]);
    let strategy = cursor.any_name()?.as_str().to_lowercase();
    cursor.eat(&["COLUMNS"]);
    let mut key = Vec::new();
    if cursor.is_punct(b'(') {
        let (from, to) = cursor.parens()?;
        if from < to {
            key.push(expr::describe(cursor, from, to));
        }
    }
    // PARTITIONS n, SUBPARTITION BY …, and the definitions.
    cursor.set(cursor.end());
    Ok(PartitionBy { strategy, key })
}

/// Table options, with or without commas and `=`, names in lower case.
pub fn options(cursor: &mut Cursor<'_>) -> Read<Vec<(String, String)>> {
    let mut found = Vec::new();
    while let Some(one) = option(cursor)? {
        found.push(one);
        let behind = cursor.at();
        if cursor.eat_punct(b',') {
            // A comma may also come before what is no option.
            match option(cursor)? {
                Some(next) => found.push(next),
                None => {
                    cursor.set(behind);
                    break;
                }
            }
        }
    }
    Ok(found)
}

fn option(cursor: &mut Cursor<'_>) -> Read<Option<(String, String)>> {
    const NAMES: [&str; 30] = [
        "ENGINE",
        "TYPE",
        "AUTO_INCREMENT",
        "AVG_ROW_LENGTH",
        "CHARSET",
        "COLLATE",
        "CHECKSUM",
        "COMMENT",
        "COMPRESSION",
        "CONNECTION",
        "DELAY_KEY_WRITE",
        "ENCRYPTION",
        "INSERT_METHOD",
        "KEY_BLOCK_SIZE",
        "MAX_ROWS",
        "MIN_ROWS",
        "PACK_KEYS",
        "PASSWORD",
        "ROW_FORMAT",
        "STATS_AUTO_RECALC",
        "STATS_PERSISTENT",
        "STATS_SAMPLE_PAGES",
        "TABLESPACE",
        "UNION",
        "PAGE_COMPRESSED",
        "PAGE_CHECKSUM",
        "TRANSACTIONAL",
        "SEQUENCE",
        "ENCRYPTED",
        "AUTOEXTEND_SIZE",
    ];
    let start = cursor.at();
    cursor.eat(&["DEFAULT"]);
    let name = if cursor.eat(&["CHARACTER", "SET"]) || cursor.eat(&["CHAR", "SET"]) {
        "charset".to_owned()
    } else if let Some(name) = cursor.eat_any(&NAMES) {
        name.to_ascii_lowercase()
    } else if (cursor.eat(&["DATA"]) || cursor.is(&["INDEX"])) && cursor.eat(&["DIRECTORY"]) {
        "directory".to_owned()
    } else {
        cursor.set(start);
        return Ok(None);
    };
    cursor.eat_op("=");
    let value = if cursor.is_string() {
        cursor.string()?
    } else if cursor.is_punct(b'(') {
        cursor.parens()?;
        String::new()
    } else {
        let value = cursor.word(cursor.at()).trim_matches('`').to_owned();
        if cursor.bump().is_none() {
            return Err(cursor.unexpected("a value"));
        }
        value
    };
    Ok(Some((name, value)))
}
