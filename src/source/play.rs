//! Play evolutions: `1.sql`, `2.sql`, …, each with `# --- !Ups` and `# --- !Downs`
//! (<https://github.com/playframework/playframework/blob/main/persistence/play-jdbc-evolutions/src/main/scala/play/api/db/evolutions/EvolutionsApi.scala>).
//!
//! Each statement is sent by itself and, as Play is set up by default (`autocommit=true`), commits by itself: there
//! is no transaction. A statement ends at a `;` that stands alone, also inside of strings and function bodies, where
//! `;;` stands for `;`. Every line loses its leading and trailing blanks. Revisions are counted from 1, and the first
//! that is missing ends them.

use super::export::{Written, WrittenScript};
use super::format::{Folder, Format, NewFile, NewMigration, ReadOptions};
use super::names::{leading_digits, missing_variable, seems_sql, split_path};
use super::reading::{Direction, Reading, given_part, is_only_comments, lines, text, versioned};
use super::versions::{Numbering, UnixSeconds};
use super::{GivenStatement, Migration, SourceFile, SourceProblem, Version, versions};
use crate::dialect::Dialect;
use crate::sql::split::split;
use crate::text::Span;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Play evolutions.
pub struct Play;

impl Format for Play {
    fn id(&self) -> &'static str {
        "play"
    }

    fn title(&self) -> &'static str {
        "Play evolutions: 1.sql, 2.sql, … with `# --- !Ups` and `# --- !Downs`"
    }

    fn detect(&self, files: &[&SourceFile]) -> u8 {
        let marked = |file: &&&SourceFile| {
            revision(&file.path).is_some()
                && text(file).is_some_and(|text| text.lines().any(|l| marker(l.trim()).is_some()))
        };
        if files.iter().any(|file| marked(&file)) { 95 } else { 0 }
    }

    fn needs_whole_files(&self) -> bool {
        true
    }

    fn read(&self, files: &[&SourceFile], options: &ReadOptions) -> Result<Folder, Vec<SourceProblem>> {
        let mut reading = Reading::default();
        let mut revisions: BTreeMap<u64, &SourceFile> = BTreeMap::new();
        let folder = database_folder(files, &mut reading);
        for file in files {
            let number = revision(&file.path).filter(|_| split_path(&file.path).0 == folder);
            let Some(number) = number else {
                if seems_sql(&file.path) {
                    let why = "runs only 1.sql, 2.sql, … of one folder";
                    reading.skipped(&file.path, "Play", why, "rename it, or move it out of the folder");
                }
                continue;
            };
            // Play takes the name with the fewest zeros.
            match revisions.get(&number) {
                Some(first) if first.path.len() <= file.path.len() => leave_out(file, first, &mut reading),
                Some(first) => {
                    leave_out(first, file, &mut reading);
                    revisions.insert(number, file);
                }
                None => {
                    revisions.insert(number, file);
                }
            }
        }
        for (expected, (number, file)) in (1..).zip(revisions) {
            if expected != number {
                let why = format!("stops at the gap: there is no {expected}.sql");
                reading.skipped(&file.path, "Play", &why, "revisions are counted from 1 without a gap");
                continue;
            }
            let Some(text) = reading.whole_text(file) else { continue };
            let migration = migration(&file.path, number, &text, options, &mut reading);
            reading.migrations.push(migration);
        }
        reading.finish(self.id())
    }

    fn written(&self, migration: &Written<'_>) -> Vec<NewFile> {
        let side = |script: &WrittenScript| {
            let ended =
                script.statements.iter().map(|statement| format!("{};\n", statement.replace(';', ";;")));
            ended.collect::<String>()
        };
        let mut text = format!("-- {}\n\n-- !Ups\n{}", migration.new.name, side(&migration.up));
        if let Some(down) = &migration.down {
            text.push_str(&format!("\n-- !Downs\n{}", side(down)));
        }
        let number = migration.new.version.as_str().trim_start_matches('0');
        vec![NewFile { path: format!("{number}.sql"), text }]
    }

    fn new_files(&self, new: &NewMigration<'_>) -> Vec<NewFile> {
        let text = format!("-- {}\n\n-- !Ups\n\n\n-- !Downs\n\n", new.name);
        vec![NewFile { path: format!("{}.sql", new.version), text }]
    }

    fn next_version(&self, existing: &[Version], _: Option<Numbering>, now: UnixSeconds) -> Version {
        versions::next(existing, Some(Numbering::Sequence { width: 1 }), now)
    }
}

