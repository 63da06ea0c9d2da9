//! What the runner asks of a statement, in any dialect. Token-based: it must answer for statements that no parser
//! of ours understands.

use super::words::Words;
use crate::dialect::Dialect;
use crate::name::TableName;

/// A statement that begins or ends a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionControl {
    /// `BEGIN`, `START TRANSACTION`.
    Begin,
    /// `COMMIT`, `END`.
    Commit,
    /// `ROLLBACK`, `ABORT`.
    Rollback,
    /// `SAVEPOINT`, `RELEASE`, `ROLLBACK TO`: inside one.
    Savepoint,
}

/// What a statement changes in its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionChange {
    /// A setting: `SET`, `RESET`, `PRAGMA`, `USE`, `set_config`.
    Setting,
    /// The role: `SET ROLE`, `SET SESSION AUTHORIZATION`.
    Role,
    /// A temporary object.
    TemporaryObject,
}

/// A table lock of PostgreSQL (<https://www.postgresql.org/docs/current/explicit-locking.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LockMode {
    /// Conflicts with schema changes, VACUUM and its like.
    ShareUpdateExclusive,
    /// Blocks writes.
    Share,
    /// Blocks writes, and itself.
    ShareRowExclusive,
    /// Blocks all.
    AccessExclusive,
}

impl LockMode {
    /// The words of `LOCK TABLE`.
    pub const fn sql(self) -> &'static str {
        match self {
            LockMode::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            LockMode::Share => "SHARE",
            LockMode::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            LockMode::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }
}

/// A lock that a statement surely takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockRequest {
    /// The table.
    pub table: TableName,
    /// The mode.
    pub mode: LockMode,
}

/// Words at the start that decide most questions.
const HEAD: usize = 12;

/// Whether the engine lets `sql` run inside a transaction that is ours: PostgreSQL's list is in each command's page;
/// MySQL commits before and after every schema change
/// (<https://dev.mysql.com/doc/refman/8.4/en/implicit-commit.html>).
pub fn may_run_in_transaction(sql: &str, dialect: Dialect) -> bool {
    let mut words = Words::first(sql, dialect, 40);
    let first = words.next_upper();
    match dialect {
        Dialect::Postgres => match first.as_str() {
            "VACUUM" => false,
            "CREATE" | "DROP" => {
                words.skip("UNIQUE");
                let what = words.next_upper();
                match what.as_str() {
                    "DATABASE" | "TABLESPACE" => false,
                    "SUBSCRIPTION" => false,
                    "INDEX" => words.peek_upper() != "CONCURRENTLY",
                    _ => true,
                }
            }
            "ALTER" => match words.next_upper().as_str() {
                "SYSTEM" => false,
                "DATABASE" => !words.has("TABLESPACE"),
                "SUBSCRIPTION" => false,
                "TABLE" => !(words.has("DETACH") && words.has("CONCURRENTLY")),
                _ => true,
            },
            "REINDEX" => {
                !(words.has("CONCURRENTLY")
                    || words.has("DATABASE")
                    || words.has("SYSTEM")
                    || words.has("SCHEMA"))
            }
            "CLUSTER" => !words.is_over(),
            _ => true,
        },
        Dialect::Mysql => touches_rows_only(sql, dialect) || matches!(first.as_str(), "SET" | "USE" | "DO"),
        Dialect::Sqlite => !matches!(first.as_str(), "VACUUM" | "ATTACH" | "DETACH"),
    }
}

/// Whether `sql` begins or ends a transaction.
pub fn transaction_control(sql: &str, dialect: Dialect) -> Option<TransactionControl> {
    let mut words = Words::first(sql, dialect, HEAD);
    let first = words.next_upper();
    match first.as_str() {
        // MariaDB's anonymous block.
        "BEGIN" if words.peek_upper() == "NOT" => None,
        "BEGIN" => Some(TransactionControl::Begin),
        "START" if words.peek_upper() == "TRANSACTION" => Some(TransactionControl::Begin),
        "COMMIT" | "END" => Some(TransactionControl::Commit),
        "PREPARE" if words.peek_upper() == "TRANSACTION" => Some(TransactionControl::Commit),
        "ROLLBACK" | "ABORT" if words.has("TO") => Some(TransactionControl::Savepoint),
        "ROLLBACK" | "ABORT" => Some(TransactionControl::Rollback),
        "SAVEPOINT" | "RELEASE" => Some(TransactionControl::Savepoint),
        _ => None,
    }
}

