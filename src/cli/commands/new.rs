//! `twostep new NAME`: the files of a new migration, in the folder's own format.

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::printer::Report;
use crate::source::slug;
use crate::source::versions::{Numbering, UnixSeconds};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What it does, such as `add users email`
    #[arg(required = true, num_args = 1..)]
    name: Vec<String>,

    /// Number it by the next sequence number instead of the time
    #[arg(long, conflicts_with = "timestamp")]
    sequence: bool,

    /// Number it by the time (UTC)
    #[arg(long)]
    timestamp: bool,

    /// Without a down
    #[arg(long)]
    no_down: bool,
}

/// Makes the files.
pub fn run(context: &Context, args: &Args) -> Result<Exit, Report> {
    // A folder for several engines is told by the database; without one it says so.
    let dialect = context.url().ok().map(|url| url.dialect());
    let folder = context.folder_or_empty(dialect)?;
    let name = slug(&args.name.join(" "));
    if name.is_empty() {
        return Err(Report::new(Exit::Usage, "the name has no letter or digit")
            .why("a file is named after its version and what it does")
            .state("nothing was written")
            .help("say what it does: `twostep new add users email`"));
    }
    let numbering = match (args.sequence, args.timestamp) {
        (true, _) => Some(Numbering::Sequence { width: 4 }),
        (_, true) => Some(Numbering::Timestamp),
        (false, false) => None,
    };
    for file in &folder.new_files(&name, args.no_down, numbering, now()) {
        let path = context.folder_path().join(&file.path);
        write_new(&path, &file.text)?;
        context.printer.result(&path.display().to_string());
    }
    Ok(Exit::Done)
}

fn now() -> UnixSeconds {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Writes a file that must not be there yet.
pub fn write_new(path: &Path, text: &str) -> Result<(), Report> {
    let failed = |error: std::io::Error| {
        Report::new(Exit::Usage, format!("cannot write {}", path.display()))
            .why(error.to_string())
            .state("it was not written")
            .help("make its folder writable, or take away what is in its place")
    };
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    let mut file = File::create_new(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}
