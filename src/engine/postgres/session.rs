//! PostgreSQL: what a statement leaves behind in its session.

use super::body;
use crate::dialect::Dialect;
use crate::engine::session::{Scope, SessionChange};
use crate::name::TableName;
use crate::sql::lex::TokenKind;
use crate::sql::phrase::{Phrase, plain_string};

/// See [`crate::engine::session::session_changes`].
pub fn changes(text: &str) -> Vec<SessionChange> {
    let mut phrase = Phrase::new(text, Dialect::Postgres);
    let mut found = Vec::new();
    if phrase.eats("do") {
        block(&mut phrase, &mut found);
        return found;
    }
    let start = phrase.clone();
    found.extend(statement(&mut phrase));
    // The functions in a body run when it is called.
    if !start.sees_any(&["create", "alter", "comment", "prepare"]) {
        functions(start, &mut found);
    }
    found
}

/// What the statement that starts here changes by itself.
fn statement(phrase: &mut Phrase<'_>) -> Option<SessionChange> {
    const FIRST: [&str; 16] = [
        "set",
        "reset",
        "discard",
        "create",
        "drop",
        "select",
        "with",
        "prepare",
        "deallocate",
        "declare",
        "close",
        "listen",
        "unlisten",
        "table",
        "values",
        "load",
    ];
    match phrase.eats_any(&FIRST)? {
        "set" => set(phrase),
        "reset" => reset(phrase),
        "discard" => match phrase.eats_any(&["all", "temp", "temporary", "plans", "sequences"])? {
            "all" => Some(SessionChange::Discarded),
            "temp" | "temporary" => Some(SessionChange::TemporaryDropped),
            _ => None,
        },
        "create" => create(phrase),
        "drop" => drop(phrase),
        "select" | "with" => select_into(phrase),
        "prepare" if phrase.sees("transaction") => None,
        "prepare" => phrase.name().map(SessionChange::Prepared),
        "deallocate" => {
            phrase.eats("prepare");
            let all = phrase.sees("all");
            Some(SessionChange::Deallocated(phrase.name().filter(|_| !all)))
        }
        "declare" => {
            let name = phrase.name()?;
            phrase.finds("cursor with hold").then_some(SessionChange::Cursor(name))
        }
        "close" => {
            let all = phrase.sees("all");
            Some(SessionChange::CursorClosed(phrase.name().filter(|_| !all)))
        }
        "listen" => phrase.name().map(SessionChange::Listening),
        "unlisten" => Some(SessionChange::NotListening(phrase.name())),
        _ => None,
    }
}

/// <https://www.postgresql.org/docs/current/sql-set.html>
fn set(phrase: &mut Phrase<'_>) -> Option<SessionChange> {
    let scope = match phrase.eats_any(&[
        "local",
        "session characteristics as transaction",
        "session authorization",
        "session",
    ]) {
        Some("local") => Scope::Transaction,
        Some("session characteristics as transaction") => {
            return Some(setting("default_transaction_isolation", Scope::Session));
        }
        Some("session authorization") => return Some(SessionChange::Role),
        Some(_) | None => Scope::Session,
    };
    match phrase.eats_any(&[
        "role",
        "authorization",
        "transaction",
        "constraints",
        "time zone",
        "names",
        "schema",
        "seed",
        "xml option",
    ]) {
        // `SET LOCAL ROLE` ends with the transaction, but what is made until then has another owner.
        Some("role" | "authorization") => Some(SessionChange::Role),
        Some("transaction" | "constraints") => None,
        Some("time zone") => Some(setting("timezone", scope)),
        Some("names") => Some(setting("client_encoding", scope)),
        Some("schema") => Some(setting("search_path", scope)),
        Some("seed") => Some(setting("seed", scope)),
        Some(_) => Some(setting("xmloption", scope)),
        None => named(&dotted(phrase)?, scope),
    }
}

/// <https://www.postgresql.org/docs/current/sql-reset.html>
fn reset(phrase: &mut Phrase<'_>) -> Option<SessionChange> {
    match phrase.eats_any(&[
        "all",
        "role",
        "session authorization",
        "time zone",
        "transaction isolation level",
    ]) {
        Some("all") => Some(setting("all", Scope::Session)),
        Some("role" | "session authorization") => Some(SessionChange::Role),
        Some("time zone") => Some(setting("timezone", Scope::Session)),
        Some(_) => None,
        None => named(&dotted(phrase)?, Scope::Session),
    }
}

fn setting(name: &str, scope: Scope) -> SessionChange {
    SessionChange::Setting { name: name.to_owned(), scope }
}

