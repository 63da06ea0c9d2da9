//! `twostep resolve`: a person says what holds, where twostep cannot know.

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::explain;
use crate::cli::printer::Report;
use crate::db::error::DbErrorClass;
use crate::db::session::Session;
use crate::run::journal::{History, Journal, State, StatementRow};
use crate::run::script::{self, ScriptOptions, Work, title};
use crate::run::task::label;
use crate::source::{Folder, Kind, Version};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The migration; without it, what is open is shown
    version: Option<String>,

    /// The statement whose outcome is unknown was carried out
    #[arg(long, group = "what")]
    done: bool,

    /// The statement whose outcome is unknown was not carried out
    #[arg(long, group = "what")]
    not_done: bool,

    /// The migration is applied as a whole, whatever the history says
    #[arg(long, group = "what")]
    applied: bool,

    /// The migration is not applied, and nothing of it is left
    #[arg(long, group = "what")]
    not_applied: bool,

    /// The edit of the applied migration changes nothing that matters
    #[arg(long, group = "what")]
    accept_edit: bool,
}

/// Shows what is open, or writes what the person says.
pub async fn run(context: &Context, args: &Args) -> Result<Exit, Report> {
    let url = context.release_url()?;
    let folder = context.folder(Some(url.dialect()))?;
    let journal = context.journal(&url);
    let failed = |error| explain::journal(&url, &journal, &error);
    let mut session = match &args.version {
        Some(_) => context.connect_to_lock(&url).await?,
        None => context.connect(&url, &context.connect_options()).await?,
    };
    let history = journal.read(&mut *session).await.map_err(failed)?;
    let Some(typed) = &args.version else {
        context.printer.result(&open(&folder, &history, url.dialect()));
        return Ok(Exit::Done);
    };
    let version = folder.find(typed).map_or_else(|| Version::new(typed), |found| found.version.clone());
    let sql = said(args, &journal, &folder, &history, &version)?;
    let key = journal.lock_key();
    let database = |error: crate::db::error::DbError| {
        let report = explain::journal(&url, &journal, &error.into());
        report.state("nothing changed")
    };
    if !session.try_lock(&key).await.map_err(database)? {
        return Err(Report::new(Exit::LockTimeout, "a run has the lock")
            .why("while it runs, what holds is still to be seen")
            .state("nothing changed")
            .help("wait for it to end; `twostep unlock` shows whose it is"));
    }
    write(&mut *session, &sql).await.map_err(database)?;
    session.unlock(&key).await.map_err(database)?;
    session.close().await;
    context.printer.result(&format!("recorded for {version}; `twostep migrate` goes on from there"));
    Ok(Exit::Done)
}

async fn write(session: &mut dyn Session, sql: &str) -> Result<(), crate::db::error::DbError> {
    session.prepare_to_write().await?;
    session.run("BEGIN").await?;
    match session.run(sql).await {
        Ok(_) => session.run("COMMIT").await.map(drop),
        Err(error) => {
            if error.class != DbErrorClass::ConnectionLost {
                session.run("ROLLBACK").await?;
            }
            Err(error)
        }
    }
}

/// What the person says, as the journal's SQL.
fn said(
    args: &Args,
    journal: &Journal,
    folder: &Folder,
    history: &History,
    version: &Version,
) -> Result<String, Report> {
    let refuse = |what: &str| {
        Report::new(Exit::Usage, what.to_owned())
            .why("what is resolved has to be a migration, or a statement of one, whose state is in doubt")
            .state("nothing changed")
            .help("`twostep resolve` shows what is open, `twostep status` all migrations")
    };
    let row =
        history.get(version).ok_or_else(|| refuse(&format!("migration {version} is not in the history")))?;
    let intent = history.statements.iter().find(|row| row.version == *version && row.is_in_doubt());
    if args.done || args.not_done {
        let intent =
            intent.ok_or_else(|| refuse(&format!("no statement of {version} has an unknown outcome")))?;
        return Ok(if args.done {
            // A cursor is nothing that is kept behind it.
            let before = intent.before.clone().filter(|_| intent.cursor().is_none());
            journal.outcome_sql(&StatementRow { done: true, before, ..intent.clone() })
        } else {
            match intent.cursor() {
                // The chunks before the one in doubt stay done.
                Some(_) => journal.part_sql(intent),
                None => journal.forget_intent_sql(version, intent.ordinal),
            }
        });
    }
    if args.applied {
        // The row of a repeatable one that is on its way again is still that of its older text.
        let now = folder.migrations.iter().find(|migration| migration.version == *version);
        let now = now.filter(|migration| migration.kind == Kind::Repeatable && row.state == State::Applying);
        let mut sql = vec![journal.settled_sql(version)];
        sql.extend(now.map(|migration| journal.accept_edit_sql(version, &migration.up.checksum)));
        return Ok(sql.join(";"));
    }
    if args.not_applied {
        return Ok(journal.reverted_sql(version));
    }
    if args.accept_edit {
        let file = folder.migrations.iter().find(|migration| migration.version == *version);
        let file = file.ok_or_else(|| refuse(&format!("migration {version} is not among the files")))?;
        if file.up.checksum == row.checksum {
            return Err(refuse(&format!("migration {version} is as it was applied")));
        }
        return Ok(journal.accept_edit_sql(version, &file.up.checksum));
    }
    Err(refuse("say what holds: --done, --not-done, --applied, --not-applied or --accept-edit"))
}

