//! Flyway: `V1.2__name.sql`, with `U1.2__name.sql` (undo), `R__name.sql` (repeatable) and `B1.2__name.sql` (baseline)
//! (<https://documentation.red-gate.com/fd/migrations-184127470.html>).
//!
//! Folders are looked through. A migration runs in one transaction with its row of history, unless
//! `NAME.sql.conf` says `executeInTransaction=false`, or a statement of it cannot run in one. `${name}` is replaced
//! everywhere, comments included. Files whose names Flyway does not understand are left out in silence.

mod file_name;
mod placeholders;

use super::export::Written;
use super::format::{Folder, Format, NewFile, NewMigration, ReadOptions, shape_score};
use super::names::{join, seems_sql, split_path};
use super::one_piece;
use super::reading::{Reading, sql_part, text, versioned};
use super::versions::{self, Numbering, UnixSeconds};
use super::{Kind, Migration, Script, SourceFile, SourceProblem, Version};
use crate::dialect::Dialect;
use crate::text::Span;
use file_name::{Entry, Numbers, entry};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Flyway.
pub struct Flyway;

/// A file with a version, as its name gives it.
#[derive(Clone, Copy)]
struct Named<'a> {
    file: &'a SourceFile,
    version: &'a str,
    name: &'a str,
}

/// What the names of a folder give.
#[derive(Default)]
struct Names<'a> {
    versioned: BTreeMap<Numbers, Named<'a>>,
    undo: BTreeMap<Numbers, Named<'a>>,
    baseline: BTreeMap<Numbers, Named<'a>>,
    repeatable: BTreeMap<&'a str, &'a SourceFile>,
}

/// What a migration's `.sql.conf` says.
struct Settings {
    transaction: Option<bool>,
    placeholders: bool,
    execute: bool,
}

impl Format for Flyway {
    fn id(&self) -> &'static str {
        "flyway"
    }

    fn title(&self) -> &'static str {
        "Flyway: V1.2__name.sql, U1.2__name.sql, R__name.sql and B1.2__name.sql"
    }

    fn detect(&self, files: &[&SourceFile]) -> u8 {
        let mut fitting = 0;
        let mut versioned = 0;
        let mut misfitting = 0;
        let mut own = false;
        for file in files {
            match entry(&file.path) {
                Entry::Versioned { version, .. } => {
                    fitting += 1;
                    versioned += 1;
                    own |= version.contains(['.', '_']) || one_piece::is_refused_in_transaction(file);
                }
                Entry::Undo { .. } | Entry::Baseline { .. } | Entry::Repeatable { .. } => fitting += 1,
                Entry::Callback | Entry::Settings => own = true,
                Entry::Code => {}
                Entry::Unknown(_) => misfitting += 1,
                Entry::Other => misfitting += usize::from(seems_sql(&file.path)),
            }
        }
        match shape_score(62, fitting, misfitting) {
            0 => 0,
            // Others have repeatable ones too.
            _ if versioned == 0 => 20,
            score if own => score + 20,
            score => score,
        }
    }

    fn needs_whole_files(&self) -> bool {
        true
    }

    fn read(&self, files: &[&SourceFile], options: &ReadOptions) -> Result<Folder, Vec<SourceProblem>> {
        let mut reading = Reading::default();
        let names = names(files, &mut reading);
        let reader = Reader { files, options };
        let mut found: Vec<(Numbers, Migration)> = Vec::new();
        for (numbers, named) in &names.versioned {
            let Some(mut migration) = reader.migration(named, &mut reading) else { continue };
            if let Some(undo) = names.undo.get(numbers) {
                migration.down = reader.script(undo.file, false, &mut migration.warnings, &mut reading);
            }
            found.push((numbers.clone(), migration));
        }
        for (numbers, named) in &names.baseline {
            if let Some(mut migration) = reader.migration(named, &mut reading) {
                migration.kind = Kind::Baseline;
                found.push((numbers.clone(), migration));
            }
        }
        for (numbers, undo) in &names.undo {
            if !names.versioned.contains_key(numbers) {
                let why = "finds no migration of its version";
                reading.skipped(&undo.file.path, "Flyway", why, "add one, or remove it");
            }
        }
        // A baseline stands behind the migration of the same version: the sort is stable.
        found.sort_by(|(one, _), (two, _)| one.cmp(two));
        reading.migrations = found.into_iter().map(|(_, migration)| migration).collect();
        for (name, file) in &names.repeatable {
            let mut warnings = Vec::new();
            if let Some(up) = reader.script(file, true, &mut warnings, &mut reading) {
                let mut migration = versioned(format!("R__{name}"), name, up, None);
                migration.kind = Kind::Repeatable;
                migration.warnings = warnings;
                reading.migrations.push(migration);
            }
        }
        reading.finish(self.id())
    }

    fn written(&self, migration: &Written<'_>) -> Vec<NewFile> {
        let mut files = self.new_files(&migration.new);
        let scripts: Vec<_> = std::iter::once(&migration.up).chain(&migration.down).collect();
        for index in 0..files.len().min(scripts.len()) {
            files[index].text.clone_from(&scripts[index].text);
            let mut settings = String::new();
            if !scripts[index].transaction {
                settings.push_str("executeInTransaction=false\n");
            }
            if scripts[index].text.contains("${") {
                settings.push_str("placeholderReplacement=false\n");
            }
            if !settings.is_empty() {
                let path = format!("{}.conf", files[index].path);
                files.push(NewFile { path, text: settings });
            }
        }
        files
    }

    fn new_files(&self, new: &NewMigration<'_>) -> Vec<NewFile> {
        let folder = split_path(new.like.unwrap_or("")).0;
        let file = |prefix: &str| NewFile {
            path: join(folder, &format!("{prefix}{}__{}.sql", new.version, new.name)),
            text: String::new(),
        };
        let mut files = vec![file("V")];
        if new.down {
            files.push(file("U"));
        }
        files
    }

    /// One more in the last of the newest version's numbers.
    fn next_version(&self, existing: &[Version], numbering: Option<Numbering>, now: UnixSeconds) -> Version {
        let newest = existing
            .iter()
            .filter_map(|version| Some((Numbers::parse(version.as_str())?, version.as_str())))
            .max();
        let Some((_, newest)) = newest else {
            return versions::next(&[], numbering.or(Some(Numbering::Sequence { width: 1 })), now);
        };
        let (before, last) = match newest.rfind('.') {
            Some(dot) => newest.split_at(dot + 1),
            None => ("", newest),
        };
        let numbering = numbering.filter(|_| before.is_empty());
        let next = versions::next(&[Version::new(last)], numbering, now);
        Version::new(format!("{before}{next}"))
    }
}

