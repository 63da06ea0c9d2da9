//! Rows that a migration changes in bulk stay locked until it commits.

use super::prelude::*;
use crate::sql::lex::{Token, TokenKind, significant};

/// The rule.
pub static RULE: Rule = Rule::on_migration(
    "dml-in-migration",
    Group::Lock,
    Severity::Note,
    ALL_ENGINES,
    include_str!("dml_in_migration.md"),
    find,
);

fn find(judged: &Judged<'_>) -> Vec<Draft> {
    let mut first: Option<(At, String, &str)> = None;
    let mut others: Vec<String> = Vec::new();
    for place in judged.places() {
        let Some((table, what)) = in_bulk(&place) else { continue };
        let shown = place.shown(table);
        match &first {
            None => first = Some((At::Statement(place.number, place.change().span), shown, what)),
            Some((_, one, _)) if *one == shown || others.contains(&shown) => {}
            Some(_) => others.push(shown),
        }
    }
    let Some((at, shown, what)) = first else { return Vec::new() };
    let also = match others.as_slice() {
        [] => String::new(),
        [one] => format!("; further down also rows of `{one}`"),
        [one, two] => format!("; further down also rows of `{one}` and `{two}`"),
        [one, two, rest @ ..] => {
            format!("; further down also rows of `{one}`, `{two}` and {} more tables", rest.len())
        }
    };
    let draft = Draft::new(
        format!("rows of `{shown}` are {what} in bulk by a migration{also}"),
        "however many there are, they stay locked until the commit, and the release waits for them",
    )
    .help("if there are many, run it in chunks: `-- twostep: backfill` above it")
    .at(at);
    vec![draft]
}

/// The table of which a statement changes rows in bulk, and how.
fn in_bulk<'a>(place: &Place<'a>) -> Option<(&'a TableName, &'static str)> {
    let (table, what) = match place.kind() {
        ChangeKind::Update(update) if update.bounded => (&update.table, "updated"),
        ChangeKind::Delete(delete) if delete.bounded => (&delete.table, "deleted"),
        ChangeKind::Insert(insert)
            if insert.rows == InsertRows::Query
                && insert.query.reads.iter().any(|name| place.is_busy(name)) =>
        {
            (&insert.table, "inserted")
        }
        ChangeKind::Merge(merge) => (&merge.table, "merged"),
        _ => return None,
    };
    (place.is_busy(table) && !is_narrow(place, table) && !place.is_backfill()).then_some((table, what))
}

/// Whether the condition names single rows: it compares a key with values, or takes a few.
fn is_narrow(place: &Place<'_>, table: &TableName) -> bool {
    let sql: &str = &place.step.sql;
    let tokens: Vec<Token> = significant(sql, place.dialect()).collect();
    let word = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is_word(sql, word));
    let Some(from) = (0..tokens.len()).rposition(|at| word(at, "WHERE")) else {
        return (0..tokens.len()).any(|at| word(at, "LIMIT"));
    };
    let literal = |at: usize| {
        tokens.get(at).is_some_and(|token| {
            matches!(token.kind, TokenKind::String | TokenKind::Number | TokenKind::Param)
        })
    };
    (from + 1..tokens.len()).any(|at| {
        let equals = tokens[at].kind == TokenKind::Operator && tokens[at].text(sql) == "=" && literal(at + 1);
        let listed = word(at, "IN") && tokens.get(at + 1).is_some_and(|token| token.is_punct(b'('));
        let among = equals || listed && literal(at + 2) || word(at, "BETWEEN") && literal(at + 1);
        word(at, "LIMIT")
            || among && column(place, &tokens[at - 1]).is_some_and(|name| is_key(place, table, &name))
    })
}

/// The column that a token names.
fn column(place: &Place<'_>, token: &Token) -> Option<Name> {
    let text = token.text(&place.step.sql);
    match token.kind {
        TokenKind::Word => Some(Name::unquoted(text, place.dialect())),
        TokenKind::QuotedWord => Some(Name::new(text.trim_matches(['"', '`', '[', ']']))),
        _ => None,
    }
}

/// Whether few rows have one value of a column: an index begins with it, or it is called like a key.
fn is_key(place: &Place<'_>, table: &TableName, column: &Name) -> bool {
    const KEYS: [&str; 7] = ["key", "name", "slug", "code", "email", "version", "title"];
    let lower = column.as_str().to_ascii_lowercase();
    let called = lower.ends_with("id") || KEYS.iter().any(|key| lower.ends_with(key));
    called
        || place.table(table).is_some_and(|table| {
            table
                .indexes
                .iter()
                .any(|index| index.plain_columns().is_some_and(|columns| columns.first() == Some(&column)))
        })
}
