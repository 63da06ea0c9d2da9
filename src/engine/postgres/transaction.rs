//! PostgreSQL: what cannot run in a transaction block, and transaction control.
//!
//! Each entry was run within a transaction on PostgreSQL 15; later versions are added from their manuals.

use super::body;
use crate::dialect::Dialect;
use crate::engine::transaction::{Conflict, ConflictKind, TransactionControl};
use crate::sql::lex::TokenKind;
use crate::sql::phrase::Phrase;

/// See [`crate::engine::transaction::transaction_conflict`].
pub fn conflict(text: &str) -> Option<Conflict> {
    let mut phrase = Phrase::new(text, Dialect::Postgres);
    let first = phrase.eats_any(&[
        "create",
        "drop",
        "alter",
        "reindex",
        "vacuum",
        "cluster",
        "commit prepared",
        "rollback prepared",
        "discard all",
        "do",
        "select",
    ])?;
    match first {
        "create" => create(&mut phrase),
        "drop" => drop(&mut phrase),
        "alter" => alter(&mut phrase),
        "reindex" => reindex(&mut phrase),
        "vacuum" => refused("VACUUM", "https://www.postgresql.org/docs/current/sql-vacuum.html"),
        "cluster" => cluster(&mut phrase),
        "commit prepared" => {
            refused("COMMIT PREPARED", "https://www.postgresql.org/docs/current/sql-commit-prepared.html")
        }
        "rollback prepared" => {
            refused("ROLLBACK PREPARED", "https://www.postgresql.org/docs/current/sql-rollback-prepared.html")
        }
        "discard all" => refused("DISCARD ALL", "https://www.postgresql.org/docs/current/sql-discard.html"),
        "do" => block(&mut phrase),
        _ => select(&mut phrase),
    }
}

fn refused(what: &'static str, manual: &'static str) -> Option<Conflict> {
    Some(Conflict { kind: ConflictKind::Refused, what, manual })
}

fn create(phrase: &mut Phrase<'_>) -> Option<Conflict> {
    phrase.eats("unique");
    if phrase.sees("index concurrently") {
        return refused(
            "CREATE INDEX CONCURRENTLY",
            "https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY",
        );
    }
    match phrase.eats_any(&["database", "tablespace", "subscription"])? {
        "database" => {
            refused("CREATE DATABASE", "https://www.postgresql.org/docs/current/sql-createdatabase.html")
        }
        "tablespace" => {
            refused("CREATE TABLESPACE", "https://www.postgresql.org/docs/current/sql-createtablespace.html")
        }
        // Unless it is told not to create a slot, which `connect = false` implies.
        _ if option(phrase, &["create_slot", "connect"]) == Some(false) => None,
        _ => refused(
            "CREATE SUBSCRIPTION … WITH (create_slot = true)",
            "https://www.postgresql.org/docs/current/sql-createsubscription.html",
        ),
    }
}

fn drop(phrase: &mut Phrase<'_>) -> Option<Conflict> {
    if phrase.sees("index concurrently") {
        return refused(
            "DROP INDEX CONCURRENTLY",
            "https://www.postgresql.org/docs/current/sql-dropindex.html",
        );
    }
    match phrase.eats_any(&["database", "tablespace", "subscription"])? {
        "database" => {
            refused("DROP DATABASE", "https://www.postgresql.org/docs/current/sql-dropdatabase.html")
        }
        "tablespace" => {
            refused("DROP TABLESPACE", "https://www.postgresql.org/docs/current/sql-droptablespace.html")
        }
        // Whether it has a slot only the catalog knows.
        _ => {
            refused("DROP SUBSCRIPTION", "https://www.postgresql.org/docs/current/sql-dropsubscription.html")
        }
    }
}

fn alter(phrase: &mut Phrase<'_>) -> Option<Conflict> {
    match phrase.eats_any(&["system", "database", "table", "subscription"])? {
        "system" => refused("ALTER SYSTEM", "https://www.postgresql.org/docs/current/sql-altersystem.html"),
        "database" => {
            phrase.name();
            let moves = phrase.sees("set tablespace");
            moves.then_some(())?;
            refused(
                "ALTER DATABASE … SET TABLESPACE",
                "https://www.postgresql.org/docs/current/sql-alterdatabase.html",
            )
        }
        "table" => {
            phrase.finds("detach partition").then_some(())?;
            phrase.table();
            phrase.sees("concurrently").then_some(())?;
            refused(
                "ALTER TABLE … DETACH PARTITION … CONCURRENTLY",
                "https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DETACH-PARTITION",
            )
        }
        _ => alter_subscription(phrase),
    }
}

