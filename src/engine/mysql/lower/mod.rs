//! What one statement of MySQL or MariaDB does (<https://dev.mysql.com/doc/refman/8.4/en/sql-statements.html>).

mod alter_table;
mod column;
mod create_table;
mod index;
mod program;
#[cfg(test)]
mod tests;

use crate::dialect::Dialect;
use crate::engine::read::cursor::{Cursor, Read};
use crate::engine::read::{dml, query};
use crate::name::{Name, ObjectName};
use crate::schema::change::*;
use crate::sql::lex::TokenKind;

/// What the one statement `text` does, in order; nothing for an empty one.
pub fn lower(text: &str) -> Vec<Change> {
    let mut cursor = Cursor::new(text, Dialect::Mysql);
    if let Err(unread) = cursor.expect_closed() {
        return vec![unread.opaque()];
    }
    let mut changes = Vec::new();
    lower_into(&mut cursor, &mut changes);
    changes
}

fn lower_into(cursor: &mut Cursor<'_>, changes: &mut Vec<Change>) {
    if cursor.is_done() {
        return;
    }
    let before = changes.len();
    let outcome = statement(cursor, changes)
        .and_then(|()| cursor.expect_end().inspect_err(|_| changes.truncate(before)));
    if let Err(unread) = outcome {
        changes.push(unread.opaque());
    }
}

fn statement(cursor: &mut Cursor<'_>, out: &mut Vec<Change>) -> Read<()> {
    let start = cursor.at();
    let word = cursor.word(start).to_ascii_uppercase();
    let kind = match word.as_str() {
        "SELECT" | "VALUES" | "TABLE" | "WITH" | "INSERT" | "REPLACE" | "UPDATE" | "DELETE" => {
            out.append(&mut dml::statement(cursor)?);
            return Ok(());
        }
        "CREATE" => create(cursor)?,
        "ALTER" => return alter(cursor, out),
        "DROP" => return drop(cursor, out),
        "RENAME" => return rename(cursor, out),
        "TRUNCATE" => {
            cursor.bump();
            cursor.eat(&["TABLE"]);
            let table = cursor.object_name()?;
            ChangeKind::Truncate(Truncate { table, cascade: false, restart_identity: true, only: false })
        }
        "SET" => return set(cursor, out),
        "USE" => {
            cursor.bump();
            let name = cursor.name()?.to_string();
            let scope = SettingScope::Session;
            ChangeKind::SetVariable(SetVariable { scope, name: "database".to_owned(), values: vec![name] })
        }
        "BEGIN" | "START" | "COMMIT" | "ROLLBACK" | "SAVEPOINT" | "RELEASE" | "XA" => transaction(cursor)?,
        "LOCK" => return lock(cursor, out),
        "ANALYZE" | "OPTIMIZE" => return maintain(cursor, out),
        "CALL" => {
            cursor.bump();
            let name = cursor.object_name()?;
            cursor.set(cursor.end());
            ChangeKind::Call(CallRoutine { name, arguments: Vec::new() })
        }
        "LOAD" => {
            let into = cursor.find(|cursor, at| cursor.word_at(at, "INTO"));
            cursor.set((into + 1).min(cursor.end()));
            cursor.expect(&["TABLE"])?;
            let table = Some(cursor.object_name()?);
            cursor.set(cursor.end());
            ChangeKind::Copy(CopyRows { table, columns: Vec::new(), writes: true })
        }
        "GRANT" | "REVOKE" => {
            cursor.set(cursor.end());
            let what = word.clone();
            ChangeKind::AlterOther { object: ObjectKind::Role, name: None, what }
        }
        "EXECUTE" => {
            if let Some(changes) = execute_immediate(cursor) {
                out.extend(changes);
                return Ok(());
            }
            cursor.set(cursor.end());
            let why = "EXECUTE of SQL that is put together when it runs".to_owned();
            ChangeKind::Opaque(Opaque { reason: OpaqueReason::Dynamic, why, may_make: true })
        }
        "SHOW" | "DESCRIBE" | "DESC" | "EXPLAIN" | "PREPARE" | "DEALLOCATE" | "UNLOCK" | "FLUSH" | "DO"
        | "KILL" | "HELP" | "RESET" | "CHECK" | "CHECKSUM" | "REPAIR" | "CHANGE" | "PURGE" | "SIGNAL"
        | "RESIGNAL" | "HANDLER" | "CACHE" | "INSTALL" | "UNINSTALL" => {
            cursor.set(cursor.end());
            ChangeKind::Harmless { what: word }
        }
        _ if cursor.is_punct(b'(') => {
            out.append(&mut dml::statement(cursor)?);
            return Ok(());
        }
        _ => return Err(cursor.unexpected("a statement")),
    };
    out.push(Change::new(cursor.span_from(start), kind));
    Ok(())
}

