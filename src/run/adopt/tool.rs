//! What is known of a tool that keeps a history of its own, and what such a history says.

use crate::db::session::Row;
use crate::dialect::Dialect;
use crate::name::{TableName, literal};
use crate::source::{Kind, Migration};

/// A tool whose history can be taken over.
pub trait Tool: Sync {
    /// The name used in arguments and in the journal: `sqlx`, `golang-migrate`, ….
    fn id(&self) -> &'static str;

    /// The format of its files; `None` where its migrations are programs.
    fn format(&self) -> Option<&'static str> {
        Some(self.id())
    }

    /// The columns that its table must have.
    fn columns(&self) -> &'static [&'static str];

    /// Whether `table`, which has its columns, is its history: tables are told apart by what they are, and by a name
    /// only where their columns say too little. `all` are the tables beside it.
    fn is_history(&self, table: &FoundTable, all: &[FoundTable]) -> bool;

    /// The text that gives the rows of `table` (ready to be put into SQL), the one that was applied first in front
    /// where the table tells.
    fn select(&self, table: &str, dialect: Dialect) -> String;

    /// What the rows say.
    fn read(&self, rows: &[Row]) -> Told;

    /// What the tool calls `migration` in its table.
    fn key(&self, migration: &Migration) -> String {
        migration.version.as_str().to_owned()
    }

    /// The version that a file called `key` would have here.
    fn version_of(&self, key: &str) -> String {
        key.to_owned()
    }

    /// One spelling for all that mean the same version.
    fn canonical(&self, key: &str) -> String {
        canonical_number(key)
    }

    /// Whether its history keeps the order of application; else the order of the files is taken.
    fn keeps_order(&self) -> bool {
        true
    }

    /// Whether `key` stands for all migrations up to it where [`Told::covered_up_to`] names `to`.
    fn is_covered(&self, key: &str, to: &str) -> bool {
        numbers(key) <= numbers(to)
    }

    /// Why its table cannot be written by anybody else, where it cannot.
    fn cannot_be_mirrored(&self) -> Option<&'static str> {
        None
    }

    /// What it would write of a migration that was applied, as SQL without a `;` behind it; or why it cannot be written.
    fn applied_sql(&self, applied: &Mirrored<'_>) -> Result<Vec<String>, String>;

    /// What it would write of a migration that was taken back.
    fn reverted_sql(&self, reverted: &Mirrored<'_>) -> Result<Vec<String>, String>;
}

/// A table of a database, with what tells it from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundTable {
    /// Its name; the schema stands in front on PostgreSQL.
    pub name: TableName,
    /// Its columns with their types, in lower case.
    pub columns: Vec<(String, String)>,
    /// Whether it is found without naming its schema.
    pub on_path: bool,
}

impl FoundTable {
    /// Whether it has all of `columns`.
    pub fn has(&self, columns: &[&str]) -> bool {
        columns.iter().all(|wanted| self.columns.iter().any(|(name, _)| name == wanted))
    }

    /// Whether it has `columns` and no others.
    pub fn has_only(&self, columns: &[&str]) -> bool {
        self.columns.len() == columns.len() && self.has(columns)
    }

    /// Whether `column` holds text.
    pub fn is_text(&self, column: &str) -> bool {
        let text = |kind: &str| kind.contains("char") || kind.contains("text") || kind.contains("clob");
        self.columns.iter().any(|(name, kind)| name == column && text(kind))
    }

    /// Its name without a schema.
    pub fn bare_name(&self) -> &str {
        self.name.name.as_str()
    }
}

/// What a history says.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// What is applied.
    pub entries: Vec<Entry>,
    /// The newest version, where the history names only that one and means all up to it.
    pub newest: Option<String>,
    /// A version up to which all count as applied, beside `entries` (Flyway's baseline).
    pub covered_up_to: Option<String>,
    /// What has to be settled before anybody can go on.
    pub troubles: Vec<Trouble>,
    /// What a person should know, one sentence each.
    pub notes: Vec<String>,
}

impl Told {
    /// Whether the tool has done nothing here yet.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
            && self.newest.is_none()
            && self.covered_up_to.is_none()
            && self.troubles.is_empty()
    }

    /// How many migrations it names.
    pub fn count(&self) -> usize {
        self.entries.len() + usize::from(self.newest.is_some()) + usize::from(self.covered_up_to.is_some())
    }
}

