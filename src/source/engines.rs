//! Folders that hold the migrations of several engines: a folder for each, or the engine's name in the file names.
//!
//! `mysql/1.sql` beside `postgres/1.sql`, `V1.users.mysql.up.sql` beside `V1.users.postgres.up.sql`. The format only
//! sees the files of the one engine, as if there were no others.

use super::format::{Folder, NewFile};
use super::names::{join, leading_digits, seems_sql, split_path};
use super::{Body, Script, SourceFile, SourceProblem};
use crate::dialect::Dialect;
use std::collections::{BTreeMap, BTreeSet};

/// An engine that a name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Engine {
    Ours(Dialect),
    /// One that we have nothing to do with.
    Other,
}

/// The files of one engine.
#[derive(Debug, Default)]
pub(super) struct OneEngine {
    /// They, with the names that they would have if there were no other engine; sorted.
    pub files: Vec<SourceFile>,
    /// The engine, where the names tell it.
    pub dialect: Option<Dialect>,
    /// The folder that all of them stand in.
    folder: String,
    /// The real paths of those that have another name in `files`.
    real: BTreeMap<String, String>,
}

/// Where the files of one engine stand, as one of them tells it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place<'a> {
    /// The folder of the engine, below the migrations folder.
    folder: &'a str,
    /// The engine's word in the file's name.
    word: Option<&'a str>,
}

impl<'a> Place<'a> {
    /// The place of the migration that stands in the file `path`.
    pub fn of(path: &'a str) -> Self {
        let named = Named::of(path, &migration_folders([path]));
        Self { folder: named.folder.map_or("", |(_, folder)| folder), word: named.word.map(|(_, word)| word) }
    }

    /// The real path of a new file.
    pub fn of_new_file(self, file: NewFile) -> NewFile {
        let mut path = join(self.folder, &file.path);
        if let Some(word) = self.word {
            let ending = [".up.sql", ".down.sql", ".sql"].into_iter().find(|ending| path.ends_with(ending));
            let at = path.len() - ending.map_or(0, str::len);
            path.insert_str(at, &format!(".{word}"));
        }
        NewFile { path, ..file }
    }

    /// The path of an existing file as its format sees it.
    pub fn without_folder(self, path: &str) -> &str {
        without_folder(self.folder, path)
    }
}

fn without_folder<'a>(folder: &str, path: &'a str) -> &'a str {
    path.strip_prefix(folder).map_or(path, |path| path.trim_start_matches('/'))
}

/// The folders that are a migration each, and so no engine's, whatever they are called.
fn migration_folders<'a>(paths: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let in_folder = paths.into_iter().map(split_path);
    in_folder
        .filter(|(_, name)| ["up.sql", "migration.sql"].contains(name))
        .map(|(folder, _)| folder)
        .collect()
}

