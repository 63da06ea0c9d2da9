//! What is said of each failure: what and where, why, the state of the database, and what to do.

mod others;

pub use others::adopt;

use super::exit::Exit;
use super::printer::{Report, visible};
use super::settings::SettingsError;
use crate::db::error::{DbError, DbErrorClass};
use crate::db::url::{DatabaseUrl, UrlError};
use crate::dialect::Dialect;
use crate::files::{FilesError, FolderError};
use crate::run::contention;
use crate::run::error::{Place, RunError};
use crate::run::executor::RunReport;
use crate::run::journal::{Journal, JournalError};
use crate::run::machine::Outcome;
use crate::run::task;
use crate::source::SourceProblem;
use std::path::Path;

/// The state where the configuration or the files are wrong.
pub const UNCONNECTED: &str = "no statement was sent to a database, nothing changed";

/// Of many problems of one kind, this many are shown.
const MOST: usize = 20;

/// A configuration that cannot be used.
pub fn settings(error: &SettingsError) -> Report {
    let report = Report::new(Exit::Usage, error.to_string()).state(UNCONNECTED);
    match error {
        SettingsError::Unreadable { why, .. } => {
            report.why(why.clone()).help("correct the name of the file, or make it with `twostep init`")
        }
        SettingsError::Malformed { why, .. } => {
            report.why(why.clone()).help("a line looks like `migrations = \"migrations\"`")
        }
        SettingsError::UnknownKey { .. } => report
            .why("a key that nothing reads would be a setting that does nothing")
            .help("`twostep config` lists all settings"),
        SettingsError::BadValue { why, .. } => {
            report.why(why.clone()).help("`twostep config` lists all settings with their values")
        }
    }
}

/// No database is named anywhere.
pub fn no_url() -> Report {
    Report::new(Exit::Usage, "no database is configured")
        .why("neither --database-url nor $DATABASE_URL nor twostep.toml names one, and none is guessed")
        .state(UNCONNECTED)
        .help("set DATABASE_URL, for example `export DATABASE_URL=postgres://me@localhost/shop`")
        .help("or put `database_url = \"sqlite:shop.db\"` into twostep.toml")
}

/// A text that is no database URL. It is not shown, for it may hold a password.
pub fn url(error: &UrlError, origin: impl std::fmt::Display) -> Report {
    let report = Report::new(Exit::Usage, format!("the database URL from {origin} cannot be used"))
        .why(error.to_string())
        .state(UNCONNECTED);
    match error {
        UrlError::Quoted => report.help("take the quotation marks away, in front and at its end"),
        UrlError::UnknownScheme(scheme) if scheme == "jdbc" => report
            .help("take `jdbc:` away; user and password stand in front of the host: `user:password@host`"),
        UrlError::UnknownScheme(scheme) if spoken(scheme).is_some() => {
            report.help(format!("write `{}:` in place of `{scheme}:`", spoken(scheme).unwrap_or_default()))
        }
        UrlError::NoScheme | UrlError::UnknownScheme(_) | UrlError::NoDatabase => {
            report.help("it looks like `postgres://user@host/database` or `sqlite:shop.db`")
        }
        UrlError::UnknownParameter { .. } => report
            .why("what it was meant to protect would not be protected")
            .help("correct it, or take it out"),
        UrlError::Malformed(_) => report.help(
            "in user and password, `/`, `@`, `:`, `?` and `#` are written `%2F`, `%40`, `%3A`, `%3F` and `%23`",
        ),
    }
}