/// Sorts the files by what their names say, and notes what Flyway would not run.
fn names<'a>(files: &[&'a SourceFile], reading: &mut Reading) -> Names<'a> {
    let mut names = Names::default();
    for file in files.iter().copied() {
        let (place, version, name) = match entry(&file.path) {
            Entry::Versioned { version, name } => (&mut names.versioned, version, name),
            Entry::Undo { version, name } => (&mut names.undo, version, name),
            Entry::Baseline { version, name } => (&mut names.baseline, version, name),
            Entry::Repeatable { name } => {
                if let Some(first) = names.repeatable.insert(name, file) {
                    let what = format!("has the same name as `{}`", first.path);
                    reading.problem(&file.path, what, "rename one of them");
                }
                continue;
            }
            Entry::Callback => {
                let warning = SourceProblem::new(&file.path, "is a callback of Flyway, and is not run")
                    .with_help("make a repeatable migration (R__name.sql) of what it has to do");
                reading.warnings.push(warning);
                continue;
            }
            Entry::Code => {
                reading.code(&file.path);
                continue;
            }
            Entry::Unknown(why) => {
                let help = "name it V1.2__name.sql, or move it out of the folder";
                reading.skipped(&file.path, "Flyway", why, help);
                continue;
            }
            Entry::Other if seems_sql(&file.path) => {
                let why = "does not understand its name";
                let help = "name it V1.2__name.sql, or move it out of the folder";
                reading.skipped(&file.path, "Flyway", why, help);
                continue;
            }
            Entry::Settings | Entry::Other => continue,
        };
        let Some(numbers) = Numbers::parse(version) else { continue };
        match place.get(&numbers) {
            Some(first) => {
                let what =
                    format!("has the same version as `{}`: {}", first.file.path, display(first.version));
                reading.problem(&file.path, what, "give one of them another version");
            }
            None => {
                place.insert(numbers, Named { file, version, name });
            }
        }
    }
    names
}

/// A version as Flyway shows and stores it.
fn display(version: &str) -> String {
    version.replace('_', ".")
}

/// Reads scripts with their settings.
struct Reader<'a> {
    files: &'a [&'a SourceFile],
    options: &'a ReadOptions,
}

