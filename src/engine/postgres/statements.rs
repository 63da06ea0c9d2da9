//! What a server knows of the code that runs on it: `pg_stat_statements`, sizes and use of tables, sessions
//! (<https://www.postgresql.org/docs/current/pgstatstatements.html>).

use crate::dialect::Dialect;
use crate::name::Name;

/// How people switch the counting on.
pub const HOW_TO_ENABLE: &str = "set shared_preload_libraries = 'pg_stat_statements', restart the server, and run \
    CREATE EXTENSION pg_stat_statements in this database; a week of the usual load later it can be asked";

/// What stands in the place of a text that we may not see.
pub const HIDDEN: &str = "<insufficient privilege>";

/// Asks for: the schema of the extension (nothing where it is not there), whether the library is loaded, whether we see
/// what other roles send, what is tracked, and whether statements get the id that they are counted by.
pub const STATE: &str = "SELECT (SELECT n.nspname FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n \
    ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'), \
    pg_catalog.current_setting('pg_stat_statements.max', true), \
    pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'), \
    pg_catalog.current_setting('pg_stat_statements.track', true), \
    pg_catalog.current_setting('compute_query_id', true), \
    pg_catalog.current_setting('pg_stat_statements.track_utility', true)";

/// Asks for: when the statistics were reset, the days since, and how often entries were evicted; from version 14 on.
pub fn info(schema: &str) -> String {
    let schema = Name::new(schema).quoted(Dialect::Postgres);
    format!(
        "SELECT stats_reset, pg_catalog.floor(EXTRACT(epoch FROM pg_catalog.now() - stats_reset) / 86400)::bigint, \
         dealloc FROM {schema}.pg_stat_statements_info"
    )
}

/// Asks for the statements of this database: text, calls, mean time in milliseconds, role.
pub fn statements(schema: &str) -> String {
    let schema = Name::new(schema).quoted(Dialect::Postgres);
    format!(
        "SELECT s.query, pg_catalog.sum(s.calls)::bigint, \
         (pg_catalog.sum(s.total_exec_time) / NULLIF(pg_catalog.sum(s.calls), 0))::numeric(20, 3), r.rolname \
         FROM {schema}.pg_stat_statements s \
         JOIN pg_catalog.pg_database d ON d.oid = s.dbid AND d.datname = pg_catalog.current_database() \
         LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.userid GROUP BY 1, 4"
    )
}

/// Asks for: the name of the database, whether the server is a standby, how many standbys there are, and what the
/// servers of one cluster have in common.
pub const SERVER: &str = "SELECT pg_catalog.current_database(), pg_catalog.pg_is_in_recovery(), \
    (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_replication r WHERE r.application_name IS DISTINCT FROM \
    'pg_basebackup' AND NOT EXISTS (SELECT FROM pg_catalog.pg_replication_slots s WHERE s.active_pid = r.pid AND \
    s.slot_type = 'logical')), \
    (SELECT system_identifier FROM pg_catalog.pg_control_system())";

/// Asks for the settings that decide what a migration may do: name, value.
pub const SETTINGS: &str = "SELECT name, setting || coalesce(unit, '') FROM pg_catalog.pg_settings \
    WHERE name IN ('autovacuum', 'compute_query_id', 'deadlock_timeout', 'default_transaction_isolation', \
    'hot_standby_feedback', 'idle_in_transaction_session_timeout', 'lock_timeout', 'max_connections', \
    'max_standby_streaming_delay', 'pg_stat_statements.max', 'pg_stat_statements.track', 'plan_cache_mode', \
    'search_path', 'server_encoding', 'server_version', 'statement_timeout', 'transaction_timeout', 'wal_level') \
    ORDER BY 1";

/// Asks for the tables: schema, name, rows, bytes, reads, writes; without waiting long for one that is locked.
pub const TABLES: &str = "SELECT pg_catalog.set_config('lock_timeout', '2s', true); \
    SELECT n.nspname, c.relname, CASE WHEN c.reltuples >= 0 THEN c.reltuples::bigint END, \
    pg_catalog.pg_table_size(c.oid), s.seq_scan + coalesce(s.idx_scan, 0), \
    s.n_tup_ins + s.n_tup_upd + s.n_tup_del \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    LEFT JOIN pg_catalog.pg_stat_all_tables s ON s.relid = c.oid \
    WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't' \
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1, 2";

/// Asks for the indexes: schema, table, name, bytes, reads.
pub const INDEXES: &str = "SELECT pg_catalog.set_config('lock_timeout', '2s', true); \
    SELECT n.nspname, t.relname, c.relname, pg_catalog.pg_relation_size(c.oid), s.idx_scan \
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid \
    JOIN pg_catalog.pg_class t ON t.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace \
    LEFT JOIN pg_catalog.pg_stat_all_indexes s ON s.indexrelid = c.oid \
    WHERE t.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1, 2, 3";

/// Asks for the sessions of other clients on this database: name, role, how many.
pub const SESSIONS: &str = "SELECT application_name, usename, pg_catalog.count(*) FROM pg_catalog.pg_stat_activity \
    WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid() \
    AND backend_type = 'client backend' GROUP BY 1, 2 ORDER BY 1, 2";
