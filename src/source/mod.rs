//! Which file is which migration: one file per format, and the types that all of them give.
//!
//! Pure: the files are read by `files.rs`, and handed in as [`SourceFile`]s.
//!
//! - `format`: what a format is, the list of all of them, and which one a folder is in;
//! - `names`: what the file names of all formats have in common;
//! - `reading`: the scripts and problems that a reader collects;
//! - `engines`: folders for several engines;
//! - `pairs`: formats with a file for each direction;
//! - `pieces`: statements that are cut out of a file by its lines;
//! - `one_piece`: tools that send a file in one piece;
//! - `history`: the checksums that other tools keep;
//! - `export`: a folder in another format;
//! - `loose`: a file that no format claims;
//! - `versions`: the version of a new migration;
//! - one file for each format.

pub mod authelia;
pub mod dbmate;
pub mod diesel;
mod engines;
pub mod export;
pub mod flyway;
pub mod format;
pub mod golang_migrate;
pub mod goose;
pub mod history;
pub mod loose;
pub mod maragu;
mod names;
pub mod numbered;
mod one_piece;
mod pairs;
mod pieces;
pub mod play;
pub mod prisma;
mod reading;
pub mod refinery;
pub mod sql_migrate;
pub mod sqlx_migrate;
pub mod twostep;
pub mod versions;

pub use export::export;
pub use format::{FORMATS, Folder, Format, NewFile, NewMigration, ReadOptions, by_id, detect, read};
pub use history::{KeptChecksum, kept_checksum};
pub use loose::{LOOSE, read_loose};
pub use names::slug;

use crate::sql::directive::Directive;
use crate::text::Span;
use std::fmt;
use std::sync::Arc;

/// A file of the migrations folder, as the world found it.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Path below the folder, with `/` between its parts.
    pub path: String,
    /// What it holds.
    pub contents: Contents,
    /// Whether the operating system would run it.
    pub executable: bool,
    /// Whether the file starts with a byte order mark, which `contents` does not hold.
    pub byte_order_mark: bool,
}

impl SourceFile {
    /// A file that holds `text` and is not executable.
    pub fn text(path: impl Into<String>, text: &str) -> Self {
        let (text, byte_order_mark) = match text.strip_prefix('\u{feff}') {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        Self {
            path: path.into(),
            contents: Contents::Text(Arc::from(text)),
            executable: false,
            byte_order_mark,
        }
    }
}

/// The contents of a [`SourceFile`].
#[derive(Debug, Clone)]
pub enum Contents {
    /// The whole text, without a byte order mark.
    Text(Arc<str>),
    /// Too large to be held: its length, its first part (cut at a line end) and its checksum. Its statements are
    /// read from the file one after the other when it runs.
    Large {
        /// Length in bytes.
        bytes: u64,
        /// The first 64 KiB or so: directives and format markers stand there.
        head: Arc<str>,
        /// Checksum of the whole.
        checksum: Checksum,
    },
    /// Not text (an executable).
    Binary {
        /// Checksum of the bytes.
        checksum: Checksum,
    },
    /// Should be text but is not: why (invalid UTF-8 or a NUL byte, with the offset).
    Broken(String),
}

/// A migration's version, in its own format's spelling: what the journal stores and people type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Version(String);

impl Version {
    /// Wraps a spelling that its format has checked.
    pub fn new(spelling: impl Into<String>) -> Self {
        Self(spelling.into())
    }

    /// The spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// SHA-256 of a script, blind to line ends and to a byte order mark, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Checksum(String);

impl Checksum {
    /// The checksum of a whole text.
    pub fn of(text: &str) -> Self {
        use sha2::Digest as _;
        // Most texts have nothing that does not count.
        if !text.contains('\r') && !text.starts_with('\u{feff}') {
            return Self(crate::name::hex(&sha2::Sha256::digest(text)));
        }
        let mut digest = ChecksumBuilder::default();
        digest.update(text.as_bytes());
        digest.finish()
    }

    /// A checksum as the journal stored it.
    pub fn stored(hex: impl Into<String>) -> Self {
        Self(hex.into())
    }

    /// The hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Builds a [`Checksum`] from parts, so that a large file need not be held.
#[derive(Default)]
pub struct ChecksumBuilder {
    digest: sha2::Sha256,
    /// Bytes seen so far, as far as the byte order mark needs it.
    start: Vec<u8>,
    /// A carriage return at the end of the last part, whose line feed may come with the next.
    carriage_return: bool,
}

impl ChecksumBuilder {
    /// Takes the next part. `\r\n` and a lone `\r` count as `\n`.
    pub fn update(&mut self, part: &[u8]) {
        use sha2::Digest as _;
        let mut out = Vec::with_capacity(part.len());
        for byte in part {
            if self.carriage_return {
                self.carriage_return = false;
                out.push(b'\n');
                if *byte == b'\n' {
                    continue;
                }
            }
            match byte {
                b'\r' => self.carriage_return = true,
                other => out.push(*other),
            }
        }
        if self.start.len() < 3 {
            self.start.extend_from_slice(&out);
            if self.start.len() >= 3 {
                let start = std::mem::take(&mut self.start);
                self.digest.update(start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&start));
                // Any three bytes mark the start as done.
                self.start = vec![0; 3];
            }
        } else {
            self.digest.update(&out);
        }
    }

