//! What a format is, the list of all of them, and which one a folder is in.

#[cfg(test)]
pub(super) mod testing;

use super::engines::Place;
use super::export::Written;
use super::versions::{Numbering, UnixSeconds};
use super::{
    Body, Kind, Migration, SourceFile, SourceProblem, Version, authelia, dbmate, diesel, engines, flyway,
    golang_migrate, goose, maragu, names, numbered, play, prisma, reading, refinery, sql_migrate,
    sqlx_migrate, twostep, versions,
};
use crate::dialect::Dialect;
use crate::parallel;
use std::collections::BTreeMap;

/// All formats, in the order in which they are listed to people; of two that read a folder alike, the first is
/// taken.
pub static FORMATS: &[&dyn Format] = &[
    &twostep::Twostep,
    &sqlx_migrate::Sqlx,
    &golang_migrate::GolangMigrate,
    &goose::Goose,
    &dbmate::Dbmate,
    &sql_migrate::SqlMigrate,
    &diesel::Diesel,
    &flyway::Flyway,
    &refinery::Refinery,
    &play::Play,
    &prisma::Prisma,
    &maragu::Maragu,
    &authelia::Authelia,
    &numbered::Numbered,
];

/// How the files of one tool become migrations.
pub trait Format: Sync {
    /// The name used in configuration and arguments: `sqlx`, `golang-migrate`, ….
    fn id(&self) -> &'static str;

    /// The name in prose, with the form of its files.
    fn title(&self) -> &'static str;

    /// How sure it is that `files` (none of them hidden or a README) are its own: 0 not at all, up to 50 a form
    /// that other tools have too, up to 80 a form of its own, more where it found its markers in the files.
    fn detect(&self, files: &[&SourceFile]) -> u8;

    /// The migrations of `files`, in the order in which the tool runs them, or everything that is wrong.
    fn read(&self, files: &[&SourceFile], options: &ReadOptions) -> Result<Folder, Vec<SourceProblem>>;

    /// The files of a new migration.
    fn new_files(&self, new: &NewMigration<'_>) -> Vec<NewFile>;

    /// The files of a migration that comes from another format. What they cannot say is found when they are read back.
    fn written(&self, migration: &Written<'_>) -> Vec<NewFile> {
        let mut files = self.new_files(&migration.new);
        let scripts = std::iter::once(&migration.up).chain(&migration.down);
        for (file, script) in files.iter_mut().zip(scripts) {
            let mark = if script.transaction { "" } else { self.no_transaction_mark() };
            file.text = format!("{mark}{}", script.text);
        }
        files
    }

    /// What stands on top of a file that runs without a transaction.
    fn no_transaction_mark(&self) -> &'static str {
        ""
    }

    /// The version for a new migration behind `existing`.
    fn next_version(&self, existing: &[Version], numbering: Option<Numbering>, now: UnixSeconds) -> Version {
        versions::next(existing, numbering, now)
    }

    /// Whether it must see the whole text of a file: its markers may stand anywhere.
    fn needs_whole_files(&self) -> bool {
        false
    }

    /// Whether its migrations can have a way back.
    fn has_downs(&self) -> bool {
        true
    }
}

/// What a reader is told beside the files.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// Values for the placeholders of formats that have them.
    pub variables: BTreeMap<String, String>,
    /// The engine that the migrations are for, where a folder holds those of several.
    pub dialect: Option<Dialect>,
}

/// The migrations of a folder.
#[derive(Debug, Clone)]
pub struct Folder {
    /// The id of the format that they are in.
    pub format: &'static str,
    /// Versioned ones in the order in which their tool runs them, then the repeatable ones.
    pub migrations: Vec<Migration>,
    /// What is odd about the folder as a whole; what is odd about one migration stands with it.
    pub warnings: Vec<SourceProblem>,
}

impl Folder {
    /// The migration that a person means by `typed`: its version as it is spelled, the same number (`7` for
    /// `0007`), or the number that its version alone starts with (`7` for `0007-users`).
    pub fn find(&self, typed: &str) -> Option<&Migration> {
        let same = |migration: &&Migration| versions::is_same(migration.version.as_str(), typed);
        let exact = self.migrations.iter().find(|migration| migration.version.as_str() == typed);
        exact.or_else(|| self.migrations.iter().find(same)).or_else(|| self.find_by_number(typed))
    }