/// The setting `name`; `role` and `session_authorization` can be written like any other.
fn named(name: &str, scope: Scope) -> Option<SessionChange> {
    match name {
        "role" | "session_authorization" => Some(SessionChange::Role),
        "transaction_isolation" | "transaction_read_only" | "transaction_deferrable" => None,
        name => Some(setting(name, scope)),
    }
}

/// The name of a setting, which may be one of an extension: `plpgsql.variable_conflict`.
fn dotted(phrase: &mut Phrase<'_>) -> Option<String> {
    let mut name = phrase.name()?.as_str().to_lowercase();
    while phrase.eats_punct(b'.') {
        name.push('.');
        name.push_str(&phrase.name()?.as_str().to_lowercase());
    }
    Some(name)
}

fn is_temporary_schema(name: &TableName) -> bool {
    name.schema.as_ref().is_some_and(|schema| schema.as_str() == "pg_temp")
}

fn create(phrase: &mut Phrase<'_>) -> Option<SessionChange> {
    const OBJECTS: [&str; 11] = [
        "table",
        "unlogged table",
        "materialized view",
        "recursive view",
        "view",
        "sequence",
        "function",
        "procedure",
        "type",
        "domain",
        "aggregate",
    ];
    phrase.eats("or replace");
    phrase.eats_any(&["local", "global"]);
    let temporary = phrase.eats_any(&["temp", "temporary"]).is_some();
    phrase.eats_any(&OBJECTS)?;
    phrase.eats("if not exists");
    let name = phrase.table()?;
    if !temporary && !is_temporary_schema(&name) {
        return None;
    }
    Some(SessionChange::Temporary { name, until_commit: phrase.finds("on commit drop") })
}

fn drop(phrase: &mut Phrase<'_>) -> Option<SessionChange> {
    phrase.eats_any(&[
        "table",
        "materialized view",
        "view",
        "sequence",
        "function",
        "procedure",
        "routine",
        "type",
        "domain",
        "aggregate",
    ])?;
    phrase.eats("if exists");
    let mut names = Vec::new();
    loop {
        names.extend(phrase.table());
        phrase.skip_group();
        if !phrase.eats_punct(b',') {
            return Some(SessionChange::Dropped(names));
        }
    }
}

/// `SELECT … INTO TEMP t`
fn select_into(phrase: &mut Phrase<'_>) -> Option<SessionChange> {
    while phrase.finds("into") {
        phrase.eats_any(&["local", "global"]);
        let temporary = phrase.eats_any(&["temp", "temporary"]).is_some();
        phrase.eats("table");
        let name = phrase.table()?;
        if temporary || is_temporary_schema(&name) {
            return Some(SessionChange::Temporary { name, until_commit: false });
        }
    }
    None
}

/// Calls that change the session: `set_config` and advisory locks
/// (<https://www.postgresql.org/docs/current/functions-admin.html>).
fn functions(mut phrase: Phrase<'_>, found: &mut Vec<SessionChange>) {
    while let Some(token) = phrase.step() {
        let called = phrase.peek().is_some_and(|next| next.is_punct(b'('));
        if token.kind != TokenKind::Word || !called {
            continue;
        }
        let word = phrase.text_of(token);
        if word.eq_ignore_ascii_case("set_config") {
            found.extend(set_config(&phrase));
        } else if word.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("pg_")) {
            match word.to_ascii_lowercase().as_str() {
                "pg_advisory_lock"
                | "pg_advisory_lock_shared"
                | "pg_try_advisory_lock"
                | "pg_try_advisory_lock_shared" => found.push(SessionChange::NamedLock),
                "pg_advisory_unlock" | "pg_advisory_unlock_shared" => {
                    found.push(SessionChange::NamedUnlock { all: false });
                }
                "pg_advisory_unlock_all" => found.push(SessionChange::NamedUnlock { all: true }),
                _ => {}
            }
        }
    }
}

/// `set_config('name', value, is_local)`; a name that is computed may be any.
fn set_config(phrase: &Phrase<'_>) -> Option<SessionChange> {
    let mut phrase = phrase.clone();
    phrase.eats_punct(b'(');
    let token = phrase.step()?;
    let name = plain_string(token, phrase.text()).map_or("?".to_owned(), |name| name.to_lowercase());
    let mut last = token;
    let mut depth = 0;
    // Calls may stand in each other: a long one is not read to its end again for each of them.
    for _ in 0..100 {
        let Some(token) = phrase.step() else { break };
        match token.kind {
            TokenKind::Punct(b'(') => depth += 1,
            TokenKind::Punct(b')') if depth == 0 => break,
            TokenKind::Punct(b')') => depth -= 1,
            _ => {}
        }
        last = token;
    }
    let local = matches!(
        phrase.text_of(last).to_ascii_lowercase().trim_matches('\''),
        "true" | "t" | "on" | "yes" | "1"
    );
    named(&name, if local { Scope::Transaction } else { Scope::Session })
}

