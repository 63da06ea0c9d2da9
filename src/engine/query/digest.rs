//! The texts of MySQL's digests: a list of values is `(...)` in them, which is no SQL
//! (<https://dev.mysql.com/doc/refman/8.4/en/performance-schema-statement-digests.html>).

use crate::dialect::Dialect;
use crate::engine::read::words;
use crate::sql::lex::{Token, TokenKind, significant};

/// A digest's text with its lists opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The text, with parameters instead of the dots: as many as the columns that an `INSERT` lists, else one.
    pub text: String,
    /// Whether it holds a row for an `INSERT` that lists no columns, so that nobody knows how many values it has.
    pub is_guess: bool,
}

/// `text` with its lists opened; none where it has none.
pub fn opened(text: &str, dialect: Dialect) -> Option<Opened> {
    if dialect != Dialect::Mysql || !text.contains("...") {
        return None;
    }
    let tokens: Vec<Token> = significant(text, dialect).collect();
    let is_insert =
        tokens.first().is_some_and(|first| first.is_word(text, "insert") || first.is_word(text, "replace"));
    let (mut out, mut end, mut found, mut is_guess) = (String::new(), 0, false, false);
    for (at, window) in tokens.windows(2).enumerate() {
        let Some(last) = closing(&tokens[at..]).filter(|_| window[0].is_punct(b'(')) else { continue };
        let before = at.checked_sub(1).map(|before| tokens[before]);
        let is_row = is_insert
            && before.is_some_and(|token| token.is_word(text, "values") || token.is_word(text, "value"));
        let columns = if is_row { listed(&tokens[..at - 1]) } else { Some(1) };
        is_guess |= columns.is_none();
        out.push_str(&text[end..window[0].span.end]);
        out.push_str(&vec!["?"; columns.unwrap_or(1)].join(", "));
        end = tokens[at + last].span.start;
        found = true;
    }
    out.push_str(&text[end..]);
    found.then_some(Opened { text: out, is_guess })
}

/// `text` with the names in small letters that the server has written in capitals: it does that with each word that is
/// one of its keywords, also where it is somebody's name, such as `name`.
pub fn small_names(text: &str) -> String {
    let (mut out, mut end) = (String::with_capacity(text.len()), 0);
    for token in significant(text, Dialect::Mysql) {
        let word = token.text(text);
        if token.kind == TokenKind::Word && !words::is_reserved(word, Dialect::Mysql) {
            out.push_str(&text[end..token.span.start]);
            out.push_str(&word.to_lowercase());
            end = token.span.end;
        }
    }
    out.push_str(&text[end..]);
    out
}

/// The number of the `)` of the `(...)` that `tokens` start with.
fn closing(tokens: &[Token]) -> Option<usize> {
    let dots = tokens.iter().skip(1).take_while(|token| token.is_punct(b'.')).count();
    (dots == 3 && tokens.get(4).is_some_and(|token| token.is_punct(b')'))).then_some(4)
}

/// How many names the parentheses at the end of `tokens` hold; none where there are no parentheses, or one in another.
fn listed(tokens: &[Token]) -> Option<usize> {
    let (last, rest) = tokens.split_last()?;
    if !last.is_punct(b')') {
        return None;
    }
    let open = rest.iter().rposition(|token| token.is_punct(b'('))?;
    let commas = rest[open..].iter().filter(|token| token.is_punct(b',')).count();
    (rest.len() > open + 1).then_some(commas + 1)
}

#[cfg(test)]
mod tests {
    use super::opened;
    use crate::dialect::Dialect;

    #[test]
    fn keywords_that_are_names_are_small() {
        let found = super::small_names("SELECT NAME , `Old` FROM `t` WHERE STATUS = ?");
        assert_eq!(found, "SELECT name , `Old` FROM `t` WHERE status = ?");
    }

    #[test]
    fn lists_get_as_many_parameters_as_there_are_columns() {
        let check = |text: &str, expect: &str, guess: bool| {
            let found = opened(text, Dialect::Mysql).unwrap();
            assert_eq!((found.text.as_str(), found.is_guess), (expect, guess));
        };
        check("SELECT `a` FROM `t` WHERE `b` IN (...)", "SELECT `a` FROM `t` WHERE `b` IN (?)", false);
        check(
            "INSERT INTO `t` ( `a` , `b` ) VALUES (...)",
            "INSERT INTO `t` ( `a` , `b` ) VALUES (?, ?)",
            false,
        );
        check("INSERT INTO `t` VALUES (...)", "INSERT INTO `t` VALUES (?)", true);
        check("SELECT f (...) , ( ... )", "SELECT f (?) , (?)", false);
        for text in ["SELECT 1", "SELECT a FROM t WHERE ..."] {
            assert_eq!(opened(text, Dialect::Mysql), None, "{text}");
        }
        assert_eq!(opened("SELECT (...)", Dialect::Postgres), None);
    }
}
