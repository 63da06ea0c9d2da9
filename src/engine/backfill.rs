//! The SQL by which an UPDATE goes through its table in chunks of rows, along a key.
//!
//! A cursor is the key of the last row that was looked at, as text: the server reads it back as what the column is.

use crate::dialect::Dialect;
use crate::engine::update::{UpdateParts, unquoted, update_parts};
use crate::engine::{mysql, postgres, sqlite};
use crate::name::{Name, TableName};
use crate::sql::lex::{TokenKind, significant};

/// An UPDATE that is run in chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunks {
    sql: String,
    parts: UpdateParts,
    key: Vec<KeyColumn>,
    dialect: Dialect,
}

/// A column of a key, and the form in which its values are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyColumn {
    /// Its name.
    pub name: Name,
    /// How a value of it is read and written.
    pub form: KeyForm,
}

/// How a value of a key is read as text, and written as SQL again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyForm {
    /// As text, which the server reads as what the column is.
    Text,
    /// As digits.
    Number,
    /// As the number by which a label stands in order.
    Label,
    /// As hexadecimal digits.
    Bytes,
    /// As the server's own literal.
    Literal,
}

/// Asks for the columns of the key that `update` goes by, each with its type: those that are `named`, or those of the
/// primary key. None where nothing has to be asked, or the statement is none that can be cut.
pub fn key_query(update: &str, named: &[Name], dialect: Dialect) -> Option<String> {
    let parts = update_parts(update, dialect)?;
    let text = table_name(update, &parts);
    match dialect {
        Dialect::Postgres => named.is_empty().then(|| postgres::backfill::key_query(text)),
        Dialect::Mysql => Some(mysql::backfill::key_query(&read_name(text, dialect)?, named)),
        Dialect::Sqlite if named.is_empty() => Some(sqlite::backfill::key_query(&read_name(text, dialect)?)),
        Dialect::Sqlite => None,
    }
}

/// Asks how many rows the table of `update` has about.
pub fn size_query(update: &str, dialect: Dialect) -> Option<String> {
    let parts = update_parts(update, dialect)?;
    let text = table_name(update, &parts);
    Some(match dialect {
        Dialect::Postgres => postgres::backfill::size_query(text),
        Dialect::Mysql => mysql::backfill::size_query(&read_name(text, dialect)?),
        Dialect::Sqlite => format!("SELECT count(*) FROM {text}"),
    })
}

/// Asks for what a backfill gives way to, where the server knows: how many seconds the replica that is most behind is
/// behind, how many bytes, how many sessions have waited for a lock for a second, how many statements of others run. The
/// first of them that the server answers is enough: not every role may ask for all of it.
pub fn load_queries(dialect: Dialect) -> &'static [&'static str] {
    match dialect {
        Dialect::Postgres => &[postgres::backfill::LOAD_QUERY],
        Dialect::Mysql => &[mysql::backfill::LOAD_QUERY, mysql::backfill::LOAD_QUERY_WITHOUT_PROCESS],
        Dialect::Sqlite => &[],
    }
}

/// What makes a chunk's commit return before it is on the disk, where the engine knows that. A crash of the server then
/// loses the last chunks together with how far they had come, and what is committed in the usual way behind them is never
/// there without them (<https://www.postgresql.org/docs/current/wal-async-commit.html>).
pub fn soft_commit(dialect: Dialect) -> Option<&'static str> {
    match dialect {
        Dialect::Postgres => Some("SET LOCAL synchronous_commit TO off"),
        Dialect::Mysql | Dialect::Sqlite => None,
    }
}

/// A column of a key, by its name and its type.
pub fn key_column(name: &str, data_type: &str, dialect: Dialect) -> KeyColumn {
    let form = match dialect {
        Dialect::Postgres => KeyForm::Text,
        Dialect::Mysql => mysql::backfill::form(data_type),
        Dialect::Sqlite => KeyForm::Literal,
    };
    KeyColumn { name: Name::new(name), form }
}

/// The table without its alias.
fn table_name<'s>(update: &'s str, parts: &UpdateParts) -> &'s str {
    let table = parts.table.of(update);
    let aliased = parts.qualifier.start > parts.table.start;
    if !aliased {
        return table;
    }
    let front = &update[parts.table.start..parts.qualifier.start];
    let front = front.trim_end();
    let cut = front.len().saturating_sub(3);
    match front.get(cut..) {
        Some(word) if word.eq_ignore_ascii_case(" as") => front[..cut].trim_end(),
        _ => front,
    }
}

/// A name as it is written in SQL.
fn read_name(text: &str, dialect: Dialect) -> Option<TableName> {
    let names = significant(text, dialect).filter_map(|token| match token.kind {
        TokenKind::Word => Some(Name::unquoted(token.text(text), dialect)),
        TokenKind::QuotedWord => Some(unquoted(token.text(text))),
        _ => None,
    });
    match names.collect::<Vec<Name>>().as_slice() {
        [name] => Some(TableName::bare(name.clone())),
        [schema, name] => Some(TableName::qualified(schema.clone(), name.clone())),
        _ => None,
    }
}

