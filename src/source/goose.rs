//! goose: one file for both directions, under `-- +goose Up` and `-- +goose Down`
//! (<https://github.com/pressly/goose/blob/main/internal/sqlparser/parser.go>).
//!
//! Both directions run in one transaction with their row of history, unless `-- +goose NO TRANSACTION` stands
//! anywhere in the file. Each statement is sent by itself; what stands between `StatementBegin` and `StatementEnd`
//! is one, whatever it holds. `ENVSUB ON` puts variables in; there `$$` becomes `$`.

mod envsub;
mod parse;

use super::export::{Written, WrittenScript};
use super::format::{Folder, Format, NewFile, NewMigration, ReadOptions};
use super::names::{is_code, leading_digits, seems_sql};
use super::pieces::{cut_warnings, statements};
use super::reading::{Reading, given_part, lines, text, versioned};
use super::{Migration, SourceFile, SourceProblem};
use crate::dialect::Dialect;
use parse::{Parse, is_annotation};
use std::collections::BTreeMap;
use std::sync::Arc;

/// goose.
pub struct Goose;

/// What the name of a file says.
enum Entry<'a> {
    Migration {
        version: i64,
        digits: &'a str,
        name: &'a str,
    },
    Code,
    /// goose leaves it out.
    Other,
    /// goose stops at it: why.
    Wrong(&'static str),
}

impl Format for Goose {
    fn id(&self) -> &'static str {
        "goose"
    }

    fn title(&self) -> &'static str {
        "goose: VERSION_name.sql with `-- +goose Up` and `-- +goose Down`"
    }

    fn detect(&self, files: &[&SourceFile]) -> u8 {
        let is_marked = |file: &&&SourceFile| {
            file.path.ends_with(".sql")
                && !file.path.contains('/')
                && text(file).is_some_and(|text| text.lines().any(is_annotation))
        };
        if files.iter().any(|file| is_marked(&file)) { 95 } else { 0 }
    }

    fn needs_whole_files(&self) -> bool {
        true
    }

    fn read(&self, files: &[&SourceFile], options: &ReadOptions) -> Result<Folder, Vec<SourceProblem>> {
        let mut reading = Reading::default();
        let mut found: BTreeMap<i64, (&SourceFile, &str, &str)> = BTreeMap::new();
        for file in files {
            match entry(&file.path) {
                Entry::Migration { version, digits, name } => {
                    if let Some((first, ..)) = found.get(&version) {
                        let what = format!("has the same version as `{}`: {version}", first.path);
                        reading.problem(&file.path, what, "give one of them another version");
                    } else {
                        found.insert(version, (file, digits, name));
                    }
                }
                Entry::Code => reading.code(&file.path),
                Entry::Wrong(why) => reading.problem(
                    &file.path,
                    format!("{why}, and goose stops at it"),
                    "rename it to `VERSION_name.sql`, or move it out of the folder",
                ),
                Entry::Other if seems_sql(&file.path) => {
                    let why = "runs only `.sql` files directly in the folder";
                    reading.skipped(&file.path, "goose", why, "rename it, or move it out of the folder");
                }
                Entry::Other => {}
            }
        }
        for (file, digits, name) in found.into_values() {
            let Some(text) = reading.whole_text(file) else { continue };
            match migration(&file.path, digits, name, &text, options) {
                Ok(migration) => reading.migrations.push(migration),
                Err(problem) => reading.problems.push(problem),
            }
        }
        reading.finish(self.id())
    }

    fn written(&self, migration: &Written<'_>) -> Vec<NewFile> {
        let pieces =
            |script: &WrittenScript| script.in_pieces("-- +goose StatementBegin", "-- +goose StatementEnd");
        let mark = if migration.up.transaction { "" } else { "-- +goose NO TRANSACTION\n" };
        let mut text = format!("{mark}-- +goose Up\n{}", pieces(&migration.up));
        if let Some(down) = &migration.down {
            text.push_str(&format!("\n-- +goose Down\n{}", pieces(down)));
        }
        self.new_files(&migration.new)
            .into_iter()
            .map(|file| NewFile { text: text.clone(), ..file })
            .collect()
    }

    fn new_files(&self, new: &NewMigration<'_>) -> Vec<NewFile> {
        let path = format!("{}_{}.sql", new.version, new.name);
        vec![NewFile { path, text: "-- +goose Up\n\n\n-- +goose Down\n\n".to_owned() }]
    }
}

