//! MySQL and MariaDB: what commits by itself, and transaction control.
//!
//! The lists of the manuals; what MariaDB 10.11 has of them was run within a transaction that was rolled back then.

use crate::dialect::Dialect;
use crate::engine::transaction::{Conflict, ConflictKind, TransactionControl};
use crate::sql::lex::TokenKind;
use crate::sql::phrase::Phrase;

const IMPLICIT: &str = "https://dev.mysql.com/doc/refman/8.4/en/implicit-commit.html";

/// See [`crate::engine::transaction::transaction_conflict`]. MariaDB's list
/// (<https://mariadb.com/kb/en/sql-statements-that-cause-an-implicit-commit/>) is taken together with MySQL's.
pub fn conflict(text: &str) -> Option<Conflict> {
    let mut phrase = start(text);
    let (kind, what) = match phrase.eats_any(&FIRST)? {
        "create" => (ConflictKind::Commits, create(&mut phrase)?),
        "drop" if phrase.sees_any(&["temporary table", "temporary tables", "prepare"]) => return None,
        "drop" => (ConflictKind::Commits, "DROP"),
        "alter" => (ConflictKind::Commits, "ALTER"),
        "rename" => (ConflictKind::Commits, "RENAME"),
        "truncate" => (ConflictKind::Commits, "TRUNCATE TABLE"),
        "grant" => (ConflictKind::Commits, "GRANT"),
        "revoke" => (ConflictKind::Commits, "REVOKE"),
        "lock" => (ConflictKind::Commits, "LOCK TABLES"),
        "unlock" => (ConflictKind::Commits, "UNLOCK TABLES"),
        "set" => (ConflictKind::Commits, set(&mut phrase)?),
        "analyze" if !tables(&mut phrase) => return None,
        "analyze" => (ConflictKind::Commits, "ANALYZE TABLE"),
        "optimize" => (ConflictKind::Commits, "OPTIMIZE TABLE"),
        "repair" => (ConflictKind::Commits, "REPAIR TABLE"),
        "check" => (ConflictKind::Commits, "CHECK TABLE"),
        "cache index" => (ConflictKind::Commits, "CACHE INDEX"),
        "load index" => (ConflictKind::Commits, "LOAD INDEX INTO CACHE"),
        "flush" => (ConflictKind::Commits, "FLUSH"),
        "reset persist" => return None,
        "reset" => (ConflictKind::Commits, "RESET"),
        "install" => (ConflictKind::Commits, "INSTALL PLUGIN"),
        "uninstall" => (ConflictKind::Commits, "UNINSTALL PLUGIN"),
        "import table" => (ConflictKind::Commits, "IMPORT TABLE"),
        "start transaction" => return None,
        "start" | "stop" => (ConflictKind::Commits, "START or STOP of replication"),
        "change" => (ConflictKind::Commits, "CHANGE REPLICATION SOURCE"),
        "backup" => (ConflictKind::Commits, "BACKUP"),
        "call" => (ConflictKind::MayCommit, "CALL"),
        "execute" => (ConflictKind::MayCommit, "EXECUTE of a prepared statement"),
        // What else is in the list starts a compound statement.
        _ => (ConflictKind::MayCommit, "a compound statement"),
    };
    Some(Conflict { kind, what, manual: IMPLICIT })
}

const FIRST: [&str; 36] = [
    "create",
    "drop",
    "alter",
    "rename",
    "truncate",
    "grant",
    "revoke",
    "lock",
    "unlock",
    "set",
    "analyze",
    "optimize",
    "repair",
    "check",
    "cache index",
    "load index",
    "flush",
    "reset persist",
    "reset",
    "install",
    "uninstall",
    "import table",
    "start transaction",
    "start",
    "stop",
    "change",
    "backup",
    "call",
    "execute",
    "begin not",
    "if",
    "case",
    "loop",
    "while",
    "repeat",
    "for",
];

