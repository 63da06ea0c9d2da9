//! `twostep plan MIGRATION`: a hazardous migration as the deploy that is not.

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::lint::configured_dialect;
use crate::cli::printer::{Report, visible};
use crate::cli::proof::{self, ProofArgs};
use crate::dialect::Dialect;
use crate::engine::version::ServerVersion;
use crate::plan::{self, Deploy, FilesProblem, PlannedFiles, Refusal, Request};
use crate::proof::deploy::planned;
use crate::schema::model::Schema;
use crate::source::{Folder, Kind, Migration};
use similar::TextDiff;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Version of the migration; without one the newest
    migration: Option<String>,

    /// Put its steps in the place of the migration's files
    #[arg(long)]
    write: bool,

    /// What a column holds in rows that do not give it, such as "users.email=''"; may be given several times
    #[arg(long = "fill", value_name = "TABLE.COLUMN=EXPRESSION")]
    fills: Vec<String>,

    /// Version of the server, such as 16, 8.4 or mariadb-10.11
    #[arg(long, value_name = "VERSION")]
    server_version: Option<String>,

    /// Whether and how it is proved
    #[command(flatten)]
    proof: ProofArgs,
}

const UNWRITTEN: &str = "nothing was written; no database was asked";

/// Plans the migration, shows it, proves it and writes it where that is asked for.
pub async fn run(context: &Context, args: &Args) -> Result<Exit, Report> {
    let dialect = match context.settings.optional("database_url") {
        Some(_) => context.url()?.dialect(),
        None => configured_dialect(context)?,
    };
    if args.proof.verify {
        let folder = context.folder(Some(dialect))?;
        let typed = args.migration.as_deref().map(|typed| chosen(&folder, Some(typed))).transpose()?;
        if typed.is_none_or(|at| folder.migrations[at].phase().is_some()) {
            let deploys = proof::written(&args.proof, context, &folder, typed, dialect)?;
            let server = args.server_version.is_some().then(|| server(context, args, dialect)).transpose()?;
            return proof::run(context, &args.proof, &folder, &deploys, server, dialect).await;
        }
    }
    let folder = context.folder(Some(dialect))?;
    let at = chosen(&folder, args.migration.as_deref())?;
    let server = server(context, args, dialect)?;
    let request = Request { folder: &folder, at, server, fills: &args.fills };
    let migration = &folder.migrations[at];
    let deploy =
        plan::plan(&request, Schema::new(dialect)).map_err(|refusals| refused(migration, &refusals))?;
    if deploy.parts.is_empty() {
        tracing::info!("{} needs no second step: it is good as it stands", migration.up.path);
        for limit in &deploy.limits {
            tracing::info!("note: {limit}");
        }
        return Ok(Exit::Done);
    }
    let files =
        plan::files(&deploy, &folder, at, dialect).map_err(|problem| unwritable(migration, &problem))?;
    if !args.proof.verify || args.proof.is_for_people() {
        show(context, &deploy, server, &files);
    }
    if args.proof.verify {
        let parts = plan::migrations(&files, &folder, dialect).map_err(|what| {
            Report::new(Exit::Usage, format!("no plan for {}: {what}", migration.up.path)).state(UNWRITTEN)
        })?;
        let planned = planned(&folder, at, parts);
        let version = args.server_version.is_some().then_some(server);
        let deploys = [planned];
        let exit = proof::run(context, &args.proof, &folder, &deploys, version, dialect).await?;
        if exit != Exit::Done || !args.write {
            return Ok(exit);
        }
    }
    if !args.write {
        context
            .printer
            .hint("\nnext: the same with `--write` puts these files in the place of the migration's");
        return Ok(Exit::Done);
    }
    write(context, &files)?;
    context.printer.hint(if deploy.parts.iter().any(|part| part.phase == plan::Phase::Contract) {
        "\nnext: `twostep migrate` applies all but the contract; once no older code runs, `twostep migrate --contract` ends it"
    } else {
        "\nnext: `twostep migrate` applies it"
    });
    Ok(Exit::Done)
}

/// The place of the migration that is meant.
fn chosen(folder: &Folder, typed: Option<&str>) -> Result<usize, Report> {
    let place = |wanted: &Migration| {
        folder.migrations.iter().position(|migration| migration.version == wanted.version)
    };
    let newest = || folder.migrations.iter().rev().find(|migration| migration.kind == Kind::Versioned);
    let found = match typed {
        None => newest(),
        Some(typed) => {
            let named = |migration: &&Migration| {
                migration.up.path == typed
                    || migration.up.path.strip_suffix(".up.sql") == Some(typed)
                    || typed.ends_with(&format!("/{}", migration.up.path))
            };
            folder.find(typed).or_else(|| folder.migrations.iter().find(named))
        }
    };
    found.and_then(place).ok_or_else(|| {
        let typed = visible(typed.unwrap_or(""));
        Report::new(Exit::Usage, format!("there is no migration `{typed}`"))
            .state(UNWRITTEN)
            .help("name it by its version or its file; `twostep status` lists them")
    })
}

