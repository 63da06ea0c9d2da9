//! sqlx: `VERSION_name.sql`, or `VERSION_name.up.sql` with `VERSION_name.down.sql`
//! (<https://github.com/launchbadge/sqlx/blob/main/sqlx-core/src/migrate/source.rs>).
//!
//! A file runs in one transaction together with its row of history, unless its very first bytes are
//! `-- no-transaction`: a byte order mark, a comment or a blank in front of that, and sqlx does not see it. Without
//! a transaction sqlx still sends the file in one piece, which PostgreSQL runs in a transaction of its own where it
//! holds several statements; here each of them is by itself, as the author wanted.

use super::format::{Folder, Format, NewFile, NewMigration, ReadOptions, shape_score};
use super::names::{leading_digits, seems_sql};
use super::one_piece;
use super::pairs::{Half, Pair, pairs};
use super::reading::{Direction, Reading, text, versioned};
use super::{Migration, Script, SourceFile, SourceProblem};
use crate::text::LineIndex;

/// sqlx.
pub struct Sqlx;

/// What a file starts with that is to run without a transaction.
const NO_TRANSACTION: &str = "-- no-transaction";

/// What `sqlx migrate add` writes.
const TEMPLATES: [&str; 3] =
    ["-- Add migration script here", "-- Add up migration script here", "-- Add down migration script here"];

/// What the name of a file says.
enum Entry<'a> {
    Migration {
        version: i64,
        digits: &'a str,
        name: &'a str,
        direction: Direction,
    },
    /// sqlx leaves it out.
    Other,
    /// sqlx stops.
    Wrong,
}

impl Format for Sqlx {
    fn id(&self) -> &'static str {
        "sqlx"
    }

    fn title(&self) -> &'static str {
        "sqlx: VERSION_name.sql, or VERSION_name.up.sql and VERSION_name.down.sql"
    }

    fn detect(&self, files: &[&SourceFile]) -> u8 {
        let mut fitting = 0;
        let mut misfitting = 0;
        let mut own = false;
        let mut own_numbering = true;
        let mut impossible = false;
        for file in files {
            let digits = match entry(&file.path) {
                Entry::Migration { digits, .. } => digits,
                Entry::Wrong => {
                    impossible = true;
                    continue;
                }
                Entry::Other => {
                    misfitting += usize::from(seems_sql(&file.path));
                    continue;
                }
            };
            fitting += 1;
            // What `sqlx migrate add` gives.
            own_numbering &= matches!(digits.len(), 4 | 14);
            let text = text(file).unwrap_or("");
            own |= text.starts_with(NO_TRANSACTION);
            own |= TEMPLATES.iter().any(|template| text.starts_with(template));
            impossible |= one_piece::is_refused_in_transaction(file);
        }
        let score = if own_numbering { 48 } else { 38 };
        match shape_score(score, fitting, misfitting) {
            0 => 0,
            _ if own => 88,
            _ if impossible => 3,
            score => score,
        }
    }

    fn read(&self, files: &[&SourceFile], _: &ReadOptions) -> Result<Folder, Vec<SourceProblem>> {
        let mut reading = Reading::default();
        let mut halves = Vec::new();
        for file in files {
            match entry(&file.path) {
                Entry::Migration { version, digits, name, direction } => {
                    halves.push((version, Half { file, version: digits.to_owned(), name, direction }));
                }
                Entry::Wrong => reading.problem(
                    &file.path,
                    "does not start with a number, and sqlx stops at it",
                    format!(
                        "rename it to `VERSION_name.sql` (at most {}), or move it out of the folder",
                        i64::MAX
                    ),
                ),
                Entry::Other if seems_sql(&file.path) => {
                    let why = "runs only VERSION_name.sql, directly in the folder";
                    reading.skipped(&file.path, "sqlx", why, "rename it, or move it out of the folder");
                }
                Entry::Other => {}
            }
        }
        for pair in pairs(halves, "sqlx", &mut reading) {
            let migration = migration(&pair, &mut reading);
            reading.migrations.extend(migration);
        }
        reading.finish(self.id())
    }

    fn no_transaction_mark(&self) -> &'static str {
        "-- no-transaction\n"
    }

    fn new_files(&self, new: &NewMigration<'_>) -> Vec<NewFile> {
        if new.down {
            return new.up_and_down_files(
                "-- Add up migration script here\n",
                "-- Add down migration script here\n",
            );
        }
        let path = format!("{}_{}.sql", new.version, new.name);
        vec![NewFile { path, text: "-- Add migration script here\n".to_owned() }]
    }
}

fn entry(path: &str) -> Entry<'_> {
    if path.contains('/') {
        return Entry::Other;
    }
    let Some((prefix, rest)) = path.split_once('_').filter(|(_, rest)| rest.ends_with(".sql")) else {
        return Entry::Other;
    };
    let (digits, behind) = leading_digits(prefix);
    let Some(version) = digits.parse().ok().filter(|_| behind.is_empty()) else { return Entry::Wrong };
    let (suffix, direction) = if rest.ends_with(".up.sql") {
        (".up.sql", Direction::Up)
    } else if rest.ends_with(".down.sql") {
        (".down.sql", Direction::Down)
    } else {
        (".sql", Direction::Up)
    };
    Entry::Migration { version, digits, name: rest.trim_end_matches(suffix), direction }
}