    /// The checksum of all parts.
    pub fn finish(mut self) -> Checksum {
        use sha2::Digest as _;
        if self.start.len() < 3 {
            let start = std::mem::take(&mut self.start);
            self.digest.update(&start);
        }
        if self.carriage_return {
            self.digest.update(b"\n");
        }
        let digest = self.digest.finalize();
        Checksum(crate::name::hex(&digest))
    }
}

/// What a migration is run for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Once, in the order of the versions.
    Versioned,
    /// After the versioned ones, whenever its text is not the one that was last applied.
    Repeatable,
    /// Stands for all migrations up to its version on an empty database (Flyway's `B`).
    Baseline,
}

/// One migration of the folder.
#[derive(Debug, Clone)]
pub struct Migration {
    /// Its version; for a repeatable one `R` and its name.
    pub version: Version,
    /// What its author called it.
    pub name: String,
    /// What it is run for.
    pub kind: Kind,
    /// What brings the database forward.
    pub up: Script,
    /// What takes that back, if there is anything.
    pub down: Option<Script>,
    /// Why there is no way back, where the migration says so.
    pub irreversible: Option<String>,
    /// Traps of its format that change what it means, each one sentence.
    pub warnings: Vec<SourceProblem>,
}

impl Migration {
    /// Which step of a deploy it says that it is; none where it says nothing.
    pub fn phase(&self) -> Option<Phase> {
        let said = self.up.directives.iter().find(|directive| directive.name == "phase")?;
        match said.words.first().map(String::as_str) {
            Some("contract") => Some(Phase::Contract),
            Some("expand") => Some(Phase::Expand),
            Some(_) | None => None,
        }
    }
}

/// A step of a deploy in two steps, as a migration says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It works with the code that is running, and with the new one.
    Expand,
    /// It takes away what only older code needs.
    Contract,
}

/// One direction of a migration.
#[derive(Debug, Clone)]
pub struct Script {
    /// The file, below the folder.
    pub path: String,
    /// What is to be done.
    pub body: Body,
    /// Whether its statements share one transaction.
    pub transaction: bool,
    /// Directives that stand above the first statement and are about the whole file.
    pub directives: Vec<Directive>,
    /// Checksum of what is to be done.
    pub checksum: Checksum,
}

/// What a [`Script`] does.
#[derive(Debug, Clone)]
pub enum Body {
    /// SQL text; statements are found by the lexer. `span` is the part of the file (one direction of two).
    Sql {
        /// The whole file.
        file: Arc<str>,
        /// The part of it that is this direction.
        span: Span,
    },
    /// Statements that the format itself has separated; their text may differ from the file's (variables put in,
    /// `;;` made `;`).
    Statements {
        /// The whole file, for lines.
        file: Arc<str>,
        /// The statements.
        statements: Vec<GivenStatement>,
    },
    /// A file that is too large to be held; its statements are read one after the other.
    LargeFile {
        /// Its length in bytes.
        bytes: u64,
    },
    /// A program: its path below the folder.
    Program {
        /// The executable's path below the folder.
        program: String,
    },
}

/// A statement that its format has separated. Where the lexer cannot tell its parts apart it may hold several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenStatement {
    /// What is sent to the server.
    pub text: String,
    /// Where it stands in the file.
    pub span: Span,
}

/// Something in the folder that is not as its format wants it.
///
/// Problems sort by file and line, so that the same folder always gives the same list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{}{what}", in_front(.path))]
pub struct SourceProblem {
    /// The file, below the folder; empty where it is the folder itself.
    pub path: String,
    /// Line, from 1, where one can be named.
    pub line: Option<usize>,
    /// What is wrong, one line that stands alone.
    pub what: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// The path in front of what is wrong; nothing where it is the folder.
fn in_front(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("{path}: ") }
}

impl SourceProblem {
    /// A problem of a whole file, or, without a path, of the folder.
    pub fn new(path: impl Into<String>, what: impl Into<String>) -> Self {
        Self { path: path.into(), line: None, what: what.into(), help: None }
    }

    /// The same, on a line (from 1).
    #[must_use]
    pub fn on_line(mut self, line: usize) -> Self {
        self.line = Some(line);
        self
    }

    /// The same, with what to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum_is_blind_to_line_ends_and_byte_order_mark() {
        let plain = Checksum::of("a\nb\n");
        assert_eq!(Checksum::of("a\r\nb\r\n"), plain);
        assert_eq!(Checksum::of("\u{feff}a\nb\n"), plain);
        assert_ne!(Checksum::of("a\nc\n"), plain);
        let mut parts = ChecksumBuilder::default();
        for part in ["\u{feff}", "a\r", "\nb", "\r", "\n"] {
            parts.update(part.as_bytes());
        }
        assert_eq!(parts.finish(), plain);
        assert_eq!(Checksum::of("").as_str().len(), 64);
    }
}
