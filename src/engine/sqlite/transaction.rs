//! SQLite: what it refuses or ignores within a transaction, and transaction control.
//!
//! Each entry was run within a transaction of SQLite 3.40.

use crate::dialect::Dialect;
use crate::engine::transaction::{Conflict, ConflictKind, TransactionControl};
use crate::sql::phrase::Phrase;

/// See [`crate::engine::transaction::transaction_conflict`].
pub fn conflict(text: &str) -> Option<Conflict> {
    let refused = |what, manual| Some(Conflict { kind: ConflictKind::Refused, what, manual });
    let mut phrase = Phrase::new(text, Dialect::Sqlite);
    match phrase.eats_any(&["vacuum", "detach", "pragma"])? {
        "vacuum" => refused("VACUUM", "https://sqlite.org/lang_vacuum.html"),
        "detach" => refused("DETACH", "https://sqlite.org/lang_detach.html"),
        _ => pragma(&mut phrase),
    }
}

fn pragma(phrase: &mut Phrase<'_>) -> Option<Conflict> {
    let conflict = |kind, what, manual| Some(Conflict { kind, what, manual });
    let name = phrase.table()?.name.as_str().to_ascii_lowercase();
    if name == "wal_checkpoint" {
        return conflict(
            ConflictKind::Refused,
            "PRAGMA wal_checkpoint",
            "https://sqlite.org/pragma.html#pragma_wal_checkpoint",
        );
    }
    if phrase.is_done() {
        // It only asks.
        return None;
    }
    match name.as_str() {
        "synchronous" => conflict(
            ConflictKind::Refused,
            "PRAGMA synchronous",
            "https://sqlite.org/pragma.html#pragma_synchronous",
        ),
        "foreign_keys" => conflict(
            ConflictKind::NoEffect,
            "PRAGMA foreign_keys",
            "https://sqlite.org/pragma.html#pragma_foreign_keys",
        ),
        "journal_mode" => conflict(
            ConflictKind::NoEffect,
            "PRAGMA journal_mode",
            "https://sqlite.org/pragma.html#pragma_journal_mode",
        ),
        "page_size" => conflict(
            ConflictKind::NoEffect,
            "PRAGMA page_size",
            "https://sqlite.org/pragma.html#pragma_page_size",
        ),
        "auto_vacuum" => conflict(
            ConflictKind::NoEffect,
            "PRAGMA auto_vacuum",
            "https://sqlite.org/pragma.html#pragma_auto_vacuum",
        ),
        _ => None,
    }
}

/// See [`crate::engine::transaction::transaction_control`].
pub fn control(text: &str) -> Option<TransactionControl> {
    let mut phrase = Phrase::new(text, Dialect::Sqlite);
    let first = phrase.eats_any(&[
        "begin",
        "commit",
        "end",
        "rollback",
        "savepoint",
        "release savepoint",
        "release",
    ])?;
    let control = match first {
        "begin" => TransactionControl::Begin,
        "commit" | "end" => TransactionControl::Commit { chain: false },
        "savepoint" => TransactionControl::Savepoint(phrase.name()?),
        "release savepoint" | "release" => TransactionControl::ReleaseSavepoint(phrase.name()?),
        _ => {
            phrase.eats("transaction");
            match phrase.eats_any(&["to savepoint", "to"]) {
                Some(_) => TransactionControl::RollbackTo(phrase.name()?),
                None => TransactionControl::Rollback { chain: false },
            }
        }
    };
    Some(control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::transaction::{may_run_in_transaction, transaction_control};

    #[test]
    fn what_does_not_work_within_a_transaction() {
        let check = |text: &str, kind: Option<ConflictKind>| {
            assert_eq!(conflict(text).map(|conflict| conflict.kind), kind, "{text}");
            assert_eq!(may_run_in_transaction(text, Dialect::Sqlite), kind.is_none(), "{text}");
        };
        check("VACUUM INTO 'x'", Some(ConflictKind::Refused));
        check("detach database x", Some(ConflictKind::Refused));
        check("pragma synchronous = off", Some(ConflictKind::Refused));
        check("pragma wal_checkpoint", Some(ConflictKind::Refused));
        check("PRAGMA foreign_keys=OFF;", Some(ConflictKind::NoEffect));
        check("PRAGMA main.journal_mode(wal)", Some(ConflictKind::NoEffect));
        check("PRAGMA foreign_keys;", None);
        check("PRAGMA defer_foreign_keys=ON", None);
        check("PRAGMA legacy_alter_table=ON", None);
        check("PRAGMA foreign_key_check(t)", None);
        check("attach 'x' as y", None);
        check("create table vacuum_x (a)", None);
        check("reindex", None);
    }

    #[test]
    fn control_of_transactions() {
        let check = |text: &str, expect: &str| {
            let control = transaction_control(text, Dialect::Sqlite);
            assert_eq!(control.map_or(String::new(), |control| format!("{control:?}")), expect, "{text}");
        };
        check("begin immediate", "Begin");
        check("end transaction", "Commit { chain: false }");
        check("rollback", "Rollback { chain: false }");
        check("rollback transaction to a", "RollbackTo(Name(\"a\"))");
        check("savepoint 'a'", "Savepoint(Name(\"a\"))");
        check("savepoint [a]", "Savepoint(Name(\"a\"))");
        check("release a", "ReleaseSavepoint(Name(\"a\"))");
        check("select 1", "");
    }
}