impl Chunks {
    /// The chunks of `sql` along `key`; none where it is no UPDATE that can be cut.
    pub fn new(sql: &str, key: Vec<KeyColumn>, dialect: Dialect) -> Option<Self> {
        let parts = update_parts(sql, dialect).filter(|_| !key.is_empty())?;
        Some(Self { sql: sql.to_owned(), parts, key, dialect })
    }

    /// The table, as the statement names it.
    pub fn table(&self) -> &str {
        table_name(&self.sql, &self.parts)
    }

    /// Whether it goes by the places of rows, since the table has no key: a row that is written moves, and may be met
    /// again.
    fn is_by_place(&self) -> bool {
        let only = |key: &[KeyColumn]| key.len() == 1 && key[0].name.as_str() == postgres::backfill::PLACE;
        self.dialect == Dialect::Postgres && only(&self.key)
    }

    /// The qualified columns of the key, as they are ordered by.
    fn columns(&self) -> Vec<String> {
        let of = self.parts.qualifier.of(&self.sql);
        let column = |one: &KeyColumn| {
            let name = format!("{of}.{}", one.name.quoted(self.dialect));
            if one.form == KeyForm::Label { format!("({name} + 0)") } else { name }
        };
        self.key.iter().map(column).collect()
    }

    fn literals(&self, values: &[String]) -> Vec<String> {
        let literal = |(column, value): (&KeyColumn, &String)| column.form.literal(value, self.dialect);
        self.key.iter().zip(values).map(literal).collect()
    }

    /// The rows behind the key `after`, or in front of it and it itself.
    fn beyond(&self, key: &[String], behind: bool) -> String {
        let (columns, values) = (self.columns(), self.literals(key));
        match self.dialect {
            // Their planners find the place of a row of values in an index.
            Dialect::Postgres | Dialect::Sqlite => {
                let word = if behind { ">" } else { "<=" };
                format!("({}) {word} ({})", columns.join(", "), values.join(", "))
            }
            Dialect::Mysql => mysql::backfill::beyond(&columns, &values, behind),
        }
    }

    fn behind(&self, after: Option<&[String]>) -> String {
        after.map_or_else(|| "true".to_owned(), |after| self.beyond(after, true))
    }

    /// Asks for the key of the last row of the chunk of `rows` rows behind `after`; no row where the table ends before.
    pub fn last_key(&self, after: Option<&[String]>, rows: u64) -> String {
        if self.is_by_place() {
            return postgres::backfill::last_page(self.table(), after, rows);
        }
        let columns = self.columns();
        let text = |(column, one): (&String, &KeyColumn)| one.form.as_text(column, self.dialect);
        let texts: Vec<String> = columns.iter().zip(&self.key).map(text).collect();
        format!(
            "SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT 1 OFFSET {}",
            texts.join(", "),
            self.parts.table.of(&self.sql),
            self.behind(after),
            columns.join(", "),
            rows.saturating_sub(1)
        )
    }

    /// The UPDATE of the rows behind `after`, up to and with `last`.
    pub fn update(&self, after: Option<&[String]>, last: Option<&[String]>) -> String {
        if self.is_by_place() {
            let place = format!("{}.{}", self.parts.qualifier.of(&self.sql), postgres::backfill::PLACE);
            return self.parts.narrowed(&self.sql, &postgres::backfill::on_pages(&place, after, last));
        }
        let up_to = last.map_or_else(String::new, |last| format!(" AND {}", self.beyond(last, false)));
        self.parts.narrowed(&self.sql, &format!("{}{up_to}", self.behind(after)))
    }
}

impl KeyForm {
    /// The expression that gives `column` as text.
    fn as_text(self, column: &str, dialect: Dialect) -> String {
        match (self, dialect) {
            (KeyForm::Literal, _) => format!("quote({column})"),
            (KeyForm::Bytes, _) => format!("HEX({column})"),
            (_, Dialect::Postgres) => format!("{column}::text"),
            (_, Dialect::Mysql | Dialect::Sqlite) => format!("CAST({column} AS CHAR)"),
        }
    }

