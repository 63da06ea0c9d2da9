//! Sessions, transactions, maintenance, and all that is left.

use super::alter_table::{cascade, role};
use super::{change, lower_into};
use crate::engine::read::cursor::{Cursor, Read};
use crate::engine::read::expr;
use crate::name::TableName;
use crate::schema::change::*;

/// Reads a statement that begins with `word` (upper case).
pub fn statement(cursor: &mut Cursor<'_>, word: &str, out: &mut Vec<Change>) -> Read<()> {
    let start = cursor.at();
    let kind = match word {
        "BEGIN" | "START" | "COMMIT" | "END" | "ROLLBACK" | "ABORT" | "SAVEPOINT" | "RELEASE" => {
            ChangeKind::Transaction(transaction(cursor)?)
        }
        "PREPARE" if cursor.is(&["PREPARE", "TRANSACTION"]) => {
            cursor.set(start + 2);
            cursor.string()?;
            ChangeKind::Transaction(TransactionControl::TwoPhase)
        }
        "SET" => set(cursor)?,
        "RESET" => {
            cursor.bump();
            let name = if cursor.eat(&["SESSION", "AUTHORIZATION"]) {
                "session_authorization".to_owned()
            } else {
                setting_name(cursor)?
            };
            ChangeKind::SetVariable(SetVariable { scope: SettingScope::Session, name, values: Vec::new() })
        }
        "LOCK" => return lock(cursor, out),
        "TRUNCATE" => return truncate(cursor, out),
        "COPY" => ChangeKind::Copy(copy(cursor)?),
        "VACUUM" => return vacuum(cursor, out),
        "ANALYZE" | "ANALYSE" => return analyze(cursor, out),
        "CLUSTER" => cluster(cursor)?,
        "CALL" => {
            cursor.bump();
            let name = cursor.object_name()?;
            cursor.expect_punct(b'(')?;
            let arguments = if cursor.is_punct(b')') {
                Vec::new()
            } else {
                cursor.list(|cursor| expr::expr(cursor, &[]))?
            };
            cursor.expect_punct(b')')?;
            ChangeKind::Call(CallRoutine { name, arguments })
        }
        "EXPLAIN" => return explain(cursor, out),
        "REASSIGN" => {
            cursor.expect(&["REASSIGN", "OWNED", "BY"])?;
            cursor.list(role)?;
            cursor.expect(&["TO"])?;
            ChangeKind::SetOwner { object: ObjectKind::Owned, name: None, owner: role(cursor)? }
        }
        "IMPORT" => {
            cursor.expect(&["IMPORT", "FOREIGN", "SCHEMA"])?;
            let name = cursor.object_name()?;
            let what = cursor.rest();
            ChangeKind::AlterOther { object: ObjectKind::ForeignServer, name: Some(name), what }
        }
        // What is prepared is no DDL. A text that is run as SQL is a statement of PL/pgSQL only.
        "EXECUTE" => {
            cursor.bump();
            cursor.name()?;
            if cursor.is_punct(b'(') {
                cursor.parens()?;
            }
            ChangeKind::Harmless { what: word.to_owned() }
        }
        "SHOW" | "NOTIFY" | "LISTEN" | "UNLISTEN" | "DISCARD" | "CHECKPOINT" | "DECLARE" | "FETCH"
        | "MOVE" | "CLOSE" | "PREPARE" | "DEALLOCATE" | "LOAD" | "WAIT" => {
            cursor.set(cursor.end());
            ChangeKind::Harmless { what: word.to_owned() }
        }
        _ => return Err(cursor.unexpected("a statement")),
    };
    out.push(change(cursor, start, kind));
    Ok(())
}