fn server(context: &Context, args: &Args, dialect: Dialect) -> Result<ServerVersion, Report> {
    let text = args.server_version.as_deref().or_else(|| context.settings.optional("lint.server_version"));
    match text {
        None => Ok(ServerVersion::usual(dialect)),
        Some(text) => ServerVersion::parse(text, dialect).ok_or_else(|| {
            Report::new(Exit::Usage, format!("`{}` is no version of {}", visible(text), dialect.title()))
                .state(UNWRITTEN)
                .help("it looks like `16`, `8.4` or `mariadb-10.11`")
        }),
    }
}

fn show(context: &Context, deploy: &Deploy, server: ServerVersion, files: &PlannedFiles) {
    let mut out = plan::table(deploy, server);
    for code in &deploy.code {
        out.push_str(&format!("\nin between, the code: {}", code.replace('\n', " ")));
    }
    for limit in &deploy.limits {
        out.push_str(&format!("\nnote: {limit}"));
    }
    if !deploy.code.is_empty() || !deploy.limits.is_empty() {
        out.push('\n');
    }
    for path in &files.removed {
        let text = std::fs::read_to_string(context.folder_path().join(path)).unwrap_or_default();
        out.push_str(&diff(&text, "", path));
    }
    for file in &files.added {
        let text = std::fs::read_to_string(context.folder_path().join(&file.path)).unwrap_or_default();
        out.push_str(&diff(&text, &file.text, &file.path));
    }
    context.printer.result(out.trim_end());
}

fn diff(old: &str, new: &str, path: &str) -> String {
    let name = |text: &str, side: &str| {
        if text.is_empty() { "/dev/null".to_owned() } else { format!("{side}/{path}") }
    };
    let header = (name(old, "a"), name(new, "b"));
    let diff = TextDiff::from_lines(old, new);
    format!("\n{}", diff.unified_diff().context_radius(3).header(&header.0, &header.1))
}

/// Writes the new files first, so that nothing is lost if it is stopped in between.
fn write(context: &Context, files: &PlannedFiles) -> Result<(), Report> {
    let folder = context.folder_path();
    let failed = |path: &str, error: &std::io::Error| {
        Report::new(Exit::Usage, format!("cannot write {}", folder.join(path).display()))
            .why(error.to_string())
            .state("files before it may have been written: `git status` shows them")
            .help("make the folder writable, and run the same again")
    };
    for file in &files.added {
        let path = folder.join(&file.path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|error| failed(&file.path, &error))?;
        }
        std::fs::write(&path, &file.text).map_err(|error| failed(&file.path, &error))?;
    }
    for path in &files.removed {
        std::fs::remove_file(folder.join(path)).map_err(|error| failed(path, &error))?;
        leave_no_empty_folder(&folder.join(path), folder.as_path());
    }
    Ok(())
}

/// Removes the folder of a migration that has one of its own, with a way back that was empty, once nothing else is in it:
/// what cannot be removed is told by whoever reads the migrations next.
fn leave_no_empty_folder(file: &std::path::Path, root: &std::path::Path) {
    let Some(own) = file.parent().filter(|own| *own != root) else { return };
    let down = own.join("down.sql");
    if std::fs::read_to_string(&down).is_ok_and(|text| text.trim().is_empty()) {
        std::fs::remove_file(&down).ok();
    }
    std::fs::remove_dir(own).ok();
}

fn refused(migration: &Migration, refusals: &[Refusal]) -> Report {
    let first = &refusals[0];
    let mut report =
        Report::new(Exit::Findings, format!("no plan for {}: {}", migration.up.path, visible(&first.what)));
    for other in &refusals[1..] {
        report = report.why(visible(&other.to_string()));
    }
    report = report.state(UNWRITTEN);
    for refusal in refusals {
        for line in refusal.help.lines() {
            let help = visible(line);
            if !report.help.contains(&help) {
                report = report.help(help);
            }
        }
    }
    report
}

fn unwritable(migration: &Migration, problem: &FilesProblem) -> Report {
    let report =
        Report::new(Exit::Usage, format!("no plan for {}: {problem}", migration.up.path)).state(UNWRITTEN);
    match problem {
        FilesProblem::Later { .. } => report
            .help("if a database has it already, it is history: leave it as it is, and plan what is not released yet")
            .help("if none has it, give the migrations behind it greater versions first, or all of them timestamps"),
        FilesProblem::Version(_) | FilesProblem::Format { .. } => {
            report.help("`twostep export` writes a folder in another format; `twostep` carries all of it")
        }
    }
}
