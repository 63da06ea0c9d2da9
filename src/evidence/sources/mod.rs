//! Where queries of running code can be found: one file per source, and the list of all of them.

mod json_lines;
mod postgres_log;
mod sql_files;
mod sqlx_data;
#[cfg(test)]
mod tests;

use super::facts::Look;
use crate::dialect::Dialect;

/// Where queries are found.
#[derive(Debug)]
pub struct Source {
    /// Its name in the evidence file.
    pub id: &'static str,
    /// Whether it shows all that a program can send, so that what it no longer shows is gone.
    pub shows_all: bool,
    /// Whether a server has counted the queries, from some day on, whoever sent them.
    pub counts: bool,
    /// What it never sees.
    pub blind: &'static [&'static str],
}

/// A source that is a text.
pub struct TextSource {
    /// What holds of it.
    pub about: Source,
    /// Reads the queries in a text that stands in the file `path`, and what could not be read of it.
    ///
    /// # Errors
    /// The text is not of this form, and where.
    pub read: fn(path: &str, text: &str, dialect: Dialect) -> Result<Look, String>,
}

/// The offline data of sqlx.
pub static SQLX: &TextSource = &sqlx_data::SOURCE;
/// Files of queries.
pub static SQL_FILES: &TextSource = &sql_files::SOURCE;
/// One JSON object a line.
pub static JSON_LINES: &TextSource = &json_lines::SOURCE;
/// A log of PostgreSQL.
pub static POSTGRES_LOG: &TextSource = &postgres_log::SOURCE;
/// What PostgreSQL has counted.
pub static STATEMENTS: &Source =
    &Source { id: "pg-stat-statements", shows_all: false, counts: true, blind: &[] };
/// What MySQL or MariaDB has counted.
pub static DIGESTS: &Source =
    &Source { id: "performance-schema", shows_all: false, counts: true, blind: &[] };

/// All of them.
pub static SOURCES: &[&Source] = &[
    &sqlx_data::SOURCE.about,
    &sql_files::SOURCE.about,
    &json_lines::SOURCE.about,
    &postgres_log::SOURCE.about,
    STATEMENTS,
    DIGESTS,
];
