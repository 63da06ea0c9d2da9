//! Reading a file that is too large to be held, statement by statement: memory stays that of the largest one.

use crate::dialect::Dialect;
use crate::sql::reader::{Next, Splitter};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// How much is read from the file at once.
const READ_BYTES: usize = 64 * 1024;

/// The statements of an open file.
pub(crate) struct Statements {
    file: File,
    splitter: Splitter,
    buffer: Vec<u8>,
}

impl Statements {
    pub(crate) fn open(path: &Path, dialect: Dialect) -> std::io::Result<Self> {
        Ok(Self { file: File::open(path)?, splitter: Splitter::new(dialect), buffer: vec![0; READ_BYTES] })
    }

    /// What comes next; the file is read as far as that needs.
    pub(crate) fn next(&mut self) -> std::io::Result<Next> {
        loop {
            match self.splitter.pull() {
                Next::NeedMore => match self.file.read(&mut self.buffer)? {
                    0 => self.splitter.end(),
                    count => self.splitter.feed(&self.buffer[..count]),
                },
                other => return Ok(other),
            }
        }
    }
}
