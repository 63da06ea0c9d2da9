//! Statements that PostgreSQL only runs outside a transaction, sorted by how their outcome can be told afterwards.

use crate::dialect::Dialect;
use crate::engine::words::Words;
use crate::name::{Name, TableName};

/// A statement outside a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alone {
    /// `CREATE INDEX CONCURRENTLY`.
    CreateIndex {
        /// The index, where the statement names it.
        name: Option<Name>,
        /// Its table.
        table: TableName,
    },
    /// `DROP INDEX CONCURRENTLY`.
    DropIndex {
        /// The indexes.
        names: Vec<TableName>,
    },
    /// `REINDEX … CONCURRENTLY`.
    Reindex,
    /// `ALTER TABLE … DETACH PARTITION … CONCURRENTLY`.
    DetachPartition {
        /// The partitioned table.
        parent: TableName,
        /// The partition.
        partition: TableName,
    },
    /// May be run again without harm: `VACUUM`, `ALTER SYSTEM`, `CLUSTER`, ….
    Repeatable,
    /// Anything else.
    Other,
}

/// Sorts `sql`.
pub fn alone(sql: &str) -> Alone {
    let mut words = Words::new(sql, Dialect::Postgres);
    match words.next_upper().as_str() {
        "CREATE" => create_index(&mut words),
        "DROP" => drop_index(&mut words),
        "REINDEX" => Alone::Reindex,
        "ALTER" => alter(&mut words),
        "VACUUM" | "ANALYZE" | "CLUSTER" | "CHECKPOINT" => Alone::Repeatable,
        _ => Alone::Other,
    }
}

fn create_index(words: &mut Words<'_>) -> Alone {
    words.skip("UNIQUE");
    if !words.skip("INDEX") || !words.skip("CONCURRENTLY") {
        return Alone::Other;
    }
    let _ = words.skip("IF") && words.skip("NOT") && words.skip("EXISTS");
    let name = if words.peek_upper() == "ON" { None } else { words.name() };
    if !words.skip("ON") {
        return Alone::Other;
    }
    words.skip("ONLY");
    match words.table() {
        Some(table) => Alone::CreateIndex { name, table },
        None => Alone::Other,
    }
}

fn drop_index(words: &mut Words<'_>) -> Alone {
    if !words.skip("INDEX") || !words.skip("CONCURRENTLY") {
        return Alone::Other;
    }
    let _ = words.skip("IF") && words.skip("EXISTS");
    let mut names = Vec::new();
    while let Some(name) = words.table() {
        names.push(name);
        if !words.skip(",") {
            break;
        }
    }
    if names.is_empty() { Alone::Other } else { Alone::DropIndex { names } }
}

fn alter(words: &mut Words<'_>) -> Alone {
    if words.skip("SYSTEM") {
        return Alone::Repeatable;
    }
    if !words.skip("TABLE") {
        return Alone::Other;
    }
    let _ = words.skip("IF") && words.skip("EXISTS");
    let Some(parent) = words.table() else { return Alone::Other };
    if !words.skip("DETACH") || !words.skip("PARTITION") {
        return Alone::Other;
    }
    match words.table() {
        Some(partition) if words.skip("CONCURRENTLY") => Alone::DetachPartition { parent, partition },
        _ => Alone::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str) -> TableName {
        TableName::bare(Name::new(name))
    }

    #[test]
    fn sorts() {
        let index =
            |name: Option<&str>, on: &str| Alone::CreateIndex { name: name.map(Name::new), table: table(on) };
        assert_eq!(alone("create index concurrently I on only T (a)"), index(Some("i"), "t"));
        assert_eq!(
            alone("CREATE UNIQUE INDEX /* x */ CONCURRENTLY IF NOT EXISTS \"I\" ON \"T\"(a)"),
            index(Some("I"), "T")
        );
        assert_eq!(alone("create index concurrently on t using gin (a)"), index(None, "t"));
        assert_eq!(
            alone("drop index concurrently if exists a, s.b"),
            Alone::DropIndex {
                names: vec![table("a"), TableName::qualified(Name::new("s"), Name::new("b"))]
            }
        );
        assert_eq!(
            alone("alter table p detach partition q concurrently"),
            Alone::DetachPartition { parent: table("p"), partition: table("q") }
        );
        assert_eq!(alone("vacuum (analyze) t"), Alone::Repeatable);
        assert_eq!(alone("reindex table concurrently t"), Alone::Reindex);
        assert_eq!(alone("create database x"), Alone::Other);
    }
}