impl Reader<'_> {
    fn migration(&self, named: &Named<'_>, reading: &mut Reading) -> Option<Migration> {
        let mut warnings = Vec::new();
        let up = self.script(named.file, false, &mut warnings, reading)?;
        let mut migration = versioned(display(named.version), named.name, up, None);
        migration.warnings = warnings;
        Some(migration)
    }

    /// The script of a file. A repeatable one is run again when a variable in it changes.
    fn script(
        &self,
        file: &SourceFile,
        is_repeatable: bool,
        warnings: &mut Vec<SourceProblem>,
        reading: &mut Reading,
    ) -> Option<Script> {
        let settings = self.settings(file, reading);
        if !settings.execute {
            reading.skipped(
                &file.path,
                "Flyway",
                "is told `shouldExecute=false`",
                "remove it from the .conf file",
            );
            return None;
        }
        let raw = reading.whole_text(file)?;
        let sent = if settings.placeholders {
            let name = split_path(&file.path).1;
            placeholders::substitute(&file.path, name, &raw, &self.options.variables, &mut reading.problems)
        } else {
            raw.to_string()
        };
        let sent: Arc<str> = if *sent == *raw { Arc::clone(&raw) } else { Arc::from(sent) };
        let mut script = sql_part(&file.path, &sent, Span::new(0, sent.len()));
        if !is_repeatable {
            script.checksum = sql_part(&file.path, &raw, Span::new(0, raw.len())).checksum;
        }
        let dialect = self.options.dialect.unwrap_or(Dialect::Postgres);
        script.transaction &= settings.transaction.unwrap_or_else(|| {
            let refusing = one_piece::refusing(&sent, dialect);
            if let Some(statement) = refusing.filter(|_| one_piece::is_mixed(&sent, dialect)) {
                warnings.push(mixed(&file.path, statement, &sent));
            }
            refusing.is_none()
        });
        Some(script)
    }

    /// What `NAME.sql.conf` says.
    fn settings(&self, file: &SourceFile, reading: &mut Reading) -> Settings {
        let mut settings = Settings { transaction: None, placeholders: true, execute: true };
        let path = format!("{}.conf", file.path);
        let Some(conf) = self.files.iter().find(|other| other.path == path) else { return settings };
        let Some(text) = text(conf) else {
            // Notes what is wrong with it.
            reading.sql_file(conf);
            return settings;
        };
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', '!']) {
                continue;
            }
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            let (key, value) = (key.trim(), value.trim());
            let truth = match value.to_ascii_lowercase().as_str() {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            };
            match (key, truth) {
                ("executeInTransaction", Some(value)) => settings.transaction = Some(value),
                ("placeholderReplacement", Some(value)) => settings.placeholders = value,
                ("shouldExecute", Some(value)) => settings.execute = value,
                ("encoding", None) if value.eq_ignore_ascii_case("utf-8") || value.eq_ignore_ascii_case("utf8") => {}
                ("encoding", _) => reading.problems.push(
                    SourceProblem::new(&path, format!("says that the migration is written in {value}"))
                        .on_line(number)
                        .with_help("save it as UTF-8, and remove the line"),
                ),
                _ => reading.problems.push(
                    SourceProblem::new(&path, format!("says `{line}`, which is not understood"))
                        .on_line(number)
                        .with_help(
                            "understood: executeInTransaction, placeholderReplacement, shouldExecute (true or \
                             false) and encoding=UTF-8",
                        ),
                ),
            }
        }
        settings
    }
}

/// What Flyway refuses unless it is set up with `mixed=true`.
fn mixed(path: &str, statement: &str, sent: &str) -> SourceProblem {
    let first = statement.lines().next().unwrap_or("");
    let at = statement.as_ptr().addr() - sent.as_ptr().addr();
    let line = sent[..at].matches('\n').count() + 1;
    let what = format!("runs without a transaction because of `{first}`, and other statements with it");
    SourceProblem::new(path, what)
        .on_line(line)
        .with_help("Flyway refuses that unless `mixed` is set: make a migration of its own of that statement")
}

#[cfg(test)]
mod tests {
    use crate::source::ReadOptions;
    use crate::source::format::testing::{check, check_new, check_with, detected};

    #[test]
    fn versions_are_numbers_between_dots() {
        let files = [
            "V2__b.sql",
            "V1.10__c.SQL",
            "V1_9__d_e.sql",
            "sub/V1.9.1__f.sql",
            "V003.sql",
            "U1.10.0__c.sql",
            "R__b view.sql",
            "R__a.sql",
            "B2__base.sql",
        ];
        check(
            "flyway",
            &files,
            "1.9 d_e: V1_9__d_e.sql\n1.9.1 f: sub/V1.9.1__f.sql\n\
             1.10 c: V1.10__c.SQL | U1.10.0__c.sql\n2 b: V2__b.sql\n2 base: B2__base.sql\n003 : V003.sql\n\
             R__a a: R__a.sql\nR__b view b view: R__b view.sql",
        );
        assert_eq!(detected(&files), "flyway");
    }

