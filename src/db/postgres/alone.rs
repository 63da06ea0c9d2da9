//! PostgreSQL's statements outside a transaction: what to remember before one, and how to tell afterwards, from the
//! catalog, whether it was carried out.

use super::session::DIALECT;
use crate::db::error::DbError;
use crate::db::session::{Finding, Session};
use crate::engine::postgres::alone::{Alone, alone};
use crate::name::{Name, TableName, literal};
use std::collections::BTreeSet;

/// An index as the catalog shows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Index {
    oid: i64,
    name: String,
    schema: String,
    valid: bool,
}

impl Index {
    fn quoted(&self) -> String {
        TableName::qualified(Name::new(&self.schema), Name::new(&self.name)).quoted(DIALECT)
    }
}

/// See [`Session::before_alone`]: the oids of the indexes that are there.
pub(super) async fn before(session: &mut dyn Session, sql: &str) -> Result<Option<String>, DbError> {
    let condition = match alone(sql) {
        Alone::CreateIndex { table, .. } => on_table(&table),
        Alone::Reindex => LEFTOVERS.to_owned(),
        Alone::DropIndex { .. } | Alone::DetachPartition { .. } | Alone::Repeatable | Alone::Other => {
            return Ok(None);
        }
    };
    let oids: Vec<String> =
        indexes(session, &condition).await?.iter().map(|index| index.oid.to_string()).collect();
    Ok(Some(oids.join(" ")))
}

/// See [`Session::after_alone`].
pub(super) async fn after(
    session: &mut dyn Session,
    sql: &str,
    before: Option<&str>,
) -> Result<Finding, DbError> {
    match alone(sql) {
        Alone::CreateIndex { table, name, .. } => {
            let Some(before) = before else { return Ok(Finding::Unknown) };
            let new = new_indexes(session, &on_table(&table), name.as_ref(), before).await?;
            match new.as_slice() {
                [] => Ok(Finding::NotDone),
                [index] if index.valid => Ok(Finding::Done),
                [index] => drop_invalid(session, index).await,
                _ => Ok(Finding::Unknown),
            }
        }
        Alone::DropIndex { names } => {
            for name in names {
                if exists(session, &name).await? {
                    return Ok(Finding::NotDone);
                }
            }
            Ok(Finding::Done)
        }
        Alone::Reindex => {
            clear(session, sql, before).await?;
            Ok(Finding::NotDone)
        }
        Alone::DetachPartition { parent, partition } => finish_detach(session, &parent, &partition).await,
        Alone::Repeatable => Ok(Finding::NotDone),
        Alone::Other => Ok(Finding::Unknown),
    }
}

/// See [`Session::clear_alone`].
pub(super) async fn clear(session: &mut dyn Session, sql: &str, before: Option<&str>) -> Result<(), DbError> {
    let Some(before) = before else { return Ok(()) };
    let new = match alone(sql) {
        Alone::CreateIndex { table, name, .. } => {
            new_indexes(session, &on_table(&table), name.as_ref(), before).await?
        }
        Alone::Reindex => new_indexes(session, LEFTOVERS, None, before).await?,
        Alone::DropIndex { .. } | Alone::DetachPartition { .. } | Alone::Repeatable | Alone::Other => {
            Vec::new()
        }
    };
    for index in new.iter().filter(|index| !index.valid) {
        drop_invalid(session, index).await?;
    }
    Ok(())
}

/// See [`Session::doubt_alone`]: `CREATE INDEX CONCURRENTLY IF NOT EXISTS` succeeds over an invalid index.
pub(super) async fn doubt(session: &mut dyn Session, sql: &str) -> Result<Option<(String, String)>, DbError> {
    let Alone::CreateIndex { table, name: Some(name), .. } = alone(sql) else { return Ok(None) };
    let found = indexes(session, &on_table(&table)).await?;
    let invalid = found.iter().find(|index| index.name == name.as_str() && !index.valid);
    Ok(invalid.map(|index| {
        (
            format!("index `{}` was there before, and is invalid: no query uses it", index.name),
            format!("DROP INDEX CONCURRENTLY {}, then run this again", index.quoted()),
        )
    }))
}

