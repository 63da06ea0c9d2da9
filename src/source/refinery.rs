//! refinery: `V1__name.sql`, and `U1__name.sql` for what may be applied late
//! (<https://github.com/rust-db/refinery/blob/main/refinery_core/src/util.rs>).
//!
//! Folders are looked through; the number alone gives the order, and there is no way back. Each migration runs in
//! one transaction with its row of history, and nothing turns that off.

use super::format::{Folder, Format, NewFile, NewMigration, ReadOptions, shape_score};
use super::names::{is_code, join, leading_digits, seems_sql, split_path};
use super::reading::{Reading, instruction_of_another, versioned};
use super::versions::{self, Numbering, UnixSeconds};
use super::{SourceFile, SourceProblem, Version};
use std::collections::{BTreeMap, BTreeSet};

/// refinery.
pub struct Refinery;

/// What the name of a file says: `^([U|V])(\d+(?:\.\d+)?)__(\w+)\.(rs|sql)$`.
enum Entry<'a> {
    Migration {
        kind: char,
        version: i64,
        digits: &'a str,
        name: &'a str,
    },
    Code,
    /// The version is none that refinery can hold.
    Wrong(&'a str),
    Other,
}

impl Format for Refinery {
    fn id(&self) -> &'static str {
        "refinery"
    }

    fn title(&self) -> &'static str {
        "refinery: V1__name.sql"
    }

    fn detect(&self, files: &[&SourceFile]) -> u8 {
        let mut numbers = [BTreeSet::new(), BTreeSet::new()];
        let mut misfitting = 0;
        let mut own = false;
        for file in files {
            match entry(&file.path) {
                Entry::Migration { kind, version, .. } => {
                    numbers[usize::from(kind == 'U')].insert(version);
                }
                Entry::Code => own = true,
                Entry::Wrong(_) => return 0,
                Entry::Other => misfitting += usize::from(seems_sql(&file.path)),
            }
        }
        let [versioned, unversioned] = numbers;
        // In Flyway's folders a `U` undoes the `V` with its number.
        own |= !unversioned.is_empty() && unversioned.is_disjoint(&versioned);
        match shape_score(58, versioned.len() + unversioned.len(), misfitting) {
            0 => 0,
            _ if own => 85,
            score => score,
        }
    }

    fn has_downs(&self) -> bool {
        false
    }

    fn read(&self, files: &[&SourceFile], _: &ReadOptions) -> Result<Folder, Vec<SourceProblem>> {
        let mut reading = Reading::default();
        let mut found: BTreeMap<i64, (&SourceFile, &str, &str)> = BTreeMap::new();
        for file in files {
            match entry(&file.path) {
                Entry::Migration { version, digits, name, .. } => {
                    if let Some((first, ..)) = found.get(&version) {
                        let what = format!("has the same version as `{}`: {version}", first.path);
                        reading.problem(&file.path, what, "give one of them another version");
                    } else {
                        found.insert(version, (file, digits, name));
                    }
                }
                Entry::Code => reading.code(&file.path),
                Entry::Wrong(version) => reading.problem(
                    &file.path,
                    format!("has the version {version}, and refinery stops at it"),
                    "a version is a whole number; Flyway (format `flyway`) has others",
                ),
                Entry::Other if seems_sql(&file.path) => {
                    let why = "runs only V1__name.sql, its name made of letters, digits and `_`";
                    reading.skipped(&file.path, "refinery", why, "rename it, or move it out of the folder");
                }
                Entry::Other => {}
            }
        }
        for (file, digits, name) in found.into_values() {
            if let Some(up) = reading.sql_file(file) {
                let mut migration = versioned(digits.to_owned(), name, up, None);
                migration.warnings.extend(instruction_of_another(file, "refinery"));
                reading.migrations.push(migration);
            }
        }
        reading.finish(self.id())
    }

    fn new_files(&self, new: &NewMigration<'_>) -> Vec<NewFile> {
        let (folder, like) = split_path(new.like.unwrap_or(""));
        let kind = if like.starts_with('U') { 'U' } else { 'V' };
        let path = join(folder, &format!("{kind}{}__{}.sql", new.version, new.name.replace('-', "_")));
        vec![NewFile { path, text: String::new() }]
    }

    fn next_version(&self, existing: &[Version], numbering: Option<Numbering>, now: UnixSeconds) -> Version {
        // Its versions have 32 bits, unless it is built for more.
        let first = existing.is_empty().then_some(Numbering::Sequence { width: 1 });
        versions::next(existing, numbering.or(first), now)
    }
}

fn entry(path: &str) -> Entry<'_> {
    let file_name = split_path(path).1;
    let Some((kind, rest)) = file_name.strip_prefix(['V', 'U']).map(|rest| (&file_name[..1], rest)) else {
        return Entry::Other;
    };
    let Some((version, rest)) = rest.split_once("__") else { return Entry::Other };
    let Some(name) = rest.strip_suffix(".sql").or_else(|| rest.strip_suffix(".rs")) else {
        return Entry::Other;
    };
    if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return Entry::Other;
    }
    let (digits, behind) = leading_digits(version);
    let (fraction, end) = leading_digits(behind.strip_prefix('.').unwrap_or(""));
    match digits.parse() {
        _ if digits.is_empty() || !end.is_empty() || (fraction.is_empty() && !behind.is_empty()) => {
            Entry::Other
        }
        Ok(_) | Err(_) if !behind.is_empty() => Entry::Wrong(version),
        Err(_) => Entry::Wrong(version),
        Ok(_) if is_code(file_name) => Entry::Code,
        Ok(version) => Entry::Migration { kind: if kind == "U" { 'U' } else { 'V' }, version, digits, name },
    }
}

#[cfg(test)]
mod tests {
    use crate::source::format::testing::{check, check_new, detected};

    #[test]
    fn folders_are_looked_through_and_numbers_give_the_order() {
        let files = [
            "V10__c.sql",
            "2025/V2__b.sql",
            "U3__late.sql",
            "V1__a.sql",
            "V4-x.sql",
            "V5__a-b.sql",
            "mod.rs",
        ];
        check(
            "refinery",
            &files,
            "1 a: V1__a.sql\n2 b: 2025/V2__b.sql\n3 late: U3__late.sql\n10 c: V10__c.sql\n\
             warning: V4-x.sql: is not run: refinery runs only V1__name.sql, its name made of letters, digits and `_`\n\
             warning: V5__a-b.sql: is not run: refinery runs only V1__name.sql, its name made of letters, digits and `_`",
        );
        assert_eq!(detected(&files), "refinery");
    }

    #[test]
    fn what_refinery_stops_at() {
        check(
            "refinery",
            &["V1.2__a.sql", "V2__b.rs", "V3__c.sql", "U03__d.sql", "V9223372036854775808__e.sql"],
            "error: V1.2__a.sql: has the version 1.2, and refinery stops at it\n\
             error: V2__b.rs: is a migration in code, which only its own tool can run\n\
             error: V3__c.sql: has the same version as `U03__d.sql`: 3\n\
             error: V9223372036854775808__e.sql: has the version 9223372036854775808, and refinery stops at it",
        );
    }

    #[test]
    fn new_files_stand_beside_the_newest() {
        check_new("refinery", &[], "V1__new.sql");
        check_new("refinery", &["V1__a.sql", "late/U02__b.sql"], "late/U03__new.sql");
    }
}
