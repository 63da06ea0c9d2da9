//! From the paths of the command line to migrations, and to those among them that are judged.

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::explain;
use crate::cli::printer::Report;
use crate::cli::settings::Origin;
use crate::db::url::DatabaseUrl;
use crate::dialect::Dialect;
use crate::engine;
use crate::files::{self, FolderError};
use crate::parallel;
use crate::rules::Finding;
use crate::source::{self, Contents, Folder, ReadOptions, SourceFile, SourceProblem};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Component, Path, PathBuf};

/// The state where a path is wrong.
const UNTOUCHED: &str = "nothing was judged, nothing changed";

/// Migrations that are judged.
pub struct Target {
    /// The folder that their paths stand below, as people are shown it; empty for the working directory.
    pub root: PathBuf,
    /// They and their context.
    pub folder: Folder,
    /// The numbers of those that are judged.
    pub chosen: Vec<usize>,
    /// Where only some of the files were named: they.
    pub named: Option<BTreeSet<String>>,
    /// The dialect that they are in.
    pub dialect: Dialect,
}

impl Target {
    /// How the file `path` of it is shown.
    pub fn shown(&self, path: &str) -> String {
        self.root.join(path).display().to_string()
    }

    /// Leaves of `findings` those that were asked for: all of a migration whose way forward was named.
    pub fn keep_wanted(&self, findings: &mut Vec<Finding>) {
        let Some(named) = &self.named else { return };
        let mut wanted: BTreeSet<&str> = named.iter().map(String::as_str).collect();
        for migration in self.folder.migrations.iter().filter(|one| named.contains(&one.up.path)) {
            wanted.extend(migration.down.as_ref().map(|down| down.path.as_str()));
        }
        findings.retain(|finding| wanted.contains(finding.path.as_str()));
    }
}

/// Finds targets.
pub struct Finder<'c> {
    /// Settings.
    pub context: &'c Context,
    /// The engine that was asked for.
    pub engine: Option<Dialect>,
}

/// What was found of the files of one folder, and what is said of others there.
struct Found {
    targets: Vec<Target>,
    warnings: Vec<String>,
}

/// Files of one folder that were named: their paths below it.
type Named = BTreeMap<PathBuf, BTreeSet<String>>;

