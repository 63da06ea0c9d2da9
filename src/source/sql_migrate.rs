//! sql-migrate: one file for both directions, under `-- +migrate Up` and `-- +migrate Down`
//! (<https://github.com/rubenv/sql-migrate/blob/master/sqlparse/sqlparse.go>).
//!
//! The file's whole name is the version. A direction runs in one transaction with its row of history, unless its
//! marker says `notransaction`. A statement ends at a line that ends with `;`, unless it stands between
//! `StatementBegin` and `StatementEnd`. Lines that start with `-- ` are left out, even inside of a function's body.

use super::export::{Written, WrittenScript};
use super::format::{Folder, Format, NewFile, NewMigration, ReadOptions};
use super::names::{leading_digits, number, seems_sql};
use super::pieces::{cut_warnings, ends_with_semicolon, statements};
use super::reading::{Direction, Line, Reading, given_part, is_only_comments, lines, text, versioned};
use super::{GivenStatement, Migration, SourceFile, SourceProblem};
use crate::dialect::Dialect;
use crate::text::Span;
use std::sync::Arc;

/// sql-migrate.
pub struct SqlMigrate;

/// What stands at the start of a line that is an instruction.
const COMMAND: &str = "-- +migrate ";

impl Format for SqlMigrate {
    fn id(&self) -> &'static str {
        "sql-migrate"
    }

    fn title(&self) -> &'static str {
        "sql-migrate: VERSION-name.sql with `-- +migrate Up` and `-- +migrate Down`"
    }

    fn detect(&self, files: &[&SourceFile]) -> u8 {
        let marked = |text: &str| lines(text).any(|line| line.text.starts_with("-- +migrate Up"));
        if files.iter().any(|file| name(&file.path).is_some() && text(file).is_some_and(marked)) {
            95
        } else {
            0
        }
    }

    fn needs_whole_files(&self) -> bool {
        true
    }

    fn read(&self, files: &[&SourceFile], options: &ReadOptions) -> Result<Folder, Vec<SourceProblem>> {
        let mut reading = Reading::default();
        let mut found = Vec::new();
        for file in files {
            match name(&file.path) {
                Some(stem) => found.push((order(stem), stem, *file)),
                None if seems_sql(&file.path) => {
                    let why = "runs only `.sql` files directly in the folder";
                    reading.skipped(
                        &file.path,
                        "sql-migrate",
                        why,
                        "rename it, or move it out of the folder",
                    );
                }
                None => {}
            }
        }
        found.sort_by_key(|(order, ..)| *order);
        for (_, stem, file) in found {
            let digits = leading_digits(stem).0;
            if !digits.is_empty() && digits.parse::<i64>().is_err() {
                let what = format!("has a number that is too large: {digits}");
                reading.problem(&file.path, what, format!("at most {}", i64::MAX));
                continue;
            }
            let Some(text) = reading.whole_text(file) else { continue };
            match migration(&file.path, stem, &text, options) {
                Ok(migration) => reading.migrations.push(migration),
                Err(problem) => reading.problems.push(problem),
            }
        }
        reading.finish(self.id())
    }

    fn written(&self, migration: &Written<'_>) -> Vec<NewFile> {
        let side = |word: &str, script: &WrittenScript| {
            let option = if script.transaction { "" } else { " notransaction" };
            let pieces = script.in_pieces("-- +migrate StatementBegin", "-- +migrate StatementEnd");
            format!("-- +migrate {word}{option}\n{pieces}")
        };
        let down = migration.down.as_ref().map(|down| format!("\n{}", side("Down", down)));
        let text = side("Up", &migration.up) + &down.unwrap_or_default();
        self.new_files(&migration.new)
            .into_iter()
            .map(|file| NewFile { text: text.clone(), ..file })
            .collect()
    }

    fn new_files(&self, new: &NewMigration<'_>) -> Vec<NewFile> {
        let path = format!("{}-{}.sql", new.version, new.name);
        vec![NewFile { path, text: "\n-- +migrate Up\n\n-- +migrate Down\n".to_owned() }]
    }
}

/// The file's name without its ending, where sql-migrate takes it.
fn name(path: &str) -> Option<&str> {
    path.strip_suffix(".sql").filter(|stem| !stem.contains('/') && !stem.is_empty())
}

/// By number, then by name; names without a number come last.
fn order(stem: &str) -> (bool, u128, &str) {
    let digits = leading_digits(stem).0;
    (digits.is_empty(), number(digits).unwrap_or(u128::MAX), stem)
}

/// What is read of a file.
#[derive(Default)]
struct Parse {
    up: Side,
    down: Side,
    /// Direction of the lines that come.
    direction: Option<Direction>,
    /// Between `StatementBegin` and `StatementEnd`.
    in_block: bool,
    /// The statement so far, and where it stands.
    buffer: String,
    span: Option<Span>,
    warnings: Vec<SourceProblem>,
}

#[derive(Default)]
struct Side {
    statements: Vec<GivenStatement>,
    /// From the first marker to where the other direction starts.
    part: Option<Span>,
    no_transaction: bool,
}