    /// The files of a new migration called `name` (a slug), behind the newest, in the style of the folder. It has a
    /// way back where the folder's migrations have one, unless `no_down`.
    pub fn new_files(
        &self,
        name: &str,
        no_down: bool,
        numbering: Option<Numbering>,
        now: UnixSeconds,
    ) -> Vec<NewFile> {
        let format = by_id(self.format).expect("a folder is read in a format of the list");
        let versioned = || self.migrations.iter().filter(|migration| migration.kind == Kind::Versioned);
        let versions: Vec<Version> = versioned().map(|migration| migration.version.clone()).collect();
        let version = format.next_version(&versions, numbering, now);
        let uses_downs = versions.is_empty() || versioned().any(|migration| migration.down.is_some());
        let like = versioned().next_back().map(|newest| newest.up.path.as_str());
        let place = like.map(Place::of).unwrap_or_default();
        let like = like.map(|path| place.without_folder(path));
        let down = !no_down && format.has_downs() && uses_downs;
        let files = format.new_files(&NewMigration { version: &version, name, down, like });
        files.into_iter().map(|file| place.of_new_file(file)).collect()
    }

    /// The files of a migration that stands beside the one of the file `like`, in the style of the folder.
    pub fn files_of(&self, migration: &Written<'_>, like: &str) -> Vec<NewFile> {
        let format = by_id(self.format).expect("a folder is read in a format of the list");
        let place = Place::of(like);
        let new = NewMigration { like: Some(place.without_folder(like)), ..migration.new };
        let written = Written { new, ..migration.clone() };
        format.written(&written).into_iter().map(|file| place.of_new_file(file)).collect()
    }

    /// The only migration whose version starts with the number `typed`.
    fn find_by_number(&self, typed: &str) -> Option<&Migration> {
        let starts = |migration: &&Migration| {
            versions::is_same(names::leading_digits(migration.version.as_str()).0, typed)
        };
        let mut found = self.migrations.iter().filter(starts);
        found.next().filter(|_| found.next().is_none())
    }
}

/// A migration that is to be written.
#[derive(Debug, Clone, Copy)]
pub struct NewMigration<'a> {
    /// Its version.
    pub version: &'a Version,
    /// What it is called: a slug (see [`slug`](super::slug)).
    pub name: &'a str,
    /// Whether it shall have a way back.
    pub down: bool,
    /// The up file of the newest migration, whose style is followed where the format leaves a choice.
    pub like: Option<&'a str>,
}

impl NewMigration<'_> {
    /// `VERSION_name.up.sql` and, where there is a way back, `VERSION_name.down.sql`.
    pub(super) fn up_and_down_files(&self, up: &str, down: &str) -> Vec<NewFile> {
        let file = |direction: &str, text: &str| NewFile {
            path: format!("{}_{}.{direction}.sql", self.version, self.name),
            text: text.to_owned(),
        };
        let mut files = vec![file("up", up)];
        if self.down {
            files.push(file("down", down));
        }
        files
    }
}

/// A file that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Path below the folder.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// How sure a format is that a folder is its own, by the names of files alone: `score` where all files that seem
/// to be migrations fit, less where some do not, nothing where most do not.
pub(super) fn shape_score(score: u8, fitting: usize, misfitting: usize) -> u8 {
    match (fitting, misfitting) {
        (0, _) => 0,
        (_, 0) => score,
        (fitting, misfitting) if misfitting <= fitting => score.saturating_sub(8),
        _ => 5,
    }
}

/// The format that people call `id`.
pub fn by_id(id: &str) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.id() == id)
}

/// The ids of all formats, for messages.
pub fn ids() -> String {
    FORMATS.iter().map(|format| format.id()).collect::<Vec<_>>().join(", ")
}

/// The format that `files` are in. A folder without any migration is in the native one. Where several fit
/// equally well and would not read the same migrations from them, that is a problem that names them.
pub fn detect(files: &[SourceFile], options: &ReadOptions) -> Result<&'static dyn Format, SourceProblem> {
    let one = engines::of_one_engine(&migration_files(files), options.dialect)?;
    let files: Vec<_> = one.files.iter().collect();
    let options = ReadOptions { dialect: one.dialect.or(options.dialect), ..options.clone() };
    detect_one(&files, &options).map(|found| found.format)
}

/// A format that was found, with what it read where finding it took a reading.
struct Detected {
    format: &'static dyn Format,
    reading: Option<Folder>,
}

impl Detected {
    fn by_form(format: &'static dyn Format) -> Self {
        Self { format, reading: None }
    }
}

