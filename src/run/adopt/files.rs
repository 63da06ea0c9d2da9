//! What each tool would have kept of the files of a folder.

use super::tool::Tool;
use crate::files::{self, FilesError};
use crate::source::{
    self, Contents, Folder, KeptChecksum, Migration, ReadOptions, SourceFile, kept_checksum,
};
use std::collections::HashMap;
use std::path::Path;

/// What a tool makes of one migration.
#[derive(Debug, Clone)]
pub struct AsKept {
    /// What it calls it.
    pub key: String,
    /// Its name in the tool's own format.
    pub name: String,
    /// Its up file, below the folder.
    pub path: String,
    /// What it is run for.
    pub kind: source::Kind,
    /// The tool's checksum of the file as it is, and of the same text with other line ends.
    pub checksums: Vec<KeptChecksum>,
    /// Both directions, as Play keeps them.
    pub sides: (String, String),
}

/// The files of a folder as a tool sees them.
#[derive(Debug, Clone, Default)]
pub struct SeenBy {
    /// By version in the folder as it is run.
    pub kept: HashMap<String, AsKept>,
    /// Whether they are in the tool's own format, so that its checksums can be compared.
    pub own_format: bool,
}

/// Why a folder cannot be seen as a tool sees it.
#[derive(Debug, thiserror::Error)]
pub enum SeenByError {
    /// It cannot be read.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The tool would run them otherwise than they would be run now.
    #[error("the files are read as `{read}`, and {tool} would run them otherwise")]
    Otherwise {
        /// The format in which they are read.
        read: &'static str,
        /// The tool.
        tool: &'static str,
        /// Its format.
        format: &'static str,
    },
}

/// How `tool` sees the files of `path`, which are run as `folder`; `chosen` where a person has named the format.
pub fn seen_by(
    tool: &dyn Tool,
    path: &Path,
    folder: &Folder,
    chosen: bool,
    options: &ReadOptions,
) -> Result<SeenBy, SeenByError> {
    if folder.migrations.is_empty() {
        return Ok(SeenBy::default());
    }
    let own = match tool.format() {
        Some(format) => {
            let files = files::read_folder(path)?;
            source::read(&files, Some(format), options).ok().map(|own| (format, own, files))
        }
        None => None,
    };
    let Some((format, own, files)) = own.filter(|(_, own, _)| !own.migrations.is_empty()) else {
        return Ok(SeenBy { kept: without_files(tool, folder), own_format: false });
    };
    if folder.format != format && !source::format::reads_alike(folder, &own) {
        if chosen || folder.format == "twostep" && own.migrations.len() != folder.migrations.len() {
            return Ok(SeenBy { kept: without_files(tool, folder), own_format: false });
        }
        return Err(SeenByError::Otherwise { read: folder.format, tool: tool.id(), format });
    }
    let by_path: HashMap<&str, &SourceFile> = files.iter().map(|file| (file.path.as_str(), file)).collect();
    let pairs = folder.migrations.iter().zip(&own.migrations);
    let kept = pairs
        .map(|(run, own)| {
            let file = by_path.get(own.up.path.as_str()).copied();
            (run.version.as_str().to_owned(), as_kept(tool, format, own, file))
        })
        .collect();
    Ok(SeenBy { kept, own_format: true })
}

/// Only the names: the files are in another format by now.
fn without_files(tool: &dyn Tool, folder: &Folder) -> HashMap<String, AsKept> {
    let one = |migration: &Migration| {
        (migration.version.as_str().to_owned(), as_kept(tool, tool.id(), migration, None))
    };
    folder.migrations.iter().map(one).collect()
}

fn as_kept(tool: &dyn Tool, format: &str, migration: &Migration, file: Option<&SourceFile>) -> AsKept {
    let mut checksums = Vec::new();
    let mut sides = (String::new(), String::new());
    if let Some(file) = file {
        for file in with_other_line_ends(file) {
            let checksum = kept_checksum(format, migration, &file);
            checksums.extend(checksum.filter(|checksum| !checksums.contains(checksum)));
        }
        if let (Contents::Text(text), "play") = (&file.contents, format) {
            sides = source::play::both_sides(text);
        }
    }
    AsKept {
        key: tool.key(migration),
        name: migration.name.clone(),
        path: migration.up.path.clone(),
        kind: migration.kind,
        checksums,
        sides,
    }
}

/// The file as it is, then as editors and git on other machines would have it: line ends are no edit.
fn with_other_line_ends(file: &SourceFile) -> Vec<SourceFile> {
    let mut files = vec![file.clone()];
    if let Contents::Text(text) = &file.contents {
        let unix = text.replace("\r\n", "\n");
        for other in [unix.replace('\n', "\r\n"), unix] {
            files.push(SourceFile { contents: Contents::Text(other.into()), ..file.clone() });
        }
    }
    files
}
