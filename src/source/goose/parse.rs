//! The lines of a goose migration: which statement is of which direction.

use super::envsub::substitute;
use crate::source::format::ReadOptions;
use crate::source::pieces::ends_with_semicolon;
use crate::source::reading::{Line, lines};
use crate::source::{GivenStatement, names};
use crate::text::Span;

/// Where in the file the reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Start,
    Up,
    UpBlock,
    Down,
    DownBlock,
}

/// An instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Annotation {
    Up,
    Down,
    StatementBegin,
    StatementEnd,
    NoTransaction,
    EnvsubOn,
    EnvsubOff,
}

/// What is read of a file.
#[derive(Debug, Default)]
pub(super) struct Parse {
    pub up: Vec<GivenStatement>,
    pub up_part: Span,
    pub down: Vec<GivenStatement>,
    pub down_part: Option<Span>,
    /// The line on which the last statement of the way back is left open.
    pub down_unfinished: Option<usize>,
    pub no_transaction: bool,
    state: State,
    /// An empty block has just ended.
    after_empty_block: bool,
    envsub: bool,
    buffer: String,
    span: Option<Span>,
}

/// The line, what is wrong there, and what to do.
type Wrong = (usize, String, String);

/// Whether goose reads the line as an instruction.
pub(super) fn is_annotation(line: &str) -> bool {
    line.trim_start().starts_with("--") && line.contains("+goose")
}

impl Parse {
    /// Reads a whole file.
    pub fn of(text: &str, options: &ReadOptions) -> Result<Self, Wrong> {
        let mut parse = Parse::default();
        let mut last = 1;
        for line in lines(text) {
            last = line.number;
            parse.line(&line, options)?;
        }
        let open = !parse.buffer.trim().is_empty();
        match parse.state {
            State::Start => {
                return Err(wrong(
                    last,
                    "has no `-- +goose Up`",
                    "write it above what brings the database forward",
                ));
            }
            State::UpBlock | State::DownBlock => {
                let what = "`-- +goose StatementBegin` has no `StatementEnd`";
                return Err(wrong(last, what, "write `-- +goose StatementEnd` where the statement ends"));
            }
            State::Up if open => return Err(not_ended(last)),
            State::Down if open => parse.down_unfinished = Some(last),
            State::Up | State::Down => {}
        }
        match &mut parse.down_part {
            Some(part) => part.end = text.len(),
            None => parse.up_part.end = text.len(),
        }
        Ok(parse)
    }

    fn line(&mut self, line: &Line<'_>, options: &ReadOptions) -> Result<(), Wrong> {
        if self.state == State::Start && line.text.trim().is_empty() {
            return Ok(());
        }
        if is_annotation(line.text) {
            return self.annotation(line);
        }
        if self.buffer.is_empty() && (line.text.trim_start().starts_with("--") || line.text.is_empty()) {
            return Ok(());
        }
        if self.state == State::Start {
            return Err(wrong(line.number, "has statements above `-- +goose Up`", "move them below it"));
        }
        if std::mem::take(&mut self.after_empty_block) && !line.text.trim().is_empty() {
            let what = "is lost: goose leaves out the line behind an empty block";
            return Err(wrong(line.number, what, "remove the empty block above it"));
        }
        if self.envsub {
            let text =
                substitute(line.text, &options.variables).map_err(|error| error.on_line(line.number))?;
            self.buffer.push_str(&text);
        } else {
            self.buffer.push_str(line.text);
        }
        self.buffer.push('\n');
        if !line.text.trim().is_empty() {
            let start = self.span.map_or(line.start, |span| span.start);
            self.span = Some(Span::new(start, line.end()));
        }
        if matches!(self.state, State::Up | State::Down) && ends_with_semicolon(line.text) {
            self.end_statement();
        }
        Ok(())
    }