fn entry(path: &str) -> Entry<'_> {
    let is_sql = path.ends_with(".sql");
    if path.contains('/') || !is_sql && !path.ends_with(".go") || path.ends_with("_test.go") {
        return Entry::Other;
    }
    let (digits, rest) = leading_digits(path);
    let parsed = match (rest.strip_prefix('_'), digits.parse::<i64>()) {
        (None, _) => Err("has no `_` behind its version"),
        (Some(_), Err(_)) => Err("has no version that fits into 64 bits"),
        (Some(_), Ok(0)) => Err("has the version 0"),
        (Some(name), Ok(version)) => Ok((version, name)),
    };
    match parsed {
        Ok((version, name)) if is_sql => {
            Entry::Migration { version, digits, name: name.strip_suffix(".sql").unwrap_or(name) }
        }
        Ok(_) if is_code(path) => Entry::Code,
        Err(why) if is_sql => Entry::Wrong(why),
        Ok(_) | Err(_) => Entry::Other,
    }
}

fn migration(
    path: &str,
    digits: &str,
    name: &str,
    text: &Arc<str>,
    options: &ReadOptions,
) -> Result<Migration, SourceProblem> {
    let parse = Parse::of(text, options)
        .map_err(|(line, what, help)| SourceProblem::new(path, what).on_line(line).with_help(help))?;
    let dialect = options.dialect.unwrap_or(Dialect::Postgres);
    let begin = "-- +goose StatementBegin";
    let cut: Vec<_> = [&parse.up, &parse.down]
        .into_iter()
        .flat_map(|pieces| cut_warnings(path, pieces, text, dialect, begin))
        .collect();
    let pieces = |found| statements(found, text, dialect, !parse.no_transaction);
    let mut up = given_part(path, text, parse.up_part, 0, pieces(parse.up));
    up.transaction &= !parse.no_transaction;
    let mut warnings: Vec<_> = lines(text)
        .filter(|line| !is_annotation(line.text) && is_annotation(&line.text.to_ascii_lowercase()))
        .map(|line| {
            SourceProblem::new(path, format!("goose does not see `{}`", line.text.trim()))
                .on_line(line.number)
                .with_help("write `+goose` in lower case")
        })
        .collect();
    let down = match (parse.down_part, parse.down_unfinished) {
        (Some(_), Some(line)) => {
            warnings.push(
                SourceProblem::new(
                    path,
                    "the last statement of the way back is not ended: goose stops there",
                )
                .on_line(line)
                .with_help("end it with `;` at the end of its line"),
            );
            None
        }
        (Some(part), None) => {
            let mut down = given_part(path, text, part, part.start, pieces(parse.down));
            down.transaction &= !parse.no_transaction;
            Some(down)
        }
        (None, _) => None,
    };
    let mut migration = versioned(digits.to_owned(), name, up, down);
    warnings.extend(cut);
    migration.warnings = warnings;
    Ok(migration)
}

#[cfg(test)]
mod tests {
    use crate::source::ReadOptions;
    use crate::source::format::testing::{check, check_new, check_with, detected};

    #[test]
    fn statements_end_at_lines_or_at_blocks() {
        let files = [
            "00001_a.sql: -- note\n\n-- +goose Up\n-- why\ncreate table a (\n-- kept\n id int); -- x\n\
             select 1; select 2;\n-- +goose statementbegin\n-- dropped\ncreate function f() as $$\n  -- kept\n begin;\n\
             end $$;\n-- +goose StatementEnd\n-- +goose Down\ndrop table a;\r\ndrop function\r\n f;\r\n",
        ];
        check(
            "goose",
            &files,
            "00001 a: 00001_a.sql [\"create table a (\\n-- kept\\n id int)\", \"select 1\", \"select 2\", \
             \"create function f() as $$\\n  -- kept\\n begin;\\nend $$\"] | \
             00001_a.sql [\"drop table a\", \"drop function\\n f\"]",
        );
        assert_eq!(detected(&files), "goose");
    }