/// The scheme that other programs mean by theirs: `mysql2`, `postgresql+asyncpg`.
fn spoken(scheme: &str) -> Option<&'static str> {
    let known = ["postgresql", "postgres", "mysql", "mariadb", "sqlite"];
    known.into_iter().find(|known| scheme.starts_with(known))
}

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
    let report = Report::new(Exit::Usage, visible(&error.to_string())).state(UNCONNECTED);
    let another = "another folder is named with `--migrations DIR`, or `migrations` in twostep.toml";
    match error {
        FolderError::Files(FilesError::Missing { .. }) => report
            .why("the folder is looked for from where the command runs")
            .help(format!("`twostep init` makes `{}` with a first migration", path.display()))
            .help(another),
        FolderError::Files(FilesError::Empty { .. }) => no_migration(report),
        FolderError::Files(FilesError::NotAFolder { .. } | FilesError::TooMany { .. }) => {
            report.why("the migrations are read from a folder that holds them and little else").help(another)
        }
        FolderError::Files(
            FilesError::Unreadable { .. }
            | FilesError::Loop { .. }
            | FilesError::Special { .. }
            | FilesError::NamedLikeAFile { .. }
            | FilesError::Name { .. },
        ) => report
            .why("a file that cannot be read may be a migration, and none is left out in silence")
            .help("correct it, or move it out of the folder"),
        FolderError::Problems { problems, .. } => {
            let shown = problems.iter().take(MOST).map(|problem| source_problem(path, problem));
            let report = shown.fold(report, Report::why);
            and_more(report, problems.len()).help("correct them: a migration is never left out in silence")
        }
    }
}

/// Migrations that cannot be said in another format.
pub fn export(path: &Path, to: &str, losses: &[SourceProblem]) -> Report {
    let report = Report::new(Exit::Usage, format!("something would be lost in the format `{to}`"));
    let shown = losses.iter().take(MOST).map(|loss| source_problem(path, loss));
    and_more(shown.fold(report, Report::why), losses.len())
        .state("nothing was written")
        .help("take another format: `twostep` can say the most")
}

/// A folder in which nothing is a migration.
pub fn no_migration(report: Report) -> Report {
    report
        .why("no file in it is named like a migration: `VERSION_name.up.sql`")
        .help("`twostep new NAME` makes one")
        .help("another folder is named with `--migrations DIR`, or `migrations` in twostep.toml")
}

fn and_more(report: Report, count: usize) -> Report {
    if count > MOST { report.why(format!("and {} more", count - MOST)) } else { report }
}

/// A connection that could not be opened.
pub fn connect(url: &DatabaseUrl, error: &DbError) -> Report {
    let exit = if error.class == DbErrorClass::Configuration { Exit::Usage } else { Exit::NoAccess };
    let report = Report::new(exit, format!("cannot connect to {url}"));
    let report = reasons(report, url, error).state("nothing was done, nothing changed");
    let code = error.code.as_deref();
    match error.class {
        // Too many connections.
        DbErrorClass::Unreachable if matches!(code, Some("53300" | "1040" | "1203" | "1226")) => report
            .help("end sessions that nobody needs, or allow more: a run needs two")
            .help("`--wait 60s` waits for one to become free"),
        DbErrorClass::Unreachable => report
            .help("look whether the server is running, and whether host and port are right")
            .help("a server that is still starting is waited for with `--wait 60s`"),
        DbErrorClass::Missing => report.help("`twostep db create` makes the database"),
        DbErrorClass::Refused if error.message.contains("no encryption") => {
            report.help("the server takes nobody without TLS: `sslmode=require`, or better, in the URL")
        }
        DbErrorClass::Refused if matches!(code, Some("28P01" | "28000" | "1045")) => {
            report.help("check user and password of the URL; special characters are written like `%40`")
        }
        DbErrorClass::Tls => report
            .help("`sslrootcert=FILE` in the URL names the authority that signed the server's certificate")
            .help("with `sslmode=verify-full` the host in the URL must be one that the certificate is for"),
        DbErrorClass::PermissionDenied | DbErrorClass::ReadOnly => {
            report.help("let a role or user do it that has the rights, or grant them")
        }
        DbErrorClass::Resources => report.help("make room, then run the same command again"),
        DbErrorClass::Configuration if error.message.contains("names the file") => {
            report.help("correct its path: it is taken from the working directory")
        }
        DbErrorClass::Configuration => {
            report.help("`sslmode` is one of disable, prefer, require, verify-ca and verify-full")
        }
        _ if url.is_file() => report.help("correct the path: it is taken from the working directory"),
        DbErrorClass::Refused
        | DbErrorClass::ConnectionLost
        | DbErrorClass::Contention
        | DbErrorClass::Cancelled
        | DbErrorClass::Statement => report.help("check the URL, and what the server's own log says"),
    }
}

