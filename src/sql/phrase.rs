//! Reads one statement word by word, for questions that its first words answer. It lexes no further than it is asked.

use super::lex::{Token, TokenKind, Tokens, tokens};
use crate::dialect::Dialect;
use crate::name::{Name, TableName};

/// A place in a statement.
#[derive(Debug, Clone)]
pub struct Phrase<'a> {
    text: &'a str,
    dialect: Dialect,
    tokens: Tokens<'a>,
    next: Option<Token>,
}

impl<'a> Phrase<'a> {
    /// The start of `text`. Comments are not seen, nor are the marks of MySQL's `/*! … */`.
    pub fn new(text: &'a str, dialect: Dialect) -> Self {
        let mut phrase = Self { text, dialect, tokens: tokens(text, dialect), next: None };
        phrase.step();
        phrase
    }

    /// Whose grammar it is.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The whole statement.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The next token.
    pub fn peek(&self) -> Option<Token> {
        self.next
    }

    /// The text of `token`, which is one of this statement.
    pub fn text_of(&self, token: Token) -> &'a str {
        token.text(self.text)
    }

    /// Whether nothing but a semicolon is left.
    pub fn is_done(&self) -> bool {
        self.next.is_none_or(|token| token.is_punct(b';'))
    }

    /// Takes the next token.
    pub fn step(&mut self) -> Option<Token> {
        let token = self.next;
        let marks = |token: &Token| {
            token.is_comment() || matches!(token.kind, TokenKind::ExecutableOpen | TokenKind::ExecutableClose)
        };
        self.next = self.tokens.by_ref().find(|token| !marks(token));
        token
    }

    /// Whether the next tokens are `words`, keywords with one blank between them.
    pub fn sees(&self, words: &str) -> bool {
        let (first, rest) = words.split_once(' ').unwrap_or((words, ""));
        if !self.next.is_some_and(|token| token.is_word(self.text, first)) {
            return false;
        }
        let mut ahead = self.clone();
        ahead.step();
        rest.is_empty() || ahead.sees(rest)
    }

    /// Whether one of `words` is next.
    pub fn sees_any(&self, words: &[&str]) -> bool {
        words.iter().any(|words| self.sees(words))
    }

    /// Takes `words` if they are next.
    pub fn eats(&mut self, words: &str) -> bool {
        let sees = self.sees(words);
        if sees {
            words.split(' ').for_each(|_| {
                self.step();
            });
        }
        sees
    }

    /// Takes the first of `words` that is next, and gives it.
    pub fn eats_any<'w>(&mut self, words: &[&'w str]) -> Option<&'w str> {
        words.iter().find(|words| self.eats(words)).copied()
    }

    /// Takes the character `punct` if it is next.
    pub fn eats_punct(&mut self, punct: u8) -> bool {
        let sees = self.next.is_some_and(|token| token.is_punct(punct));
        if sees {
            self.step();
        }
        sees
    }

    /// Takes the operator `operator` if it is next.
    pub fn eats_operator(&mut self, operator: &str) -> bool {
        let sees = self
            .next
            .is_some_and(|token| token.kind == TokenKind::Operator && token.text(self.text) == operator);
        if sees {
            self.step();
        }
        sees
    }

    /// Takes the next token if it can be a name. Reserved words are not told apart. What is written with Unicode
    /// escapes (`U&"…"`) is none, since its spelling is not known here.
    pub fn name(&mut self) -> Option<Name> {
        let name = name(self.next?, self.text, self.dialect)?;
        self.step();
        Some(name)
    }

    /// Takes a name with up to one schema before it; a third part (the database) is left out.
    pub fn table(&mut self) -> Option<TableName> {
        let mut parts = vec![self.name()?];
        while self.eats_punct(b'.') {
            parts.push(self.name()?);
        }
        let name = parts.pop()?;
        Some(TableName { schema: parts.pop(), name })
    }

    /// Takes what stands in parentheses, with them, if a parenthesis is next.
    pub fn skip_group(&mut self) -> bool {
        if !self.eats_punct(b'(') {
            return false;
        }
        let mut depth = 1;
        while depth > 0 {
            match self.step() {
                Some(token) if token.is_punct(b'(') => depth += 1,
                Some(token) if token.is_punct(b')') => depth -= 1,
                Some(_) => {}
                None => break,
            }
        }
        true
    }

    /// Goes on to the next `words` of this statement outside parentheses and takes them; false at its end.
    pub fn finds(&mut self, words: &str) -> bool {
        while !self.is_done() {
            if self.eats(words) {
                return true;
            }
            if !self.skip_group() {
                self.step();
            }
        }
        false
    }
}

/// The name that `token` writes, as the server stores it; none if it is not a name or has Unicode escapes.
pub fn name(token: Token, text: &str, dialect: Dialect) -> Option<Name> {
    let written = token.text(text);
    match token.kind {
        TokenKind::Word => Some(Name::unquoted(written, dialect)),
        TokenKind::QuotedWord => {
            let open = written.chars().next().filter(|open| matches!(open, '"' | '`' | '['))?;
            let inner = written.get(1..written.len() - 1)?;
            Some(Name::new(match open {
                '[' => inner.to_owned(),
                quote => undoubled(inner, quote),
            }))
        }
        // SQLite takes a string where a name must stand (https://sqlite.org/lang_keywords.html).
        TokenKind::String if dialect == Dialect::Sqlite => plain_string(token, text).map(Name::new),
        _ => None,
    }
}

/// The value of a plain string literal (`'it''s'`); none for prefixed ones and where a backslash could be an escape.
pub fn plain_string(token: Token, text: &str) -> Option<String> {
    let written = token.text(text);
    let inner = written.strip_prefix('\'')?.strip_suffix('\'')?;
    (token.kind == TokenKind::String && !inner.contains('\\')).then(|| undoubled(inner, '\''))
}

/// What stands between quotes, each doubled one taken once.
fn undoubled(inner: &str, quote: char) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut characters = inner.chars().peekable();
    while let Some(character) = characters.next() {
        out.push(character);
        if character == quote {
            characters.next_if_eq(&quote);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_groups_and_names() {
        let mut phrase = Phrase::new(
            "ALTER /* x */ table if exists Public.\"A\"\"b\" add (a, (b)), drop c;",
            Dialect::Postgres,
        );
        assert!(phrase.sees("alter table") && !phrase.sees("alter table only"));
        assert!(phrase.eats("alter table") && phrase.eats_any(&["only", "if exists"]) == Some("if exists"));
        let table = phrase.table().unwrap();
        assert_eq!((table.schema.unwrap().as_str(), table.name.as_str()), ("public", "A\"b"));
        assert!(phrase.eats("add") && phrase.skip_group() && phrase.eats_punct(b','));
        assert!(phrase.finds("c") && phrase.is_done() && !phrase.finds("c"));
    }

    #[test]
    fn names_of_each_dialect() {
        let name = |text, dialect| Phrase::new(text, dialect).name().map(|name| name.as_str().to_owned());
        assert_eq!(name("`a``b`", Dialect::Mysql).as_deref(), Some("a`b"));
        assert_eq!(name("[a]", Dialect::Sqlite).as_deref(), Some("a"));
        assert_eq!(name("U&\"a\"", Dialect::Postgres), None);
        assert_eq!(name("'a'", Dialect::Postgres), None);
        assert_eq!(name("'a'", Dialect::Sqlite).as_deref(), Some("a"));
        assert_eq!(name("/*!50003 a*/", Dialect::Mysql).as_deref(), Some("a"));
    }
}
