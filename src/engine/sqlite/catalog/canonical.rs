//! One spelling for what SQLite takes as the same: no comments, one blank where one is needed, words in lower case, and
//! quotes only around names that need them.

use super::DIALECT;
use crate::engine::read::words::is_reserved;
use crate::name::Name;
use crate::sql::lex::{self, Token, TokenKind};
use crate::sql::phrase::{self, Phrase};

/// What is left of a statement, without the semicolon behind it.
pub(super) fn rest<'a>(phrase: &Phrase<'a>) -> &'a str {
    let start = phrase.peek().map_or(phrase.text().len(), |token| token.span.start);
    let rest = phrase.text().get(start..).unwrap_or("");
    rest.trim_end().trim_end_matches(';').trim_end()
}

/// `sql` in one line.
pub(super) fn line(sql: &str) -> String {
    spell(sql, |_| false)
}

/// `sql`, a view's query or a trigger, with a line for each clause and for each statement.
pub(super) fn lines(sql: &str) -> String {
    const CLAUSES: &[&str] = &[
        "select",
        "from",
        "where",
        "group",
        "having",
        "order",
        "limit",
        "union",
        "except",
        "intersect",
        "values",
        "set",
        "begin",
        "left",
        "inner",
        "cross",
        "join",
    ];
    let (mut depth, mut before) = (0_usize, String::new());
    spell(sql, move |piece| {
        match piece {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        // The first of the words that say how to join has begun the line.
        let goes_on = piece == "join" && matches!(before.as_str(), "left" | "inner" | "cross" | "outer");
        let starts = before == "begin" || depth == 0 && CLAUSES.contains(&piece) && !goes_on;
        piece.clone_into(&mut before);
        starts
    })
}

/// The tokens of `sql` in their one spelling, with a line end before those that `breaks`.
fn spell(sql: &str, mut breaks: impl FnMut(&str) -> bool) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut before: Option<(Token, String)> = None;
    for token in lex::significant(sql, DIALECT) {
        let piece = piece(token, sql);
        let starts_line = breaks(&piece);
        match &before {
            Some((last, _)) if starts_line || last.is_punct(b';') => out.push('\n'),
            Some((last, text)) if has_blank(*last, text, token, &out) => out.push(' '),
            _ => {}
        }
        out.push_str(&piece);
        before = Some((token, piece));
    }
    out
}

/// The one spelling of a token.
fn piece(token: Token, sql: &str) -> String {
    let written = token.text(sql);
    match token.kind {
        TokenKind::Word => written.to_ascii_lowercase(),
        TokenKind::QuotedWord => match phrase::name(token, sql, DIALECT) {
            // Names are the same in any case; a reserved word would be read as one.
            Some(name) => {
                let lowered = Name::new(name.as_str().to_ascii_lowercase());
                if is_reserved(lowered.as_str(), DIALECT) {
                    lowered.quoted(DIALECT)
                } else {
                    lowered.shown(DIALECT)
                }
            }
            None => written.to_owned(),
        },
        _ => written.to_owned(),
    }
}

/// Whether a blank stands between two tokens; `out` ends with the first of them.
fn has_blank(last: Token, last_piece: &str, token: Token, out: &str) -> bool {
    match (last.kind, token.kind) {
        (_, TokenKind::Punct(b',' | b')' | b';' | b'.')) | (TokenKind::Punct(b'(' | b'.'), _) => false,
        // A function's or a type's name; not `IN (…)`.
        (TokenKind::Word, TokenKind::Punct(b'(')) => is_reserved(last_piece, DIALECT),
        // A minus between two operands has a blank on either side, a sign is at its number.
        (TokenKind::Operator, TokenKind::Number) if matches!(last_piece, "-" | "+") => {
            let before = out.trim_end_matches(['-', '+']).trim_end();
            let word = before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
            let is_operand = before.ends_with([')', '"', '\'']) || !word.is_empty();
            is_operand && !is_reserved(word, DIALECT)
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str, expect: &str) {
        assert_eq!(line(sql), expect, "{sql}");
        assert_eq!(line(expect), expect, "said again");
    }

    #[test]
    fn quotes_case_blanks_and_comments_do_not_matter() {
        check(
            "Select  \"Name\",[b] -- x\n From `T1` /* y */ wHere A='It''s'",
            "select name, b from t1 where a = 'It''s'",
        );
        check("\"two words\" + \"order\"", "\"two words\" + \"order\"");
        check("COALESCE( a , b )", "coalesce(a, b)");
        check("a IN(1,2) and (b)", "a in (1, 2) and (b)");
        check("t . x->>'$.a'", "t.x ->> '$.a'");
    }

    #[test]
    fn signs_stand_at_their_number() {
        check("- 1", "-1");
        check("a - 1", "a - 1");
        check("a and -1", "a and -1");
        check("(-1)*-2", "(-1) * -2");
    }

    #[test]
    fn longer_texts_have_lines() {
        let view = "AS SELECT a, (SELECT max(b) FROM u) FROM t LEFT JOIN v ON x = y WHERE a > 1";
        insta::assert_snapshot!(lines(view), @r"
        as
        select a, (select max(b) from u)
        from t
        left join v on x = y
        where a > 1
        ");
        let trigger = "AFTER UPDATE OF a ON t WHEN new.a > 1 BEGIN UPDATE t SET a = 1 WHERE id = new.id; DELETE FROM u; END";
        insta::assert_snapshot!(lines(trigger), @r"
        after update of a on t when new.a > 1
        begin
        update t
        set a = 1
        where id = new.id;
        delete
        from u;
        end
        ");
    }
}
