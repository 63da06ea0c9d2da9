//! The machine that finds the next token, over bytes that may not all have arrived.

use super::lex::{Token, TokenKind, Unclosed};
use super::scan::{self, Scan};
use crate::dialect::Dialect;
use crate::text::Span;

/// The lexer's state between two tokens, or in the midst of one whose end has not arrived yet.
#[derive(Debug, Clone)]
pub(super) struct Lexer {
    dialect: Dialect,
    /// Where the next token is looked for.
    pub(super) at: usize,
    /// The token whose end was not in the bytes so far.
    open: Option<Open>,
    /// After `E'…'` a string on a later line goes on with it, and takes its backslashes.
    continues: bool,
    /// Whether a line end came since that string.
    line_end: bool,
    /// Whether we are within MySQL's `/*! … */`.
    executable: bool,
    /// What ends a statement, where that is not `;`.
    pub(super) delimiter: Option<Box<[u8]>>,
}

/// A token whose end was not in the bytes so far: where it starts, and where looking for its end goes on.
#[derive(Debug, Clone, Copy)]
struct Open {
    form: Form,
    start: usize,
    resume: usize,
    depth: usize,
}

/// How the end of a long token is found.
#[derive(Debug, Clone, Copy)]
enum Form {
    Word,
    Quoted { quote: u8, backslash: bool, kind: TokenKind },
    DollarTag,
    Dollar { tag: usize },
    LineComment,
    BlockComment { nests: bool },
}

