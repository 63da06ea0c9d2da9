//! The `twostep` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    twostep::cli::main()
}