/// [`detect`], for the files of one engine.
fn detect_one(files: &[&SourceFile], options: &ReadOptions) -> Result<Detected, SourceProblem> {
    if files.is_empty() {
        return Ok(Detected::by_form(&twostep::Twostep));
    }
    let mut best: Vec<&'static dyn Format> = Vec::new();
    let mut score = 1;
    let detected = |format: &&'static dyn Format| (*format, format.detect(files));
    // Each looks through all files.
    let all: Vec<_> = if files.len() < WORTH_SHARING {
        FORMATS.iter().map(detected).collect()
    } else {
        parallel::map_large(FORMATS, detected)
    };
    for (format, found) in all {
        if found > score {
            best.clear();
            score = found;
        }
        if found == score {
            best.push(format);
        }
    }
    if score <= OF_OTHERS_TOO
        && let Some(problem) = files.iter().find_map(|file| reading::both_directions(file))
    {
        return Err(problem);
    }
    match best.as_slice() {
        [] => Err(SourceProblem::new("", "no file of the folder has the form of any known migration format")
            .with_help(format!("name the format with --source-format: {}", ids()))),
        [only] => Ok(Detected::by_form(*only)),
        [first, others @ ..] => {
            let reading = first.read(files, options).ok();
            let alike = |other: &&dyn Format| match (&reading, other.read(files, options).ok()) {
                (Some(one), Some(two)) => reads_alike(one, &two),
                _ => false,
            };
            if others.iter().all(alike) {
                return Ok(Detected { format: *first, reading });
            }
            let candidates: Vec<_> = best.iter().map(|format| format.id()).collect();
            let what = format!(
                "the files have the form of {}, which do not mean the same",
                candidates.join(" and of ")
            );
            Err(SourceProblem::new("", what)
                .with_help(format!("say which with --source-format {}", candidates.join("|"))))
        }
    }
}

/// Reads `files` in the format called `format`, or in the one that they are in. The folder may be empty: `new`
/// asks for that; whoever runs migrations must refuse it.
pub fn read(
    files: &[SourceFile],
    format: Option<&str>,
    options: &ReadOptions,
) -> Result<Folder, Vec<SourceProblem>> {
    let format = match format {
        None => None,
        Some(id) => Some(by_id(id).ok_or_else(|| {
            let problem = SourceProblem::new("", format!("there is no format `{id}`"));
            vec![problem.with_help(format!("known formats: {}", ids()))]
        })?),
    };
    let one =
        engines::of_one_engine(&migration_files(files), options.dialect).map_err(|problem| vec![problem])?;
    let files: Vec<_> = one.files.iter().collect();
    let options = ReadOptions { dialect: one.dialect.or(options.dialect), ..options.clone() };
    let found = match format {
        Some(format) => format.read(&files, &options),
        None => read_detected(&files, &options),
    };
    one.with_real_paths(found)
}

/// Reads `files` in the format that they are in. What is wrong with them comes with how it was told, where another
/// tool might not mind.
fn read_detected(files: &[&SourceFile], options: &ReadOptions) -> Result<Folder, Vec<SourceProblem>> {
    let Detected { format, reading } = detect_one(files, options).map_err(|problem| vec![problem])?;
    let read = reading.map_or_else(|| format.read(files, options), Ok);
    read.map_err(|mut problems| {
        if format.detect(files) <= OF_OTHERS_TOO {
            problems.push(
                SourceProblem::new(
                    "",
                    format!("the files were read as `{}`, told by their names", format.id()),
                )
                .with_help("if they are another tool's, name it with --source-format"),
            );
        }
        problems
    })
}

/// How many files are so much work for each format that several processors share it.
const WORTH_SHARING: usize = 100;

/// The highest score for a form of file names that other tools have too.
const OF_OTHERS_TOO: u8 = 65;

/// Without what no format looks at, sorted by path.
fn migration_files(files: &[SourceFile]) -> Vec<&SourceFile> {
    let mut files: Vec<_> = files.iter().filter(|file| !names::is_ignorable(&file.path)).collect();
    files.sort_by(|one, two| one.path.cmp(&two.path));
    files
}