impl Lexer {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            at: 0,
            open: None,
            continues: false,
            line_end: false,
            executable: false,
            delimiter: None,
        }
    }

    /// The first `by` bytes have been dropped: all offsets move.
    pub(super) fn rebase(&mut self, by: usize) {
        self.at -= by;
        if let Some(open) = &mut self.open {
            open.start -= by;
            open.resume -= by;
        }
    }

    /// Where the next token, or the one that is still open, starts at the earliest.
    pub(super) fn position(&self) -> usize {
        self.open.map_or(self.at, |open| open.start)
    }

    /// The next token. `None` is the end of the text if `last`, else it asks for more bytes: called again with
    /// the same bytes and more behind them, it goes on where it stopped.
    pub(super) fn next(&mut self, bytes: &[u8], last: bool) -> Option<Token> {
        let token = match self.open.take() {
            Some(open) => self.finish(bytes, last, open)?,
            None => {
                self.skip_blanks(bytes);
                let first = *bytes.get(self.at)?;
                match self.delimiter_at(bytes, self.at, last) {
                    Scan::End(end) => self.token(TokenKind::Delimiter, end),
                    Scan::Open(_) => return None,
                    Scan::No => self.start(bytes, last, first)?,
                }
            }
        };
        let token = if self.delimiter.is_some() { self.cut_at_delimiter(bytes, last, token)? } else { token };
        if self.continues && !matches!(token.kind, TokenKind::LineComment | TokenKind::String) {
            self.continues = false;
        }
        self.at = token.span.end;
        Some(token)
    }

    fn token(&self, kind: TokenKind, end: usize) -> Token {
        Token { kind, span: Span::new(self.at, end) }
    }

    fn skip_blanks(&mut self, bytes: &[u8]) {
        let start = self.at;
        while bytes.get(self.at).is_some_and(|byte| scan::is_blank(*byte)) {
            self.at += 1;
        }
        if self.continues && bytes[start..self.at].iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
            self.line_end = true;
        }
    }

    /// The token that starts with `first` at `self.at`.
    fn start(&mut self, bytes: &[u8], last: bool, first: u8) -> Option<Token> {
        let next = bytes.get(self.at + 1).copied();
        if scan::starts_word(first) {
            return self.word(bytes, last, first, next);
        }
        if matches!(first, b'(' | b')' | b',' | b';' | b']' | b'{' | b'}') {
            return Some(self.token(TokenKind::Punct(first), self.at + 1));
        }
        if next.is_none() && !last {
            // All of what follows needs one byte more to be told apart.
            return None;
        }
        match first {
            b'0'..=b'9' => self.number(bytes, last),
            b'.' if next.is_some_and(|byte| byte.is_ascii_digit()) && !self.behind_operand(bytes) => {
                self.number(bytes, last)
            }
            b'.' => Some(self.token(TokenKind::Punct(first), self.at + 1)),
            b'\'' => {
                let backslash = match self.dialect {
                    Dialect::Postgres => self.continues && self.line_end,
                    Dialect::Mysql => true,
                    Dialect::Sqlite => false,
                };
                self.quoted(bytes, last, 1, TokenKind::String, backslash)
            }
            b'"' if self.dialect == Dialect::Mysql => self.quoted(bytes, last, 1, TokenKind::String, true),
            b'"' => self.quoted(bytes, last, 1, TokenKind::QuotedWord, false),
            b'`' if self.dialect != Dialect::Postgres => {
                self.quoted(bytes, last, 1, TokenKind::QuotedWord, false)
            }
            b'[' if self.dialect == Dialect::Sqlite => {
                self.quoted(bytes, last, 1, TokenKind::QuotedWord, false)
            }
            b'[' => Some(self.token(TokenKind::Punct(first), self.at + 1)),
            b'-' if next == Some(b'-') => self.dashes(bytes, last),
            b'#' if self.dialect == Dialect::Mysql => self.comment(bytes, last, Form::LineComment, 1),
            b'/' if next == Some(b'*') => self.block(bytes, last),
            b'*' if next == Some(b'/') && self.executable => {
                self.executable = false;
                Some(self.token(TokenKind::ExecutableClose, self.at + 2))
            }
            b'$' => self.dollar(bytes, last, next),
            b':' => self.colon(bytes, last, next),
            b'?' if self.dialect != Dialect::Postgres => self.marked(bytes, last, TokenKind::Param, 1),
            b'@' if self.dialect != Dialect::Postgres => self.at_sign(bytes, last, next),
            b'\\' if self.dialect == Dialect::Mysql && matches!(next, Some(b'g' | b'G')) => {
                Some(self.token(TokenKind::ClientGo, self.at + 2))
            }
            _ if scan::is_operator(first) => {
                let end = scan::operator(bytes, self.at, self.dialect, last)?;
                Some(self.token(TokenKind::Operator, end))
            }
            _ => Some(self.token(TokenKind::Other, self.at + 1)),
        }
    }

    /// Whether what stands directly before is an operand, so that a `.` or `:` cannot start something.
    fn behind_operand(&self, bytes: &[u8]) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| bytes.get(at)).copied();
        before.is_some_and(|byte| {
            scan::in_word(byte) || matches!(byte, b'.' | b'"' | b'\'' | b'`' | b']' | b')')
        })
    }

    /// A word, or a string with a prefix. One or two letters at the end of the bytes may still become either.
    fn word(&mut self, bytes: &[u8], last: bool, first: u8, next: Option<u8>) -> Option<Token> {
        if matches!(next, Some(b'\'' | b'"' | b'&') | None) {
            let third = bytes.get(self.at + 2).copied();
            match (first.to_ascii_lowercase(), next) {
                (_, None) if !last => return None,
                (b'e', Some(b'\'')) if self.dialect == Dialect::Postgres => {
                    return self.quoted(bytes, last, 2, TokenKind::String, true);
                }
                (b'b' | b'x' | b'n', Some(b'\'')) => {
                    let backslash = self.dialect == Dialect::Mysql;
                    return self.quoted(bytes, last, 2, TokenKind::String, backslash);
                }
                (b'u', Some(b'&')) if self.dialect == Dialect::Postgres => match third {
                    Some(b'\'') => return self.quoted(bytes, last, 3, TokenKind::String, false),
                    Some(b'"') => return self.quoted(bytes, last, 3, TokenKind::QuotedWord, false),
                    None if !last => return None,
                    Some(_) | None => {}
                },
                _ => {}
            }
        }
        self.finish(bytes, last, Open { form: Form::Word, start: self.at, resume: self.at + 1, depth: 0 })
    }

    fn number(&mut self, bytes: &[u8], last: bool) -> Option<Token> {
        let (end, plain) = scan::number(bytes, self.at, last)?;
        // On MySQL an identifier may start with digits.
        let kind = if !plain && self.dialect == Dialect::Mysql { TokenKind::Word } else { TokenKind::Number };
        Some(self.token(kind, end))
    }

    /// A quoted token whose opening quote is the last of `prefix` bytes.
    fn quoted(
        &mut self,
        bytes: &[u8],
        last: bool,
        prefix: usize,
        kind: TokenKind,
        backslash: bool,
    ) -> Option<Token> {
        let quote = match bytes[self.at + prefix - 1] {
            b'[' => b']',
            other => other,
        };
        let form = Form::Quoted { quote, backslash, kind };
        self.finish(bytes, last, Open { form, start: self.at, resume: self.at + prefix, depth: 0 })
    }

    /// `--`: a comment, on MySQL only before a blank
    /// (<https://dev.mysql.com/doc/refman/8.4/en/ansi-diff-comments.html>).
    fn dashes(&mut self, bytes: &[u8], last: bool) -> Option<Token> {
        if self.dialect == Dialect::Mysql {
            match bytes.get(self.at + 2) {
                None if !last => return None,
                Some(byte) if !byte.is_ascii_control() && *byte != b' ' => {
                    return Some(self.token(TokenKind::Operator, self.at + 1));
                }
                Some(_) | None => {}
            }
        }
        self.comment(bytes, last, Form::LineComment, 2)
    }

    fn comment(&mut self, bytes: &[u8], last: bool, form: Form, prefix: usize) -> Option<Token> {
        self.finish(bytes, last, Open { form, start: self.at, resume: self.at + prefix, depth: 1 })
    }

    /// `/*`: a comment, or the start of MySQL's executable one
    /// (<https://dev.mysql.com/doc/refman/8.4/en/comments.html>; MariaDB has `/*M!` too).
    fn block(&mut self, bytes: &[u8], last: bool) -> Option<Token> {
        if self.dialect == Dialect::Mysql {
            // Mark and up to six digits of a version.
            let head = &bytes[self.at + 2..bytes.len().min(self.at + 10)];
            if head.len() < 8 && !last {
                return None;
            }
            let mark = if head.starts_with(b"M!") { 2 } else { usize::from(head.starts_with(b"!")) };
            if mark > 0 {
                let digits = head[mark..].iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
                self.executable = true;
                return Some(self.token(TokenKind::ExecutableOpen, self.at + 2 + mark + digits));
            }
        }
        let nests = self.dialect == Dialect::Postgres;
        self.comment(bytes, last, Form::BlockComment { nests }, 2)
    }

    /// `$1`, a dollar quote, SQLite's `$name`, or a lone `$`.
    fn dollar(&mut self, bytes: &[u8], last: bool, next: Option<u8>) -> Option<Token> {
        match (self.dialect, next) {
            (_, Some(b'0'..=b'9')) => self.marked(bytes, last, TokenKind::Param, 1),
            (Dialect::Postgres, _) => {
                let open = Open { form: Form::DollarTag, start: self.at, resume: self.at + 1, depth: 0 };
                self.finish(bytes, last, open)
            }
            (Dialect::Sqlite, Some(byte)) if scan::in_word(byte) => {
                self.marked(bytes, last, TokenKind::Param, 1)
            }
            // MySQL: an identifier may start with a dollar sign.
            (Dialect::Mysql, _) => self.finish(
                bytes,
                last,
                Open { form: Form::Word, start: self.at, resume: self.at + 1, depth: 0 },
            ),
            (Dialect::Sqlite, _) => Some(self.token(TokenKind::Other, self.at + 1)),
        }
    }

    /// `::`, `:=`, `:name`, `:`.
    fn colon(&mut self, bytes: &[u8], last: bool, next: Option<u8>) -> Option<Token> {
        match next {
            Some(b':' | b'=') => Some(self.token(TokenKind::Operator, self.at + 2)),
            Some(byte) if scan::starts_word(byte) && !self.behind_operand(bytes) => {
                self.marked(bytes, last, TokenKind::Param, 1)
            }
            Some(_) | None => Some(self.token(TokenKind::Punct(b':'), self.at + 1)),
        }
    }

    /// `@name`, `@@name`.
    fn at_sign(&mut self, bytes: &[u8], last: bool, next: Option<u8>) -> Option<Token> {
        let kind = if self.dialect == Dialect::Mysql { TokenKind::Variable } else { TokenKind::Param };
        self.marked(bytes, last, kind, if next == Some(b'@') { 2 } else { 1 })
    }

    /// A word of any length (also none) behind `prefix` bytes. It is cut where it gets absurdly long, so that
    /// looking for its end again costs nothing.
    fn marked(&mut self, bytes: &[u8], last: bool, kind: TokenKind, prefix: usize) -> Option<Token> {
        match scan::word(bytes, self.at + prefix, last) {
            Scan::End(end) => Some(self.token(kind, end)),
            Scan::Open(end) if end - self.at > scan::ABSURD => Some(self.token(kind, end)),
            Scan::Open(_) | Scan::No => None,
        }
    }

    /// Looks for the end of `open`; keeps it if that has not arrived.
    fn finish(&mut self, bytes: &[u8], last: bool, open: Open) -> Option<Token> {
        let Open { form, start, resume, .. } = open;
        self.at = start;
        let mut depth = open.depth;
        let (found, kind, unclosed) = match form {
            Form::Word => (scan::word(bytes, resume, last), TokenKind::Word, None),
            Form::Quoted { quote, backslash, kind } => {
                let unclosed =
                    if kind == TokenKind::String { Unclosed::String } else { Unclosed::QuotedWord };
                (scan::quoted(bytes, resume, quote, backslash, last), kind, Some(unclosed))
            }
            Form::DollarTag => match scan::dollar_tag(bytes, start, resume, last) {
                Scan::End(end) => {
                    let form = Form::Dollar { tag: end - start };
                    return self.finish(bytes, last, Open { form, resume: end, ..open });
                }
                Scan::No => return Some(self.token(TokenKind::Other, start + 1)),
                Scan::Open(resume) => (Scan::Open(resume), TokenKind::Other, None),
            },
            Form::Dollar { tag } => {
                let found = scan::dollar(bytes, resume, &bytes[start..start + tag]);
                (found, TokenKind::DollarString, Some(Unclosed::DollarString))
            }
            Form::LineComment => {
                let carriage_return = self.dialect == Dialect::Postgres;
                (scan::line(bytes, resume, carriage_return, last), TokenKind::LineComment, None)
            }
            Form::BlockComment { nests } => {
                let found = scan::block(bytes, resume, nests, &mut depth);
                (found, TokenKind::BlockComment, Some(Unclosed::Comment))
            }
        };
        match (found, unclosed) {
            (Scan::End(end), _) => {
                if let Form::Quoted { backslash: true, .. } = form
                    && self.dialect == Dialect::Postgres
                {
                    (self.continues, self.line_end) = (true, false);
                } else if kind == TokenKind::String {
                    self.continues = false;
                }
                Some(self.token(kind, end))
            }
            (Scan::Open(_) | Scan::No, Some(unclosed)) if last => {
                Some(self.token(TokenKind::Unterminated(unclosed), bytes.len()))
            }
            (Scan::Open(resume), _) => {
                self.open = Some(Open { form, start, resume, depth });
                None
            }
            (Scan::No, _) => None,
        }
    }

    /// Whether the delimiter stands at `at`; open while its bytes have not all arrived.
    fn delimiter_at(&self, bytes: &[u8], at: usize, last: bool) -> Scan {
        let Some(delimiter) = &self.delimiter else { return Scan::No };
        let rest = &bytes[at..];
        if rest.starts_with(delimiter) {
            Scan::End(at + delimiter.len())
        } else if !last && rest.len() < delimiter.len() && delimiter.starts_with(rest) {
            Scan::Open(at)
        } else {
            Scan::No
        }
    }

    /// The mysql client finds its delimiter anywhere outside quotes and comments, also within a word: `END$$`.
    fn cut_at_delimiter(&mut self, bytes: &[u8], last: bool, token: Token) -> Option<Token> {
        let Span { start, end } = token.span;
        let cuttable = matches!(
            token.kind,
            TokenKind::Word
                | TokenKind::Number
                | TokenKind::Param
                | TokenKind::Variable
                | TokenKind::Operator
                | TokenKind::ExecutableClose
        );
        if !cuttable {
            return Some(token);
        }
        for at in start + 1..end {
            match self.delimiter_at(bytes, at, last) {
                Scan::End(_) => return Some(Token { kind: token.kind, span: Span::new(start, at) }),
                Scan::Open(_) => {
                    self.at = start;
                    return None;
                }
                Scan::No => {}
            }
        }
        Some(token)
    }
}
