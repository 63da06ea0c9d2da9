//! `twostep export`: the migrations in the format of another tool, where nothing would be lost.

use super::new::write_new;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::explain;
use crate::cli::printer::Report;
use crate::dialect::Dialect;
use crate::source::format::ids;
use crate::source::{by_id, export};
use std::path::{Path, PathBuf};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The format: twostep, sqlx, golang-migrate, goose, dbmate, …
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    to: String,

    /// postgres, mysql or sqlite (default: told by the database URL)
    #[arg(long, value_name = "ENGINE", value_parser = engine)]
    engine: Option<Dialect>,

    /// The folder to write: a new one, or an empty one
    dir: PathBuf,
}

fn format(text: &str) -> Result<String, String> {
    match by_id(text) {
        Some(format) => Ok(format.id().to_owned()),
        None => Err(format!("it is one of {}", ids())),
    }
}

fn engine(text: &str) -> Result<Dialect, String> {
    Dialect::from_word(text).ok_or_else(|| "it is one of postgres, mysql, sqlite".to_owned())
}

/// Writes the files; none of them where something would be lost.
pub fn run(context: &Context, args: &Args) -> Result<Exit, Report> {
    let dialect = match args.engine {
        Some(dialect) => dialect,
        None => context.url().map(|url| url.dialect()).map_err(|report| {
            report.help(
                "the migrations' SQL is read as the engine reads it; without a database: `--engine postgres`",
            )
        })?,
    };
    let folder = context.folder(Some(dialect))?;
    let is_taken = std::fs::read_dir(&args.dir).is_ok_and(|mut entries| entries.next().is_some());
    if is_taken || args.dir.is_file() {
        return Err(Report::new(Exit::Usage, format!("`{}` is not an empty folder", args.dir.display()))
            .why("files that stand there would be taken for migrations too")
            .state("nothing was written")
            .help("name a folder that is not there yet"));
    }
    let to = by_id(&args.to).expect("the argument was checked when it was read");
    let files = export(&folder, to, dialect)
        .map_err(|losses| explain::export(&context.folder_path(), to.id(), &losses))?;
    for file in &files {
        write_new(&args.dir.join(Path::new(&file.path)), &file.text)?;
    }
    context.printer.result(&format!(
        "wrote {} migrations in {} files of the format `{}` to {}",
        folder.migrations.len(),
        files.len(),
        args.to,
        args.dir.display()
    ));
    Ok(Exit::Done)
}