/// The server's words and notes as reasons.
fn reasons(report: Report, url: &DatabaseUrl, error: &DbError) -> Report {
    let all = std::iter::once(error.to_string()).chain(error.notes.iter().cloned());
    all.fold(report, |report, reason| report.why(visible(&url.redact(&reason))))
}

/// The history cannot be used.
pub fn journal(url: &DatabaseUrl, journal: &Journal, error: &JournalError) -> Report {
    let report = match error {
        JournalError::Database(error) => journal_refused(url, journal, error),
        JournalError::Foreign { table, why } => Report::new(
            Exit::Usage,
            format!("`{table}` is not the history table of twostep"),
        )
        .why(visible(why))
        .help("rename what is in the way, or give the history another name with `journal` in twostep.toml"),
        JournalError::TooOld { .. } => Report::new(Exit::Usage, error.to_string())
            .why("what a newer program keeps there would be lost by what this one writes")
            .help("run the newer twostep, or read with `twostep status`"),
    };
    report.state("nothing changed")
}

fn journal_refused(url: &DatabaseUrl, journal: &Journal, error: &DbError) -> Report {
    let name = journal.name();
    match error.class {
        DbErrorClass::PermissionDenied | DbErrorClass::ReadOnly if url.dialect() == Dialect::Sqlite => {
            let message = format!("the database {} cannot be written", url.database());
            reasons(Report::new(Exit::NoAccess, message), url, error)
                .help("let this user write the file and its folder, in which SQLite keeps files of its own")
        }
        DbErrorClass::PermissionDenied => reasons(
            Report::new(Exit::NoAccess, format!("not allowed to use the history `{name}`")),
            url,
            error,
        )
        .why("the role that migrates must be able to make the history's tables, and to write them")
        .help(match url.dialect() {
            Dialect::Mysql => {
                format!(
                    "as an administrator: grant all on `{}`.* to the account that migrates",
                    url.database()
                )
            }
            Dialect::Postgres | Dialect::Sqlite => format!(
                "as the owner of the database: grant create on database \"{}\" to the role that migrates",
                url.database()
            ),
        })
        .help("or migrate with the role that made the history: `--role NAME`"),
        DbErrorClass::ReadOnly => {
            reasons(Report::new(Exit::NoAccess, "the database cannot be written"), url, error)
                .help("connect to the primary, or make the file and its folder writable")
        }
        DbErrorClass::Unreachable | DbErrorClass::ConnectionLost => {
            reasons(Report::new(Exit::NoAccess, "the connection to the database broke"), url, error)
                .help("run the same command again")
        }
        DbErrorClass::Resources => {
            reasons(Report::new(Exit::FailedClean, format!("no room for the history `{name}`")), url, error)
                .help("make room, then run the same command again")
        }
        // SQLite opens the file at the first statement.
        DbErrorClass::Refused | DbErrorClass::Tls | DbErrorClass::Configuration => connect(url, error),
        DbErrorClass::Contention
        | DbErrorClass::Cancelled
        | DbErrorClass::Missing
        | DbErrorClass::Statement => reasons(
            Report::new(Exit::FailedClean, format!("the history `{name}` cannot be used")),
            url,
            error,
        )
        .help("run the same command again; if it says the same, look at what the server's own log says"),
    }
}

/// What kept a run from beginning.
pub fn before_a_run(url: &DatabaseUrl, used: &Journal, folder: &Path, error: &RunError) -> Report {
    explained(url, used, folder, Exit::FailedClean, error).state("nothing changed")
}

