//! What one PostgreSQL statement does.
//!
//! The grammar is that of <https://www.postgresql.org/docs/current/sql-commands.html>, read from tokens. What it does
//! not know becomes [`ChangeKind::Opaque`] from the first wrong word on; what was read before that is kept.

mod alter;
mod alter_table;
mod block;
mod column;
mod create;
mod create_table;
mod function;
mod grant;
mod index;
mod object;
mod sequence;
mod session;
#[cfg(test)]
mod tests;
pub mod types;

use crate::dialect::Dialect;
use crate::engine::read::cursor::{Cursor, Read};
use crate::engine::read::dml;
use crate::schema::change::*;

/// What the one statement `text` does, in order; nothing for an empty one.
pub fn lower(text: &str) -> Vec<Change> {
    let mut cursor = Cursor::new(text, Dialect::Postgres);
    if let Err(unread) = cursor.expect_closed() {
        return vec![unread.opaque()];
    }
    let mut changes = Vec::new();
    lower_into(&mut cursor, &mut changes);
    changes
}

/// Reads the statement of `cursor`; an error becomes opaque.
fn lower_into(cursor: &mut Cursor<'_>, changes: &mut Vec<Change>) {
    if cursor.is_done() {
        return;
    }
    let before = changes.len();
    let outcome = statement(cursor, changes).and_then(|()| {
        // With words behind its end it means something else than what was read.
        cursor.expect_end().inspect_err(|_| changes.truncate(before))
    });
    if let Err(unread) = outcome {
        changes.push(unread.opaque());
    }
}

/// A change from the token with the number `from` up to here.
fn change(cursor: &Cursor<'_>, from: usize, kind: ChangeKind) -> Change {
    Change::new(cursor.span_from(from), kind)
}

fn statement(cursor: &mut Cursor<'_>, out: &mut Vec<Change>) -> Read<()> {
    let start = cursor.at();
    let word = cursor.word(start).to_ascii_uppercase();
    match word.as_str() {
        "SELECT" | "VALUES" | "TABLE" | "WITH" | "INSERT" | "UPDATE" | "DELETE" | "MERGE" => {
            rows(cursor, out)
        }
        "CREATE" => create::create(cursor, out),
        "ALTER" => alter::alter(cursor, out),
        "DROP" => object::drop(cursor, out),
        "COMMENT" => object::comment(cursor, out),
        "SECURITY" => object::security_label(cursor, out),
        "GRANT" | "REVOKE" => grant::grant(cursor, out),
        "DO" => block::do_block(cursor, out),
        "REINDEX" => index::reindex(cursor, out),
        "REFRESH" => object::refresh(cursor, out),
        _ if cursor.is_punct(b'(') => rows(cursor, out),
        _ => session::statement(cursor, &word, out),
    }
}

/// A statement about rows; `SELECT … INTO table` makes a table.
fn rows(cursor: &mut Cursor<'_>, out: &mut Vec<Change>) -> Read<()> {
    let start = cursor.at();
    let into = cursor.find(|cursor, at| cursor.word_at(at, "INTO"));
    // In a body, INTO names a variable.
    let makes_table = into < cursor.end() && cursor.is_any(&["SELECT", "WITH"]) && !cursor.is_nested() && {
        let writes = |at| ["INSERT", "MERGE"].iter().any(|word| cursor.word_at(at, word));
        !writes(into - 1)
    };
    if makes_table {
        return create_table::select_into(cursor, start, into, out);
    }
    let mut changes = dml::statement(cursor)?;
    for change in &mut changes {
        if let ChangeKind::Select(select) = &change.kind
            && let Some(set) = session::set_config(&select.query)
        {
            change.kind = ChangeKind::SetVariable(set);
        }
    }
    out.append(&mut changes);
    Ok(())
}
