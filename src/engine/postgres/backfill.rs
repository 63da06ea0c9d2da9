//! The SQL by which an UPDATE goes through its table in chunks of rows, along a key.
//!
//! A cursor is the key of the last row that was looked at, as text: the server reads it back as what the column is.

use crate::dialect::Dialect;
use crate::engine::update::{UpdateParts, update_parts};
use crate::name::{Name, plain_literal};

/// An UPDATE that is run in chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunks {
    sql: String,
    parts: UpdateParts,
    key: Vec<Name>,
}

/// Asks for the names of the columns of the primary key of the table that `update` writes.
pub fn key_query(update: &str) -> Option<String> {
    let parts = update_parts(update, Dialect::Postgres)?;
    let table = plain_literal(table_name(update, &parts));
    Some(format!(
        "SELECT a.attname FROM pg_catalog.pg_index i, pg_catalog.pg_attribute a \
         WHERE i.indrelid = {table}::pg_catalog.regclass AND i.indisprimary AND a.attrelid = i.indrelid \
         AND a.attnum = ANY (i.indkey) ORDER BY pg_catalog.array_position(i.indkey::int2[], a.attnum)"
    ))
}

/// Asks how many rows the table of `update` has about.
pub fn size_query(update: &str) -> Option<String> {
    let parts = update_parts(update, Dialect::Postgres)?;
    let table = plain_literal(table_name(update, &parts));
    Some(format!(
        "SELECT COALESCE(pg_catalog.sum(GREATEST(c.reltuples, 0)), 0)::int8 FROM pg_catalog.pg_class c \
         WHERE c.oid = {table}::pg_catalog.regclass OR c.oid IN \
         (SELECT relid FROM pg_catalog.pg_partition_tree({table}::pg_catalog.regclass) WHERE isleaf)"
    ))
}

/// Asks how many seconds the replica that is most behind is behind.
pub const LAG_QUERY: &str = "SELECT COALESCE(pg_catalog.max(EXTRACT(epoch FROM replay_lag)), 0)::int8 \
                             FROM pg_catalog.pg_stat_replication";

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

impl Chunks {
    /// The chunks of `sql` along `key`; none where it is no UPDATE that can be cut.
    pub fn new(sql: &str, key: Vec<Name>) -> Option<Self> {
        let parts = update_parts(sql, Dialect::Postgres).filter(|_| !key.is_empty())?;
        Some(Self { sql: sql.to_owned(), parts, key })
    }

    /// The table, as the statement names it.
    pub fn table(&self) -> &str {
        table_name(&self.sql, &self.parts)
    }

    /// The qualified columns of the key, and their list in parentheses.
    fn columns(&self) -> (Vec<String>, String) {
        let of = self.parts.qualifier.of(&self.sql);
        let columns: Vec<String> =
            self.key.iter().map(|column| format!("{of}.{}", column.quoted(Dialect::Postgres))).collect();
        let list = columns.join(", ");
        (columns, list)
    }

    fn behind(&self, after: Option<&[String]>) -> String {
        let (_, list) = self.columns();
        after.map_or_else(|| "true".to_owned(), |after| format!("({list}) > ({})", literals(after)))
    }

    /// Asks for the key of the last row of the chunk of `rows` rows behind `after`; no row where the table ends before.
    pub fn last_key(&self, after: Option<&[String]>, rows: u64) -> String {
        let (columns, list) = self.columns();
        let texts: Vec<String> = columns.iter().map(|column| format!("{column}::text")).collect();
        format!(
            "SELECT {} FROM {} WHERE {} ORDER BY {list} OFFSET {} LIMIT 1",
            texts.join(", "),
            self.parts.table.of(&self.sql),
            self.behind(after),
            rows.saturating_sub(1)
        )
    }

    /// The UPDATE of the rows behind `after`, up to and with `last`.
    pub fn update(&self, after: Option<&[String]>, last: Option<&[String]>) -> String {
        let (_, list) = self.columns();
        let up_to = last.map_or_else(String::new, |last| format!(" AND ({list}) <= ({})", literals(last)));
        self.parts.narrowed(&self.sql, &format!("{}{up_to}", self.behind(after)))
    }
}

fn literals(values: &[String]) -> String {
    let literals: Vec<String> =
        values.iter().map(|value| crate::name::literal(value, Dialect::Postgres)).collect();
    literals.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_go_along_the_key() {
        let sql = "update s.orders set total = 1 where total is null or total = 0";
        let chunks = Chunks::new(sql, vec![Name::new("id")]).expect("an update");
        let (after, last) = (["5".to_owned()], ["9".to_owned()]);
        assert_eq!(
            chunks.update(Some(&after), Some(&last)),
            "update s.orders set total = 1 where (total is null or total = 0) AND (s.orders.\"id\") > (E'5') AND \
             (s.orders.\"id\") <= (E'9')"
        );
        assert_eq!(
            chunks.last_key(None, 100),
            "SELECT s.orders.\"id\"::text FROM s.orders WHERE true ORDER BY s.orders.\"id\" OFFSET 99 LIMIT 1"
        );
    }

    #[test]
    fn composite_keys_and_aliases() {
        let sql = "UPDATE \"Lines\" AS l SET n = n + 1";
        let chunks = Chunks::new(sql, vec![Name::new("order"), Name::new("No")]).expect("an update");
        assert_eq!(
            chunks.update(Some(&["1".to_owned(), "a'b".to_owned()]), None),
            "UPDATE \"Lines\" AS l SET n = n + 1 WHERE (l.\"order\", l.\"No\") > (E'1', E'a''b')"
        );
        assert_eq!(chunks.table(), "\"Lines\"");
    }
}