/// The report of a run that did not end well.
pub fn run(url: &DatabaseUrl, used: &Journal, folder: &Path, report: &RunReport) -> Report {
    let exit = Exit::from(report.outcome);
    let Some(error) = &report.error else {
        return Report::new(exit, "the run ended without saying why").state(state(report));
    };
    let mut built = explained(url, used, folder, exit, error);
    // Why it failed decides the code only where nothing else has to be told by it.
    if report.outcome != Outcome::FailedClean {
        built.exit = exit;
    }
    built.state(state(report))
}

fn explained(url: &DatabaseUrl, used: &Journal, folder: &Path, exit: Exit, error: &RunError) -> Report {
    let message = visible(&url.redact(&error.to_string()));
    match error {
        RunError::Connect { error, .. } => connect(url, error),
        RunError::Journal(error) => journal(url, used, error),
        RunError::OtherHistory { tool, table, count } => others::other_history(tool, table, *count),
        RunError::Mirror(error) => others::mirror(error),
        RunError::Scripts(problems) => {
            let shown = problems.iter().take(MOST).map(|problem| {
                let help = problem.help.as_ref().map_or_else(String::new, |help| format!("; {help}"));
                visible(&format!("{}/{problem}{help}", folder.display()))
            });
            and_more(shown.fold(Report::new(Exit::Usage, message), Report::why), problems.len())
                .help("correct them, and run the same command again")
        }
        RunError::Edited(_)
        | RunError::Renamed { .. }
        | RunError::Ahead(_)
        | RunError::Held { .. }
        | RunError::NotYet { .. }
        | RunError::BackfillRuns
        | RunError::OutOfOrder(_)
        | RunError::NoSuchVersion { .. }
        | RunError::NoRollback(_)
        | RunError::Irreversible { .. }
        | RunError::Half { .. } => history(message, folder, error),
        RunError::ReadOnly(why) => Report::new(Exit::NoAccess, "the database cannot be written")
            .why(visible(why))
            .help("connect to the primary, with a role that may write"),
        RunError::Pooler(seen) => pooler(seen),
        RunError::RunLock { .. } | RunError::TableLock { .. } => locked(url, folder, exit, message, error),
        RunError::Statement { place, error } | RunError::Commit { place, error } => {
            let built = Report::new(exit, message);
            let notes = error.notes.iter().map(|note| visible(&url.redact(note)));
            hint(at(notes.fold(built, Report::why), folder, place), error, place)
        }
        RunError::Program { place, .. } if exit == Exit::Unknown => {
            at(Report::new(exit, message), folder, place)
                .why("what it had done by then is not known")
                .help(resolve_help(place))
        }
        RunError::Program { place, .. } => at(Report::new(exit, message), folder, place)
            .help("its output stands above; what it has done by then, it has done")
            .help("correct it, and run the same command again"),
        RunError::File { place, .. } => at(Report::new(exit, message), folder, place)
            .help("put the file back as it was when the run began, and run the same command again"),
        RunError::Role { place, role } => at(Report::new(exit, message), folder, place)
            .why(format!(
                "at its end the session acted as `{}`, so that what it made may have another owner",
                visible(role)
            ))
            .help("set `role` in twostep.toml, or `--role`, for all migrations")
            .help("or take the role back within it: `reset role`"),
        RunError::Fenced { place } => at(Report::new(exit, message), folder, place)
            .why("a statement of it ended the transaction, or somebody ended the lock")
            .help("look at the database, then say with `twostep resolve` what holds"),
        RunError::Invalid { place, help, .. } => {
            at(Report::new(exit, message), folder, place).help(help.clone())
        }
        RunError::NotUnderstood { place, .. } => at(Report::new(exit, message), folder, place)
            .help("write it as both servers understand it, or for each in a comment like `/*!80000 … */`"),
        RunError::SessionGone { place } => {
            let version = place.migration.split('_').next().unwrap_or(&place.migration);
            at(Report::new(exit, message), folder, place)
                .why("a temporary table, a lock or a variable of the session cannot be had again")
                .help(format!(
                    "take back by hand what is done, then: twostep resolve {version} --not-applied"
                ))
                .help(format!("or do the rest by hand, then: twostep resolve {version} --applied"))
        }
        RunError::Lost(error) => {
            reasons(Report::new(Exit::NoAccess, "the connection to the database broke"), url, error)
                .help("run the same command again: it finds out what was carried out, and goes on from there")
        }
        RunError::Uncertain { place, known } => {
            at(Report::new(exit, message), folder, place).why(known.clone()).help(resolve_help(place))
        }
        RunError::LeftBehind { place, blockers, error, .. } => {
            let built = Report::new(exit, message);
            let built = if blockers.is_empty() {
                reasons(built, url, error)
            } else {
                built.why(format!("in the way: {}", contention::describe(blockers)))
            };
            at(built, folder, place).help("run again later: it goes on where it stopped")
        }
        RunError::NotAnswering => Report::new(Exit::Unknown, message)
            .why("the server may still be rolling back, which can take as long as the statement did")
            .help("`twostep status` shows the state once it has; the same command goes on from there"),
        RunError::Interrupted => Report { exit, ..interrupted() },
    }
}

