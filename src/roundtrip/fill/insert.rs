//! Inserts rows into every empty table, and tries other values where the server refuses one.

use super::tables::{self, Column, Table};
use super::values;
use crate::db::error::DbError;
use crate::db::session::Session;
use crate::dialect::Dialect;
use crate::name::Name;
use std::collections::HashSet;

/// How many rows a table gets.
const ROWS: usize = 2;

/// How many times a row is tried with other values.
const TRIES_MAX: usize = 80;

/// Fills every empty table of the session's database. What it gives are the tables that stay empty, and why.
pub(crate) async fn fill(session: &mut dyn Session, journal: &str) -> Result<Vec<(String, String)>, DbError> {
    let dialect = session.dialect();
    let mut empty = Vec::new();
    for table in tables::read(session, journal).await? {
        let any = session.query(&format!("SELECT 1 FROM {} LIMIT 1", table.name)).await;
        if any.is_ok_and(|rows| !rows.is_empty()) {
            continue;
        }
        for number in 1..=ROWS {
            if let Err(error) = insert(session, &table, number, dialect).await {
                if number == 1 {
                    empty.push((table.name.clone(), error.message));
                }
                break;
            }
        }
    }
    Ok(empty)
}

/// Inserts one row: as its types want it, then with other values for one column after the other, then for two at a time.
/// What it gives is the statement that was taken.
pub(crate) async fn insert(
    session: &mut dyn Session,
    table: &Table,
    number: usize,
    dialect: Dialect,
) -> Result<String, DbError> {
    let columns: Vec<&Column> = table.columns.iter().filter(|column| !column.is_generated).collect();
    let mut row: Vec<Option<String>> =
        columns.iter().map(|column| first(table, column, number, dialect)).collect();
    let statement = sql(table, &columns, &row, dialect);
    let mut error = match session.run(&statement).await {
        Ok(_) => return Ok(statement),
        Err(error) => error,
    };
    let options: Vec<Vec<String>> = columns
        .iter()
        .map(|column| match in_key(table, column) {
            true if column.nullable => vec!["NULL".to_owned()],
            true => Vec::new(),
            false => values::candidates(table, column, number, dialect),
        })
        .collect();
    // Another complaint than all before is a step on: what was complained of is right now.
    let mut seen = HashSet::from([error.message.clone()]);
    let mut tries = 0;
    'again: loop {
        for (column, value) in singles(&options) {
            let mut tried = row.clone();
            tried[column] = Some(value.clone());
            let statement = sql(table, &columns, &tried, dialect);
            match session.run(&statement).await {
                Ok(_) => return Ok(statement),
                Err(next) => error = next,
            }
            tries += 1;
            if seen.insert(error.message.clone()) {
                row = tried;
                continue 'again;
            }
            if tries >= TRIES_MAX {
                return Err(error);
            }
        }
        break;
    }
    for pair in pairs(&options).take(TRIES_MAX) {
        let mut tried = row.clone();
        for (column, value) in pair {
            tried[column] = Some(value.clone());
        }
        let statement = sql(table, &columns, &tried, dialect);
        match session.run(&statement).await {
            Ok(_) => return Ok(statement),
            Err(next) => error = next,
        }
    }
    Err(error)
}

/// Other values for one column, with its number.
fn singles(options: &[Vec<String>]) -> impl Iterator<Item = (usize, &String)> {
    options.iter().enumerate().flat_map(|(column, values)| values.iter().map(move |value| (column, value)))
}

/// Other values for two columns at a time.
fn pairs(options: &[Vec<String>]) -> impl Iterator<Item = [(usize, &String); 2]> {
    singles(options).flat_map(move |one| {
        let later = singles(options).filter(move |other| other.0 > one.0);
        later.map(move |other| [one, other])
    })
}

pub(crate) fn in_key(table: &Table, column: &Column) -> bool {
    table.keys.iter().any(|key| key.columns.contains(&column.name))
}

/// A row that gives only what it must: columns that may be NULL or have a default are left out.
pub(crate) fn shortest(table: &Table, number: usize, dialect: Dialect) -> String {
    let must = |column: &&Column| !column.is_generated && !column.nullable && !column.has_default;
    let columns: Vec<&Column> = table.columns.iter().filter(must).collect();
    let row: Vec<Option<String>> =
        columns.iter().map(|column| first(table, column, number, dialect)).collect();
    sql(table, &columns, &row, dialect)
}

/// What is tried first; none leaves the column to its default.
pub(crate) fn first(table: &Table, column: &Column, number: usize, dialect: Dialect) -> Option<String> {
    let mut keys = table.keys.iter().enumerate();
    if let Some((which, key)) = keys.find(|(_, key)| key.columns.contains(&column.name)) {
        if key.parent == table.name && column.nullable {
            return None;
        }
        let at = key.columns.iter().position(|own| *own == column.name).unwrap_or(0);
        let other = match key.parent_columns.get(at) {
            Some(other) => Name::new(other).quoted(dialect),
            // SQLite's keys may name no column: then it is the parent's primary key.
            None => "rowid".to_owned(),
        };
        let parent = &key.parent;
        // The same row for all columns of a key, and another one for the next key: often a row must not refer twice to
        // the same one. Any row where there are not as many.
        let number = (number - 1 + which) % ROWS + 1;
        return Some(format!(
            "(SELECT x FROM (SELECT {other} AS x, ROW_NUMBER() OVER (ORDER BY {}) AS n FROM {parent}) q \
             ORDER BY n = {number} DESC LIMIT 1)",
            match key.parent_columns.is_empty() {
                true => "rowid".to_owned(),
                false => key
                    .parent_columns
                    .iter()
                    .map(|column| Name::new(column).quoted(dialect))
                    .collect::<Vec<_>>()
                    .join(", "),
            }
        ));
    }
    if column.has_default { None } else { values::usual(column, number, dialect) }
}

fn sql(table: &Table, columns: &[&Column], row: &[Option<String>], dialect: Dialect) -> String {
    let given: Vec<(String, &String)> = columns
        .iter()
        .zip(row)
        .filter_map(|(column, value)| Some((Name::new(&column.name).quoted(dialect), value.as_ref()?)))
        .collect();
    if given.is_empty() {
        return match dialect {
            Dialect::Mysql => format!("INSERT INTO {} () VALUES ()", table.name),
            Dialect::Postgres | Dialect::Sqlite => format!("INSERT INTO {} DEFAULT VALUES", table.name),
        };
    }
    let names: Vec<&str> = given.iter().map(|(name, _)| name.as_str()).collect();
    let values: Vec<&str> = given.iter().map(|(_, value)| value.as_str()).collect();
    format!("INSERT INTO {} ({}) VALUES ({})", table.name, names.join(", "), values.join(", "))
}