fn transaction(cursor: &mut Cursor<'_>) -> Read<TransactionControl> {
    let word =
        cursor.eat_any(&["BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"]);
    match word {
        Some("SAVEPOINT") => return Ok(TransactionControl::Savepoint(cursor.name()?)),
        Some("RELEASE") => {
            cursor.eat(&["SAVEPOINT"]);
            return Ok(TransactionControl::Release(cursor.name()?));
        }
        Some("START") => cursor.expect(&["TRANSACTION"])?,
        _ => {
            cursor.eat_any(&["WORK", "TRANSACTION"]);
        }
    }
    if cursor.eat(&["PREPARED"]) {
        cursor.string()?;
        return Ok(TransactionControl::TwoPhase);
    }
    if word == Some("ROLLBACK") && cursor.eat(&["TO"]) {
        cursor.eat(&["SAVEPOINT"]);
        return Ok(TransactionControl::RollbackTo(cursor.name()?));
    }
    if matches!(word, Some("BEGIN" | "START")) {
        transaction_modes(cursor);
        return Ok(TransactionControl::Begin);
    }
    let chain = cursor.eat(&["AND", "CHAIN"]);
    if !chain {
        cursor.eat(&["AND", "NO", "CHAIN"]);
    }
    Ok(if matches!(word, Some("ROLLBACK" | "ABORT")) {
        TransactionControl::Rollback { chain }
    } else {
        TransactionControl::Commit { chain }
    })
}

/// `ISOLATION LEVEL …`, `READ ONLY`, `NOT DEFERRABLE`, ….
fn transaction_modes(cursor: &mut Cursor<'_>) {
    const MODES: [&str; 14] = [
        "ISOLATION",
        "LEVEL",
        "SERIALIZABLE",
        "REPEATABLE",
        "READ",
        "COMMITTED",
        "UNCOMMITTED",
        "ONLY",
        "WRITE",
        "NOT",
        "DEFERRABLE",
        "SNAPSHOT",
        "SESSION",
        "CHARACTERISTICS",
    ];
    while cursor.eat_any(&MODES).is_some() || cursor.eat_punct(b',') {}
}

/// The name of a setting in lower case, with its dots.
fn setting_name(cursor: &mut Cursor<'_>) -> Read<String> {
    let mut name = cursor.any_name()?.as_str().to_lowercase();
    while cursor.eat_punct(b'.') {
        name = format!("{name}.{}", cursor.any_name()?.as_str().to_lowercase());
    }
    Ok(name)
}

fn set(cursor: &mut Cursor<'_>) -> Read<ChangeKind> {
    cursor.bump();
    if cursor.eat(&["TRANSACTION"])
        || cursor.eat(&["CONSTRAINTS"])
        || cursor.eat(&["SESSION", "CHARACTERISTICS"])
    {
        cursor.set(cursor.end());
        return Ok(ChangeKind::Transaction(TransactionControl::Mode));
    }
    let scope = match cursor.eat_any(&["LOCAL", "SESSION"]) {
        Some("LOCAL") => SettingScope::Transaction,
        _ => SettingScope::Session,
    };
    let name = if cursor.eat(&["TIME", "ZONE"]) {
        "timezone".to_owned()
    } else if cursor.eat(&["AUTHORIZATION"]) {
        "session_authorization".to_owned()
    } else if cursor.eat(&["SCHEMA"]) {
        "search_path".to_owned()
    } else if cursor.eat(&["NAMES"]) {
        "client_encoding".to_owned()
    } else if cursor.eat(&["ROLE"]) {
        "role".to_owned()
    } else if cursor.eat(&["XML", "OPTION"]) {
        "xmloption".to_owned()
    } else {
        let name = setting_name(cursor)?;
        if !cursor.eat(&["TO"]) && !cursor.eat_op("=") {
            return Err(cursor.unexpected("`TO` or `=`"));
        }
        name
    };
    let _ = cursor.eat(&["TO"]) || cursor.eat_op("=");
    let values = if cursor.eat(&["DEFAULT"]) { Vec::new() } else { cursor.list(value)? };
    Ok(ChangeKind::SetVariable(SetVariable { scope, name, values }))
}

