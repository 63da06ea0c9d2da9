//! Cuts SQL text into statements, over bytes that may arrive in parts: the machine behind `split` and `reader`.

use super::body::{Body, Flow};
use super::lex::{Token, TokenKind, Unclosed};
use super::lexer::Lexer;
use super::scan::{self, Scan};
use super::split::Unterminated;
use crate::dialect::Dialect;
use crate::text::Span;

/// What [`Cutter::next`] found; all offsets are into the bytes that it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cut {
    /// A statement.
    Statement(Piece),
    /// Some rows of the `COPY` that came last.
    Rows(Span),
    /// The rows have ended; what follows starts at this offset.
    RowsEnd(usize),
    /// More bytes are needed.
    More,
    /// The text has ended; what is left of it holds no statement.
    End {
        /// Blank space and comments behind the last statement.
        tail: Span,
    },
}

/// A statement; its three spans touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) leading: Span,
    pub(super) text: Span,
    pub(super) rest: Span,
    pub(super) kind: PieceKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PieceKind {
    Sql,
    /// [`Cut::Rows`] follow.
    Copy,
    ClientCommand,
}

/// What is read next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Sql,
    /// A client's line; it has been looked at up to `resume`.
    Line {
        start: usize,
        resume: usize,
    },
    /// The rest of the line behind `COPY … FROM stdin;`.
    CopyLine {
        piece: Piece,
    },
    Rows {
        line_start: bool,
        /// Where they started, in the whole text.
        opened: usize,
    },
    /// A `COPY` whose rows are not where they should be.
    NoRows,
    Done,
}

/// The machine.
#[derive(Debug, Clone)]
pub(super) struct Cutter {
    dialect: Dialect,
    lexer: Lexer,
    mode: Mode,
    body: Body,
    /// Where the blank space and the comments before the current statement start.
    leading: usize,
    /// Where its text starts, once it has.
    start: Option<usize>,
    /// Where its text ends, as far as it is known.
    end: usize,
    /// How many bytes have been dropped.
    dropped: usize,
    /// What the text left open, with its offset in the whole text; known at its end.
    pub(super) unterminated: Option<Unterminated>,
}

impl Cutter {
    /// Starts at offset `at`, behind a byte order mark if there is one.
    pub(super) fn new(dialect: Dialect, at: usize) -> Self {
        let mut cutter = Self {
            dialect,
            lexer: Lexer::new(dialect),
            mode: Mode::Sql,
            body: Body::Start,
            leading: 0,
            start: None,
            end: 0,
            dropped: 0,
            unterminated: None,
        };
        cutter.start_at(at);
        cutter
    }

    /// Goes to where the text starts; before anything was read.
    pub(super) fn start_at(&mut self, at: usize) {
        (self.lexer.at, self.leading, self.end) = (at, at, at);
    }

    /// Bytes before this offset are not needed any more, but for the blank space and comments before the
    /// statement, which start at [`Cutter::leading`].
    pub(super) fn needed_from(&self) -> usize {
        match self.mode {
            Mode::Sql => self.start.unwrap_or(self.lexer.position()),
            Mode::Line { start, .. } => start,
            Mode::CopyLine { piece } => piece.text.start,
            Mode::Rows { .. } | Mode::NoRows | Mode::Done => self.lexer.at,
        }
    }

    /// Where the blank space and the comments before the current statement start.
    pub(super) fn leading(&self) -> usize {
        match self.mode {
            Mode::CopyLine { piece } => piece.leading.start,
            Mode::Sql | Mode::Line { .. } | Mode::Rows { .. } | Mode::NoRows | Mode::Done => self.leading,
        }
    }

