//! The words of a statement, one after the other: for recognising the few forms that need no parser.

use crate::dialect::Dialect;
use crate::name::{Name, TableName};
use crate::sql::lex::{Token, TokenKind, significant};

/// A statement's tokens without its comments.
#[derive(Debug, Clone)]
pub struct Words<'a> {
    sql: &'a str,
    dialect: Dialect,
    tokens: Vec<Token>,
    at: usize,
}

impl<'a> Words<'a> {
    /// The words of `sql`.
    pub fn new(sql: &'a str, dialect: Dialect) -> Self {
        Self { sql, dialect, tokens: significant(sql, dialect).collect(), at: 0 }
    }

    /// The words of the first `most` tokens of `sql`.
    pub fn first(sql: &'a str, dialect: Dialect, most: usize) -> Self {
        Self { sql, dialect, tokens: significant(sql, dialect).take(most).collect(), at: 0 }
    }

    /// The next token in upper case, without going on; empty at the end. A name or string in quotes is no word.
    pub fn peek_upper(&self) -> String {
        match self.tokens.get(self.at) {
            Some(token) if matches!(token.kind, TokenKind::QuotedWord | TokenKind::String) => "'".to_owned(),
            Some(token) => token.text(self.sql).to_ascii_uppercase(),
            None => String::new(),
        }
    }

    /// The next token in upper case; empty at the end.
    pub fn next_upper(&mut self) -> String {
        let word = self.peek_upper();
        self.at += 1;
        word
    }

    /// Whether nothing is left.
    pub fn is_over(&self) -> bool {
        self.at >= self.tokens.len()
    }

    /// Goes past `word` if it is next.
    pub fn skip(&mut self, word: &str) -> bool {
        let found = self.peek_upper() == word;
        if found {
            self.at += 1;
        }
        found
    }

    /// Goes past `words` if they are all next.
    pub fn skip_all(&mut self, words: &[&str]) -> bool {
        let start = self.at;
        let found = words.iter().all(|word| self.skip(word));
        if !found {
            self.at = start;
        }
        found
    }

    /// Whether `word` stands anywhere in what is left, outside quotes.
    pub fn has(&self, word: &str) -> bool {
        self.tokens[self.at.min(self.tokens.len())..]
            .iter()
            .any(|token| token.kind == TokenKind::Word && token.text(self.sql).eq_ignore_ascii_case(word))
    }

    /// The identifier that is next.
    pub fn name(&mut self) -> Option<Name> {
        let token = self.tokens.get(self.at)?;
        let text = token.text(self.sql);
        let name = match token.kind {
            TokenKind::Word => Name::unquoted(text, self.dialect),
            TokenKind::QuotedWord => unquote(text)?,
            _ => return None,
        };
        self.at += 1;
        Some(name)
    }

    /// The name of a relation that is next, with its schema if it has one.
    pub fn table(&mut self) -> Option<TableName> {
        let first = self.name()?;
        if !self.skip(".") {
            return Some(TableName::bare(first));
        }
        Some(TableName::qualified(first, self.name()?))
    }

    /// Goes past one token.
    pub fn advance(&mut self) {
        self.at += 1;
    }
}

/// The identifier in `"a"`, `` `a` `` or `[a]`; `None` for PostgreSQL's `U&"…"`, whose escapes nobody writes here.
fn unquote(text: &str) -> Option<Name> {
    let quote = text.chars().next()?;
    let close = match quote {
        '"' | '`' => quote,
        '[' => ']',
        _ => return None,
    };
    let inner = text.get(1..)?.strip_suffix(close)?;
    Some(Name::new(inner.replace(&format!("{close}{close}"), &close.to_string())))
}
