//! The scripts and problems that the reader of a format collects.

use super::names::{seems_sql, split_path};
use super::{
    Body, Checksum, Contents, Folder, GivenStatement, Kind, Migration, Script, SourceFile, SourceProblem,
    Version,
};
use crate::dialect::Dialect;
use crate::sql::directive::{self, Directive, Directives};
use crate::sql::lex::significant;
use crate::text::{LineIndex, Span};
use std::sync::Arc;

/// One direction of a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Up,
    Down,
}

impl Direction {
    /// The word that stands for it in file names.
    pub const fn word(self) -> &'static str {
        match self {
            Direction::Up => "up",
            Direction::Down => "down",
        }
    }
}

/// What a reader has found so far.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// Migrations, in the order in which they run.
    pub migrations: Vec<Migration>,
    /// What is odd about the folder.
    pub warnings: Vec<SourceProblem>,
    /// What makes the folder unusable.
    pub problems: Vec<SourceProblem>,
}

impl Reading {
    /// The folder, if nothing is wrong with it; else everything that is, sorted by file and line.
    pub fn finish(mut self, format: &'static str) -> Result<Folder, Vec<SourceProblem>> {
        if self.problems.is_empty() {
            self.warnings.sort();
            self.warnings.dedup();
            return Ok(Folder { format, migrations: self.migrations, warnings: self.warnings });
        }
        self.problems.sort();
        self.problems.dedup();
        Err(self.problems)
    }

    /// Notes something that makes the folder unusable.
    pub fn problem(&mut self, path: &str, what: impl Into<String>, help: impl Into<String>) {
        self.problems.push(SourceProblem::new(path, what).with_help(help));
    }

    /// Notes a file that looks like a migration and that the format's tool leaves out.
    pub fn skipped(&mut self, path: &str, tool: &str, why: &str, help: &str) {
        self.warnings
            .push(SourceProblem::new(path, format!("is not run: {tool} {why}")).with_help(help.to_owned()));
    }

    /// Notes a step that is a program of the tool's own language.
    pub fn code(&mut self, path: &str) {
        self.problem(
            path,
            "is a migration in code, which only its own tool can run",
            "make it a program (an executable `VERSION_name.up`, format `twostep`), or, once every database has \
             it, move it out of the folder",
        );
    }

    /// The text of a file whose markers may stand anywhere. A file that is no text, or is not held, is a problem.
    pub fn whole_text(&mut self, file: &SourceFile) -> Option<Arc<str>> {
        match &file.contents {
            Contents::Text(text) => Some(Arc::clone(text)),
            Contents::Large { .. } => {
                self.problem(
                    &file.path,
                    "is too large to be held, and its markers may stand anywhere in it",
                    "let a program load the rows (format `twostep`: an executable `VERSION_name.up`)",
                );
                None
            }
            Contents::Binary { .. } | Contents::Broken(_) => {
                // Notes what is wrong with it.
                self.sql_file(file);
                None
            }
        }
    }

    /// The directives about a whole file. One that is not right is a problem.
    fn directives(&mut self, path: &str, text: &str) -> Vec<Directive> {
        let Directives { found, problems } = directive::head(text, Span::new(0, text.len()));
        if problems.is_empty() {
            return found;
        }
        let lines = LineIndex::new(text);
        self.problems.extend(problems.into_iter().map(|problem| {
            SourceProblem::new(path, problem.what)
                .on_line(lines.position(text, problem.span.start).line)
                .with_help(problem.help)
        }));
        found
    }

    /// The script of a file that is wholly one direction. A file that is no text is a problem.
    pub fn sql_file(&mut self, file: &SourceFile) -> Option<Script> {
        match &file.contents {
            Contents::Text(text) => {
                let directives = self.directives(&file.path, text);
                Some(part_with(&file.path, text, Span::new(0, text.len()), directives))
            }
            Contents::Large { bytes, head, checksum } => {
                let directives = self.directives(&file.path, head);
                Some(Script {
                    path: file.path.clone(),
                    body: Body::LargeFile { bytes: *bytes },
                    transaction: !has(&directives, "no-transaction"),
                    directives,
                    checksum: checksum.clone(),
                })
            }
            Contents::Binary { .. } => {
                self.problems.push(
                    SourceProblem::new(&file.path, "is not text")
                        .with_help("save it as UTF-8 text, or move it out of the folder"),
                );
                None
            }
            Contents::Broken(why) => {
                self.problems.push(SourceProblem::new(&file.path, why.clone()));
                None
            }
        }
    }
}

/// The text of a file, or the start of a large one.
pub(super) fn text(file: &SourceFile) -> Option<&str> {
    match &file.contents {
        Contents::Text(text) | Contents::Large { head: text, .. } => Some(text),
        Contents::Binary { .. } | Contents::Broken(_) => None,
    }
}

/// A migration that runs once.
pub(super) fn versioned(version: String, name: &str, up: Script, down: Option<Script>) -> Migration {
    let irreversible = directive(&up.directives, "irreversible").and_then(|found| found.because.clone());
    Migration {
        version: Version::new(version),
        name: name.to_owned(),
        kind: Kind::Versioned,
        up,
        down,
        irreversible,
        warnings: Vec::new(),
    }
}

/// The script of one part of a file.
pub(super) fn sql_part(path: &str, file: &Arc<str>, span: Span) -> Script {
    part_with(path, file, span, directive::head(file, span).found)
}

