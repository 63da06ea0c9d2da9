//! The tokens of one statement, and the small steps by which a grammar reads them.

use crate::dialect::Dialect;
use crate::name::{Name, ObjectName};
use crate::schema::change::{Change, ChangeKind, Opaque, OpaqueReason};
use crate::sql::lex::{self, Token, TokenKind, Unclosed};
use crate::text::Span;

/// What was expected, and where something else stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Where.
    pub span: Span,
    /// What was expected and what was found, in one line.
    pub why: String,
}

impl Unread {
    /// The change that stands for what could not be read.
    pub fn opaque(self) -> Change {
        Change::new(
            self.span,
            ChangeKind::Opaque(Opaque { reason: OpaqueReason::Syntax, why: self.why, may_make: true }),
        )
    }
}

/// What reading gives.
pub type Read<T> = Result<T, Unread>;

/// How deep statements may stand in each other (a `DO` block in a function in a `DO` block …).
const DEPTH_LIMIT: usize = 8;

/// A place between the tokens of a statement.
#[derive(Clone)]
pub struct Cursor<'a> {
    text: &'a str,
    dialect: Dialect,
    tokens: Vec<Token>,
    /// For each opening parenthesis the number of the token that closes it.
    mates: Vec<u32>,
    at: usize,
    /// Tokens from here on are out of reach.
    end: usize,
    /// How many statements this one stands in.
    depth: usize,
}

impl<'a> Cursor<'a> {
    /// In front of the first token of `text`; a semicolon at its end does not count.
    pub fn new(text: &'a str, dialect: Dialect) -> Self {
        let wrapper = |token: &Token| {
            matches!(
                token.kind,
                TokenKind::ExecutableOpen
                    | TokenKind::ExecutableClose
                    | TokenKind::Delimiter
                    | TokenKind::ClientGo
            )
        };
        let tokens: Vec<Token> = lex::significant(text, dialect).filter(|token| !wrapper(token)).collect();
        let end = tokens.iter().rposition(|token| !token.is_punct(b';')).map_or(0, |last| last + 1);
        Self { text, dialect, mates: mates(&tokens), tokens, at: 0, end, depth: 0 }
    }

    /// In front of the first token of the part `span` of the same text, which is a statement (or several) by itself;
    /// its places are those of the whole text. None where statements stand too deep in each other.
    pub fn nested(&self, span: Span) -> Option<Self> {
        let mut inner = self.nested_text(span.of(self.text))?;
        inner.text = self.text;
        for token in &mut inner.tokens {
            token.span = token.span.shifted(span.start);
        }
        Some(inner)
    }

