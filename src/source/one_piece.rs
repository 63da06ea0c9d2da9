//! Tools that send a file in one piece, with no transaction of their own around it.
//!
//! PostgreSQL runs several statements that come in one message in one transaction
//! (<https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT>), and a single one
//! by itself: that is how such a file builds an index concurrently without any directive. We run the file in a
//! transaction too, unless a statement of it cannot run in one.

use super::format::ReadOptions;
use super::reading::text;
use super::{Body, Script, SourceFile};
use crate::dialect::Dialect;
use crate::sql::lex::{TokenKind, significant};
use crate::sql::split::split;

/// Sets whether `script` runs in a transaction as its file would, sent in one piece.
pub(super) fn set_transaction(script: &mut Script, options: &ReadOptions) {
    let dialect = options.dialect.unwrap_or(Dialect::Postgres);
    if let Body::Sql { file, span } = &script.body {
        let statements = split(span.of(file), dialect).statements;
        if let [only] = statements.as_slice() {
            script.transaction &= !refuses_transaction(only.text, dialect);
        }
    }
}

/// Whether a statement begins or ends a transaction.
pub(super) fn controls_transaction(statement: &str) -> bool {
    const WORDS: [&str; 7] = ["begin", "start", "commit", "end", "rollback", "abort", "prepare"];
    let first = significant(statement, Dialect::Postgres).next();
    first.is_some_and(|first| WORDS.iter().any(|word| first.is_word(statement, word)))
}

/// The first statement of `text` that cannot run in a transaction.
pub(super) fn refusing(text: &str, dialect: Dialect) -> Option<&str> {
    if !might_refuse(text) {
        return None;
    }
    let statements = split(text, dialect).statements;
    statements.into_iter().map(|statement| statement.text).find(|text| refuses_transaction(text, dialect))
}

/// Whether some statements of `text` cannot run in a transaction, and others can.
pub(super) fn is_mixed(text: &str, dialect: Dialect) -> bool {
    let mut refuse =
        split(text, dialect).statements.into_iter().map(|one| refuses_transaction(one.text, dialect));
    let first = refuse.next();
    refuse.any(|next| Some(next) != first)
}

/// Whether `file`, as SQL for PostgreSQL, has a statement that cannot run in a transaction, and nothing that says
/// so: no tool that wraps a file in one could run it.
pub(super) fn is_refused_in_transaction(file: &SourceFile) -> bool {
    text(file)
        .is_some_and(|text| !text.contains("no-transaction") && refusing(text, Dialect::Postgres).is_some())
}

/// A quick look that is never wrong when it says no.
fn might_refuse(text: &str) -> bool {
    const WORDS: [&str; 12] = [
        "concurrently",
        "vacuum",
        "database",
        "tablespace",
        "subscription",
        "reindex",
        "system",
        "discard",
        "pragma",
        "attach",
        "detach",
        "cluster",
    ];
    // No word is shorter or longer; one pass, and nothing is copied.
    let runs = text.as_bytes().split(|byte| !byte.is_ascii_alphabetic());
    runs.filter(|run| (6..=12).contains(&run.len()))
        .any(|run| WORDS.iter().any(|word| run.eq_ignore_ascii_case(word.as_bytes())))
}