    /// `value` as SQL. What is not of its form is written as text, which can do no harm.
    fn literal(self, value: &str, dialect: Dialect) -> String {
        let is = |allowed: fn(u8) -> bool| !value.is_empty() && value.bytes().all(allowed);
        match self {
            KeyForm::Number | KeyForm::Label
                if is(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) =>
            {
                value.to_owned()
            }
            KeyForm::Bytes if value.is_empty() || is(|byte| byte.is_ascii_hexdigit()) => {
                format!("x'{value}'")
            }
            KeyForm::Literal => sqlite::backfill::literal(value),
            KeyForm::Text | KeyForm::Number | KeyForm::Label | KeyForm::Bytes => {
                crate::name::literal(value, dialect)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(sql: &str, key: &[(&str, &str)], dialect: Dialect) -> Chunks {
        let key = key.iter().map(|(name, data_type)| key_column(name, data_type, dialect)).collect();
        Chunks::new(sql, key, dialect).expect("an update")
    }

    #[test]
    fn chunks_go_along_the_key() {
        let sql = "update s.orders set total = 1 where total is null or total = 0";
        let chunks = chunks(sql, &[("id", "")], Dialect::Postgres);
        let (after, last) = (["5".to_owned()], ["9".to_owned()]);
        assert_eq!(
            chunks.update(Some(&after), Some(&last)),
            "update s.orders set total = 1 where (total is null or total = 0) AND (s.orders.\"id\") > (E'5') AND \
             (s.orders.\"id\") <= (E'9')"
        );
        assert_eq!(
            chunks.last_key(None, 100),
            "SELECT s.orders.\"id\"::text FROM s.orders WHERE true ORDER BY s.orders.\"id\" LIMIT 1 OFFSET 99"
        );
    }

    #[test]
    fn a_table_without_a_key_is_gone_through_by_pages() {
        let sql = "UPDATE logs SET a = 1 WHERE a IS NULL";
        let chunks = chunks(sql, &[("ctid", "")], Dialect::Postgres);
        assert!(chunks.last_key(None, 1_000).contains("SELECT '(20,0)'"));
        let (after, last) =
            (["(20,0)".to_owned(), "(90,0)".to_owned()], ["(40,0)".to_owned(), "(90,0)".to_owned()]);
        assert!(chunks.last_key(Some(&after), 1_000).contains("'(40,0)'"));
        assert_eq!(
            chunks.update(Some(&after), Some(&last)),
            "UPDATE logs SET a = 1 WHERE (a IS NULL) AND logs.ctid >= '(20,0)'::tid AND logs.ctid < '(40,0)'::tid"
        );
        assert!(
            chunks
                .update(Some(&last), None)
                .ends_with("logs.ctid >= '(40,0)'::tid AND logs.ctid < '(90,0)'::tid")
        );
        assert!(chunks.update(None, None).ends_with("logs.ctid >= '(0,0)'::tid"));
    }

    #[test]
    fn composite_keys_and_aliases() {
        let sql = "UPDATE \"Lines\" AS l SET n = n + 1";
        let chunks = chunks(sql, &[("order", ""), ("No", "")], Dialect::Postgres);
        assert_eq!(
            chunks.update(Some(&["1".to_owned(), "a'b".to_owned()]), None),
            "UPDATE \"Lines\" AS l SET n = n + 1 WHERE (l.\"order\", l.\"No\") > (E'1', E'a''b')"
        );
        assert_eq!(chunks.table(), "\"Lines\"");
    }

    #[test]
    fn on_mysql_a_key_is_what_its_type_is() {
        let key = [("id", "bigint"), ("hash", "binary"), ("kind", "enum"), ("name", "varchar")];
        let chunks = chunks("UPDATE `t` SET n = 1", &key, Dialect::Mysql);
        assert_eq!(
            chunks.last_key(None, 2),
            "SELECT CAST(`t`.`id` AS CHAR), HEX(`t`.`hash`), CAST((`t`.`kind` + 0) AS CHAR), CAST(`t`.`name` AS CHAR) \
             FROM `t` WHERE true ORDER BY `t`.`id`, `t`.`hash`, (`t`.`kind` + 0), `t`.`name` LIMIT 1 OFFSET 1"
        );
        let two = self::chunks("UPDATE t SET n = 1", &key[..2], Dialect::Mysql);
        assert_eq!(
            two.update(
                Some(&["7".to_owned(), "0AFF".to_owned()]),
                Some(&["9 or 1".to_owned(), "x".to_owned()])
            ),
            "UPDATE t SET n = 1 WHERE (t.`id` >= 7 AND (t.`id` > 7 OR t.`id` = 7 AND t.`hash` > x'0AFF')) AND \
             (t.`id` <= _utf8mb4 x'39206f722031' AND (t.`id` < _utf8mb4 x'39206f722031' OR \
             t.`id` = _utf8mb4 x'39206f722031' AND t.`hash` <= _utf8mb4 x'78'))"
        );
    }

    #[test]
    fn on_sqlite_a_key_is_a_literal() {
        let chunks = chunks("UPDATE t SET n = 1", &[("_rowid_", "")], Dialect::Sqlite);
        assert_eq!(
            chunks.update(Some(&["7".to_owned()]), Some(&["1; drop table t".to_owned()])),
            "UPDATE t SET n = 1 WHERE (t.\"_rowid_\") > (7) AND (t.\"_rowid_\") <= ('1; drop table t')"
        );
    }
}
