//! golang-migrate: `VERSION_name.up.sql` and `VERSION_name.down.sql`, nothing else
//! (<https://github.com/golang-migrate/migrate/blob/master/source/parse.go>).
//!
//! It knows no instructions in the files. A file is sent in one piece: PostgreSQL runs that in one transaction,
//! unless it is a single statement, which is how people build indexes concurrently with it; MySQL commits each
//! statement; on SQLite it is wrapped in a transaction.
//!
//! golang-migrate refuses two files with one number. Projects with a runner of their own have them; they are read.

use super::format::{Folder, Format, NewFile, NewMigration, ReadOptions, shape_score};
use super::names::{is_code, leading_digits, number_64, seems_sql};
use super::one_piece;
use super::pairs::{Half, Pair, pairs_with_shared_numbers};
use super::reading::{Direction, Reading, instruction_of_another, versioned};
use super::{Migration, SourceFile, SourceProblem};

/// golang-migrate.
pub struct GolangMigrate;

/// The parts of a file name that golang-migrate takes: `^([0-9]+)_(.*)\.(down|up)\.(.*)$`.
pub(super) struct NameParts<'a> {
    /// Digits.
    pub digits: &'a str,
    /// Between the first `_` and the last direction.
    pub name: &'a str,
    /// The last `.up.` or `.down.`.
    pub direction: Direction,
    /// Behind it.
    pub extension: &'a str,
}

/// Takes a file name apart.
pub(super) fn name_parts(file_name: &str) -> Option<NameParts<'_>> {
    let (digits, rest) = leading_digits(file_name);
    if digits.is_empty() {
        return None;
    }
    let rest = rest.strip_prefix('_')?;
    let found = [Direction::Up, Direction::Down].into_iter().filter_map(|direction| {
        let mark = format!(".{}.", direction.word());
        rest.rfind(&mark).map(|at| (at, mark.len(), direction))
    });
    let (at, length, direction) = found.max_by_key(|(at, ..)| *at)?;
    Some(NameParts { digits, name: &rest[..at], direction, extension: &rest[at + length..] })
}

impl Format for GolangMigrate {
    fn id(&self) -> &'static str {
        "golang-migrate"
    }

    fn title(&self) -> &'static str {
        "golang-migrate: VERSION_name.up.sql and VERSION_name.down.sql"
    }

    fn detect(&self, files: &[&SourceFile]) -> u8 {
        let mut fitting = 0;
        let mut misfitting = 0;
        let mut own_numbering = true;
        let mut own = false;
        for file in files {
            match name_parts(&file.path) {
                Some(parts) if is_sql_extension(parts.extension) => {
                    fitting += 1;
                    own_numbering &= matches!(parts.digits.len(), 6 | 10);
                    own |= one_piece::is_refused_in_transaction(file);
                }
                Some(parts) => own |= parts.extension == "go",
                None => misfitting += usize::from(seems_sql(&file.path)),
            }
        }
        match shape_score(48, fitting, misfitting) {
            0 => 0,
            _ if own => 75,
            _ if own_numbering => 60,
            score => score,
        }
    }

    fn read(&self, files: &[&SourceFile], options: &ReadOptions) -> Result<Folder, Vec<SourceProblem>> {
        let mut reading = Reading::default();
        let mut halves = Vec::new();
        for file in files {
            let Some(parts) = name_parts(&file.path) else {
                if seems_sql(&file.path) {
                    let why =
                        "runs only VERSION_name.up.sql and VERSION_name.down.sql, directly in the folder";
                    reading.skipped(
                        &file.path,
                        "golang-migrate",
                        why,
                        "rename it, or move it out of the folder",
                    );
                }
                continue;
            };
            let Some(version) = number_64(parts.digits) else {
                reading.problem(
                    &file.path,
                    format!("has a version that is too large: {}", parts.digits),
                    format!("at most {}", u64::MAX),
                );
                continue;
            };
            if is_code(&file.path) {
                reading.code(&file.path);
            } else if is_sql_extension(parts.extension) {
                let NameParts { digits, name, direction, .. } = parts;
                halves.push((version, Half { file, version: digits.to_owned(), name, direction }));
            } else {
                reading.problem(
                    &file.path,
                    format!("would be run by golang-migrate, and `.{}` is no SQL", parts.extension),
                    "give it the ending `.sql`, or move it out of the folder",
                );
            }
        }
        let why = "; golang-migrate itself refuses that";
        for pair in pairs_with_shared_numbers(halves, "golang-migrate", why, &mut reading) {
            let migration = migration(&pair, options, &mut reading);
            reading.migrations.extend(migration);
        }
        reading.finish(self.id())
    }

    fn new_files(&self, new: &NewMigration<'_>) -> Vec<NewFile> {
        new.up_and_down_files("", "")
    }
}

