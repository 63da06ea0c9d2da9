//! A folder in another format: written, read back, and given only if nothing was lost on the way.

use super::format::{Folder, Format, NewFile, NewMigration, ReadOptions, read};
use super::{Body, Kind, Migration, Script, SourceFile, SourceProblem, names, versions};
use crate::dialect::Dialect;
use crate::sql::lex::significant;
use crate::sql::split::split;
use std::collections::BTreeSet;

/// A migration as another format is to write it.
#[derive(Debug, Clone)]
pub struct Written<'a> {
    /// Its version, its name, and whether it has a way back.
    pub new: NewMigration<'a>,
    /// What brings the database forward.
    pub up: WrittenScript,
    /// What takes that back.
    pub down: Option<WrittenScript>,
}

/// One direction of a [`Written`] migration.
#[derive(Debug, Clone)]
pub struct WrittenScript {
    /// Its SQL, with comments where the old format kept them.
    pub text: String,
    /// Its statements.
    pub statements: Vec<String>,
    /// Whether they share one transaction.
    pub transaction: bool,
}

/// The files of `folder` in the format `to`. What the format cannot say is a problem, each with the migration's file.
pub fn export(
    folder: &Folder,
    to: &'static dyn Format,
    dialect: Dialect,
) -> Result<Vec<NewFile>, Vec<SourceProblem>> {
    let mut files = Vec::new();
    let mut losses = Vec::new();
    for migration in &folder.migrations {
        match written(migration, dialect) {
            Ok((version, name, up, down)) => {
                let new = NewMigration { version: &version, name: &name, down: down.is_some(), like: None };
                files.extend(to.written(&Written { new, up, down }));
            }
            Err(what) => losses.push(SourceProblem::new(&migration.up.path, what)),
        }
    }
    if losses.is_empty() {
        losses = differences(folder, &files, to, dialect);
    }
    if losses.is_empty() { Ok(files) } else { Err(losses) }
}

type Parts = (super::Version, String, WrittenScript, Option<WrittenScript>);

/// What is to be written of a migration, or why that cannot be.
fn written(migration: &Migration, dialect: Dialect) -> Result<Parts, String> {
    match migration.kind {
        Kind::Versioned => {}
        Kind::Repeatable => {
            return Err("is run again whenever it changes, which cannot be exported".to_owned());
        }
        Kind::Baseline => {
            return Err("stands for all migrations up to its own, which cannot be exported".to_owned());
        }
    }
    let number = names::leading_digits(migration.version.as_str()).0;
    if number.is_empty() {
        return Err(format!("has a version without a number: {}", migration.version));
    }
    let name = match super::slug(&migration.name) {
        name if name.is_empty() => "migration".to_owned(),
        name => name,
    };
    let up = written_script(&migration.up, dialect)?;
    let down = migration.down.as_ref().map(|down| written_script(down, dialect)).transpose()?;
    Ok((super::Version::new(number), name, up, down))
}

fn written_script(script: &Script, dialect: Dialect) -> Result<WrittenScript, String> {
    let statements = statements(script, dialect)?;
    let text = match &script.body {
        Body::Sql { file, span } => {
            // The old format's own instructions say nothing to the new one.
            let lines = span.of(file).lines().filter(|line| !is_instruction(line));
            lines.fold(String::new(), |text, line| text + line + "\n")
        }
        Body::Statements { .. } | Body::LargeFile { .. } | Body::Program { .. } => {
            statements.iter().map(|statement| format!("{statement};\n")).collect::<Vec<_>>().join("\n")
        }
    };
    Ok(WrittenScript { text, statements, transaction: script.transaction })
}

fn is_instruction(line: &str) -> bool {
    let comment = line.trim_start().strip_prefix("--").unwrap_or("").trim_start();
    ["migrate:up", "migrate:down", "no-transaction", "twostep: no-transaction"]
        .iter()
        .any(|instruction| comment.starts_with(instruction))
}

fn statements(script: &Script, dialect: Dialect) -> Result<Vec<String>, String> {
    match &script.body {
        Body::Sql { file, span } => {
            let split = split(span.of(file), dialect).statements;
            Ok(split.into_iter().map(|statement| statement.text.to_owned()).collect())
        }
        Body::Statements { statements, .. } => {
            Ok(statements.iter().map(|statement| statement.text.clone()).collect())
        }
        Body::LargeFile { .. } => Err("is too large to be exported: copy it by hand".to_owned()),
        Body::Program { program } => Err(format!("runs the program `{program}`, which cannot be exported")),
    }
}

/// What differs when `files` are read as `to` reads them.
fn differences(
    folder: &Folder,
    files: &[NewFile],
    to: &'static dyn Format,
    dialect: Dialect,
) -> Vec<SourceProblem> {
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    if paths.len() < files.len() {
        return vec![SourceProblem::new("", "several migrations would be written to one file")];
    }
    let sources: Vec<_> = files.iter().map(|file| SourceFile::text(file.path.clone(), &file.text)).collect();
    let options = ReadOptions { dialect: Some(dialect), ..ReadOptions::default() };
    let back = match read(&sources, Some(to.id()), &options) {
        Ok(back) => back,
        Err(problems) => return problems,
    };
    if back.migrations.len() != folder.migrations.len() {
        let what =
            format!("{} of {} migrations would be left", back.migrations.len(), folder.migrations.len());
        return vec![SourceProblem::new("", what)];
    }
    let pairs = folder.migrations.iter().zip(&back.migrations);
    pairs.flat_map(|(old, new)| lost(old, new, to, dialect)).collect()
}

