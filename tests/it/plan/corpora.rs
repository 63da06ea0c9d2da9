//! Every PostgreSQL migration of a folder of real projects, planned behind its earlier siblings: how many there is a plan
//! for, and why there is none for the others. `TWOSTEP_CORPORA` names the folder (PROJECT/postgresql/…).

#![allow(clippy::print_stderr, reason = "its table is for people")]

use crate::servers;
use crate::servers::postgres::Database;
use crate::twostep::Project;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use twostep::analysis::analyze_one;
use twostep::dialect::Dialect;
use twostep::engine::version::ServerVersion;
use twostep::files::read_migrations;
use twostep::plan::{self, Request};
use twostep::schema::model::Schema;
use twostep::source::{Folder, Kind, ReadOptions};

/// The folders of projects for PostgreSQL, each with the project's name.
fn folders() -> Vec<(String, PathBuf)> {
    let corpora = PathBuf::from(std::env::var("TWOSTEP_CORPORA").expect("TWOSTEP_CORPORA names a folder"));
    let only = std::env::var("TWOSTEP_CORPORA_ONLY").unwrap_or_default();
    let mut folders: Vec<(String, PathBuf)> = fs::read_dir(&corpora)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .flat_map(|project| {
            let name = project.file_name().unwrap().to_str().unwrap().to_owned();
            let engines = fs::read_dir(&project).unwrap().map(|entry| entry.unwrap().path());
            let is_postgres = |path: &PathBuf| {
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
                path.is_dir() && Dialect::from_word(name) == Some(Dialect::Postgres)
            };
            engines.filter(is_postgres).map(|path| (name.clone(), path)).collect::<Vec<_>>()
        })
        .filter(|(name, _)| name.contains(&only))
        .collect();
    folders.sort();
    folders
}

fn read(path: &Path) -> Folder {
    let options = ReadOptions { dialect: Some(Dialect::Postgres), ..ReadOptions::default() };
    read_migrations(path, None, &options).unwrap_or_else(|error| panic!("{}: {error:?}", path.display()))
}

/// A reason without what is the migration's own: of the words between backticks only those in capitals.
fn reason(what: &str) -> String {
    let parts = what.split('`').enumerate().map(|(number, part)| match number % 2 {
        0 => part.to_owned(),
        _ => {
            let upper = part.to_uppercase();
            let words = upper.split_whitespace().filter(|word| KEYWORDS.contains(word));
            format!("`{}`", words.take(8).collect::<Vec<_>>().join(" "))
        }
    });
    parts.collect()
}

/// Words that say what kind of statement it is.
const KEYWORDS: &[&str] = &[
    "ALTER",
    "CREATE",
    "DROP",
    "TABLE",
    "INDEX",
    "VIEW",
    "TYPE",
    "COLUMN",
    "ADD",
    "SET",
    "NULL",
    "NOT",
    "DEFAULT",
    "CONSTRAINT",
    "RENAME",
    "TO",
    "FUNCTION",
    "TRIGGER",
    "INSERT",
    "INTO",
    "UPDATE",
    "DELETE",
    "SELECT",
    "WITH",
    "OR",
    "REPLACE",
    "IF",
    "EXISTS",
    "UNIQUE",
    "CHECK",
    "FOREIGN",
    "PRIMARY",
    "KEY",
    "SCHEMA",
    "EXTENSION",
    "SEQUENCE",
    "OWNED",
    "ENUM",
    "VALUE",
    "GRANT",
    "REVOKE",
    "COMMENT",
    "ON",
    "POLICY",
    "PUBLICATION",
    "MATERIALIZED",
    "ENABLE",
    "DISABLE",
    "ATTACH",
    "DETACH",
    "PARTITION",
    "REPLICA",
    "IDENTITY",
    "OWNER",
    "REFRESH",
    "RULE",
    "ROLE",
    "TRUNCATE",
    "LOCK",
    "CAST",
    "AGGREGATE",
    "OPERATOR",
    "STATISTICS",
    "STORAGE",
    "CONCURRENTLY",
    "DO",
    "COPY",
    "VACUUM",
    "ANALYZE",
    "CLUSTER",
    "REINDEX",
    "CALL",
    "DOMAIN",
    "PROCEDURE",
    "VALIDATE",
    "USING",
    "CASCADE",
];

