//! Statements about rows: `INSERT`, `UPDATE`, `DELETE`, `MERGE`, `SELECT`, with `WITH` in front.

use super::condition;
use super::cursor::{Cursor, Read};
use super::query;
use crate::dialect::Dialect;
use crate::name::Name;
use crate::schema::change::*;

/// Reads a statement about rows into one change, and one more for each `WITH` that writes.
pub fn statement(cursor: &mut Cursor<'_>) -> Read<Vec<Change>> {
    let mut changes = Vec::new();
    if cursor.eat(&["WITH"]) {
        cursor.eat(&["RECURSIVE"]);
        loop {
            cursor.name()?;
            if cursor.is_punct(b'(') {
                cursor.parens()?;
            }
            cursor.expect(&["AS"])?;
            let _ = cursor.eat(&["MATERIALIZED"]) || cursor.eat(&["NOT", "MATERIALIZED"]);
            let (from, to) = cursor.parens()?;
            let writes =
                ["INSERT", "UPDATE", "DELETE", "MERGE"].iter().any(|word| cursor.word_at(from, word));
            if writes {
                changes.extend(cursor.within(from, to, statement)?);
            }
            // SEARCH and CYCLE clauses.
            while !cursor.is_done() && !cursor.is_punct(b',') && !starts_statement(cursor) {
                cursor.bump();
            }
            if !cursor.eat_punct(b',') {
                break;
            }
        }
    }
    let start = cursor.at();
    let kind = match cursor.eat_any(&["INSERT", "REPLACE", "UPDATE", "DELETE", "MERGE"]) {
        Some("INSERT" | "REPLACE") => {
            let replaces = cursor.word_at(start, "REPLACE");
            ChangeKind::Insert(Box::new(insert(cursor, replaces)?))
        }
        Some("UPDATE") => ChangeKind::Update(Box::new(update(cursor, start)?)),
        Some("DELETE") => ChangeKind::Delete(Box::new(delete(cursor, start)?)),
        Some(_) => ChangeKind::Merge(Box::new(merge(cursor)?)),
        None => select(cursor)?,
    };
    cursor.set(cursor.end());
    changes.push(Change::new(cursor.span_between(start, cursor.end()), kind));
    Ok(changes)
}

