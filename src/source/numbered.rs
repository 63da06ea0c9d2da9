//! Plain numbered files, of no tool: `001_name.sql`, `1.sql`, `2-name.sql`, `V3 name.sql`, and, with a way back,
//! `1.up.sql` and `1.down.sql`, `1.do.name.sql` and `1.undo.name.sql`, `1_name_up.sql` and `1_name_down.sql`.
//!
//! Numbers give the order, and names where two files have one number. A file runs in one transaction, unless a
//! statement of it cannot run in one.

use super::format::{Folder, Format, NewFile, NewMigration, ReadOptions, shape_score};
use super::names::{leading_digits, number, seems_sql};
use super::one_piece;
use super::pairs::{Half, Pair, pairs_with_shared_numbers};
use super::reading::{Direction, Reading, both_directions, text, versioned};
use super::{Migration, Script, SourceFile, SourceProblem};
use crate::dialect::Dialect;
use std::collections::BTreeSet;

/// Plain numbered files.
pub struct Numbered;

/// What the name of a file says.
#[derive(Debug, PartialEq, Eq)]
struct Parts<'a> {
    digits: &'a str,
    /// Without the separator in front of it.
    name: &'a str,
    direction: Direction,
}

impl Format for Numbered {
    fn id(&self) -> &'static str {
        "numbered"
    }

    fn title(&self) -> &'static str {
        "plain numbered files: 001_name.sql, 1.sql, 2-name.sql"
    }

    fn detect(&self, files: &[&SourceFile]) -> u8 {
        let fitting = files.iter().filter(|file| parts(&file.path, &BTreeSet::new()).is_some()).count();
        let seeming = files.iter().filter(|file| seems_sql(&file.path)).count();
        shape_score(40, fitting, seeming.saturating_sub(fitting))
    }

    fn read(&self, files: &[&SourceFile], options: &ReadOptions) -> Result<Folder, Vec<SourceProblem>> {
        let mut reading = Reading::default();
        let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
        let mut found = Vec::new();
        for file in files {
            match parts(&file.path, &paths) {
                Some(parts) => match number(parts.digits) {
                    Some(version) => {
                        let Parts { digits, name, direction } = parts;
                        found.push((version, Half { file, version: digits.to_owned(), name, direction }));
                    }
                    None => reading.problem(
                        &file.path,
                        format!("has a version that is too large: {}", parts.digits),
                        format!("at most {}", u128::MAX),
                    ),
                },
                None if seems_sql(&file.path) => {
                    let why = "only files that start with a number, directly in the folder, are migrations";
                    let help = "rename it, or move it out of the folder";
                    reading
                        .warnings
                        .push(SourceProblem::new(&file.path, format!("is not run: {why}")).with_help(help));
                }
                None => {}
            }
        }
        for pair in pairs_with_shared_numbers(found, "this format", "", &mut reading) {
            let migration = migration(&pair, options, &mut reading);
            reading.migrations.extend(migration);
        }
        reading.finish(self.id())
    }

    fn new_files(&self, new: &NewMigration<'_>) -> Vec<NewFile> {
        let like = new.like.unwrap_or("");
        let prefix = if like.starts_with(['V', 'v']) { &like[..1] } else { "" };
        let rest = leading_digits(&like[prefix.len()..]).1;
        let separator = rest.chars().next().filter(|first| "-_ ".contains(*first)).unwrap_or('_');
        let file = |ending: &str| NewFile {
            path: format!("{prefix}{}{separator}{}{ending}", new.version, new.name),
            text: String::new(),
        };
        // Pairs among files without a direction would be taken for another format.
        let has_pairs = like.is_empty() || like.ends_with(".up.sql");
        if new.down && has_pairs { vec![file(".up.sql"), file(".down.sql")] } else { vec![file(".sql")] }
    }
}

/// Takes a file name apart. `paths` are all files, for endings that are directions only where both are there.
fn parts<'a>(path: &'a str, paths: &BTreeSet<&str>) -> Option<Parts<'a>> {
    let stem = path.strip_suffix(".sql").filter(|stem| !stem.contains('/'))?;
    let (digits, rest) = leading_digits(stem.strip_prefix(['V', 'v']).unwrap_or(stem));
    if digits.is_empty() || !(rest.is_empty() || rest.starts_with(['_', '-', '.', ' '])) {
        return None;
    }
    let name = rest.trim_start_matches(['_', '-', '.', ' ']);
    // postgrator: 1.do.name.sql
    if rest.starts_with('.') {
        for (word, direction) in [("do", Direction::Up), ("undo", Direction::Down)] {
            if let Some(name) =
                name.strip_prefix(word).filter(|name| name.is_empty() || name.starts_with('.'))
            {
                return Some(Parts { digits, name: name.trim_start_matches('.'), direction });
            }
        }
    }
    for (word, other, direction) in [("up", "down", Direction::Up), ("down", "up", Direction::Down)] {
        let Some(before) = name.strip_suffix(word) else { continue };
        let is_direction = match before.chars().next_back() {
            None => rest.starts_with('.') || is_pair(path, word, other, paths),
            Some('.') => true,
            Some('_' | '-') => is_pair(path, word, other, paths),
            Some(_) => false,
        };
        if is_direction {
            return Some(Parts { digits, name: before.trim_end_matches(['.', '_', '-']), direction });
        }
    }
    Some(Parts { digits, name, direction: Direction::Up })
}

