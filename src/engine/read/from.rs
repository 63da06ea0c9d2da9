//! `FROM` and `WITH` of a query: what each name in it stands for.

use super::cursor::Cursor;
use super::query::{NOT_ALIASES, describe_at, name_of};
use super::words;
use crate::name::{Name, TableName};
use crate::schema::change::{CommonTable, From, FromItem, FromSource};
use crate::sql::lex::TokenKind;

/// Words that end a `FROM`.
const ENDS: &[&str] = &[
    "WHERE",
    "GROUP",
    "HAVING",
    "ORDER",
    "LIMIT",
    "OFFSET",
    "FETCH",
    "FOR",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "WINDOW",
    "RETURNING",
    "INTO",
];

/// The `FROM` of the outermost query in the tokens `from` to `to`.
pub(super) fn clause(cursor: &Cursor<'_>, from: usize, to: usize, depth: usize) -> From {
    let mut found = From::default();
    let mut at = from;
    while cursor.punct_at(at, b'(') {
        at += 1;
    }
    if cursor.word_at(at, "WITH") {
        while at < to && !cursor.word_at(at, "SELECT") {
            at = cursor.after(at);
        }
    }
    let distinct = |at: usize| at > 0 && cursor.word_at(at - 1, "DISTINCT");
    while at < to && !cursor.punct_at(at, b')') {
        if cursor.word_at(at, "FROM") && !distinct(at) {
            items(cursor, at + 1, to, depth, &mut found);
            break;
        }
        at = cursor.after(at);
    }
    found
}

/// Reads relations from the token `at` on; gives the number of the token behind them.
fn items(cursor: &Cursor<'_>, mut at: usize, to: usize, depth: usize, found: &mut From) -> usize {
    while at < to {
        at = item(cursor, at, to, depth, found);
        // What follows: a comma, a join, a condition, or the end.
        loop {
            if at >= to || cursor.punct_at(at, b')') || ENDS.iter().any(|word| cursor.word_at(at, word)) {
                return at;
            }
            if cursor.punct_at(at, b',') || cursor.word_at(at, "JOIN") || cursor.word_at(at, "STRAIGHT_JOIN")
            {
                at += 1;
                break;
            }
            if cursor.word_at(at, "NATURAL") {
                found.natural = true;
            }
            if cursor.word_at(at, "USING") && cursor.punct_at(at + 1, b'(') {
                let names = (at + 2..cursor.mate(at + 1)).filter(|at| cursor.name_at(*at));
                found.merged.extend(names.map(|at| name_of(cursor, at)));
            }
            at = cursor.after(at);
        }
    }
    at
}

/// One relation with its alias; the number of the token behind it.
fn item(cursor: &Cursor<'_>, mut at: usize, to: usize, depth: usize, found: &mut From) -> usize {
    while ["LATERAL", "ONLY"].iter().any(|word| cursor.word_at(at, word)) {
        at += 1;
    }
    let source = if cursor.punct_at(at, b'(') {
        let close = cursor.mate(at).min(to);
        let mut first = at + 1;
        while cursor.punct_at(first, b'(') {
            first += 1;
        }
        let query = cursor.word_at(first, "SELECT") || cursor.word_at(first, "WITH");
        let other = cursor.word_at(first, "VALUES");
        let inside = at + 1;
        at = close + 1;
        if query {
            FromSource::Query(Box::new(describe_at(cursor, inside, close, depth)))
        } else if other {
            FromSource::Other
        } else {
            // A join in parentheses.
            items(cursor, inside, close, depth, found);
            return alias(cursor, at).2;
        }
    } else if cursor.name_at(at) {
        let mut parts = vec![name_of(cursor, at)];
        at += 1;
        while cursor.punct_at(at, b'.') && cursor.token(at + 1).is_some() {
            parts.push(name_of(cursor, at + 1));
            at += 2;
        }
        let name = parts.pop().unwrap_or_default();
        if cursor.punct_at(at, b'(') {
            at = cursor.mate(at) + 1;
            if cursor.word_at(at, "WITH") && cursor.word_at(at + 1, "ORDINALITY") {
                at += 2;
            }
            FromSource::Other
        } else {
            if cursor.op_at(at, "*") {
                at += 1;
            }
            FromSource::Relation(TableName { schema: parts.pop(), name })
        }
    } else {
        // Something else, such as `ROWS FROM ( … )`: its columns are not known.
        while at < to
            && !cursor.punct_at(at, b'(')
            && !cursor.punct_at(at, b',')
            && !cursor.punct_at(at, b')')
        {
            at += 1;
        }
        if cursor.punct_at(at, b'(') {
            at = cursor.mate(at) + 1;
        }
        FromSource::Other
    };
    let (alias, columns, behind) = alias(cursor, at);
    found.items.push(FromItem { alias, columns, source });
    behind
}

/// `[AS] alias [(columns)]` at `at`, and the number of the token behind it.
fn alias(cursor: &Cursor<'_>, at: usize) -> (Option<Name>, Vec<Name>, usize) {
    let explicit = cursor.word_at(at, "AS");
    let start = if explicit { at + 1 } else { at };
    let is_name = match cursor.token(start).map(|token| token.kind) {
        Some(TokenKind::QuotedWord) => true,
        Some(TokenKind::Word) => explicit || !words::contains(NOT_ALIASES, cursor.word(start)),
        _ => false,
    };
    if !is_name {
        return (None, Vec::new(), at);
    }
    let name = name_of(cursor, start);
    let mut behind = start + 1;
    let mut columns = Vec::new();
    if cursor.punct_at(behind, b'(') {
        let close = cursor.mate(behind);
        let first = |at: &usize| cursor.punct_at(at - 1, b'(') || cursor.punct_at(at - 1, b',');
        columns.extend((behind + 1..close).filter(first).map(|at| name_of(cursor, at)));
        behind = close + 1;
    }
    (Some(name), columns, behind)
}

/// What the `WITH` at the start of the tokens `from` to `to` defines.
pub(super) fn with(cursor: &Cursor<'_>, from: usize, to: usize, depth: usize) -> Vec<CommonTable> {
    let mut found = Vec::new();
    if !cursor.word_at(from, "WITH") {
        return found;
    }
    let mut at = if cursor.word_at(from + 1, "RECURSIVE") { from + 2 } else { from + 1 };
    while at < to && cursor.name_at(at) {
        let name = name_of(cursor, at);
        at += 1;
        let mut columns = Vec::new();
        if cursor.punct_at(at, b'(') {
            let close = cursor.mate(at);
            columns.extend((at + 1..close).filter(|at| cursor.name_at(*at)).map(|at| name_of(cursor, at)));
            at = close + 1;
        }
        while at < to && !cursor.punct_at(at, b'(') {
            at += 1;
        }
        let close = cursor.mate(at).min(to);
        found.push(CommonTable { name, columns, query: describe_at(cursor, at + 1, close, depth) });
        at = close + 1;
        while at < to
            && !cursor.punct_at(at, b',')
            && !cursor.punct_at(at, b'(')
            && !cursor.word_at(at, "SELECT")
        {
            at += 1;
        }
        if !cursor.punct_at(at, b',') {
            break;
        }
        at += 1;
    }
    found
}