    #[test]
    fn what_flyway_leaves_out_is_told() {
        check(
            "flyway",
            &[
                "V1__a.sql",
                "V2_b.sql",
                "V__c.sql",
                "R1__d.sql",
                "v3__e.sql",
                "4__f.sql",
                "afterMigrate.sql",
                "beforeMigrate__x.sql",
                "U9__g.sql",
                "notes.txt",
            ],
            "1 a: V1__a.sql\n\
             warning: 4__f.sql: is not run: Flyway does not understand its name\n\
             warning: R1__d.sql: is not run: Flyway wants no version in a repeatable migration\n\
             warning: U9__g.sql: is not run: Flyway finds no migration of its version\n\
             warning: V2_b.sql: is not run: Flyway does not understand its version\n\
             warning: V__c.sql: is not run: Flyway finds no version in its name\n\
             warning: afterMigrate.sql: is a callback of Flyway, and is not run\n\
             warning: beforeMigrate__x.sql: is a callback of Flyway, and is not run\n\
             warning: v3__e.sql: is not run: Flyway does not understand its name",
        );
    }

    #[test]
    fn what_flyway_stops_at() {
        check(
            "flyway",
            &["V1.0__a.sql", "V1__b.sql", "V2__C.java"],
            "error: V1__b.sql: has the same version as `V1.0__a.sql`: 1.0\n\
             error: V2__C.java: is a migration in code, which only its own tool can run",
        );
    }

    #[test]
    fn transactions_are_told_by_statements_and_settings() {
        check(
            "flyway",
            &[
                "V1__a.sql: create index concurrently i on t (a);",
                "V2__b.sql: select 1;\ndrop index concurrently i;",
                "V3__c.sql",
                "V3__c.sql.conf: # why\nexecuteInTransaction=false",
                "V4__d.sql: vacuum",
                "V4__d.sql.conf: executeInTransaction = true\nencoding=UTF-8\n",
            ],
            "1 a: V1__a.sql (no transaction)\n2 b: V2__b.sql (no transaction)\n\
             warning: V2__b.sql:2: runs without a transaction because of `drop index concurrently i`, and other \
             statements with it\n\
             3 c: V3__c.sql (no transaction)\n4 d: V4__d.sql",
        );
        check(
            "flyway",
            &[
                "V1__a.sql",
                "V1__a.sql.conf: executeInTransactions=false\nencoding=ISO-8859-1\nshouldExecute=${x}==1",
            ],
            "error: V1__a.sql.conf:1: says `executeInTransactions=false`, which is not understood\n\
             error: V1__a.sql.conf:2: says that the migration is written in ISO-8859-1\n\
             error: V1__a.sql.conf:3: says `shouldExecute=${x}==1`, which is not understood",
        );
    }

    #[test]
    fn placeholders_are_replaced() {
        let files = [
            "V1__a.sql: create role ${Owner}; -- ${flyway:filename}",
            "V2__b.sql: select '${owner}';",
            "V2__b.sql.conf: placeholderReplacement=false",
        ];
        let mut options = ReadOptions::default();
        check_with("flyway", &files, &options, "error: V1__a.sql:1: needs the variable `Owner`");
        options.variables.insert("owner".to_owned(), "app".to_owned());
        let folder = super::super::read(
            &crate::source::format::testing::source_files(&files),
            Some("flyway"),
            &options,
        );
        let folder = folder.unwrap();
        let sent = |index: usize| match &folder.migrations[index].up.body {
            crate::source::Body::Sql { file, .. } => file.to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(sent(0), "create role app; -- V1__a.sql");
        assert_eq!(sent(1), "select '${owner}';");
    }

    #[test]
    fn new_files_count_on_from_the_newest() {
        check_new("flyway", &[], "V1__new.sql\nU1__new.sql");
        check_new("flyway", &["V9__a.sql", "x/V10__b.sql"], "x/V11__new.sql\nx/U11__new.sql");
        check_new("flyway", &["V12_1.5.9__a.sql"], "V12.1.5.10__new.sql\nU12.1.5.10__new.sql");
        check_new(
            "flyway",
            &["V20250101000000__a.sql"],
            "V20260301115959__new.sql\nU20260301115959__new.sql",
        );
    }
}
