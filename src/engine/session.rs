//! What a statement leaves behind in its session, told by its words: settings that a resumed run must set again, and
//! what cannot be had again in another session.

use super::transaction::{TransactionControl, transaction_control};
use super::{mysql, postgres, sqlite};
use crate::dialect::Dialect;
use crate::name::{Name, TableName};
use crate::sql::phrase::Phrase;

/// Something that a statement changes in its session, beyond its own transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionChange {
    /// A setting: `SET`, `RESET`, `set_config(…)`, `PRAGMA`, `SET NAMES`.
    Setting {
        /// Its name in lower case; `all` for `RESET ALL`.
        name: String,
        /// For how long.
        scope: Scope,
    },
    /// The role or the user: `SET ROLE`, `SET SESSION AUTHORIZATION`, their `RESET`.
    Role,
    /// The database that names without one are looked up in: MySQL's `USE`.
    Database(Name),
    /// A variable of MySQL's session, `@name`.
    Variable {
        /// Its name in lower case, without the `@`.
        name: String,
        /// Whether its value is a plain literal, so that it can be set again.
        constant: bool,
    },
    /// A temporary object is made.
    Temporary {
        /// Its name.
        name: TableName,
        /// Whether the end of the transaction takes it away (`ON COMMIT DROP`).
        until_commit: bool,
    },
    /// Relations or functions are dropped, temporary ones perhaps.
    Dropped(Vec<TableName>),
    /// All temporary objects are dropped: `DISCARD TEMP`.
    TemporaryDropped,
    /// `DISCARD ALL`: also settings, the role, and advisory locks.
    Discarded,
    /// A statement is prepared.
    Prepared(Name),
    /// A prepared statement is dropped, or all of them.
    Deallocated(Option<Name>),
    /// A cursor that outlives its transaction: `DECLARE … WITH HOLD`.
    Cursor(Name),
    /// A cursor is closed, or all of them.
    CursorClosed(Option<Name>),
    /// `LISTEN`.
    Listening(Name),
    /// `UNLISTEN` of a channel, or of all of them.
    NotListening(Option<Name>),
    /// A lock by name that lasts until it is released: `pg_advisory_lock`, `GET_LOCK`.
    NamedLock,
    /// Such a lock is released.
    NamedUnlock {
        /// All of the session's, ours among them.
        all: bool,
    },
    /// MySQL's `LOCK TABLES`, `FLUSH TABLES WITH READ LOCK`.
    TableLock,
    /// MySQL's `UNLOCK TABLES`.
    TableUnlock,
    /// SQLite's `ATTACH … AS name`.
    Attached(Name),
    /// SQLite's `DETACH name`.
    Detached(Name),
}

/// For how long a setting holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Until the session ends.
    Session,
    /// Until the transaction ends.
    Transaction,
}

/// What a run that goes on in another session does about a statement that is done already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resume {
    /// Nothing.
    Nothing,
    /// It runs it again: it changes the session and nothing else.
    Replay,
    /// It cannot: what the statement left behind is gone.
    Impossible,
}

impl SessionChange {
    /// What a run that goes on in another session does about it.
    pub fn resume(&self) -> Resume {
        match self {
            SessionChange::Setting { scope: Scope::Session, .. } | SessionChange::Database(_) => {
                Resume::Replay
            }
            SessionChange::Variable { constant: true, .. } | SessionChange::Prepared(_) => Resume::Replay,
            SessionChange::Listening(_) | SessionChange::Attached(_) => Resume::Replay,
            SessionChange::Temporary { until_commit: false, .. }
            | SessionChange::Variable { constant: false, .. }
            | SessionChange::Role
            | SessionChange::Cursor(_)
            | SessionChange::NamedLock
            | SessionChange::TableLock => Resume::Impossible,
            SessionChange::Setting { scope: Scope::Transaction, .. }
            | SessionChange::Temporary { until_commit: true, .. }
            | SessionChange::Dropped(_)
            | SessionChange::TemporaryDropped
            | SessionChange::Discarded
            | SessionChange::Deallocated(_)
            | SessionChange::CursorClosed(_)
            | SessionChange::NotListening(_)
            | SessionChange::NamedUnlock { .. }
            | SessionChange::TableUnlock
            | SessionChange::Detached(_) => Resume::Nothing,
        }
    }
}

