//! What is said of each failure: what and where, why, the state of the database, and what to do.

use super::exit::Exit;
use super::printer::{Report, visible};
use crate::db::error::{DbError, DbErrorClass};
use crate::db::url::DatabaseUrl;
use crate::files::{FilesError, FolderError};
use crate::run::contention;
use crate::run::error::{Place, RunError};
use crate::run::executor::RunReport;
use crate::run::journal::{Journal, JournalError};
use crate::run::machine::Outcome;
use crate::run::task;
use crate::source::SourceProblem;
use std::path::Path;

/// A problem of one file, in one line.
pub fn source_problem(folder: &Path, problem: &SourceProblem) -> String {
    let mut text = match problem.line {
        Some(line) => format!("{}:{line}: {}", folder.join(&problem.path).display(), problem.what),
        None => format!("{}: {}", folder.join(&problem.path).display(), problem.what),
    };
    if let Some(help) = &problem.help {
        text.push_str("; ");
        text.push_str(help);
    }
    visible(&text)
}

/// A folder that gives no migrations.
pub fn folder(path: &Path, error: &FolderError) -> Report {
    let report =
        Report::new(Exit::Usage, error.to_string()).state("nothing was connected to, nothing changed");
    match error {
        FolderError::Files(FilesError::Missing { .. }) => report
            .help(format!("`twostep init` makes `{}` with a first migration", path.display()))
            .help("another folder is named with `--migrations DIR`, or `migrations` in twostep.toml"),
        FolderError::Files(_) => report,
        FolderError::Problems { problems, .. } => {
            const MOST: usize = 20;
            let mut report = report;
            for problem in problems.iter().take(MOST) {
                report = report.why(source_problem(path, problem));
            }
            if problems.len() > MOST {
                report = report.why(format!("and {} more", problems.len() - MOST));
            }
            report
        }
    }
}

/// A connection that could not be opened.
pub fn connect(url: &DatabaseUrl, error: &DbError) -> Report {
    let message = visible(&url.redact(&error.to_string()));
    let report = Report::new(Exit::NoAccess, format!("cannot connect to {url}: {message}"))
        .state("nothing was done, nothing changed");
    let mut report = error.notes.iter().fold(report, |report, note| report.why(visible(&url.redact(note))));
    match error.class {
        DbErrorClass::Unreachable => {
            report = report
                .help("is the server running, and are host and port right?")
                .help("a server that is still starting is waited for with `--wait 60s`");
        }
        DbErrorClass::Refused
            if error.code.as_deref() == Some("3D000") || message.contains("there is no file") =>
        {
            report = report.help("`twostep db create` makes the database");
        }
        DbErrorClass::Refused if error.code.as_deref() == Some("28P01") => {
            report =
                report.help("check user and password of the URL; special characters are written like `%40`");
        }
        _ => {}
    }
    report
}

/// The history cannot be used.
pub fn journal(url: &DatabaseUrl, journal: &Journal, error: &JournalError) -> Report {
    let message = visible(&url.redact(&error.to_string()));
    match error {
        JournalError::Database(error) => match error.class {
            DbErrorClass::PermissionDenied => Report::new(
                Exit::NoAccess,
                format!("not allowed to use the history `{}`: {message}", journal.name()),
            )
            .why("the history stands in a schema of its own, which the role must be able to make and write")
            .help(format!(
                "as the owner of the database: grant create on database \"{}\" to the role that migrates",
                url.database()
            )),
            DbErrorClass::ReadOnly => {
                Report::new(Exit::NoAccess, format!("the database cannot be written: {message}"))
            }
            _ => Report::new(
                Exit::FailedClean,
                format!("the history `{}` cannot be used: {message}", journal.name()),
            ),
        },
        JournalError::Foreign { .. } => Report::new(Exit::Usage, message).help(
            "rename what is in the way, or give the history another name with `journal` in twostep.toml",
        ),
        JournalError::TooOld { .. } => {
            Report::new(Exit::Usage, message).help("run the newer twostep, or read with `twostep status`")
        }
    }
}

