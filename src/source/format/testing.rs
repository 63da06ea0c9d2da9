//! What the tests of all formats share: a folder in a few words, and what was read from it, a line for each thing.

use super::{Folder, NewMigration, ReadOptions, by_id, detect, read};
use crate::source::{Body, Migration, Script, SourceFile, SourceProblem, Version};

/// Files given as `path` or `path: text`; `+` in front makes one executable.
pub(in crate::source) fn source_files(files: &[&str]) -> Vec<SourceFile> {
    let file = |file: &&str| {
        let (path, text) = file.split_once(": ").unwrap_or((file, "select 1;"));
        let mut source = SourceFile::text(path.trim_start_matches('+'), text);
        source.executable = path.starts_with('+');
        source
    };
    files.iter().map(file).collect()
}

/// Checks what is read from `files`: one line for each migration, warning, or error.
#[track_caller]
pub(in crate::source) fn check(format: &str, files: &[&str], expected: &str) {
    check_with(format, files, &ReadOptions::default(), expected);
}

/// [`check`], with options.
#[track_caller]
pub(in crate::source) fn check_with(format: &str, files: &[&str], options: &ReadOptions, expected: &str) {
    assert_eq!(show(&read(&source_files(files), Some(format), options)), expected);
}

/// The id of the format that `files` are taken for, or the problem with that.
pub(in crate::source) fn detected(files: &[&str]) -> String {
    match detect(&source_files(files), &ReadOptions::default()) {
        Ok(format) => format.id().to_owned(),
        Err(problem) => problem.what,
    }
}

/// Checks the files of a migration `new` behind `files`, and that they are read as what they are.
#[track_caller]
pub(in crate::source) fn check_new(format: &str, files: &[&str], expected: &str) {
    let mut files = source_files(files);
    let before = read(&files, Some(format), &ReadOptions::default()).expect("a folder without problems");
    let format = by_id(format).expect("a format");
    let versions: Vec<Version> =
        before.migrations.iter().map(|migration| migration.version.clone()).collect();
    // 2026-03-01 11:59:59 UTC.
    let version = format.next_version(&versions, None, 1_772_366_399);
    let like = before.migrations.last().map(|migration| migration.up.path.as_str());
    let new = NewMigration { version: &version, name: "new", down: format.has_downs(), like };
    let new_files = format.new_files(&new);
    let paths: Vec<_> = new_files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths.join("\n"), expected);
    files.extend(new_files.iter().map(|file| SourceFile::text(file.path.clone(), &file.text)));
    let after = read(&files, Some(format.id()), &ReadOptions::default()).expect("a folder without problems");
    let added = after.find(version.as_str()).expect("the new one");
    assert_eq!((added.name.as_str(), added.down.is_some()), ("new", format.has_downs()));
    assert_eq!(after.migrations.len(), before.migrations.len() + 1);
}

/// What was read, a line for each thing.
pub(in crate::source) fn show(found: &Result<Folder, Vec<SourceProblem>>) -> String {
    let lines = match found {
        Ok(folder) => {
            let migrations = folder.migrations.iter().flat_map(|migration| {
                std::iter::once(line(migration)).chain(problems("warning", &migration.warnings))
            });
            migrations.chain(problems("warning", &folder.warnings)).collect::<Vec<_>>()
        }
        Err(found) => problems("error", found).collect(),
    };
    lines.join("\n")
}

fn problems<'a>(kind: &'a str, problems: &'a [SourceProblem]) -> impl Iterator<Item = String> + 'a {
    problems.iter().map(move |problem| {
        let line = problem.line.map(|line| format!(":{line}")).unwrap_or_default();
        format!("{kind}: {}{line}: {}", problem.path, problem.what)
    })
}

fn line(migration: &Migration) -> String {
    let down = match (&migration.down, &migration.irreversible) {
        (Some(down), _) => format!(" | {}", script(down)),
        (None, Some(reason)) => format!(" | irreversible: {reason}"),
        (None, None) => String::new(),
    };
    format!("{} {}: {}{down}", migration.version, migration.name, script(&migration.up))
}

/// The file, and what is sent of it where that is not all.
fn script(script: &Script) -> String {
    let body = match &script.body {
        Body::Program { program } => format!(" runs {program}"),
        Body::Sql { file, span } if span.len() == file.len() => String::new(),
        Body::Sql { file, span } => format!(" {:?}", span.of(file)),
        Body::Statements { statements, .. } => {
            let texts: Vec<_> = statements.iter().map(|statement| statement.text.as_str()).collect();
            format!(" {texts:?}")
        }
        Body::LargeFile { bytes } => format!(" of {bytes} bytes"),
    };
    format!("{}{body}{}", script.path, if script.transaction { "" } else { " (no transaction)" })
}
