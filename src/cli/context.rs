//! What a command works with: settings, output, the wish to stop, and the ways to the database and the folder.

use super::exit::Exit;
use super::explain;
use super::printer::{Printer, Report};
use super::settings::{Origin, Settings};
use crate::db::session::{ConnectOptions, Session};
use crate::db::url::DatabaseUrl;
use crate::dialect::Dialect;
use crate::files::{self, FilesError, FolderError};
use crate::run::executor::RunOptions;
use crate::run::journal::Journal;
use crate::run::pace::Pace;
use crate::run::signal::Signal;
use crate::source::{self, Folder, ReadOptions};
use std::path::PathBuf;

/// What a command works with.
pub struct Context {
    /// Configuration.
    pub settings: Settings,
    /// Output.
    pub printer: Printer,
    /// Whether we were asked to stop.
    pub signal: Signal,
}

impl Context {
    /// The database that is configured. Nothing is guessed: without a URL it is an error.
    pub fn url(&self) -> Result<DatabaseUrl, Report> {
        let key = if self.settings.optional("direct_url").is_some() { "direct_url" } else { "database_url" };
        let Some(text) = self.settings.optional(key) else { return Err(explain::no_url()) };
        let url =
            DatabaseUrl::parse(text).map_err(|error| explain::url(&error, self.settings.origin(key)))?;
        for name in url.unknown_parameters() {
            tracing::warn!(
                "the parameter `{}` of the database URL is not used",
                super::printer::visible(&name)
            );
        }
        Ok(url)
    }

    /// The database that a release migrates: on a platform, a file database from `twostep.toml` is refused, so that
    /// a missing variable never looks like success.
    pub fn release_url(&self) -> Result<DatabaseUrl, Report> {
        let url = self.url()?;
        let from_file = matches!(self.settings.origin("database_url"), Origin::File(_))
            && self.settings.optional("direct_url").is_none();
        if let (Some(platform), true, Dialect::Sqlite) = (self.settings.platform, from_file, url.dialect()) {
            return Err(Report::new(
                Exit::Usage,
                format!("${platform} says that this is no development machine, and DATABASE_URL is not set"),
            )
            .why(format!(
                "only twostep.toml names a database, the file {}, which a release cannot mean",
                url.database()
            ))
            .state(explain::UNCONNECTED)
            .help("set DATABASE_URL, or name the file with --database-url if it is really meant"));
        }
        Ok(url)
    }

    /// The journal of `url`.
    pub fn journal(&self, url: &DatabaseUrl) -> Journal {
        Journal::new(url.dialect(), self.settings.text("journal")).in_database(url.database())
    }

    /// The migrations folder's path.
    pub fn folder_path(&self) -> PathBuf {
        PathBuf::from(self.settings.text("migrations"))
    }

    /// The migrations for `dialect`; a folder without any is an error.
    pub fn folder(&self, dialect: Option<Dialect>) -> Result<Folder, Report> {
        let (path, format) = (self.folder_path(), self.settings.optional("source_format"));
        let folder = self.read_folder(files::read_migrations(&path, format, &self.read_options(dialect)))?;
        self.not_empty(folder)
    }

    /// [`Context::folder`], read by another thread while this one does other things.
    pub async fn folder_meanwhile(&self, dialect: Option<Dialect>) -> Result<Folder, Report> {
        let options = self.read_options(dialect);
        let (path, format) = (self.folder_path(), self.settings.optional("source_format").map(str::to_owned));
        let read =
            tokio::task::spawn_blocking(move || files::read_migrations(&path, format.as_deref(), &options));
        let read = read.await.expect("reading a folder does not panic, and nothing aborts it");
        let folder = self.read_folder(read)?;
        self.not_empty(folder)
    }

    fn not_empty(&self, folder: Folder) -> Result<Folder, Report> {
        if folder.migrations.is_empty() {
            let message =
                format!("the migrations folder `{}` holds no migration", self.folder_path().display());
            return Err(explain::no_migration(Report::new(Exit::Usage, message)).state(explain::UNCONNECTED));
        }
        Ok(folder)
    }

