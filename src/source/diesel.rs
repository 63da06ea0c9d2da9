//! Diesel: a folder for each migration, with `up.sql`, `down.sql` and perhaps `metadata.toml`
//! (<https://github.com/diesel-rs/diesel/blob/main/diesel_migrations/migrations_internals/src/lib.rs>).
//!
//! The version is what stands in front of the first `_`, without hyphens; versions are ordered as text. Each
//! direction runs in one transaction with its row of history, unless `metadata.toml` says
//! `run_in_transaction = false`, or is there and says nothing.

use super::export::Written;
use super::format::{Folder, Format, NewFile, NewMigration, ReadOptions, shape_score};
use super::names::{seems_sql, split_path};
use super::reading::{Reading, text, versioned};
use super::versions::{self, Numbering, UnixSeconds};
use super::{Contents, Migration, Script, SourceFile, SourceProblem, Version};
use std::collections::BTreeMap;

/// Diesel.
pub struct Diesel;

/// The files of one migration's folder.
#[derive(Default)]
struct Parts<'a> {
    up: Option<&'a SourceFile>,
    down: Option<&'a SourceFile>,
    metadata: Option<&'a SourceFile>,
}

impl Format for Diesel {
    fn id(&self) -> &'static str {
        "diesel"
    }

    fn title(&self) -> &'static str {
        "Diesel: VERSION_name/up.sql and VERSION_name/down.sql"
    }

    fn detect(&self, files: &[&SourceFile]) -> u8 {
        let is_up =
            |file: &&&SourceFile| matches!(split_path(&file.path), (folder, "up.sql") if is_name(folder));
        let fitting = files.iter().filter(is_up).count();
        let in_root = files.iter().filter(|file| !file.path.contains('/') && seems_sql(&file.path)).count();
        shape_score(80, fitting, in_root)
    }

    fn read(&self, files: &[&SourceFile], _: &ReadOptions) -> Result<Folder, Vec<SourceProblem>> {
        let mut reading = Reading::default();
        let mut folders: BTreeMap<&str, Parts<'_>> = BTreeMap::new();
        for file in files {
            let (folder, name) = split_path(&file.path);
            if is_name(folder) {
                let parts = folders.entry(folder).or_default();
                match name {
                    "up.sql" => parts.up = Some(file),
                    "down.sql" => parts.down = Some(file),
                    "metadata.toml" => parts.metadata = Some(file),
                    _ => {}
                }
            } else if seems_sql(name) {
                let why = "runs only VERSION_name/up.sql";
                reading.skipped(&file.path, "Diesel", why, "give it a folder, or move it away");
            }
        }
        let mut versions: BTreeMap<String, (&str, Parts<'_>)> = BTreeMap::new();
        for (folder, parts) in folders {
            let version = folder.split('_').next().unwrap_or(folder).replace('-', "");
            if let Some((first, _)) = versions.get(&version) {
                let what = format!("has the same version as `{first}`: {version}");
                reading.problem(folder, what, "give one of them another version");
            } else {
                versions.insert(version, (folder, parts));
            }
        }
        for (version, (folder, parts)) in versions {
            let migration = migration(version, folder, &parts, &mut reading);
            reading.migrations.extend(migration);
        }
        reading.finish(self.id())
    }

    fn written(&self, migration: &Written<'_>) -> Vec<NewFile> {
        let mut files = self.new_files(&migration.new);
        let scripts = std::iter::once(&migration.up).chain(&migration.down);
        for (file, script) in files.iter_mut().zip(scripts) {
            file.text.clone_from(&script.text);
        }
        if !migration.up.transaction {
            let folder = split_path(&files[0].path).0;
            let text = "run_in_transaction = false\n".to_owned();
            files.push(NewFile { path: format!("{folder}/metadata.toml"), text });
        }
        files
    }

    fn new_files(&self, new: &NewMigration<'_>) -> Vec<NewFile> {
        let folder = format!("{}_{}", hyphenated(new.version.as_str()), new.name);
        let file =
            |name: &str, text: &str| NewFile { path: format!("{folder}/{name}"), text: text.to_owned() };
        let mut files = vec![file("up.sql", "-- Your SQL goes here\n")];
        if new.down {
            files.push(file("down.sql", "-- This file should undo anything in `up.sql`\n"));
        }
        files
    }

    /// `20260301115959`, and `0000` behind it where the newest has such a number there, as Diesel's own tool makes
    /// them by now. Compared as text, so that all of them count by their first fourteen digits.
    fn next_version(&self, existing: &[Version], numbering: Option<Numbering>, now: UnixSeconds) -> Version {
        let newest = existing.iter().map(Version::as_str).max();
        if newest.is_some_and(|newest| !is_timestamped(newest)) {
            return versions::next(existing, numbering, now);
        }
        let moments: Vec<Version> = existing
            .iter()
            .filter(|version| is_timestamped(version.as_str()))
            .map(|version| Version::new(&version.as_str()[..14]))
            .collect();
        let next = versions::next(&moments, numbering.or(Some(Numbering::Timestamp)), now);
        match newest {
            Some(newest) if newest.len() == 14 => next,
            Some(_) | None => Version::new(format!("{next}0000")),
        }
    }
}

