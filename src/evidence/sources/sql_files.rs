//! Files of queries: plain ones, and those of sqlc and its like, where `-- name: GetUser :one` names the next query.

use super::{Source, TextSource};
use crate::dialect::Dialect;
use crate::evidence::facts::Look;
use crate::evidence::model::Sent;
use crate::sql::lex::{Token, TokenKind, significant};
use crate::sql::split::{StatementKind, split};

/// The source.
pub static SOURCE: TextSource = TextSource {
    about: Source {
        id: "sql-files",
        shows_all: true,
        counts: false,
        blind: &["queries that do not stand in the files are not in it"],
    },
    read,
};

/// What queries begin with; files of queries can hold other statements too.
const VERBS: &[&str] =
    &["select", "insert", "update", "delete", "merge", "with", "values", "replace", "table", "call", "copy"];

fn read(path: &str, text: &str, dialect: Dialect) -> Result<Look, String> {
    let mut found = Vec::new();
    for statement in split(text, dialect).statements {
        if statement.kind == StatementKind::ClientCommand {
            continue;
        }
        let Some(first) = significant(statement.text, dialect).find(|token| !token.is_punct(b'(')) else {
            continue;
        };
        if !VERBS.iter().any(|verb| first.is_word(statement.text, verb)) {
            continue;
        }
        let caller = match name(statement.leading.of(text)) {
            Some(name) => format!("{path}: {name}"),
            None => path.to_owned(),
        };
        let sql = without_macros(statement.text, dialect);
        found.push(Sent { sql, caller: Some(caller), ..Sent::default() });
    }
    Ok(Look::of(found))
}

/// The name that the last comment of `leading` gives to the query behind it.
fn name(leading: &str) -> Option<&str> {
    let after = |line: &'_ str| -> Option<usize> {
        let lower = line.to_ascii_lowercase();
        ["name:", ":name ", "@name "].iter().find_map(|word| lower.find(word).map(|at| at + word.len()))
    };
    leading.lines().rev().find_map(|line| {
        let rest = line.get(after(line)?..)?;
        rest.split_whitespace().next().map(|word| word.trim_end_matches("*/"))
    })
}

/// `text` with sqlc's `sqlc.arg(x)`, `sqlc.narg('x')` and `sqlc.slice('x')` as parameters, and `sqlc.embed(t)` as `t.*`.
fn without_macros(text: &str, dialect: Dialect) -> String {
    let tokens: Vec<Token> = significant(text, dialect).collect();
    let mut out = String::with_capacity(text.len());
    let (mut end, mut at) = (0, 0);
    while at < tokens.len() {
        let word = |offset: usize| tokens.get(at + offset).map(|token| token.text(text)).unwrap_or_default();
        let is_macro =
            word(0).eq_ignore_ascii_case("sqlc") && word(1) == "." && word(3) == "(" && word(5) == ")";
        if !is_macro {
            at += 1;
            continue;
        }
        let argument = word(4).trim_matches(['\'', '"']);
        out.push_str(&text[end..tokens[at].span.start]);
        if word(2).eq_ignore_ascii_case("embed") {
            out.push_str(&format!("{argument}.*"));
        } else if tokens[at + 4].kind != TokenKind::Number {
            out.push_str(&format!(" :{argument}"));
        }
        end = tokens[at + 5].span.end;
        at += 6;
    }
    out.push_str(&text[end..]);
    out
}
