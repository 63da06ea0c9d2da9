//! The native format: `VERSION_name.up.sql` and `VERSION_name.down.sql`, programs, and `R__name.sql`.
//!
//! Every file that nearly has one of these forms is an error that says why: a migration that is skipped in
//! silence is worse than one that stops the deploy. One transaction per script, unless it says
//! `-- twostep: no-transaction` above its first statement.

mod entry;

use super::format::{Folder, Format, NewFile, NewMigration, ReadOptions};
use super::reading::{Direction, Reading, directive, is_only_comments, text};
use super::{Body, Checksum, Contents, Kind, Migration, Script, SourceFile, SourceProblem, Version};
use entry::{Entry, entry};
use std::collections::BTreeMap;

/// The native format.
pub struct Twostep;

/// The files of one version.
#[derive(Default)]
struct Pair<'a> {
    up: Vec<(&'a SourceFile, &'a str, &'a str, bool)>,
    down: Vec<(&'a SourceFile, &'a str, &'a str, bool)>,
}

impl Format for Twostep {
    fn id(&self) -> &'static str {
        "twostep"
    }

    fn title(&self) -> &'static str {
        "native: VERSION_name.up.sql and VERSION_name.down.sql"
    }

    fn detect(&self, files: &[&SourceFile]) -> u8 {
        let mut fitting = 0_usize;
        let mut nearly = 0_usize;
        let mut own = false;
        for file in files {
            match entry(&file.path) {
                Entry::Versioned { program, .. } => {
                    fitting += 1;
                    own |= program && file.executable;
                    own |= text(file).is_some_and(has_own_directive);
                }
                Entry::Repeatable { .. } => fitting += 1,
                Entry::Nearly(..) => nearly += 1,
                Entry::Other => {}
            }
        }
        match (fitting, own) {
            (0, _) => 0,
            _ if fitting < nearly => 10,
            (_, true) => 90,
            (_, false) => 50,
        }
    }

    fn read(&self, files: &[&SourceFile], _: &ReadOptions) -> Result<Folder, Vec<SourceProblem>> {
        let mut reading = Reading::default();
        let mut versions: BTreeMap<u128, Pair<'_>> = BTreeMap::new();
        let mut repeatable = BTreeMap::new();
        for file in files {
            match entry(&file.path) {
                Entry::Versioned { digits, version, name, direction, program } => {
                    let pair = versions.entry(version).or_default();
                    match direction {
                        Direction::Up => pair.up.push((file, digits, name, program)),
                        Direction::Down => pair.down.push((file, digits, name, program)),
                    }
                }
                Entry::Repeatable { name } => {
                    repeatable.insert(name, *file);
                }
                Entry::Nearly(what, help) => {
                    reading.problems.push(SourceProblem::new(&file.path, what).with_help(help));
                }
                Entry::Other => {}
            }
        }
        for pair in versions.values() {
            let migration = versioned(pair, files, &mut reading);
            reading.migrations.extend(migration);
        }
        for (name, file) in repeatable {
            if let Some(up) = script(file, false, files, &mut reading) {
                reading.migrations.push(Migration {
                    version: Version::new(format!("R__{name}")),
                    name: name.to_owned(),
                    kind: Kind::Repeatable,
                    up,
                    down: None,
                    irreversible: None,
                    warnings: Vec::new(),
                });
            }
        }
        reading.finish(self.id())
    }

    fn no_transaction_mark(&self) -> &'static str {
        "-- twostep: no-transaction\n"
    }

    fn new_files(&self, new: &NewMigration<'_>) -> Vec<NewFile> {
        let file = |direction: &str, text: &str| NewFile {
            path: format!("{}_{}.{direction}.sql", new.version, new.name),
            text: text.to_owned(),
        };
        if new.down {
            vec![
                file("up", "-- what the running code can already live with\n"),
                file("down", "-- takes back what the up does, and nothing else\n"),
            ]
        } else {
            vec![file(
                "up",
                "-- twostep: irreversible because there is no way back yet\n\
                 -- what the running code can already live with\n",
            )]
        }
    }
}

