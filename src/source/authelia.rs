//! Authelia's own runner, and others that name files as it does: `V0001.Name.up.sql` and `V0001.Name.down.sql`
//! (<https://github.com/authelia/authelia/blob/master/internal/storage/migrations.go>).
//!
//! On PostgreSQL and SQLite all pending migrations run in one transaction, on MySQL each statement commits; here
//! each migration has its own.

use super::format::{Folder, Format, NewFile, NewMigration, ReadOptions, shape_score};
use super::names::{leading_digits, number_64, seems_sql};
use super::pairs::{Half, pairs};
use super::reading::{Direction, Reading, versioned};
use super::versions::{self, Numbering, UnixSeconds};
use super::{SourceFile, SourceProblem, Version};

/// Authelia.
pub struct Authelia;

impl Format for Authelia {
    fn id(&self) -> &'static str {
        "authelia"
    }

    fn title(&self) -> &'static str {
        "Authelia: V0001.Name.up.sql and V0001.Name.down.sql"
    }

    fn detect(&self, files: &[&SourceFile]) -> u8 {
        let fitting = files.iter().filter(|file| parts(&file.path).is_some()).count();
        let seeming = files.iter().filter(|file| seems_sql(&file.path)).count();
        shape_score(80, fitting, seeming - fitting)
    }

    fn read(&self, files: &[&SourceFile], _: &ReadOptions) -> Result<Folder, Vec<SourceProblem>> {
        let mut reading = Reading::default();
        let mut halves = Vec::new();
        for file in files {
            match parts(&file.path) {
                Some((digits, name, direction)) => match number_64(digits) {
                    Some(version) => {
                        halves.push((version, Half { file, version: digits.to_owned(), name, direction }));
                    }
                    None => reading.problem(
                        &file.path,
                        format!("has a version that is too large: {digits}"),
                        format!("at most {}", u64::MAX),
                    ),
                },
                None if seems_sql(&file.path) => reading.problem(
                    &file.path,
                    "is not named V0001.Name.up.sql or V0001.Name.down.sql, and Authelia stops at it",
                    "rename it, or move it out of the folder",
                ),
                None => {}
            }
        }
        for pair in pairs(halves, "Authelia", &mut reading) {
            let Some(up) = reading.sql_file(pair.up.file) else { continue };
            let down = pair.down.as_ref().and_then(|down| reading.sql_file(down.file));
            reading.migrations.push(versioned(pair.up.version, pair.up.name, up, down));
        }
        reading.finish(self.id())
    }

    fn new_files(&self, new: &NewMigration<'_>) -> Vec<NewFile> {
        let file = |direction: &str| NewFile {
            path: format!("V{}.{}.{direction}.sql", new.version, new.name),
            text: String::new(),
        };
        let mut files = vec![file("up")];
        if new.down {
            files.push(file("down"));
        }
        files
    }

    fn next_version(&self, existing: &[Version], _: Option<Numbering>, now: UnixSeconds) -> Version {
        versions::next(existing, Some(Numbering::Sequence { width: 4 }), now)
    }
}

/// Version, name and direction in a file name: `^V(\d{4})\.([^.]+)\.(up|down)\.sql$`, with any number of digits.
fn parts(path: &str) -> Option<(&str, &str, Direction)> {
    let (digits, rest) = leading_digits(path.strip_prefix('V')?);
    let (name, ending) = rest.strip_prefix('.')?.split_once('.')?;
    let direction = match ending {
        "up.sql" => Direction::Up,
        "down.sql" => Direction::Down,
        _ => return None,
    };
    (!digits.is_empty() && !name.is_empty()).then_some((digits, name, direction))
}

#[cfg(test)]
mod tests {
    use crate::source::format::testing::{check, check_new, detected};

    const FILES: [&str; 3] = ["V0001.Initial.up.sql", "V0001.Initial.down.sql", "V0010.WebAuthn.up.sql"];

    #[test]
    fn names_stand_between_dots() {
        check(
            "authelia",
            &FILES,
            "0001 Initial: V0001.Initial.up.sql | V0001.Initial.down.sql\n0010 WebAuthn: V0010.WebAuthn.up.sql",
        );
        assert_eq!(detected(&FILES), "authelia");
    }

    #[test]
    fn what_authelia_stops_at() {
        check(
            "authelia",
            &["V0001.A.up.sql", "V0002.B.sql", "V1.C.up.sql"],
            "error: V0002.B.sql: is not named V0001.Name.up.sql or V0001.Name.down.sql, and Authelia stops at it\n\
             error: V1.C.up.sql: has the same version as `V0001.A.up.sql`: 0001",
        );
    }

    #[test]
    fn new_files() {
        check_new("authelia", &FILES, "V0011.new.up.sql\nV0011.new.down.sql");
    }
}
