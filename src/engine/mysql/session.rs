//! MySQL and MariaDB: what a statement leaves behind in its session.

use super::transaction::{next_assignment, variable};
use crate::dialect::Dialect;
use crate::engine::session::{Scope, SessionChange};
use crate::sql::lex::TokenKind;
use crate::sql::phrase::Phrase;

/// See [`crate::engine::session::session_changes`].
pub fn changes(text: &str) -> Vec<SessionChange> {
    let mut phrase = Phrase::new(text, Dialect::Mysql);
    let mut found = Vec::new();
    let start = phrase.clone();
    if phrase.eats("set") {
        set(&mut phrase, &mut found);
    } else {
        found.extend(statement(&mut phrase));
    }
    // The functions in a body run when it is called.
    if !start.sees_any(&["create", "alter", "prepare"]) {
        functions(start, &mut found);
    }
    found
}

fn statement(phrase: &mut Phrase<'_>) -> Option<SessionChange> {
    const FIRST: [&str; 10] = [
        "use",
        "create",
        "drop prepare",
        "drop",
        "prepare",
        "deallocate prepare",
        "lock",
        "unlock",
        "flush tables",
        "flush table",
    ];
    match phrase.eats_any(&FIRST)? {
        "use" => phrase.name().map(SessionChange::Database),
        "create" => {
            phrase.eats("or replace");
            phrase.eats("temporary").then_some(())?;
            phrase.eats_any(&["table", "sequence"])?;
            phrase.eats("if not exists");
            Some(SessionChange::Temporary { name: phrase.table()?, until_commit: false })
        }
        "drop prepare" | "deallocate prepare" => Some(SessionChange::Deallocated(phrase.name())),
        "drop" => drop(phrase),
        "prepare" => phrase.name().map(SessionChange::Prepared),
        "lock" => phrase.sees_any(&["table", "tables"]).then_some(SessionChange::TableLock),
        "unlock" => phrase.sees_any(&["table", "tables"]).then_some(SessionChange::TableUnlock),
        _ => phrase.finds("with read lock").then_some(SessionChange::TableLock),
    }
}

fn drop(phrase: &mut Phrase<'_>) -> Option<SessionChange> {
    phrase.eats("temporary");
    phrase.eats_any(&["table", "tables", "sequence"])?;
    phrase.eats("if exists");
    let mut names = Vec::new();
    loop {
        names.extend(phrase.table());
        if !phrase.eats_punct(b',') {
            return Some(SessionChange::Dropped(names));
        }
    }
}

/// <https://dev.mysql.com/doc/refman/8.4/en/set-variable.html>, and the statements that only start with `SET`.
fn set(phrase: &mut Phrase<'_>, found: &mut Vec<SessionChange>) {
    let setting = |name: &str| SessionChange::Setting { name: name.to_owned(), scope: Scope::Session };
    match phrase.eats_any(&[
        "names",
        "character set",
        "charset",
        "role",
        "default role",
        "password",
        "transaction",
        "statement",
    ]) {
        Some("names") => return found.push(setting("names")),
        Some("character set" | "charset") => return found.push(setting("character_set")),
        Some("role") => return found.push(SessionChange::Role),
        Some(_) => return,
        None => {}
    }
    loop {
        match phrase.peek() {
            Some(token) if token.kind == TokenKind::Variable && !phrase.text_of(token).starts_with("@@") => {
                found.extend(user_variable(phrase));
            }
            _ if phrase.sees_any(&["session transaction", "local transaction"]) => {
                return found.push(setting("transaction_isolation"));
            }
            // `autocommit` is transaction control.
            _ => match variable(phrase) {
                Some(name) if name != "autocommit" => found.push(setting(&name)),
                Some(_) | None => {}
            },
        }
        if !next_assignment(phrase) {
            return;
        }
    }
}

