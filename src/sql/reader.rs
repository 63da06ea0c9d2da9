//! Splits a text that is too large to be held, as its bytes arrive.
//!
//! What is held is the statement that is being read, with up to 64 KiB of the comments above it, and what was fed
//! last; the rows of a `COPY` are passed on as they come. The statements are those of [`split`](super::split::split).

use super::cut::{Cut, Cutter, Piece, PieceKind};
use super::split::Unterminated;
use crate::dialect::Dialect;
use crate::text::Span;

/// Comments above a statement that are kept for it, in bytes.
const LEADING_BYTES: usize = 64 * 1024;

/// The machine: [`feed`](Splitter::feed) it bytes, say where they [`end`](Splitter::end), and
/// [`pull`](Splitter::pull) what there is in between.
#[derive(Debug, Clone)]
pub struct Splitter {
    cutter: Cutter,
    buffer: Vec<u8>,
    /// Offset of the buffer in the whole text.
    base: usize,
    /// The buffer is good text up to here.
    checked: usize,
    /// What makes the text useless from `checked` on.
    broken: Option<Broken>,
    /// The buffer's lines have been counted up to here.
    counted: usize,
    /// Line of `counted`, from 1.
    line: usize,
    /// Line of the statement that was given last.
    last_line: usize,
    ended: bool,
    /// Whether the start of the text was looked at for a byte order mark.
    started: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    InvalidUtf8,
    Nul,
}

/// What [`Splitter::pull`] gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// A statement.
    Statement(ReadStatement),
    /// Some rows of the `COPY` before, in whole characters.
    Rows(Vec<u8>),
    /// The rows have ended.
    RowsEnd,
    /// More bytes are to be fed, or their end to be said.
    NeedMore,
    /// The text has ended.
    End,
    /// The text has ended within this; a statement that it would belong to was not given.
    Unterminated {
        /// What was opened, and its offset in the whole text.
        open: Unterminated,
        /// Line, from 1.
        line: usize,
    },
    /// The text is not UTF-8.
    InvalidUtf8 {
        /// Offset of the first byte that is wrong.
        offset: usize,
    },
    /// The text holds a NUL byte, which no server takes.
    Nul {
        /// Its offset.
        offset: usize,
    },
}

/// A statement of a text that is not held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadStatement {
    /// Its text.
    pub text: String,
    /// The blank space and the comments above it, or the last 64 KiB of them.
    pub leading: String,
    /// Line of its first word, from 1.
    pub line: usize,
    /// Offset of its text in the whole.
    pub offset: usize,
    /// What kind of input it is.
    pub kind: ReadKind,
}

/// What kind of input a [`ReadStatement`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadKind {
    /// SQL for the server.
    Sql,
    /// `COPY … FROM stdin`: [`Next::Rows`] follow, up to [`Next::RowsEnd`].
    Copy,
    /// A line for the client.
    ClientCommand,
}

impl Splitter {
    /// At the start of a text.
    pub fn new(dialect: Dialect) -> Self {
        Self {
            cutter: Cutter::new(dialect, 0),
            buffer: Vec::new(),
            base: 0,
            checked: 0,
            broken: None,
            counted: 0,
            line: 1,
            last_line: 1,
            ended: false,
            started: false,
        }
    }