/// Indexes that REINDEX CONCURRENTLY leaves behind when it is broken off
/// (<https://www.postgresql.org/docs/current/sql-reindex.html#SQL-REINDEX-CONCURRENTLY>).
const LEFTOVERS: &str = "NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$'";

fn on_table(table: &TableName) -> String {
    format!("i.indrelid = pg_catalog.to_regclass({})", literal(&table.quoted(DIALECT), DIALECT))
}

async fn indexes(session: &mut dyn Session, condition: &str) -> Result<Vec<Index>, DbError> {
    let sql = format!(
        "SELECT c.oid, c.relname, n.nspname, i.indisvalid FROM pg_catalog.pg_index i \
         JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE {condition} ORDER BY c.oid"
    );
    let rows = session.query(&sql).await?;
    let index = |row: &crate::db::session::Row| Index {
        oid: row.number(0).unwrap_or(0),
        name: row.text(1).to_owned(),
        schema: row.text(2).to_owned(),
        valid: row.is_true(3),
    };
    Ok(rows.iter().map(index).collect())
}

/// The indexes that were not there before; only the one called `name`, where the statement names one.
async fn new_indexes(
    session: &mut dyn Session,
    condition: &str,
    name: Option<&Name>,
    before: &str,
) -> Result<Vec<Index>, DbError> {
    let old: BTreeSet<i64> = before.split_whitespace().filter_map(|oid| oid.parse().ok()).collect();
    let mut found = indexes(session, condition).await?;
    found.retain(|index| !old.contains(&index.oid) && name.is_none_or(|name| name.as_str() == index.name));
    Ok(found)
}

/// Drops an invalid index of ours, unless somebody is building it right now.
async fn drop_invalid(session: &mut dyn Session, index: &Index) -> Result<Finding, DbError> {
    let building =
        format!("SELECT 1 FROM pg_catalog.pg_stat_progress_create_index WHERE index_relid = {}", index.oid);
    if !session.query(&building).await?.is_empty() {
        return Ok(Finding::Unknown);
    }
    session.run(&format!("DROP INDEX CONCURRENTLY IF EXISTS {}", index.quoted())).await?;
    tracing::info!(
        event = "repaired",
        "dropped the invalid index `{}` that a broken-off build left behind",
        index.name
    );
    Ok(Finding::NotDone)
}

async fn exists(session: &mut dyn Session, name: &TableName) -> Result<bool, DbError> {
    let sql = format!("SELECT pg_catalog.to_regclass({})", literal(&name.quoted(DIALECT), DIALECT));
    Ok(session.query(&sql).await?.first().is_some_and(|row| row.get(0).is_some()))
}

/// A detach that was broken off is pending in the catalog, and is finished
/// (<https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DETACH-PARTITION>).
async fn finish_detach(
    session: &mut dyn Session,
    parent: &TableName,
    partition: &TableName,
) -> Result<Finding, DbError> {
    let sql = format!(
        "SELECT inhdetachpending FROM pg_catalog.pg_inherits WHERE inhrelid = pg_catalog.to_regclass({}) \
         AND inhparent = pg_catalog.to_regclass({})",
        literal(&partition.quoted(DIALECT), DIALECT),
        literal(&parent.quoted(DIALECT), DIALECT)
    );
    let rows = session.query(&sql).await?;
    let Some(row) = rows.first() else { return Ok(Finding::Done) };
    if !row.is_true(0) {
        return Ok(Finding::NotDone);
    }
    let finish = format!(
        "ALTER TABLE {} DETACH PARTITION {} FINALIZE",
        parent.quoted(DIALECT),
        partition.quoted(DIALECT)
    );
    session.run(&finish).await?;
    Ok(Finding::Done)
}