/// A signal asked us to stop.
pub fn interrupted() -> Report {
    Report::new(Exit::Interrupted, "stopped by a signal")
        .why("the platform or a person ended the process")
        .state("nothing changed")
        .help("the same command goes on from there")
}

/// A pooler in front of the server.
pub fn pooler(seen: &str) -> Report {
    let message = "the connection goes through a pooler that hands out servers by the transaction";
    Report::new(Exit::NoAccess, message)
        .why(seen)
        .why("the run's lock, and statements outside a transaction, need one server process for all of the run")
        .state("nothing changed")
        .help("give the address of the server itself with `--direct-url` or $TWOSTEP_DIRECT_URL")
        .help("or let the pooler keep a server for as long as the client is connected (`pool_mode = session`)")
}

/// Files and history that do not go together.
fn history(message: String, folder: &Path, error: &RunError) -> Report {
    match error {
        RunError::Renamed { path, .. } => Report::new(Exit::FailedClean, message)
            .why(format!(
                "{} would be applied a second time, as a new migration",
                folder.join(path).display()
            ))
            .help("give the file the number back under which it was applied")
            .help("if it is meant to run a second time, change its text: a comment is enough"),
        RunError::Edited(edited) => {
            let shown = edited.iter().take(MOST).map(|edited| {
                format!(
                    "{} is not what was applied as {} (checksum {:.12}, then {:.12})",
                    folder.join(&edited.path).display(),
                    edited.version,
                    edited.now.as_str(),
                    edited.applied.as_str()
                )
            });
            and_more(shown.fold(Report::new(Exit::FailedClean, message), Report::why), edited.len())
                .help("put the file back as it was, and write what is new into a new migration")
                .help(format!(
                    "where the edit changes nothing that matters: twostep resolve {} --accept-edit",
                    edited.first().map_or("VERSION", |edited| edited.version.as_str())
                ))
        }
        RunError::Ahead(ahead) => ahead
            .iter()
            .fold(Report::new(Exit::Ahead, message), |built, applied| {
                built.why(format!("{} breaks older code", task::label(&applied.version, &applied.name)))
            })
            .help("deploy the code that belongs to this database, or restore what was taken away")
            .help("if this code can work with it all the same: --allow-ahead"),
        RunError::Held { contract, clash, why, .. } => Report::new(Exit::FailedClean, message)
            .why(format!("{clash}, so that it was written for what {contract} leaves"))
            .why(format!("{contract}: {why}"))
            .help(if why.contains("twostep backfill") {
                "`twostep backfill` fills them; then run the same again"
            } else {
                "once no older code runs: `twostep release confirm`, or `twostep migrate --contract`"
            }),
        RunError::NotYet { before, .. } => Report::new(Exit::FailedClean, message)
            .why("it was written for the schema that is there then")
            .help(format!(
                "`twostep migrate --backfills leave` applies {before} and what else comes before it"
            )),
        RunError::BackfillRuns => Report::new(Exit::LockTimeout, message)
            .why("what it fills would be taken away under it")
            .help("stop that process (SIGTERM), and run the same again; `twostep status` shows it"),
        RunError::OutOfOrder(late) => late
            .iter()
            .fold(Report::new(Exit::FailedClean, message), |built, late| {
                built.why(format!("{late} is not applied, and later ones are"))
            })
            .help("give them later versions, or allow it with `--out-of-order warn`"),
        RunError::NoSuchVersion { last, .. } => {
            let built = Report::new(Exit::Usage, message).help("`twostep status` lists all versions");
            match last {
                Some(last) => built.why(format!("the last one in `{}` is {last}", folder.display())),
                None => built.why(format!("`{}` holds none", folder.display())),
            }
        }
        RunError::NoRollback(_) => Report::new(Exit::Usage, message)
            .why("only what the history has as applied can be taken back")
            .help("`twostep status` lists what is applied"),
        RunError::Irreversible { why, .. } => Report::new(Exit::FailedClean, message)
            .why(visible(why))
            .help("write a down for it, or go forward with a new migration"),
        RunError::Half { help, .. } => Report::new(Exit::FailedClean, message)
            .why("an earlier run stopped in the middle of it")
            .help(help.clone()),
        _ => Report::new(Exit::FailedClean, message),
    }
}