    /// Takes the next bytes of the text. What was given before is dropped.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.forget();
        if self.broken.is_some() || self.ended {
            return;
        }
        self.buffer.extend_from_slice(bytes);
        let new = &self.buffer[self.checked..];
        let (good, broken) = match std::str::from_utf8(new) {
            Ok(_) => (new.len(), None),
            Err(error) => (error.valid_up_to(), error.error_len().map(|_| Broken::InvalidUtf8)),
        };
        match new[..good].iter().position(|byte| *byte == 0) {
            Some(nul) => (self.checked, self.broken) = (self.checked + nul, Some(Broken::Nul)),
            None => (self.checked, self.broken) = (self.checked + good, broken),
        }
    }

    /// Says that the text has ended.
    pub fn end(&mut self) {
        self.ended = true;
        if self.broken.is_none() && self.checked < self.buffer.len() {
            self.broken = Some(Broken::InvalidUtf8);
        }
    }

    /// What comes next. A problem with the text comes when all statements before it have been given, and stays.
    pub fn pull(&mut self) -> Next {
        let last = self.ended && self.broken.is_none();
        if !self.started {
            if self.checked < 3 && !last && self.broken.is_none() {
                return Next::NeedMore;
            }
            self.started = true;
            let start = if self.buffer.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
            self.cutter.start_at(start);
        }
        let cut = self.cutter.next(&self.buffer[..self.checked], last);
        if let Some(open) = self.cutter.unterminated.clone() {
            // Where rows started is dropped long ago: then it is the line of their `COPY`.
            let line = match open.at.checked_sub(self.base) {
                Some(at) => self.line_of(at),
                None => self.last_line,
            };
            return Next::Unterminated { open, line };
        }
        match cut {
            Cut::Statement(piece) => Next::Statement(self.statement(piece)),
            Cut::Rows(rows) => Next::Rows(self.buffer[rows.start..rows.end].to_vec()),
            Cut::RowsEnd(_) => Next::RowsEnd,
            Cut::More => match self.broken {
                None => Next::NeedMore,
                Some(Broken::InvalidUtf8) => Next::InvalidUtf8 { offset: self.base + self.checked },
                Some(Broken::Nul) => Next::Nul { offset: self.base + self.checked },
            },
            Cut::End { .. } => Next::End,
        }
    }

    fn statement(&mut self, piece: Piece) -> ReadStatement {
        self.last_line = self.line_of(piece.text.start);
        let text = |span: Span| String::from_utf8_lossy(&self.buffer[span.start..span.end]).into_owned();
        ReadStatement {
            text: text(piece.text),
            leading: text(piece.leading),
            offset: self.base + piece.text.start,
            kind: match piece.kind {
                PieceKind::Sql => ReadKind::Sql,
                PieceKind::Copy => ReadKind::Copy,
                PieceKind::ClientCommand => ReadKind::ClientCommand,
            },
            line: self.last_line,
        }
    }

    /// The line of `at`, which lies behind those that were asked for before.
    fn line_of(&mut self, at: usize) -> usize {
        if at > self.counted {
            let lines = self.buffer[self.counted..at].iter().filter(|byte| **byte == b'\n').count();
            self.line += lines;
            self.counted = at;
        }
        self.line
    }

    /// Drops what is not needed any more.
    fn forget(&mut self) {
        if !self.started {
            return;
        }
        let needed = self.cutter.needed_from();
        let mut keep = self.cutter.leading().min(needed);
        if needed - keep > LEADING_BYTES {
            let from = needed - LEADING_BYTES;
            let line_end = self.buffer[from..needed].iter().position(|byte| *byte == b'\n');
            keep = line_end.map_or(needed, |length| from + length + 1);
        }
        // The lexer looks at the byte before a token.
        keep = keep.saturating_sub(1);
        if keep == 0 {
            return;
        }
        self.line_of(keep);
        self.buffer.drain(..keep);
        self.cutter.rebase(keep);
        self.base += keep;
        self.checked -= keep;
        self.counted -= keep;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::split::{StatementKind, split};
    use crate::text::LineIndex;
    use proptest::prelude::*;

    /// What a reader gives of `text` in chunks of the given sizes, over and over.
    fn read(text: &[u8], dialect: Dialect, sizes: &[usize]) -> Vec<Next> {
        let mut splitter = Splitter::new(dialect);
        let mut sizes = sizes.iter().cycle();
        let mut rest = text;
        let mut found: Vec<Next> = Vec::new();
        loop {
            match splitter.pull() {
                Next::NeedMore if rest.is_empty() => splitter.end(),
                Next::NeedMore => {
                    let (chunk, behind) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
                    splitter.feed(chunk);
                    rest = behind;
                }
                Next::Rows(more) => match found.last_mut() {
                    Some(Next::Rows(rows)) => rows.extend(more),
                    _ => found.push(Next::Rows(more)),
                },
                last @ (Next::End
                | Next::Unterminated { .. }
                | Next::InvalidUtf8 { .. }
                | Next::Nul { .. }) => {
                    assert_eq!(splitter.pull(), last);
                    found.push(last);
                    return found;
                }
                next => found.push(next),
            }
        }
    }

    /// The same, made of what `split` finds.
    fn expected(text: &str, dialect: Dialect) -> Vec<Next> {
        let split = split(text, dialect);
        let lines = LineIndex::new(text);
        let line = |at: usize| lines.position(text, at).line;
        let mut found = Vec::new();
        for statement in &split.statements {
            let is_open = split.unterminated.is_some() && statement.rest.end == text.len();
            let kind = match statement.kind {
                StatementKind::Sql => ReadKind::Sql,
                StatementKind::Copy { .. } => ReadKind::Copy,
                StatementKind::ClientCommand => ReadKind::ClientCommand,
            };
            if is_open && kind != ReadKind::Copy {
                continue;
            }
            found.push(Next::Statement(ReadStatement {
                text: statement.text.to_owned(),
                leading: statement.leading.of(text).to_owned(),
                line: line(statement.span.start),
                offset: statement.span.start,
                kind,
            }));
            if let StatementKind::Copy { data } = statement.kind {
                if !data.is_empty() {
                    found.push(Next::Rows(data.of(text).into()));
                }
                if !is_open {
                    found.push(Next::RowsEnd);
                }
            }
        }
        found.push(match split.unterminated {
            None => Next::End,
            Some(open) => {
                let line = line(open.at);
                Next::Unterminated { open, line }
            }
        });
        found
    }

    fn agrees(text: &str, sizes: &[usize]) {
        for dialect in Dialect::ALL {
            let mut found = read(text.as_bytes(), dialect, sizes);
            let mut expected = expected(text, dialect);
            // Where rows started is not known to the line once they are dropped.
            for next in found.iter_mut().chain(&mut expected) {
                if let Next::Unterminated { open, line } = next
                    && open.what.starts_with("rows")
                {
                    *line = 0;
                }
            }
            // What is open in a COPY was given in part, or not at all.
            for all in [&mut found, &mut expected] {
                if let Some(end) = all.pop_if(|next| matches!(next, Next::Unterminated { .. })) {
                    let is_copy = |next: &Next| matches!(next, Next::Statement(statement) if statement.kind == ReadKind::Copy);
                    let _ = all.pop_if(|next| matches!(next, Next::Rows(_)));
                    let _ = all.pop_if(|next| is_copy(next));
                    all.push(end);
                }
            }
            assert_eq!(found, expected, "{dialect}, chunks of {sizes:?}: {text:?}");
        }
    }

    /// Everything at which a cut between two chunks could go wrong.
    const FRAGMENTS: &[&str] = &[
        "select 1",
        ";",
        " ",
        "\n",
        "\r\n",
        "'",
        "''",
        "\"",
        "`",
        "[",
        "]",
        "$",
        "$$",
        "$a$",
        "$1",
        "--",
        "-- a;\n",
        "-",
        "/*",
        "*/",
        "/*!50003 ",
        "/* a; */",
        "#",
        "E'",
        "e'a\\'b'",
        "U&'",
        "x'",
        "n",
        "(",
        ")",
        "begin ",
        "end",
        "case ",
        "atomic ",
        "create ",
        "rule ",
        "function f() ",
        "procedure p() ",
        "trigger t ",
        "copy t from stdin;\n",
        "1\t2\n",
        "\\.\n",
        "\\.\r\n",
        "\\",
        "\\.",
        "delimiter //\n",
        "delimiter ;\n",
        "\ndelimiter ;;\n",
        "//",
        ";;",
        "\\g",
        ".tables\n",
        "ä",
        "\u{feff}",
        "1.5e",
        "+",
        "1e-3",
        "1..2",
        ":a",
        "::",
        "@",
        "?",
        "if ",
        "then ",
        "loop ",
        "\u{1f600}",
        "copy t from stdin",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn any_text_in_any_chunks(
            fragments in prop::collection::vec(prop::sample::select(FRAGMENTS), 0..40),
            sizes in prop::collection::vec(1usize..20, 1..5),
        ) {
            agrees(&fragments.concat(), &sizes);
        }

        /// The spans of `split` cover a text without gaps, whatever it is.
        #[test]
        fn any_text_is_covered(text in "(?s).{0,200}") {
            for dialect in Dialect::ALL {
                let split = split(&text, dialect);
                let mut at = if text.starts_with('\u{feff}') { 3 } else { 0 };
                for statement in &split.statements {
                    prop_assert_eq!(statement.leading.start, at);
                    prop_assert_eq!(statement.leading.end, statement.span.start);
                    prop_assert_eq!(statement.span.end, statement.rest.start);
                    prop_assert!(!statement.text.is_empty());
                    at = statement.rest.end;
                }
                prop_assert_eq!(split.tail, Span::new(at, text.len()));
            }
            agrees(&text.replace('\0', " "), &[1, 7]);
        }
    }

    #[test]
    fn a_dump_in_chunks() {
        let text = "-- dump\nset a = 1;\n\ncopy t (a) from stdin;\n1\n2\n\\.\n\nselect 'ü';";
        for size in 1..20 {
            agrees(text, &[size]);
        }
        let found = read(text.as_bytes(), Dialect::Postgres, &[5]);
        assert!(matches!(&found[1], Next::Statement(copy) if copy.line == 4 && copy.kind == ReadKind::Copy));
        assert_eq!(found[2], Next::Rows(b"1\n2\n".to_vec()));
        assert!(matches!(&found[4], Next::Statement(last) if last.line == 9 && last.text == "select 'ü'"));
    }

    #[test]
    fn what_is_no_text() {
        let last = |text: &[u8]| read(text, Dialect::Postgres, &[3]).pop();
        assert_eq!(last(b"select 1;\xff;"), Some(Next::InvalidUtf8 { offset: 9 }));
        assert_eq!(last(b"select '\xc3"), Some(Next::InvalidUtf8 { offset: 8 }));
        assert_eq!(last(b"select 1;\n\0;"), Some(Next::Nul { offset: 10 }));
        assert_eq!(read(b"a;b;\0", Dialect::Postgres, &[9]).len(), 3);
    }

    /// What is held is bounded by the largest statement, not by the text.
    #[test]
    fn memory_is_bounded() {
        let mut splitter = Splitter::new(Dialect::Postgres);
        let mut most = 0;
        let mut feed = |splitter: &mut Splitter, bytes: &[u8]| {
            splitter.feed(bytes);
            while !matches!(splitter.pull(), Next::NeedMore) {}
            most = most.max(splitter.buffer.len());
        };
        for _ in 0..200 {
            feed(
                &mut splitter,
                "insert into t values ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa');\n".repeat(200).as_bytes(),
            );
        }
        feed(&mut splitter, b"copy t from stdin;\n");
        for _ in 0..200 {
            feed(&mut splitter, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n".repeat(300).as_bytes());
        }
        feed(&mut splitter, b"\\.\n");
        for _ in 0..200 {
            feed(&mut splitter, "-- a comment of some length, and then another one\n".repeat(200).as_bytes());
        }
        assert!(most < 2 * LEADING_BYTES, "{most} bytes held");
    }

    /// A statement of many chunks is not read again with each of them.
    #[test]
    fn time_is_linear() {
        let start = std::time::Instant::now();
        for (open, text) in [
            ("select '", "a'' "),
            ("/* ", "/* */ "),
            ("do $a$ ", "$b$ "),
            ("", "aaaa"),
            ("select ", "1, "),
            ("", "    "),
        ] {
            let mut splitter = Splitter::new(Dialect::Postgres);
            splitter.feed(open.as_bytes());
            let chunk = text.repeat(16);
            for _ in 0..20_000 {
                splitter.feed(chunk.as_bytes());
                assert_eq!(splitter.pull(), Next::NeedMore);
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        assert!(seconds < 30.0, "{seconds} s");
    }
}
