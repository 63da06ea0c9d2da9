//! What a server knows of the code that runs on it: digests of `performance_schema`, sizes and use of tables, sessions
//! (<https://dev.mysql.com/doc/refman/8.4/en/performance-schema-statement-digests.html>).

/// How people switch the counting on. MariaDB ships with it off.
pub const HOW_TO_ENABLE: &str = "set performance_schema = ON below [mysqld] and restart the server (MariaDB ships with \
    it off); a week of the usual load later it can be asked";

/// Asks for: whether the schema is on, and how long a digest's text may be.
pub const STATE: &str = "SELECT @@performance_schema, @@performance_schema_max_digest_length";

/// Asks for: whether digests are taken, whether statements are, the days since the server started, and its start.
pub const CONSUMERS: &str = "SELECT (SELECT enabled FROM performance_schema.setup_consumers WHERE name = \
    'statements_digest'), (SELECT COUNT(*) FROM performance_schema.setup_instruments WHERE name LIKE \
    'statement/sql/%' AND enabled = 'NO'), \
    (SELECT DATEDIFF(NOW(), MIN(first_seen)) FROM performance_schema.events_statements_summary_by_digest), \
    (SELECT MIN(first_seen) FROM performance_schema.events_statements_summary_by_digest)";

/// Asks for the statements of this database, and what had no place: text, calls, mean time in milliseconds, the day of
/// the last call.
pub const STATEMENTS: &str = "SELECT digest_text, SUM(count_star), SUM(sum_timer_wait) / SUM(count_star) / 1e9, \
    DATE_FORMAT(MAX(last_seen), '%Y-%m-%d') FROM performance_schema.events_statements_summary_by_digest \
    WHERE schema_name = DATABASE() OR digest IS NULL GROUP BY digest_text";

/// Asks for: the name of the database, whether other servers are read from, and how many read from this one.
pub const SERVER: &str = "SELECT DATABASE(), \
    (SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'system user' AND command <> 'Daemon') > 0, \
    (SELECT COUNT(*) FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%')";

/// Asks for the settings that decide what a migration may do: name, value.
pub const SETTINGS: &str = "SHOW GLOBAL VARIABLES WHERE variable_name IN ('binlog_format', 'character_set_server', \
    'collation_server', 'default_storage_engine', 'foreign_key_checks', 'innodb_lock_wait_timeout', \
    'innodb_online_alter_log_max_size', 'lock_wait_timeout', 'lower_case_table_names', 'max_connections', \
    'max_statement_time', 'max_execution_time', 'performance_schema', 'performance_schema_digests_size', \
    'performance_schema_max_digest_length', 'read_only', 'sql_mode', 'transaction_isolation', 'tx_isolation', \
    'version')";

/// Asks for the tables: name, rows, bytes, bytes of indexes.
pub const TABLES: &str = "SELECT table_name, table_rows, data_length FROM information_schema.tables \
    WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' ORDER BY 1";

/// Asks for the use of tables: name, rows read, rows written.
pub const TABLE_USE: &str = "SELECT object_name, count_read, count_write \
    FROM performance_schema.table_io_waits_summary_by_table WHERE object_schema = DATABASE() ORDER BY 1";

/// Asks for the use of indexes: table, name, rows read.
pub const INDEX_USE: &str = "SELECT object_name, index_name, count_read \
    FROM performance_schema.table_io_waits_summary_by_index_usage \
    WHERE object_schema = DATABASE() AND index_name IS NOT NULL ORDER BY 1, 2";

/// Asks whether we see the sessions of other accounts.
pub const SEES_SESSIONS: &str = "SELECT COUNT(*) FROM information_schema.user_privileges WHERE privilege_type = \
    'PROCESS' AND grantee = CONCAT('''', SUBSTRING_INDEX(CURRENT_USER(), '@', 1), '''@''', \
    SUBSTRING_INDEX(CURRENT_USER(), '@', -1), '''')";

/// Asks for the sessions of other clients on this database: name, user, how many.
pub const SESSIONS: &str = "SELECT a.attr_value, p.user, COUNT(*) FROM information_schema.processlist p \
    LEFT JOIN performance_schema.session_connect_attrs a ON a.processlist_id = p.id AND a.attr_name = 'program_name' \
    WHERE p.db = DATABASE() AND p.id <> CONNECTION_ID() AND p.user NOT IN ('system user', 'event_scheduler') \
    GROUP BY 1, 2 ORDER BY 1, 2";
