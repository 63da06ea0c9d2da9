//! `twostep completions SHELL`.

use crate::cli::args;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::printer::Report;
use clap::CommandFactory as _;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// bash, zsh, fish, elvish, powershell
    shell: clap_complete::Shell,
}

/// Prints what the shell needs to complete our arguments.
pub fn run(context: &Context, args: &Args) -> Result<Exit, Report> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut args::Args::command(), "twostep", &mut text);
    context.printer.result(&String::from_utf8_lossy(&text));
    Ok(Exit::Done)
}