fn starts_statement(cursor: &Cursor<'_>) -> bool {
    cursor.is_punct(b'(')
        || cursor.is_any(&["SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "TABLE", "REPLACE"])
}

/// The whole statement as a query, from its `WITH` on.
fn whole(cursor: &Cursor<'_>) -> Query {
    query::describe(cursor, 0, cursor.end())
}

fn insert(cursor: &mut Cursor<'_>, replaces: bool) -> Read<Insert> {
    let mut upserts = replaces;
    if cursor.eat(&["OR"]) {
        // SQLite: `INSERT OR REPLACE`, `OR IGNORE`, ….
        upserts = true;
        cursor.bump();
    }
    while cursor.eat_any(&["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE"]).is_some() {
        upserts |= cursor.word_at(cursor.at() - 1, "IGNORE");
    }
    if !cursor.eat(&["INTO"]) && cursor.dialect() != Dialect::Mysql {
        return Err(cursor.unexpected("`INTO`"));
    }
    let table = cursor.object_name()?;
    if cursor.eat(&["PARTITION"]) {
        cursor.parens()?;
    }
    if cursor.eat(&["AS"])
        || (cursor.name_at(cursor.at()) && !cursor.is_any(&["OVERRIDING", "VALUE", "VALUES", "TABLE", "SET"]))
    {
        cursor.name()?;
    }
    let is_query = |at: usize| {
        cursor.word_at(at, "SELECT")
            || cursor.word_at(at, "WITH")
            || cursor.word_at(at, "VALUES")
            || cursor.punct_at(at, b'(')
    };
    let mut columns = Vec::new();
    if cursor.is_punct(b'(') && !is_query(cursor.at() + 1) {
        columns = if cursor.punct_at(cursor.at() + 1, b')') {
            cursor.parens().map(|_| Vec::new())?
        } else {
            cursor.in_parens(target_column)?
        };
    }
    if cursor.eat(&["OVERRIDING"]) {
        cursor.bump();
        cursor.expect(&["VALUE"])?;
    }
    let rows = if cursor.eat(&["DEFAULT", "VALUES"]) {
        InsertRows::Default
    } else if cursor.eat_any(&["VALUES", "VALUE"]).is_some() {
        InsertRows::Values(value_rows(cursor)?)
    } else if cursor.dialect() == Dialect::Mysql && cursor.is(&["SET"]) {
        cursor.bump();
        columns = assignments(cursor);
        InsertRows::Values(1)
    } else if cursor.is_any(&["SELECT", "WITH", "TABLE"]) || cursor.is_punct(b'(') {
        InsertRows::Query
    } else {
        return Err(cursor.unexpected("`VALUES` or a query"));
    };
    let conflict = on_conflict(cursor)?;
    let on_conflict = conflict
        .or_else(|| upserts.then(|| OnConflict { columns: Vec::new(), constraint: None, set: Vec::new() }));
    Ok(Insert { table, columns, rows, on_conflict, query: whole(cursor) })
}

/// A column that is written: `c`, `t.c` (MySQL), `c.field`, `c[1]` (PostgreSQL).
fn target_column(cursor: &mut Cursor<'_>) -> Read<Name> {
    let mut name = cursor.name()?;
    while cursor.eat_punct(b'.') {
        let field = cursor.any_name()?;
        if cursor.dialect() == Dialect::Mysql {
            name = field;
        }
    }
    while cursor.is_punct(b'[') {
        cursor.set(cursor.after(cursor.at()));
    }
    Ok(name)
}

/// Counts `(…), (…)`; leaves the cursor behind them.
fn value_rows(cursor: &mut Cursor<'_>) -> Read<usize> {
    let mut rows = 0;
    loop {
        cursor.eat(&["ROW"]);
        cursor.parens()?;
        rows += 1;
        if !cursor.eat_punct(b',') {
            return Ok(rows);
        }
    }
}

/// `ON CONFLICT …` or `ON DUPLICATE KEY UPDATE …`, wherever it comes.
fn on_conflict(cursor: &mut Cursor<'_>) -> Read<Option<OnConflict>> {
    let at = cursor.find(|cursor, at| {
        cursor.word_at(at, "ON")
            && (cursor.word_at(at + 1, "CONFLICT") || cursor.word_at(at + 1, "DUPLICATE"))
    });
    if at >= cursor.end() {
        return Ok(None);
    }
    cursor.set(at + 2);
    let mut conflict = OnConflict { columns: Vec::new(), constraint: None, set: Vec::new() };
    if cursor.eat(&["ON", "CONSTRAINT"]) {
        conflict.constraint = Some(cursor.name()?);
    } else if cursor.is_punct(b'(') {
        let (from, to) = cursor.parens()?;
        conflict.columns = super::expr::scan(cursor, from, to).columns;
    }
    let update = cursor.find(|cursor, at| cursor.word_at(at, "UPDATE"));
    if update < cursor.end() {
        cursor.set(update + 1);
        // MySQL goes on with the columns themselves.
        cursor.eat(&["SET"]);
        conflict.set = assignments(cursor);
    }
    Ok(Some(conflict))
}

/// The columns of `a = 1, (b, c) = (…), …` up to the next clause.
fn assignments(cursor: &mut Cursor<'_>) -> Vec<Name> {
    let mut columns = Vec::new();
    loop {
        if cursor.is_punct(b'(') {
            columns.extend(cursor.in_parens(target_column).unwrap_or_default());
        } else if let Ok(column) = target_column(cursor) {
            columns.push(column);
        }
        let next = cursor.find(|cursor, at| cursor.punct_at(at, b',') || ends_assignments(cursor, at));
        cursor.set(next);
        if !cursor.eat_punct(b',') {
            return columns;
        }
    }
}

fn ends_assignments(cursor: &Cursor<'_>, at: usize) -> bool {
    let from = cursor.word_at(at, "FROM") && !(at > 0 && cursor.word_at(at - 1, "DISTINCT"));
    // The next clause of a MERGE.
    let when = cursor.word_at(at, "WHEN")
        && (cursor.word_at(at + 1, "MATCHED")
            || cursor.word_at(at + 1, "NOT") && cursor.word_at(at + 2, "MATCHED"));
    from || when
        || ["WHERE", "RETURNING", "LIMIT", "ORDER"].iter().any(|word| cursor.word_at(at, word))
        || (cursor.word_at(at, "ON")
            && (cursor.word_at(at + 1, "CONFLICT") || cursor.word_at(at + 1, "DUPLICATE")))
}

fn update(cursor: &mut Cursor<'_>, start: usize) -> Read<Update> {
    if cursor.eat(&["OR"]) {
        cursor.bump();
    }
    while cursor.eat_any(&["LOW_PRIORITY", "IGNORE"]).is_some() {}
    cursor.eat(&["ONLY"]);
    let table = cursor.object_name()?;
    let set = cursor.find(|cursor, at| cursor.word_at(at, "SET"));
    let joined = (cursor.at()..set).any(|at| cursor.word_at(at, "JOIN"));
    if set >= cursor.end() {
        return Err(cursor.unexpected("`SET`"));
    }
    let table = target_of(cursor, start, set, table);
    cursor.set(set + 1);
    if cursor.is_done() || cursor.is_any(&["WHERE", "FROM"]) {
        return Err(cursor.unexpected("an assignment"));
    }
    let set = assignments(cursor);
    Ok(Update { table, set, bounded: joined || bounded(cursor), query: whole(cursor) })
}

/// MySQL names the written table by its alias (`UPDATE a JOIN b … SET b.x`, `DELETE b FROM a JOIN b`): the relation
/// behind `table`, where it is an alias of one.
fn target_of(
    cursor: &Cursor<'_>,
    from: usize,
    to: usize,
    table: crate::name::TableName,
) -> crate::name::TableName {
    if cursor.dialect() != Dialect::Mysql || table.schema.is_some() {
        return table;
    }
    let query = query::describe(cursor, from, to);
    query.aliases.into_iter().find(|(alias, _)| *alias == table.name).map_or(table, |(_, relation)| relation)
}

/// Whether a condition that is not always true, or a limit, follows.
fn bounded(cursor: &Cursor<'_>) -> bool {
    let clause = cursor.find(|cursor, at| cursor.word_at(at, "WHERE") || cursor.word_at(at, "LIMIT"));
    if clause >= cursor.end() || cursor.word_at(clause, "LIMIT") {
        return clause < cursor.end();
    }
    let mut behind = cursor.clone();
    behind.set(clause + 1);
    let end = behind.find(|cursor, at| {
        cursor.word_at(at, "RETURNING") || cursor.word_at(at, "ORDER") || cursor.word_at(at, "LIMIT")
    });
    // `ORDER BY … LIMIT n`, or `LIMIT n` alone.
    let limited = (end..cursor.end()).any(|at| cursor.word_at(at, "LIMIT"));
    limited || !condition::is_always_true(cursor, clause + 1, end)
}

fn delete(cursor: &mut Cursor<'_>, start: usize) -> Read<Delete> {
    while cursor.eat_any(&["LOW_PRIORITY", "QUICK", "IGNORE"]).is_some() {}
    let multiple = cursor.dialect() == Dialect::Mysql && !cursor.is(&["FROM"]);
    if !multiple {
        cursor.expect(&["FROM"])?;
    }
    cursor.eat(&["ONLY"]);
    let table = cursor.object_name()?;
    let joined = (cursor.at()..cursor.end()).any(|at| cursor.word_at(at, "JOIN"));
    let table = target_of(cursor, start, cursor.end(), table);
    let only_table = |cursor: &Cursor<'_>| {
        cursor.is_done() || cursor.is_any(&["WHERE", "USING", "LIMIT", "ORDER", "RETURNING", "AS", "FROM"])
    };
    if !multiple
        && !only_table(cursor)
        && !cursor.name_at(cursor.at())
        && !cursor.is_punct(b',')
        && !cursor.eat_op("*")
    {
        return Err(cursor.unexpected("`WHERE`"));
    }
    Ok(Delete { table, bounded: multiple && joined || bounded(cursor), query: whole(cursor) })
}

fn merge(cursor: &mut Cursor<'_>) -> Read<Merge> {
    cursor.expect(&["INTO"])?;
    cursor.eat(&["ONLY"]);
    let table = cursor.object_name()?;
    let mut set = Vec::new();
    loop {
        let update = cursor.find(|cursor, at| cursor.word_at(at, "UPDATE") && cursor.word_at(at + 1, "SET"));
        if update >= cursor.end() {
            break;
        }
        cursor.set(update + 2);
        set.push(assignments(cursor));
    }
    Ok(Merge { table, set, query: whole(cursor) })
}

fn select(cursor: &mut Cursor<'_>) -> Read<ChangeKind> {
    if !starts_statement(cursor) {
        return Err(cursor.unexpected("a statement"));
    }
    let table = cursor.is(&["TABLE"]);
    let locks_rows = (cursor.at()..cursor.end()).any(|at| {
        cursor.word_at(at, "FOR")
            && (cursor.word_at(at + 1, "UPDATE")
                || cursor.word_at(at + 1, "SHARE")
                || cursor.word_at(at + 1, "NO")
                || cursor.word_at(at + 1, "KEY"))
    });
    let mut query = whole(cursor);
    if table {
        cursor.bump();
        query.reads.push(cursor.object_name()?);
    }
    Ok(ChangeKind::Select(Box::new(Select { query, locks_rows })))
}