/// One applied migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What the tool calls it.
    pub key: String,
    /// Its name, where the history keeps one.
    pub name: String,
    /// What it is run for.
    pub kind: Kind,
    /// The tool's checksum of it, as [`KeptChecksum::is`](crate::source::KeptChecksum::is) wants it.
    pub checksum: Option<String>,
    /// Statements that take it back, where the history keeps them.
    pub down: Option<Vec<String>>,
}

impl Entry {
    /// A versioned migration of which only the version is known.
    pub fn of(key: impl Into<String>) -> Self {
        Self { key: key.into(), name: String::new(), kind: Kind::Versioned, checksum: None, down: None }
    }
}

/// A state of the old tool that has to be settled first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What is wrong, one line.
    pub what: String,
    /// How it is settled.
    pub help: String,
}

/// A migration as its row in the tool's table is written.
#[derive(Debug, Clone)]
pub struct Mirrored<'a> {
    /// The table, ready to be put into SQL.
    pub table: &'a str,
    /// How SQL is written.
    pub dialect: Dialect,
    /// What the tool calls it.
    pub key: &'a str,
    /// Its name in the tool's own format.
    pub name: &'a str,
    /// Its file, below the folder.
    pub path: &'a str,
    /// What it is run for.
    pub kind: Kind,
    /// The tool's checksum, as the tool prints it.
    pub checksum: &'a str,
    /// What brings the database forward, and what takes that back, as the tool keeps them (Play).
    pub sides: (&'a str, &'a str),
    /// How long it took, in milliseconds.
    pub duration_ms: u128,
    /// The newest version that is applied afterwards.
    pub newest: Option<&'a str>,
}

impl Mirrored<'_> {
    /// `value` as a literal.
    pub fn text(&self, value: &str) -> String {
        literal(value, self.dialect)
    }

    /// The key as a number: never anything else, whatever a file is called.
    pub fn number(&self) -> Result<i64, String> {
        self.key.parse().map_err(|_| format!("`{}` is no number that it could write", self.key))
    }

    /// True or false as the dialect has them.
    pub const fn flag(&self, value: bool) -> &'static str {
        match (self.dialect, value) {
            (Dialect::Postgres, true) => "true",
            (Dialect::Postgres, false) => "false",
            (Dialect::Mysql | Dialect::Sqlite, true) => "1",
            (Dialect::Mysql | Dialect::Sqlite, false) => "0",
        }
    }

    /// Now, for a column of the type that has moments.
    pub const fn now(&self) -> &'static str {
        "CURRENT_TIMESTAMP"
    }

    /// Removes the row whose `column` is the key's number.
    pub fn delete_number(&self, column: &str) -> Result<Vec<String>, String> {
        Ok(vec![format!("DELETE FROM {} WHERE {column} = {}", self.table, self.number()?)])
    }

    /// Removes the row whose `column` is the key.
    pub fn delete_text(&self, column: &str) -> Result<Vec<String>, String> {
        Ok(vec![format!("DELETE FROM {} WHERE {column} = {}", self.table, self.text(self.key))])
    }
}

/// `7` for `0007`; other spellings as they are.
pub fn canonical_number(key: &str) -> String {
    let digits = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit());
    match key.trim_start_matches('0') {
        _ if !digits => key.to_owned(),
        "" => "0".to_owned(),
        number => number.to_owned(),
    }
}

/// The numbers of a version in front of its first other character, to be compared: `1.10` behind `1.9`. A number may
/// have any length.
pub fn numbers(version: &str) -> Vec<(usize, String)> {
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    let mut numbers: Vec<_> = version[..end]
        .split('.')
        .map(|part| part.trim_start_matches('0'))
        .map(|part| (part.len(), part.to_owned()))
        .collect();
    while numbers.len() > 1 && numbers.last().is_some_and(|(length, _)| *length == 0) {
        numbers.pop();
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(canonical_number("0007"), "7");
        assert_eq!(canonical_number("000"), "0");
        assert_eq!(canonical_number("0007_a"), "0007_a");
        assert!(numbers("1.9") < numbers("1.10") && numbers("2") < numbers("10"));
        assert!(numbers("9_b") < numbers("10_a") && numbers("1.0") == numbers("1"));
    }
}