/// A lock that was not there in time.
fn locked(url: &DatabaseUrl, folder: &Path, exit: Exit, message: String, error: &RunError) -> Report {
    match error {
        RunError::RunLock { holder, run, .. } => {
            let mut built = Report::new(exit, message);
            if let Some(holder) = holder {
                built = built.why(format!("held by {}", contention::describe(std::slice::from_ref(holder))));
            }
            match run {
                Some(run) => built = built.why(run.clone()),
                None if holder.is_none() => built = built.why("who holds it cannot be seen"),
                None => {}
            }
            built
                .help("run again later, or wait longer with `--run-deadline 15m`")
                .help("if that run is dead: `twostep unlock` shows it, and ends it with `--yes`")
        }
        RunError::TableLock { place, blockers, error, .. } => {
            let mut built = Report::new(exit, message);
            if blockers.is_empty() {
                built = reasons(built, url, error);
            } else {
                built = built.why(contention::describe(blockers));
            }
            built =
                at(built, folder, place).help("run again later, or try longer with `--lock-deadline 10m`");
            match blockers.first() {
                Some(blocker) => {
                    let end = match url.dialect() {
                        Dialect::Mysql => format!("kill {}", blocker.pid),
                        Dialect::Postgres | Dialect::Sqlite => {
                            format!("select pg_terminate_backend({})", blocker.pid)
                        }
                    };
                    built.help(format!("or end that session: {end}"))
                }
                None => built,
            }
        }
        _ => Report::new(exit, message),
    }
}

fn resolve_help(place: &Place) -> String {
    let version = place.migration.split('_').next().unwrap_or(&place.migration);
    format!(
        "look whether the database has what it makes: if so `twostep resolve {version} --done`, else \
         `twostep resolve {version} --not-done`; then run this again"
    )
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
        // A COMMIT in a procedure or DO block: https://www.postgresql.org/docs/current/plpgsql-transactions.html
        _ if error.code.as_deref() == Some("2D000") => report.help(
            "a statement that commits by itself needs `-- twostep: no-transaction` on the file's first line",
        ),
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
        Outcome::FailedPartly if report.half && finished.is_empty() => {
            "a migration is half done; `twostep status` shows what of it".to_owned()
        }
        Outcome::FailedPartly if report.half => {
            format!("{done}; another is half done, and `twostep status` shows what of it")
        }
        Outcome::FailedPartly => format!("{done}; what had begun after that was rolled back"),
        Outcome::Unknown => format!("{done}; the last statement's outcome is not known"),
    }
}
