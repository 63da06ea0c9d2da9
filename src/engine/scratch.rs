//! What is asked of a scratch database beyond its catalog: what a transaction holds, and whether a query can be prepared.

use crate::dialect::Dialect;
use crate::name::literal;

/// Asks inside a transaction what it holds and has done: for each table its id, its name, the locks that keep reads or
/// writes waiting (NULL where there are none), how many of its rows have been read, and the file that it is in.
pub fn held_query(dialect: Dialect) -> Option<&'static str> {
    match dialect {
        Dialect::Postgres => Some(HELD),
        // A rebuild is not seen in a lock there, and a change of the schema commits.
        Dialect::Mysql | Dialect::Sqlite => None,
    }
}

/// The modes are those that conflict with what an application takes
/// (<https://www.postgresql.org/docs/current/explicit-locking.html>).
const HELD: &str = "SELECT c.oid, n.nspname || '.' || c.relname, \
     string_agg(DISTINCT l.mode, ', ') FILTER (WHERE l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', \
     'AccessExclusiveLock')), pg_catalog.pg_stat_get_xact_tuples_returned(c.oid), pg_catalog.pg_relation_filenode(c.oid) \
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
     LEFT JOIN pg_catalog.pg_locks l ON l.relation = c.oid AND l.locktype = 'relation' AND l.granted \
     AND l.pid = pg_catalog.pg_backend_pid() AND l.database = (SELECT oid FROM pg_catalog.pg_database \
     WHERE datname = pg_catalog.current_database()) \
     WHERE c.relkind IN ('r', 'm') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' \
     GROUP BY n.nspname, c.relname, c.oid";

/// Whether a prepared `SELECT *` fails when the columns of its table change.
pub fn breaks_prepared_shapes(dialect: Dialect) -> bool {
    match dialect {
        Dialect::Postgres => true,
        Dialect::Mysql | Dialect::Sqlite => false,
    }
}

/// Whether the engine lets one session write at a time, whatever it writes: then no way of changing much keeps other
/// writers from waiting.
pub fn has_one_writer(dialect: Dialect) -> bool {
    match dialect {
        // https://www.sqlite.org/isolation.html
        Dialect::Sqlite => true,
        Dialect::Postgres | Dialect::Mysql => false,
    }
}

/// Lets the server read `query`, which may have parameters, without running it.
pub fn prepare_sql(query: &str, dialect: Dialect) -> String {
    let query = query.trim().trim_end_matches(';');
    match dialect {
        Dialect::Postgres => format!("DEALLOCATE ALL; PREPARE known AS {query}"),
        Dialect::Mysql => format!("PREPARE known FROM {}", literal(query, dialect)),
        Dialect::Sqlite => format!("EXPLAIN {query}"),
    }
}