impl Finder<'_> {
    /// The targets of `paths`; without any, the migrations folder of the settings.
    pub fn targets(&self, paths: &[PathBuf]) -> Result<Vec<Target>, Report> {
        if paths.is_empty() {
            return Ok(vec![self.configured()?]);
        }
        let mut targets = Vec::new();
        let mut named = Named::new();
        let mut roots = Roots::new(self.context.folder_path());
        let mut folders = BTreeSet::new();
        for path in paths {
            let metadata = std::fs::metadata(path).map_err(|error| no_path(path, &error))?;
            let files = if metadata.is_dir() { parts(path) } else { vec![path.clone()] };
            if files.is_empty() && folders.insert(real(path)) {
                targets.extend(self.whole(path)?);
            }
            for file in files {
                let (root, below) = roots.of(&file);
                named.entry(root).or_default().insert(below);
            }
        }
        let named: Vec<_> = named.into_iter().collect();
        for found in parallel::map_large(&named, |(root, files)| self.some_of(root, files)) {
            let Found { targets: found, warnings } = found?;
            targets.extend(found);
            warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        }
        leave_out_twice(&mut targets);
        Ok(targets)
    }

    /// A text that comes from elsewhere, as the only migration there is.
    pub fn text(&self, name: &str, text: &str) -> Result<Target, Report> {
        let file = SourceFile::text(name, text);
        let dialect = self.dialect(Path::new(""), std::slice::from_ref(&file));
        loose(Path::new(""), &file, dialect)
    }

    /// All migrations of the configured folder.
    fn configured(&self) -> Result<Target, Report> {
        let path = self.context.folder_path();
        let files = files::read_folder(&path).map_err(|error| explain::folder(&path, &error.into()))?;
        let target = self.folder(&path, files)?;
        if target.folder.migrations.is_empty() {
            let message = format!("the migrations folder `{}` holds no migration", path.display());
            return Err(explain::no_migration(Report::new(Exit::Usage, message)).state(UNTOUCHED));
        }
        Ok(target)
    }

    /// All migrations of the folder `path`; each file by itself where they are in no known format.
    fn whole(&self, path: &Path) -> Result<Vec<Target>, Report> {
        let files = files::read_folder(path).map_err(|error| explain::folder(path, &error.into()))?;
        let sql: Vec<SourceFile> = files.iter().filter(|file| is_sql(&file.path)).cloned().collect();
        if self.format(path).is_none() && !sql.is_empty() && !has_format(&files, &self.options(path, &files))
        {
            let dialect = self.dialect(path, &sql);
            return parallel::map(&sql, |file| loose(path, file, dialect)).into_iter().collect();
        }
        let target = self.folder(path, files)?;
        if target.folder.migrations.is_empty() {
            let message = format!("the folder `{}` holds no migration", path.display());
            return Err(explain::no_migration(Report::new(Exit::Usage, message)).state(UNTOUCHED));
        }
        Ok(vec![target])
    }

    /// The migrations of the folder `path`, which holds `files`.
    fn folder(&self, path: &Path, files: Vec<SourceFile>) -> Result<Target, Report> {
        let options = self.options(path, &files);
        let dialect = self.dialect(path, &files);
        let folder = files::read_migrations_of(path, files, self.format(path), &options)
            .map_err(|error| explain::folder(path, &error))?;
        warn(path, &folder);
        let chosen = (0..folder.migrations.len()).collect();
        Ok(Target { root: shown_root(path), folder, chosen, named: None, dialect })
    }

    /// The migrations that stand in the files `named` of the folder `root`; each file by itself where it is none.
    fn some_of(&self, root: &Path, named: &BTreeSet<String>) -> Result<Found, Report> {
        let at = if root.as_os_str().is_empty() { Path::new(".") } else { root };
        let beside = if self.is_configured(root) {
            files::read_folder(at)
        } else {
            files::read_beside(at, named.iter().any(|name| name.contains('/')))
        };
        let files = beside.map_err(|error| explain::folder(at, &error.into()))?;
        let dialect = self.dialect(root, &files);
        let options = self.options(root, &files);
        let folder = files::read_migrations_of(at, files, self.format(root), &options);
        let (mut targets, mut warnings) = (Vec::new(), Vec::new());
        let mut loose = named.clone();
        match folder {
            Ok(folder) => {
                let mut chosen = Vec::new();
                for (number, migration) in folder.migrations.iter().enumerate() {
                    let scripts = std::iter::once(&migration.up).chain(&migration.down);
                    let paths: Vec<&String> = scripts.map(|script| &script.path).collect();
                    if paths.iter().any(|path| named.contains(*path)) {
                        chosen.push(number);
                    }
                    for path in paths {
                        loose.remove(path);
                    }
                }
                if !chosen.is_empty() {
                    let root = root.to_owned();
                    targets.push(Target { root, folder, chosen, named: Some(named.clone()), dialect });
                }
            }
            Err(error) if self.is_configured(root) => return Err(explain::folder(at, &error)),
            Err(FolderError::Problems { problems, .. }) => {
                let of_files = problems.iter().filter(|problem| !problem.path.is_empty());
                warnings.extend(of_files.map(|problem| explain::source_problem(root, problem)));
            }
            Err(error @ FolderError::Files(_)) => return Err(explain::folder(at, &error)),
        }
        let loose: Vec<String> = loose.into_iter().collect();
        for target in parallel::map(&loose, |name| loose_one(root, name, dialect)) {
            targets.push(target?);
        }
        Ok(Found { targets, warnings })
    }

    /// Whether `folder` is the one of the settings.
    fn is_configured(&self, folder: &Path) -> bool {
        let configured = real_folder(&self.context.folder_path());
        configured.is_some() && configured == real_folder(folder)
    }

    /// The format that was asked for, for the folder `path`.
    fn format(&self, path: &Path) -> Option<&str> {
        let settings = &self.context.settings;
        let is_meant =
            matches!(settings.origin("source_format"), Origin::Flag(_)) || self.is_configured(path);
        settings.optional("source_format").filter(|_| is_meant)
    }

    fn options(&self, path: &Path, files: &[SourceFile]) -> ReadOptions {
        let variables = self.context.settings.variables.clone();
        ReadOptions { variables, dialect: self.told(path).or_else(|| guess(files)) }
    }

    /// The dialect of `files`, which stand below `path`.
    fn dialect(&self, path: &Path, files: &[SourceFile]) -> Dialect {
        self.told(path).or_else(|| guess(files)).unwrap_or(Dialect::Postgres)
    }

    /// The dialect that was asked for, that a folder's name tells, or that of the configured database.
    fn told(&self, path: &Path) -> Option<Dialect> {
        let word = |part: Component<'_>| Dialect::from_word(part.as_os_str().to_str()?);
        let url = || {
            let settings = &self.context.settings;
            let text = settings.optional("direct_url").or(settings.optional("database_url"))?;
            DatabaseUrl::parse(text).ok().map(|url| url.dialect())
        };
        self.engine.or_else(|| path.components().rev().find_map(word)).or_else(url)
    }
}

