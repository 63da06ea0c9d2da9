//! `twostep db …`: make, remove, fill, show and compare databases.

use super::migrate;
use super::roundtrip::ScratchArgs;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::explain;
use crate::cli::printer::{Report, visible};
use crate::cli::roundtrip as scratch;
use crate::db;
use crate::db::session::{DatabaseSettings, ServiceRoles};
use crate::db::url::DatabaseUrl;
use crate::name::Name;
use crate::roundtrip::run;
use crate::run::executor::{self, shown};
use crate::run::journal::Journal;
use crate::run::pending::Wanted;
use crate::run::seed::{self, SeedError, SeedFile};
use crate::run::task::Goal;
use crate::schema::catalog::{self, Catalog, CatalogOptions};
use clap::Subcommand;
use std::path::Path;
use std::time::Instant;

/// What to do with databases.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make the database of the URL
    Create(CreateArgs),
    /// Remove the database of the URL
    Drop(YesArgs),
    /// Remove it, make it again, migrate and seed
    Reset(YesArgs),
    /// Run the seed files
    Seed,
    /// Print the whole schema as readable text
    Dump(DumpArgs),
    /// Compare the schemas of two databases, or of a database with the files; exits with 1 where they differ
    Diff(DiffArgs),
}

/// Arguments of `db create`.
#[derive(Debug, clap::Args)]
pub struct CreateArgs {
    /// Character encoding, such as UTF8
    #[arg(long)]
    encoding: Option<String>,

    /// Collation (and character type), such as C.UTF-8
    #[arg(long)]
    collation: Option<String>,

    /// Role that owns the database
    #[arg(long)]
    owner: Option<String>,

    /// Make the roles of a service too: NAME_migrator, which owns the database and migrates it, and NAME_app, which
    /// reads and writes rows but cannot change the schema. Their passwords are read from
    /// $TWOSTEP_MIGRATOR_PASSWORD and $TWOSTEP_APP_PASSWORD
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
}

/// Arguments of what destroys.
#[derive(Debug, clap::Args)]
pub struct YesArgs {
    /// Really do it
    #[arg(long)]
    yes: bool,
}

/// Arguments of `db dump`.
#[derive(Debug, clap::Args)]
pub struct DumpArgs {
    /// With the owner of each object
    #[arg(long)]
    owners: bool,
}

/// Arguments of `db diff`.
#[derive(Debug, clap::Args)]
pub struct DiffArgs {
    /// The URL of one database (default: the configured one)
    one: Option<String>,

    /// The URL of the other (default: what the migrations make of a scratch database)
    two: Option<String>,

    /// Where the scratch database is
    #[command(flatten)]
    scratch: ScratchArgs,