/// Behind MariaDB's `SET STATEMENT … FOR`, which is about the statement behind it.
pub(super) fn start(text: &str) -> Phrase<'_> {
    let mut phrase = Phrase::new(text, Dialect::Mysql);
    if phrase.sees("set statement") {
        let mut inner = phrase.clone();
        if inner.finds("for") {
            phrase = inner;
        }
    }
    phrase
}

/// All but temporary tables, whose making is not undone by a rollback but commits nothing. MariaDB 10.11 commits for a
/// temporary sequence.
fn create(phrase: &mut Phrase<'_>) -> Option<&'static str> {
    phrase.eats("or replace");
    (!phrase.sees("temporary table")).then_some("CREATE")
}

/// MariaDB's `ANALYZE SELECT …` runs a query.
fn tables(phrase: &mut Phrase<'_>) -> bool {
    phrase.eats_any(&["no_write_to_binlog", "local"]);
    phrase.sees_any(&["table", "tables"])
}

/// Of `SET` only those of accounts; `autocommit` is [`TransactionControl::Autocommit`].
fn set(phrase: &mut Phrase<'_>) -> Option<&'static str> {
    match phrase.eats_any(&["password", "default role", "resource group"])? {
        "password" => Some("SET PASSWORD"),
        "default role" => Some("SET DEFAULT ROLE"),
        _ => None,
    }
}

/// See [`crate::engine::transaction::transaction_control`].
pub fn control(text: &str) -> Option<TransactionControl> {
    let mut phrase = Phrase::new(text, Dialect::Mysql);
    let first = phrase.eats_any(&[
        "begin not",
        "begin",
        "start transaction",
        "commit",
        "rollback",
        "savepoint",
        "release savepoint",
        "xa",
        "set",
    ])?;
    let control = match first {
        "begin not" => return None,
        "begin" | "start transaction" => TransactionControl::Begin,
        "commit" => TransactionControl::Commit { chain: chains(&mut phrase) },
        "savepoint" => TransactionControl::Savepoint(phrase.name()?),
        "release savepoint" => TransactionControl::ReleaseSavepoint(phrase.name()?),
        "xa" => TransactionControl::Xa,
        "set" => return set_control(&mut phrase),
        _ => {
            let chain = chains(&mut phrase);
            match phrase.eats_any(&["to savepoint", "to"]) {
                Some(_) => TransactionControl::RollbackTo(phrase.name()?),
                None => TransactionControl::Rollback { chain },
            }
        }
    };
    Some(control)
}

fn chains(phrase: &mut Phrase<'_>) -> bool {
    phrase.eats("work");
    phrase.eats("and chain")
}

/// `SET TRANSACTION …` of the next transaction, and `autocommit` among the variables of a `SET`.
fn set_control(phrase: &mut Phrase<'_>) -> Option<TransactionControl> {
    if phrase.eats("transaction") {
        return Some(TransactionControl::SetTransaction);
    }
    loop {
        if let Some(name) = variable(phrase)
            && name == "autocommit"
        {
            let value = phrase.step().map_or("", |token| phrase.text_of(token)).to_ascii_lowercase();
            let on = match value.trim_matches(['\'', '"']) {
                "1" | "on" | "true" | "default" => Some(true),
                "0" | "off" | "false" => Some(false),
                _ => None,
            };
            return Some(TransactionControl::Autocommit { on });
        }
        if !next_assignment(phrase) {
            return None;
        }
    }
}

/// Takes a session variable and the `=` behind it; gives its name in lower case. None for a variable of the server
/// or of the user.
pub(super) fn variable(phrase: &mut Phrase<'_>) -> Option<String> {
    if phrase.sees_any(&["global", "persist", "persist_only"]) {
        return None;
    }
    phrase.eats_any(&["session", "local"]);
    let token = phrase.peek()?;
    let name = match token.kind {
        TokenKind::Word | TokenKind::QuotedWord => phrase.name()?.as_str().to_ascii_lowercase(),
        TokenKind::Variable => {
            let name = phrase.text_of(token).strip_prefix("@@")?.to_ascii_lowercase();
            phrase.step();
            match name.as_str() {
                "session" | "local" if phrase.eats_punct(b'.') => {
                    phrase.name()?.as_str().to_ascii_lowercase()
                }
                "global" | "persist" | "persist_only" => return None,
                _ => name,
            }
        }
        _ => return None,
    };
    (phrase.eats_operator("=") || phrase.eats_operator(":=")).then_some(name)
}

/// Goes behind the next comma outside parentheses.
pub(super) fn next_assignment(phrase: &mut Phrase<'_>) -> bool {
    while phrase.peek().is_some() {
        if phrase.eats_punct(b',') {
            return true;
        }
        if !phrase.skip_group() {
            phrase.step();
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::transaction::{may_run_in_transaction, transaction_control};

    #[test]
    fn what_commits() {
        let commits = "create table t (a int)
            create or replace view v as select 1
            create definer=root@localhost trigger t before insert on a for each row set new.b = 1
            /*!50003 create procedure p() select 1 */
            alter table t add b int
            drop table t
            drop index i on t
            rename table a to b
            rename user a to b
            truncate t
            grant select on t to u
            revoke all on t from u
            lock tables t write
            unlock tables
            set password for u = 'x'
            analyze local table t
            optimize table t
            flush privileges
            set statement max_statement_time=1 for alter table t add c int
            start replica
            create sequence s
            create temporary sequence s
            reset query cache";
        for text in commits.lines() {
            let kind = conflict(text).map(|conflict| conflict.kind);
            assert_eq!(kind, Some(ConflictKind::Commits), "{text}");
        }
        let may = "call p()
            execute stmt
            begin not atomic select 1; end
            if a then select 1; end if";
        for text in may.lines() {
            let kind = conflict(text).map(|conflict| conflict.kind);
            assert_eq!(kind, Some(ConflictKind::MayCommit), "{text}");
        }
        let keeps = "insert into t values (1)
            update t set a = 1
            create temporary table t (a int)
            create or replace temporary table t (a int)
            drop temporary table t
            set names utf8mb4
            set @a = 1
            set sql_mode = ''
            analyze format=json select 1
            deallocate prepare s
            drop prepare s
            prepare s from 'drop table t'
            load data infile 'x' into table t
            select 1
            set statement max_statement_time=1 for select 1
            use db
            reset persist x
            replace into t values (1)";
        for text in keeps.lines() {
            assert!(may_run_in_transaction(text, Dialect::Mysql), "{text}");
        }
    }

    #[test]
    fn control_of_transactions() {
        let check = |text: &str, expect: &str| {
            let control = transaction_control(text, Dialect::Mysql);
            assert_eq!(control.map_or(String::new(), |control| format!("{control:?}")), expect, "{text}");
        };
        check("BEGIN WORK", "Begin");
        check("start transaction read only", "Begin");
        check("begin not atomic select 1; end", "");
        check("commit and chain", "Commit { chain: true }");
        check("rollback to savepoint a", "RollbackTo(Name(\"a\"))");
        check("rollback work", "Rollback { chain: false }");
        check("release savepoint `A`", "ReleaseSavepoint(Name(\"A\"))");
        check("xa start 'x'", "Xa");
        check("set autocommit=0", "Autocommit { on: Some(false) }");
        check("SET @a = 1, SESSION autocommit = ON", "Autocommit { on: Some(true) }");
        check("set @@session.autocommit := @x", "Autocommit { on: None }");
        check("set global autocommit = 1", "");
        check("set global x = 1, autocommit = 1", "Autocommit { on: Some(true) }");
        check("set @a = autocommit", "");
        check("set session transaction read only", "");
        check("set transaction read only", "SetTransaction");
    }
}