/// What `sql` changes in its session beyond its own transaction.
pub fn session_change(sql: &str, dialect: Dialect) -> Option<SessionChange> {
    let mut words = Words::first(sql, dialect, HEAD);
    match words.next_upper().as_str() {
        "SET" if dialect == Dialect::Postgres => {
            let _ = words.skip("LOCAL") || words.skip("SESSION");
            match words.peek_upper().as_str() {
                "ROLE" | "AUTHORIZATION" => Some(SessionChange::Role),
                "CONSTRAINTS" | "TRANSACTION" => None,
                _ => Some(SessionChange::Setting),
            }
        }
        "SET" | "USE" | "PRAGMA" | "RESET" | "DISCARD" => Some(SessionChange::Setting),
        "SELECT" if words.has("set_config") => Some(SessionChange::Setting),
        "CREATE" => {
            let _ = words.skip("OR") && words.skip("REPLACE");
            let _ = words.skip("LOCAL") || words.skip("GLOBAL");
            matches!(words.peek_upper().as_str(), "TEMP" | "TEMPORARY")
                .then_some(SessionChange::TemporaryObject)
        }
        _ => None,
    }
}

/// Whether `sql` only reads or writes rows.
pub fn touches_rows_only(sql: &str, dialect: Dialect) -> bool {
    let word = Words::first(sql, dialect, 1).next_upper();
    matches!(
        word.as_str(),
        "SELECT"
            | "INSERT"
            | "UPDATE"
            | "DELETE"
            | "MERGE"
            | "WITH"
            | "VALUES"
            | "COPY"
            | "REPLACE"
            | "TABLE"
    )
}

/// The table that `sql` makes.
pub fn table_made(sql: &str, dialect: Dialect) -> Option<TableName> {
    let mut words = Words::first(sql, dialect, HEAD);
    if words.next_upper() != "CREATE" {
        return None;
    }
    words.skip("UNLOGGED");
    if !words.skip("TABLE") {
        return None;
    }
    // With IF NOT EXISTS it may be there already, and be somebody's.
    if words.skip("IF") { None } else { words.table() }
}

/// The locks that `sql` surely takes on tables, so that they can be asked for without standing in a queue. A lock
/// that is missing here is waited for under `lock_timeout`; only PostgreSQL has `LOCK TABLE … NOWAIT`.
pub fn relations_locked(sql: &str, dialect: Dialect) -> Vec<LockRequest> {
    if dialect != Dialect::Postgres {
        return Vec::new();
    }
    let mut words = Words::new(sql, dialect);
    let mut found = Vec::new();
    match words.next_upper().as_str() {
        "ALTER" if words.skip("TABLE") => {
            let if_exists = words.skip_all(&["IF", "EXISTS"]);
            words.skip("ONLY");
            if let Some(table) = words.table()
                && !if_exists
            {
                found.push(LockRequest { table, mode: alter_mode(&mut words) });
            }
        }
        "DROP" if words.skip("TABLE") => {
            if words.skip_all(&["IF", "EXISTS"]) {
                return found;
            }
            tables(&mut words, LockMode::AccessExclusive, &mut found);
        }
        "TRUNCATE" => {
            words.skip("TABLE");
            words.skip("ONLY");
            tables(&mut words, LockMode::AccessExclusive, &mut found);
        }
        "CREATE" => {
            words.skip("UNIQUE");
            if words.skip("INDEX") && words.peek_upper() != "CONCURRENTLY" {
                on_table(&mut words, LockMode::Share, &mut found);
            } else {
                let _ = words.skip("OR") && words.skip("REPLACE");
                words.skip("CONSTRAINT");
                if words.skip("TRIGGER") {
                    on_table(&mut words, LockMode::ShareRowExclusive, &mut found);
                }
            }
        }
        _ => {}
    }
    found
}