/// The static statements of a `DO` block.
fn block(phrase: &mut Phrase<'_>, found: &mut Vec<SessionChange>) {
    while let Some(token) = phrase.step() {
        if !matches!(token.kind, TokenKind::DollarString | TokenKind::String) {
            continue;
        }
        let mut body = body(phrase.text_of(token));
        functions(body.clone(), found);
        let mut starts = true;
        while let Some(token) = body.peek() {
            // In PL/pgSQL these words have other meanings: INTO takes a variable, CLOSE and DECLARE cursors of its own.
            if starts && !body.sees_any(&["select", "with", "declare", "close"]) {
                found.extend(statement(&mut body.clone()));
            }
            starts = token.is_punct(b';') || body.sees_any(&["begin", "then", "else", "loop"]);
            body.step();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::session::session_changes;

    fn check(text: &str, expect: &str) {
        let shown = |change: &SessionChange| match change {
            SessionChange::Setting { name, scope: Scope::Session } => name.clone(),
            SessionChange::Setting { name, scope: Scope::Transaction } => format!("{name} (local)"),
            SessionChange::Temporary { name, until_commit } => {
                format!("temporary {name}{}", if *until_commit { " until commit" } else { "" })
            }
            SessionChange::Dropped(names) => {
                format!("dropped {}", names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
            }
            other => format!("{other:?}"),
        };
        let changes: Vec<String> = session_changes(text, Dialect::Postgres).iter().map(shown).collect();
        assert_eq!(changes.join(", "), expect, "{text}");
    }

    #[test]
    fn settings_and_roles() {
        check("SET search_path TO a, b", "search_path");
        check("set session Lock_Timeout = '1s'", "lock_timeout");
        check("set local x.Y = 1", "x.y (local)");
        check("set time zone 'UTC'", "timezone");
        check("set schema 'a'", "search_path");
        check("reset all", "all");
        check("reset search_path", "search_path");
        check("set session characteristics as transaction read only", "default_transaction_isolation");
        for role in [
            "set role a",
            "SET LOCAL ROLE a",
            "reset role",
            "set session authorization a",
            "set role = 'a'",
            "reset session authorization",
            "select set_config('role', 'a', false)",
            "set session_authorization to a",
        ] {
            check(role, "Role");
        }
        check("set transaction read only", "");
        check("set constraints all deferred", "");
        check("select pg_catalog.set_config('search_path', '', false)", "search_path");
        check("select set_config('a', (select b(1)), true), 1", "a (local)");
        check("select set_config(a || 'b', c, false)", "?");
        check(
            "create function f() returns void set search_path = a language sql as $$ select set_config('a', 'b', false) $$",
            "",
        );
        check("alter role a set search_path = b", "");
        check("select 'set_config(1)'", "");
    }

    #[test]
    fn temporary_objects() {
        check("create temp table t as select 1", "temporary t");
        check(
            "create local temporary table if not exists t (a int) on commit drop",
            "temporary t until commit",
        );
        check("create or replace temp view v as select 1", "temporary v");
        check("create function pg_temp.f() returns int language sql as 'select 1'", "temporary pg_temp.f");
        check("create table t (a int)", "");
        check("select 1 as a into temp t from b", "temporary t");
        check("select 1 into pg_temp.t", "temporary pg_temp.t");
        check("with a as (select 1) select * into temporary table t from a", "temporary t");
        check("insert into temp select 1", "");
        check("drop table if exists a, pg_temp.b cascade", "dropped a pg_temp.b");
        check("drop function pg_temp.f(int, text), g", "dropped pg_temp.f g");
        check("discard temp", "TemporaryDropped");
        check("discard all", "Discarded");
    }

    #[test]
    fn locks_cursors_and_channels() {
        check("select pg_advisory_lock(1), pg_try_advisory_lock_shared(2)", "NamedLock, NamedLock");
        check("select pg_advisory_xact_lock(1)", "");
        check("select pg_advisory_unlock_all()", "NamedUnlock { all: true }");
        check("declare c cursor with hold for select 1", "Cursor(Name(\"c\"))");
        check("declare c no scroll cursor for select 1", "");
        check("close all", "CursorClosed(None)");
        check("listen A", "Listening(Name(\"a\"))");
        check("unlisten *", "NotListening(None)");
        check("prepare transaction 'a'", "");
        check("deallocate all", "Deallocated(None)");
    }

    #[test]
    fn what_a_do_block_does() {
        check(
            "do $$ begin perform set_config('a', 'b', false); if x then set role b; end if; end $$",
            "a, Role",
        );
        check(
            "do $$ declare c int; begin select 1 into c; create temp table t (a int); end $$",
            "temporary t",
        );
        check("do 'begin set local a = 1; end'", "a (local)");
    }
}
