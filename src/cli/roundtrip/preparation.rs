//! From arguments, settings and files to the options of a run.

use super::wish::{UNTOUCHED, Wished};
use crate::cli::commands::db;
use crate::cli::commands::roundtrip::{Args, ScratchArgs};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::printer::Report;
use crate::cli::since;
use crate::dialect::Dialect;
use crate::engine;
use crate::roundtrip::allow::{self, Allowance};
use crate::roundtrip::run::{Options, Seeds, own_script};
use crate::run::seed::SeedFile;
use crate::run::task;
use crate::source::{Body, Folder, Script};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The file that is looked for beside the settings.
const PRELUDE: &str = "prelude.sql";

/// The keys of the table `[roundtrip]`.
const KEYS: &[&str] = &["prelude", "seed_command", "seeds_once", "allow"];

/// What options are made of.
pub struct Preparation<'a> {
    /// Settings.
    pub context: &'a Context,
    /// The engine.
    pub dialect: Dialect,
}

impl Preparation<'_> {
    /// The options of a round trip of `folder`.
    pub fn options(&self, args: &Args, folder: &Folder, wished: &Wished) -> Result<Options, Report> {
        let options = self.scratch(&args.scratch, folder, wished)?;
        let labels: Vec<(String, String)> = folder
            .migrations
            .iter()
            .map(|one| (one.version.to_string(), task::label(&one.version, &one.name)))
            .collect();
        let allowances = self.allowances(args)?;
        allow::check(&allowances, labels.iter().map(|(version, label)| (version.as_str(), label.as_str())))
            .map_err(|error| usage(error.to_string()))?;
        Ok(Options {
            seeds: self.seeds(args)?,
            only: self.only(args, folder)?,
            allowances,
            with_rows: args.with_rows,
            chain: !args.no_chain,
            ..options
        })
    }

    /// The options of what only applies the migrations of `folder`.
    pub fn scratch(&self, args: &ScratchArgs, folder: &Folder, wished: &Wished) -> Result<Options, Report> {
        self.known_keys()?;
        if wished.is_shared() {
            reaches_beyond(folder, self.dialect)?;
        }
        Ok(Options {
            connect: self.context.connect_options(),
            folder: self.context.folder_path(),
            journal: self.context.settings.text("journal").to_owned(),
            prelude: self.prelude(args)?,
            seeds: Seeds::default(),
            only: None,
            allowances: Vec::new(),
            with_rows: false,
            chain: false,
        })
    }

    fn table(&self) -> Option<&toml::Table> {
        self.context.settings.tables.get("roundtrip")
    }

    fn known_keys(&self) -> Result<(), Report> {
        let unknown = self.table().and_then(|table| table.keys().find(|key| !KEYS.contains(&key.as_str())));
        let Some(unknown) = unknown else { return Ok(()) };
        let hint = crate::text::nearest(unknown, KEYS.iter().copied())
            .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        Err(usage(format!("unknown key `{unknown}` in [roundtrip]{hint}")))
    }

    fn text(&self, key: &str) -> Result<Option<String>, Report> {
        match self.table().and_then(|table| table.get(key)) {
            None => Ok(None),
            Some(toml::Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(usage(format!("`{key}` in [roundtrip] is a text in quotes"))),
        }
    }

    fn allowances(&self, args: &Args) -> Result<Vec<Allowance>, Report> {
        let why = |error: allow::AllowError| {
            usage(error.to_string())
                .help("it looks like `--allow 20260301_add_email=the table was empty then`")
        };
        let mut all = Vec::new();
        match self.table().and_then(|table| table.get("allow")) {
            None => {}
            Some(toml::Value::Table(table)) => {
                for (name, reason) in table {
                    all.push(Allowance::new(name, reason.as_str().unwrap_or_default()).map_err(why)?);
                }
            }
            Some(_) => return Err(usage("[roundtrip.allow] is a table: NAME = \"REASON\"".to_owned())),
        }
        for text in &args.allow {
            all.push(Allowance::parse(text).map_err(why)?);
        }
        Ok(all)
    }

    fn prelude(&self, args: &ScratchArgs) -> Result<Option<(String, String)>, Report> {
        let named = match &args.prelude {
            Some(path) => Some(path.clone()),
            None => self.text("prelude")?.map(PathBuf::from),
        };
        let path = match named {
            Some(path) => path,
            None if Path::new(PRELUDE).exists() => PathBuf::from(PRELUDE),
            None => return Ok(None),
        };
        let text = std::fs::read_to_string(&path).map_err(|error| {
            usage(format!("the prelude {} cannot be read", path.display())).why(error.to_string())
        })?;
        Ok(Some((path.display().to_string(), text)))
    }

    fn seeds(&self, args: &Args) -> Result<Seeds, Report> {
        let command = match &args.seed_command {
            Some(command) => Some(command.clone()),
            None => self.text("seed_command")?,
        };
        let once = match self.table().and_then(|table| table.get("seeds_once")) {
            None => args.seeds_once,
            Some(toml::Value::Boolean(once)) => *once || args.seeds_once,
            Some(_) => return Err(usage("`seeds_once` in [roundtrip] is true or false".to_owned())),
        };
        let folder = Path::new(self.context.settings.text("seeds"));
        let mut prepared = Vec::new();
        if folder.exists() {
            for SeedFile { path, text } in db::seed_files(self.context)? {
                let one = own_script(&path, &text, self.dialect).map_err(|problems| {
                    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
                    usage("the seeds cannot be run".to_owned()).why(lines.join("\n"))
                })?;
                prepared.push(one);
            }
        }
        Ok(Seeds { files: prepared, command, once })
    }

    /// The versions that are new.
    fn only(&self, args: &Args, folder: &Folder) -> Result<Option<BTreeSet<String>>, Report> {
        let Some(revision) = &args.since else { return Ok(None) };
        let changed = since::changed_files(&self.context.folder_path(), revision)?;
        let is_new = |script: &Script| changed.contains(&script.path);
        let new =
            folder.migrations.iter().filter(|one| is_new(&one.up) || one.down.as_ref().is_some_and(is_new));
        Ok(Some(new.map(|one| one.version.to_string()).collect()))
    }
}

fn usage(message: String) -> Report {
    Report::new(Exit::Usage, message).state(UNTOUCHED)
}

/// On a server that others use, nothing is run that is not only of its own database.
fn reaches_beyond(folder: &Folder, dialect: Dialect) -> Result<(), Report> {
    for migration in &folder.migrations {
        for script in [Some(&migration.up), migration.down.as_ref()].into_iter().flatten() {
            if let Some(what) = script_reaches_beyond(script, dialect) {
                return Err(usage(format!("{}: `{what}` reaches beyond one database", script.path))
                    .why("other databases are on that server, and are in use")
                    .help("leave --scratch-on-same-server out: a private server is started then")
                    .help("or name a server that nobody else uses: --scratch-url"));
            }
        }
    }
    Ok(())
}

fn script_reaches_beyond(script: &Script, dialect: Dialect) -> Option<String> {
    let beyond =
        |sql: &str| engine::reaches_beyond_database(sql, dialect).then(|| crate::run::script::title(sql));
    match &script.body {
        Body::Sql { file, span } => {
            let cut = crate::sql::split::split(span.of(file), dialect);
            cut.statements.iter().find_map(|statement| beyond(statement.text))
        }
        Body::Statements { statements, .. } => {
            statements.iter().find_map(|statement| beyond(&statement.text))
        }
        Body::LargeFile { .. } => None,
        Body::Program { program } => Some(program.clone()),
    }
}