/// Whether a server refuses the statement in a transaction, or, on SQLite, lets it do nothing there
/// (<https://www.sqlite.org/pragma.html#pragma_foreign_keys>). Told by its words, where it stands outside of
/// strings, quotes and comments.
pub(super) fn refuses_transaction(statement: &str, dialect: Dialect) -> bool {
    let words: Vec<String> = significant(statement, dialect)
        .filter(|token| token.kind == TokenKind::Word)
        .map(|token| token.text(statement).to_ascii_uppercase())
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let concurrently = words.contains(&"CONCURRENTLY");
    match (dialect, words.as_slice()) {
        (Dialect::Postgres, ["CREATE" | "DROP", "INDEX", ..] | ["CREATE", "UNIQUE", "INDEX", ..]) => {
            concurrently
        }
        (Dialect::Postgres, ["REINDEX", rest @ ..]) => {
            concurrently || rest.iter().any(|word| matches!(*word, "SCHEMA" | "DATABASE" | "SYSTEM"))
        }
        (Dialect::Postgres, ["ALTER", "TABLE", rest @ ..]) => concurrently && rest.contains(&"DETACH"),
        (Dialect::Postgres, ["ALTER", "SYSTEM", ..] | ["DISCARD", "ALL", ..]) => true,
        (Dialect::Postgres, ["CREATE" | "DROP", "DATABASE" | "TABLESPACE" | "SUBSCRIPTION", ..]) => true,
        (Dialect::Postgres, ["ALTER", "DATABASE", rest @ ..]) => rest.contains(&"TABLESPACE"),
        (Dialect::Postgres, ["CLUSTER"]) => true,
        (Dialect::Postgres | Dialect::Sqlite, ["VACUUM", ..]) => true,
        (Dialect::Sqlite, ["PRAGMA", rest @ ..]) => {
            rest.iter().any(|word| matches!(*word, "FOREIGN_KEYS" | "JOURNAL_MODE"))
        }
        (Dialect::Sqlite, ["ATTACH" | "DETACH", ..]) => true,
        (Dialect::Postgres | Dialect::Mysql | Dialect::Sqlite, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Span;

    fn check(dialect: Dialect, statement: &str, expected: bool) {
        assert_eq!(refuses_transaction(statement, dialect), expected, "{statement}");
    }

    #[test]
    fn statements_that_refuse_a_transaction() {
        for statement in [
            "create unique index /* x */ concurrently if not exists i on t (a)",
            "DROP INDEX CONCURRENTLY i",
            "reindex (verbose) table concurrently t",
            "reindex database d",
            "alter table p detach partition c concurrently",
            "-- why\nvacuum full t",
            "create database d",
            "alter system set work_mem = '1MB'",
            "cluster",
        ] {
            check(Dialect::Postgres, statement, true);
        }
        for statement in ["pragma foreign_keys = off", "PRAGMA main.journal_mode=wal", "vacuum", "detach d"] {
            check(Dialect::Sqlite, statement, true);
        }
    }

    /// Whether a file in one piece runs in a transaction.
    fn check_piece(dialect: Dialect, text: &str, expected: bool) {
        let mut script =
            crate::source::reading::sql_part("a", &std::sync::Arc::from(text), Span::new(0, text.len()));
        set_transaction(&mut script, &ReadOptions { dialect: Some(dialect), ..ReadOptions::default() });
        assert_eq!(script.transaction, expected, "{text}");
    }

    #[test]
    fn only_a_single_statement_is_by_itself() {
        check_piece(Dialect::Postgres, "-- why\ncreate index concurrently i on t (a);\n-- done\n", false);
        check_piece(Dialect::Postgres, "create index concurrently i on t (a); select 1;", true);
        check_piece(Dialect::Postgres, "create index i on t (a);", true);
        check_piece(Dialect::Postgres, "", true);
        check_piece(Dialect::Mysql, "create index concurrently i on t (a);", true);
    }

    #[test]
    fn the_first_that_refuses_is_found() {
        let text = "select 'vacuum';\nselect 1; vacuum t; cluster;";
        assert_eq!(refusing(text, Dialect::Postgres), Some("vacuum t"));
        assert_eq!(refusing("select 'vacuum'", Dialect::Postgres), None);
    }

    #[test]
    fn statements_that_do_not() {
        for statement in [
            "create index i on t (a)",
            "create index concurrently_i on t (a)",
            "create index i on t (a) -- concurrently",
            "create index \"concurrently\" on t (a)",
            "refresh materialized view concurrently v",
            "reindex table t",
            "insert into t values ('vacuum')",
            "cluster t using i",
            "alter type e add value 'x'",
        ] {
            check(Dialect::Postgres, statement, false);
        }
        check(Dialect::Mysql, "create index concurrently i on t (a)", false);
        check(Dialect::Sqlite, "pragma user_version = 3", false);
    }
}
