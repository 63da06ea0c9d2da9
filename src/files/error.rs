//! Why a folder cannot be read, or gives no migrations.

use crate::source::SourceProblem;
use std::io;
use std::path::PathBuf;

/// A folder with more files than this is not a migrations folder.
pub(super) const FILES_MAX: usize = 50_000;

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
    /// A folder that bears the name of a migration's file.
    #[error("`{}` is a folder, and is named like a file", path.display())]
    NamedLikeAFile {
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

/// `1 problem`, `3 problems`.
fn problems_counted(problems: &[SourceProblem]) -> String {
    match problems.len() {
        1 => "1 problem".to_owned(),
        count => format!("{count} problems"),
    }
}