    /// The first `by` bytes have been dropped: all offsets move.
    pub(super) fn rebase(&mut self, by: usize) {
        self.lexer.rebase(by);
        self.dropped += by;
        self.leading = self.leading.saturating_sub(by);
        self.end = self.end.saturating_sub(by);
        if let Some(start) = &mut self.start {
            *start -= by;
        }
        match &mut self.mode {
            Mode::Line { start, resume } => {
                *start -= by;
                *resume -= by;
            }
            Mode::CopyLine { piece } => {
                let moved = |span: Span| Span::new(span.start.saturating_sub(by), span.end - by);
                *piece = Piece {
                    leading: moved(piece.leading),
                    text: moved(piece.text),
                    rest: moved(piece.rest),
                    kind: piece.kind,
                };
            }
            Mode::Sql | Mode::Rows { .. } | Mode::NoRows | Mode::Done => {}
        }
    }

    /// The next statement, or what else there is. `last` says that no bytes will follow.
    pub(super) fn next(&mut self, bytes: &[u8], last: bool) -> Cut {
        match self.mode {
            Mode::Sql => self.sql(bytes, last),
            Mode::Line { start, resume } => self.line(bytes, last, start, resume),
            Mode::CopyLine { piece } => self.copy_line(bytes, last, piece),
            Mode::Rows { line_start, opened } => self.rows(bytes, last, line_start, opened),
            Mode::NoRows => {
                self.mode = Mode::Sql;
                Cut::RowsEnd(self.lexer.at)
            }
            Mode::Done => Cut::End { tail: Span::new(self.leading, bytes.len()) },
        }
    }

    fn sql(&mut self, bytes: &[u8], last: bool) -> Cut {
        loop {
            let Some(token) = self.lexer.next(bytes, last) else {
                return if last { self.finish(bytes) } else { Cut::More };
            };
            if token.is_comment() {
                if token.kind == TokenKind::Unterminated(Unclosed::Comment) {
                    self.leave_open("comment".to_owned(), token.span.start);
                }
                continue;
            }
            let text = &bytes[token.span.start..token.span.end];
            match self.is_client_line(bytes, last, token, text) {
                Some(false) => {}
                Some(true) => {
                    let at = token.span.start;
                    self.mode = Mode::Line { start: at, resume: at };
                    return match self.start {
                        Some(_) => Cut::Statement(self.piece(at)),
                        None => self.line(bytes, last, at, at),
                    };
                }
                None => {
                    self.lexer.at = token.span.start;
                    return Cut::More;
                }
            }
            if let TokenKind::Unterminated(unclosed) = token.kind {
                self.leave_open(unclosed_name(unclosed, text), token.span.start);
            }
            if self.take(token, text) == Flow::Part {
                continue;
            }
            if self.start.is_none() {
                // An empty statement: its comments belong to the next one.
                self.body = Body::Start;
                continue;
            }
            let copies = self.body.copies_from_stdin();
            let piece = self.piece(token.span.end);
            if copies {
                return self.copy_line(bytes, last, Piece { kind: PieceKind::Copy, ..piece });
            }
            return Cut::Statement(piece);
        }
    }

    /// Whether `token` ends the statement; if not, the statement holds it.
    fn take(&mut self, token: Token, text: &[u8]) -> Flow {
        let semicolon = token.is_punct(b';');
        let flow = match token.kind {
            TokenKind::Delimiter | TokenKind::ClientGo => Flow::End,
            _ => self.body.take(self.dialect, token, text),
        };
        // With a delimiter of the client's, the `;` of a stored program never end it.
        if flow == Flow::End && !(semicolon && self.lexer.delimiter.is_some() && self.body.is_program()) {
            return Flow::End;
        }
        if !semicolon {
            self.start.get_or_insert(token.span.start);
            self.end = token.span.end;
        }
        Flow::Part
    }

    /// Whether `token` starts a line for the client; `None` asks for more bytes.
    fn is_client_line(&self, bytes: &[u8], last: bool, token: Token, text: &[u8]) -> Option<bool> {
        match self.dialect {
            Dialect::Postgres => Some(self.start.is_none() && text == b"\\"),
            Dialect::Sqlite => Some(self.start.is_none() && text == b"."),
            Dialect::Mysql if text.eq_ignore_ascii_case(b"delimiter") && token.kind == TokenKind::Word => {
                match self.start {
                    None => Some(true),
                    Some(start) => delimiter_line(bytes, last, start, token.span),
                }
            }
            Dialect::Mysql => {
                Some(self.start.is_none() && (text == b"\\" || text.eq_ignore_ascii_case(b"source")))
            }
        }
    }