fn migration(pair: &Pair<'_>, reading: &mut Reading) -> Option<Migration> {
    let mut warnings = Vec::new();
    let up = script(pair.up.file, reading, &mut warnings)?;
    let down = pair.down.as_ref().and_then(|down| script(down.file, reading, &mut warnings));
    let mut migration = versioned(pair.up.version.clone(), pair.up.name, up, down);
    migration.warnings = warnings;
    Some(migration)
}

fn script(file: &SourceFile, reading: &mut Reading, warnings: &mut Vec<SourceProblem>) -> Option<Script> {
    let mut script = reading.sql_file(file)?;
    let start = text(file).unwrap_or("");
    let Some(line) = start.lines().position(is_meant_as_marker) else { return Some(script) };
    if line == 0 && start.starts_with(NO_TRANSACTION) && !file.byte_order_mark {
        script.transaction = false;
        return Some(script);
    }
    let why = if line == 0 && file.byte_order_mark {
        "a byte order mark stands in front of it"
    } else {
        "it is not the very first thing in the file"
    };
    let lines = LineIndex::new(start);
    let what = format!("sqlx does not see `{}`: {why}", lines.line_text(start, line + 1).trim());
    let help = "if it shall run without a transaction, make `-- no-transaction` the first bytes of the file";
    if script.transaction {
        warnings.push(SourceProblem::new(&file.path, what).on_line(line + 1).with_help(help));
    }
    Some(script)
}

/// Whether the author of a line seems to have wanted no transaction.
fn is_meant_as_marker(line: &str) -> bool {
    let comment = line.trim().strip_prefix("--").unwrap_or("").trim_start().to_ascii_lowercase();
    comment.starts_with("no-transaction") || comment == "no transaction"
}

#[cfg(test)]
mod tests {
    use crate::source::format::testing::{check, check_new, detected};

    #[test]
    fn it_is_told_by_its_own_words_and_numbers() {
        assert_eq!(detected(&["20260301115959_a.sql"]), "sqlx");
        assert_eq!(detected(&["1_a.up.sql: -- Add up migration script here\n"]), "sqlx");
        assert_eq!(detected(&["1_a.sql: -- no-transaction\nvacuum;"]), "sqlx");
        assert_eq!(detected(&["001_a.sql", "schema_dump.sql"]), "numbered");
    }

    #[test]
    fn new_files() {
        check_new("sqlx", &["0001_a.sql"], "0002_new.up.sql\n0002_new.down.sql");
    }

    #[test]
    fn simple_and_reversible_files_stand_side_by_side() {
        check(
            "sqlx",
            &["2_b.up.sql", "2_b.down.sql", "10_c.sql.up.sql", "1_a_b.sql", "seed.sql", "mod.rs"],
            "1 a_b: 1_a_b.sql\n2 b: 2_b.up.sql | 2_b.down.sql\n10 c.sql: 10_c.sql.up.sql\n\
             warning: seed.sql: is not run: sqlx runs only VERSION_name.sql, directly in the folder",
        );
    }

    #[test]
    fn no_transaction_is_the_first_bytes() {
        check(
            "sqlx",
            &[
                "1_a.sql: -- no-transaction\ncreate index concurrently i on t (a);",
                "2_b.sql: \n-- no-transaction\nselect 1;",
                "3_c.sql: \u{feff}-- no-transaction\nselect 1;",
                "4_d.sql: -- why\n--No-Transaction\nselect 1;",
                "5_e.sql: -- twostep: no-transaction\nselect 1;",
            ],
            "1 a: 1_a.sql (no transaction)\n2 b: 2_b.sql\n\
             warning: 2_b.sql:2: sqlx does not see `-- no-transaction`: it is not the very first thing in the file\n\
             3 c: 3_c.sql\n\
             warning: 3_c.sql:1: sqlx does not see `-- no-transaction`: a byte order mark stands in front of it\n\
             4 d: 4_d.sql\n\
             warning: 4_d.sql:2: sqlx does not see `--No-Transaction`: it is not the very first thing in the file\n\
             5 e: 5_e.sql (no transaction)",
        );
    }

    #[test]
    fn sqlx_stops_at_other_names() {
        check(
            "sqlx",
            &["a_b.sql", "9223372036854775808_c.sql", "1_a.sql", "01_b.up.sql", "3_d.down.sql"],
            "error: 1_a.sql: has the same version as `01_b.up.sql`: 01\n\
             error: 9223372036854775808_c.sql: does not start with a number, and sqlx stops at it\n\
             error: a_b.sql: does not start with a number, and sqlx stops at it",
        );
        check(
            "sqlx",
            &["1_a.sql", "3_d.down.sql"],
            "1 a: 1_a.sql\nwarning: 3_d.down.sql: is not run: sqlx finds no up file of its version",
        );
    }
}
