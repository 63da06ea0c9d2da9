//! Identifiers and literals: the only place that quotes one.

use crate::dialect::Dialect;
use std::collections::HashSet;
use std::fmt;
use std::sync::LazyLock;

/// An identifier as the server stores it: unquoted, and folded where it was written without quotes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Name(String);

impl Name {
    /// An identifier that already has the server's spelling.
    pub fn new(stored: impl Into<String>) -> Self {
        Self(stored.into())
    }

    /// The identifier that the server makes of `written`, without quotes around it: PostgreSQL folds to lower
    /// case (<https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS>), MySQL
    /// and SQLite keep the spelling.
    pub fn unquoted(written: &str, dialect: Dialect) -> Self {
        match dialect {
            Dialect::Postgres => Self(written.to_lowercase()),
            Dialect::Mysql | Dialect::Sqlite => Self(written.to_owned()),
        }
    }

    /// The server's spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Ready to be put into SQL: always quoted, so that no reserved word or character can matter.
    pub fn quoted(&self, dialect: Dialect) -> String {
        let quote = match dialect {
            Dialect::Postgres | Dialect::Sqlite => '"',
            Dialect::Mysql => '`',
        };
        let mut out = String::with_capacity(self.0.len() + 2);
        out.push(quote);
        for character in self.0.chars() {
            if character == quote {
                out.push(quote);
            }
            out.push(character);
        }
        out.push(quote);
        out
    }

    /// Ready to be put into SQL that people read and paste: quoted where it has to be.
    pub fn readable(&self, dialect: Dialect) -> String {
        let folded = match dialect {
            Dialect::Postgres => self.0.chars().any(|c| c.is_ascii_uppercase() || c == '$'),
            Dialect::Mysql | Dialect::Sqlite => false,
        };
        let shown = self.shown(dialect);
        if folded || is_reserved(&self.0) { self.quoted(dialect) } else { shown }
    }

    /// As people read it: quoted only where a character in it would be misread. A reserved word is not, so this is
    /// no SQL.
    pub fn shown(&self, dialect: Dialect) -> String {
        let starts_plain = self.0.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
        if starts_plain && self.0.chars().all(is_plain) { self.0.clone() } else { self.quoted(dialect) }
    }
}

/// Whether one of the engines does not take `word` as a name without quotes.
fn is_reserved(word: &str) -> bool {
    // A search through the text would be a tenth of all that lint does.
    static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| RESERVED.split_ascii_whitespace().collect());
    WORDS.contains(word)
        || word.contains(|c: char| c.is_ascii_uppercase()) && WORDS.contains(&*word.to_ascii_lowercase())
}

/// Words that one of the engines does not take as a name without quotes.
const RESERVED: &str = " accessible add all alter analyse analyze and any array as asc asensitive asymmetric authorization \
    before between bigint binary blob both by call cascade case cast change char character check collate collation column \
    commit concurrently condition constraint continue convert create cross cube cume_dist current_catalog current_date \
    current_role current_schema current_time current_timestamp current_user cursor database databases dec decimal declare \
    default deferrable delayed delete dense_rank desc describe deterministic distinct distinctrow div do double drop dual \
    each else elseif empty enclosed end escape escaped except exists exit explain false fetch first_value float for force \
    foreign freeze from full fulltext function generated get grant group grouping groups having high_priority if ignore \
    ilike in index infile initially inner inout insensitive insert int integer intersect interval into io is isnull iterate \
    join json_table key keys kill lag last_value lateral lead leading leave left like limit linear lines load localtime \
    localtimestamp lock long loop low_priority manual match mod modifies natural not notnull nth_value ntile null numeric \
    of off offset on only optimize option optionally or order out outer outfile over overlaps partition percent_rank \
    placing precision primary procedure purge range rank read reads real recursive references regexp release rename repeat \
    replace require resignal restrict return returning revoke right rlike row row_number rows schema schemas select \
    sensitive separator session_user set show signal similar smallint some spatial specific sql starting stored straight_join \
    symmetric system system_user table tablesample terminated then to trailing transaction trigger true undo union unique unlock \
    unsigned update usage use user using values varbinary varchar variadic varying verbose virtual when where while window \
    with write xor year_month zerofill ";

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of any object that lives in a schema: a relation, a type, a function, ….
pub type ObjectName = TableName;

/// A relation's name, with its schema where that was given.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct TableName {
    /// The schema (on MySQL: the database), if the text names one.
    pub schema: Option<Name>,
    /// The relation.
    pub name: Name,
}

impl TableName {
    /// A name without a schema.
    pub fn bare(name: Name) -> Self {
        Self { schema: None, name }
    }