/// The number in a file name.
fn revision(path: &str) -> Option<u64> {
    let (digits, rest) = leading_digits(split_path(path).1);
    // Play tries names of up to 15 digits.
    (rest == ".sql" && digits.len() <= 15).then(|| digits.parse().ok()).flatten()
}

/// The folder that the revisions stand in: `evolutions/` has one for each database.
fn database_folder(files: &[&SourceFile], reading: &mut Reading) -> String {
    let revisions = files.iter().filter(|file| revision(&file.path).is_some());
    let mut folders: Vec<&str> = revisions.map(|file| split_path(&file.path).0).collect();
    folders.sort_unstable();
    folders.dedup();
    if let [first, others @ ..] = folders.as_slice() {
        if !others.is_empty() && !first.is_empty() {
            let what = format!("evolutions of several databases stand here: {}", folders.join(", "));
            reading.problem(first, what, "name the folder of one database");
        }
        return (*first).to_owned();
    }
    String::new()
}

fn leave_out(file: &SourceFile, instead: &SourceFile, reading: &mut Reading) {
    let why = format!("takes `{}` for the same revision", instead.path);
    reading.skipped(&file.path, "Play", &why, "remove one of them");
}

/// The direction that a line starts: `^(#|--).*!Ups.*$`, `^(#|--).*!Downs.*$`.
fn marker(line: &str) -> Option<Direction> {
    let rest = line.strip_prefix('#').or_else(|| line.strip_prefix("--"))?;
    if rest.contains("!Ups") {
        Some(Direction::Up)
    } else {
        rest.contains("!Downs").then_some(Direction::Down)
    }
}

/// The lines of one direction, put together as Play does it.
#[derive(Default)]
struct Side {
    text: String,
    /// Where each line of `text` starts, there and in the file.
    starts: Vec<(usize, usize)>,
    /// From the first line to the last, markers among them.
    part: Option<Span>,
}

impl Side {
    fn push(&mut self, trimmed: &str, start: usize) {
        self.starts.push((self.text.len(), start));
        self.text.push_str(trimmed);
        self.text.push('\n');
    }

    /// Where a byte of `text` stands in the file.
    fn place(&self, at: usize) -> usize {
        let line = self.starts.partition_point(|(start, _)| *start <= at);
        let (start, place) = self.starts[line.saturating_sub(1)];
        place + (at - start)
    }

    /// `(?<!;);(?!;)` ends a statement, then `;;` is `;`.
    fn statements(&self) -> Vec<GivenStatement> {
        let bytes = self.text.as_bytes();
        let is_end = |at: usize| {
            let alone = |other: Option<&u8>| other.is_none_or(|byte| *byte != b';');
            bytes[at] == b';'
                && alone(at.checked_sub(1).and_then(|at| bytes.get(at)))
                && alone(bytes.get(at + 1))
        };
        let ends = (0..bytes.len()).filter(|at| is_end(*at)).chain([bytes.len()]);
        let mut statements = Vec::new();
        let mut start = 0;
        for end in ends {
            let piece = &self.text[start..end];
            let from = start + (piece.len() - piece.trim_start().len());
            let text = piece.trim().replace(";;", ";");
            start = end + 1;
            if !is_only_comments(&text) {
                let span = Span::new(self.place(from), self.place(from + piece.trim().len() - 1) + 1);
                statements.push(GivenStatement { text, span });
            }
        }
        statements
    }
}

/// The lines of both directions, up first, as Play keeps them.
pub fn both_sides(file: &str) -> (String, String) {
    let (up, down, _) = sides(file);
    (up.text.trim().to_owned(), down.text.trim().to_owned())
}

/// The statements of one direction as Play keeps it in its table.
pub fn kept_statements(text: &str) -> Vec<String> {
    let mut side = Side::default();
    for line in lines(text) {
        side.push(line.text.trim(), line.start);
    }
    side.statements().into_iter().map(|statement| statement.text).collect()
}