    /// A line for the client, which starts at `start`.
    fn line(&mut self, bytes: &[u8], last: bool, start: usize, resume: usize) -> Cut {
        let end = match bytes[resume..].iter().position(|byte| *byte == b'\n') {
            Some(length) => resume + length + 1,
            None if last => bytes.len(),
            None => {
                self.mode = Mode::Line { start, resume: bytes.len() };
                return Cut::More;
            }
        };
        let text = bytes[start..end].trim_ascii_end();
        self.delimiter(text);
        let text = Span::new(start, start + text.len());
        let piece = Piece {
            leading: Span::new(self.leading, start),
            text,
            rest: Span::new(text.end, end),
            kind: PieceKind::ClientCommand,
        };
        self.mode = Mode::Sql;
        self.leading = end;
        self.lexer.at = end;
        Cut::Statement(piece)
    }

    /// Takes the delimiter from a `DELIMITER x` line: its first word, perhaps in quotes, as the mysql client does
    /// (<https://dev.mysql.com/doc/refman/8.4/en/mysql-commands.html>).
    fn delimiter(&mut self, line: &[u8]) {
        if self.dialect != Dialect::Mysql || !line.to_ascii_lowercase().starts_with(b"delimiter") {
            return;
        }
        let word = line[b"delimiter".len()..].trim_ascii_start();
        let word = match word.first() {
            Some(quote @ (b'\'' | b'"' | b'`')) => word[1..].split(|byte| byte == quote).next(),
            _ => word.split(u8::is_ascii_whitespace).next(),
        };
        match word {
            Some(word) if !word.is_empty() => {
                self.lexer.delimiter = (word != b";").then(|| word.into());
            }
            Some(_) | None => {}
        }
    }

    /// The rest of the line behind `COPY … FROM stdin;`. The rows start on the next line, as in psql.
    fn copy_line(&mut self, bytes: &[u8], last: bool, piece: Piece) -> Cut {
        let from = piece.rest.end;
        let line = &bytes[from..];
        let length = line.iter().take(scan::ABSURD).position(|byte| *byte == b'\n');
        if length.is_none() && !last && line.len() < scan::ABSURD {
            self.mode = Mode::CopyLine { piece };
            return Cut::More;
        }
        let end = length.map_or(bytes.len(), |length| from + length + 1);
        let behind = bytes[from..end].trim_ascii();
        if behind.is_empty() || behind.starts_with(b"--") {
            self.mode = Mode::Rows { line_start: true, opened: self.dropped + end };
            self.lexer.at = end;
            self.leading = end;
            return Cut::Statement(Piece { rest: Span::new(piece.rest.start, end), ..piece });
        }
        // psql would read the rows from the next line and then go on here; nobody writes that.
        self.mode = Mode::NoRows;
        Cut::Statement(piece)
    }

    fn rows(&mut self, bytes: &[u8], last: bool, mut line_start: bool, opened: usize) -> Cut {
        let from = self.lexer.at;
        let mut at = from;
        let end = loop {
            if line_start {
                match last_row(bytes, at, last) {
                    Scan::End(end) => break Some(end),
                    Scan::Open(_) => break None,
                    Scan::No => {}
                }
            }
            match bytes[at..].iter().position(|byte| *byte == b'\n') {
                Some(length) => at += length + 1,
                None => {
                    line_start = at == bytes.len() && line_start;
                    at = bytes.len();
                    break None;
                }
            }
            line_start = true;
        };
        self.lexer.at = at;
        if at > from {
            self.mode = Mode::Rows { line_start, opened };
            return Cut::Rows(Span::new(from, at));
        }
        let end = match end {
            Some(end) => end,
            None if !last => return Cut::More,
            None => {
                self.unterminated.get_or_insert(Unterminated { what: COPY_ROWS.to_owned(), at: opened });
                bytes.len()
            }
        };
        self.mode = Mode::Sql;
        self.leading = end;
        self.lexer.at = end;
        Cut::RowsEnd(end)
    }

