//! Settings of the server by which a migration may go another way than it is meant, or what it has done may be lost.

use super::check::{Check, Patient, Seen};
use crate::db::error::DbError;
use crate::db::session::Row;
use crate::dialect::Dialect;
use async_trait::async_trait;

/// See the module.
pub struct Settings;

#[async_trait]
impl Check for Settings {
    fn id(&self) -> &'static str {
        "settings"
    }

    async fn look(&self, patient: &mut Patient<'_>) -> Result<Vec<Seen>, DbError> {
        let mut seen = match patient.dialect() {
            Dialect::Postgres => {
                let rows = patient
                    .ask(
                        "SELECT name, setting FROM pg_catalog.pg_settings WHERE name IN ('fsync', 'full_page_writes', \
                         'synchronous_commit', 'autovacuum', 'max_locks_per_transaction', 'standard_conforming_strings')",
                    )
                    .await?;
                let path = patient.ask(PATH).await?;
                let mut seen = postgres(&rows);
                seen.extend(path.first().and_then(|row| row.get(0)).map(in_front));
                seen
            }
            Dialect::Mysql => {
                let rows = patient
                    .ask(
                        "SHOW GLOBAL VARIABLES WHERE variable_name IN ('innodb_flush_log_at_trx_commit', 'sync_binlog', \
                         'log_bin', 'sql_mode', 'foreign_key_checks', 'performance_schema', 'wsrep_on')",
                    )
                    .await?;
                mysql(&rows)
            }
            Dialect::Sqlite => {
                let check = patient.ask("PRAGMA quick_check(1)").await?;
                let mode = patient.ask("PRAGMA journal_mode").await?;
                sqlite(
                    check.first().map_or("", |row| row.text(0)),
                    mode.first().map_or("", |row| row.text(0)),
                )
            }
        };
        if seen.is_empty() {
            seen.push(Seen::fine("as they should be"));
        }
        Ok(seen)
    }
}

/// The first schema of the search path that stands before `pg_catalog`. Where that is not named, it comes first:
/// <https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-SEARCH-PATH>.
const PATH: &str = "SELECT path[1] FROM (SELECT pg_catalog.current_schemas(true) AS path) p \
    WHERE 'pg_catalog' OPERATOR(pg_catalog.=) ANY (path) \
    AND path[1] NOT LIKE 'pg\\_%'";

fn in_front(schema: &str) -> Seen {
    Seen::problem(
        format!(
            "`{schema}` stands before pg_catalog in the search_path: who may make objects there can put theirs before \
             the server's own, and have them run with the rights of whoever migrates"
        ),
        "leave pg_catalog out of `search_path`: it then comes first",
    )
}

fn value<'r>(rows: &'r [Row], name: &str) -> &'r str {
    rows.iter().find(|row| row.text(0).eq_ignore_ascii_case(name)).map_or("", |row| row.text(1))
}

fn postgres(rows: &[Row]) -> Vec<Seen> {
    let mut seen = Vec::new();
    for name in ["fsync", "full_page_writes"] {
        if value(rows, name) == "off" {
            seen.push(Seen::warning(
                format!("{name} is off: the loss of the machine may cost the whole database"),
                format!("ALTER SYSTEM SET {name} = on; SELECT pg_reload_conf();"),
            ));
        }
    }
    if value(rows, "synchronous_commit") == "off" {
        seen.push(Seen::warning(
            "synchronous_commit is off: a crash of the server may lose a migration that was said to be applied, with \
             its row in the history",
            "ALTER ROLE <the migrator> SET synchronous_commit = on;",
        ));
    }
    if value(rows, "autovacuum") == "off" {
        seen.push(Seen::warning(
            "autovacuum is off: what a backfill leaves is not cleared away, and plans go by old statistics",
            "ALTER SYSTEM SET autovacuum = on; SELECT pg_reload_conf();",
        ));
    }
    if value(rows, "standard_conforming_strings") == "off" {
        seen.push(Seen::warning(
            "standard_conforming_strings is off: a backslash in a literal means something else than lint reads",
            "ALTER SYSTEM SET standard_conforming_strings = on; SELECT pg_reload_conf();",
        ));
    }
    if value(rows, "max_locks_per_transaction").parse::<u32>().is_ok_and(|locks| locks < 64) {
        seen.push(Seen::note(
            "max_locks_per_transaction is below 64: a migration of many partitions may fail",
        ));
    }
    seen
}

fn mysql(rows: &[Row]) -> Vec<Seen> {
    let mut seen = Vec::new();
    if value(rows, "innodb_flush_log_at_trx_commit") != "1" {
        seen.push(Seen::warning(
            "innodb_flush_log_at_trx_commit is not 1: a crash of the server may lose a migration that was said to be \
             applied, with its row in the history",
            "SET GLOBAL innodb_flush_log_at_trx_commit = 1;",
        ));
    }
    if value(rows, "log_bin") == "ON" && value(rows, "sync_binlog") != "1" {
        seen.push(Seen::note("sync_binlog is not 1: after a crash replicas may miss what was applied here"));
    }
    if !value(rows, "sql_mode").contains("STRICT_") {
        seen.push(Seen::warning(
            "sql_mode is not strict: values that do not fit are cut off without an error",
            "SET GLOBAL sql_mode = CONCAT(@@GLOBAL.sql_mode, ',STRICT_TRANS_TABLES');",
        ));
    }
    if value(rows, "foreign_key_checks") == "OFF" {
        seen.push(Seen::warning(
            "foreign_key_checks is off: rows that break a foreign key come in unseen",
            "SET GLOBAL foreign_key_checks = ON;",
        ));
    }
    if value(rows, "performance_schema") == "OFF" {
        seen.push(Seen::note("performance_schema is off: who holds a table's lock can only be guessed"));
    }
    if value(rows, "wsrep_on") == "ON" {
        seen.push(Seen::problem(
            "this is a node of a Galera cluster, where a lock by name holds on one node only",
            "let all migrations go to the same node: name it with `--direct-url`",
        ));
    }
    seen
}

fn sqlite(check: &str, mode: &str) -> Vec<Seen> {
    let mut seen = Vec::new();
    if check != "ok" {
        seen.push(Seen::problem(
            format!("the file is damaged: {}", check.replace('\n', " ")),
            "restore a copy, or `sqlite3 FILE .recover`; migrate nothing before",
        ));
    }
    if !mode.eq_ignore_ascii_case("wal") {
        seen.push(Seen::note(format!(
            "journal_mode is {mode}: readers wait while a migration commits; with WAL they do not"
        )));
    }
    seen
}
