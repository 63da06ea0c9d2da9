//! Reads a migrations folder: the only place from which files come to `source/`.

use crate::source::{
    ChecksumBuilder, Contents, Folder, ReadOptions, SourceFile, SourceProblem, by_id, detect, read,
};
use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files above this many bytes are not held in memory.
pub const LARGE_BYTES: u64 = 8 * 1024 * 1024;

/// How much of a large file is held for its directives, in bytes.
const HEAD_BYTES: usize = 64 * 1024;

/// A folder with more files than this is not a migrations folder.
const FILES_MAX: usize = 50_000;

/// Why a folder cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// There is nothing of that name.
    #[error("there is no migrations folder `{}`", path.display())]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// It is a file.
    #[error("`{}` is not a folder", path.display())]
    NotAFolder {
        /// The file.
        path: PathBuf,
    },
    /// Nothing in it could be a migration.
    #[error("the migrations folder `{}` is empty", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// The operating system refuses to give it.
    #[error("cannot read `{}`: {source}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A symbolic link that leads to a folder that it stands in.
    #[error("`{}` is a symbolic link that leads back to `{}`: it has no end", path.display(), target.display())]
    Loop {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// A pipe, socket or device.
    #[error("`{}` is neither a file nor a folder", path.display())]
    Special {
        /// Its path.
        path: PathBuf,
    },
    /// A name that is not UTF-8.
    #[error("the name of `{}` is not valid UTF-8", path.display())]
    Name {
        /// The file or folder.
        path: PathBuf,
    },
    /// More files than any migrations folder has.
    #[error("`{}` holds more than {FILES_MAX} files: it is no migrations folder", path.display())]
    TooMany {
        /// The folder.
        path: PathBuf,
    },
}

/// Why a folder gives no migrations.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It cannot be read.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// What it holds is not as its format wants it: every problem, sorted.
    #[error("{} in the migrations folder `{}`", problems_counted(problems), path.display())]
    Problems {
        /// The folder.
        path: PathBuf,
        /// All of them.
        problems: Vec<SourceProblem>,
    },
}

/// Reads the migrations of the folder `path`, in the format called `format` or in the one that they are in.
pub fn read_migrations(
    path: &Path,
    format: Option<&str>,
    options: &ReadOptions,
) -> Result<Folder, FolderError> {
    read_migrations_of(path, read_folder(path)?, format, options)
}

/// [`read_migrations`], where `files` are already what [`read_folder`] gives for `path`.
pub fn read_migrations_of(
    path: &Path,
    mut files: Vec<SourceFile>,
    format: Option<&str>,
    options: &ReadOptions,
) -> Result<Folder, FolderError> {
    let is_large = |file: &SourceFile| matches!(file.contents, Contents::Large { .. });
    if files.iter().any(is_large) {
        let found = match format {
            Some(id) => by_id(id),
            None => detect(&files, options).ok(),
        };
        if found.is_some_and(|format| format.needs_whole_files()) {
            files = read_folder_up_to(path, u64::MAX)?;
        }
    }
    read(&files, format, options)
        .map_err(|problems| FolderError::Problems { path: path.to_owned(), problems })
}

/// Reads all files below `path`, sorted by path. Hidden folders are left out; symbolic links are followed. A file
/// that is no text is not an error here: its reader may not want it.
pub fn read_folder(path: &Path) -> Result<Vec<SourceFile>, FilesError> {
    read_folder_up_to(path, LARGE_BYTES)
}

/// [`read_folder`], holding files of up to `held_bytes`.
fn read_folder_up_to(path: &Path, held_bytes: u64) -> Result<Vec<SourceFile>, FilesError> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(FilesError::Missing { path: path.to_owned() });
        }
        Err(source) => return Err(FilesError::Unreadable { path: path.to_owned(), source }),
    };
    if !metadata.is_dir() {
        return Err(FilesError::NotAFolder { path: path.to_owned() });
    }
    let mut walk = Walk { root: path, above: Vec::new(), found: Vec::new(), held_bytes };
    walk.folder(path, "")?;
    walk.found.sort_by(|one, two| one.path.cmp(&two.path));
    if walk.found.iter().all(|file| file.path.starts_with('.')) {
        return Err(FilesError::Empty { path: path.to_owned() });
    }
    Ok(walk.found)
}

/// Reads the files directly in `folder`, and, where `in_folders`, those in its folders, as far as they are meant to be
/// text: what stands beside a file that somebody named. Sorted by path. What cannot be read is broken.
pub fn read_beside(folder: &Path, in_folders: bool) -> Result<Vec<SourceFile>, FilesError> {
    let mut found = Vec::new();
    beside(folder, "", in_folders, &mut found)?;
    found.sort_by(|one, two| one.path.cmp(&two.path));
    Ok(found)
}