/// Whether a path is that of a migration's folder: directly below the migrations folder.
fn is_name(folder: &str) -> bool {
    !folder.is_empty() && !folder.contains('/')
}

/// Whether a version starts with a moment.
fn is_timestamped(version: &str) -> bool {
    version.len() >= 14 && version.as_bytes()[..14].iter().all(u8::is_ascii_digit)
}

/// `2026-03-01-115959` or `2026-03-01-115959-0000`: as Diesel's own tool writes it.
fn hyphenated(version: &str) -> String {
    if !is_timestamped(version) {
        return version.to_owned();
    }
    let moment = format!("{}-{}-{}-{}", &version[..4], &version[4..6], &version[6..8], &version[8..14]);
    if version.len() == 14 { moment } else { format!("{moment}-{}", &version[14..]) }
}

fn migration(version: String, folder: &str, parts: &Parts<'_>, reading: &mut Reading) -> Option<Migration> {
    let Some(up) = parts.up else {
        reading.problem(folder, "has no up.sql, and Diesel stops at it", "add one, or remove the folder");
        return None;
    };
    let mut warnings = Vec::new();
    let transaction = transaction(parts.metadata, reading, &mut warnings);
    let up = script(up, transaction, reading)?;
    let mut down = None;
    let mut irreversible = None;
    match parts.down {
        Some(file) if is_empty(file) => {
            irreversible = Some("its down.sql is empty, at which Diesel stops".to_owned());
        }
        Some(file) => down = script(file, transaction, reading),
        None => {}
    }
    let name = folder.split_once('_').map_or("", |(_, name)| name);
    let mut migration = versioned(version, name, up, down);
    migration.irreversible = migration.irreversible.or(irreversible);
    migration.warnings = warnings;
    Some(migration)
}

fn script(file: &SourceFile, transaction: bool, reading: &mut Reading) -> Option<Script> {
    if is_empty(file) {
        reading.problem(&file.path, "is empty, and Diesel stops at it", "write at least a comment");
        return None;
    }
    let mut script = reading.sql_file(file)?;
    script.transaction &= transaction;
    Some(script)
}

fn is_empty(file: &SourceFile) -> bool {
    matches!(&file.contents, Contents::Text(text) if text.is_empty())
}

