//! What one SQLite statement does (<https://sqlite.org/lang.html>), read from tokens.

mod create_table;

use crate::dialect::Dialect;
use crate::engine::read::constraint;
use crate::engine::read::cursor::{Cursor, Read};
use crate::engine::read::{dml, expr, query};
use crate::name::{ObjectName, TableName};
use crate::schema::change::*;
use create_table::{column, create_table, data_type};

/// What the one statement `text` does, in order; nothing for an empty one.
pub fn lower(text: &str) -> Vec<Change> {
    let mut cursor = Cursor::new(text, Dialect::Sqlite);
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
        "SELECT" | "VALUES" | "WITH" | "INSERT" | "REPLACE" | "UPDATE" | "DELETE" => {
            let mut changes = dml::statement(cursor)?;
            changes.iter_mut().for_each(told_of_schema);
            out.append(&mut changes);
            return Ok(());
        }
        "CREATE" => create(cursor)?,
        "ALTER" => alter(cursor)?,
        "DROP" => drop(cursor)?,
        "PRAGMA" => pragma(cursor)?,
        "BEGIN" | "COMMIT" | "END" | "ROLLBACK" | "SAVEPOINT" | "RELEASE" => transaction(cursor)?,
        "VACUUM" => {
            cursor.set(cursor.end());
            ChangeKind::Vacuum(Vacuum { table: None, full: true, analyze: false })
        }
        "ANALYZE" => {
            cursor.bump();
            let table = if cursor.is_done() { None } else { Some(cursor.object_name()?) };
            ChangeKind::Analyze { table }
        }
        "REINDEX" => {
            cursor.bump();
            let name = if cursor.is_done() { None } else { Some(cursor.object_name()?) };
            ChangeKind::Reindex(Reindex { object: ObjectKind::Index, name, concurrently: false })
        }
        "ATTACH" | "DETACH" | "EXPLAIN" => {
            cursor.set(cursor.end());
            ChangeKind::Harmless { what: word }
        }
        _ => return Err(cursor.unexpected("a statement")),
    };
    out.push(Change::new(cursor.span_from(start), kind));
    Ok(())
}

/// Rows of the schema's own table, which `PRAGMA writable_schema` lets be written: it becomes whatever they say.
/// <https://sqlite.org/pragma.html#pragma_writable_schema>
fn told_of_schema(change: &mut Change) {
    let table = match &change.kind {
        ChangeKind::Insert(insert) => &insert.table,
        ChangeKind::Update(update) => &update.table,
        ChangeKind::Delete(delete) => &delete.table,
        _ => return,
    };
    if ["sqlite_schema", "sqlite_master"].iter().any(|own| table.name.as_str().eq_ignore_ascii_case(own)) {
        let why = "it writes the schema's own table, past all that SQLite checks".to_owned();
        change.kind = ChangeKind::Opaque(Opaque { reason: OpaqueReason::Unknown, why, may_make: true });
    }
}

fn transaction(cursor: &mut Cursor<'_>) -> Read<ChangeKind> {
    let word = cursor.eat_any(&["BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE"]);
    let control = match word {
        Some("SAVEPOINT") => TransactionControl::Savepoint(cursor.name()?),
        Some("RELEASE") => {
            cursor.eat(&["SAVEPOINT"]);
            TransactionControl::Release(cursor.name()?)
        }
        _ => {
            cursor.eat_any(&["DEFERRED", "IMMEDIATE", "EXCLUSIVE"]);
            cursor.eat(&["TRANSACTION"]);
            if word == Some("ROLLBACK") && cursor.eat(&["TO"]) {
                cursor.eat(&["SAVEPOINT"]);
                TransactionControl::RollbackTo(cursor.name()?)
            } else {
                match word {
                    Some("BEGIN") => TransactionControl::Begin,
                    Some("ROLLBACK") => TransactionControl::Rollback { chain: false },
                    _ => TransactionControl::Commit { chain: false },
                }
            }
        }
    };
    Ok(ChangeKind::Transaction(control))
}

/// `PRAGMA name`, `PRAGMA name = value`, `PRAGMA name(value)`.
fn pragma(cursor: &mut Cursor<'_>) -> Read<ChangeKind> {
    cursor.bump();
    let name = cursor.object_name()?.name.as_str().to_lowercase();
    if cursor.is_done() {
        return Ok(ChangeKind::Harmless { what: "PRAGMA".to_owned() });
    }
    let parens = cursor.is_punct(b'(');
    if !parens && !cursor.eat_op("=") {
        return Err(cursor.unexpected("`=`"));
    }
    let rest = cursor.rest();
    let value = rest.trim_matches(['(', ')', '\'', '"', ' ']).to_lowercase();
    Ok(ChangeKind::SetVariable(SetVariable { scope: SettingScope::Session, name, values: vec![value] }))
}