/// A value: a string, a number with its sign, or words (`read committed` is none, `interval '1' hour` is).
fn value(cursor: &mut Cursor<'_>) -> Read<String> {
    if cursor.is_string() {
        return cursor.string();
    }
    let start = cursor.at();
    let stop = cursor.find(|cursor, at| cursor.punct_at(at, b','));
    if stop == start {
        return Err(cursor.unexpected("a value"));
    }
    if stop == start + 1
        && cursor.token(start).is_some_and(|token| token.kind == crate::sql::lex::TokenKind::QuotedWord)
    {
        return cursor.any_name().map(|name| name.to_string());
    }
    cursor.set(stop);
    Ok(cursor.span_from(start).of(cursor.text()).to_lowercase())
}

/// `SELECT set_config('name', 'value', local)` is a SET.
pub fn set_config(query: &Query) -> Option<SetVariable> {
    let [call] = query.calls.as_slice() else { return None };
    let [name, value] = call.literals.as_slice() else { return None };
    if call.name.name.as_str() != "set_config" || !query.reads.is_empty() {
        return None;
    }
    let local = query.text.to_lowercase().contains("true");
    let scope = if local { SettingScope::Transaction } else { SettingScope::Session };
    let values = value.split(',').map(|part| part.trim().trim_matches('"').to_owned()).collect();
    Some(SetVariable { scope, name: name.to_lowercase(), values })
}

/// `LOCK [TABLE] names [IN mode MODE] [NOWAIT]`.
fn lock(cursor: &mut Cursor<'_>, out: &mut Vec<Change>) -> Read<()> {
    let start = cursor.at();
    cursor.bump();
    cursor.eat(&["TABLE"]);
    let tables = cursor.list(only_table)?;
    let mut mode = "ACCESS EXCLUSIVE".to_owned();
    if cursor.eat(&["IN"]) {
        let from = cursor.at();
        let to = cursor.find(|cursor, at| cursor.word_at(at, "MODE"));
        cursor.set(to);
        cursor.expect(&["MODE"])?;
        let words: Vec<String> = (from..to).map(|at| cursor.word(at).to_ascii_uppercase()).collect();
        mode = words.join(" ");
    }
    let nowait = cursor.eat(&["NOWAIT"]);
    for (table, _) in tables {
        let lock = LockTable { table, mode: mode.clone(), nowait };
        out.push(change(cursor, start, ChangeKind::LockTable(lock)));
    }
    Ok(())
}

/// `[ONLY] name [*]`, and whether it is only that table.
fn only_table(cursor: &mut Cursor<'_>) -> Read<(TableName, bool)> {
    let only = cursor.eat(&["ONLY"]);
    let table = cursor.object_name()?;
    cursor.eat_op("*");
    Ok((table, only))
}

fn truncate(cursor: &mut Cursor<'_>, out: &mut Vec<Change>) -> Read<()> {
    let start = cursor.at();
    cursor.bump();
    cursor.eat(&["TABLE"]);
    let tables = cursor.list(only_table)?;
    let restart_identity = cursor.eat(&["RESTART", "IDENTITY"]);
    if !restart_identity {
        cursor.eat(&["CONTINUE", "IDENTITY"]);
    }
    let cascade = cascade(cursor);
    for (table, only) in tables {
        let kind = ChangeKind::Truncate(Truncate { table, cascade, restart_identity, only });
        out.push(change(cursor, start, kind));
    }
    Ok(())
}

fn copy(cursor: &mut Cursor<'_>) -> Read<CopyRows> {
    cursor.bump();
    if cursor.is_punct(b'(') {
        cursor.parens()?;
        cursor.expect(&["TO"])?;
        cursor.set(cursor.end());
        return Ok(CopyRows { table: None, columns: Vec::new(), writes: false });
    }
    cursor.eat(&["BINARY"]);
    let table = cursor.object_name()?;
    let columns = if cursor.is_punct(b'(') { cursor.names_in_parens()? } else { Vec::new() };
    let direction = cursor.eat_any(&["FROM", "TO"]);
    if direction.is_none() {
        return Err(cursor.unexpected("`FROM` or `TO`"));
    }
    cursor.set(cursor.end());
    Ok(CopyRows { table: Some(table), columns, writes: direction == Some("FROM") })
}