fn alter_subscription(phrase: &mut Phrase<'_>) -> Option<Conflict> {
    const MANUAL: &str = "https://www.postgresql.org/docs/current/sql-altersubscription.html";
    phrase.name();
    if phrase.sees("refresh") {
        return refused("ALTER SUBSCRIPTION … REFRESH PUBLICATION", MANUAL);
    }
    if phrase.eats_any(&["set publication", "add publication", "drop publication"]).is_some() {
        return match option(phrase, &["refresh"]) {
            Some(false) => None,
            Some(true) | None => refused("ALTER SUBSCRIPTION … PUBLICATION with refresh", MANUAL),
        };
    }
    // PostgreSQL 17 and 18 change the slot on the publisher.
    if phrase.eats("set") && option(phrase, &["failover", "two_phase"]).is_some() {
        return refused("ALTER SUBSCRIPTION … SET (failover | two_phase)", MANUAL);
    }
    None
}

fn reindex(phrase: &mut Phrase<'_>) -> Option<Conflict> {
    const MANUAL: &str = "https://www.postgresql.org/docs/current/sql-reindex.html";
    let concurrently = option(&mut phrase.clone(), &["concurrently"]) == Some(true)
        && phrase.peek().is_some_and(|token| token.is_punct(b'('));
    phrase.skip_group();
    let object = phrase.eats_any(&["index", "table", "schema", "database", "system"])?;
    if concurrently || phrase.sees("concurrently") {
        return refused("REINDEX CONCURRENTLY", MANUAL);
    }
    match object {
        "schema" => refused("REINDEX SCHEMA", MANUAL),
        "database" => refused("REINDEX DATABASE", MANUAL),
        "system" => refused("REINDEX SYSTEM", MANUAL),
        _ => None,
    }
}

/// `CLUSTER` of all tables.
fn cluster(phrase: &mut Phrase<'_>) -> Option<Conflict> {
    phrase.eats("verbose");
    phrase.skip_group();
    phrase.is_done().then_some(())?;
    refused("CLUSTER without a table", "https://www.postgresql.org/docs/current/sql-cluster.html")
}

/// A `DO` block with a `COMMIT` or `ROLLBACK` of its own.
fn block(phrase: &mut Phrase<'_>) -> Option<Conflict> {
    while let Some(token) = phrase.step() {
        if !matches!(token.kind, TokenKind::DollarString | TokenKind::String) {
            continue;
        }
        let mut body = body(phrase.text_of(token));
        let mut starts = true;
        while let Some(token) = body.peek() {
            if starts
                && body.eats_any(&["commit", "rollback"]).is_some()
                && (body.is_done() || body.sees("and"))
            {
                return refused(
                    "COMMIT or ROLLBACK in a DO block",
                    "https://www.postgresql.org/docs/current/plpgsql-transactions.html",
                );
            }
            starts = token.is_punct(b';') || body.sees_any(&["begin", "then", "else", "loop"]);
            body.step();
        }
    }
    None
}

fn select(phrase: &mut Phrase<'_>) -> Option<Conflict> {
    phrase.eats("pg_catalog").then(|| phrase.eats_punct(b'.'));
    phrase.sees("pg_create_logical_replication_slot").then_some(())?;
    refused(
        "pg_create_logical_replication_slot behind a write",
        "https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-REPLICATION",
    )
}

/// The value of the last of `names` that is given as an option (`name`, `name = value`, `name value`) in the next
/// parentheses; none if there is none of them.
fn option(phrase: &mut Phrase<'_>, names: &[&str]) -> Option<bool> {
    while !phrase.eats_punct(b'(') {
        phrase.step()?;
    }
    let mut found = None;
    while !phrase.is_done() && !phrase.eats_punct(b')') {
        if phrase.eats_any(names).is_none() {
            phrase.step();
            continue;
        }
        phrase.eats_operator("=");
        let value = phrase.peek().map_or("", |token| phrase.text_of(token)).trim_matches('\'');
        // One option that says no is enough for each caller.
        let on = !["false", "off", "0", "no"].iter().any(|off| value.eq_ignore_ascii_case(off));
        found = Some(found.unwrap_or(true) && on);
    }
    found
}