fn tables(words: &mut Words<'_>, mode: LockMode, found: &mut Vec<LockRequest>) {
    while let Some(table) = words.table() {
        found.push(LockRequest { table, mode });
        words.skip("*");
        if !words.skip(",") {
            return;
        }
    }
}

fn on_table(words: &mut Words<'_>, mode: LockMode, found: &mut Vec<LockRequest>) {
    while !words.is_over() {
        if words.skip("ON") {
            words.skip("ONLY");
            found.extend(words.table().map(|table| LockRequest { table, mode }));
            return;
        }
        words.advance();
    }
}

/// The mode of an ALTER TABLE by its first action; one that is not known takes the strongest
/// (<https://www.postgresql.org/docs/current/sql-altertable.html>). Several actions take the strongest of theirs.
fn alter_mode(words: &mut Words<'_>) -> LockMode {
    if words.has("COLUMN") || words.has("DROP") || words.has("TYPE") || words.has("DEFAULT") {
        return LockMode::AccessExclusive;
    }
    match words.next_upper().as_str() {
        "VALIDATE" | "ATTACH" => LockMode::ShareUpdateExclusive,
        "ADD"
            if words.has("FOREIGN")
                && !words.has("CHECK")
                && !words.has("UNIQUE")
                && !words.has("PRIMARY") =>
        {
            LockMode::ShareRowExclusive
        }
        _ => LockMode::AccessExclusive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_run_in_a_transaction() {
        let may = |sql| may_run_in_transaction(sql, Dialect::Postgres);
        assert!(!may("CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)"));
        assert!(!may("/* c */ drop index concurrently i"));
        assert!(!may("REINDEX (VERBOSE, CONCURRENTLY) TABLE t"));
        assert!(!may("vacuum analyze t"));
        assert!(!may("alter table p detach partition q concurrently"));
        assert!(may("refresh materialized view concurrently v"));
        assert!(may("create index i on t (a)"));
        assert!(!may_run_in_transaction("vacuum", Dialect::Sqlite));
        assert!(!may_run_in_transaction("alter table t add c int", Dialect::Mysql));
        assert!(may_run_in_transaction("insert into t values (1)", Dialect::Mysql));
    }

    #[test]
    fn transactions_and_sessions() {
        assert_eq!(transaction_control("begin", Dialect::Postgres), Some(TransactionControl::Begin));
        assert_eq!(transaction_control("END WORK", Dialect::Postgres), Some(TransactionControl::Commit));
        assert_eq!(
            transaction_control("rollback to savepoint a", Dialect::Sqlite),
            Some(TransactionControl::Savepoint)
        );
        assert_eq!(transaction_control("begin not atomic select 1; end", Dialect::Mysql), None);
        assert_eq!(session_change("set role x", Dialect::Postgres), Some(SessionChange::Role));
        assert_eq!(
            session_change("set session authorization x", Dialect::Postgres),
            Some(SessionChange::Role)
        );
        assert_eq!(session_change("SET search_path = a", Dialect::Postgres), Some(SessionChange::Setting));
        assert_eq!(
            session_change("create temp table t (a int)", Dialect::Postgres),
            Some(SessionChange::TemporaryObject)
        );
        assert_eq!(session_change("select 1", Dialect::Postgres), None);
    }

    #[test]
    fn locks() {
        let locks = |sql| -> Vec<String> {
            let shown = |lock: &LockRequest| format!("{} {}", lock.table, lock.mode.sql());
            relations_locked(sql, Dialect::Postgres).iter().map(shown).collect()
        };
        assert_eq!(locks("alter table only a.t add column b int"), ["a.t ACCESS EXCLUSIVE"]);
        assert_eq!(locks("alter table t validate constraint c"), ["t SHARE UPDATE EXCLUSIVE"]);
        assert_eq!(
            locks("alter table t add constraint f foreign key (a) references u"),
            ["t SHARE ROW EXCLUSIVE"]
        );
        assert_eq!(locks("create index i on t (a)"), ["t SHARE"]);
        assert_eq!(locks("drop table a, \"B\" cascade"), ["a ACCESS EXCLUSIVE", "B ACCESS EXCLUSIVE"]);
        assert!(locks("drop table if exists a").is_empty());
        assert!(locks("create index concurrently i on t (a)").is_empty());
    }
}
