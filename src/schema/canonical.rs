//! Expressions and queries without what is a matter of spelling, so that what a person wrote and what a dump of the
//! same thing says can be compared.
//!
//! A text that means something else may become the same here (parentheses do not count), but one that means the same
//! should not stay different: who compares wants to be told of what is certain.

use crate::dialect::Dialect;
use crate::sql::lex::{Token, TokenKind, significant};

/// The words and signs of `text` that carry its meaning, in lower case, with blanks between them.
pub fn canonical(text: &str, dialect: Dialect) -> String {
    let tokens: Vec<Token> = significant(text, dialect).collect();
    let mut words: Vec<String> = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let written = token.text(text);
        at += 1;
        match token.kind {
            TokenKind::Operator if written == "::" => at = behind_type(text, &tokens, at),
            TokenKind::Operator if written == "!=" => words.push("<>".to_owned()),
            TokenKind::Operator => words.push(written.to_owned()),
            // Whose column it is is told by its name in nearly all cases, and dumps say it always.
            TokenKind::Punct(b'.') => {
                words.pop();
            }
            TokenKind::Punct(b'(' | b')' | b'[' | b']' | b';') => {}
            TokenKind::Punct(_) => words.push(written.to_owned()),
            TokenKind::Word => word(&written.to_lowercase(), &mut words),
            TokenKind::QuotedWord => words.push(written.trim_matches(['"', '`']).to_owned()),
            _ => words.push(written.to_owned()),
        }
    }
    words.join(" ")
}

/// Takes in a keyword or a name.
fn word(word: &str, words: &mut Vec<String>) {
    match word {
        // `AS`, and the type of a literal before it (`interval '1 day'`), say nothing that a cast would not.
        "as" | "outer" | "inner" | "asc" | "interval" | "array" => {}
        "notnull" => words.extend(["is", "not", "null"].map(str::to_owned)),
        "isnull" => words.extend(["is", "null"].map(str::to_owned)),
        "current_timestamp" => words.push("now".to_owned()),
        // `x = ANY (ARRAY[…])` is how a dump says `x IN (…)`.
        "any" if words.last().is_some_and(|last| last == "=") => {
            words.pop();
            words.push("in".to_owned());
        }
        "all" if words.last().is_some_and(|last| last == "<>") => {
            words.pop();
            words.extend(["not", "in"].map(str::to_owned));
        }
        other => words.push(other.to_owned()),
    }
}

/// The number of the token behind the type of a cast that starts at `at`.
fn behind_type(text: &str, tokens: &[Token], at: usize) -> usize {
    let is_word = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is_word(text, word));
    let is_punct =
        |at: usize, sign: u8| tokens.get(at).is_some_and(|token| token.kind == TokenKind::Punct(sign));
    let mut behind = at + 1;
    while is_punct(behind, b'.') {
        behind += 2;
    }
    if is_word(behind, "varying") || is_word(behind, "precision") {
        behind += 1;
    }
    if is_punct(behind, b'(') && tokens.get(behind + 1).is_some_and(|token| token.kind == TokenKind::Number) {
        while behind < tokens.len() && !is_punct(behind, b')') {
            behind += 1;
        }
        behind += 1;
    }
    if (is_word(behind, "with") || is_word(behind, "without")) && is_word(behind + 1, "time") {
        behind += 3;
    }
    while is_punct(behind, b'[') && is_punct(behind + 1, b']') {
        behind += 2;
    }
    behind
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: &str, other: &str) {
        assert_eq!(canonical(one, Dialect::Postgres), canonical(other, Dialect::Postgres), "{one} / {other}");
    }

    fn other(one: &str, other: &str) {
        assert_ne!(canonical(one, Dialect::Postgres), canonical(other, Dialect::Postgres), "{one} / {other}");
    }

    #[test]
    fn spelling_does_not_count() {
        same("status = 'x' AND not a", "((status = 'x'::text) AND (NOT a))");
        same("NEW.status != 'closed'", "new.status <> 'closed'::public.enum_alert_status");
        same("a notnull", "(a IS NOT NULL)");
        same(
            "a IN ('x', 'y')",
            "((a)::text = ANY ((ARRAY['x'::character varying, 'y'::character varying])::text[]))",
        );
        same("now() + interval '1 day'", "(CURRENT_TIMESTAMP + '1 day'::interval)");
        same("select a as b from t", "SELECT t.a AS b\n   FROM public.t;");
        same("d::timestamp(3) with time zone > now()", "d > now()");
    }

    #[test]
    fn meaning_counts() {
        other("a > 1", "a > 2");
        other("a IS NULL", "a IS NOT NULL");
        other("status = 'x'", "status = 'X'");
        other("lower(a)", "a");
        other("a", "\"A\"");
    }
}
