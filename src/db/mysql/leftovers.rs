//! What a migration leaves behind in its session, and the statements that take it back, so that the next one begins
//! like a client that has just connected. (The protocol's own reset would free the run's lock as well.)

use crate::dialect::Dialect;
use crate::engine::{
    ConflictKind, SessionChange, TransactionControl, session_changes, transaction_conflict,
    transaction_control,
};
use crate::name::{Name, TableName, literal};
use crate::sql::lex::{TokenKind, tokens};
use std::collections::BTreeSet;

const DIALECT: Dialect = Dialect::Mysql;

/// Names and values of the session's variables.
pub(super) type Variables = Vec<(String, String)>;

/// What the statements of a session may have left behind so far.
#[derive(Debug, Default)]
pub(super) struct Leftovers {
    /// The session's variables before the first statement that may have set one.
    before: Option<Variables>,
    settings: bool,
    another_database: bool,
    user_variables: BTreeSet<String>,
    temporary: Vec<TableName>,
    prepared: Vec<Name>,
    tables_locked: bool,
}

impl Leftovers {
    /// Whether the session's variables must be remembered before `sql` runs.
    pub(super) fn needs_variables(&self, sql: &str) -> bool {
        self.before.is_none() && sets_variables(sql)
    }

    /// Remembers the session's variables.
    pub(super) fn remember(&mut self, variables: Variables) {
        self.before = Some(variables);
    }

    /// `sql` was sent.
    pub(super) fn note(&mut self, sql: &str) {
        self.settings |= sets_variables(sql);
        for change in session_changes(sql, DIALECT) {
            match change {
                SessionChange::Database(_) => self.another_database = true,
                SessionChange::Variable { name, .. } => drop(self.user_variables.insert(name)),
                SessionChange::Temporary { name, .. } => self.temporary.push(name),
                SessionChange::Prepared(name) => self.prepared.push(name),
                SessionChange::TableLock => self.tables_locked = true,
                SessionChange::TableUnlock => self.tables_locked = false,
                _ => {}
            }
        }
        if sql.contains('@') {
            self.user_variables.extend(variables_named(sql));
        }
    }

    /// Whether `LOCK TABLES` holds: only those tables can be used, and a transaction would end it.
    pub(super) fn tables_are_locked(&self) -> bool {
        self.tables_locked
    }

    /// Whether a migration has said `USE`.
    pub(super) fn uses_another_database(&self) -> bool {
        self.another_database
    }

    /// What is sent before the variables are looked at.
    pub(super) fn first(&self, database: &str) -> Vec<String> {
        let mut sql = Vec::new();
        if self.tables_locked {
            sql.push("UNLOCK TABLES".to_owned());
        }
        if self.another_database {
            sql.push(format!("USE {}", Name::new(database).quoted(DIALECT)));
        }
        sql
    }

    /// Whether variables may be other ones now, so that [`Leftovers::then`] must know them.
    pub(super) fn settings(&self) -> bool {
        self.settings
    }

    /// What takes the rest back, where the session's variables are `now`.
    pub(super) fn then(&mut self, now: &[(String, String)]) -> Vec<String> {
        let mut sql = Vec::new();
        let before = self.before.as_deref().unwrap_or_default();
        for (name, value) in before {
            let is_other = now.iter().any(|(other, now)| other == name && now != value);
            if is_other && !BY_THEMSELVES.contains(&name.as_str()) {
                sql.push(format!("SET SESSION {} = {}", Name::new(name).quoted(DIALECT), setting(value)));
            }
        }
        if self.settings {
            sql.push("SET timestamp = DEFAULT".to_owned());
        }
        for name in &self.user_variables {
            sql.push(format!("SET @{} = NULL", Name::new(name).quoted(DIALECT)));
        }
        for name in &self.temporary {
            sql.push(format!("DROP TEMPORARY TABLE IF EXISTS {}", name.quoted(DIALECT)));
        }
        for name in &self.prepared {
            sql.push(format!("DEALLOCATE PREPARE {}", name.quoted(DIALECT)));
        }
        *self = Self { before: self.before.take(), ..Self::default() };
        sql
    }
}

/// Variables that change without being set, or that are set for each transaction of ours.
const BY_THEMSELVES: [&str; 11] = [
    "error_count",
    "identity",
    "in_transaction",
    "innodb_lock_wait_timeout",
    "insert_id",
    "last_insert_id",
    "lock_wait_timeout",
    "rand_seed1",
    "rand_seed2",
    "timestamp",
    "warning_count",
];

fn sets_variables(sql: &str) -> bool {
    let may = |kind| kind == ConflictKind::MayCommit;
    session_changes(sql, DIALECT)
        .iter()
        .any(|change| matches!(change, SessionChange::Setting { .. } | SessionChange::Role))
        || matches!(transaction_control(sql, DIALECT), Some(TransactionControl::Autocommit { .. }))
        // What a procedure sets is not in the text that calls it.
        || transaction_conflict(sql, DIALECT).is_some_and(|conflict| may(conflict.kind))
}

/// A variable's value as it is written behind `=`.
fn setting(value: &str) -> String {
    let is_number = value.parse::<f64>().is_ok_and(f64::is_finite);
    if is_number { value.to_owned() } else { literal(value, DIALECT) }
}

/// The `@names` in `sql`.
fn variables_named(sql: &str) -> BTreeSet<String> {
    let named = |token: crate::sql::lex::Token| {
        let name = token.text(sql).strip_prefix('@')?;
        let is_user = token.kind == TokenKind::Variable && !name.is_empty() && !name.starts_with('@');
        is_user.then(|| name.to_ascii_lowercase())
    };
    tokens(sql, DIALECT).filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn everything_is_taken_back() {
        let mut left = Leftovers::default();
        assert!(!left.needs_variables("insert into t values ('a@b')"));
        assert!(left.needs_variables("set foreign_key_checks = 0") && left.needs_variables("call p()"));
        left.remember(variables(&[("a", "1"), ("sql_mode", "X"), ("timestamp", "1")]));
        for sql in [
            "set sql_mode = ''",
            "set @Old = 1",
            "select a into @b from t where c = 'x@y'",
            "use other",
            "create temporary table tmp (a int)",
            "prepare p from @b",
            "lock tables t write",
        ] {
            left.note(sql);
        }
        assert!(left.tables_are_locked() && left.settings());
        assert_eq!(left.first("shop"), ["UNLOCK TABLES", "USE `shop`"]);
        let sql = left.then(&variables(&[("a", "1"), ("sql_mode", ""), ("timestamp", "2")]));
        assert_eq!(
            sql,
            [
                "SET SESSION `sql_mode` = _utf8mb4 x'58'",
                "SET timestamp = DEFAULT",
                "SET @`b` = NULL",
                "SET @`old` = NULL",
                "DROP TEMPORARY TABLE IF EXISTS `tmp`",
                "DEALLOCATE PREPARE `p`",
            ]
        );
        assert!(left.first("shop").is_empty() && left.then(&[]).is_empty() && !left.tables_are_locked());
    }

    #[test]
    fn numbers_are_not_quoted() {
        assert_eq!(setting("50"), "50");
        assert_eq!(setting("ON"), "_utf8mb4 x'4f4e'");
        assert_eq!(setting(""), "''");
    }
}