    #[test]
    fn no_transaction_counts_for_both_directions() {
        check(
            "goose",
            &[
                "1_a.sql: -- +goose Up\nselect 1;\n-- +goose Down\n-- +goose NO TRANSACTION\nselect 2;",
                "10_b.sql: -- +goose Up\n-- +goose StatementBegin\n-- +goose StatementEnd\n\n-- +goose Down\nselect 3;",
            ],
            "1 a: 1_a.sql [\"select 1\"] (no transaction) | 1_a.sql [\"select 2\"] (no transaction)\n\
             10 b: 10_b.sql [] | 10_b.sql [\"select 3\"]",
        );
    }

    #[test]
    fn what_goose_stops_at() {
        check(
            "goose",
            &[
                "1_a.sql: select 1;",
                "2_b.sql: -- +goose Up\n-- +goose Up\n",
                "3_c.sql: -- +goose Up\nselect 1\n-- +goose Down\n",
                "4_d.sql: -- +goose Up\nselect 1",
                "5_e.sql: -- +goose Up\n -- +goose Down\n",
                "6_f.sql: -- +goose Up\n-- +goose StatementBegin\nselect 1;",
                "7_g.sql: -- +goose Up\n-- see +goose docs\n",
                "8_h.sql: -- +goose Down\n",
                "12_i.sql: -- +goose Up\n-- +goose StatementEnd\n",
                "9_n.sql: -- +goose Up",
                "10_j.sql: -- +goose Up\n-- +goose StatementBegin\n-- +goose StatementEnd\n\nselect 1;\n",
                "seed.sql",
                "0_k.sql",
                "11_l.go",
                "09_m.sql: -- +goose Up",
            ],
            "error: 0_k.sql: has the version 0, and goose stops at it\n\
             error: 10_j.sql:5: is lost: goose leaves out the line behind an empty block\n\
             error: 11_l.go: is a migration in code, which only its own tool can run\n\
             error: 12_i.sql:2: has no `-- +goose StatementBegin`\n\
             error: 1_a.sql:1: has statements above `-- +goose Up`\n\
             error: 2_b.sql:2: is a second `-- +goose Up`\n\
             error: 3_c.sql:3: the statement above is not ended, and goose stops at it\n\
             error: 4_d.sql:2: the statement above is not ended, and goose stops at it\n\
             error: 5_e.sql:2: stands behind a blank, and goose stops at it\n\
             error: 6_f.sql:3: `-- +goose StatementBegin` has no `StatementEnd`\n\
             error: 7_g.sql:2: is no instruction of goose, which stops at it\n\
             error: 8_h.sql:1: stands above `-- +goose Up`\n\
                          error: 9_n.sql: has the same version as `09_m.sql`: 9\n\
             error: seed.sql: has no `_` behind its version, and goose stops at it",
        );
    }

    #[test]
    fn capitals_hide_an_instruction() {
        check(
            "goose",
            &["1_a.sql: -- +goose UP\nselect 1;\n-- +Goose Down\nselect 2;"],
            "1 a: 1_a.sql [\"select 1\", \"select 2\"]\n\
             warning: 1_a.sql:3: goose does not see `-- +Goose Down`",
        );
    }

    #[test]
    fn a_way_back_that_is_not_ended_is_none() {
        check(
            "goose",
            &["1_a.sql: -- +goose Up\nselect 1;\n-- +goose Down\nselect 2"],
            "1 a: 1_a.sql [\"select 1\"]\n\
             warning: 1_a.sql:4: the last statement of the way back is not ended: goose stops there",
        );
    }

    #[test]
    fn variables_are_put_in_where_that_is_on() {
        let file = "1_a.sql: -- +goose Up\nselect '${A}';\n-- +goose ENVSUB ON\nselect '${A}$A', '${B:-b}', '$$x';\n\
                    -- +goose ENVSUB OFF\nselect '$A';";
        let mut options = ReadOptions::default();
        check_with("goose", &[file], &options, "error: 1_a.sql:4: needs the variable `A`");
        options.variables.insert("A".to_owned(), "1".to_owned());
        check_with(
            "goose",
            &[file],
            &options,
            "1 a: 1_a.sql [\"select '${A}'\", \"select '11', 'b', '$x'\", \"select '$A'\"]",
        );
    }

    #[test]
    fn new_files() {
        check_new("goose", &["00007_a.sql: -- +goose Up\n"], "00008_new.sql");
    }
}