    /// The current statement, which has started; its rest goes up to `end`.
    fn piece(&mut self, end: usize) -> Piece {
        let start = self.start.take().unwrap_or(end);
        let piece = Piece {
            leading: Span::new(self.leading, start),
            text: Span::new(start, self.end),
            rest: Span::new(self.end, end),
            kind: PieceKind::Sql,
        };
        self.leading = end;
        self.body = Body::Start;
        piece
    }

    fn leave_open(&mut self, what: String, at: usize) {
        let at = self.dropped + at;
        self.unterminated.get_or_insert(Unterminated { what, at });
    }

    /// The end of the text.
    fn finish(&mut self, bytes: &[u8]) -> Cut {
        self.mode = Mode::Done;
        let Some(start) = self.start else {
            return Cut::End { tail: Span::new(self.leading, bytes.len()) };
        };
        if let Some(what) = self.body.unclosed() {
            self.leave_open(what.to_owned(), start);
        }
        let copies = self.body.copies_from_stdin();
        let piece = self.piece(bytes.len());
        if copies {
            self.leave_open(COPY_ROWS.to_owned(), start);
            self.lexer.at = bytes.len();
            self.mode = Mode::Rows { line_start: true, opened: self.dropped + bytes.len() };
            return Cut::Statement(Piece { kind: PieceKind::Copy, ..piece });
        }
        Cut::Statement(piece)
    }
}

/// Whether the word `DELIMITER` at `word`, in the midst of the statement that starts at `start`, is the client's
/// all the same: first on its line, with something behind it that can only be a delimiter.
fn delimiter_line(bytes: &[u8], last: bool, start: usize, word: Span) -> Option<bool> {
    let before = bytes[start..word.start].iter().rev().find(|byte| !matches!(byte, b' ' | b'\t'));
    if before != Some(&b'\n') {
        return Some(false);
    }
    let line = &bytes[word.end..bytes.len().min(word.end + 256)];
    let end = line.iter().position(|byte| *byte == b'\n');
    if end.is_none() && !last && line.len() < 256 {
        return None;
    }
    let line = line[..end.unwrap_or(line.len())].trim_ascii();
    let marks = |byte: &u8| {
        matches!(byte, b';' | b'$' | b'/' | b'|' | b'#' | b'@' | b'!' | b'&' | b'^' | b'~' | b'\\' | b'%')
    };
    Some(!line.is_empty() && line.iter().all(marks))
}

/// The line `\.`, which ends the rows of a `COPY`, at `at`, where a line starts.
fn last_row(bytes: &[u8], at: usize, last: bool) -> Scan {
    let rest = &bytes[at..];
    for (end, needs_more) in [(&b"\\.\n"[..], 3), (b"\\.\r\n", 4)] {
        if rest.starts_with(end) {
            return Scan::End(at + needs_more);
        }
        if rest.len() < needs_more && end.starts_with(rest) {
            return match last {
                true if rest.len() >= 2 => Scan::End(bytes.len()),
                true => Scan::No,
                false => Scan::Open(at),
            };
        }
    }
    Scan::No
}

const COPY_ROWS: &str = "rows of COPY, which end with the line \\.";

fn unclosed_name(unclosed: Unclosed, text: &[u8]) -> String {
    match unclosed {
        Unclosed::String => "string".to_owned(),
        Unclosed::QuotedWord => "quoted identifier".to_owned(),
        Unclosed::Comment => "comment".to_owned(),
        Unclosed::DollarString => {
            let tag = text.iter().skip(1).position(|byte| *byte == b'$').map_or(0, |at| at + 2);
            format!("dollar quote {}", String::from_utf8_lossy(&text[..tag]))
        }
    }
}