#[test]
#[ignore = "needs TWOSTEP_CORPORA"]
fn every_migration_of_real_projects_has_a_plan_or_a_reason() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut reasons: BTreeMap<String, (usize, String)> = BTreeMap::new();
    let server = ServerVersion::usual(Dialect::Postgres);
    for (project, path) in folders() {
        let folder = read(&path);
        let mut before = Schema::new(Dialect::Postgres);
        for (at, migration) in folder.migrations.iter().enumerate() {
            let behind = analyze_one(&migration.up, at, before.clone()).end;
            let before = std::mem::replace(&mut before, behind);
            if migration.kind != Kind::Versioned {
                continue;
            }
            // What is planned is what is not released yet: the last one.
            let folder = up_to(&folder, at);
            let request = Request { folder: &folder, at, server, fills: &[] };
            let kind = match plan::plan_behind(&request, before) {
                Ok(deploy) if deploy.parts.is_empty() => "nothing to do",
                Ok(deploy) => {
                    plan::table(&deploy, server);
                    match plan::files(&deploy, &folder, at, Dialect::Postgres) {
                        Err(problem) => {
                            let shown = format!("{project} {}: {problem}", migration.up.path);
                            reasons
                                .entry(format!("unwritable: {}", reason(&problem.to_string())))
                                .or_insert((0, shown))
                                .0 += 1;
                            "planned, but its format cannot say it"
                        }
                        Ok(_) if deploy.is_single() => "planned, one step",
                        Ok(_) => "planned, two steps",
                    }
                }
                Err(refusals) => {
                    for refusal in &refusals {
                        let shown = format!("{project} {}: {refusal}", migration.up.path);
                        reasons.entry(reason(&refusal.what)).or_insert((0, shown)).0 += 1;
                    }
                    "refused"
                }
            };
            *counts.entry(kind).or_default() += 1;
            *counts.entry("all").or_default() += 1;
        }
    }
    eprintln!("{counts:#?}");
    let mut sorted: Vec<_> = reasons.into_iter().collect();
    sorted.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    for (reason, (count, example)) in sorted {
        eprintln!("{count:5}  {reason}\n         {}", example.chars().take(220).collect::<String>());
    }
    assert!(counts.get("all").is_some_and(|count| *count > 0), "no migration was found");
}

/// The folder as it was when the migration at `at` was the newest.
fn up_to(folder: &Folder, at: usize) -> Folder {
    let mut folder = folder.clone();
    folder.migrations.truncate(at + 1);
    folder
}

/// Copies a folder of migrations, whoever may write those.
fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copied(&path, &to);
        } else {
            fs::write(&to, fs::read(&path).unwrap()).unwrap();
        }
    }
}

/// Removes a file of a migration, and the folder that it has for itself.
fn remove(root: &Path, file: &str) {
    let path = root.join(file);
    // Both directions may be in one file.
    fs::remove_file(&path).ok();
    let own = path.parent().filter(|own| *own != root);
    let is_empty = |own: &&Path| {
        let mut left = fs::read_dir(own).unwrap().map(|entry| entry.unwrap().path());
        left.all(|path| path.metadata().unwrap().len() == 0)
    };
    if let Some(own) = own.filter(|own| own.is_dir()).filter(is_empty) {
        fs::remove_dir_all(own).unwrap();
    }
}

/// A database in which the migrations before one are applied, and the way to run twostep on copies of it.
struct Walk<'s> {
    server: &'s servers::Postgres,
    project: Project,
    base: Database<'s>,
}

impl Walk<'_> {
    fn migrate(&self, folder: &Path, database: &Database<'_>, to: &str) -> Result<(), String> {
        let folder = folder.to_str().expect("a path in UTF-8");
        let arguments = ["migrate", "--migrations", folder, "--contract", "a test", "--to", to];
        let outcome = self.project.on(&database.url(), &arguments).run();
        if outcome.code() == 0 { Ok(()) } else { Err(outcome.stderr) }
    }

    fn copy(&self) -> Database<'_> {
        let copy = self.server.fresh_database_name();
        let sql = format!("create database {} template {}", copy.name, self.base.name);
        self.server.psql("postgres", &sql);
        copy
    }

    /// The catalog; columns in any order.
    fn catalog(&self, database: &Database<'_>) -> String {
        let dump = self.project.on(&database.url(), &["db", "dump"]).run().expect(0).stdout;
        let mut lines: Vec<&str> = dump.lines().collect();
        lines.sort_unstable();
        lines.join("\n")
    }
}

