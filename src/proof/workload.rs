//! Code at work on the tables of a schema: reads by name, inserts, updates and deletes, each of which the server has
//! taken where that code is at home.

use crate::db::error::DbError;
use crate::db::session::Session;
use crate::dialect::Dialect;
use crate::name::Name;
use crate::roundtrip::fill::insert;
use crate::roundtrip::fill::tables::{Column, Table};
use crate::roundtrip::fill::values;
use std::collections::BTreeSet;

/// The number of the first row that code writes: those before it are there already.
const FIRST_ROW: usize = 11;
/// How many values are tried for a column.
const TRIES: usize = 6;

/// What a version of the code sends.
#[derive(Debug, Clone, Default)]
pub(super) struct Workload {
    /// Reads, one column each.
    pub(super) reads: Vec<String>,
    /// Writes, in the order in which they were taken.
    pub(super) writes: Vec<String>,
}

/// Whose code it is: both write rows of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    Old,
    New,
}

impl Code {
    pub(super) const fn title(self) -> &'static str {
        match self {
            Code::Old => "old code",
            Code::New => "new code",
        }
    }

    const fn row(self) -> usize {
        match self {
            Code::Old => FIRST_ROW,
            Code::New => FIRST_ROW + 10,
        }
    }

    /// Which of the rows that are there it takes.
    const fn end(self) -> &'static str {
        match self {
            Code::Old => "min",
            Code::New => "max",
        }
    }
}

/// Reads of all columns of `tables`.
pub(super) fn reads(tables: &[Table], dialect: Dialect) -> Vec<String> {
    let of = |table: &Table| -> Vec<String> {
        let select = |column: &Column| {
            format!("SELECT {} FROM {}", Name::new(&column.name).quoted(dialect), table.name)
        };
        table.columns.iter().map(select).collect()
    };
    tables.iter().flat_map(of).collect()
}

/// Writes to `tables`, tried on the session's database: those that were taken.
pub(super) async fn record(
    session: &mut dyn Session,
    tables: &[Table],
    code: Code,
) -> Result<Vec<String>, DbError> {
    let dialect = session.dialect();
    let mut taken = Vec::new();
    for table in tables {
        let row = code.row();
        taken.extend(insert::insert(session, table, row, dialect).await.ok());
        let short = insert::shortest(table, row + 1, dialect);
        if works(session, &short).await {
            taken.push(short);
        }
        let Some(place) = place(session, table, code).await else { continue };
        for column in table.columns.iter().filter(|column| !column.is_generated) {
            for value in others(table, column, row + 2, dialect) {
                let update = place.update(table, column, &value, dialect);
                if works(session, &update).await {
                    taken.push(update);
                    break;
                }
            }
        }
        for column in table.columns.iter().filter(|column| column.nullable && !column.is_generated) {
            let other = Place { end: if code == Code::Old { "max" } else { "min" }, ..place.clone() };
            let update = other.update(table, column, "NULL", dialect);
            if works(session, &update).await {
                taken.push(update);
            }
        }
        taken.extend(insert::insert(session, table, row + 3, dialect).await.ok());
        let delete = format!("DELETE FROM {} WHERE {}", table.name, Place { end: "max", ..place }.is());
        if works(session, &delete).await {
            taken.push(delete);
        }
    }
    Ok(taken)
}

/// Updates of all rows of each table, by a column that both versions of the code know: what one of them writes must not
/// take away what the other wrote beside it.
pub(super) async fn record_common(
    session: &mut dyn Session,
    old: &[Table],
    new: &[Table],
) -> Result<Vec<String>, DbError> {
    let dialect = session.dialect();
    let mut taken = Vec::new();
    for table in new {
        let Some(known) = old.iter().find(|other| other.name == table.name) else { continue };
        let names: BTreeSet<&str> = known.columns.iter().map(|column| column.name.as_str()).collect();
        let common = table.columns.iter().filter(|column| {
            names.contains(column.name.as_str()) && !column.is_generated && !insert::in_key(table, column)
        });
        'table: for column in common {
            for value in others(table, column, FIRST_ROW + 30, dialect) {
                let name = Name::new(&column.name).quoted(dialect);
                let update = format!("UPDATE {} SET {name} = {value}", table.name);
                if works(session, &update).await {
                    taken.push(update);
                    break 'table;
                }
            }
        }
    }
    Ok(taken)
}

/// Sends `writes`; those that are refused, with the server's words.
pub(super) async fn send(session: &mut dyn Session, writes: &[String]) -> Vec<String> {
    let mut refused = Vec::new();
    for sql in writes {
        if let Err(error) = session.run(sql).await {
            refused.push(format!("`{sql}`: {error}"));
        }
    }
    refused
}

/// What a read gives, sorted; or the server's words.
pub(super) async fn answer(session: &mut dyn Session, sql: &str) -> Result<Vec<String>, String> {
    match session.query(sql).await {
        Ok(rows) => {
            let text = |row: &crate::db::session::Row| row.get(0).unwrap_or("NULL").to_owned();
            let mut values: Vec<String> = rows.iter().map(text).collect();
            values.sort_unstable();
            Ok(values)
        }
        Err(error) => Err(error.to_string()),
    }
}

/// Whether the server takes `sql`, and it touches a row.
async fn works(session: &mut dyn Session, sql: &str) -> bool {
    session.run(sql).await.is_ok_and(|rows| rows > 0)
}

/// How a row of a table is found: the least or the greatest of a column.
#[derive(Debug, Clone)]
struct Place {
    table: String,
    column: String,
    end: &'static str,
}

impl Place {
    fn is(&self) -> String {
        let (table, column, end) = (&self.table, &self.column, self.end);
        // MySQL reads the table that it writes only through a table of its own.
        format!("{column} IN (SELECT x FROM (SELECT {end}({column}) AS x FROM {table}) q)")
    }

    fn update(&self, table: &Table, column: &Column, value: &str, dialect: Dialect) -> String {
        let name = Name::new(&column.name).quoted(dialect);
        format!("UPDATE {} SET {name} = {value} WHERE {}", table.name, self.is())
    }
}

/// The first column that tells a row.
async fn place(session: &mut dyn Session, table: &Table, code: Code) -> Option<Place> {
    for column in &table.columns {
        let column = Name::new(&column.name).quoted(session.dialect());
        let ask = format!("SELECT {}({column}) FROM {}", code.end(), table.name);
        let found = session.query(&ask).await;
        if found.is_ok_and(|rows| rows.first().is_some_and(|row| row.get(0).is_some())) {
            return Some(Place { table: table.name.clone(), column, end: code.end() });
        }
    }
    None
}

/// Values that a column may get.
fn others(table: &Table, column: &Column, number: usize, dialect: Dialect) -> Vec<String> {
    if insert::in_key(table, column) {
        return insert::first(table, column, number, dialect).into_iter().collect();
    }
    let all = values::candidates(table, column, number, dialect);
    all.into_iter().filter(|value| value != "NULL").take(TRIES).collect()
}
