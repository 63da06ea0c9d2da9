//! maragu.dev/migrate: `name.up.sql` and `name.down.sql`, where the whole name is the version
//! (<https://github.com/maragudk/migrate>).
//!
//! Files run in the order of their names, so several may share a number. Each runs in one transaction, in one
//! piece, together with the update of the one row of history.

use super::SourceFile;
use super::SourceProblem;
use super::format::{Folder, Format, NewFile, NewMigration, ReadOptions, shape_score};
use super::names::{leading_digits, seems_sql};
use super::pairs::{Half, pairs};
use super::reading::{Direction, Reading, versioned};
use std::collections::BTreeMap;

/// maragu.dev/migrate.
pub struct Maragu;

impl Format for Maragu {
    fn id(&self) -> &'static str {
        "maragu"
    }

    fn title(&self) -> &'static str {
        "maragu.dev/migrate: name.up.sql and name.down.sql, several to a number"
    }

    fn detect(&self, files: &[&SourceFile]) -> u8 {
        let mut misfitting = 0;
        let mut stems: BTreeMap<&str, usize> = BTreeMap::new();
        for file in files {
            match stem(&file.path) {
                Some((stem, Direction::Up)) => *stems.entry(leading_digits(stem).0).or_default() += 1,
                Some((_, Direction::Down)) => {}
                None => misfitting += usize::from(seems_sql(&file.path)),
            }
        }
        let fitting: usize = stems.values().sum();
        // What no other tool takes: ups without a number, or with one number. Two or three may be a mistake.
        let own = stems.contains_key("") || fitting >= stems.len() + 3;
        if own { shape_score(55, fitting, misfitting) } else { shape_score(20, fitting, misfitting) }
    }

    fn read(&self, files: &[&SourceFile], _: &ReadOptions) -> Result<Folder, Vec<SourceProblem>> {
        let mut reading = Reading::default();
        let mut halves = Vec::new();
        for file in files {
            match stem(&file.path) {
                Some((stem, direction)) => {
                    let half = Half { file, version: stem.to_owned(), name: name(stem), direction };
                    // The order is that of the files' own names.
                    halves.push((format!("{stem}."), half));
                }
                None if seems_sql(&file.path) => {
                    let why = "runs only name.up.sql and name.down.sql, directly in the folder";
                    reading.skipped(&file.path, "maragu.dev/migrate", why, "rename it, or move it away");
                }
                None => {}
            }
        }
        for pair in pairs(halves, "maragu.dev/migrate", &mut reading) {
            let Some(up) = reading.sql_file(pair.up.file) else { continue };
            let down = pair.down.as_ref().and_then(|down| reading.sql_file(down.file));
            reading.migrations.push(versioned(pair.up.version, pair.up.name, up, down));
        }
        reading.finish(self.id())
    }

    fn new_files(&self, new: &NewMigration<'_>) -> Vec<NewFile> {
        new.up_and_down_files("", "")
    }
}

/// The version and the direction in a file name: `^([\w-]+).up.sql$`.
fn stem(path: &str) -> Option<(&str, Direction)> {
    let (stem, direction) = match path.strip_suffix(".up.sql") {
        Some(stem) => (stem, Direction::Up),
        None => (path.strip_suffix(".down.sql")?, Direction::Down),
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (!stem.is_empty() && stem.chars().all(fits)).then_some((stem, direction))
}

/// What stands behind the number.
fn name(stem: &str) -> &str {
    let name = leading_digits(stem).1.trim_start_matches(['_', '-']);
    if name.is_empty() { stem } else { name }
}

#[cfg(test)]
mod tests {
    use crate::source::format::testing::{check, detected};

    const FILES: [&str; 5] =
        ["0001_b.up.sql", "0001_a.up.sql", "0002_c.up.sql", "0002_c.down.sql", "0001_a.down.sql"];
    const MORE: [&str; 3] = ["0001_x.up.sql", "0001_y.up.sql", "0001_z.up.sql"];

    #[test]
    fn several_files_share_a_number() {
        check(
            "maragu",
            &FILES,
            "0001_a a: 0001_a.up.sql | 0001_a.down.sql\n0001_b b: 0001_b.up.sql\n\
             0002_c c: 0002_c.up.sql | 0002_c.down.sql",
        );
        assert_eq!(detected(&FILES), "twostep");
        assert_eq!(detected(&[&FILES[..], &MORE[..]].concat()), "maragu");
    }

    #[test]
    fn new_files_follow_the_number() {
        crate::source::format::testing::check_new("maragu", &FILES, "0003_new.up.sql\n0003_new.down.sql");
    }
}