    /// A name in a schema.
    pub fn qualified(schema: Name, name: Name) -> Self {
        Self { schema: Some(schema), name }
    }

    /// The name that a literal holds, as `nextval('schema.name')` reads it.
    pub fn in_literal(literal: &str, dialect: Dialect) -> Self {
        let bare = |part: &str| {
            let part = part.trim();
            match part.strip_prefix('"').and_then(|part| part.strip_suffix('"')) {
                Some(quoted) => Name::new(quoted),
                None => Name::unquoted(part, dialect),
            }
        };
        match literal.split_once('.') {
            Some((schema, name)) => Self::qualified(bare(schema), bare(name)),
            None => Self::bare(bare(literal)),
        }
    }

    /// Ready to be put into SQL.
    pub fn quoted(&self, dialect: Dialect) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{}", schema.quoted(dialect), self.name.quoted(dialect)),
            None => self.name.quoted(dialect),
        }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => write!(f, "{}", self.name),
        }
    }
}

/// `value` as a string literal. PostgreSQL's `E''` form does not depend on `standard_conforming_strings`
/// (<https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-STRINGS-ESCAPE>); MySQL's
/// hexadecimal form does not depend on `NO_BACKSLASH_ESCAPES` or on the character set of the connection
/// (<https://dev.mysql.com/doc/refman/8.4/en/hexadecimal-literals.html>).
pub fn literal(value: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Postgres => {
            let mut out = String::with_capacity(value.len() + 3);
            out.push_str("E'");
            for character in value.chars() {
                match character {
                    '\'' => out.push_str("''"),
                    '\\' => out.push_str("\\\\"),
                    other => out.push(other),
                }
            }
            out.push('\'');
            out
        }
        Dialect::Sqlite => format!("'{}'", value.replace('\'', "''")),
        Dialect::Mysql if value.is_empty() => "''".to_owned(),
        Dialect::Mysql => {
            format!("_utf8mb4 x'{}'", hex(value.as_bytes()))
        }
    }
}

/// `bytes` as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

/// `value` as MySQL's string in quotes, for the places where its grammar takes no other literal. The session must not
/// have `NO_BACKSLASH_ESCAPES`.
pub fn mysql_string(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "''"))
}

/// `value` as people write it as a literal: between quotes.
pub fn plain_literal(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// `value` as a literal, or `NULL`.
pub fn optional_literal(value: Option<&str>, dialect: Dialect) -> String {
    value.map_or_else(|| "NULL".to_owned(), |value| literal(value, dialect))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_doubled() {
        let name = Name::new("we\"ird`name");
        assert_eq!(name.quoted(Dialect::Postgres), "\"we\"\"ird`name\"");
        assert_eq!(name.quoted(Dialect::Mysql), "`we\"ird``name`");
    }

    #[test]
    fn names_are_shown_without_needless_quotes() {
        for (name, shown) in [("users", "users"), ("Mixed_1$", "Mixed_1$"), ("two words", "\"two words\"")] {
            assert_eq!(Name::new(name).shown(Dialect::Sqlite), shown);
        }
        assert_eq!(Name::new("1st`").shown(Dialect::Mysql), "`1st```");
        assert_eq!(Name::new("").shown(Dialect::Sqlite), "\"\"");
    }

    #[test]
    fn readable_names_are_quoted_where_they_must_be() {
        let readable = |text: &str, dialect| Name::new(text).readable(dialect);
        assert_eq!(readable("users_2", Dialect::Postgres), "users_2");
        assert_eq!(readable("user", Dialect::Postgres), "\"user\"");
        assert_eq!(readable("Users", Dialect::Postgres), "\"Users\"");
        assert_eq!(readable("Users", Dialect::Mysql), "Users");
        assert_eq!(readable("2nd", Dialect::Sqlite), "\"2nd\"");
        assert_eq!(readable("", Dialect::Mysql), "``");
    }

    #[test]
    fn postgres_folds_what_is_not_quoted() {
        assert_eq!(Name::unquoted("Users", Dialect::Postgres).as_str(), "users");
        assert_eq!(Name::unquoted("Users", Dialect::Sqlite).as_str(), "Users");
    }

    #[test]
    fn literals_cannot_be_left() {
        assert_eq!(literal(r"a'\b", Dialect::Postgres), r"E'a''\\b'");
        assert_eq!(literal(r"a'\b", Dialect::Sqlite), r"'a''\b'");
        assert_eq!(literal("a'", Dialect::Mysql), "_utf8mb4 x'6127'");
        assert_eq!(mysql_string(r"a'\b"), r"'a''\\b'");
    }
}