/// `@name = value`
fn user_variable(phrase: &mut Phrase<'_>) -> Option<SessionChange> {
    let token = phrase.step()?;
    let name = phrase.text_of(token).trim_start_matches('@').to_ascii_lowercase();
    // @`name`, @'name'
    let name = if name.is_empty() {
        let quoted = phrase.step()?;
        phrase.text_of(quoted).trim_matches(['`', '\'', '"']).to_ascii_lowercase()
    } else {
        name
    };
    let _ = phrase.eats_operator(":=") || phrase.eats_operator("=");
    let literal = match phrase.peek()?.kind {
        TokenKind::Number | TokenKind::String => true,
        // What `SET` reads of the server, as dumps do to put it back later.
        TokenKind::Variable => false,
        _ => phrase.sees_any(&["null", "true", "false"]),
    };
    phrase.step();
    let alone = phrase.is_done() || phrase.peek().is_some_and(|next| next.is_punct(b','));
    Some(SessionChange::Variable { name, constant: literal && alone })
}

/// <https://dev.mysql.com/doc/refman/8.4/en/locking-functions.html>
fn functions(mut phrase: Phrase<'_>, found: &mut Vec<SessionChange>) {
    while let Some(token) = phrase.step() {
        let called = phrase.peek().is_some_and(|next| next.is_punct(b'('));
        if token.kind != TokenKind::Word || !called {
            continue;
        }
        match phrase.text_of(token) {
            word if word.eq_ignore_ascii_case("get_lock") => found.push(SessionChange::NamedLock),
            word if word.eq_ignore_ascii_case("release_lock") => {
                found.push(SessionChange::NamedUnlock { all: false });
            }
            word if word.eq_ignore_ascii_case("release_all_locks") => {
                found.push(SessionChange::NamedUnlock { all: true });
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::session::session_changes;

    fn check(text: &str, expect: &str) {
        let shown = |change: &SessionChange| match change {
            SessionChange::Setting { name, .. } => name.clone(),
            SessionChange::Variable { name, constant } => {
                format!("@{name}{}", if *constant { " constant" } else { "" })
            }
            SessionChange::Temporary { name, .. } => format!("temporary {name}"),
            other => format!("{other:?}"),
        };
        let changes: Vec<String> = session_changes(text, Dialect::Mysql).iter().map(shown).collect();
        assert_eq!(changes.join(", "), expect, "{text}");
    }

    #[test]
    fn settings_and_variables() {
        check("SET NAMES utf8mb4 COLLATE x", "names");
        check("/*!40101 SET character_set_client = utf8 */", "character_set_client");
        check(
            "set foreign_key_checks = 0, session SQL_MODE := 'x', @@local.a = 1",
            "foreign_key_checks, sql_mode, a",
        );
        check("set global x = 1, y = 2", "y");
        check("set @@global.x = 1", "");
        check("set @a = 1, @B := 'x', @c = (select 1, 2), @d = 1 + 2", "@a constant, @b constant, @c, @d");
        check(
            "/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */",
            "@old_unique_checks, unique_checks",
        );
        check("set autocommit = 0", "");
        check("set session transaction isolation level read committed", "transaction_isolation");
        check("set transaction read only", "");
        check("set role a", "Role");
        check("set password = 'x'", "");
        check("use `db`", "Database(Name(\"db\"))");
    }

    #[test]
    fn what_lasts() {
        check("create temporary table if not exists a.b (c int)", "temporary a.b");
        check("lock tables t write", "TableLock");
        check("flush tables with read lock", "TableLock");
        check("flush privileges", "");
        check("select get_lock('a', 1)", "NamedLock");
        check("do release_all_locks()", "NamedUnlock { all: true }");
        check("prepare s from @a", "Prepared(Name(\"s\"))");
        check("deallocate prepare s", "Deallocated(Some(Name(\"s\")))");
        check("create procedure p() select get_lock('a', 1)", "");
        check("insert into t values ('set x = 1')", "");
    }
}