/// The files among `files` that are for `wanted`, or for the only engine that there are files for.
pub(super) fn of_one_engine(
    files: &[&SourceFile],
    wanted: Option<Dialect>,
) -> Result<OneEngine, SourceProblem> {
    let migration_folders = migration_folders(files.iter().map(|file| file.path.as_str()));
    let named: Vec<(&SourceFile, Named<'_>)> =
        files.iter().map(|file| (*file, Named::of(&file.path, &migration_folders))).collect();
    let engines: BTreeSet<Engine> = named
        .iter()
        .filter(|(file, _)| seems_sql(&file.path))
        .flat_map(|(_, named)| {
            named.folder.map(|(engine, _)| engine).into_iter().chain(named.word.map(|(engine, _)| engine))
        })
        .collect();
    let ours: Vec<Dialect> = engines
        .iter()
        .filter_map(|engine| match engine {
            Engine::Ours(dialect) => Some(*dialect),
            Engine::Other => None,
        })
        .collect();
    if ours.is_empty() {
        let files = files.iter().map(|file| (*file).clone()).collect();
        return Ok(OneEngine { files, ..OneEngine::default() });
    }
    let dialect = match (wanted, ours.as_slice()) {
        (Some(wanted), _) => wanted,
        (None, [only]) => *only,
        (None, _) => {
            let what = format!("the folder holds migrations for {}", titles(&ours));
            return Err(SourceProblem::new("", what)
                .with_help("give a database URL, or name the folder of one engine"));
        }
    };
    let mut one = keep(&named, dialect);
    if !one.files.iter().any(|file| seems_sql(&file.path)) {
        let what =
            format!("the folder holds migrations for {}, and none for {}", titles(&ours), dialect.title());
        return Err(SourceProblem::new("", what).with_help("name another folder"));
    }
    one.dialect = Some(dialect);
    one.files.sort_by(|one, two| one.path.cmp(&two.path));
    Ok(one)
}

/// `PostgreSQL, SQLite`.
fn titles(dialects: &[Dialect]) -> String {
    dialects.iter().map(|dialect| dialect.title()).collect::<Vec<_>>().join(", ")
}

/// What the path of a file tells of engines.
#[derive(Debug, Clone, Copy, Default)]
struct Named<'a> {
    /// The engine of a folder, and the path of that folder.
    folder: Option<(Engine, &'a str)>,
    /// The engine in the file's name, and its word there.
    word: Option<(Engine, &'a str)>,
    /// The file's name says that it is for every engine.
    for_all: bool,
}

impl<'a> Named<'a> {
    fn of(path: &'a str, migration_folders: &BTreeSet<&str>) -> Self {
        let mut named = Named::default();
        for (at, _) in path.match_indices('/') {
            let folder = &path[..at];
            if migration_folders.contains(folder) {
                break;
            }
            if let Some(engine) = engine_of_folder(split_path(folder).1) {
                named.folder = Some((engine, folder));
                break;
            }
        }
        // V0001.Name.mysql.up.sql: the first part is the version's, the last one the ending.
        let mut parts: Vec<&str> = split_path(path).1.split('.').collect();
        parts.pop();
        if matches!(parts.last(), Some(&("up" | "down"))) {
            parts.pop();
        }
        if let [_, .., word] = parts.as_slice() {
            named.word = engine_of_word(word).map(|engine| (engine, *word));
            named.for_all = *word == "all";
        }
        named
    }
}

/// The engine of a folder's name, of which it may be a part: `mysql`, `migrations-sqlite`.
fn engine_of_folder(name: &str) -> Option<Engine> {
    if !leading_digits(name.trim_start_matches(['V', 'v'])).0.is_empty() {
        return None;
    }
    name.split(['-', '_', '.', ' ']).find_map(engine_of_word)
}

fn engine_of_word(word: &str) -> Option<Engine> {
    const OTHERS: [&str; 14] = [
        "oracle",
        "mssql",
        "sqlserver",
        "db2",
        "derby",
        "h2",
        "hsqldb",
        "cockroach",
        "cockroachdb",
        "clickhouse",
        "redshift",
        "snowflake",
        "spanner",
        "yugabyte",
    ];
    if let Some(dialect) = Dialect::from_word(word) {
        return Some(Engine::Ours(dialect));
    }
    OTHERS.contains(&word.to_ascii_lowercase().as_str()).then_some(Engine::Other)
}

/// The files for `dialect`, without its name.
fn keep(named: &[(&SourceFile, Named<'_>)], dialect: Dialect) -> OneEngine {
    let is_own =
        |found: Option<(Engine, &str)>| found.is_none_or(|(engine, _)| engine == Engine::Ours(dialect));
    let has_words = named.iter().any(|(_, named)| named.word.is_some());
    let kept: Vec<_> = named.iter().filter(|(_, named)| is_own(named.folder) && is_own(named.word)).collect();
    let folders: BTreeSet<&str> = kept
        .iter()
        .filter(|(file, _)| seems_sql(&file.path))
        .map(|(_, named)| named.folder.map_or("", |(_, folder)| folder))
        .collect();
    let folder = match folders.iter().collect::<Vec<_>>().as_slice() {
        [only] => (**only).to_owned(),
        _ => String::new(),
    };
    let mut one = OneEngine { folder, ..OneEngine::default() };
    let mut by_path: BTreeMap<String, (bool, &SourceFile)> = BTreeMap::new();
    for (file, named) in kept {
        if !one.folder.is_empty() && named.folder.is_none() {
            continue;
        }
        let mut path = without_folder(&one.folder, &file.path).to_owned();
        let word = named.word.map(|(_, word)| word).or((named.for_all && has_words).then_some("all"));
        if let Some(word) = word
            && let Some(at) = path.rfind(&format!(".{word}."))
        {
            path.replace_range(at..=at + word.len(), "");
        }
        // What is for this engine alone takes the place of what is for every one.
        let is_special = named.word.is_some();
        match by_path.get(&path) {
            Some((true, _)) if !is_special => {}
            Some(_) | None => {
                by_path.insert(path, (is_special, file));
            }
        }
    }
    for (path, (_, file)) in by_path {
        if path != file.path {
            one.real.insert(path.clone(), file.path.clone());
        }
        one.files.push(SourceFile { path, ..file.clone() });
    }
    one
}

impl OneEngine {
    /// Puts the real paths into what was read.
    pub fn with_real_paths(
        &self,
        found: Result<Folder, Vec<SourceProblem>>,
    ) -> Result<Folder, Vec<SourceProblem>> {
        match found {
            Ok(mut folder) => {
                for migration in &mut folder.migrations {
                    self.restore_script(&mut migration.up);
                    migration.down.iter_mut().for_each(|down| self.restore_script(down));
                    migration.warnings.iter_mut().for_each(|warning| self.restore(&mut warning.path));
                }
                folder.warnings.iter_mut().for_each(|warning| self.restore(&mut warning.path));
                Ok(folder)
            }
            Err(mut problems) => {
                problems.iter_mut().for_each(|problem| self.restore(&mut problem.path));
                Err(problems)
            }
        }
    }

    fn restore_script(&self, script: &mut Script) {
        self.restore(&mut script.path);
        if let Body::Program { program } = &mut script.body {
            self.restore(program);
        }
    }

    fn restore(&self, path: &mut String) {
        *path = match self.real.get(path) {
            Some(real) => real.clone(),
            // A folder of a migration, or a file that kept its name.
            None if !path.is_empty() => join(&self.folder, path),
            None => return,
        };
    }
}

#[cfg(test)]
mod tests {
    use crate::dialect::Dialect;
    use crate::source::ReadOptions;
    use crate::source::format::testing::{show, source_files};
    use crate::source::read;

    fn check(dialect: Option<Dialect>, files: &[&str], expected: &str) {
        let options = ReadOptions { dialect, ..ReadOptions::default() };
        let found = read(&source_files(files), None, &options);
        let format = found.as_ref().map_or(String::new(), |folder| format!("{}\n", folder.format));
        assert_eq!(format!("{format}{}", show(&found)), expected);
    }

    const FOLDERS: [&str; 6] = [
        "mysql/V0001.A.up.sql",
        "postgres/V0001.A.up.sql",
        "postgres/V0001.A.down.sql",
        "h2/V0001.A.up.sql",
        "README.md",
        "embed.go",
    ];

    #[test]
    fn each_engine_has_its_folder() {
        check(
            Some(Dialect::Postgres),
            &FOLDERS,
            "authelia\n0001 A: postgres/V0001.A.up.sql | postgres/V0001.A.down.sql",
        );
        check(Some(Dialect::Mysql), &FOLDERS, "authelia\n0001 A: mysql/V0001.A.up.sql");
        check(
            Some(Dialect::Sqlite),
            &FOLDERS,
            "error: : the folder holds migrations for PostgreSQL, MySQL/MariaDB, and none for SQLite",
        );
        check(None, &FOLDERS, "error: : the folder holds migrations for PostgreSQL, MySQL/MariaDB");
    }

    #[test]
    fn problems_keep_the_real_paths() {
        check(
            None,
            &["db/pg/1_a/down.sql", "db/pg/2_b/up.sql", "db/pg/3_c.sql"],
            "error: db/pg/1_a: has no up.sql, and Diesel stops at it",
        );
        check(
            None,
            &["sqlite3/1_a/up.sql", "sqlite3/2_b.sql"],
            "diesel\n1 a: sqlite3/1_a/up.sql\n\
             warning: sqlite3/2_b.sql: is not run: Diesel runs only VERSION_name/up.sql",
        );
    }

    #[test]
    fn a_migration_may_be_called_like_an_engine() {
        check(
            None,
            &["1_mysql/up.sql", "drop_postgres/up.sql"],
            "diesel\n1 mysql: 1_mysql/up.sql\ndrop postgres: drop_postgres/up.sql",
        );
        check(None, &["1_a.mysql_x.up.sql"], "golang-migrate\n1 a.mysql_x: 1_a.mysql_x.up.sql");
    }

    #[test]
    fn what_several_engines_share_stays() {
        check(
            Some(Dialect::Mysql),
            &["common/V1__a.sql", "mysql/V1.1__b.sql", "postgresql/V1.1__c.sql"],
            "flyway\n1 a: common/V1__a.sql\n1.1 b: mysql/V1.1__b.sql",
        );
    }

    #[test]
    fn the_engine_stands_in_the_file_names() {
        let files = [
            "V0001.A.all.up.sql",
            "V0002.B.all.up.sql",
            "V0002.B.mysql.up.sql",
            "V0002.B.postgres.up.sql",
            "V0002.B.postgres.down.sql",
        ];
        check(
            Some(Dialect::Mysql),
            &files,
            "authelia\n0001 A: V0001.A.all.up.sql\n0002 B: V0002.B.mysql.up.sql",
        );
        check(
            Some(Dialect::Postgres),
            &files,
            "authelia\n0001 A: V0001.A.all.up.sql\n0002 B: V0002.B.postgres.up.sql | V0002.B.postgres.down.sql",
        );
    }

    #[test]
    fn new_files_stand_where_the_others_do() {
        let new = |files: &[&str]| {
            let options = ReadOptions { dialect: Some(Dialect::Mysql), ..ReadOptions::default() };
            let folder = read(&source_files(files), None, &options).unwrap();
            let files = folder.new_files("b", false, None, 0);
            files.into_iter().map(|file| file.path).collect::<Vec<_>>()
        };
        assert_eq!(new(&["mysql/x/V1__a.sql"]), ["mysql/x/V2__b.sql"]);
        assert_eq!(new(&["V0001.A.mysql.up.sql", "V0001.A.pg.up.sql"]), ["V0002.b.mysql.up.sql"]);
    }
}