/// Options of `VACUUM` and `ANALYZE`: in parentheses, or as words. Whether each of the asked ones is on.
fn options(cursor: &mut Cursor<'_>, asked: [&'static str; 2]) -> Read<[bool; 2]> {
    let mut on = [false; 2];
    if cursor.is_punct(b'(') {
        let (from, to) = cursor.parens()?;
        for (index, name) in asked.iter().enumerate() {
            on[index] = (from..to).any(|at| {
                cursor.word_at(at, name)
                    && !["FALSE", "OFF"].iter().any(|off| cursor.word_at(at + 1, off))
                    && cursor.word(at + 1) != "0"
            });
        }
        return Ok(on);
    }
    while let Some(word) = cursor.eat_any(&["FULL", "FREEZE", "VERBOSE", "ANALYZE", "ANALYSE"]) {
        for (index, name) in asked.iter().enumerate() {
            on[index] |= *name == word || (*name == "ANALYZE" && word == "ANALYSE");
        }
    }
    Ok(on)
}

/// `name [(columns)]`.
fn table_and_columns(cursor: &mut Cursor<'_>) -> Read<TableName> {
    let (table, _) = only_table(cursor)?;
    if cursor.is_punct(b'(') {
        cursor.parens()?;
    }
    Ok(table)
}

fn vacuum(cursor: &mut Cursor<'_>, out: &mut Vec<Change>) -> Read<()> {
    let start = cursor.at();
    cursor.bump();
    let [full, analyze] = options(cursor, ["FULL", "ANALYZE"])?;
    if cursor.is_done() {
        out.push(change(cursor, start, ChangeKind::Vacuum(Vacuum { table: None, full, analyze })));
        return Ok(());
    }
    for table in cursor.list(table_and_columns)? {
        out.push(change(cursor, start, ChangeKind::Vacuum(Vacuum { table: Some(table), full, analyze })));
    }
    Ok(())
}

fn analyze(cursor: &mut Cursor<'_>, out: &mut Vec<Change>) -> Read<()> {
    let start = cursor.at();
    cursor.bump();
    options(cursor, ["VERBOSE", "SKIP_LOCKED"])?;
    if cursor.is_done() {
        out.push(change(cursor, start, ChangeKind::Analyze { table: None }));
        return Ok(());
    }
    for table in cursor.list(table_and_columns)? {
        out.push(change(cursor, start, ChangeKind::Analyze { table: Some(table) }));
    }
    Ok(())
}

/// `CLUSTER [VERBOSE] [table [USING index]]`, and the old `CLUSTER index ON table`.
fn cluster(cursor: &mut Cursor<'_>) -> Read<ChangeKind> {
    cursor.bump();
    if cursor.is_punct(b'(') {
        cursor.parens()?;
    }
    cursor.eat(&["VERBOSE"]);
    if cursor.is_done() {
        return Ok(ChangeKind::Cluster { table: None, index: None });
    }
    let first = cursor.object_name()?;
    if cursor.eat(&["ON"]) {
        let table = cursor.object_name()?;
        return Ok(ChangeKind::Cluster { table: Some(table), index: Some(first.name) });
    }
    let index = if cursor.eat(&["USING"]) { Some(cursor.name()?) } else { None };
    Ok(ChangeKind::Cluster { table: Some(first), index })
}

/// `EXPLAIN` runs nothing; with `ANALYZE` it runs the statement.
fn explain(cursor: &mut Cursor<'_>, out: &mut Vec<Change>) -> Read<()> {
    let start = cursor.at();
    cursor.bump();
    let [analyzes, _] = options(cursor, ["ANALYZE", "VERBOSE"])?;
    if analyzes {
        lower_into(cursor, out);
        return Ok(());
    }
    cursor.set(cursor.end());
    out.push(change(cursor, start, ChangeKind::Harmless { what: "EXPLAIN".to_owned() }));
    Ok(())
}
