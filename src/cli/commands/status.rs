//! `twostep status`: what is applied and what is pending. Reads only, makes nothing.

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::explain;
use crate::cli::printer::{Report, visible};
use crate::db::session::ConnectOptions;
use crate::run::activity::Activity;
use crate::run::adopt::find::{self, Found};
use crate::run::contracts::{self, Contracts, Gate};
use crate::run::journal::{Applied, History, OpenRun, State};
use crate::run::pending::{self, Comparison};
use crate::run::task::label;
use crate::source::{Folder, Kind, Migration};
use serde_json::json;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// text or json
    #[arg(long, default_value = "text", value_parser = ["text", "json"])]
    format: String,

    /// Exit with 1 where something is pending, edited, half done, or ahead of the files
    #[arg(long)]
    exit_code: bool,
}

/// One line of the table.
struct Line {
    state: String,
    version: String,
    name: String,
    note: String,
    applied: Option<Applied>,
}

/// Shows the state.
pub async fn run(context: &Context, args: &Args) -> Result<Exit, Report> {
    let url = context.url()?;
    let folder = context.folder(Some(url.dialect()))?;
    let journal = context.journal(&url);
    let mut others = Vec::new();
    let history = if url.is_missing_file() {
        History::default()
    } else {
        let options = ConnectOptions { read_only: true, ..context.connect_options() };
        let mut session = context.connect(&url, &options).await?;
        let history =
            journal.read(&mut *session).await.map_err(|error| explain::journal(&url, &journal, &error))?;
        if !history.exists {
            others = find::in_the_way(&mut *session).await.map_err(|error| explain::connect(&url, &error))?;
        }
        session.close().await;
        history
    };
    let comparison = pending::compare(&folder, &history, None);
    let lines = lines(&folder, &history, &comparison);
    if args.format == "json" {
        context.printer.result(&json(&url.to_string(), &lines, &history, &comparison, &others));
    } else {
        let mut text = text(&url.to_string(), &lines, &history, &comparison);
        for other in &others {
            text.push_str(&format!(
                "{} has migrated this database: `{}` names {}; `twostep adopt` takes that over\n",
                other.tool.id(),
                other.table_shown(),
                other.told.count()
            ));
        }
        context.printer.result(&text);
    }
    let clean = comparison.pending.is_empty() && !comparison.has_drift() && others.is_empty();
    Ok(if args.exit_code && !clean { Exit::Findings } else { Exit::Done })
}

fn lines(folder: &Folder, history: &History, comparison: &Comparison) -> Vec<Line> {
    let mut lines: Vec<Line> = folder
        .migrations
        .iter()
        .enumerate()
        .map(|(position, migration)| line(position, migration, folder, history, comparison))
        .collect();
    lines.extend(comparison.ahead.iter().map(|applied| Line {
        state: "ahead".to_owned(),
        version: applied.version.to_string(),
        name: applied.name.clone(),
        note: "applied, but not among the files".to_owned(),
        applied: Some(applied.clone()),
    }));
    lines
}

fn line(
    position: usize,
    migration: &Migration,
    folder: &Folder,
    history: &History,
    comparison: &Comparison,
) -> Line {
    let applied = history.get(&migration.version).cloned();
    let doing = at_work(history, &label(&migration.version, &migration.name));
    let held = contracts::held(folder, history, &comparison.pending, Contracts::Confirmed, &Gate::Unknown);
    let held = held.into_iter().find(|held| held.position == position);
    let mut notes: Vec<String> = held.iter().map(|held| held.why.clone()).collect();
    let rows = || history.statements.iter().filter(|row| row.version == migration.version);
    let state = match &applied {
        _ if doing.is_some() => "at work",
        Some(row) if row.state != State::Applied && rows().any(|row| !row.done && !row.in_parts) => {
            "uncertain"
        }
        Some(row) if row.state == State::Applying => "half applied",
        Some(row) if row.state == State::Reverting => "half rolled back",
        Some(_) if migration.kind == Kind::Repeatable && comparison.pending.contains(&position) => "changed",
        Some(_) => "applied",
        None if held.is_some() => "held",
        None if comparison.pending.contains(&position) => "pending",
        None => "skipped",
    };
    if comparison.edited.iter().any(|edited| edited.version == migration.version) {
        notes.push("edited after it was applied".to_owned());
    }
    if comparison.out_of_order.contains(&position) {
        notes.push("stands before an applied one".to_owned());
    }
    if state.starts_with("half") || state == "uncertain" {
        let done = rows().filter(|row| row.done).count();
        notes.push(format!("{done} statement(s) of it are done"));
        if rows().any(|row| row.in_parts) {
            notes.push("it stopped in a backfill, which goes on where it is".to_owned());
        }
        if state == "uncertain" {
            notes.push("what came of a statement is looked up by the next run".to_owned());
        }
    }
    let state = match doing {
        Some(activity) => {
            notes.push(activity.note());
            activity.state()
        }
        None => state.to_owned(),
    };
    if let Some(from) = applied.as_ref().and_then(|row| row.adopted_from.as_deref()) {
        notes.push(if from == "baseline" { "baseline".to_owned() } else { format!("adopted from {from}") });
    }
    if migration.down.is_none() && migration.kind == Kind::Versioned {
        notes.push("no way back".to_owned());
    }
    Line {
        state,
        version: migration.version.to_string(),
        name: migration.name.clone(),
        note: notes.join("; "),
        applied,
    }
}