/// What a run that goes on in another session does about `text`, which is done already. A statement that does
/// something else beside changing the session is never run twice.
pub fn resume(text: &str, dialect: Dialect) -> Resume {
    let changes = session_changes(text, dialect);
    let needs = |resume: Resume| changes.iter().any(|change| change.resume() == resume);
    if needs(Resume::Impossible) {
        Resume::Impossible
    } else if !needs(Resume::Replay) {
        Resume::Nothing
    } else if changes_only_the_session(text, dialect) {
        Resume::Replay
    } else {
        Resume::Impossible
    }
}

/// Whether `text` is one of the statements that are about the session, or `SELECT set_config(…)` alone.
fn changes_only_the_session(text: &str, dialect: Dialect) -> bool {
    let mut phrase = Phrase::new(text, dialect);
    if phrase.sees_any(&["set", "reset", "use", "pragma", "attach", "prepare", "listen"]) {
        return true;
    }
    if !phrase.eats("select") {
        return false;
    }
    loop {
        if phrase.eats("pg_catalog") {
            phrase.eats_punct(b'.');
        }
        if !phrase.eats("set_config") || !phrase.skip_group() {
            return false;
        }
        if !phrase.eats_punct(b',') {
            return phrase.is_done();
        }
    }
}

/// Whether `text` does nothing but change the session, and cannot stand in a transaction in every form. Only MySQL's
/// are told: elsewhere such statements keep to the transaction that they stand in.
pub fn only_session(text: &str, dialect: Dialect) -> bool {
    const OF_ACCOUNTS: [&str; 4] =
        ["set password", "set default role", "set resource group", "set statement"];
    const OF_SESSIONS: [&str; 8] = [
        "set",
        "use",
        "prepare",
        "deallocate prepare",
        "drop prepare",
        "lock table",
        "lock tables",
        "unlock tables",
    ];
    let phrase = Phrase::new(text, dialect);
    dialect == Dialect::Mysql && !phrase.sees_any(&OF_ACCOUNTS) && phrase.sees_any(&OF_SESSIONS)
}

/// The user's variables that `text` names, whose values end with the session.
pub fn user_variables(text: &str, dialect: Dialect) -> Vec<String> {
    match dialect {
        Dialect::Mysql => mysql::variables::named(text),
        Dialect::Postgres | Dialect::Sqlite => Vec::new(),
    }
}

/// An expression that keeps the values of [`user_variables`] in a text.
pub fn keep(variables: &[String], dialect: Dialect) -> String {
    match dialect {
        Dialect::Mysql => mysql::variables::keep(variables),
        Dialect::Postgres | Dialect::Sqlite => "NULL".to_owned(),
    }
}

/// The statement that gives the variables the values that [`keep`] has kept.
pub fn put_back(kept: &str, dialect: Dialect) -> Option<String> {
    match dialect {
        Dialect::Mysql => mysql::variables::put_back(kept),
        Dialect::Postgres | Dialect::Sqlite => None,
    }
}

/// Whether `text` asks the session what the statement before it did.
pub fn asks_for_the_last(text: &str, dialect: Dialect) -> bool {
    dialect == Dialect::Mysql && mysql::variables::asks_for_the_last(text)
}

/// Why the server that calls itself `version` surely does not understand `text`.
pub fn lacks(text: &str, dialect: Dialect, version: &str, number: i64) -> Option<String> {
    match dialect {
        Dialect::Mysql => mysql::lacks::lacks(text, version, number),
        Dialect::Postgres | Dialect::Sqlite => None,
    }
}

/// Whether `text` is an `INSERT` or `REPLACE`.
pub fn inserts(text: &str, dialect: Dialect) -> bool {
    Phrase::new(text, dialect).sees_any(&["insert", "replace"])
}

/// What `text` changes in its session. What a function, a procedure or a dynamic statement does is not in its text.
pub fn session_changes(text: &str, dialect: Dialect) -> Vec<SessionChange> {
    match dialect {
        Dialect::Postgres => postgres::session::changes(text),
        Dialect::Mysql => mysql::session::changes(text),
        Dialect::Sqlite => sqlite::session::changes(text),
    }
}

/// What a row of statements leaves behind in its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftBehind {
    /// Number of the statement that made it, from 0.
    pub statement: usize,
    /// What it is, in words: ``the temporary table `t` ``.
    pub what: String,
    /// What would take it away again, if that is one statement.
    pub help: Option<String>,
}