/// Whether the file for the other direction is there.
fn is_pair(path: &str, word: &str, other: &str, paths: &BTreeSet<&str>) -> bool {
    let stem = path.strip_suffix(".sql").and_then(|stem| stem.strip_suffix(word)).unwrap_or("");
    paths.contains(format!("{stem}{other}.sql").as_str())
}

fn migration(pair: &Pair<'_>, options: &ReadOptions, reading: &mut Reading) -> Option<Migration> {
    let mut warnings = Vec::new();
    let up = script(pair.up.file, options, &mut warnings, reading)?;
    let down = pair.down.as_ref().and_then(|down| script(down.file, options, &mut warnings, reading));
    let mut migration = versioned(pair.up.version.clone(), pair.up.name, up, down);
    migration.warnings = warnings;
    Some(migration)
}

fn script(
    file: &SourceFile,
    options: &ReadOptions,
    warnings: &mut Vec<SourceProblem>,
    reading: &mut Reading,
) -> Option<Script> {
    let mut script = reading.sql_file(file)?;
    let text = text(file).unwrap_or("");
    if let Some(problem) = both_directions(file) {
        reading.problems.push(problem);
        return None;
    }
    let dialect = options.dialect.unwrap_or(Dialect::Postgres);
    if let Some(statement) = one_piece::refusing(text, dialect).filter(|_| script.transaction) {
        let first = statement.lines().next().unwrap_or("");
        let what = format!("runs without a transaction, since `{first}` cannot run in one");
        let help = "say so with `-- twostep: no-transaction` above the first statement";
        warnings.push(SourceProblem::new(&file.path, what).with_help(help));
        script.transaction = false;
    }
    Some(script)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Version;
    use crate::source::format::testing::{check, check_new, detected};

    #[test]
    fn numbers_give_the_order() {
        let files = ["10-c.sql", "9 b.sql", "V1.sql", "02_a.b.sql", "schema.sql", "20170426134008-init.sql"];
        check(
            "numbered",
            &files,
            "1 : V1.sql\n02 a.b: 02_a.b.sql\n9 b: 9 b.sql\n10 c: 10-c.sql\n\
             20170426134008 init: 20170426134008-init.sql\n\
             warning: schema.sql: is not run: only files that start with a number, directly in the folder, are migrations",
        );
        assert_eq!(detected(&files), "numbered");
        for file in ["1.sql", "001-x.sql", "2017 x.sql"] {
            assert_eq!(detected(&[file]), "numbered");
        }
    }

    #[test]
    fn ways_back_have_many_names() {
        check(
            "numbered",
            &[
                "1.up.sql",
                "1.down.sql",
                "2-a.up.sql",
                "2-a.down.sql",
                "3.do.b.sql",
                "3.undo.b.sql",
                "4_c_up.sql",
                "4_c_down.sql",
                "5_scale_up.sql",
                "6_up.sql",
                "6_down.sql",
                "7.do.sql",
            ],
            "1 : 1.up.sql | 1.down.sql\n2 a: 2-a.up.sql | 2-a.down.sql\n3 b: 3.do.b.sql | 3.undo.b.sql\n\
             4 c: 4_c_up.sql | 4_c_down.sql\n5 scale_up: 5_scale_up.sql\n6 : 6_up.sql | 6_down.sql\n7 : 7.do.sql",
        );
    }

    #[test]
    fn several_files_with_one_number_run_by_name() {
        check(
            "numbered",
            &["1-b.sql", "001_a.sql", "2.sql"],
            "001_a a: 001_a.sql\n1_b b: 1-b.sql\n2 : 2.sql\n\
             warning: 001_a.sql: 001_a.sql, 1-b.sql have one number, and run in the order of their names",
        );
    }

    #[test]
    fn a_statement_may_refuse_the_transaction() {
        check(
            "numbered",
            &["1.sql: select 1;\nvacuum;", "2.sql: -- twostep: no-transaction\nvacuum;"],
            "1 : 1.sql (no transaction)\n\
             warning: 1.sql: runs without a transaction, since `vacuum` cannot run in one\n2 : 2.sql (no transaction)",
        );
    }

    #[test]
    fn both_directions_in_one_file_are_not_run() {
        for marker in [
            "-- Down Migration",
            "--//@UNDO",
            "-- +migrate Down",
            "-- rollback",
            "---- create above / drop below ----",
            "# --- !Downs",
            "-- migrate:down",
            "--liquibase formatted sql",
        ] {
            let file = format!("1.sql: select 1;\n{marker}\nselect 2;");
            check(
                "numbered",
                &[&file],
                &format!("error: 1.sql:2: both directions seem to stand in it: `{marker}`"),
            );
        }
        check("numbered", &["1.sql: -- tear down the old one, roll back later\nselect 1;"], "1 : 1.sql");
    }

    #[test]
    fn new_files_follow_the_newest() {
        check_new("numbered", &["0001-a.up.sql", "0001-a.down.sql"], "0002-new.up.sql\n0002-new.down.sql");
        let new = |like: &str| {
            let version = Version::new("9");
            let new = NewMigration { version: &version, name: "new", down: true, like: Some(like) };
            Numbered.new_files(&new).into_iter().map(|file| file.path).collect::<Vec<_>>()
        };
        assert_eq!(new("0008-a.sql"), ["9-new.sql"]);
        assert_eq!(new("V8.sql"), ["V9_new.sql"]);
        assert_eq!(new("V8_a.up.sql"), ["V9_new.up.sql", "V9_new.down.sql"]);
    }
}