impl Parse {
    fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::Up => &mut self.up,
            Direction::Down => &mut self.down,
        }
    }

    /// Takes one line. An error is what is wrong, and what to do.
    fn line(&mut self, line: &Line<'_>) -> Result<(), (&'static str, &'static str)> {
        if line.text.starts_with("-- ") && !line.text.starts_with("-- +") {
            return Ok(());
        }
        let mut block_ends = false;
        if let Some(command) = line.text.strip_prefix(COMMAND) {
            block_ends = self.command(command, line)?;
        }
        let Some(direction) = self.direction else { return Ok(()) };
        if let Some(part) = &mut self.side(direction).part {
            part.end = line.end();
        }
        if !line.text.starts_with("-- +") {
            self.buffer.push_str(line.text);
            self.buffer.push('\n');
            if !line.text.trim().is_empty() {
                let start = self.span.map_or(line.start, |span| span.start);
                self.span = Some(Span::new(start, line.end()));
            }
        }
        if block_ends || !self.in_block && ends_with_semicolon(line.text) {
            self.end_statement(direction);
        }
        Ok(())
    }

    /// Follows an instruction; says whether it ends a block.
    fn command(&mut self, command: &str, line: &Line<'_>) -> Result<bool, (&'static str, &'static str)> {
        let mut words = command.split_whitespace();
        let Some(word) = words.next() else {
            return Err(("`-- +migrate` says nothing", "write `-- +migrate Up` or `-- +migrate Down`"));
        };
        let direction = match word {
            "Up" => Direction::Up,
            "Down" => Direction::Down,
            "StatementBegin" => {
                self.in_block |= self.direction.is_some();
                return Ok(false);
            }
            "StatementEnd" => return Ok(std::mem::take(&mut self.in_block)),
            _ => return Ok(false),
        };
        if !self.buffer.trim().is_empty() {
            return Err(NOT_ENDED);
        }
        self.direction = Some(direction);
        let side = self.side(direction);
        side.no_transaction |= words.any(|option| option == "notransaction");
        side.part.get_or_insert(Span::new(line.start, line.start));
        Ok(false)
    }

    fn end_statement(&mut self, direction: Direction) {
        let text = self.buffer.trim().to_owned();
        self.buffer.clear();
        if let Some(span) = self.span.take().filter(|_| !is_only_comments(&text)) {
            self.side(direction).statements.push(GivenStatement { text, span });
        }
    }
}

const NOT_ENDED: (&str, &str) = (
    "the statement above is not ended, and sql-migrate stops at it",
    "end its last line with `;`, or put it between `-- +migrate StatementBegin` and `-- +migrate StatementEnd`",
);

fn migration(
    path: &str,
    stem: &str,
    text: &Arc<str>,
    options: &ReadOptions,
) -> Result<Migration, SourceProblem> {
    let mut parse = Parse::default();
    let mut last = 1;
    for line in lines(text) {
        last = line.number;
        if parse.direction.is_none() && is_first_marker(line.text) && !is_only_comments(&text[..line.start]) {
            let what = "has statements that are not run: they stand above the first `-- +migrate`";
            parse.warnings.push(SourceProblem::new(path, what).on_line(1).with_help("move them down"));
        }
        if is_nearly_marker(line.text) {
            let what = format!("sql-migrate does not see `{}`", line.text.trim());
            let help = "write it as `-- +migrate Up` or `-- +migrate Down`, at the start of its line";
            parse.warnings.push(SourceProblem::new(path, what).on_line(line.number).with_help(help));
        }
        parse
            .line(&line)
            .map_err(|(what, help)| SourceProblem::new(path, what).on_line(line.number).with_help(help))?;
    }
    let wrong = |what: &str, help: &str| Err(SourceProblem::new(path, what).on_line(last).with_help(help));
    if parse.in_block {
        return wrong(
            "`-- +migrate StatementBegin` has no `StatementEnd`",
            "write `-- +migrate StatementEnd` where the statement ends",
        );
    }
    if parse.direction.is_none() {
        return Err(SourceProblem::new(path, "has no `-- +migrate Up`")
            .with_help("write it above what brings the database forward"));
    }
    if !parse.buffer.trim().is_empty() {
        return wrong(NOT_ENDED.0, NOT_ENDED.1);
    }
    let dialect = options.dialect.unwrap_or(Dialect::Postgres);
    let script = |side: &Side, from: usize| {
        let part = side.part.unwrap_or_default();
        let found = statements(side.statements.clone(), text, dialect, !side.no_transaction);
        let mut script = given_part(path, text, part, from, found);
        script.transaction &= !side.no_transaction;
        script
    };
    let up = script(&parse.up, 0);
    let down = parse.down.part.map(|part| script(&parse.down, part.start));
    let name = leading_digits(stem).1.trim_start_matches(['-', '_']);
    let name = if name.is_empty() { stem } else { name };
    let mut migration = versioned(stem.to_owned(), name, up, down);
    migration.warnings = parse.warnings;
    for side in [&parse.up, &parse.down] {
        let begin = "-- +migrate StatementBegin";
        migration.warnings.extend(cut_warnings(path, &side.statements, text, dialect, begin));
    }
    Ok(migration)
}