/// [`sql_part`], whose directives are known.
fn part_with(path: &str, file: &Arc<str>, span: Span, directives: Vec<Directive>) -> Script {
    Script {
        path: path.to_owned(),
        checksum: Checksum::of(span.of(file)),
        body: Body::Sql { file: Arc::clone(file), span },
        transaction: !has(&directives, "no-transaction"),
        directives,
    }
}

/// The script of a part of a file whose statements its format has separated. Directives count from `from` on:
/// comments above the part belong to it.
pub(super) fn given_part(
    path: &str,
    file: &Arc<str>,
    part: Span,
    from: usize,
    statements: Vec<GivenStatement>,
) -> Script {
    let directives = directive::head(file, Span::new(from, part.end)).found;
    Script {
        path: path.to_owned(),
        checksum: Checksum::of(part.of(file)),
        body: Body::Statements { file: Arc::clone(file), statements },
        transaction: !has(&directives, "no-transaction"),
        directives,
    }
}

/// A line of a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    /// From 1.
    pub number: usize,
    /// Where it starts.
    pub start: usize,
    /// Without its line end.
    pub text: &'a str,
}

impl Line<'_> {
    /// Where its text ends.
    pub const fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// The lines of a text.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut start = 0;
    text.split_inclusive('\n').enumerate().map(move |(index, line)| {
        let found = Line {
            number: index + 1,
            start,
            text: line.strip_suffix('\n').map_or(line, |line| line.strip_suffix('\r').unwrap_or(line)),
        };
        start += line.len();
        found
    })
}

/// A warning where a file holds an instruction of some tool, and its own, `tool`, knows none in files.
pub(super) fn instruction_of_another(file: &SourceFile, tool: &str) -> Option<SourceProblem> {
    const KNOWN: [&str; 6] =
        ["no-transaction", "no transaction", "transaction:", "+goose ", "+migrate ", "migrate:"];
    let is_instruction = |line: &Line<'_>| {
        let comment = line.text.trim_start().strip_prefix("--").map(|rest| rest.trim().to_ascii_lowercase());
        comment.is_some_and(|comment| {
            KNOWN.iter().any(|known| comment.starts_with(known)) && comment.split_whitespace().count() <= 3
        })
    };
    let line = lines(text(file)?).find(is_instruction)?;
    let what = format!("{tool} knows no instructions in files: `{}` does nothing", line.text.trim());
    Some(
        SourceProblem::new(&file.path, what)
            .on_line(line.number)
            .with_help("take it out; what twostep shall do stands in `-- twostep: …`"),
    )
}

/// The problem with a file that seems to hold both directions, in the words of some tool: all of it together would
/// undo what it does.
pub(super) fn both_directions(file: &SourceFile) -> Option<SourceProblem> {
    let name = split_path(&file.path).1;
    if !seems_sql(name) || ["up.", "down", "undo"].iter().any(|word| name.contains(word)) {
        return None;
    }
    let line = lines(text(file)?).find(is_marker_of_a_tool)?;
    let what = format!("both directions seem to stand in it: `{}`", line.text.trim());
    Some(
        SourceProblem::new(&file.path, what)
            .on_line(line.number)
            .with_help("name its tool with --source-format, or put the way back into a file of its own"),
    )
}

/// Lines by which some tool tells the way back from the way forward: running both would undo what was done.
fn is_marker_of_a_tool(line: &Line<'_>) -> bool {
    let text = line.text.trim();
    let comment = text.trim_start_matches(['-', '#', '/', ' ']);
    if comment.len() == text.len() {
        return false;
    }
    let comment = comment.trim_start_matches(['+', '@', '!', ' ']).to_ascii_lowercase();
    let words: Vec<&str> = comment.split_whitespace().collect();
    match words.as_slice() {
        ["down" | "downs" | "undo" | "@undo" | "rollback" | "migrate:down"] => true,
        ["down", "migration", ..] | ["migrate" | "goose", "down", ..] | ["migration", "down"] => true,
        ["create", "above", "/", "drop", "below", ..] => true,
        ["liquibase", "formatted", "sql"] => true,
        _ => text.contains("!Downs") || comment.starts_with("migrate:down"),
    }
}

/// The directive called `name`.
pub(super) fn directive<'a>(directives: &'a [Directive], name: &str) -> Option<&'a Directive> {
    directives.iter().find(|directive| directive.name == name)
}

/// Whether one of `directives` is called `name`.
pub(super) fn has(directives: &[Directive], name: &str) -> bool {
    directive(directives, name).is_some()
}

/// Whether nothing but blank space and comments stands in `text`. Comments as all three dialects have them.
pub(super) fn is_only_comments(text: &str) -> bool {
    significant(text, Dialect::Postgres).next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_stand_above_the_first_statement() {
        let text =
            "-- note\n\n-- twostep: irreversible because it is gone\nselect 1;\n-- twostep: no-transaction\n";
        let script = sql_part("a", &Arc::from(text), Span::new(0, text.len()));
        assert_eq!(script.directives.len(), 1);
        assert_eq!(script.directives[0].because.as_deref(), Some("it is gone"));
        assert_eq!(script.directives[0].span.of(text), "-- twostep: irreversible because it is gone");
        assert!(script.transaction);
    }

    #[test]
    fn comments_are_no_statements() {
        assert!(is_only_comments(" -- a\n/* b\n */ \n--"));
        assert!(!is_only_comments("-- a\nselect 1"));
    }
}