/// Both directions of a file, and where the first of them starts.
fn sides(file: &str) -> (Side, Side, usize) {
    let (mut up, mut down) = (Side::default(), Side::default());
    let mut direction = None;
    let mut above = 0;
    for line in lines(file) {
        let trimmed = line.text.trim();
        let started = marker(trimmed);
        direction = started.or(direction);
        let side = match direction {
            Some(Direction::Up) => &mut up,
            Some(Direction::Down) => &mut down,
            None => {
                above = line.end();
                continue;
            }
        };
        side.part.get_or_insert(Span::new(line.start, line.start)).end = line.end();
        if started.is_none() {
            side.push(trimmed, line.start + (line.text.len() - line.text.trim_start().len()));
        }
    }
    (up, down, above)
}

fn migration(
    path: &str,
    number: u64,
    file: &Arc<str>,
    options: &ReadOptions,
    reading: &mut Reading,
) -> Migration {
    let (up, down, above) = sides(file);
    let mut warnings = Vec::new();
    if !is_only_comments_and_hashes(&file[..above]) {
        let what = "has statements that are not run: they stand above `# --- !Ups`";
        warnings.push(SourceProblem::new(path, what).on_line(1).with_help("move them down"));
    }
    let mut script = |side: &Side, from: usize| {
        let mut statements = side.statements();
        if let Some(dialect) = options.dialect {
            warnings.extend(cut_by_play(path, &statements, file, dialect));
        }
        for statement in &mut statements {
            substitute(path, file, statement, options, reading);
        }
        let mut script = given_part(path, file, side.part.unwrap_or_default(), from, statements);
        script.transaction = false;
        script
    };
    let up_script = script(&up, 0);
    let down_script = down.part.map(|part| script(&down, part.start));
    let mut migration = versioned(number.to_string(), &name(file), up_script, down_script);
    migration.warnings = warnings;
    migration
}

/// Warnings for the statements that a lone `;` in a string or a body cuts in two: Play sends both halves.
fn cut_by_play(path: &str, pieces: &[GivenStatement], file: &str, dialect: Dialect) -> Vec<SourceProblem> {
    let mut warnings = Vec::new();
    let mut inside = false;
    for piece in pieces {
        let is_open = split(&piece.text, dialect).unterminated.is_some();
        if is_open && !inside {
            let line = file[..piece.span.start].matches('\n').count() + 1;
            let what = "a `;` in it cuts this statement in two, and Play sends both halves";
            warnings.push(SourceProblem::new(path, what).on_line(line).with_help("write `;;` for it"));
        }
        // The other half opens what it should close.
        inside = is_open && !inside;
    }
    warnings
}

/// What the first comment of a file says, as a name; Play itself has none.
fn name(file: &str) -> String {
    let first = file.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("");
    let comment = first.strip_prefix("--").or_else(|| first.strip_prefix('#')).unwrap_or("");
    // A licence is no name.
    if marker(first).is_some() || comment.len() > 40 { String::new() } else { super::slug(comment) }
}

fn is_only_comments_and_hashes(text: &str) -> bool {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    is_only_comments(&lines.join("\n"))
}

const OPEN: &str = "$evolutions{{{";
const CLOSE: &str = "}}}";

/// Puts variables in: `$evolutions{{{name}}}` in any case; `!` in front keeps it as it is.
fn substitute(
    path: &str,
    file: &str,
    statement: &mut GivenStatement,
    options: &ReadOptions,
    reading: &mut Reading,
) {
    let lower = statement.text.to_ascii_lowercase();
    if !lower.contains(OPEN) {
        return;
    }
    let mut out = String::with_capacity(statement.text.len());
    let mut at = 0;
    while let Some(found) = lower[at..].find(OPEN).map(|found| at + found) {
        let inside = found + OPEN.len();
        let Some(end) = lower[inside..].find(CLOSE).map(|end| inside + end) else { break };
        let before = &statement.text[at..found];
        let name = &statement.text[inside..end];
        at = end + CLOSE.len();
        if let Some(before) = before.strip_suffix('!') {
            out.push_str(before);
            out.push_str(&statement.text[found..at]);
            continue;
        }
        out.push_str(before);
        let value = options.variables.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        if let Some((_, value)) = value {
            out.push_str(value);
        } else {
            let (what, help) = missing_variable(name);
            let line = file[..statement.span.start].matches('\n').count() + 1;
            reading.problems.push(SourceProblem::new(path, what).on_line(line).with_help(help));
        }
    }
    out.push_str(&statement.text[at..]);
    statement.text = out;
}

