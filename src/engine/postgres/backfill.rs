//! What a backfill asks PostgreSQL.

use crate::name::plain_literal;

/// Asks for the columns of the primary key of the table that is written as `table`.
pub fn key_query(table: &str) -> String {
    let table = plain_literal(table);
    format!(
        "SELECT a.attname, '' FROM pg_catalog.pg_index i, pg_catalog.pg_attribute a \
         WHERE i.indrelid = {table}::pg_catalog.regclass AND i.indisprimary AND a.attrelid = i.indrelid \
         AND a.attnum = ANY (i.indkey) ORDER BY pg_catalog.array_position(i.indkey::int2[], a.attnum)"
    )
}

/// Asks how many rows the table that is written as `table` has about.
pub fn size_query(table: &str) -> String {
    let table = plain_literal(table);
    format!(
        "SELECT COALESCE(pg_catalog.sum(GREATEST(c.reltuples, 0)), 0)::int8 FROM pg_catalog.pg_class c \
         WHERE c.oid = {table}::pg_catalog.regclass OR c.oid IN \
         (SELECT relid FROM pg_catalog.pg_partition_tree({table}::pg_catalog.regclass) WHERE isleaf)"
    )
}

/// Asks how many seconds the replica that is most behind is behind.
pub const LAG_QUERY: &str = "SELECT COALESCE(pg_catalog.max(EXTRACT(epoch FROM replay_lag)), 0)::int8 \
                             FROM pg_catalog.pg_stat_replication";