/// What is still there at the end of `statements`: temporary objects, a transaction, locks, cursors, prepared
/// statements and attached databases. Settings are not meant: they are put back anyway. `in_transaction` says that
/// the statements share a transaction that is not in their text.
pub fn left_behind<'t>(
    statements: impl IntoIterator<Item = &'t str>,
    dialect: Dialect,
    in_transaction: bool,
) -> Vec<LeftBehind> {
    let mut left = Left { dialect, transaction: None, things: Vec::new() };
    for (statement, text) in statements.into_iter().enumerate() {
        if let Some(control) = transaction_control(text, dialect) {
            left.control(statement, &control);
        }
        let open = in_transaction || left.transaction.is_some();
        for change in session_changes(text, dialect) {
            left.change(statement, change, open);
        }
    }
    let transaction = left.transaction.map(|statement| LeftBehind {
        statement,
        what: "an open transaction".to_owned(),
        help: Some("COMMIT".to_owned()),
    });
    left.things.into_iter().map(|(_, thing)| thing).chain(transaction).collect()
}

/// What is there so far.
struct Left {
    dialect: Dialect,
    transaction: Option<usize>,
    things: Vec<(Thing, LeftBehind)>,
}

/// What is compared to find the thing again that a statement takes away.
#[derive(PartialEq, Eq)]
enum Thing {
    Temporary(Name),
    Prepared(Name),
    Cursor(Name),
    Listening(Name),
    Attached(Name),
    NamedLock,
    TableLock,
}

impl Left {
    fn control(&mut self, statement: usize, control: &TransactionControl) {
        match control {
            TransactionControl::Begin | TransactionControl::Autocommit { on: Some(false) } => {
                self.transaction.get_or_insert(statement);
            }
            TransactionControl::Commit { chain: false }
            | TransactionControl::Rollback { chain: false }
            | TransactionControl::PrepareTransaction
            | TransactionControl::Autocommit { on: Some(true) } => self.transaction = None,
            TransactionControl::Commit { chain: true }
            | TransactionControl::Rollback { chain: true }
            | TransactionControl::Savepoint(_)
            | TransactionControl::ReleaseSavepoint(_)
            | TransactionControl::RollbackTo(_)
            | TransactionControl::CommitPrepared
            | TransactionControl::RollbackPrepared
            | TransactionControl::SetTransaction
            | TransactionControl::Autocommit { on: None }
            | TransactionControl::Xa => {}
        }
    }

    fn add(&mut self, statement: usize, thing: Thing, what: String, help: Option<String>) {
        self.things.push((thing, LeftBehind { statement, what, help }));
    }

    fn remove(&mut self, gone: impl Fn(&Thing) -> bool) {
        self.things.retain(|(thing, _)| !gone(thing));
    }

