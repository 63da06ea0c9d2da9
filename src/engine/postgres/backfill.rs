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

/// Asks for what a backfill gives way to: how many seconds the replica that is most behind is behind, how many bytes (a
/// replica that has stopped replaying reports no time), how many sessions of this database have waited for a lock for a
/// second, and how many statements of others run in it.
pub const LOAD_QUERY: &str = "SELECT r.lag_s, r.lag_bytes, a.waiting, a.active FROM \
     (SELECT COALESCE(pg_catalog.max(EXTRACT(epoch FROM replay_lag)), 0)::int8 AS lag_s, \
     COALESCE(pg_catalog.max(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), replay_lsn)), 0)::int8 AS lag_bytes \
     FROM pg_catalog.pg_stat_replication WHERE state = 'streaming') r, \
     (SELECT pg_catalog.count(*) FILTER (WHERE wait_event_type = 'Lock' \
     AND query_start < pg_catalog.clock_timestamp() - '1 second'::interval) AS waiting, \
     pg_catalog.count(*) FILTER (WHERE state = 'active') AS active FROM pg_catalog.pg_stat_activity \
     WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid() \
     AND backend_type = 'client backend') a";

/// The name that stands for the places of rows where a table has no key.
pub const PLACE: &str = "ctid";
/// About how many rows a page holds, where a chunk is counted in pages.
const ROWS_OF_PAGE: u64 = 50;

/// The page where the chunk behind `after` begins, and the one where all of it ends, once that is known.
fn pages(after: Option<&[String]>) -> (u64, Option<u64>) {
    let page = |text: &String| text.trim_start_matches('(').split(',').next()?.parse().ok();
    let at = |number: usize| after.and_then(|after| after.get(number)).and_then(page);
    (at(0).unwrap_or(0), at(1))
}

/// Asks for the page behind the chunk of about `rows` rows behind `after`, and for the one at which `table` ended when it
/// began: rows that are written go behind it, and are not met again there. No row where the table ends before.
pub fn last_page(table: &str, after: Option<&[String]>, rows: u64) -> String {
    let (from, end) = pages(after);
    let next = from + (rows / ROWS_OF_PAGE).max(1);
    let table = plain_literal(table);
    let end = end.map_or_else(
        || {
            format!(
                "(SELECT pg_catalog.max(pg_catalog.pg_relation_size(t.relid)) / \
                 pg_catalog.current_setting('block_size')::int8 FROM (SELECT relid FROM \
                 pg_catalog.pg_partition_tree({table}::pg_catalog.regclass) UNION SELECT {table}::pg_catalog.regclass) t)"
            )
        },
        |end| format!("{end}::int8"),
    );
    format!("SELECT '({next},0)', '(' || e.page || ',0)' FROM (SELECT {end} AS page) e WHERE {next} < e.page")
}

/// The rows on the pages behind `after`, up to `last`, by the `place` of a row.
pub fn on_pages(place: &str, after: Option<&[String]>, last: Option<&[String]>) -> String {
    let (from, whole) = pages(after);
    // The last chunk ends where the table ended when the first one began.
    let end = last.map(|last| pages(Some(last)).0).or(whole);
    let up_to = end.map_or_else(String::new, |end| format!(" AND {place} < '({end},0)'::tid"));
    format!("{place} >= '({from},0)'::tid{up_to}")
}
