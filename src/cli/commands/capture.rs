//! `twostep capture`: what is known of the running code, as one file. No data gets into it. Databases are only read.

use crate::analysis::analyze;
use crate::cli::context::Context;
use crate::cli::evidence;
use crate::cli::exit::Exit;
use crate::cli::explain;
use crate::cli::printer::Report;
use crate::db;
use crate::db::url::DatabaseUrl;
use crate::dialect::Dialect;
use crate::engine::query::constants::Constants;
use crate::engine::query::normal::identifiers;
use crate::evidence::constants::of_history;
use crate::evidence::day::date;
use crate::evidence::facts::Look;
use crate::evidence::model::{Evidence, FILE_NAME};
use crate::evidence::sources::{JSON_LINES, POSTGRES_LOG, SQL_FILES, SQLX, Source, TextSource};
use crate::files;
use crate::schema::model::Schema;
use crate::source::Contents;
use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which program it is about: web, worker
    #[arg(long, default_value = "app")]
    label: String,

    /// A folder of sqlx's offline data (default: .sqlx, if there is one and nothing else is named)
    #[arg(long, value_name = "DIR")]
    sqlx: Vec<PathBuf>,

    /// A file or folder of queries, plain or as sqlc has them
    #[arg(long, value_name = "PATH")]
    sql: Vec<PathBuf>,

    /// A log of PostgreSQL: csvlog, jsonlog or stderr
    #[arg(long, value_name = "FILE")]
    postgres_log: Vec<PathBuf>,

    /// JSON lines on standard input: {"sql": "...", "calls": 3, "application": "web"}
    #[arg(long)]
    stdin: bool,

    /// Ask the database of the URL: pg_stat_statements or performance_schema, sizes and use of tables and indexes. Each
    /// standby counts for itself: capture it under a label of its own
    #[arg(long)]
    database: bool,

    /// Evidence of another machine, whose captures are taken in
    #[arg(long, value_name = "FILE")]
    merge: Vec<PathBuf>,

    /// postgres, mysql or sqlite (default: that of the file that is there, or of the database URL)
    #[arg(long, value_name = "ENGINE", value_parser = engine)]
    engine: Option<Dialect>,

    /// The file; what is in it from other programs and sources stays
    #[arg(long, value_name = "FILE", default_value = FILE_NAME)]
    out: PathBuf,
}

fn engine(text: &str) -> Result<Dialect, String> {
    Dialect::from_word(text).ok_or_else(|| "it is postgres, mysql or sqlite".to_owned())
}

/// Reads the sources, and writes the file.
pub async fn run(context: &Context, args: &Args) -> Result<Exit, Report> {
    let mut found = if args.out.exists() { Some(evidence::read(&args.out)?) } else { None };
    let merged = args.merge.iter().map(|path| evidence::read(path)).collect::<Result<Vec<_>, _>>()?;
    let dialect = dialect(context, args, found.as_ref().or(merged.first()))?;
    let mut evidence = match found.take() {
        Some(evidence) => of_engine(evidence, dialect, &args.out)?,
        None => Evidence::new(dialect),
    };
    for (other, path) in merged.into_iter().zip(&args.merge) {
        evidence.merge(of_engine(other, dialect, path)?);
    }
    let mut looks = texts(args, dialect)?;
    if args.database {
        looks.extend(ask(context, dialect).await?);
    }
    if looks.is_empty() && args.merge.is_empty() {
        return Err(Report::new(Exit::Usage, "no source of queries is named")
            .why("there is no folder .sqlx here either")
            .state("nothing was written")
            .help("name one: --database, --sqlx DIR, --sql PATH, --postgres-log FILE, or --stdin"));
    }
    let day = today();
    let names = if dialect == Dialect::Sqlite { names(context) } else { None };
    let constants = constants(context, dialect);
    for (source, look) in &mut looks {
        look.names.clone_from(&names);
        look.constants.clone_from(&constants);
        evidence.add(source, &args.label, &day, look);
        for blind in &look.blind {
            tracing::warn!("{}: {blind}", source.id);
        }
    }
    evidence::write(&args.out, &evidence)?;
    let taken: usize = looks.iter().map(|(_, look)| look.sent.len()).sum();
    context.printer.result(&format!(
        "{}: {taken} queries of `{}` taken in, {} different ones in all",
        args.out.display(),
        args.label,
        evidence.queries.len()
    ));
    Ok(Exit::Done)
}

fn of_engine(evidence: Evidence, dialect: Dialect, path: &Path) -> Result<Evidence, Report> {
    if evidence.dialect() == Some(dialect) {
        return Ok(evidence);
    }
    let message = format!("`{}` holds queries for {}", path.display(), evidence.engine);
    Err(Report::new(Exit::Usage, message)
        .why(format!("these are for {dialect}"))
        .state("nothing was written")
        .help("name another file with --out"))
}

