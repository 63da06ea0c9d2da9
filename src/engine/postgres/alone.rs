//! Statements that PostgreSQL only runs outside a transaction, sorted by how their outcome can be told afterwards.

use crate::dialect::Dialect;
use crate::name::{Name, TableName};
use crate::sql::phrase::Phrase;

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
    let mut phrase = Phrase::new(sql, Dialect::Postgres);
    let first = phrase.eats_any(&[
        "create unique index concurrently",
        "create index concurrently",
        "drop index concurrently",
        "reindex",
        "alter system",
        "alter table",
        "vacuum",
        "analyze",
        "cluster",
        "checkpoint",
    ]);
    let known = match first {
        Some("create unique index concurrently" | "create index concurrently") => create_index(&mut phrase),
        Some("drop index concurrently") => drop_index(&mut phrase),
        Some("reindex") => Some(Alone::Reindex),
        Some("alter table") => detach(&mut phrase),
        Some(_) => Some(Alone::Repeatable),
        None => None,
    };
    known.unwrap_or(Alone::Other)
}

fn create_index(phrase: &mut Phrase<'_>) -> Option<Alone> {
    phrase.eats("if not exists");
    let name = if phrase.sees("on") { None } else { Some(phrase.name()?) };
    phrase.eats("on").then_some(())?;
    phrase.eats("only");
    Some(Alone::CreateIndex { name, table: phrase.table()? })
}

fn drop_index(phrase: &mut Phrase<'_>) -> Option<Alone> {
    phrase.eats("if exists");
    let mut names = vec![phrase.table()?];
    while phrase.eats_punct(b',') {
        names.push(phrase.table()?);
    }
    Some(Alone::DropIndex { names })
}

fn detach(phrase: &mut Phrase<'_>) -> Option<Alone> {
    phrase.eats("if exists");
    let parent = phrase.table()?;
    phrase.eats("detach partition").then_some(())?;
    let partition = phrase.table()?;
    phrase.eats("concurrently").then_some(Alone::DetachPartition { parent, partition })
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
