//! Stored programs: procedures, functions, triggers. Their static statements are read like any other.

use super::{column, lower_into};
use crate::engine::read::cursor::{Cursor, Read};
use crate::schema::change::*;

/// Words that start a statement of SQL in a stored program.
const SQL: [&str; 14] = [
    "SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP", "TRUNCATE", "RENAME",
    "CALL", "EXECUTE", "LOCK", "LOAD",
];

/// Behind `CREATE PROCEDURE | FUNCTION`.
pub fn create_routine(cursor: &mut Cursor<'_>, kind: RoutineKind, or_replace: bool) -> Read<ChangeKind> {
    let if_not_exists = cursor.eat(&["IF", "NOT", "EXISTS"]);
    let name = cursor.object_name()?;
    cursor.expect_punct(b'(')?;
    let mut arguments = Vec::new();
    while !cursor.eat_punct(b')') {
        let mode = match cursor.eat_any(&["IN", "OUT", "INOUT"]) {
            Some("OUT") => ArgumentMode::Out,
            Some("INOUT") => ArgumentMode::InOut,
            _ => ArgumentMode::In,
        };
        let name = Some(cursor.name()?);
        let data_type = column::data_type(cursor)?;
        // A character set may follow.
        let stop = cursor.find(|cursor, at| cursor.punct_at(at, b',') || cursor.punct_at(at, b')'));
        cursor.set(stop);
        arguments.push(Argument { mode, name, data_type, default: None });
        if !cursor.eat_punct(b',') && !cursor.is_punct(b')') {
            return Err(cursor.unexpected("`)`"));
        }
    }
    let returns = if cursor.eat(&["RETURNS"]) { Some(column::data_type(cursor)?.to_string()) } else { None };
    let body = body(cursor);
    Ok(ChangeKind::CreateRoutine(Box::new(CreateRoutine {
        kind,
        name,
        or_replace,
        if_not_exists,
        arguments,
        returns,
        language: Some("sql".to_owned()),
        volatility: Volatility::Volatile,
        security_definer: true,
        strict: false,
        settings: Vec::new(),
        body,
    })))
}

/// Behind `CREATE TRIGGER`.
pub fn create_trigger(cursor: &mut Cursor<'_>, or_replace: bool) -> Read<ChangeKind> {
    let if_not_exists = cursor.eat(&["IF", "NOT", "EXISTS"]);
    let name = cursor.object_name()?.name;
    let Some(timing) = cursor.eat_any(&["BEFORE", "AFTER"]) else {
        return Err(cursor.unexpected("`BEFORE` or `AFTER`"));
    };
    let Some(event) = cursor.eat_any(&["INSERT", "UPDATE", "DELETE"]) else {
        return Err(cursor.unexpected("`INSERT`, `UPDATE` or `DELETE`"));
    };
    cursor.expect(&["ON"])?;
    let table = cursor.object_name()?;
    cursor.expect(&["FOR", "EACH", "ROW"])?;
    if cursor.eat_any(&["FOLLOWS", "PRECEDES"]).is_some() {
        cursor.name()?;
    }
    let body = body(cursor);
    Ok(ChangeKind::CreateTrigger(Box::new(CreateTrigger {
        name,
        table,
        or_replace,
        if_not_exists,
        constraint: false,
        timing: timing.to_owned(),
        events: vec![event.to_owned()],
        update_of: Vec::new(),
        for_each_row: true,
        when: None,
        function: None,
        body: Some(body),
    })))
}

/// The rest of the statement as a body: statements stand at its start and behind `;`, `THEN`, `ELSE`, `DO`, `BEGIN`,
/// `LOOP` and `REPEAT`.
fn body(cursor: &mut Cursor<'_>) -> RoutineBody {
    let (start, end) = (cursor.at(), cursor.end());
    let span = cursor.span_between(start, end);
    let mut body = RoutineBody { text: span.of(cursor.text()).to_owned(), span, ..RoutineBody::default() };
    let mut open = 0usize;
    let mut starts = true;
    let mut at = start;
    while at < end {
        let word = cursor.word(at).to_ascii_uppercase();
        if starts && SQL.contains(&word.as_str()) && !cursor.punct_at(at + 1, b'(') {
            let to = cursor.within(at, end, |cursor| cursor.find(|cursor, at| cursor.punct_at(at, b';')));
            let mut changes = Vec::new();
            cursor.within(at, to, |cursor| lower_into(cursor, &mut changes));
            for change in &changes {
                if matches!(&change.kind, ChangeKind::Opaque(opaque) if opaque.reason == OpaqueReason::Dynamic)
                {
                    body.dynamic.push(change.span);
                }
            }
            let via = Via::Block { conditional: open > 0 };
            body.changes.extend(changes.into_iter().map(|change| Change { via: via.clone(), ..change }));
            at = to;
            continue;
        }
        match word.as_str() {
            "END" => {
                // `END IF`, `END WHILE`: one word of it only.
                let closes = ["IF", "CASE", "LOOP", "WHILE", "REPEAT", "FOR"]
                    .iter()
                    .any(|kind| cursor.word_at(at + 1, kind));
                if closes {
                    open = open.saturating_sub(1);
                    at += 1;
                }
            }
            "IF" | "LOOP" | "WHILE" | "REPEAT" | "FOR" if starts => open += 1,
            _ => {}
        }
        starts = matches!(word.as_str(), ";" | "THEN" | "ELSE" | "DO" | "BEGIN" | "LOOP" | "REPEAT");
        at = if cursor.punct_at(at, b'(') { cursor.after(at) } else { at + 1 };
    }
    cursor.set(end);
    body
}
