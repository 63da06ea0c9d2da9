//! Where queries of running code can be found: one file per source, and the list of all of them.

mod json_lines;
mod postgres_log;
mod sql_files;
mod sqlx_data;
#[cfg(test)]
mod tests;

use super::model::Sent;
use crate::dialect::Dialect;

/// A form in which queries are found.
pub struct Source {
    /// Its name in the evidence file.
    pub id: &'static str,
    /// Whether it shows all that a program can send, so that what it no longer shows is gone.
    pub shows_all: bool,
    /// What it never sees.
    pub blind: &'static [&'static str],
    /// Reads the queries in a text that stands in the file `path`.
    ///
    /// # Errors
    /// The text is not of this form, and where.
    pub read: fn(path: &str, text: &str, dialect: Dialect) -> Result<Vec<Sent>, String>,
}

/// The offline data of sqlx.
pub static SQLX: &Source = &sqlx_data::SOURCE;
/// Files of queries.
pub static SQL_FILES: &Source = &sql_files::SOURCE;
/// One JSON object a line.
pub static JSON_LINES: &Source = &json_lines::SOURCE;
/// A log of PostgreSQL.
pub static POSTGRES_LOG: &Source = &postgres_log::SOURCE;

/// All of them.
pub static SOURCES: &[&Source] = &[SQLX, SQL_FILES, JSON_LINES, POSTGRES_LOG];
