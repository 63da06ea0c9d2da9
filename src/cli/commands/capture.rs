//! `twostep capture`: what is known of the running code, as one file. No data gets into it.

use crate::cli::context::Context;
use crate::cli::evidence;
use crate::cli::exit::Exit;
use crate::cli::printer::Report;
use crate::db::url::DatabaseUrl;
use crate::dialect::Dialect;
use crate::evidence::model::{Evidence, FILE_NAME, Sent};
use crate::evidence::sources::{JSON_LINES, POSTGRES_LOG, SQL_FILES, SQLX, Source};
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
pub fn run(context: &Context, args: &Args) -> Result<Exit, Report> {
    let mut found = if args.out.exists() { Some(evidence::read(&args.out)?) } else { None };
    let dialect = dialect(context, args, found.as_ref())?;
    let mut evidence = match found.take() {
        Some(evidence) if evidence.dialect() == Some(dialect) => evidence,
        Some(evidence) => {
            let message = format!("`{}` holds queries for {}", args.out.display(), evidence.engine);
            return Err(Report::new(Exit::Usage, message)
                .why(format!("these are for {dialect}"))
                .state("nothing was written")
                .help("name another file with --out"));
        }
        None => Evidence::new(dialect),
    };
    let day = today();
    let mut sources: Vec<(&Source, Vec<Sent>)> = Vec::new();
    let mut sqlx = args.sqlx.clone();
    let is_named = !(sqlx.is_empty() && args.sql.is_empty() && args.postgres_log.is_empty()) || args.stdin;
    if !is_named && Path::new(".sqlx").is_dir() {
        sqlx.push(PathBuf::from(".sqlx"));
    }
    for (source, paths, ending) in
        [(SQLX, &sqlx, "json"), (SQL_FILES, &args.sql, "sql"), (POSTGRES_LOG, &args.postgres_log, "")]
    {
        if !paths.is_empty() {
            sources.push((source, from_files(source, paths, ending, dialect)?));
        }
    }
    if args.stdin {
        let mut text = String::new();
        std::io::stdin()
            .lock()
            .read_to_string(&mut text)
            .map_err(|error| unreadable("standard input", &error))?;
        sources.push((JSON_LINES, (JSON_LINES.read)("<stdin>", &text, dialect).map_err(wrong)?));
    }
    if sources.is_empty() {
        return Err(Report::new(Exit::Usage, "no source of queries is named")
            .why("there is no folder .sqlx here either")
            .state("nothing was written")
            .help("name one: --sqlx DIR, --sql PATH, --postgres-log FILE, or --stdin"));
    }
    for (source, sent) in &sources {
        evidence.add(source, &args.label, &day, sent, &[]);
    }
    evidence::write(&args.out, &evidence)?;
    let taken: usize = sources.iter().map(|(_, sent)| sent.len()).sum();
    context.printer.result(&format!(
        "{}: {taken} queries of `{}` taken in, {} different ones in all",
        args.out.display(),
        args.label,
        evidence.queries.len()
    ));
    Ok(Exit::Done)
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
    source: &Source,
    paths: &[PathBuf],
    ending: &str,
    dialect: Dialect,
) -> Result<Vec<Sent>, Report> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, ending, &mut files)?;
    }
    files.sort();
    let mut sent = Vec::new();
    for file in files {
        let bytes = std::fs::read(&file).map_err(|error| unreadable(&file.display().to_string(), &error))?;
        let text = String::from_utf8_lossy(&bytes);
        sent.extend((source.read)(&file.display().to_string(), &text, dialect).map_err(wrong)?);
    }
    Ok(sent)
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

/// The date `days` days after 1970-01-01
/// (<https://howardhinnant.github.io/date_algorithms.html#civil_from_days>).
fn date(days: u64) -> String {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn days_are_dates() {
        for (days, expect) in
            [(0, "1970-01-01"), (59, "1970-03-01"), (11_016, "2000-02-29"), (20_454, "2026-01-01")]
        {
            assert_eq!(date(days), expect);
        }
    }
}