fn create(cursor: &mut Cursor<'_>) -> Read<ChangeKind> {
    cursor.bump();
    let temporary = cursor.eat_any(&["TEMP", "TEMPORARY"]).is_some();
    if cursor.eat(&["VIRTUAL", "TABLE"]) {
        let if_not_exists = cursor.eat(&["IF", "NOT", "EXISTS"]);
        let table = cursor.object_name()?;
        cursor.set(cursor.end());
        let form = TableForm::Virtual;
        return Ok(ChangeKind::CreateTable(Box::new(CreateTable {
            table,
            if_not_exists,
            form,
            ..CreateTable::default()
        })));
    }
    if cursor.eat(&["TABLE"]) {
        return create_table(cursor, temporary);
    }
    if cursor.eat(&["VIEW"]) {
        return create_view(cursor, temporary);
    }
    if cursor.eat(&["TRIGGER"]) {
        return create_trigger(cursor);
    }
    let unique = cursor.eat(&["UNIQUE"]);
    cursor.expect(&["INDEX"])?;
    let start = cursor.at();
    let if_not_exists = cursor.eat(&["IF", "NOT", "EXISTS"]);
    let name = cursor.object_name()?;
    cursor.expect(&["ON"])?;
    let table = TableName { schema: name.schema.clone(), name: cursor.name()? };
    let elements = cursor.in_parens(constraint::index_element)?;
    let predicate = if cursor.eat(&["WHERE"]) { Some(expr::expr(cursor, &[])?) } else { None };
    let span = cursor.span_from(start);
    let index = CreateIndex {
        name: Some(name.name),
        schema: name.schema,
        table,
        unique,
        if_not_exists,
        elements,
        predicate,
        span,
        ..CreateIndex::default()
    };
    Ok(ChangeKind::CreateIndex(Box::new(index)))
}

fn create_view(cursor: &mut Cursor<'_>, temporary: bool) -> Read<ChangeKind> {
    let if_not_exists = cursor.eat(&["IF", "NOT", "EXISTS"]);
    let name = cursor.object_name()?;
    let columns = if cursor.is_punct(b'(') { cursor.names_in_parens()? } else { Vec::new() };
    cursor.expect(&["AS"])?;
    let query = query::describe(cursor, cursor.at(), cursor.end());
    cursor.set(cursor.end());
    Ok(ChangeKind::CreateView(Box::new(CreateView {
        name,
        materialized: false,
        or_replace: false,
        if_not_exists,
        temporary,
        columns,
        options: Vec::new(),
        no_data: false,
        query,
    })))
}

fn create_trigger(cursor: &mut Cursor<'_>) -> Read<ChangeKind> {
    let if_not_exists = cursor.eat(&["IF", "NOT", "EXISTS"]);
    let name = cursor.object_name()?.name;
    let timing = if cursor.eat(&["INSTEAD", "OF"]) {
        "INSTEAD OF"
    } else {
        cursor.eat_any(&["BEFORE", "AFTER"]).unwrap_or("BEFORE")
    };
    let Some(event) = cursor.eat_any(&["INSERT", "UPDATE", "DELETE"]) else {
        return Err(cursor.unexpected("`INSERT`, `UPDATE` or `DELETE`"));
    };
    let update_of = if cursor.eat(&["OF"]) { cursor.list(Cursor::name)? } else { Vec::new() };
    cursor.expect(&["ON"])?;
    let table = cursor.object_name()?;
    let for_each_row = cursor.eat(&["FOR", "EACH", "ROW"]);
    let when = if cursor.eat(&["WHEN"]) { Some(expr::expr(cursor, &["BEGIN"])?) } else { None };
    cursor.expect(&["BEGIN"])?;
    let (from, end) = (cursor.at(), cursor.end());
    if !cursor.word_at(end - 1, "END") {
        cursor.set(end);
        return Err(cursor.unexpected("`END`"));
    }
    let mut body = RoutineBody { span: cursor.span_between(from, end - 1), ..RoutineBody::default() };
    body.text = body.span.of(cursor.text()).to_owned();
    cursor.within(from, end - 1, |cursor| {
        while !cursor.is_done() {
            let to = cursor.find(|cursor, at| cursor.punct_at(at, b';'));
            cursor.within(cursor.at(), to, |cursor| lower_into(cursor, &mut body.changes));
            cursor.set(to + 1);
        }
    });
    cursor.set(end);
    Ok(ChangeKind::CreateTrigger(Box::new(CreateTrigger {
        name,
        table,
        or_replace: false,
        if_not_exists,
        constraint: false,
        timing: timing.to_owned(),
        events: vec![event.to_owned()],
        update_of,
        for_each_row,
        when,
        function: None,
        body: Some(body),
    })))
}