    /// Compare the owners of objects too
    #[arg(long)]
    owners: bool,
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<Exit, Report> {
    match command {
        Command::Create(args) => create(context, &args).await,
        Command::Drop(args) => drop_database(context, &args).await,
        Command::Reset(args) => reset(context, &args).await,
        Command::Seed => seed_database(context).await,
        Command::Dump(args) => dump(context, &args).await,
        Command::Diff(args) => diff(context, &args).await,
    }
}

async fn create(context: &Context, args: &CreateArgs) -> Result<Exit, Report> {
    let url = context.release_url()?;
    let roles = args.service.as_ref().map(|service| ServiceRoles {
        migrator: format!("{service}_migrator"),
        application: format!("{service}_app"),
        migrator_password: std::env::var("TWOSTEP_MIGRATOR_PASSWORD").ok(),
        application_password: std::env::var("TWOSTEP_APP_PASSWORD").ok(),
    });
    let settings = DatabaseSettings {
        encoding: args.encoding.clone(),
        collation: args.collation.clone(),
        owner: args.owner.clone().or_else(|| roles.as_ref().map(|roles| roles.migrator.clone())),
        roles,
    };
    let made = db::engine_of(&url)
        .create_database(&url, &context.connect_options(), &settings)
        .await
        .map_err(|error| explain::connect(&url, &error))?;
    let what = if made { "made" } else { "is there already:" };
    context.printer.result(&format!("{what} {url}"));
    Ok(Exit::Done)
}

fn really(url: &DatabaseUrl, yes: bool) -> Result<(), Report> {
    if yes {
        return Ok(());
    }
    Err(Report::new(
        Exit::Usage,
        format!("this would remove the database `{}` with all its rows", url.database()),
    )
    .why("what it removes is gone for good")
    .state("nothing changed")
    .help("say `--yes` if you mean it"))
}

async fn drop_database(context: &Context, args: &YesArgs) -> Result<Exit, Report> {
    let url = context.release_url()?;
    really(&url, args.yes)?;
    let dropped = db::engine_of(&url)
        .drop_database(&url, &context.connect_options())
        .await
        .map_err(|error| explain::connect(&url, &error))?;
    let what = if dropped { "removed" } else { "there is no" };
    context.printer.result(&format!("{what} {url}"));
    Ok(Exit::Done)
}

async fn reset(context: &Context, args: &YesArgs) -> Result<Exit, Report> {
    let url = context.release_url()?;
    really(&url, args.yes)?;
    // Files that cannot be read must not cost the database.
    let folder = context.folder(Some(url.dialect()))?;
    drop_database(context, args).await?;
    create(context, &CreateArgs { encoding: None, collation: None, owner: None, service: None }).await?;
    let started = Instant::now();
    let mut options = context.run_options(url.dialect());
    options.connect.create_if_missing = true;
    let journal = context.journal(&url);
    let goal = Goal::Migrate(Wanted::default());
    let report = executor::run(&url, &journal, &folder, &goal, &options, &context.signal, None).await;
    migrate::end(context, &url, &report, started)?;
    tracing::info!(
        migrations = report.finished.len(),
        "{} migrations in {}",
        report.finished.len(),
        shown(started.elapsed())
    );
    if Path::new(context.settings.text("seeds")).exists() {
        seed_database(context).await
    } else {
        Ok(Exit::Done)
    }
}

/// The seed files of the configured folder, sorted by name.
pub fn seed_files(context: &Context) -> Result<Vec<SeedFile>, Report> {
    let folder = Path::new(context.settings.text("seeds"));
    let failed = |error: std::io::Error| {
        Report::new(Exit::Usage, format!("cannot read the seed files in `{}`", folder.display()))
            .why(error.to_string())
            .state("nothing changed")
            .help("`seeds` in twostep.toml names their folder")
    };
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .map_err(failed)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?
        .into_iter()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    paths.sort();
    let read = |path: std::path::PathBuf| {
        let text = std::fs::read_to_string(&path).map_err(failed)?;
        Ok(SeedFile { path: path.display().to_string(), text })
    };
    paths.into_iter().map(read).collect()
}

async fn seed_database(context: &Context) -> Result<Exit, Report> {
    let url = context.release_url()?;
    let files = seed_files(context)?;
    if files.is_empty() {
        return Err(Report::new(
            Exit::Usage,
            format!("there is no seed file in `{}`", context.settings.text("seeds")),
        )
        .why("seed files end in `.sql`")
        .state("nothing changed")
        .help("put one there, or name another folder with `seeds` in twostep.toml"));
    }
    let journal = context.journal(&url);
    let options = context.run_options(url.dialect());
    let seeded = seed::seed(&url, &journal, &files, &options, &context.signal).await;
    let count = seeded.map_err(|error| seed_problem(context, &url, &journal, &error))?;
    tracing::info!(event = "done", files = count, "{url} is seeded");
    Ok(Exit::Done)
}

fn seed_problem(context: &Context, url: &DatabaseUrl, journal: &Journal, error: &SeedError) -> Report {
    let message = visible(&url.redact(&error.to_string()));
    let again = "run it again: seed files are written so that they can be";
    match error {
        SeedError::Begin(error) => explain::before_a_run(url, journal, &context.folder_path(), error),
        SeedError::Locked { .. } => Report::new(Exit::LockTimeout, message)
            .why("a run changes the schema, or another one seeds")
            .state("nothing changed")
            .help("run it again when that has ended; `twostep unlock` shows whose it is"),
        SeedError::Scripts(problems) => problems
            .iter()
            .fold(Report::new(Exit::Usage, message), |report, problem| report.why(problem.to_string()))
            .state("nothing changed")
            .help("correct them, and run it again"),
        SeedError::Statement { path, line, error, done } => {
            let exit = if *done == 0 { Exit::FailedClean } else { Exit::FailedPartly };
            let notes = error.notes.iter().map(|note| visible(&url.redact(note)));
            notes
                .fold(Report::new(exit, message), Report::why)
                .why(format!("at {path}:{line}"))
                .state(seeded_so_far(*done))
                .help(format!("correct {path}, and run it again"))
        }
        SeedError::Interrupted { done } => Report::new(Exit::Interrupted, message)
            .why("the platform or a person ended the process")
            .state(seeded_so_far(*done))
            .help(again),
        SeedError::NotAnswering { done } => Report::new(Exit::Unknown, message)
            .why("the server may still be rolling back, which can take as long as the statement did")
            .state(seeded_so_far(*done))
            .help(again),
    }
}

fn seeded_so_far(done: usize) -> String {
    match done {
        0 => "nothing changed; what had begun was rolled back".to_owned(),
        1 => "one seed file is applied; what had begun after it was rolled back".to_owned(),
        many => format!("{many} seed files are applied; what had begun after them was rolled back"),
    }
}

async fn catalog_of(context: &Context, url: &DatabaseUrl, owners: bool) -> Result<Catalog, Report> {
    let options = db::session::ConnectOptions { read_only: true, ..context.connect_options() };
    let mut session = context.connect(url, &options).await?;
    let journal = context.journal(url);
    let options =
        CatalogOptions { owners, journal: Some(Name::new(journal.name())), ..CatalogOptions::default() };
    let catalog = db::catalog::read(&mut *session, &options)
        .await
        .map_err(|error| explain::journal(url, &journal, &error.into()))?;
    session.close().await;
    Ok(catalog)
}

async fn dump(context: &Context, args: &DumpArgs) -> Result<Exit, Report> {
    let url = context.url()?;
    let catalog = catalog_of(context, &url, args.owners).await?;
    context.printer.result(&catalog.to_text());
    Ok(Exit::Done)
}

async fn diff(context: &Context, args: &DiffArgs) -> Result<Exit, Report> {
    let parse = |text: &str| DatabaseUrl::parse(text).map_err(|error| explain::url(&error, "the arguments"));
    let one = args.one.as_deref().map_or_else(|| context.url(), parse)?;
    let Some(two) = args.two.as_deref() else { return diff_with_files(context, args, &one).await };
    let two = parse(two)?;
    if one.dialect() != two.dialect() {
        let what = format!("{one} and {two} are of different engines, whose schemas cannot be compared");
        return Err(Report::new(Exit::Usage, what).state("nothing changed"));
    }
    let first = catalog_of(context, &one, args.owners).await?;
    let second = catalog_of(context, &two, args.owners).await?;
    show_difference(context, &first, &second, &one.to_string(), &two.to_string())
}

/// Compares a database with what the migrations make of a scratch database.
async fn diff_with_files(context: &Context, args: &DiffArgs, url: &DatabaseUrl) -> Result<Exit, Report> {
    let dialect = url.dialect();
    let wished = scratch::wish(context, &args.scratch, Some(dialect))?;
    let folder = context.folder(Some(dialect))?;
    let options = scratch::Preparation { context, dialect }.scratch(&args.scratch, &folder, &wished)?;
    let catalog = catalog_of(context, url, args.owners).await?;
    let mut signal = context.signal.clone();
    let mut place = wished.open(context, &options.connect).await?;
    let made = tokio::select! {
        biased;
        () = signal.raised() => None,
        made = run::catalog_of(&mut place, &folder, &options, args.owners) => Some(made),
    };
    place.close().await;
    let files = made.ok_or_else(explain::interrupted)?.map_err(|error| scratch::broken(&error))?;
    let title = format!("the migrations in {}", context.folder_path().display());
    show_difference(context, &files, &catalog, &title, &url.to_string())
}

/// Prints how `second` is not as `first`.
fn show_difference(
    context: &Context,
    first: &Catalog,
    second: &Catalog,
    one: &str,
    two: &str,
) -> Result<Exit, Report> {
    let found = catalog::diff::diff(first, second);
    if found.is_empty() {
        tracing::info!(event = "equal", "{one} and {two} have the same schema");
        return Ok(Exit::Done);
    }
    context.printer.result(&found.unified(one, two, 3));
    if found.is_column_order_only() {
        tracing::info!(event = "column order", "they differ in the order of columns only");
    }
    Ok(Exit::Findings)
}