/// The dialect of the configured folder: what is said for lint, what its path or the database's URL tells, or what its
/// files seem to be in.
pub fn configured_dialect(context: &Context) -> Result<Dialect, Report> {
    let engine = context.settings.optional("lint.engine").and_then(Dialect::from_word);
    let path = context.folder_path();
    let files = files::read_folder(&path).map_err(|error| explain::folder(&path, &error.into()))?;
    Ok(Finder { context, engine }.dialect(&path, &files))
}

/// A file of which no format knows anything.
fn loose(root: &Path, file: &SourceFile, dialect: Dialect) -> Result<Target, Report> {
    let options = ReadOptions { dialect: Some(dialect), ..ReadOptions::default() };
    let folder = source::read_loose(file, &options).map_err(|problems| unreadable(root, &problems))?;
    Ok(Target { root: shown_root(root), folder, chosen: vec![0], named: None, dialect })
}

/// The same of the file `name` below `root`, which was asked for by name.
fn loose_one(root: &Path, name: &str, dialect: Dialect) -> Result<Target, Report> {
    let file = files::read_file(&root.join(name), name);
    Ok(Target { named: Some(BTreeSet::from([name.to_owned()])), ..loose(root, &file, dialect)? })
}

/// The files of a migration that is a folder of its own.
const PARTS: [&str; 3] = ["up.sql", "down.sql", "migration.sql"];

/// The files of the migration that `folder` is; none where it holds migrations.
fn parts(folder: &Path) -> Vec<PathBuf> {
    PARTS.iter().map(|part| folder.join(part)).filter(|path| path.is_file()).collect()
}

/// Finds the folders that files belong to.
struct Roots {
    /// The folder of the settings, and what it really is, if it is there.
    configured: (PathBuf, Option<PathBuf>),
    /// What folders really are.
    real: HashMap<PathBuf, Option<PathBuf>>,
    /// The folders that files belong to, each in the way in which it was written first.
    written: HashMap<PathBuf, PathBuf>,
}

impl Roots {
    fn new(configured: PathBuf) -> Self {
        let real = real_folder(&configured);
        Self { configured: (configured, real), real: HashMap::new(), written: HashMap::new() }
    }

    /// The folder that the migration in the file `path` belongs to, and the file's path below it.
    fn of(&mut self, path: &Path) -> (PathBuf, String) {
        let parent = path.parent().unwrap_or(Path::new(""));
        let name = path.file_name().unwrap_or_default();
        if let Some(folder) = &self.configured.1 {
            let parent = self.real.entry(parent.to_owned()).or_insert_with(|| real_folder(parent)).as_deref();
            let below = parent.and_then(|parent| parent.strip_prefix(folder).ok());
            if let Some(below) = below {
                return (self.configured.0.clone(), with_slashes(&below.join(name)));
            }
        }
        let is_part = PARTS.iter().any(|part| name == *part);
        let (root, below) = match (parent.file_name(), parent.parent()) {
            (Some(folder), Some(root)) if is_part => (root, with_slashes(&Path::new(folder).join(name))),
            _ => (parent, with_slashes(Path::new(name))),
        };
        (self.written_first(root), below)
    }