fn beside(
    folder: &Path,
    below: &str,
    in_folders: bool,
    found: &mut Vec<SourceFile>,
) -> Result<(), FilesError> {
    let unreadable = |source| FilesError::Unreadable { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
        let Ok(metadata) = fs::metadata(entry.path()) else { continue };
        let below = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
        if metadata.is_dir() && in_folders {
            beside(&entry.path(), &below, false, found)?;
        } else if metadata.is_file() && has_text_ending(name) {
            found.push(read_file(&entry.path(), &below));
            if found.len() > FILES_MAX {
                return Err(FilesError::TooMany { path: folder.to_owned() });
            }
        }
    }
    Ok(())
}

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

/// A walk through a folder.
struct Walk<'a> {
    root: &'a Path,
    /// The folders that the present one stands in, as the file system knows them.
    above: Vec<PathBuf>,
    found: Vec<SourceFile>,
    held_bytes: u64,
}

impl Walk<'_> {
    /// Takes what stands in `folder`; `below` is its path below the root.
    fn folder(&mut self, folder: &Path, below: &str) -> Result<(), FilesError> {
        let unreadable = |source| FilesError::Unreadable { path: folder.to_owned(), source };
        let real = folder.canonicalize().map_err(unreadable)?;
        if self.above.contains(&real) {
            return Err(FilesError::Loop { path: folder.to_owned(), target: real });
        }
        self.above.push(real);
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let path = entry.path();
            let name = entry.file_name();
            let Some(name) = name.to_str() else { return Err(FilesError::Name { path }) };
            let below = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
            // A plain file is asked for its metadata once it is open: for a thousand of them that shows.
            if entry.file_type().is_ok_and(|kind| kind.is_file()) {
                let file = source_file(&path, below, self.held_bytes)
                    .map_err(|source| FilesError::Unreadable { path, source })?;
                self.take(file)?;
                continue;
            }
            let metadata = fs::metadata(&path).map_err(|source| self.unreadable(&path, source))?;
            if metadata.is_dir() {
                // Kubernetes mounts files as links into a hidden folder; version control keeps its own there.
                if !name.starts_with('.') {
                    self.folder(&path, &below)?;
                }
            } else if metadata.is_file() {
                let file = source_file(&path, below, self.held_bytes)
                    .map_err(|source| FilesError::Unreadable { path, source })?;
                self.take(file)?;
            } else {
                return Err(FilesError::Special { path });
            }
        }
        self.above.pop();
        Ok(())
    }

    fn take(&mut self, file: SourceFile) -> Result<(), FilesError> {
        self.found.push(file);
        if self.found.len() > FILES_MAX {
            return Err(FilesError::TooMany { path: self.root.to_owned() });
        }
        Ok(())
    }

    /// The error for what has no metadata: a link that leads to itself, or nowhere.
    fn unreadable(&self, path: &Path, source: io::Error) -> FilesError {
        match fs::read_link(path) {
            Ok(target) if source.kind() != io::ErrorKind::NotFound => {
                FilesError::Loop { path: path.to_owned(), target }
            }
            Ok(_) | Err(_) => FilesError::Unreadable { path: path.to_owned(), source },
        }
    }
}