    /// The same for a statement with a text of its own.
    pub fn nested_text<'b>(&self, text: &'b str) -> Option<Cursor<'b>> {
        let depth = self.depth + 1;
        (depth <= DEPTH_LIMIT).then(|| Cursor { depth, ..Cursor::new(text, self.dialect) })
    }

    /// Whether the statement stands in the body of another one.
    pub fn is_nested(&self) -> bool {
        self.depth > 0
    }

    /// The statement.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Whose grammar it is.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The number of the next token.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Goes back (or ahead) to a token.
    pub fn set(&mut self, at: usize) {
        self.at = at;
    }

    /// The number behind the last token.
    pub fn end(&self) -> usize {
        self.end
    }

    /// Does `read` as if there were only the tokens `from` to (not including) `to`, then comes back to where it was.
    pub fn within<T>(&mut self, from: usize, to: usize, read: impl FnOnce(&mut Self) -> T) -> T {
        let (at, end) = (self.at, self.end);
        (self.at, self.end) = (from, to.min(end));
        let result = read(self);
        (self.at, self.end) = (at, end);
        result
    }

    /// Whether nothing is left.
    pub fn is_done(&self) -> bool {
        self.at >= self.end
    }

    /// The next token.
    pub fn peek(&self) -> Option<Token> {
        self.token(self.at)
    }

    /// The token with the number `at`.
    pub fn token(&self, at: usize) -> Option<Token> {
        if at < self.end { self.tokens.get(at).copied() } else { None }
    }

    /// The text of the token with the number `at`; empty behind the end.
    pub fn word(&self, at: usize) -> &'a str {
        self.token(at).map_or("", |token| token.span.of(self.text))
    }

    /// Steps over the next token.
    pub fn bump(&mut self) -> Option<Token> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    /// Whether the token with the number `at` is the keyword `word` (upper case).
    pub fn word_at(&self, at: usize, word: &str) -> bool {
        self.token(at).is_some_and(|token| token.is_word(self.text, word))
    }

    /// Whether the token with the number `at` is the character `punct`.
    pub fn punct_at(&self, at: usize, punct: u8) -> bool {
        self.token(at).is_some_and(|token| token.is_punct(punct))
    }

    /// Whether the token with the number `at` is the operator `op`.
    pub fn op_at(&self, at: usize, op: &str) -> bool {
        self.token(at).is_some_and(|token| token.kind == TokenKind::Operator && token.text(self.text) == op)
    }

    /// Whether the next tokens are these keywords.
    pub fn is(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(index, word)| self.word_at(self.at + index, word))
    }

    /// Whether the next token is one of these keywords.
    pub fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.word_at(self.at, word))
    }

    /// Steps over these keywords if they come next.
    pub fn eat(&mut self, words: &[&str]) -> bool {
        let found = self.is(words);
        if found {
            self.at += words.len();
        }
        found
    }

    /// Steps over one of these keywords; which one.
    pub fn eat_any(&mut self, words: &[&'static str]) -> Option<&'static str> {
        let found = words.iter().copied().find(|word| self.word_at(self.at, word))?;
        self.at += 1;
        Some(found)
    }

    /// Steps over these keywords, which must come next.
    pub fn expect(&mut self, words: &[&str]) -> Read<()> {
        for word in words {
            if !self.eat(&[word]) {
                return Err(self.unexpected(&format!("`{word}`")));
            }
        }
        Ok(())
    }

    /// Whether the next token is this character.
    pub fn is_punct(&self, punct: u8) -> bool {
        self.punct_at(self.at, punct)
    }

    /// Steps over this character if it comes next.
    pub fn eat_punct(&mut self, punct: u8) -> bool {
        let found = self.is_punct(punct);
        if found {
            self.at += 1;
        }
        found
    }

    /// Steps over this character, which must come next.
    pub fn expect_punct(&mut self, punct: u8) -> Read<()> {
        if self.eat_punct(punct) { Ok(()) } else { Err(self.unexpected(&format!("`{}`", punct as char))) }
    }

    /// Steps over this operator if it comes next.
    pub fn eat_op(&mut self, op: &str) -> bool {
        let found = self.op_at(self.at, op);
        if found {
            self.at += 1;
        }
        found
    }

    /// That every quote and every parenthesis of the statement is closed, and that something stands around each comma.
    pub fn expect_closed(&self) -> Read<()> {
        let mut depth = 0_usize;
        // Statements about the schema are read part by part, and what is right of them is judged all the same.
        let of_rows = ["SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "VALUES", "WITH"];
        let of_rows = of_rows.iter().any(|word| self.word_at(0, word));
        for (at, token) in self.tokens[..self.end].iter().enumerate() {
            let what = match token.kind {
                TokenKind::Unterminated(Unclosed::String) => "the string that begins here is never closed",
                TokenKind::Unterminated(Unclosed::QuotedWord) => "the name that begins here is never closed",
                TokenKind::Unterminated(Unclosed::DollarString) => {
                    "the dollar quote that begins here is never closed"
                }
                TokenKind::Punct(b'(') if self.mate(at) >= self.end => "this parenthesis is never closed",
                TokenKind::Punct(b')') if depth == 0 => "this parenthesis closes nothing",
                TokenKind::Punct(b',') if of_rows && !self.is_between(at) => {
                    "nothing stands beside this comma"
                }
                TokenKind::Punct(b'(') => {
                    depth += 1;
                    continue;
                }
                TokenKind::Punct(b')') => {
                    depth -= 1;
                    continue;
                }
                _ => continue,
            };
            return Err(Unread { span: token.span, why: what.to_owned() });
        }
        Ok(())
    }

    /// Whether the comma with the number `at` parts two things, as it does in all three dialects.
    fn is_between(&self, at: usize) -> bool {
        let ends =
            |at: usize| at >= self.end || [b',', b')', b';'].iter().any(|punct| self.punct_at(at, *punct));
        let is_clause = self.word_at(at + 1, "FROM") || self.word_at(at + 1, "WHERE");
        at > 0 && !self.punct_at(at - 1, b'(') && !ends(at + 1) && !is_clause
    }

    /// That nothing is left.
    pub fn expect_end(&self) -> Read<()> {
        if self.is_done() { Ok(()) } else { Err(self.unexpected("the end of the statement")) }
    }

    /// The error that `wanted` does not come next.
    pub fn unexpected(&self, wanted: &str) -> Unread {
        match self.peek() {
            Some(token) => {
                let found = token.text(self.text);
                let short: String = found.chars().take(40).collect();
                let dots = if short.len() < found.len() { "…" } else { "" };
                Unread {
                    span: Span::new(token.span.start, self.last_end()),
                    why: format!("expected {wanted}, found `{short}{dots}`"),
                }
            }
            None => {
                let end = self.last_end();
                Unread { span: Span::new(end, end), why: format!("expected {wanted}, found the end") }
            }
        }
    }

    fn last_end(&self) -> usize {
        self.end.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(0, |token| token.span.end)
    }

    /// From the token with the number `from` to the last one that was stepped over.
    pub fn span_from(&self, from: usize) -> Span {
        self.span_between(from, self.at)
    }

    /// From the token with the number `from` up to, not including, that with the number `to`.
    pub fn span_between(&self, from: usize, to: usize) -> Span {
        let start = self.tokens.get(from).map_or(self.text.len(), |token| token.span.start);
        let end =
            to.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(start, |token| token.span.end);
        Span::new(start, end.max(start))
    }

    /// Whether the token with the number `at` can be a name.
    pub fn name_at(&self, at: usize) -> bool {
        match self.token(at).map(|token| token.kind) {
            Some(TokenKind::QuotedWord) => true,
            Some(TokenKind::Word) => !super::words::is_reserved(self.word(at), self.dialect),
            _ => false,
        }
    }

    /// A name; a reserved word is none.
    pub fn name(&mut self) -> Read<Name> {
        if self.name_at(self.at) {
            return self.any_name();
        }
        // MySQL and SQLite take strings where a name must stand (`AS 'total'`, `'users'`).
        if self.dialect == Dialect::Sqlite && self.peek().is_some_and(|token| token.kind == TokenKind::String)
        {
            return self.string().map(Name::new);
        }
        Err(self.unexpected("a name"))
    }

    /// A name where also a reserved word can be one (behind a dot, as a label).
    pub fn any_name(&mut self) -> Read<Name> {
        let Some(token) = self.peek() else { return Err(self.unexpected("a name")) };
        let text = token.text(self.text);
        let name = match token.kind {
            TokenKind::Word => Name::unquoted(text, self.dialect),
            TokenKind::QuotedWord => super::literal::quoted_name(text),
            _ => return Err(self.unexpected("a name")),
        };
        self.at += 1;
        Ok(name)
    }

    /// A name of up to three parts; the first of three, the database, is dropped.
    pub fn object_name(&mut self) -> Read<ObjectName> {
        let mut parts = vec![self.name()?];
        while self.is_punct(b'.') && parts.len() < 3 {
            self.at += 1;
            parts.push(self.any_name()?);
        }
        let name = parts.pop().unwrap_or_default();
        Ok(ObjectName { schema: parts.pop(), name })
    }

    /// Names in parentheses.
    pub fn names_in_parens(&mut self) -> Read<Vec<Name>> {
        self.in_parens(Cursor::name)
    }

    /// `( one , two , … )`.
    pub fn in_parens<T>(&mut self, mut one: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        self.expect_punct(b'(')?;
        let all = self.list(&mut one)?;
        self.expect_punct(b')')?;
        Ok(all)
    }

    /// `one , two , …`.
    pub fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let mut all = vec![one(self)?];
        while self.eat_punct(b',') {
            all.push(one(self)?);
        }
        Ok(all)
    }

    /// Whether the next token is a string.
    pub fn is_string(&self) -> bool {
        self.peek().is_some_and(|token| matches!(token.kind, TokenKind::String | TokenKind::DollarString))
    }

    /// The value of a string; PostgreSQL and MySQL join strings that follow each other.
    pub fn string(&mut self) -> Read<String> {
        if !self.is_string() {
            return Err(self.unexpected("a string"));
        }
        let mut value = String::new();
        while let Some(token) = self.peek() {
            match token.kind {
                TokenKind::String => {
                    value.push_str(&super::literal::string(token.text(self.text), self.dialect))
                }
                TokenKind::DollarString if value.is_empty() => {
                    value.push_str(super::literal::dollar_body(token.text(self.text)).0);
                    self.at += 1;
                    break;
                }
                _ => break,
            }
            self.at += 1;
        }
        Ok(value)
    }

    /// A whole number with an optional sign.
    pub fn integer(&mut self) -> Read<i64> {
        let start = self.at;
        let negative = self.eat_op("-");
        if !negative {
            self.eat_op("+");
        }
        let digits =
            self.peek().filter(|token| token.kind == TokenKind::Number).map(|token| token.text(self.text));
        // Beyond 64 bits (MySQL's unsigned maximum) the exact value does not matter.
        let value = digits.and_then(|digits| digits.replace('_', "").parse::<i128>().ok());
        let Some(value) = value else {
            self.at = start;
            return Err(self.unexpected("a whole number"));
        };
        self.at += 1;
        let value = if negative { -value } else { value };
        Ok(i64::try_from(value).unwrap_or(if negative { i64::MIN } else { i64::MAX }))
    }

    /// Steps over `( … )`, whatever is in it; the numbers of the first token inside and of the closing parenthesis.
    pub fn parens(&mut self) -> Read<(usize, usize)> {
        self.expect_punct(b'(')?;
        let from = self.at;
        let close = self.mate(from - 1);
        if close >= self.end {
            self.at = self.end;
            return Err(self.unexpected("`)`"));
        }
        self.at = close + 1;
        Ok((from, close))
    }

    /// The number of the token that closes what the token with the number `open` opens.
    pub fn mate(&self, open: usize) -> usize {
        self.mates.get(open).map_or(self.end, |mate| (*mate as usize).min(self.end))
    }

    /// The number of the first token from here on, outside all parentheses, for which `stop` holds; else the end.
    pub fn find(&self, stop: impl Fn(&Self, usize) -> bool) -> usize {
        let mut at = self.at;
        while at < self.end {
            if stop(self, at) {
                return at;
            }
            at = self.after(at);
        }
        self.end
    }

    /// The number behind the token `at`, or behind what closes it.
    pub fn after(&self, at: usize) -> usize {
        match self.token(at).map(|token| token.kind) {
            Some(TokenKind::Punct(b'(' | b'[' | b'{')) => self.mate(at) + 1,
            _ => at + 1,
        }
    }

    /// Steps over everything up to a comma outside parentheses, or to the end.
    pub fn skip_to_comma(&mut self) {
        self.at = self.find(|cursor, at| cursor.punct_at(at, b','));
    }

    /// Everything that is left, as written; steps over it.
    pub fn rest(&mut self) -> String {
        let span = self.span_between(self.at, self.end);
        self.at = self.end;
        span.of(self.text).to_owned()
    }
}

/// For each opening parenthesis the number of the token that closes it; the number of tokens where none does.
fn mates(tokens: &[Token]) -> Vec<u32> {
    let none = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
    let mut mates = vec![none; tokens.len()];
    let mut open: Vec<usize> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Punct(b'(' | b'[' | b'{') => open.push(at),
            TokenKind::Punct(b')' | b']' | b'}') => {
                if let Some(start) = open.pop() {
                    mates[start] = u32::try_from(at).unwrap_or(u32::MAX);
                }
            }
            _ => {}
        }
    }
    mates
}
