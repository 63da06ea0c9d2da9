//! Reads a migrations folder: the only place from which files come to `source/`.

mod contents;
mod error;
mod folder;

pub use contents::{LARGE_BYTES, read_file};
pub use error::{FilesError, FolderError};
pub use folder::{read_beside, read_folder, read_migrations, read_migrations_of};