#[cfg(test)]
mod tests {
    use crate::source::format::testing::{check, check_new, check_with, detected, source_files};
    use crate::source::{Body, ReadOptions, read};

    #[test]
    fn lines_are_trimmed_and_a_lone_semicolon_ends() {
        let files = ["1.sql: # Users schema\n\n# --- !Ups\n  create table a (\n    id int\n  );\n\
             create function f() as $$\n  begin;; return 1;;\n end $$;\n-- done\n--- !Downs\n-- no way back\n"];
        check(
            "play",
            &files,
            "1 users_schema: 1.sql [\"create table a (\\nid int\\n)\", \
             \"create function f() as $$\\nbegin; return 1;\\nend $$\"] (no transaction) | 1.sql [] (no transaction)",
        );
        assert_eq!(detected(&files), "play");
    }

    #[test]
    fn spans_are_those_of_the_file() {
        let files = source_files(&["1.sql: # --- !Ups\r\n  select 1;\r\n\r\n select\r\n   2 ; select 3;;"]);
        let folder = read(&files, Some("play"), &ReadOptions::default()).unwrap();
        let Body::Statements { file, statements } = &folder.migrations[0].up.body else { panic!() };
        let found: Vec<_> = statements.iter().map(|statement| statement.span.of(file)).collect();
        assert_eq!(found, ["select 1", "select\r\n   2", "select 3;;"]);
        let texts: Vec<_> = statements.iter().map(|statement| statement.text.as_str()).collect();
        assert_eq!(texts, ["select 1", "select\n2", "select 3;"]);
    }

    #[test]
    fn sections_of_one_direction_are_put_together() {
        check(
            "play",
            &[
                "1.sql: -- !Downs\nselect -1;\n-- !Ups\nselect 1;\n-- !Downs\nselect -2;",
                "2.sql: # !Ups\nselect 2;",
            ],
            "1 : 1.sql [\"select 1\"] (no transaction) | 1.sql [\"select -1\", \"select -2\"] (no transaction)\n\
             2 : 2.sql [\"select 2\"] (no transaction)",
        );
    }

    #[test]
    fn revisions_have_no_gap() {
        check(
            "play",
            &[
                "01.sql: # !Ups\n",
                "1.sql: select 0;\n# !Ups\n",
                "2.sql: # !Ups\n",
                "4.sql: # !Ups\n",
                "x.sql",
            ],
            "1 : 1.sql [] (no transaction)\n\
             warning: 1.sql:1: has statements that are not run: they stand above `# --- !Ups`\n\
             2 : 2.sql [] (no transaction)\n\
             warning: 01.sql: is not run: Play takes `1.sql` for the same revision\n\
             warning: 4.sql: is not run: Play stops at the gap: there is no 3.sql\n\
             warning: x.sql: is not run: Play runs only 1.sql, 2.sql, … of one folder",
        );
    }

    #[test]
    fn each_database_has_a_folder() {
        check("play", &["default/1.sql: # !Ups\n"], "1 : default/1.sql [] (no transaction)");
        check(
            "play",
            &["a/1.sql: # !Ups\n", "b/1.sql: # !Ups\n"],
            "error: a: evolutions of several databases stand here: a, b",
        );
    }

    #[test]
    fn variables_are_put_in() {
        let files = ["1.sql: # !Ups\n\nselect '$EVOLUTIONS{{{Who}}}', '!$evolutions{{{who}}}';"];
        let mut options = ReadOptions::default();
        check_with("play", &files, &options, "error: 1.sql:3: needs the variable `Who`");
        options.variables.insert("who".to_owned(), "me".to_owned());
        check_with(
            "play",
            &files,
            &options,
            "1 : 1.sql [\"select 'me', '$evolutions{{{who}}}'\"] (no transaction)",
        );
    }

    #[test]
    fn new_files() {
        check_new("play", &["1.sql: # !Ups\n"], "2.sql");
    }
}