/// The migration of one version.
fn versioned(pair: &Pair<'_>, files: &[&SourceFile], reading: &mut Reading) -> Option<Migration> {
    for same in [&pair.up, &pair.down] {
        for (second, ..) in same.iter().skip(1) {
            let (first, digits, ..) = same[0];
            let what = format!("has the same version as `{}`: {digits}", first.path);
            reading
                .problems
                .push(SourceProblem::new(&second.path, what).with_help("give one of them another version"));
        }
    }
    let Some((up, digits, name, program)) = pair.up.first() else {
        for (down, digits, name, _) in &pair.down {
            reading.problems.push(
                SourceProblem::new(
                    &down.path,
                    "is a way back from nothing: there is no up file of its version",
                )
                .with_help(format!("add `{digits}_{name}.up.sql`, or remove this file")),
            );
        }
        return None;
    };
    let up_script = script(up, *program, files, reading);
    let mut down_script = None;
    if let Some((down, _, down_name, program)) = pair.down.first() {
        if down_name != name {
            let what = format!("is not named as `{}`, whose version it has", up.path);
            reading.problems.push(
                SourceProblem::new(&down.path, what)
                    .with_help("rename one of them, or give this one the version that it belongs to"),
            );
        }
        down_script = script(down, *program, files, reading);
    }
    let up_script = up_script?;
    let irreversible = irreversible(&up_script, pair.down.first().map(|(file, ..)| *file), reading);
    Some(Migration {
        version: Version::new(*digits),
        name: (*name).to_owned(),
        kind: Kind::Versioned,
        up: up_script,
        down: down_script,
        irreversible,
        warnings: Vec::new(),
    })
}

/// Why the up says that there is no way back. That needs a reason, and no down beside it.
fn irreversible(up: &Script, down: Option<&SourceFile>, reading: &mut Reading) -> Option<String> {
    let reason = directive(&up.directives, "irreversible")?.because.as_ref()?;
    if let Some(down) = down {
        reading.problems.push(
            SourceProblem::new(&down.path, format!("`{}` says that it is irreversible", up.path))
                .with_help("remove this file, or the directive"),
        );
    }
    Some(reason.clone())
}

/// The script of a file: its SQL, itself where it is a program, or the program that it names.
fn script(file: &SourceFile, program: bool, files: &[&SourceFile], reading: &mut Reading) -> Option<Script> {
    if program {
        return program_file(file, reading);
    }
    let mut script = reading.sql_file(file)?;
    let Some(exec) = directive(&script.directives, "exec") else { return Some(script) };
    let mut problem = |what: String, help: &str| {
        reading.problems.push(SourceProblem::new(&file.path, what).with_help(help));
    };
    let program = exec.words.first()?;
    if !text(file).is_some_and(is_only_comments) {
        problem(
            format!("runs `{program}` and has statements too"),
            "a migration is one or the other: make two of it",
        );
        return None;
    }
    let program = program.strip_prefix("./").unwrap_or(program);
    let Some(found) = files.iter().find(|other| other.path == program) else {
        problem(
            format!("there is no program `{program}` below the folder"),
            "the path starts at the migrations folder",
        );
        return None;
    };
    if !found.executable {
        problem(format!("`{program}` is not executable"), "chmod +x, and keep that in version control");
        return None;
    }
    // Both count: which program it is, and what that does.
    let checksum = format!("{}\n{}\n", script.checksum, checksum(found)?);
    script.checksum = Checksum::of(&checksum);
    script.body = Body::Program { program: program.to_owned() };
    script.transaction = false;
    Some(script)
}

/// The script of an executable.
fn program_file(file: &SourceFile, reading: &mut Reading) -> Option<Script> {
    if !file.executable {
        reading.problems.push(
            SourceProblem::new(&file.path, "is named as a program and is not executable")
                .with_help("chmod +x, or, if it is SQL, add `.sql` to its name"),
        );
        return None;
    }
    let Some(checksum) = checksum(file) else {
        reading.problems.push(SourceProblem::new(&file.path, "cannot be read"));
        return None;
    };
    Some(Script {
        path: file.path.clone(),
        body: Body::Program { program: file.path.clone() },
        transaction: false,
        directives: Vec::new(),
        checksum,
    })
}

/// The checksum of a whole file, whatever it holds.
fn checksum(file: &SourceFile) -> Option<Checksum> {
    match &file.contents {
        Contents::Text(text) => Some(Checksum::of(text)),
        Contents::Large { checksum, .. } | Contents::Binary { checksum } => Some(checksum.clone()),
        Contents::Broken(_) => None,
    }
}

