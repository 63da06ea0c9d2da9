//! `twostep init`: a migrations folder, a configuration file and an example for CI.

use super::new::write_new;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::printer::Report;
use crate::cli::settings::FILE_NAME;
use std::path::Path;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write the example for CI too: github or gitlab
    #[arg(long, value_name = "WHICH", value_parser = ["github", "gitlab"])]
    ci: Option<String>,
}

const CONFIG: &str = "\
# twostep: https://crates.io/crates/twostep. `twostep config` lists all settings.

# The database of development. DATABASE_URL, where it is set, is used instead; a release never uses this line.
database_url = \"sqlite:dev.db\"

migrations = \"migrations\"
";

const UP: &str = "\
-- Applied by `twostep migrate`.
create table notes (
    id bigint not null primary key,
    body text not null
);
";

const DOWN: &str = "\
-- Taken back by `twostep rollback`.
drop table notes;
";

const GITHUB: &str = "\
name: migrations
on: pull_request
jobs:
  migrations:
    runs-on: ubuntu-latest
    services:
      postgres:
        image: postgres:17
        env: { POSTGRES_PASSWORD: ci }
        ports: [\"5432:5432\"]
    env:
      DATABASE_URL: postgres://postgres:ci@localhost/ci
    steps:
      - uses: actions/checkout@v4
      - run: cargo install --locked twostep
      - run: twostep db create
      - run: twostep migrate --wait 60s
      - run: twostep rollback --all
      - run: twostep migrate
";

const GITLAB: &str = "\
migrations:
  image: rust:1
  services: [\"postgres:17\"]
  variables:
    POSTGRES_PASSWORD: ci
    DATABASE_URL: postgres://postgres:ci@postgres/ci
  script:
    - cargo install --locked twostep
    - twostep db create
    - twostep migrate --wait 60s
    - twostep rollback --all
    - twostep migrate
";

/// Makes what is not there yet, and leaves alone what is.
pub fn run(context: &Context, args: &Args) -> Result<Exit, Report> {
    let folder = context.folder_path();
    let mut files = vec![(Path::new(FILE_NAME).to_owned(), CONFIG)];
    let is_empty = std::fs::read_dir(&folder).map_or(true, |mut entries| entries.next().is_none());
    if is_empty {
        files.push((folder.join("0001_create_notes.up.sql"), UP));
        files.push((folder.join("0001_create_notes.down.sql"), DOWN));
    }
    match args.ci.as_deref() {
        Some("github") => files.push((Path::new(".github/workflows/migrations.yml").to_owned(), GITHUB)),
        Some(_) => files.push((Path::new(".gitlab-ci.migrations.yml").to_owned(), GITLAB)),
        None => {}
    }
    for (path, text) in files {
        if path.exists() {
            context.printer.result(&format!("{} is there already", path.display()));
            continue;
        }
        write_new(&path, text)?;
        context.printer.result(&format!("wrote {}", path.display()));
    }
    context
        .printer
        .hint("\nnext: `twostep migrate` applies the first migration, `twostep new NAME` makes another");
    Ok(Exit::Done)
}