    fn annotation(&mut self, line: &Line<'_>) -> Result<(), Wrong> {
        let number = line.number;
        let annotation = annotation(line)?;
        if matches!(annotation, Annotation::Down | Annotation::StatementBegin) {
            self.after_empty_block = false;
        }
        match (annotation, self.state) {
            (Annotation::Up, State::Start) => {
                self.up_part = Span::new(line.start, line.end());
                self.state = State::Up;
            }
            (Annotation::Up, _) => {
                return Err(wrong(number, "is a second `-- +goose Up`", "put the two together"));
            }
            (Annotation::Down, State::Up) => {
                if !self.buffer.trim().is_empty() {
                    return Err(not_ended(number));
                }
                self.buffer.clear();
                self.span = None;
                self.up_part.end = line.start;
                self.down_part = Some(Span::new(line.start, line.end()));
                self.state = State::Down;
            }
            (Annotation::Down, State::Start) => {
                return Err(wrong(
                    number,
                    "stands above `-- +goose Up`",
                    "start the file with `-- +goose Up`",
                ));
            }
            (Annotation::Down, State::Down | State::UpBlock | State::DownBlock) => {
                return Err(wrong(
                    number,
                    "is not where `-- +goose Down` can stand",
                    "it stands once, outside of a block",
                ));
            }
            (Annotation::StatementBegin, State::Up) => self.state = State::UpBlock,
            (Annotation::StatementBegin, State::Down) => self.state = State::DownBlock,
            (Annotation::StatementBegin, State::Start | State::UpBlock | State::DownBlock) => {
                return Err(wrong(number, "is not where a block can begin", "end the block above it first"));
            }
            (Annotation::StatementEnd, State::UpBlock | State::DownBlock) => {
                self.after_empty_block = self.buffer.is_empty();
                self.end_statement();
                self.state = if self.state == State::UpBlock { State::Up } else { State::Down };
            }
            (Annotation::StatementEnd, State::Start | State::Up | State::Down) => {
                return Err(wrong(
                    number,
                    "has no `-- +goose StatementBegin`",
                    "write it above the statement",
                ));
            }
            (Annotation::NoTransaction, _) => self.no_transaction = true,
            (Annotation::EnvsubOn, _) => self.envsub = true,
            (Annotation::EnvsubOff, _) => self.envsub = false,
        }
        Ok(())
    }

    fn end_statement(&mut self) {
        let text = self.buffer.trim().to_owned();
        self.buffer.clear();
        let Some(span) = self.span.take() else { return };
        let statement = GivenStatement { text, span };
        match self.state {
            State::Up | State::UpBlock => self.up.push(statement),
            State::Down | State::DownBlock => self.down.push(statement),
            State::Start => {}
        }
    }
}

/// The instruction of a line.
fn annotation(line: &Line<'_>) -> Result<Annotation, Wrong> {
    if line.text.starts_with([' ', '\t']) {
        let help = "move it to the start of its line";
        return Err(wrong(line.number, "stands behind a blank, and goose stops at it", help));
    }
    let command = line.text.replace("--", "").replacen("+goose", "", 1);
    let found = match command.trim().to_ascii_lowercase().as_str() {
        "up" => Annotation::Up,
        "down" => Annotation::Down,
        "statementbegin" => Annotation::StatementBegin,
        "statementend" => Annotation::StatementEnd,
        "no transaction" => Annotation::NoTransaction,
        "envsub on" => Annotation::EnvsubOn,
        "envsub off" => Annotation::EnvsubOff,
        _ => {
            let what = "is no instruction of goose, which stops at it";
            let help =
                "goose has Up, Down, StatementBegin, StatementEnd, NO TRANSACTION, ENVSUB ON and ENVSUB OFF";
            return Err(wrong(line.number, what, help));
        }
    };
    Ok(found)
}

fn not_ended(line: usize) -> Wrong {
    wrong(
        line,
        "the statement above is not ended, and goose stops at it",
        "end its last line with `;`, or put it between `-- +goose StatementBegin` and `-- +goose StatementEnd`",
    )
}

fn wrong(line: usize, what: &str, help: &str) -> Wrong {
    (line, what.to_owned(), help.to_owned())
}

/// What is wrong with a placeholder.
pub(super) struct PlaceholderError {
    pub what: String,
    pub help: String,
}

impl PlaceholderError {
    /// A variable that was not given.
    pub fn missing(name: &str) -> Self {
        let (what, help) = names::missing_variable(name);
        Self { what, help }
    }

    fn on_line(self, line: usize) -> Wrong {
        (line, self.what, self.help)
    }
}