/// What MariaDB's `EXECUTE IMMEDIATE 'text'` does, told of the text as a whole; none where SQL is put together.
/// <https://mariadb.com/kb/en/execute-immediate/>
fn execute_immediate(cursor: &mut Cursor<'_>) -> Option<Vec<Change>> {
    let start = cursor.at();
    let literal = cursor.eat(&["EXECUTE", "IMMEDIATE"]).then(|| cursor.string().ok()).flatten();
    let end = cursor.is_done() || cursor.is(&["USING"]);
    let text = literal.filter(|_| end).map(|text| (cursor.span_from(start), text));
    let Some((span, text)) = text else {
        cursor.set(start);
        return None;
    };
    let mut changes = Vec::new();
    lower_into(&mut cursor.nested_text(&text)?, &mut changes);
    changes.iter_mut().for_each(|change| change.span = span);
    cursor.set(cursor.end());
    Some(changes)
}

fn create(cursor: &mut Cursor<'_>) -> Read<ChangeKind> {
    cursor.bump();
    let or_replace = cursor.eat(&["OR", "REPLACE"]);
    let temporary = cursor.eat(&["TEMPORARY"]);
    definer(cursor);
    if cursor.eat(&["TABLE"]) {
        return create_table::create_table(cursor, or_replace, temporary);
    }
    if cursor.eat(&["VIEW"]) {
        return create_view(cursor, or_replace);
    }
    let method = cursor.eat_any(&["UNIQUE", "FULLTEXT", "SPATIAL"]);
    if cursor.eat(&["INDEX"]) {
        return create_index(cursor, or_replace, method);
    }
    cursor.eat(&["AGGREGATE"]);
    match cursor.eat_any(&["PROCEDURE", "FUNCTION", "TRIGGER", "DATABASE", "SCHEMA", "SEQUENCE"]) {
        Some("PROCEDURE") => program::create_routine(cursor, RoutineKind::Procedure, or_replace),
        Some("FUNCTION") => program::create_routine(cursor, RoutineKind::Function, or_replace),
        Some("TRIGGER") => program::create_trigger(cursor, or_replace),
        Some("SEQUENCE") => {
            let if_not_exists = cursor.eat(&["IF", "NOT", "EXISTS"]);
            let name = cursor.object_name()?;
            cursor.set(cursor.end());
            Ok(ChangeKind::CreateSequence {
                name,
                if_not_exists,
                temporary,
                options: SequenceOptions::default(),
            })
        }
        Some(_) => {
            let if_not_exists = cursor.eat(&["IF", "NOT", "EXISTS"]);
            let name = cursor.name()?;
            cursor.set(cursor.end());
            Ok(ChangeKind::CreateSchema { name, if_not_exists })
        }
        None => {
            let object = match cursor.eat_any(&["EVENT", "USER", "ROLE", "SERVER", "TABLESPACE"]) {
                Some("EVENT") => ObjectKind::Event,
                Some("USER" | "ROLE") => ObjectKind::Role,
                Some("SERVER") => ObjectKind::ForeignServer,
                Some(_) => ObjectKind::Tablespace,
                None => return Err(cursor.unexpected("what to create")),
            };
            let tolerant = cursor.eat(&["IF", "NOT", "EXISTS"]) || or_replace;
            let name = if cursor.is_string() {
                Some(ObjectName::bare(Name::new(cursor.string()?)))
            } else {
                cursor.object_name().ok()
            };
            cursor.set(cursor.end());
            Ok(ChangeKind::CreateOther { object, name, on: None, tolerant })
        }
    }
}