/// The report of a run that did not end well.
pub fn run(url: &DatabaseUrl, used: &Journal, folder: &Path, report: &RunReport) -> Report {
    let exit = Exit::from(report.outcome);
    let Some(error) = &report.error else {
        return Report::new(exit, "the run ended without saying why").state(state(report));
    };
    let message = visible(&url.redact(&error.to_string()));
    let built = match error {
        RunError::Connect { error, .. } => connect(url, error),
        RunError::Journal(error) => journal(url, used, error),
        RunError::Scripts(problems) => {
            let built = Report::new(Exit::Usage, message);
            problems.iter().take(20).fold(built, |built, problem| {
                let help = problem.help.as_ref().map_or_else(String::new, |help| format!("; {help}"));
                built.why(visible(&format!("{}/{problem}{help}", folder.display())))
            })
        }
        RunError::Edited(edited) => edited
            .iter()
            .take(20)
            .fold(Report::new(Exit::FailedClean, message), |built, edited| {
                built.why(format!(
                    "{} is not what was applied as {} (checksum {:.12}, then {:.12})",
                    folder.join(&edited.path).display(),
                    edited.version,
                    edited.now.as_str(),
                    edited.applied.as_str()
                ))
            })
            .help("put the file back as it was, and write what is new into a new migration")
            .help(format!(
                "where the edit changes nothing that matters: twostep resolve {} --accept-edit",
                edited.first().map_or("VERSION", |edited| edited.version.as_str())
            )),
        RunError::Ahead(ahead) => ahead
            .iter()
            .fold(Report::new(Exit::Ahead, message), |built, applied| {
                built.why(format!("{} breaks older code", task::label(&applied.version, &applied.name)))
            })
            .help("deploy the code that belongs to this database, or restore what was taken away")
            .help("if this code can work with it all the same: --allow-ahead"),
        RunError::OutOfOrder(late) => late
            .iter()
            .fold(Report::new(Exit::FailedClean, message), |built, late| built.why(format!("{late} is not applied")))
            .help("give them later versions, or allow it with `out_of_order = \"warn\"`"),
        RunError::NoSuchVersion(_) => Report::new(Exit::Usage, message).help("`twostep status` lists all versions"),
        RunError::NoRollback(_) => Report::new(Exit::Usage, message).help("`twostep status` lists what is applied"),
        RunError::Irreversible { .. } => Report::new(Exit::FailedClean, message)
            .help("write a down for it, or go forward with a new migration"),
        RunError::Half { help, .. } => Report::new(Exit::FailedClean, message).help(help.clone()),
        RunError::ReadOnly(_) => Report::new(Exit::NoAccess, message)
            .help("connect to the primary, with a role that may write"),
        RunError::Pooler(_) => Report::new(Exit::NoAccess, message)
            .why("the run's lock, and statements outside a transaction, need one server process for all of the run")
            .help("give the address of the server itself with `--direct-url` or $TWOSTEP_DIRECT_URL"),
        RunError::RunLock { holder, run, .. } => {
            let mut built = Report::new(exit, message);
            if let Some(holder) = holder {
                built = built.why(format!("held by {}", contention::describe(std::slice::from_ref(holder))));
            }
            if let Some(run) = run {
                built = built.why(run.clone());
            }
            built
                .help("run again later, or wait longer with `--run-deadline 15m`")
                .help("if that run is dead: `twostep unlock` shows it, and ends it with `--yes`")
        }
        RunError::TableLock { place, blockers, error, .. } => {
            let mut built = Report::new(exit, message);
            if blockers.is_empty() {
                built = built.why(url.redact(&error.to_string()));
            } else {
                built = built.why(contention::describe(blockers));
            }
            built = at(built, folder, place).help("run again later: it goes on where it stopped");
            match blockers.first() {
                Some(blocker) => {
                    built.help(format!("or end that session: select pg_terminate_backend({})", blocker.pid))
                }
                None => built,
            }
        }
        RunError::Statement { place, error } | RunError::Commit { place, error } => {
            let mut built = Report::new(exit, message);
            for note in &error.notes {
                built = built.why(visible(&url.redact(note)));
            }
            built = at(built, folder, place);
            hint(built, error, place)
        }
        RunError::Program { place, .. } | RunError::File { place, .. } => at(Report::new(exit, message), folder, place),
        RunError::Fenced { place } => at(Report::new(exit, message), folder, place)
            .why("a statement of it ended the transaction, or somebody ended the lock")
            .help("look at the database, then say with `twostep resolve` what holds"),
        RunError::Invalid { place, help, .. } => at(Report::new(exit, message), folder, place).help(help.clone()),
        RunError::Lost(_) => Report::new(exit, message)
            .help("run the same command again: it finds out what was carried out, and goes on from there"),
        RunError::Uncertain { place, known } => at(Report::new(exit, message), folder, place)
            .why(known.clone())
            .help(format!(
                "look at the database; if it was carried out: twostep resolve {} --done, else: --not-done",
                place.migration.split('_').next().unwrap_or(&place.migration)
            )),
        RunError::NotAnswering => Report::new(Exit::Unknown, message)
            .why("the server may still be rolling back, which can take as long as the statement did")
            .help("`twostep status` shows the state once it has; the same command goes on from there"),
        RunError::Interrupted => Report::new(exit, message).help("the same command goes on from there"),
    };
    if built.state.is_some() { built } else { built.state(state(report)) }
}

fn at(report: Report, folder: &Path, place: &Place) -> Report {
    if place.file.is_empty() {
        return report;
    }
    let title = if place.title.is_empty() { String::new() } else { format!(": {}", visible(&place.title)) };
    let file = folder.join(&place.file);
    report.why(format!("at {}:{}{title}", file.display(), place.line))
}

fn hint(report: Report, error: &DbError, place: &Place) -> Report {
    match error.class {
        DbErrorClass::Resources => report.help("make room on the server, then run the same command again"),
        DbErrorClass::PermissionDenied => {
            report.help("grant the right, or let the owner's role run it: `--role NAME`")
        }
        DbErrorClass::Cancelled => report
            .help("`statement_timeout` in twostep.toml is the longest time for one statement; 0s for none"),
        _ => report.help(format!("correct {} and run the same command again", place.file)),
    }
}

/// What state a run has left the database in.
fn state(report: &RunReport) -> String {
    let finished: Vec<&str> = report.finished.iter().map(|finished| finished.label.as_str()).collect();
    let done = match finished.as_slice() {
        [] => "nothing changed".to_owned(),
        [one] => format!("{one} is done"),
        [first, .., last] => format!("{} migrations are done ({first} to {last})", finished.len()),
    };
    match report.outcome {
        Outcome::NothingToDo | Outcome::Done => done,
        _ if report.run_id.is_none() => "nothing changed".to_owned(),
        Outcome::FailedClean | Outcome::LockTimeout | Outcome::Interrupted if finished.is_empty() => {
            "nothing changed; what had begun was rolled back".to_owned()
        }
        Outcome::FailedClean | Outcome::LockTimeout | Outcome::Interrupted => {
            format!("{done}; what had begun after that was rolled back")
        }
        Outcome::FailedPartly => format!("{done}; `twostep status` shows what is half done"),
        Outcome::Unknown => format!("{done}; the last statement's outcome is not known"),
    }
}