/// See [`crate::engine::transaction::transaction_control`].
pub fn control(text: &str) -> Option<TransactionControl> {
    let mut phrase = Phrase::new(text, Dialect::Postgres);
    let first = phrase.eats_any(&[
        "begin",
        "start transaction",
        "commit prepared",
        "commit",
        "end",
        "rollback prepared",
        "rollback",
        "abort",
        "savepoint",
        "release savepoint",
        "release",
        "prepare transaction",
        "set transaction",
    ])?;
    let control = match first {
        "begin" | "start transaction" => TransactionControl::Begin,
        "commit prepared" => TransactionControl::CommitPrepared,
        "rollback prepared" => TransactionControl::RollbackPrepared,
        "commit" | "end" => TransactionControl::Commit { chain: chains(&mut phrase) },
        "savepoint" => TransactionControl::Savepoint(phrase.name()?),
        "release savepoint" | "release" => TransactionControl::ReleaseSavepoint(phrase.name()?),
        "prepare transaction" => TransactionControl::PrepareTransaction,
        "set transaction" => TransactionControl::SetTransaction,
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
    phrase.eats_any(&["work", "transaction"]);
    phrase.eats("and chain")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::transaction::{may_run_in_transaction, transaction_control};

    /// Each was refused, or not, by PostgreSQL 15 within a transaction, but for those of later versions and those
    /// that need a publisher.
    #[test]
    fn what_the_server_refuses() {
        let refused = "create index concurrently x on t(id)
            create unique index concurrently if not exists x on t(id)
            drop index concurrently if exists nope
            reindex index concurrently i
            reindex (concurrently) table t
            reindex (verbose, concurrently true) index i
            reindex schema public
            reindex (verbose) database p
            reindex system p
            alter table only pt detach partition s.p1 concurrently
            vacuum
            vacuum (analyze) t
            cluster
            cluster verbose
            cluster (verbose);
            create database d3
            drop database if exists nope
            alter database d2 set tablespace pg_default
            create tablespace ts location '/tmp'
            drop tablespace if exists ts
            alter system set work_mem='4MB'
            create subscription s connection 'host=a' publication pub
            alter subscription s0 refresh publication
            alter subscription s0 add publication pub with (copy_data = false)
            alter subscription s0 set (failover = true)
            drop subscription s0
            commit prepared 'x'
            rollback prepared 'x'
            discard all
            do $$ begin commit; end $$
            do language plpgsql $x$ begin loop update t set a = 1; commit and chain; end loop; end $x$
            select pg_catalog.pg_create_logical_replication_slot('a', 'pgoutput')";
        for text in refused.lines() {
            assert!(!may_run_in_transaction(text, Dialect::Postgres), "{text}");
            assert_eq!(transaction_conflict_kind(text), Some(ConflictKind::Refused), "{text}");
        }
        let accepted = "create index concurrently_x on t(id)
            create index i on concurrently
            drop index i
            reindex (verbose, concurrently false) table t
            reindex table t
            alter table pt detach partition p1
            alter table pt detach partition p1 finalize
            analyze
            cluster t using i
            cluster (verbose) t using i
            alter database d2 rename to d4
            alter database p set work_mem = '1MB'
            alter tablespace pg_default set (random_page_cost=1)
            create subscription s connection 'host=a' publication pub with (connect=false)
            create subscription s connection 'host=a' publication pub with (create_slot=false, enabled=true)
            alter subscription s0 set publication pub with (refresh = false)
            alter subscription s0 owner to postgres
            alter subscription s0 set (streaming=on)
            refresh materialized view concurrently mv
            alter type mood add value 'b'
            checkpoint
            discard temp
            call pc()
            do $$ begin perform 'commit'; update t set a = 'x' where commit = 1; end $$
            create function f() returns int language plpgsql as $$begin commit; end$$
            lock table t
            select 1
            -- vacuum";
        for text in accepted.lines() {
            assert!(may_run_in_transaction(text, Dialect::Postgres), "{text}");
        }
    }

    fn transaction_conflict_kind(text: &str) -> Option<ConflictKind> {
        conflict(text).map(|conflict| conflict.kind)
    }

    #[test]
    fn control_of_transactions() {
        let check = |text: &str, expect: &str| {
            let control = transaction_control(text, Dialect::Postgres);
            assert_eq!(control.map_or(String::new(), |control| format!("{control:?}")), expect, "{text}");
        };
        check("BEGIN", "Begin");
        check("begin transaction isolation level serializable;", "Begin");
        check("start transaction", "Begin");
        check("COMMIT", "Commit { chain: false }");
        check("end work and chain", "Commit { chain: true }");
        check("commit and no chain", "Commit { chain: false }");
        check("abort", "Rollback { chain: false }");
        check("rollback transaction and chain", "Rollback { chain: true }");
        check("rollback to a", "RollbackTo(Name(\"a\"))");
        check("rollback work to savepoint \"A\"", "RollbackTo(Name(\"A\"))");
        check("savepoint a", "Savepoint(Name(\"a\"))");
        check("release a", "ReleaseSavepoint(Name(\"a\"))");
        check("prepare transaction 'a'", "PrepareTransaction");
        check("commit prepared 'a'", "CommitPrepared");
        check("rollback prepared 'a'", "RollbackPrepared");
        check("set transaction read only", "SetTransaction");
        check("prepare a as select 1", "");
        check("set local x = 1", "");
        check("select 'commit'", "");
        check("\"commit\"", "");
    }
}