/// Whether a text uses a directive that has a meaning for the reader of this format.
fn has_own_directive(text: &str) -> bool {
    text.lines().filter_map(|line| line.trim_start().strip_prefix("--")).any(|comment| {
        comment.trim_start().strip_prefix("twostep:").is_some_and(|rest| {
            let word = rest.split_whitespace().next().unwrap_or("");
            matches!(word, "no-transaction" | "irreversible" | "exec")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::format::testing::{show, source_files};
    use crate::source::{ReadOptions, read};

    /// What is read from `files`, errors without their kind.
    #[track_caller]
    fn check(files: &[&str], expected: &str) {
        let found = show(&read(&source_files(files), Some("twostep"), &ReadOptions::default()));
        assert_eq!(found.replace("error: ", ""), expected);
    }

    #[test]
    fn versions_are_numbers() {
        check(
            &[
                "10_b.up.sql",
                "9_a.up.sql",
                "9_a.down.sql",
                "R__view.sql",
                "20260301120000_c-d.up.sql",
                "readme.md",
            ],
            "9 a: 9_a.up.sql | 9_a.down.sql\n10 b: 10_b.up.sql\n\
             20260301120000 c-d: 20260301120000_c-d.up.sql\nR__view view: R__view.sql",
        );
    }

    #[test]
    fn a_version_may_have_more_digits_than_64_bits_hold() {
        let files = [
            "20210914134624000000_b.up.sql",
            "20201110175414000001_a.postgres.up.sql",
            "20201110175414000001_a.postgres.down.sql",
            "20201110175414000000_a.up.sql",
        ];
        let found = read(&source_files(&files), None, &ReadOptions::default());
        assert_eq!(found.as_ref().unwrap().format, "twostep");
        assert_eq!(
            show(&found),
            "20201110175414000000 a: 20201110175414000000_a.up.sql\n\
             20201110175414000001 a: 20201110175414000001_a.postgres.up.sql | 20201110175414000001_a.postgres.down.sql\n\
             20210914134624000000 b: 20210914134624000000_b.up.sql"
        );
    }

    #[test]
    fn what_nearly_is_a_migration_is_an_error() {
        let nearly =
            |file: &str, expected: &str| check(&["1_a.up.sql", file], &format!("{file}: {expected}"));
        nearly("2_b.up.sq", "ends neither in `.up.sql` nor in `.down.sql`");
        nearly("2_b.sql", "does not say its direction: it ends neither in `.up.sql` nor in `.down.sql`");
        nearly("2_b.up.SQL", "has an ending that is not in lower case");
        nearly("2_b.up.sql.orig", "ends neither in `.up.sql` nor in `.down.sql`");
        nearly("2-b.up.sql", "has no `_` between its version and its name");
        nearly("2.up.sql", "has no name behind its version");
        nearly("2_.up.sql", "has no name behind its version");
        nearly("2_b c.up.sql", "has a name with other characters than letters, digits, `_` and `-`");
        nearly("b.up.sql", "has no version: a migration starts with digits");
        nearly("b.sql", "has no version: a migration starts with digits");
        nearly("V2__b.sql", "has no version: a migration starts with digits");
        nearly(
            "340282366920938463463374607431768211456_b.up.sql",
            "has a version that is too large: 340282366920938463463374607431768211456",
        );
        nearly("2026/2_b.up.sql", "stands in the folder `2026`, where it would not be found");
        nearly("2_b.up", "is named as a program and is not executable");
        nearly("R_view.sql", "has one `_` behind its `R`");
        nearly("r__view.sql", "starts with a small `r`");
        nearly("R__view.up.sql", "is repeatable and has a direction");
        nearly("R__view.sq", "does not end in `.sql`");
        nearly("R__.sql", "has no name");
    }

    #[test]
    fn what_has_nothing_of_a_migration_is_left_alone() {
        check(
            &[
                "1_a.up.sql",
                "README",
                "notes.md",
                ".gitkeep",
                "mod.rs",
                "seeds/users.sql",
                "docs/1.png",
                "Report.txt",
            ],
            "1 a: 1_a.up.sql",
        );
    }

    #[test]
    fn all_problems_come_at_once_and_sorted() {
        check(
            &["1_a.up.sql", "01_b.up.sql", "2_c.down.sql", "3_d.up.sql", "3_e.down.sql", "4_f.sq"],
            "1_a.up.sql: has the same version as `01_b.up.sql`: 01\n\
             2_c.down.sql: is a way back from nothing: there is no up file of its version\n\
             3_e.down.sql: is not named as `3_d.up.sql`, whose version it has\n\
             4_f.sq: ends neither in `.up.sql` nor in `.down.sql`",
        );
    }

    #[test]
    fn directives_say_how_it_runs_and_that_there_is_no_way_back() {
        check(
            &[
                "1_a.up.sql: -- twostep: no-transaction\ncreate index concurrently i on t (a);",
                "1_a.down.sql: drop index i;",
                "2_b.up.sql: -- twostep: irreversible because the rows are gone\ndelete from t;",
            ],
            "1 a: 1_a.up.sql (no transaction) | 1_a.down.sql\n2 b: 2_b.up.sql | irreversible: the rows are gone",
        );
        check(
            &[
                "1_a.up.sql: -- twostep: irreversible because so\nselect 1;",
                "1_a.down.sql",
                "2_b.up.sql: -- twostep: irreversible\nselect 1;",
            ],
            "1_a.down.sql: `1_a.up.sql` says that it is irreversible\n2_b.up.sql:1: `irreversible` does not say why",
        );
    }

    #[test]
    fn programs_stand_by_themselves_or_are_named() {
        check(
            &[
                "+1_a.up: #!/bin/sh",
                "1_a.down.sql",
                "2_b.up.sql: -- twostep: exec ./bin/fill\n",
                "+bin/fill: #!/bin/sh",
            ],
            "1 a: 1_a.up runs 1_a.up (no transaction) | 1_a.down.sql\n\
             2 b: 2_b.up.sql runs bin/fill (no transaction)",
        );
        check(
            &[
                "1_a.up.sql: -- twostep: exec bin/missing",
                "2_b.up.sql: -- twostep: exec bin/fill\nselect 1;",
                "3_c.up.sql: -- twostep: exec bin/fill",
                "4_d.up.sql: -- twostep: exec a b",
                "bin/fill: #!/bin/sh",
            ],
            "1_a.up.sql: there is no program `bin/missing` below the folder\n\
             2_b.up.sql: runs `bin/fill` and has statements too\n\
             3_c.up.sql: `bin/fill` is not executable\n\
             4_d.up.sql:1: `exec` needs one word behind it",
        );
    }

    #[test]
    fn a_program_that_changes_has_another_checksum() {
        let checksum = |program: &str| {
            let mut program = SourceFile::text("fill", program);
            program.executable = true;
            let files = [SourceFile::text("1_a.up.sql", "-- twostep: exec fill"), program];
            read(&files, Some("twostep"), &ReadOptions::default()).unwrap().migrations[0].up.checksum.clone()
        };
        assert_eq!(checksum("one"), checksum("one"));
        assert_ne!(checksum("one"), checksum("two"));
    }

    #[test]
    fn what_is_no_text_is_an_error() {
        let mut broken = SourceFile::text("1_a.up.sql", "");
        broken.contents = Contents::Broken("is not valid UTF-8".to_owned());
        let mut binary = SourceFile::text("2_b.up.sql", "");
        binary.contents = Contents::Binary { checksum: Checksum::of("") };
        let problems = read(&[broken, binary], Some("twostep"), &ReadOptions::default()).unwrap_err();
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(problems, ["1_a.up.sql: is not valid UTF-8", "2_b.up.sql: is not text"]);
    }

    #[test]
    fn new_files_are_read_as_what_they_are() {
        let version = Version::new("20260301120000");
        for down in [true, false] {
            let new = NewMigration { version: &version, name: "add_users", down, like: None };
            let files: Vec<_> = Twostep
                .new_files(&new)
                .into_iter()
                .map(|file| SourceFile::text(file.path, &file.text))
                .collect();
            let folder = read(&files, None, &ReadOptions::default()).unwrap();
            let migration = &folder.migrations[0];
            assert_eq!(
                (migration.version.as_str(), migration.name.as_str()),
                ("20260301120000", "add_users")
            );
            assert_eq!(migration.down.is_some(), down);
            assert_eq!(migration.irreversible.is_none(), down);
        }
    }

    #[test]
    fn a_person_may_leave_zeros_out() {
        let files = [SourceFile::text("0007_a.up.sql", ""), SourceFile::text("R__v.sql", "")];
        let folder = read(&files, None, &ReadOptions::default()).unwrap();
        assert_eq!(folder.format, "twostep");
        assert_eq!(folder.find("7").map(|migration| migration.name.as_str()), Some("a"));
        assert_eq!(folder.find("R__v").map(|migration| migration.name.as_str()), Some("v"));
        assert!(folder.find("70").is_none());
    }
}