/// Whether a line starts a direction.
fn is_first_marker(line: &str) -> bool {
    line.strip_prefix(COMMAND)
        .is_some_and(|command| ["Up", "Down"].iter().any(|word| command.starts_with(word)))
}

/// Whether a line is meant as a marker and is not seen as one.
fn is_nearly_marker(line: &str) -> bool {
    let Some(comment) = line.trim_start().strip_prefix("--") else { return false };
    let Some(word) = comment.trim_start().strip_prefix('+') else { return false };
    let mut words = word.split_whitespace();
    let is_marker = words.next().is_some_and(|word| word.eq_ignore_ascii_case("migrate"))
        && words.next().is_some_and(|word| ["up", "down"].contains(&word.to_ascii_lowercase().as_str()));
    is_marker && !["-- +migrate Up", "-- +migrate Down"].iter().any(|marker| line.starts_with(marker))
}

#[cfg(test)]
mod tests {
    use crate::source::format::testing::{check, check_new, detected};

    #[test]
    fn statements_end_at_lines_or_at_blocks() {
        let files = [
            "20170426-init.sql: -- note\n-- +migrate Up\n-- dropped\ncreate table a (\n\n  id int); -- x\n\
             insert into a values (1); insert into a values (2);\n\
             -- +migrate StatementBegin\ncreate function f() as $$\n-- lost\nbegin;\nend $$;\n-- +migrate StatementEnd\n\
             -- +migrate Down notransaction\ndrop table a;",
        ];
        check(
            "sql-migrate",
            &files,
            "20170426-init init: 20170426-init.sql [\"create table a (\\n\\n  id int)\", \
             \"insert into a values (1)\", \"insert into a values (2)\", \
             \"create function f() as $$\\nbegin;\\nend $$\"] | \
             20170426-init.sql [\"drop table a\"] (no transaction)",
        );
        assert_eq!(detected(&files), "sql-migrate");
    }

    #[test]
    fn a_body_without_a_block_is_taken_as_one() {
        check(
            "sql-migrate",
            &[
                "1.sql: -- +migrate Up\nselect 0;\ncreate function f() as $$\nbegin;\n-- kept\nend $$;\nselect 1;",
            ],
            "1 1: 1.sql [\"select 0\", \"create function f() as $$\\nbegin;\\n-- kept\\nend $$\", \"select 1\"]\n\
             warning: 1.sql:3: a `;` at the end of a line cuts this statement in two; it is taken as one",
        );
    }

    #[test]
    fn numbers_come_before_names() {
        let up = |name: &str| format!("{name}: -- +migrate Up\nselect 1;");
        let files = ["b.sql", "10_c.sql", "9_d.sql", "009_a.sql"].map(up);
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        check(
            "sql-migrate",
            &files,
            "009_a a: 009_a.sql [\"select 1\"]\n9_d d: 9_d.sql [\"select 1\"]\n\
             10_c c: 10_c.sql [\"select 1\"]\nb b: b.sql [\"select 1\"]",
        );
    }

    #[test]
    fn directions_may_come_in_turns() {
        check(
            "sql-migrate",
            &["1.sql: -- +migrate Up\nselect 1;\n-- +migrate Down\nselect -1;\n-- +migrate Up\nselect 2;"],
            "1 1: 1.sql [\"select 1\", \"select 2\"] | 1.sql [\"select -1\"]",
        );
    }

    #[test]
    fn what_sql_migrate_does_not_see() {
        check(
            "sql-migrate",
            &["1.sql: select 0;\n-- +migrate Up\nselect 1;\n --+migrate down\nselect -1;"],
            "1 1: 1.sql [\"select 1\", \"select -1\"]\n\
             warning: 1.sql:1: has statements that are not run: they stand above the first `-- +migrate`\n\
             warning: 1.sql:4: sql-migrate does not see `--+migrate down`",
        );
    }

    #[test]
    fn what_sql_migrate_stops_at() {
        check(
            "sql-migrate",
            &[
                "1.sql: -- +migrate Up\nselect 1\n-- +migrate Down\n",
                "2.sql: -- +migrate Up\nselect 1",
                "3.sql: -- +migrate Up\n-- +migrate StatementBegin\nselect 1;",
                "4.sql: select 1;",
                "5.sql: -- +migrate \n",
                "9223372036854775808.sql: -- +migrate Up\n",
            ],
            "error: 1.sql:3: the statement above is not ended, and sql-migrate stops at it\n\
             error: 2.sql:2: the statement above is not ended, and sql-migrate stops at it\n\
             error: 3.sql:3: `-- +migrate StatementBegin` has no `StatementEnd`\n\
             error: 4.sql: has no `-- +migrate Up`\n\
             error: 5.sql:1: `-- +migrate` says nothing\n\
             error: 9223372036854775808.sql: has a number that is too large: 9223372036854775808",
        );
    }

    #[test]
    fn new_files() {
        check_new("sql-migrate", &["20170426134008-init.sql: -- +migrate Up\n"], "20260301115959-new.sql");
    }
}