/// What the sources that are texts give.
fn texts(args: &Args, dialect: Dialect) -> Result<Vec<(&'static Source, Look)>, Report> {
    let mut looks: Vec<(&Source, Look)> = Vec::new();
    let mut sqlx = args.sqlx.clone();
    let is_named = !(sqlx.is_empty() && args.sql.is_empty() && args.postgres_log.is_empty())
        || args.stdin
        || args.database
        || !args.merge.is_empty();
    if !is_named && Path::new(".sqlx").is_dir() {
        sqlx.push(PathBuf::from(".sqlx"));
    }
    for (source, paths, ending) in
        [(SQLX, &sqlx, "json"), (SQL_FILES, &args.sql, "sql"), (POSTGRES_LOG, &args.postgres_log, "")]
    {
        if !paths.is_empty() {
            looks.push((&source.about, from_files(source, paths, ending, dialect)?));
        }
    }
    if args.stdin {
        let mut text = String::new();
        std::io::stdin()
            .lock()
            .read_to_string(&mut text)
            .map_err(|error| unreadable("standard input", &error))?;
        looks.push((&JSON_LINES.about, (JSON_LINES.read)("<stdin>", &text, dialect).map_err(wrong)?));
    }
    Ok(looks)
}

/// The names in the migrations of SQLite, if there are any.
fn names(context: &Context) -> Option<BTreeSet<String>> {
    let files = files::read_folder(&context.folder_path()).ok()?;
    let texts = files.iter().filter_map(|file| match &file.contents {
        Contents::Text(text) => Some(text),
        _ => None,
    });
    let names: BTreeSet<String> = texts.flat_map(|text| identifiers(text, Dialect::Sqlite)).collect();
    (!names.is_empty()).then_some(names)
}

/// The constants in the migrations, if there are any that can be read: `capture` needs none.
fn constants(context: &Context, dialect: Dialect) -> Constants {
    let format = context.settings.optional("source_format");
    let options = context.read_options(Some(dialect));
    match files::read_migrations(&context.folder_path(), format, &options) {
        Ok(folder) => {
            let all = folder.migrations.iter().map(|migration| &migration.up);
            of_history(&analyze(all, Schema::new(dialect)), dialect)
        }
        Err(_) => Constants::default(),
    }
}

/// What the database of the URL tells.
async fn ask(context: &Context, dialect: Dialect) -> Result<Option<(&'static Source, Look)>, Report> {
    let url = context.url()?;
    let source = db::evidence::source(url.dialect()).filter(|_| url.dialect() == dialect);
    let Some(source) = source else {
        return Err(Report::new(Exit::Usage, format!("{url} has not counted queries for {dialect}"))
            .why("only servers of PostgreSQL, MySQL and MariaDB count")
            .state("nothing was written")
            .help("leave --database out, and name files of queries: --sql PATH, --sqlx DIR, --stdin"));
    };
    let mut session = context.connect(&url, &context.connect_options()).await?;
    let look = db::evidence::look(&mut *session).await;
    session.close().await;
    let look = look.map_err(|error| explain::connect(&url, &error))?;
    Ok(Some((source, look)))
}

fn dialect(context: &Context, args: &Args, found: Option<&Evidence>) -> Result<Dialect, Report> {
    if let Some(dialect) = args.engine.or_else(|| found.and_then(Evidence::dialect)) {
        return Ok(dialect);
    }
    let settings = &context.settings;
    let url = settings.optional("direct_url").or(settings.optional("database_url"));
    let told = url.and_then(|text| DatabaseUrl::parse(text).ok()).map(|url| url.dialect());
    told.ok_or_else(|| {
        Report::new(Exit::Usage, "it is not known for which engine the queries are")
            .why("there is no database URL, and no evidence to add to")
            .state("nothing was written")
            .help("say it: --engine postgres")
    })
}

/// The queries in the files of `paths`; of folders, those whose names end with `ending`.
fn from_files(
    source: &TextSource,
    paths: &[PathBuf],
    ending: &str,
    dialect: Dialect,
) -> Result<Look, Report> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, ending, &mut files)?;
    }
    files.sort();
    let mut look = Look::default();
    for file in files {
        let bytes = std::fs::read(&file).map_err(|error| unreadable(&file.display().to_string(), &error))?;
        let text = String::from_utf8_lossy(&bytes);
        let found = (source.read)(&file.display().to_string(), &text, dialect).map_err(wrong)?;
        look.sent.extend(found.sent);
        look.blind.extend(found.blind);
    }
    Ok(look)
}

fn collect(path: &Path, ending: &str, files: &mut Vec<PathBuf>) -> Result<(), Report> {
    let failed = |error: std::io::Error| unreadable(&path.display().to_string(), &error);
    if !std::fs::metadata(path).map_err(failed)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let below = entry.map_err(failed)?.path();
        let fits = below.extension().is_some_and(|extension| extension == ending);
        // A link to a folder could lead back here.
        if below.is_dir() && !below.is_symlink() || fits && below.is_file() {
            collect(&below, ending, files)?;
        }
    }
    Ok(())
}

fn unreadable(what: &str, error: &std::io::Error) -> Report {
    Report::new(Exit::Usage, format!("cannot read {what}"))
        .why(error.to_string())
        .state("nothing was written")
        .help("name a file or a folder that can be read")
}

fn wrong(why: String) -> Report {
    Report::new(Exit::Usage, "a source of queries is not of its form")
        .why(why)
        .state("nothing was written")
        .help("leave it out, or see `twostep capture --help` for the forms")
}

/// The day, as `2026-01-31`, in UTC.
fn today() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    date(seconds / 86_400)
}