/// What became of a planned migration on a server.
fn proved(
    walk: &Walk<'_>,
    path: &Path,
    all: &Folder,
    at: usize,
    planned: &plan::PlannedFiles,
) -> Result<(), String> {
    let work = tempfile::tempdir().unwrap();
    copied(path, work.path());
    for later in &all.migrations[at + 1..] {
        std::iter::once(&later.up).chain(&later.down).for_each(|script| remove(work.path(), &script.path));
    }
    planned.removed.iter().for_each(|file| remove(work.path(), file));
    for file in &planned.added {
        let path = work.path().join(&file.path);
        fs::create_dir_all(path.parent().expect("it is below the folder")).unwrap();
        fs::write(path, &file.text).unwrap();
    }
    let plain = walk.copy();
    walk.migrate(path, &plain, all.migrations[at].version.as_str())
        .map_err(|_| "the plain one fails".to_owned())?;
    let (ours, now) = (walk.copy(), read(work.path()));
    let is_new = |path: &String| planned.added.iter().any(|file| file.path == *path);
    let last =
        now.migrations.iter().rposition(|migration| is_new(&migration.up.path)).expect("it was written");
    walk.migrate(work.path(), &ours, now.migrations[last].version.as_str()).map_err(|error| {
        format!("**the plan fails**: {}", error.lines().take(3).collect::<Vec<_>>().join(" / "))
    })?;
    let (one, other) = (walk.catalog(&plain), walk.catalog(&ours));
    if one == other {
        return Ok(());
    }
    let diff = similar::TextDiff::from_lines(&one, &other);
    let lines = diff.iter_all_changes().filter(|change| change.tag() != similar::ChangeTag::Equal).take(6);
    let lines: Vec<String> =
        lines.map(|change| format!("{}{}", change.tag(), change.to_string().trim())).collect();
    Err(format!("**another catalog**: {}", lines.join(" / ")))
}

#[test]
#[ignore = "needs TWOSTEP_CORPORA"]
fn plans_of_real_migrations_end_in_the_plain_catalog() {
    let Some(server) = servers::postgres() else { return };
    let every: usize = std::env::var("TWOSTEP_CORPORA_EVERY").ok().and_then(|n| n.parse().ok()).unwrap_or(5);
    let version = ServerVersion::parse(&server.psql("postgres", "show server_version"), Dialect::Postgres);
    let version = version.unwrap_or_else(|| ServerVersion::usual(Dialect::Postgres));
    let mut results: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (project, path) in folders() {
        let all = read(&path);
        let walk = Walk { server, project: Project::new(), base: server.fresh_database() };
        let mut before = Schema::new(Dialect::Postgres);
        let (mut count, mut applied) = (0, None);
        for (at, migration) in all.migrations.iter().enumerate() {
            let behind = analyze_one(&migration.up, at, before.clone()).end;
            let before = std::mem::replace(&mut before, behind);
            let folder = up_to(&all, at);
            let request = Request { folder: &folder, at, server: version, fills: &[] };
            let Ok(deploy) = plan::plan_behind(&request, before) else { continue };
            if deploy.parts.is_empty() || migration.kind != Kind::Versioned {
                continue;
            }
            let Ok(planned) = plan::files(&deploy, &folder, at, Dialect::Postgres) else { continue };
            count += 1;
            if count % every != 1 % every {
                continue;
            }
            if at > 0 && applied != Some(at - 1) {
                if let Err(error) =
                    walk.migrate(&path, &walk.base, folder.migrations[at - 1].version.as_str())
                {
                    *results.entry("not reached: those before it fail".to_owned()).or_default() += 1;
                    eprintln!("{project}: {}", error.lines().next().unwrap_or(""));
                    break;
                }
                applied = Some(at - 1);
            }
            let result = proved(&walk, &path, &all, at, &planned);
            let told = match &result {
                Ok(()) => "the plain catalog".to_owned(),
                Err(why) => why.split(':').next().unwrap_or("").to_owned(),
            };
            if let Err(why) = result.as_ref().map_err(|why| format!("{project} {}: {why}", migration.up.path))
            {
                eprintln!("{}", why.chars().take(700).collect::<String>());
                wrong.extend(told.starts_with("**").then_some(why));
            }
            *results.entry(told).or_default() += 1;
        }
    }
    eprintln!("{results:#?}");
    assert!(wrong.is_empty(), "{} plans are wrong", wrong.len());
}