    /// The migrations for `dialect`, of a folder that may have none yet; it must be there.
    pub fn folder_or_empty(&self, dialect: Option<Dialect>) -> Result<Folder, Report> {
        let path = self.folder_path();
        let (format, options) = (self.settings.optional("source_format"), self.read_options(dialect));
        let read = match files::read_migrations(&path, format, &options) {
            Err(FolderError::Files(FilesError::Empty { .. })) => source::read(&[], format, &options)
                .map_err(|problems| FolderError::Problems { path: path.clone(), problems }),
            read => read,
        };
        self.read_folder(read)
    }

    /// The folder that was read, with its warnings said; or why it cannot be.
    fn read_folder(&self, read: Result<Folder, FolderError>) -> Result<Folder, Report> {
        let path = self.folder_path();
        let folder = read.map_err(|error| self.folder_problem(&error))?;
        for warning in folder.warnings.iter().chain(folder.migrations.iter().flat_map(|m| &m.warnings)) {
            tracing::warn!("{}", explain::source_problem(&path, warning));
        }
        Ok(folder)
    }

    fn folder_problem(&self, error: &FolderError) -> Report {
        explain::folder(&self.folder_path(), error)
    }

    /// How the files for `dialect` are read.
    pub fn read_options(&self, dialect: Option<Dialect>) -> ReadOptions {
        ReadOptions { variables: self.settings.variables.clone(), dialect }
    }

    /// How connections are opened.
    pub fn connect_options(&self) -> ConnectOptions {
        ConnectOptions {
            connect_timeout: self.settings.duration("connect_timeout"),
            wait: self.settings.duration("wait"),
            application_name: match self.settings.optional("release") {
                Some(release) => format!("twostep {}", release.chars().take(40).collect::<String>()),
                None => "twostep".to_owned(),
            },
            role: self.settings.optional("role").map(str::to_owned),
            statement_timeout: self.settings.duration("statement_timeout"),
            create_if_missing: false,
            read_only: false,
        }
    }

    /// How a run behaves.
    pub fn run_options(&self, dialect: Dialect) -> RunOptions {
        RunOptions {
            connect: self.connect_options(),
            lock_timeout: self.settings.duration("lock_timeout"),
            lock_deadline: self.settings.duration("lock_deadline"),
            run_deadline: self.settings.duration("run_deadline"),
            host: host(),
            release: self.settings.optional("release").map(str::to_owned),
            folder: self.folder_path(),
            read: self.read_options(Some(dialect)),
            mirror: self.settings.mirror_history(),
            pace: Pace::default(),
        }
    }

    /// A session on `url` that the run's lock can be taken with.
    pub async fn connect_to_lock(&self, url: &DatabaseUrl) -> Result<Box<dyn Session>, Report> {
        let options = self.connect_options();
        let mut session = self.connect(url, &options).await?;
        match crate::db::pooler_seen(url, &options, &mut *session).await {
            Ok(None) => Ok(session),
            Ok(Some(seen)) => Err(explain::pooler(&seen)),
            Err(error) => Err(explain::connect(url, &error)),
        }
    }

    /// A session on `url`.
    pub async fn connect(
        &self,
        url: &DatabaseUrl,
        options: &ConnectOptions,
    ) -> Result<Box<dyn Session>, Report> {
        let mut signal = self.signal.clone();
        tokio::select! {
            biased;
            () = signal.raised() => Err(explain::interrupted()),
            connected = crate::db::connect(url, options) => connected.map_err(|error| explain::connect(url, &error)),
        }
    }
}

/// The host's name, as its own kernel gives it.
pub fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() {
        std::env::var("HOSTNAME").unwrap_or_else(|_| "unknown host".to_owned())
    } else {
        name.to_owned()
    }
}
