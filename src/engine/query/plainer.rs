//! What PostgreSQL takes in a query and the parser does not, said in the words that it takes: the same rows, columns and
//! tables.

use crate::dialect::Dialect;
use crate::sql::lex::{Token, TokenKind, significant};

/// A query in plainer words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plainer {
    /// Its text.
    pub(super) text: String,
    /// Whether an `ON CONFLICT (…) WHERE …` has lost its condition: a partial index decides then.
    pub(super) partial: bool,
}

/// `text` in plainer words; none where it is plain.
pub(super) fn plainer(text: &str, dialect: Dialect) -> Option<Plainer> {
    if dialect != Dialect::Postgres {
        return None;
    }
    let tokens: Vec<Token> = significant(text, dialect).collect();
    let run = Words { text, tokens: &tokens };
    if run.all(0, &["refresh", "materialized", "view"]) {
        let name = if run.is(3, "concurrently") { 4 } else { 3 };
        let end = (name..tokens.len()).find(|at| run.is(*at, "with")).unwrap_or(tokens.len());
        let name = &text[tokens.get(name)?.span.start..tokens.get(end.checked_sub(1)?)?.span.end];
        return Some(Plainer { text: format!("SELECT 1 FROM {name}"), partial: false });
    }
    let (mut out, mut end, mut partial, mut at) = (String::new(), 0, false, 0);
    while at < tokens.len() {
        let skipped = run.skipped(at);
        if skipped > 0 {
            partial |= run.is(at, "where");
            out.push_str(&text[end..tokens[at].span.start]);
            end = tokens.get(at + skipped).map_or(text.len(), |next| next.span.start);
        }
        at += skipped.max(1);
    }
    out.push_str(&text[end..]);
    (end > 0).then_some(Plainer { text: out, partial })
}

struct Words<'a> {
    text: &'a str,
    tokens: &'a [Token],
}

impl Words<'_> {
    fn is(&self, at: usize, word: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is_word(self.text, word))
    }

    fn all(&self, at: usize, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(offset, word)| self.is(at + offset, word))
    }

    /// How many tokens from `at` on the parser does without.
    fn skipped(&self, at: usize) -> usize {
        let before = |word: &str| at > 0 && self.is(at - 1, word);
        if before("for") && self.all(at, &["no", "key", "update"]) {
            return 2;
        }
        if before("for") && self.all(at, &["key", "share"]) {
            return 1;
        }
        let is_name = self.tokens.get(at + 1).is_some_and(|next| {
            matches!(next.kind, TokenKind::Word | TokenKind::QuotedWord) && !next.is_word(self.text, "as")
        });
        if self.is(at, "only") && is_name && (before("from") || before("update") || before("join")) {
            return 1;
        }
        if self.is(at, "where") && self.is_conflict_target(at) {
            return self.condition(at);
        }
        0
    }

    /// Whether the columns of an `ON CONFLICT` end right before `at`.
    fn is_conflict_target(&self, at: usize) -> bool {
        let Some(close) = at.checked_sub(1).filter(|close| self.tokens[*close].is_punct(b')')) else {
            return false;
        };
        let mut depth = 0_usize;
        for open in (0..close).rev() {
            if self.tokens[open].is_punct(b')') {
                depth += 1;
            } else if self.tokens[open].is_punct(b'(') {
                match depth.checked_sub(1) {
                    Some(less) => depth = less,
                    None => return open > 1 && self.all(open - 2, &["on", "conflict"]),
                }
            }
        }
        false
    }

    /// How many tokens the condition at `at` has, up to its `DO`.
    fn condition(&self, at: usize) -> usize {
        let mut depth = 0_usize;
        for (offset, token) in self.tokens[at..].iter().enumerate() {
            match token.kind {
                TokenKind::Punct(b'(') => depth += 1,
                TokenKind::Punct(b')') => depth = depth.saturating_sub(1),
                TokenKind::Word if depth == 0 && token.is_word(self.text, "do") => return offset,
                _ => {}
            }
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::plainer;
    use crate::dialect::Dialect;

    #[test]
    fn what_the_parser_does_not_take_is_said_otherwise() {
        let check = |text: &str, expect: &str, partial: bool| {
            let found = plainer(text, Dialect::Postgres).unwrap();
            assert_eq!((found.text.as_str(), found.partial), (expect, partial));
            assert_eq!(plainer(expect, Dialect::Postgres), None);
        };
        check("select a from t for no key update of t", "select a from t for update of t", false);
        check("select a from t for key share skip locked", "select a from t for share skip locked", false);
        check(
            "delete from only t where a in (select a from only u)",
            "delete from t where a in (select a from u)",
            false,
        );
        check("update only t set a = 1", "update t set a = 1", false);
        check(
            "insert into t (a) values ($1) on conflict (a, lower(b)) where (b is null) and c do nothing",
            "insert into t (a) values ($1) on conflict (a, lower(b)) do nothing",
            true,
        );
        check("refresh materialized view concurrently a.b with no data", "SELECT 1 FROM a.b", false);
        for text in [
            "select a from t where b = 1 for update",
            "select key from share",
            "select 1 from only",
            "insert into t (a) values ($1) on conflict (a) do update set a = 1 where t.b = 2",
        ] {
            assert_eq!(plainer(text, Dialect::Postgres), None, "{text}");
        }
    }
}