/// What is open, with both possibilities and how to tell them apart.
fn open(folder: &Folder, history: &History, dialect: crate::dialect::Dialect) -> String {
    let mut out = String::new();
    for row in history.applied.iter().filter(|row| row.state != State::Applied) {
        let what = match row.state {
            State::Applying => "half applied",
            State::Reverting => "half rolled back",
            State::Applied => "applied",
        };
        out.push_str(&format!("{} is {what}\n", label(&row.version, &row.name)));
        for statement in history.statements.iter().filter(|statement| statement.version == row.version) {
            let text = statement_text(folder, row.state, &row.version, statement.ordinal, dialect);
            let number = statement.ordinal + 1;
            out.push_str(&format!("  statement {number}: {}: {text}\n", state_of(statement)));
            if statement.is_in_doubt() {
                out.push_str(&about(statement));
                out.push_str(&both_answers(statement));
            }
        }
    }
    if out.is_empty() {
        "nothing is open: every migration is either applied or not\n".to_owned()
    } else {
        out
    }
}

/// How far a statement is.
fn state_of(statement: &StatementRow) -> String {
    let rows = statement.cursor().map(|cursor| cursor.rows);
    match (rows, statement.is_in_doubt()) {
        (Some(rows), true) => format!("{rows} rows are done, unknown of those behind them"),
        (Some(rows), false) => format!("{rows} rows are done, the next run goes on behind them"),
        (None, true) => "unknown: it was about to be run".to_owned(),
        (None, false) => "done".to_owned(),
    }
}

/// What a person may say of a statement that is in doubt, and how to tell.
fn both_answers(statement: &StatementRow) -> String {
    let version = &statement.version;
    let (tell, done, not_done) = match statement.cursor() {
        None => (
            "look whether the database has what it makes, then say so",
            "it was; the next run goes on behind it",
            "it was not; the next run runs it again",
        ),
        Some(_) => (
            "look at the rows behind those that are done, then say so",
            "all rows are written; the next run goes on behind the statement",
            "they are as they were, or may be written again; the next run goes on with them",
        ),
    };
    format!(
        "    to tell: {tell}:\n    twostep resolve {version} --done        {done}\n    \
         twostep resolve {version} --not-done    {not_done}\n"
    )
}

/// The session of the server that ran it, which may still be at it.
fn about(statement: &StatementRow) -> String {
    match statement.backend.pid {
        0 => String::new(),
        pid => format!("    session {pid} of the server ran it, and must be gone\n"),
    }
}

fn statement_text(
    folder: &Folder,
    state: State,
    version: &Version,
    ordinal: usize,
    dialect: crate::dialect::Dialect,
) -> String {
    let options = ScriptOptions { dialect, native: folder.format == "twostep" };
    let migration = folder.migrations.iter().find(|migration| migration.version == *version);
    let script = migration.and_then(|migration| match state {
        State::Reverting => migration.down.as_ref(),
        State::Applying | State::Applied => Some(&migration.up),
    });
    match script.and_then(|script| script::prepare(script, options).ok()).map(|prepared| prepared.work) {
        Some(Work::Statements(statements)) => {
            statements.get(ordinal).map_or_else(String::new, |statement| title(statement.sql()))
        }
        Some(Work::Program(program)) => format!("the program {program}"),
        Some(Work::LargeFile { .. }) | None => String::new(),
    }
}