/// `ALGORITHM = …`, `DEFINER = …`, `SQL SECURITY …` in front of what is created.
fn definer(cursor: &mut Cursor<'_>) {
    const KINDS: [&str; 6] = ["VIEW", "PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "AGGREGATE"];
    if cursor.is_any(&["ALGORITHM", "DEFINER", "SQL"]) {
        let kind = cursor.find(|cursor, at| KINDS.iter().any(|kind| cursor.word_at(at, kind)));
        cursor.set(kind);
    }
}

fn create_view(cursor: &mut Cursor<'_>, or_replace: bool) -> Read<ChangeKind> {
    let if_not_exists = cursor.eat(&["IF", "NOT", "EXISTS"]);
    let name = cursor.object_name()?;
    let columns = if cursor.is_punct(b'(') { cursor.names_in_parens()? } else { Vec::new() };
    cursor.expect(&["AS"])?;
    let query = query::describe(cursor, cursor.at(), cursor.end());
    cursor.set(cursor.end());
    Ok(ChangeKind::CreateView(Box::new(CreateView {
        name,
        materialized: false,
        or_replace,
        if_not_exists,
        temporary: false,
        columns,
        options: Vec::new(),
        no_data: false,
        query,
    })))
}

/// Behind `CREATE [UNIQUE | FULLTEXT | SPATIAL] INDEX`.
fn create_index(cursor: &mut Cursor<'_>, or_replace: bool, kind: Option<&str>) -> Read<ChangeKind> {
    let start = cursor.at();
    let mut index = CreateIndex { or_replace, unique: kind == Some("UNIQUE"), ..CreateIndex::default() };
    index.method = kind.filter(|kind| *kind != "UNIQUE").map(str::to_ascii_lowercase);
    index.if_not_exists = cursor.eat(&["IF", "NOT", "EXISTS"]);
    index.name = Some(cursor.name()?);
    index::index_options(cursor, &mut index)?;
    cursor.expect(&["ON"])?;
    index.table = cursor.object_name()?;
    index::index_rest(cursor, &mut index)?;
    index.span = cursor.span_from(start);
    Ok(ChangeKind::CreateIndex(Box::new(index)))
}

fn alter(cursor: &mut Cursor<'_>, out: &mut Vec<Change>) -> Read<()> {
    let start = cursor.at();
    cursor.bump();
    while cursor.eat_any(&["ONLINE", "IGNORE"]).is_some() {}
    if cursor.eat(&["TABLE"]) {
        return alter_table::alter_table(cursor, out);
    }
    definer(cursor);
    let kind = if cursor.eat(&["VIEW"]) {
        create_view(cursor, true)?
    } else {
        let object = match cursor.eat_any(&[
            "DATABASE",
            "SCHEMA",
            "USER",
            "EVENT",
            "PROCEDURE",
            "FUNCTION",
            "SEQUENCE",
        ]) {
            Some("DATABASE" | "SCHEMA") => ObjectKind::Database,
            Some("USER") => ObjectKind::Role,
            Some("EVENT") => ObjectKind::Event,
            Some("PROCEDURE") => ObjectKind::Procedure,
            Some("FUNCTION") => ObjectKind::Function,
            Some(_) => ObjectKind::Sequence,
            None => return Err(cursor.unexpected("what to alter")),
        };
        ChangeKind::AlterOther { object, name: None, what: cursor.rest() }
    };
    out.push(Change::new(cursor.span_from(start), kind));
    Ok(())
}

fn drop(cursor: &mut Cursor<'_>, out: &mut Vec<Change>) -> Read<()> {
    let start = cursor.at();
    cursor.bump();
    let temporary = cursor.eat(&["TEMPORARY"]);
    let object = match cursor.eat_any(&[
        "TABLE",
        "VIEW",
        "INDEX",
        "PROCEDURE",
        "FUNCTION",
        "TRIGGER",
        "DATABASE",
        "SCHEMA",
        "EVENT",
        "USER",
        "ROLE",
        "SEQUENCE",
        "SERVER",
    ]) {
        Some("TABLE") => ObjectKind::Table,
        Some("VIEW") => ObjectKind::View,
        Some("INDEX") => ObjectKind::Index,
        Some("PROCEDURE") => ObjectKind::Procedure,
        Some("FUNCTION") => ObjectKind::Function,
        Some("TRIGGER") => ObjectKind::Trigger,
        Some("DATABASE" | "SCHEMA") => ObjectKind::Database,
        Some("EVENT") => ObjectKind::Event,
        Some("USER" | "ROLE") => ObjectKind::Role,
        Some("SEQUENCE") => ObjectKind::Sequence,
        Some(_) => ObjectKind::ForeignServer,
        None => return Err(cursor.unexpected("what to drop")),
    };
    let if_exists = cursor.eat(&["IF", "EXISTS"]);
    let names = cursor.list(|cursor| {
        let from = cursor.at();
        let name = if cursor.is_string() {
            ObjectName::bare(Name::new(cursor.string()?))
        } else {
            cursor.object_name()?
        };
        if object == ObjectKind::Role && cursor.peek().is_some_and(|token| token.kind == TokenKind::Variable)
        {
            // The host of an account.
            cursor.bump();
            if cursor.is_string() {
                cursor.bump();
            }
        }
        Ok((cursor.span_from(from), name))
    })?;
    let on = if object == ObjectKind::Index {
        cursor.expect(&["ON"])?;
        Some(cursor.object_name()?)
    } else {
        None
    };
    let cascade = cursor.eat_any(&["CASCADE", "RESTRICT"]) == Some("CASCADE");
    let (mut algorithm, mut lock) = (None, None);
    while let Some((name, value)) = index::algorithm_or_lock(cursor)? {
        let place = if name == "ALGORITHM" { &mut algorithm } else { &mut lock };
        *place = Some(value);
    }
    let count = names.len();
    for (index, (span, name)) in names.into_iter().enumerate() {
        let span = if count == 1 { cursor.span_from(start) } else { span };
        let drop = DropObject {
            object,
            name,
            on: on.clone(),
            arguments: None,
            if_exists,
            cascade,
            concurrently: false,
            temporary,
            part: (index, count),
            algorithm: algorithm.clone(),
            lock: lock.clone(),
        };
        out.push(Change::new(span, ChangeKind::Drop(Box::new(drop))));
    }
    Ok(())
}

/// `RENAME TABLE a TO b, …`.
fn rename(cursor: &mut Cursor<'_>, out: &mut Vec<Change>) -> Read<()> {
    let start = cursor.at();
    cursor.bump();
    if cursor.eat(&["USER"]) {
        let what = cursor.rest();
        out.push(Change::new(
            cursor.span_from(start),
            ChangeKind::AlterOther { object: ObjectKind::Role, name: None, what },
        ));
        return Ok(());
    }
    if cursor.eat_any(&["TABLE", "TABLES"]).is_none() {
        return Err(cursor.unexpected("`TABLE`"));
    }
    let if_exists = cursor.eat(&["IF", "EXISTS"]);
    let renames = cursor.list(|cursor| {
        let from = cursor.at();
        let table = cursor.object_name()?;
        cursor.expect(&["TO"])?;
        let to = cursor.object_name()?;
        Ok((cursor.span_from(from), table, to))
    })?;
    let count = renames.len();
    for (index, (span, table, to)) in renames.into_iter().enumerate() {
        let alter = AlterTable {
            table,
            object: ObjectKind::Table,
            if_exists,
            only: false,
            algorithm: None,
            lock: None,
            part: (index, count),
            action: TableAction::RenameTable { to },
        };
        out.push(Change::new(span, ChangeKind::AlterTable(Box::new(alter))));
    }
    Ok(())
}

/// `SET a = 1, @b := 2, GLOBAL c = 3`, `SET NAMES …`, `SET TRANSACTION …`.
fn set(cursor: &mut Cursor<'_>, out: &mut Vec<Change>) -> Read<()> {
    let start = cursor.at();
    cursor.bump();
    if cursor.is_any(&["TRANSACTION", "NAMES", "CHARACTER", "PASSWORD", "ROLE", "DEFAULT"])
        || cursor.is(&["SESSION", "TRANSACTION"])
        || cursor.is(&["GLOBAL", "TRANSACTION"])
    {
        let what = cursor.word(cursor.at()).to_ascii_uppercase();
        cursor.set(cursor.end());
        out.push(Change::new(cursor.span_from(start), ChangeKind::Harmless { what: format!("SET {what}") }));
        return Ok(());
    }
    loop {
        let from = cursor.at();
        let mut scope = match cursor.eat_any(&["GLOBAL", "PERSIST", "PERSIST_ONLY", "SESSION", "LOCAL"]) {
            Some("GLOBAL" | "PERSIST" | "PERSIST_ONLY") => SettingScope::Server,
            _ => SettingScope::Session,
        };
        let mut name = cursor.word(cursor.at()).to_lowercase();
        let variable = cursor.peek().is_some_and(|token| token.kind == TokenKind::Variable);
        cursor.bump();
        while cursor.eat_punct(b'.') {
            if name == "@@global" || name == "@@persist" {
                scope = SettingScope::Server;
            }
            name = cursor.any_name()?.as_str().to_lowercase();
        }
        if variable && !name.starts_with("@@") && name.starts_with('@') {
            scope = SettingScope::UserVariable;
        }
        let name = name.trim_start_matches('@').trim_matches('`').to_owned();
        if !cursor.eat_op("=") && !cursor.eat_op(":=") {
            return Err(cursor.unexpected("`=`"));
        }
        let value_start = cursor.at();
        cursor.skip_to_comma();
        let value = cursor.span_from(value_start).of(cursor.text()).trim_matches(['\'', '"']).to_owned();
        let kind = ChangeKind::SetVariable(SetVariable { scope, name, values: vec![value] });
        out.push(Change::new(cursor.span_from(from), kind));
        if !cursor.eat_punct(b',') {
            return Ok(());
        }
    }
}

fn transaction(cursor: &mut Cursor<'_>) -> Read<ChangeKind> {
    let word = cursor.eat_any(&["BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "XA"]);
    let control = match word {
        Some("SAVEPOINT") => TransactionControl::Savepoint(cursor.name()?),
        Some("RELEASE") => {
            cursor.expect(&["SAVEPOINT"])?;
            TransactionControl::Release(cursor.name()?)
        }
        Some("START") => {
            if !cursor.eat(&["TRANSACTION"]) {
                // A replica.
                cursor.set(cursor.end());
                return Ok(ChangeKind::Harmless { what: "START".to_owned() });
            }
            cursor.set(cursor.end());
            TransactionControl::Begin
        }
        Some("XA") => {
            cursor.set(cursor.end());
            TransactionControl::TwoPhase
        }
        _ => {
            cursor.eat(&["WORK"]);
            if word == Some("ROLLBACK") && cursor.eat(&["TO"]) {
                cursor.eat(&["SAVEPOINT"]);
                TransactionControl::RollbackTo(cursor.name()?)
            } else {
                let chain = cursor.eat(&["AND", "CHAIN"]);
                match word {
                    Some("BEGIN") => TransactionControl::Begin,
                    Some("ROLLBACK") => TransactionControl::Rollback { chain },
                    _ => TransactionControl::Commit { chain },
                }
            }
        }
    };
    Ok(ChangeKind::Transaction(control))
}

/// `LOCK TABLES a [AS b] READ | WRITE, …`.
fn lock(cursor: &mut Cursor<'_>, out: &mut Vec<Change>) -> Read<()> {
    let start = cursor.at();
    cursor.bump();
    cursor.eat_any(&["TABLES", "TABLE"]);
    let locks = cursor.list(|cursor| {
        let table = cursor.object_name()?;
        let stop = cursor.find(|cursor, at| cursor.punct_at(at, b','));
        let write = (cursor.at()..stop).any(|at| cursor.word_at(at, "WRITE"));
        cursor.set(stop);
        Ok((table, if write { "WRITE" } else { "READ" }))
    })?;
    for (table, mode) in locks {
        let lock = LockTable { table, mode: mode.to_owned(), nowait: false };
        out.push(Change::new(cursor.span_from(start), ChangeKind::LockTable(lock)));
    }
    Ok(())
}

/// `ANALYZE TABLE`, `OPTIMIZE TABLE`.
fn maintain(cursor: &mut Cursor<'_>, out: &mut Vec<Change>) -> Read<()> {
    let start = cursor.at();
    let optimize = cursor.eat_any(&["ANALYZE", "OPTIMIZE"]) == Some("OPTIMIZE");
    cursor.eat_any(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
    cursor.eat_any(&["TABLE", "TABLES"]);
    for table in cursor.list(Cursor::object_name)? {
        let kind = if optimize {
            ChangeKind::Optimize { table }
        } else {
            ChangeKind::Analyze { table: Some(table) }
        };
        out.push(Change::new(cursor.span_from(start), kind));
    }
    cursor.set(cursor.end());
    Ok(())
}