/// Reads one file.
fn source_file(path: &Path, below: String, held_bytes: u64) -> io::Result<SourceFile> {
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
fn has_text_ending(path: &str) -> bool {
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

/// `1 problem`, `3 problems`.
fn problems_counted(problems: &[SourceProblem]) -> String {
    match problems.len() {
        1 => "1 problem".to_owned(),
        count => format!("{count} problems"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Checksum;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, bytes) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        folder
    }

    /// What is found, one file a line; or the error, without the folder's own path.
    fn check(folder: &Path, expected: &str) {
        let found = match read_folder_up_to(folder, 100) {
            Ok(files) => files.iter().map(line).collect::<Vec<_>>().join("\n"),
            Err(error) => {
                let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
                let shown = error.to_string();
                let shown = shown.replace(&folder.display().to_string(), "ROOT");
                shown.replace(&real.display().to_string(), "ROOT")
            }
        };
        assert_eq!(found, expected);
    }

    fn line(file: &SourceFile) -> String {
        let contents = match &file.contents {
            Contents::Text(text) => format!("{text:?}"),
            Contents::Large { bytes, head, .. } => format!("{bytes} bytes, head of {}", head.len()),
            Contents::Binary { .. } => "binary".to_owned(),
            Contents::Broken(why) => why.clone(),
        };
        let executable = if file.executable { " +x" } else { "" };
        let mark = if file.byte_order_mark { " with mark" } else { "" };
        format!("{}{executable}{mark}: {contents}", file.path)
    }

    #[test]
    fn files_come_sorted_and_with_their_texts() {
        let folder = folder(&[
            ("b.sql", b"\xEF\xBB\xBFb"),
            ("a/2.sql", b"2"),
            ("a/10.sql", b"10"),
            (".git/config", b"x"),
            ("bad.sql", b"ab\xFFc"),
            ("cut.sql", b"ab\xC3"),
            ("nul.sql", b"a\0"),
            ("wide.sql", b"\xFF\xFEa\0"),
        ]);
        check(
            folder.path(),
            "a/10.sql: \"10\"\na/2.sql: \"2\"\nb.sql with mark: \"b\"\n\
             bad.sql: is not valid UTF-8: a byte that cannot stand at offset 2\n\
             cut.sql: is not valid UTF-8: a byte that cannot stand at offset 2\n\
             nul.sql: is not text: a NUL byte at offset 1\n\
             wide.sql: is not UTF-8 but UTF-16: save it as UTF-8",
        );
    }

    #[test]
    fn large_files_are_read_through() {
        let lines = "-- ä\n".repeat(50_000);
        let mut late_nul = lines.clone().into_bytes();
        late_nul[200_000] = 0;
        let mut late_break = lines.clone().into_bytes();
        let broken_at = 200_000 + late_break[200_000..].iter().position(|byte| *byte == 0xC3).unwrap();
        late_break[broken_at + 1] = b'x';
        let mut cut = lines.clone().into_bytes();
        cut.push(0xC3);
        let folder = folder(&[
            ("cut.sql", &cut),
            ("large.sql", lines.as_bytes()),
            ("late_break.sql", &late_break),
            ("late_nul.sql", &late_nul),
        ]);
        check(
            folder.path(),
            &format!(
                "cut.sql: is not valid UTF-8: a byte that cannot stand at offset 300000\n\
                 large.sql: 300000 bytes, head of 65532\n\
                 late_break.sql: is not valid UTF-8: a byte that cannot stand at offset {broken_at}\n\
                 late_nul.sql: is not text: a NUL byte at offset 200000"
            ),
        );
        let files = read_folder_up_to(folder.path(), 100).unwrap();
        let Contents::Large { checksum, .. } = &files[1].contents else { panic!("not large") };
        assert_eq!(*checksum, Checksum::of(&lines));
    }

    #[test]
    fn folders_that_are_none_are_named() {
        let folder = folder(&[("file", b"x"), ("empty/.gitkeep", b"")]);
        check(&folder.path().join("missing"), "there is no migrations folder `ROOT`");
        check(&folder.path().join("file"), "`ROOT` is not a folder");
        check(&folder.path().join("empty"), "the migrations folder `ROOT` is empty");
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_loops_refused() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = folder(&[("..data/1.sql", b"one"), ("program", b"\x7fELF\xFF\0")]);
        symlink("..data/1.sql", folder.path().join("1.sql")).unwrap();
        fs::set_permissions(folder.path().join("program"), fs::Permissions::from_mode(0o755)).unwrap();
        check(folder.path(), "1.sql: \"one\"\nprogram +x: binary");
        fs::create_dir(folder.path().join("inner")).unwrap();
        symlink("..", folder.path().join("inner/loop")).unwrap();
        check(folder.path(), "`ROOT/inner/loop` is a symbolic link that leads back to `ROOT`: it has no end");
        fs::remove_file(folder.path().join("inner/loop")).unwrap();
        symlink("self", folder.path().join("self")).unwrap();
        check(folder.path(), "`ROOT/self` is a symbolic link that leads back to `self`: it has no end");
    }

    #[cfg(unix)]
    #[test]
    fn what_cannot_be_read_is_named() {
        use std::os::unix::{fs::symlink, net::UnixListener};
        let folder = folder(&[]);
        symlink("nowhere", folder.path().join("1.sql")).unwrap();
        check(folder.path(), "cannot read `ROOT/1.sql`: No such file or directory (os error 2)");
        fs::remove_file(folder.path().join("1.sql")).unwrap();
        let _socket = UnixListener::bind(folder.path().join("socket")).unwrap();
        check(folder.path(), "`ROOT/socket` is neither a file nor a folder");
    }

    #[test]
    fn problems_come_with_the_folder() {
        let folder = folder(&[("1_a.sq", b"x"), ("2_b.up.sql", b"x"), ("2_c.up.sql", b"x")]);
        let error = read_migrations(folder.path(), Some("twostep"), &ReadOptions::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("2 problems in the migrations folder `{}`", folder.path().display())
        );
    }
}
