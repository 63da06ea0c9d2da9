//! Walks through a migrations folder and reads what stands in it.

use super::contents::{LARGE_BYTES, has_text_ending, read_file, source_file};
use super::error::{FILES_MAX, FilesError, FolderError};
use crate::parallel;
use crate::source::{Contents, Folder, ReadOptions, SourceFile, by_id, detect, read};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

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
    let mut walk = Walk { root: path, above: Vec::new(), found: Vec::new() };
    walk.folder(path, "")?;
    let mut found = walk.found;
    found.sort_by(|one, two| one.below.cmp(&two.below));
    if found.iter().all(|file| file.below.starts_with('.')) {
        return Err(FilesError::Empty { path: path.to_owned() });
    }
    let read = |found: &Found| {
        source_file(&found.path, found.below.clone(), held_bytes)
            .map_err(|source| FilesError::Unreadable { path: found.path.clone(), source })
    };
    parallel::map(&found, read).into_iter().collect()
}

/// A file that was found.
struct Found {
    path: PathBuf,
    /// Its path below the root, with `/` between its parts.
    below: String,
}

/// A walk through a folder.
struct Walk<'a> {
    root: &'a Path,
    /// The folders that the present one stands in, as the file system knows them.
    above: Vec<PathBuf>,
    found: Vec<Found>,
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
                self.take(Found { path, below })?;
                continue;
            }
            let metadata = fs::metadata(&path).map_err(|source| self.unreadable(&path, source))?;
            if metadata.is_dir() {
                // Kubernetes mounts files as links into a hidden folder; version control keeps its own there.
                if name.to_ascii_lowercase().ends_with(".sql") {
                    return Err(FilesError::NamedLikeAFile { path });
                }
                if !name.starts_with('.') {
                    self.folder(&path, &below)?;
                }
            } else if metadata.is_file() {
                self.take(Found { path, below })?;
            } else {
                return Err(FilesError::Special { path });
            }
        }
        self.above.pop();
        Ok(())
    }

    fn take(&mut self, file: Found) -> Result<(), FilesError> {
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

/// Reads the files directly in `folder`, and, where `in_folders`, those in its folders, as far as they are meant to be
/// text: what stands beside a file that somebody named. Sorted by path. What cannot be read is broken.
pub fn read_beside(folder: &Path, in_folders: bool) -> Result<Vec<SourceFile>, FilesError> {
    let mut found = Vec::new();
    beside(folder, "", in_folders, &mut found)?;
    found.sort_by(|one, two| one.below.cmp(&two.below));
    Ok(parallel::map(&found, |found| read_file(&found.path, &found.below)))
}

fn beside(folder: &Path, below: &str, in_folders: bool, found: &mut Vec<Found>) -> Result<(), FilesError> {
    let unreadable = |source| FilesError::Unreadable { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
        let path = entry.path();
        let below = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
        // Links are followed; what is no link need not be asked again.
        let Ok(kind) = entry.file_type() else { continue };
        let kind = match kind.is_symlink().then(|| fs::metadata(&path)) {
            None => kind,
            Some(Ok(metadata)) => metadata.file_type(),
            Some(Err(_)) => continue,
        };
        if kind.is_dir() && in_folders {
            beside(&path, &below, false, found)?;
        } else if kind.is_file() && has_text_ending(name) {
            found.push(Found { path, below });
            if found.len() > FILES_MAX {
                return Err(FilesError::TooMany { path: folder.to_owned() });
            }
        }
    }
    Ok(())
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
