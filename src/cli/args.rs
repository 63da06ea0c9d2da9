//! The arguments that all commands share. Each command's own stand in its file.

use super::commands::Command;
use clap::Parser;
use std::path::PathBuf;

/// Exit codes, as `--help` shows them.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  done, nothing to do, or held
  1  findings, a round trip that does not close, drift (`status --exit-code`), a problem (`doctor`)
  2  usage or configuration
  3  failed; this run committed nothing
  4  failed or stopped after something was committed; the same command goes on from there
  5  a lock was not there in time
  6  interrupted; every migration is either applied or not
  7  outcome unknown, or the server is still rolling back: a person must look
  8  the database is ahead of these files with what breaks this code
  9  cannot connect, not allowed, or a standby";

/// Zero-downtime SQL migrations.
#[derive(Debug, Parser)]
#[command(name = "twostep", version, about, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,

    /// What holds for all commands.
    #[command(flatten)]
    pub global: Global,
}

/// Options that every command takes.
#[derive(Debug, clap::Args)]
pub struct Global {
    /// Configuration file (default: twostep.toml, if there is one)
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Database, instead of $DATABASE_URL
    #[arg(long, global = true, value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,

    /// The same database past its pooler
    #[arg(long, global = true, value_name = "URL")]
    pub direct_url: Option<String>,

    /// Folder of the migrations
    #[arg(long, global = true, value_name = "DIR")]
    pub migrations: Option<String>,

    /// Format of the migrations, where it shall not be found out from the files
    #[arg(long, global = true, value_name = "FORMAT")]
    pub source_format: Option<String>,

    /// Schema (PostgreSQL) or table prefix of the history
    #[arg(long, global = true, value_name = "NAME")]
    pub journal: Option<String>,

    /// Read variables from this file too (on a terminal, .env is read by itself)
    #[arg(long, global = true, value_name = "FILE")]
    pub env_file: Option<PathBuf>,

    /// A value for the placeholders of formats that have them; may be given several times
    #[arg(long = "var", global = true, value_name = "NAME=VALUE", value_parser = variable)]
    pub variables: Vec<(String, String)>,

    /// Form of the log: auto, text, logfmt, json
    #[arg(long, global = true, value_name = "FORM")]
    pub log: Option<String>,

    /// Say only what is wrong
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Say more
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it looks like NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Global {
    /// The settings that are given by flags.
    pub fn flags(&self) -> Vec<(&'static str, String)> {
        [
            ("database_url", &self.database_url),
            ("direct_url", &self.direct_url),
            ("migrations", &self.migrations),
            ("source_format", &self.source_format),
            ("journal", &self.journal),
            ("log", &self.log),
        ]
        .into_iter()
        .filter_map(|(key, value)| value.clone().map(|value| (key, value)))
        .collect()
    }
}
