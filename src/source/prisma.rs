//! Prisma: a folder for each migration, with `migration.sql`, and perhaps a `down.sql` that people write beside it
//! (<https://www.prisma.io/docs/orm/prisma-migrate/workflows/generating-down-migrations>).
//!
//! The folder's whole name is the version; folders run in the order of their names. There is no transaction but the
//! one that PostgreSQL makes of several statements in one message, and a file with a statement that cannot run in
//! one is sent statement by statement. SQLite gets no transaction: its migrations turn foreign keys off.

use super::format::{Folder, Format, NewFile, NewMigration, ReadOptions, shape_score};
use super::names::{leading_digits, seems_sql, split_path};
use super::one_piece;
use super::reading::{Reading, text, versioned};
use super::{Script, SourceFile, SourceProblem};
use crate::dialect::Dialect;
use std::collections::BTreeMap;

/// Prisma.
pub struct Prisma;

/// The file that says which engine a folder is for.
const LOCK: &str = "migration_lock.toml";

impl Format for Prisma {
    fn id(&self) -> &'static str {
        "prisma"
    }

    fn title(&self) -> &'static str {
        "Prisma: VERSION_name/migration.sql"
    }

    fn detect(&self, files: &[&SourceFile]) -> u8 {
        let in_folder = |name: &str| {
            files.iter().filter(|file| matches!(split_path(&file.path), (folder, found) if found == name && is_name(folder))).count()
        };
        let in_root = files.iter().filter(|file| !file.path.contains('/') && seems_sql(&file.path)).count();
        match shape_score(80, in_folder("migration.sql"), in_root + in_folder("up.sql")) {
            0 => 0,
            _ if files.iter().any(|file| file.path == LOCK) => 92,
            score => score,
        }
    }

    fn read(&self, files: &[&SourceFile], options: &ReadOptions) -> Result<Folder, Vec<SourceProblem>> {
        let mut reading = Reading::default();
        let mut folders: BTreeMap<&str, (Option<&SourceFile>, Option<&SourceFile>)> = BTreeMap::new();
        for file in files {
            let (folder, name) = split_path(&file.path);
            if is_name(folder) {
                let (up, down) = folders.entry(folder).or_default();
                match name {
                    "migration.sql" => *up = Some(file),
                    "down.sql" => *down = Some(file),
                    _ => {}
                }
            } else if seems_sql(name) {
                let why = "runs only VERSION_name/migration.sql";
                reading.skipped(&file.path, "Prisma", why, "give it a folder, or move it away");
            }
        }
        for (folder, (up, down)) in folders {
            let Some(up) = up else {
                let what = "has no migration.sql, and Prisma stops at it";
                reading.problem(folder, what, "add one, or remove the folder");
                continue;
            };
            let Some(up) = script(up, options, &mut reading) else { continue };
            let down = down.and_then(|down| script(down, options, &mut reading));
            reading.migrations.push(versioned(folder.to_owned(), name(folder), up, down));
        }
        let provider =
            files.iter().find(|file| file.path == LOCK).and_then(|file| text(file)).and_then(provider);
        if let (Some(provider), Some(dialect)) = (provider, options.dialect)
            && provider != dialect
        {
            reading.problem(
                LOCK,
                format!("says that the migrations are for {}", provider.title()),
                format!("they cannot run on {}", dialect.title()),
            );
        }
        reading.finish(self.id())
    }

    fn new_files(&self, new: &NewMigration<'_>) -> Vec<NewFile> {
        let file = |name: &str| NewFile {
            path: format!("{}_{}/{name}", new.version, new.name),
            text: String::new(),
        };
        let mut files = vec![file("migration.sql")];
        if new.down {
            files.push(file("down.sql"));
        }
        files
    }
}

fn is_name(folder: &str) -> bool {
    !folder.is_empty() && !folder.contains('/')
}

/// What stands behind the number.
fn name(folder: &str) -> &str {
    let name = leading_digits(folder).1.trim_start_matches(['_', '-']);
    if name.is_empty() { folder } else { name }
}

/// The engine that `migration_lock.toml` names.
fn provider(lock: &str) -> Option<Dialect> {
    let table: toml::Table = lock.parse().ok()?;
    table.get("provider").and_then(toml::Value::as_str).and_then(Dialect::from_word)
}

fn script(file: &SourceFile, options: &ReadOptions, reading: &mut Reading) -> Option<Script> {
    let mut script = reading.sql_file(file)?;
    let dialect = options.dialect.unwrap_or(Dialect::Postgres);
    let refuses = text(file).is_some_and(|text| one_piece::refusing(text, dialect).is_some());
    script.transaction &= dialect != Dialect::Sqlite && !refuses;
    Some(script)
}

#[cfg(test)]
mod tests {
    use crate::dialect::Dialect;
    use crate::source::ReadOptions;
    use crate::source::format::testing::{check, check_new, check_with, detected};

    const FILES: [&str; 5] = [
        "20250714151410_remove/migration.sql: drop index concurrently i; select 1;",
        "20250714151410_add/migration.sql",
        "20250714151410_add/down.sql",
        "20230518191501_init/migration.sql",
        "migration_lock.toml: provider = \"postgresql\"",
    ];

    #[test]
    fn folders_run_in_the_order_of_their_names() {
        check(
            "prisma",
            &FILES,
            "20230518191501_init init: 20230518191501_init/migration.sql\n\
             20250714151410_add add: 20250714151410_add/migration.sql | 20250714151410_add/down.sql\n\
             20250714151410_remove remove: 20250714151410_remove/migration.sql (no transaction)",
        );
        assert_eq!(detected(&FILES), "prisma");
        assert_eq!(detected(&FILES[1..3]), "prisma");
    }

    #[test]
    fn the_lock_says_for_which_engine() {
        let options = ReadOptions { dialect: Some(Dialect::Sqlite), ..ReadOptions::default() };
        check_with(
            "prisma",
            &FILES,
            &options,
            "error: migration_lock.toml: says that the migrations are for PostgreSQL",
        );
        check_with("prisma", &["1_a/migration.sql"], &options, "1_a a: 1_a/migration.sql (no transaction)");
    }

    #[test]
    fn what_prisma_stops_at() {
        check("prisma", &["1_a/down.sql"], "error: 1_a: has no migration.sql, and Prisma stops at it");
    }

    #[test]
    fn new_files() {
        check_new("prisma", &FILES, "20260301115959_new/migration.sql\n20260301115959_new/down.sql");
    }
}