/// From how many seconds without a sign of life on a run is taken for dead.
const SILENT_S: i64 = 60;

/// The runs that have not ended: those that live, and the last one also if it is silent.
fn open_runs(history: &History) -> impl Iterator<Item = &OpenRun> {
    let last = history.open_run.as_ref().map(|run| run.id);
    history.open_runs.iter().filter(move |run| run.silent_s < SILENT_S || Some(run.id) == last)
}

/// What a living run does to the migration now.
fn at_work<'h>(history: &'h History, label: &str) -> Option<&'h Activity> {
    let living = history.open_runs.iter().filter(|run| run.silent_s < SILENT_S);
    living.filter_map(|run| run.activity.as_ref()).find(|activity| activity.migration == label)
}

fn text(url: &str, lines: &[Line], history: &History, comparison: &Comparison) -> String {
    let mut rows: Vec<[String; 4]> = Vec::with_capacity(lines.len());
    for line in lines {
        let when =
            line.applied.as_ref().map(|applied| applied.applied_at.chars().take(16).collect::<String>());
        rows.push([
            line.state.clone(),
            label(&crate::source::Version::new(&line.version), &line.name),
            when.unwrap_or_default().replace('T', " "),
            line.note.clone(),
        ]);
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (first, second, third) = (width(0), width(1), width(2));
    let mut out = String::new();
    for [state, label, when, note] in &rows {
        let row = format!("{state:first$}  {label:second$}  {when:third$}  {note}");
        out.push_str(row.trim_end());
        out.push('\n');
    }
    let applied = history.applied.iter().filter(|applied| applied.state == State::Applied).count();
    out.push_str(&format!("\n{url}: {applied} applied, {} pending", comparison.pending.len()));
    match history.applied.iter().filter(|applied| applied.had_no_file()).count() {
        0 => {}
        count => out.push_str(&format!(", {count} adopted without a file")),
    }
    if !comparison.ahead.is_empty() {
        out.push_str(&format!(", {} ahead of the files", comparison.ahead.len()));
    }
    if !comparison.edited.is_empty() {
        out.push_str(&format!(", {} edited", comparison.edited.len()));
    }
    let anyway = history.confirmed.as_ref().and_then(|live| live.anyway.as_deref());
    if let Some((reason, by)) = anyway.zip(history.confirmed_by.as_ref()) {
        let (release, who) = (visible(&by.release), visible(&by.by));
        let at = by.at.chars().take(16).collect::<String>().replace('T', " ");
        let reason = if reason.is_empty() { "no reason was kept".to_owned() } else { visible(reason) };
        out.push_str(&format!(
            "\nrelease {release} was confirmed by {who} at {at}, whatever older code is seen: {reason}"
        ));
    }
    for run in open_runs(history) {
        let doing = match &run.activity {
            _ if run.silent_s >= SILENT_S => "it may be dead: `twostep unlock` shows whether".to_owned(),
            Some(activity) => format!("{}: {}", activity.migration, activity.state()),
            None => "installing".to_owned(),
        };
        out.push_str(&format!(
            "\nrun {} (`{}` by {}) began {} and has not ended; last sign of life {} s ago; {doing}",
            run.id, run.command, run.by, run.started_at, run.silent_s
        ));
    }
    out.push('\n');
    out
}

fn json(url: &str, lines: &[Line], history: &History, comparison: &Comparison, others: &[Found]) -> String {
    let migrations: Vec<_> = lines
        .iter()
        .map(|line| {
            let applied = line.applied.as_ref();
            json!({
                "version": line.version,
                "name": line.name,
                "state": line.state,
                "note": line.note,
                "applied_at": applied.map(|applied| &applied.applied_at).filter(|at| !at.is_empty()),
                "applied_by": applied.map(|applied| &applied.applied_by),
                "duration_ms": applied.map(|applied| applied.duration_ms),
                "release": applied.and_then(|applied| applied.release.as_ref()),
                "run": applied.map(|applied| applied.run_id),
                "breaks_older": applied.map(|applied| applied.breaks_older.id()),
                "adopted_from": applied.and_then(|applied| applied.adopted_from.as_ref()),
            })
        })
        .collect();
    let shown = |run: &OpenRun| {
        let activity = run.activity.as_ref();
        json!({
            "id": run.id, "command": run.command, "by": run.by, "started_at": run.started_at,
            "silent_s": run.silent_s, "pid": run.backend.pid,
            "migration": activity.map(|one| &one.migration), "state": activity.map(Activity::state),
            "note": activity.map(Activity::note),
        })
    };
    let run = history.open_run.as_ref().map(shown);
    let runs: Vec<_> = open_runs(history).map(shown).collect();
    let others: Vec<_> = others
        .iter()
        .map(|other| {
            json!({ "tool": other.tool.id(), "table": other.table_shown(), "migrations": other.told.count() })
        })
        .collect();
    let confirmed = history.confirmed_by.as_ref().map(|by| {
        let anyway = history.confirmed.as_ref().and_then(|live| live.anyway.as_ref());
        json!({ "release": by.release, "by": by.by, "at": by.at, "anyway": anyway })
    });
    json!({
        "database": url,
        "history": history.exists,
        "confirmed": confirmed,
        "pending": comparison.pending.len(),
        "drift": comparison.has_drift(),
        "running": run,
        "runs": runs,
        "other_histories": others,
        "migrations": migrations,
    })
    .to_string()
}