/// What `metadata.toml` says about the transaction, as Diesel understands it: a file that cannot be understood
/// counts as none, and one that lacks the key turns the transaction off.
fn transaction(
    metadata: Option<&SourceFile>,
    reading: &mut Reading,
    warnings: &mut Vec<SourceProblem>,
) -> bool {
    let Some(file) = metadata else { return true };
    let Some(text) = text(file) else {
        // Notes what is wrong with it.
        reading.sql_file(file);
        return true;
    };
    let mut warn = |what: &str| {
        let help = "write `run_in_transaction = true` or `run_in_transaction = false`";
        warnings.push(SourceProblem::new(&file.path, what).with_help(help));
    };
    match text.parse::<toml::Table>().ok().map(|table| table.get("run_in_transaction").cloned()) {
        Some(Some(toml::Value::Boolean(value))) => value,
        Some(None) => {
            warn("does not say `run_in_transaction`, by which Diesel turns the transaction off");
            false
        }
        Some(Some(_)) | None => {
            warn("cannot be understood, and Diesel goes on as if it were not there: with a transaction");
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::source::format::testing::{check, check_new, detected};

    #[test]
    fn versions_are_ordered_without_hyphens() {
        let files = [
            "2020-12-7-190800_a/up.sql",
            "2020-12-12-000001_b/up.sql",
            "20201101000000_c_d/up.sql",
            "20201101000000_c_d/down.sql",
            "00000000000000_diesel_initial_setup/up.sql",
            "2026-06-26-100902-0000_e/up.sql",
        ];
        check(
            "diesel",
            &files,
            "00000000000000 diesel_initial_setup: 00000000000000_diesel_initial_setup/up.sql\n\
             20201101000000 c_d: 20201101000000_c_d/up.sql | 20201101000000_c_d/down.sql\n\
             20201212000001 b: 2020-12-12-000001_b/up.sql\n2020127190800 a: 2020-12-7-190800_a/up.sql\n\
             202606261009020000 e: 2026-06-26-100902-0000_e/up.sql",
        );
        assert_eq!(detected(&files), "diesel");
    }

    #[test]
    fn metadata_turns_the_transaction_off() {
        check(
            "diesel",
            &[
                "1_a/up.sql",
                "1_a/down.sql",
                "1_a/metadata.toml: run_in_transaction = false",
                "2_b/up.sql",
                "2_b/metadata.toml: run_in_transaction = true",
                "3_c/up.sql",
                "3_c/metadata.toml: # nothing yet",
                "4_d/up.sql",
                "4_d/metadata.toml: run_in_transaction = no",
            ],
            "1 a: 1_a/up.sql (no transaction) | 1_a/down.sql (no transaction)\n2 b: 2_b/up.sql\n\
             3 c: 3_c/up.sql (no transaction)\n\
             warning: 3_c/metadata.toml: does not say `run_in_transaction`, by which Diesel turns the transaction off\n\
             4 d: 4_d/up.sql\n\
             warning: 4_d/metadata.toml: cannot be understood, and Diesel goes on as if it were not there: with a \
             transaction",
        );
    }

    #[test]
    fn what_diesel_stops_at() {
        check(
            "diesel",
            &[
                "1_a/down.sql",
                "2_b/up.sql: ",
                "3-0_c/up.sql",
                "30_d/up.sql",
                "4_e/up.sql",
                "4_e/down.sql: ",
                "5.sql",
            ],
            "error: 1_a: has no up.sql, and Diesel stops at it\n\
             error: 2_b/up.sql: is empty, and Diesel stops at it\n\
             error: 30_d: has the same version as `3-0_c`: 30",
        );
        check(
            "diesel",
            &["4_e/up.sql", "4_e/down.sql: ", "5.sql"],
            "4 e: 4_e/up.sql | irreversible: its down.sql is empty, at which Diesel stops\n\
             warning: 5.sql: is not run: Diesel runs only VERSION_name/up.sql",
        );
    }

    #[test]
    fn new_files_are_named_as_diesel_names_them() {
        check_new("diesel", &[], "2026-03-01-115959-0000_new/up.sql\n2026-03-01-115959-0000_new/down.sql");
        check_new(
            "diesel",
            &["2025-01-01-000000_a/up.sql"],
            "2026-03-01-115959_new/up.sql\n2026-03-01-115959_new/down.sql",
        );
        check_new(
            "diesel",
            &["2026-03-01-115959-0000_a/up.sql"],
            "2026-03-01-120000-0000_new/up.sql\n2026-03-01-120000-0000_new/down.sql",
        );
        check_new("diesel", &["0007_a/up.sql"], "0008_new/up.sql\n0008_new/down.sql");
    }
}