/// What SQLite has no words for, as other engines say it: `ALTER COLUMN …`. The server refuses it; a plan can do it.
fn altered(cursor: &mut Cursor<'_>) -> Read<TableAction> {
    cursor.eat(&["COLUMN"]);
    let column = cursor.name()?;
    if cursor.eat(&["SET", "NOT", "NULL"]) {
        return Ok(TableAction::SetNotNull { column });
    }
    if cursor.eat(&["DROP", "NOT", "NULL"]) {
        return Ok(TableAction::DropNotNull { column });
    }
    if cursor.eat(&["SET", "DEFAULT"]) {
        return Ok(TableAction::SetDefault { column, default: expr::expr(cursor, &[])? });
    }
    if cursor.eat(&["DROP", "DEFAULT"]) {
        return Ok(TableAction::DropDefault { column });
    }
    if !cursor.eat(&["SET", "DATA", "TYPE"]) {
        cursor.expect(&["TYPE"])?;
    }
    let Some(data_type) = data_type(cursor)? else { return Err(cursor.unexpected("a data type")) };
    Ok(TableAction::SetType { column, data_type, collation: None, using: None })
}

/// Whether a constraint stands behind `ADD`; then the cursor stands in front of it.
fn adds_constraint(cursor: &mut Cursor<'_>) -> bool {
    let start = cursor.at();
    cursor.bump();
    let found = constraint::starts_table_constraint(cursor);
    if !found {
        cursor.set(start);
    }
    found
}

fn alter(cursor: &mut Cursor<'_>) -> Read<ChangeKind> {
    cursor.bump();
    cursor.expect(&["TABLE"])?;
    let table = cursor.object_name()?;
    let action = if cursor.eat(&["RENAME", "TO"]) {
        TableAction::RenameTable { to: TableName::bare(cursor.name()?) }
    } else if cursor.eat(&["RENAME"]) {
        cursor.eat(&["COLUMN"]);
        let from = cursor.name()?;
        cursor.expect(&["TO"])?;
        TableAction::RenameColumn { from, to: cursor.name()?, if_exists: false }
    } else if cursor.eat(&["ALTER"]) {
        altered(cursor)?
    } else if cursor.eat(&["DROP", "CONSTRAINT"]) {
        TableAction::DropConstraint {
            name: cursor.name()?,
            if_exists: false,
            cascade: false,
            may_be_key: true,
        }
    } else if cursor.is(&["ADD"]) && adds_constraint(cursor) {
        let constraint = Box::new(constraint::table_constraint(cursor)?);
        TableAction::AddConstraint { constraint, if_not_exists: false }
    } else if cursor.eat(&["ADD"]) {
        cursor.eat(&["COLUMN"]);
        let column = Box::new(column(cursor)?);
        TableAction::AddColumn { column, if_not_exists: false, position: ColumnPosition::Last }
    } else if cursor.eat(&["DROP"]) {
        cursor.eat(&["COLUMN"]);
        TableAction::DropColumn { column: cursor.name()?, if_exists: false, cascade: false }
    } else {
        return Err(cursor.unexpected("`RENAME`, `ADD` or `DROP`"));
    };
    Ok(ChangeKind::AlterTable(Box::new(AlterTable {
        table,
        object: ObjectKind::Table,
        if_exists: false,
        only: false,
        algorithm: None,
        lock: None,
        part: (0, 1),
        action,
    })))
}

fn drop(cursor: &mut Cursor<'_>) -> Read<ChangeKind> {
    cursor.bump();
    let object = match cursor.eat_any(&["TABLE", "VIEW", "INDEX", "TRIGGER"]) {
        Some("TABLE") => ObjectKind::Table,
        Some("VIEW") => ObjectKind::View,
        Some("INDEX") => ObjectKind::Index,
        Some(_) => ObjectKind::Trigger,
        None => return Err(cursor.unexpected("`TABLE`, `VIEW`, `INDEX` or `TRIGGER`")),
    };
    let if_exists = cursor.eat(&["IF", "EXISTS"]);
    let name: ObjectName = cursor.object_name()?;
    Ok(ChangeKind::Drop(Box::new(DropObject {
        object,
        name,
        on: None,
        arguments: None,
        if_exists,
        cascade: false,
        concurrently: false,
        temporary: false,
        part: (0, 1),
        algorithm: None,
        lock: None,
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(sql: &str) -> String {
        lower(sql).iter().map(|change| format!("{:?}", change.kind)).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_rest() {
        assert!(kinds("PRAGMA foreign_keys=off").contains("name: \"foreign_keys\", values: [\"off\"]"));
        assert!(kinds("alter table t rename a to b").contains("RenameColumn"));
        assert!(
            kinds("create unique index if not exists i on t (lower(a), b desc) where c is not null")
                .contains("descending: true")
        );
        assert!(
            kinds("create trigger if not exists x after update on t begin update t set a = 1; end")
                .contains("Update")
        );
        assert!(kinds("alter table t add constraint c check (a)").contains("AddConstraint"));
        assert!(kinds("alter table t alter c set data type text").contains("SetType"));
        assert!(kinds("alter table t alter c rename").contains("Opaque"));
        assert!(kinds("insert or replace into t values (1)").contains("on_conflict: Some"));
    }
}