/// What of `old` is not in `new`.
fn lost(old: &Migration, new: &Migration, to: &dyn Format, dialect: Dialect) -> Vec<SourceProblem> {
    let mut losses = Vec::new();
    let mut lose = |script: &Script, what: &str| {
        losses.push(SourceProblem::new(&script.path, format!("{what} in the format `{}`", to.id())));
    };
    let number = |migration: &Migration| names::leading_digits(migration.version.as_str()).0.to_owned();
    if !versions::is_same(&number(old), &number(new)) {
        lose(&old.up, "would run at another place");
        return losses;
    }
    let mut compare = |old: &Script, new: &Script| {
        if old.transaction != new.transaction {
            let what = if old.transaction { "would lose its transaction" } else { "would get a transaction" };
            lose(old, what);
        }
        if tokens(old, dialect) != tokens(new, dialect) {
            lose(old, "would have other statements");
        }
    };
    compare(&old.up, &new.up);
    match (&old.down, &new.down) {
        (Some(old), Some(new)) => compare(old, new),
        (Some(down), None) => lose(down, "would have no way back"),
        // An empty one, which some formats demand.
        (None, _) => {}
    }
    losses
}

/// What the server would see of a script: blank space and comments between its words do not count.
fn tokens(script: &Script, dialect: Dialect) -> Vec<Vec<String>> {
    let statements = statements(script, dialect).unwrap_or_default();
    let of_one = |statement: &String| {
        let text = statement.trim_end_matches([';', ' ', '\n']);
        significant(text, dialect).map(|token| token.text(text).to_owned()).collect()
    };
    statements.iter().map(of_one).collect()
}

impl WrittenScript {
    /// Its statements, each ended, between `begin` and `end` where a line of it would end it too early.
    pub(super) fn in_pieces(&self, begin: &str, end: &str) -> String {
        let piece = |statement: &String| {
            let needs_block = statement.lines().rev().skip(1).any(super::pieces::ends_with_semicolon)
                || statement.lines().any(|line| line.starts_with("--"));
            if needs_block { format!("{begin}\n{statement};\n{end}\n") } else { format!("{statement};\n") }
        };
        self.statements.iter().map(piece).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::format::testing::{show, source_files};
    use crate::source::{FORMATS, by_id};

    /// A folder in the native format, in `to`: the files, or what would be lost.
    fn check(files: &[&str], to: &str, expected: &str) {
        let folder = read(&source_files(files), Some("twostep"), &ReadOptions::default()).unwrap();
        let found = match export(&folder, by_id(to).unwrap(), Dialect::Postgres) {
            Ok(files) => files.iter().map(|file| format!("{}: {:?}", file.path, file.text)).collect(),
            Err(losses) => losses.iter().map(ToString::to_string).collect::<Vec<_>>(),
        };
        assert_eq!(found.join("\n"), expected);
    }

    const FILES: [&str; 2] = [
        "0001_a.up.sql: -- why\ncreate function f() as $$\n begin;\nend $$;\nselect 1;",
        "0001_a.down.sql: drop function f;",
    ];

    #[test]
    fn a_migration_is_written_as_the_format_writes_it() {
        check(
            &FILES,
            "goose",
            "0001_a.sql: \"-- +goose Up\\n-- +goose StatementBegin\\ncreate function f() as $$\\n begin;\\nend $$;\\n\
             -- +goose StatementEnd\\n\\nselect 1;\\n\\n-- +goose Down\\ndrop function f;\\n\"",
        );
        check(
            &FILES,
            "dbmate",
            "0001_a.sql: \"-- migrate:up\\n-- why\\ncreate function f() as $$\\n begin;\\nend $$;\\nselect 1;\\n\\n\
             -- migrate:down\\ndrop function f;\\n\"",
        );
        let bare = ["1_a.up.sql: -- twostep: no-transaction\nvacuum;"];
        check(&bare, "sqlx", "1_a.sql: \"-- no-transaction\\nvacuum;\\n\"");
        check(&bare, "golang-migrate", "1_a.up.sql: \"vacuum;\\n\"");
    }

    #[test]
    fn what_would_be_lost_is_named() {
        check(&FILES, "refinery", "0001_a.down.sql: would have no way back in the format `refinery`");
        check(
            &["1_a.up.sql: -- twostep: no-transaction\nselect 1;", "2_b.up.sql", "R__c.sql", "+4_d.up"],
            "authelia",
            "4_d.up: runs the program `4_d.up`, which cannot be exported\n\
             R__c.sql: is run again whenever it changes, which cannot be exported",
        );
        check(
            &["1_a.up.sql: -- twostep: no-transaction\nselect 1;"],
            "authelia",
            "1_a.up.sql: would get a transaction in the format `authelia`",
        );
        check(
            &FILES,
            "play",
            "0001_a.up.sql: would lose its transaction in the format `play`\n\
             0001_a.up.sql: would have other statements in the format `play`\n\
             0001_a.down.sql: would lose its transaction in the format `play`",
        );
        check(&["3_a.up.sql"], "play", "0 of 1 migrations would be left");
    }

    #[test]
    fn every_format_takes_what_it_can_say() {
        let files =
            ["1_a.up.sql: create table a (id int);\ninsert into a values (1);", "2_b.up.sql: drop table a;"];
        let folder = read(&source_files(&files), Some("twostep"), &ReadOptions::default()).unwrap();
        for format in FORMATS.iter().copied().filter(|format| format.id() != "play") {
            let files = export(&folder, format, Dialect::Postgres).unwrap_or_else(|lost| panic!("{lost:?}"));
            let sources: Vec<_> =
                files.iter().map(|file| SourceFile::text(file.path.clone(), &file.text)).collect();
            let back = read(&sources, Some(format.id()), &ReadOptions::default());
            assert!(back.is_ok(), "{}", show(&back));
        }
    }
}
