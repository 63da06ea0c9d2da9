//! What one file holds: text, or why it is none; of a large one only its head and its checksum.

use crate::source::{ChecksumBuilder, Contents, SourceFile};
use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

/// Files above this many bytes are not held in memory.
pub const LARGE_BYTES: u64 = 8 * 1024 * 1024;

/// How much of a large file is held for its directives, in bytes.
const HEAD_BYTES: usize = 64 * 1024;

/// Reads one file, which is called `name` in what is said of it. What cannot be read is broken.
pub fn read_file(path: &Path, name: &str) -> SourceFile {
    let read = || source_file(path, name.to_owned(), LARGE_BYTES);
    let broken = |error: io::Error| SourceFile {
        path: name.to_owned(),
        contents: Contents::Broken(format!("cannot be read: {error}")),
        executable: false,
        byte_order_mark: false,
    };
    read().unwrap_or_else(broken)
}

/// Reads one file.
pub(super) fn source_file(path: &Path, below: String, held_bytes: u64) -> io::Result<SourceFile> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let executable = is_executable(&metadata);
    let must_be_text = !executable || has_text_ending(&below);
    let (contents, byte_order_mark) = if metadata.len() > held_bytes {
        large(file, must_be_text)?
    } else {
        // A file that grows while it is read is taken as far as it was when it was found.
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0) + 1);
        file.take(held_bytes).read_to_end(&mut bytes)?;
        held(bytes, must_be_text)
    };
    Ok(SourceFile { path: below, contents, executable, byte_order_mark })
}

/// Whether a file is meant to be text, although the operating system would run it (on some file systems it would
/// run all).
pub(super) fn has_text_ending(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    [".sql", ".toml", ".conf"].iter().any(|ending| lower.ends_with(ending))
}

/// The contents of a file that fits.
fn held(bytes: Vec<u8>, must_be_text: bool) -> (Contents, bool) {
    let text = String::from_utf8(bytes);
    let problem = match &text {
        Ok(text) => text.find('\0').map(nul_at),
        Err(error) => Some(not_utf8(error.as_bytes(), error.utf8_error().valid_up_to())),
    };
    match (text, problem) {
        (Ok(text), None) => match text.strip_prefix('\u{feff}') {
            Some(rest) => (Contents::Text(Arc::from(rest)), true),
            None => (Contents::Text(Arc::from(text)), false),
        },
        (_, Some(problem)) if must_be_text => (Contents::Broken(problem), false),
        (Ok(text), _) => (binary(text.as_bytes()), false),
        (Err(error), _) => (binary(error.as_bytes()), false),
    }
}

/// What is no text and need not be.
fn binary(bytes: &[u8]) -> Contents {
    let mut checksum = ChecksumBuilder::default();
    checksum.update(bytes);
    Contents::Binary { checksum: checksum.finish() }
}

/// The contents of a file that is read through, and not held.
fn large(mut file: File, must_be_text: bool) -> io::Result<(Contents, bool)> {
    let mut checksum = ChecksumBuilder::default();
    let mut head = Vec::new();
    let mut text = TextCheck::default();
    let mut bytes = 0_u64;
    let mut part = vec![0; HEAD_BYTES];
    loop {
        let count = file.read(&mut part)?;
        if count == 0 {
            break;
        }
        checksum.update(&part[..count]);
        text.update(&part[..count]);
        head.extend_from_slice(&part[..count.min(HEAD_BYTES - head.len())]);
        bytes += count as u64;
    }
    let checksum = checksum.finish();
    let problem = text.finish();
    match problem {
        Some(problem) if must_be_text => Ok((Contents::Broken(problem), false)),
        Some(_) => Ok((Contents::Binary { checksum }, false)),
        None => {
            let end = head.iter().rposition(|byte| *byte == b'\n').map_or(head.len(), |at| at + 1);
            head.truncate(end);
            let head = String::from_utf8_lossy(&head);
            let (head, byte_order_mark) = match head.strip_prefix('\u{feff}') {
                Some(rest) => (rest, true),
                None => (&*head, false),
            };
            Ok((Contents::Large { bytes, head: Arc::from(head), checksum }, byte_order_mark))
        }
    }
}

/// Tells whether parts that follow each other are text.
#[derive(Default)]
struct TextCheck {
    /// Bytes in front of `open`.
    offset: usize,
    /// A character whose other bytes come with the next part.
    open: Vec<u8>,
    problem: Option<String>,
}

impl TextCheck {
    fn update(&mut self, part: &[u8]) {
        if self.problem.is_some() {
            return;
        }
        let mut bytes = std::mem::take(&mut self.open);
        bytes.extend_from_slice(part);
        if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
            let utf16 = self.offset == 0 && is_utf16(&bytes);
            let at = self.offset + at;
            self.problem = Some(if utf16 { not_utf8(&bytes, 0) } else { nul_at(at) });
        }
        match std::str::from_utf8(&bytes) {
            Ok(_) => self.offset += bytes.len(),
            Err(error) if error.error_len().is_none() => {
                self.open = bytes.split_off(error.valid_up_to());
                self.offset += bytes.len();
            }
            Err(error) if self.problem.is_none() => {
                let start = if self.offset == 0 { bytes.as_slice() } else { &[] };
                self.problem = Some(not_utf8(start, self.offset + error.valid_up_to()));
            }
            Err(_) => {}
        }
    }

    fn finish(self) -> Option<String> {
        let cut_off = (!self.open.is_empty()).then(|| not_utf8(&[], self.offset));
        self.problem.or(cut_off)
    }
}

fn nul_at(offset: usize) -> String {
    format!("is not text: a NUL byte at offset {offset}")
}

fn not_utf8(start: &[u8], offset: usize) -> String {
    if is_utf16(start) {
        return "is not UTF-8 but UTF-16: save it as UTF-8".to_owned();
    }
    format!("is not valid UTF-8: a byte that cannot stand at offset {offset}")
}

fn is_utf16(start: &[u8]) -> bool {
    start.starts_with(b"\xFF\xFE") || start.starts_with(b"\xFE\xFF")
}

#[cfg(unix)]
fn is_executable(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &Metadata) -> bool {
    false
}