    /// The folder `root` in the way in which it was written first.
    fn written_first(&mut self, root: &Path) -> PathBuf {
        let real = self.real.entry(root.to_owned()).or_insert_with(|| real_folder(root)).clone();
        match real {
            Some(real) => self.written.entry(real).or_insert_with(|| root.to_owned()).clone(),
            None => root.to_owned(),
        }
    }
}

/// Leaves each migration to one target: the paths of a command line may lead to one file in several ways. Where its
/// folder is one of the targets, it is judged with that folder, and not by itself.
fn leave_out_twice(targets: &mut Vec<Target>) {
    if targets.len() < 2 {
        return;
    }
    let roots: Vec<PathBuf> = targets.iter().map(|target| real(&at(&target.root))).collect();
    let mut order: Vec<usize> = (0..targets.len()).collect();
    order.sort_by_key(|number| targets[*number].folder.format == source::LOOSE);
    let mut judged = BTreeSet::new();
    for number in order {
        let Target { folder, chosen, .. } = &mut targets[number];
        let mut own = Vec::new();
        chosen.retain(|one| {
            let file = without_link(roots[number].join(&folder.migrations[*one].up.path));
            let is_new = !judged.contains(&file);
            own.push(file);
            is_new
        });
        // Two files of one folder are two migrations of it, whatever they lead to: its tool applies both.
        judged.extend(own);
    }
    targets.retain(|target| !target.chosen.is_empty());
}

/// A folder as the file system knows it: the working directory has an empty path here.
fn at(folder: &Path) -> PathBuf {
    if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() }
}

/// What `path` is without links; itself where that cannot be told.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// `file` in a folder without links, unless it is a link itself: then the file that it leads to.
fn without_link(file: PathBuf) -> PathBuf {
    if file.is_symlink() { real(&file) } else { file }
}

/// The dialect that the files of SQL among `files` seem to be in.
fn guess(files: &[SourceFile]) -> Option<Dialect> {
    engine::guess(files.iter().filter_map(|file| match &file.contents {
        Contents::Text(text) | Contents::Large { head: text, .. } => is_sql(&file.path).then_some(&**text),
        Contents::Binary { .. } | Contents::Broken(_) => None,
    }))
}

fn is_sql(path: &str) -> bool {
    path.to_ascii_lowercase().ends_with(".sql")
}

/// Whether `files` have the form of some format, clearly or not.
fn has_format(files: &[SourceFile], options: &ReadOptions) -> bool {
    let all: Vec<&SourceFile> = files.iter().collect();
    source::detect(files, options).is_ok() || source::FORMATS.iter().any(|format| format.detect(&all) > 0)
}

/// The folder without links.
fn real_folder(path: &Path) -> Option<PathBuf> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    path.canonicalize().ok()
}

/// `.` says nothing in front of a path.
fn shown_root(path: &Path) -> PathBuf {
    path.strip_prefix(".").unwrap_or(path).to_owned()
}

fn with_slashes(path: &Path) -> String {
    path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// What is odd about the folder; what is odd about a migration is a finding.
fn warn(path: &Path, folder: &Folder) {
    for warning in &folder.warnings {
        tracing::warn!("{}", explain::source_problem(path, warning));
    }
}

fn no_path(path: &Path, error: &std::io::Error) -> Report {
    let report = if error.kind() == std::io::ErrorKind::NotFound {
        Report::new(Exit::Usage, format!("there is no file or folder `{}`", path.display()))
            .why("a path is taken from where the command runs")
    } else {
        Report::new(Exit::Usage, format!("cannot read `{}`", path.display())).why(error.to_string())
    };
    report
        .state(UNTOUCHED)
        .help("name migration files or their folder; without a path, the folder of the settings is judged")
}

fn unreadable(root: &Path, problems: &[SourceProblem]) -> Report {
    let problem = problems.first().map_or_else(String::new, |problem| explain::source_problem(root, problem));
    Report::new(Exit::Usage, problem)
        .why("a migration that cannot be read cannot be judged, and none is left out in silence")
        .state(UNTOUCHED)
        .help("save it as UTF-8 text, or leave it out")
}
