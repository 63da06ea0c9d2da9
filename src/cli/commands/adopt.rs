//! `twostep adopt`: a database that another tool has migrated goes on here, without anything being run again.

use crate::cli::context::{Context, host};
use crate::cli::exit::Exit;
use crate::cli::explain;
use crate::cli::printer::Report;
use crate::db::session::ConnectOptions;
use crate::run::adopt::find::Named;
use crate::run::adopt::plan::{Accepted, Adoption, Fate};
use crate::run::adopt::record::{self, Adopted, Files, Origin, Wish};
use crate::run::adopt::tools::TOOLS;
use crate::source::Folder;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The tool, where several have left a history
    #[arg(long, value_name = "TOOL", value_parser = tool)]
    from: Option<String>,

    /// The tool's table, where it has a name of its own
    #[arg(long, value_name = "NAME")]
    table: Option<String>,

    /// All files up to this version are there, whatever has applied them; `none` for none of them
    #[arg(long, value_name = "VERSION", conflicts_with_all = ["from", "table", "mirror_history", "accept_edit"])]
    baseline: Option<String>,

    /// This migration's file may differ from what was applied; `all` for all of them
    #[arg(long, value_name = "VERSION")]
    accept_edit: Vec<String>,

    /// From now on, write the tool's table too, so that it can still be used
    #[arg(long)]
    mirror_history: bool,

    /// Show what would be taken over, and change nothing
    #[arg(long)]
    dry_run: bool,
}

fn tool(text: &str) -> Result<String, String> {
    let ids: Vec<&str> = TOOLS.iter().map(|tool| tool.id()).collect();
    if ids.contains(&text) { Ok(text.to_owned()) } else { Err(format!("it is one of {}", ids.join(", "))) }
}

/// Takes the database over.
pub async fn run(context: &Context, args: &Args) -> Result<Exit, Report> {
    let url = context.release_url()?;
    // Where the old tool's migrations are programs, the first file is still to be written.
    let folder = context.folder_or_empty(Some(url.dialect()))?;
    let wish = wish(context, args, &folder)?;
    let mut session = if args.dry_run {
        let options = ConnectOptions { read_only: true, ..context.connect_options() };
        context.connect(&url, &options).await?
    } else {
        context.connect_to_lock(&url).await?
    };
    let journal = context.journal(&url);
    let path = context.folder_path();
    let files = Files {
        folder: &folder,
        path: &path,
        format_is_chosen: context.settings.optional("source_format").is_some(),
        options: &context.read_options(Some(url.dialect())),
    };
    let adopted = record::adopt(&mut *session, &journal, files, &wish).await;
    let adopted = adopted.map_err(|error| explain::adopt(&url, &journal, &path, &error))?;
    session.close().await;
    for note in &adopted.adoption.notes {
        tracing::warn!("{note}");
    }
    context.printer.result(&text(&url.to_string(), &adopted, args.dry_run));
    let pending = adopted.adoption.lines.iter().any(|line| line.fate == Fate::Pending);
    context.printer.hint(match (args.dry_run, pending) {
        (true, _) => "\nnext: `twostep adopt` takes it over",
        (false, true) => "\nnext: `twostep migrate` applies what is pending",
        (false, false) => "\nnext: `twostep new NAME` makes the next migration",
    });
    Ok(Exit::Done)
}

fn wish(context: &Context, args: &Args, folder: &Folder) -> Result<Wish, Report> {
    let version = |typed: &String| folder.find(typed).map(|found| found.version.clone());
    let missing = |typed: &String| {
        let last = folder.migrations.last().map_or("none", |last| last.version.as_str());
        Report::new(Exit::Usage, format!("there is no migration {typed}"))
            .why(format!("the last one in `{}` is {last}", context.folder_path().display()))
            .state("nothing was connected to, nothing changed")
            .help("name a version that has a file; where no file stands for what is there, `--baseline none`")
    };
    let origin = match &args.baseline {
        None => Origin::Tool(Named { tool: args.from.clone(), table: args.table.clone() }),
        Some(none) if none == "none" => Origin::Baseline(None),
        Some(typed) => Origin::Baseline(Some(version(typed).ok_or_else(|| missing(typed))?)),
    };
    let mut accepted = Accepted::default();
    for typed in &args.accept_edit {
        match version(typed) {
            _ if typed == "all" => accepted.all = true,
            Some(version) => accepted.versions.push(version),
            None => return Err(missing(typed)),
        }
    }
    Ok(Wish {
        origin,
        accepted,
        mirror: args.mirror_history || context.settings.text("mirror_history") == "yes",
        dry_run: args.dry_run,
        host: host(),
        release: context.settings.optional("release").map(str::to_owned),
    })
}

fn text(url: &str, adopted: &Adopted, dry_run: bool) -> String {
    let Adoption { lines, taken, from, .. } = &adopted.adoption;
    let width = |of: fn(&crate::run::adopt::plan::Line) -> usize| lines.iter().map(of).max().unwrap_or(0);
    let (first, second) = (width(|line| line.fate.word().len()), width(|line| line.label.chars().count()));
    let mut out = String::new();
    for line in lines {
        let row = format!("{:first$}  {:second$}  {}", line.fate.word(), line.label, line.note);
        out.push_str(row.trim_end());
        out.push('\n');
    }
    let count = |fate: Fate| lines.iter().filter(|line| line.fate == fate).count();
    let what = if dry_run { "would be adopted" } else { "adopted" };
    let table = adopted.table.as_ref().map_or_else(String::new, |table| format!(" (`{table}`)"));
    let origin = if table.is_empty() { "as a baseline".to_owned() } else { format!("from {from}{table}") };
    out.push_str(&format!("\n{url}: {} {what} {origin}, {} pending", taken.len(), count(Fate::Pending)));
    match count(Fate::WithoutFile) {
        0 => {}
        count => out.push_str(&format!(", {count} of them without a file")),
    }
    out.push('\n');
    out
}