    fn change(&mut self, statement: usize, change: SessionChange, in_transaction: bool) {
        let quoted = |name: &Name| name.quoted(self.dialect);
        match change {
            SessionChange::Temporary { until_commit: true, .. } if in_transaction => {}
            SessionChange::Temporary { name, .. } => {
                let what = format!("the temporary object `{}`", name.name);
                self.add(statement, Thing::Temporary(name.name), what, None);
            }
            SessionChange::Dropped(names) => {
                let is_dropped = |name: &Name| names.iter().any(|dropped| dropped.name == *name);
                self.remove(|thing| matches!(thing, Thing::Temporary(name) if is_dropped(name)));
            }
            SessionChange::TemporaryDropped => self.remove(|thing| matches!(thing, Thing::Temporary(_))),
            SessionChange::Discarded => self.things.clear(),
            SessionChange::Prepared(name) => {
                let help = Some(format!("DEALLOCATE PREPARE {}", quoted(&name)));
                let what = format!("the prepared statement `{name}`");
                self.remove(|thing| *thing == Thing::Prepared(name.clone()));
                self.add(statement, Thing::Prepared(name), what, help);
            }
            SessionChange::Deallocated(Some(name)) => {
                self.remove(|thing| *thing == Thing::Prepared(name.clone()))
            }
            SessionChange::Deallocated(None) => self.remove(|thing| matches!(thing, Thing::Prepared(_))),
            SessionChange::Cursor(name) => {
                let help = Some(format!("CLOSE {}", quoted(&name)));
                let what = format!("the cursor `{name}`");
                self.add(statement, Thing::Cursor(name), what, help);
            }
            SessionChange::CursorClosed(Some(name)) => {
                self.remove(|thing| *thing == Thing::Cursor(name.clone()))
            }
            SessionChange::CursorClosed(None) => self.remove(|thing| matches!(thing, Thing::Cursor(_))),
            SessionChange::Listening(name) => {
                let help = Some(format!("UNLISTEN {}", quoted(&name)));
                let what = format!("a LISTEN on `{name}`");
                self.add(statement, Thing::Listening(name), what, help);
            }
            SessionChange::NotListening(Some(name)) => {
                self.remove(|thing| *thing == Thing::Listening(name.clone()));
            }
            SessionChange::NotListening(None) => self.remove(|thing| matches!(thing, Thing::Listening(_))),
            SessionChange::NamedLock => {
                self.add(statement, Thing::NamedLock, "a lock by name".to_owned(), None);
            }
            SessionChange::NamedUnlock { all: true } => self.remove(|thing| *thing == Thing::NamedLock),
            SessionChange::NamedUnlock { all: false } => {
                if let Some(at) = self.things.iter().rposition(|(thing, _)| *thing == Thing::NamedLock) {
                    self.things.remove(at);
                }
            }
            SessionChange::TableLock => {
                let help = Some("UNLOCK TABLES".to_owned());
                self.add(statement, Thing::TableLock, "locked tables".to_owned(), help);
            }
            SessionChange::TableUnlock => self.remove(|thing| *thing == Thing::TableLock),
            SessionChange::Attached(name) => {
                let help = Some(format!("DETACH {}", quoted(&name)));
                let what = format!("the attached database `{name}`");
                self.add(statement, Thing::Attached(name), what, help);
            }
            SessionChange::Detached(name) => self.remove(|thing| *thing == Thing::Attached(name.clone())),
            SessionChange::Setting { .. }
            | SessionChange::Role
            | SessionChange::Database(_)
            | SessionChange::Variable { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(dialect: Dialect, in_transaction: bool, statements: &[&str], expect: &[&str]) {
        let left = left_behind(statements.iter().copied(), dialect, in_transaction);
        let shown: Vec<String> =
            left.iter().map(|left| format!("{}: {}", left.statement, left.what)).collect();
        assert_eq!(shown, expect, "{statements:?}");
    }

    #[test]
    fn only_what_changes_nothing_else_is_run_again() {
        let check =
            |text: &str, expect: Resume| assert_eq!(resume(text, Dialect::Postgres), expect, "{text}");
        check("set search_path = a", Resume::Replay);
        check(
            "select pg_catalog.set_config('search_path', '', false), set_config('a', 'b', false);",
            Resume::Replay,
        );
        check("select set_config('a', 'b', true)", Resume::Nothing);
        check("select set_config('a', 'b', false) from f()", Resume::Impossible);
        check("insert into t select set_config('a', 'b', false)", Resume::Impossible);
        check("do $$ begin perform set_config('a', 'b', false); end $$", Resume::Impossible);
        check("create temp table t (a int)", Resume::Impossible);
        check("create table t (a int)", Resume::Nothing);
        assert_eq!(resume("set @a = @@b, c = 1", Dialect::Mysql), Resume::Impossible);
        assert_eq!(resume("set @a = 1, c = 1", Dialect::Mysql), Resume::Replay);
        assert_eq!(resume("pragma foreign_keys = off", Dialect::Sqlite), Resume::Replay);
    }

    #[test]
    fn what_stays_and_what_is_taken_away() {
        let postgres =
            |statements: &[&str], expect: &[&str]| check(Dialect::Postgres, false, statements, expect);
        postgres(&["create temp table T (a int)", "select 1"], &["0: the temporary object `t`"]);
        postgres(&["create temp table t (a int)", "drop table if exists pg_temp.t, u"], &[]);
        postgres(&["create temp table t (a int) on commit drop"], &["0: the temporary object `t`"]);
        check(Dialect::Postgres, true, &["create temp table t (a int) on commit drop"], &[]);
        postgres(&["begin", "create temp table t (a int) on commit drop", "commit"], &[]);
        postgres(&["begin", "select 1"], &["0: an open transaction"]);
        postgres(&["begin", "commit and chain"], &["0: an open transaction"]);
        postgres(
            &["prepare a as select 1", "prepare b as select 1", "deallocate a"],
            &["1: the prepared statement `b`"],
        );
        postgres(&["select pg_advisory_lock(1)", "select pg_advisory_unlock(1)"], &[]);
        postgres(&["listen a", "select pg_advisory_lock(1)", "discard all"], &[]);
        let mysql = |statements: &[&str], expect: &[&str]| check(Dialect::Mysql, false, statements, expect);
        mysql(&["lock tables t write", "insert into t values (1)"], &["0: locked tables"]);
        mysql(&["lock tables t write", "unlock tables"], &[]);
        mysql(&["create temporary table `T` (a int)", "drop temporary table `T`"], &[]);
        check(Dialect::Sqlite, false, &["attach 'x' as y"], &["0: the attached database `y`"]);
        check(Dialect::Sqlite, false, &["create temp view v as select 1", "drop view temp.v"], &[]);
    }
}