/// Whether both hold the same migrations: the same versions in the same order, the same text in the same
/// transactions.
pub fn reads_alike(one: &Folder, two: &Folder) -> bool {
    let script = |one: &super::Script, two: &super::Script| {
        let same_body = match (&one.body, &two.body) {
            (Body::Sql { span: one, .. }, Body::Sql { span: two, .. }) => one == two,
            (Body::Statements { statements: one, .. }, Body::Statements { statements: two, .. }) => {
                one == two
            }
            (Body::LargeFile { .. }, Body::LargeFile { .. }) => true,
            (Body::Program { program: one }, Body::Program { program: two }) => one == two,
            (
                Body::Sql { .. } | Body::Statements { .. } | Body::LargeFile { .. } | Body::Program { .. },
                _,
            ) => false,
        };
        same_body && one.path == two.path && one.transaction == two.transaction
    };
    one.migrations.len() == two.migrations.len()
        && one.migrations.iter().zip(&two.migrations).all(|(one, two)| {
            one.version == two.version
                && one.kind == two.kind
                && script(&one.up, &two.up)
                && match (&one.down, &two.down) {
                    (Some(one), Some(two)) => script(one, two),
                    (None, None) => true,
                    (Some(_), None) | (None, Some(_)) => false,
                }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_lower_case() {
        for (at, format) in FORMATS.iter().enumerate() {
            assert_eq!(format.id(), format.id().to_ascii_lowercase());
            assert!(FORMATS[..at].iter().all(|other| other.id() != format.id()), "{}", format.id());
        }
    }

    #[test]
    fn what_has_no_form_is_named_as_such() {
        let problem =
            |files: &[SourceFile], format| read(files, format, &ReadOptions::default()).unwrap_err();
        let found = problem(&[SourceFile::text("main.rs", "fn main() {}")], None);
        assert_eq!(found[0].what, "no file of the folder has the form of any known migration format");
        let found = problem(&[], Some("nosuch"));
        assert_eq!(found[0].what, "there is no format `nosuch`");
        assert!(found[0].help.as_ref().unwrap().contains("twostep"));
    }

    #[test]
    fn a_file_with_a_way_back_that_no_format_knows_is_not_run() {
        let files = |name: &str| [SourceFile::text(name, "select 1;\n-- Down Migration\nselect -1;")];
        let options = ReadOptions::default();
        for name in ["1_a.sql", "20260301115959_a.sql", "V1__a.sql"] {
            let problem = read(&files(name), None, &options).unwrap_err();
            assert_eq!(problem[0].what, "both directions seem to stand in it: `-- Down Migration`");
        }
        assert!(read(&files("1_a.down.sql"), Some("golang-migrate"), &options).is_ok());
        assert!(read(&files("1_a.sql"), Some("sqlx"), &options).is_ok());
    }

    #[test]
    fn a_folder_without_migrations_is_native() {
        for files in [vec![], vec![SourceFile::text(".gitkeep", ""), SourceFile::text("README.md", "x")]] {
            let folder = read(&files, None, &ReadOptions::default()).unwrap();
            assert_eq!((folder.format, folder.migrations.len()), ("twostep", 0));
        }
    }

    mod any_folder {
        use super::*;
        use proptest::prelude::*;

        /// Parts of names and texts that mean something to some format, in any order.
        fn words(words: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
            proptest::collection::vec(proptest::sample::select(words), 0..most)
                .prop_map(|words| words.concat())
        }

        const NAMES: &[&str] = &[
            "1",
            "002",
            "20260301115959",
            "99999999999999999999",
            "_",
            "__",
            "-",
            ".",
            " ",
            "/",
            "a",
            "ä",
            "V",
            "U",
            "R",
            "B",
            "up",
            "down",
            ".sql",
            ".SQL",
            ".go",
            ".conf",
            "migration",
            "metadata.toml",
            "mysql",
            "pg",
            "all",
            "do",
            "undo",
            "afterMigrate",
        ];
        const TEXTS: &[&str] = &[
            "\n",
            "\r\n",
            " ",
            ";",
            ";;",
            "'",
            "$$",
            "ä",
            "select 1",
            "vacuum",
            "-- ",
            "--",
            "#",
            "+goose Up",
            "+goose Down",
            "+goose StatementBegin",
            "+goose StatementEnd",
            "+goose ENVSUB ON",
            "${a:-b}",
            "${a:1:2}",
            "${",
            "}",
            "+migrate Up",
            "+migrate Down",
            "+migrate StatementBegin",
            "migrate:up",
            "migrate:down",
            "!Ups",
            "!Downs",
            "$evolutions{{{",
            "}}}",
            "twostep: exec a",
            "twostep: irreversible because b",
            "no-transaction",
            "/*",
            "begin",
        ];

        proptest! {
            #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

            #[test]
            fn is_read_or_refused(
                files in proptest::collection::vec((words(NAMES, 7), words(TEXTS, 12)), 0..5),
                dialect in proptest::option::of(proptest::sample::select(&Dialect::ALL[..])),
            ) {
                let files: Vec<_> =
                    files.iter().map(|(name, text)| SourceFile::text(name.clone(), text)).collect();
                let variables = BTreeMap::from([("a".to_owned(), "äb".to_owned())]);
                let options = ReadOptions { variables, dialect };
                let ids = FORMATS.iter().map(|format| Some(format.id()));
                for format in ids.chain([None]) {
                    match read(&files, format, &options) {
                        Ok(folder) => {
                            let versions: std::collections::BTreeSet<_> =
                                folder.migrations.iter().map(|one| (one.version.as_str(), one.kind as u8)).collect();
                            prop_assert_eq!(versions.len(), folder.migrations.len(), "versions are unique");
                            folder.new_files("b", false, None, 1_772_366_399);
                        }
                        Err(problems) => prop_assert!(!problems.is_empty()),
                    }
                }
            }
        }
    }
}