/// Whether files with this ending hold SQL.
fn is_sql_extension(extension: &str) -> bool {
    matches!(extension, "sql" | "psql" | "pgsql" | "mysql" | "sqlite" | "ddl")
}

fn migration(pair: &Pair<'_>, options: &ReadOptions, reading: &mut Reading) -> Option<Migration> {
    let mut up = reading.sql_file(pair.up.file)?;
    one_piece::set_transaction(&mut up, options);
    let down = pair.down.as_ref().and_then(|down| reading.sql_file(down.file)).map(|mut down| {
        one_piece::set_transaction(&mut down, options);
        down
    });
    let mut migration = versioned(pair.up.version.clone(), pair.up.name, up, down);
    let files = std::iter::once(pair.up.file).chain(pair.down.as_ref().map(|down| down.file));
    migration.warnings = files.filter_map(|file| instruction_of_another(file, "golang-migrate")).collect();
    Some(migration)
}

#[cfg(test)]
mod tests {
    use crate::source::format::testing::{check, check_new, detected};

    #[test]
    fn versions_are_numbers_and_the_last_direction_counts() {
        check(
            "golang-migrate",
            &["10_b.up.sql", "9_a.up.b.up.sql", "09_c.down.sql", "notes.sql", "11_.up.psql", "main.go"],
            "9 a.up.b: 9_a.up.b.up.sql | 09_c.down.sql\n10 b: 10_b.up.sql\n11 : 11_.up.psql\n\
             warning: notes.sql: is not run: golang-migrate runs only VERSION_name.up.sql and \
             VERSION_name.down.sql, directly in the folder",
        );
    }

    #[test]
    fn instructions_do_nothing() {
        check(
            "golang-migrate",
            &[
                "1_a.up.sql: -- no-transaction\nselect 1;",
                "2_b.up.sql: -- twostep: no-transaction\nselect 1;",
            ],
            "1 a: 1_a.up.sql\n\
             warning: 1_a.up.sql:1: golang-migrate knows no instructions in files: `-- no-transaction` does nothing\n\
             2 b: 2_b.up.sql (no transaction)",
        );
    }

    #[test]
    fn what_golang_migrate_stops_at() {
        check(
            "golang-migrate",
            &["1_a.up.sql", "01_a.up.sql", "2_c.up.sql.orig", "3_d.up.go", "18446744073709551616_e.up.sql"],
            "error: 18446744073709551616_e.up.sql: has a version that is too large: 18446744073709551616\n\
             error: 1_a.up.sql: has the same version as `01_a.up.sql`: 01\n\
             error: 2_c.up.sql.orig: would be run by golang-migrate, and `.sql.orig` is no SQL\n\
             error: 3_d.up.go: is a migration in code, which only its own tool can run",
        );
    }

    #[test]
    fn several_files_share_a_number_by_name() {
        check(
            "golang-migrate",
            &["7_b.up.sql", "7_a.up.sql", "7_a.down.sql", "8_c.up.sql"],
            "7_a a: 7_a.up.sql | 7_a.down.sql\n7_b b: 7_b.up.sql\n8 c: 8_c.up.sql\n\
             warning: 7_a.up.sql: 7_a.up.sql, 7_b.up.sql have one number, and run in the order of their names; \
             golang-migrate itself refuses that",
        );
    }

    #[test]
    fn a_single_statement_may_refuse_the_transaction() {
        let files = [
            "1_a.up.sql: create index concurrently i on t (a);",
            "1_a.down.sql: drop index concurrently i;",
            "2_b.up.sql: create index concurrently i on t (a); select 1;",
        ];
        check(
            "golang-migrate",
            &files,
            "1 a: 1_a.up.sql (no transaction) | 1_a.down.sql (no transaction)\n2 b: 2_b.up.sql",
        );
        // No other tool could run it.
        assert_eq!(detected(&files), "golang-migrate");
    }

    #[test]
    fn its_own_numbers_tell_it_from_others() {
        assert_eq!(detected(&["000001_a.up.sql", "000001_a.down.sql"]), "golang-migrate");
        assert_eq!(detected(&["1510262030_a.up.sql"]), "golang-migrate");
        assert_eq!(detected(&["20260301115959_a.up.sql", "20260301120000_b.up.go"]), "golang-migrate");
        assert_eq!(detected(&["20260301115959_a.up.sql"]), "twostep");
    }

    #[test]
    fn new_files_are_numbered_as_the_others() {
        check_new("golang-migrate", &["000009_a.up.sql"], "000010_new.up.sql\n000010_new.down.sql");
        check_new("golang-migrate", &[], "20260301115959_new.up.sql\n20260301115959_new.down.sql");
    }
}
