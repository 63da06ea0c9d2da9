//! `twostep man`.

use crate::cli::args;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::printer::Report;
use clap::CommandFactory as _;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The page of this command, instead of the one about all of them
    command: Option<String>,
}

/// Prints the manual page, for `man -l -`.
pub fn run(context: &Context, args: &Args) -> Result<Exit, Report> {
    let whole = args::Args::command();
    let command = match &args.command {
        None => whole,
        Some(name) => {
            let found = whole.get_subcommands().find(|command| command.get_name() == name).cloned();
            found.ok_or_else(|| Report::new(Exit::Usage, format!("there is no command `{name}`")))?
        }
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut text)
        .map_err(|error| Report::new(Exit::Usage, format!("the page cannot be made: {error}")))?;
    context.printer.result(&String::from_utf8_lossy(&text));
    Ok(Exit::Done)
}
