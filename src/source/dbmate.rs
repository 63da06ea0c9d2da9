//! dbmate: one file for both directions, under `-- migrate:up` and `-- migrate:down`
//! (<https://github.com/amacneil/dbmate/blob/main/pkg/dbmate/migration.go>).
//!
//! Files run in the order of their names, not of their numbers: `10_b.sql` before `9_a.sql`. Each direction runs in
//! one transaction with its row of history, unless its marker says `transaction:false`.

use super::export::{Written, WrittenScript};
use super::format::{Folder, Format, NewFile, NewMigration, ReadOptions};
use super::names::{leading_digits, number, seems_sql};
use super::reading::{Line, Reading, is_only_comments, lines, sql_part, text, versioned};
use super::{Migration, Script, SourceFile, SourceProblem};
use crate::text::Span;
use std::collections::BTreeMap;
use std::sync::Arc;

/// dbmate.
pub struct Dbmate;

/// A `-- migrate:…` line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Marker {
    line: usize,
    start: usize,
    is_up: bool,
    transaction: bool,
    /// Its option `transaction` is neither true nor false, so that dbmate takes it for true.
    is_unclear: bool,
    /// Stands at the start of its line, where dbmate sees it.
    is_seen: bool,
}

impl Format for Dbmate {
    fn id(&self) -> &'static str {
        "dbmate"
    }

    fn title(&self) -> &'static str {
        "dbmate: VERSION_name.sql with `-- migrate:up` and `-- migrate:down`"
    }

    fn detect(&self, files: &[&SourceFile]) -> u8 {
        let marked = |file: &&&SourceFile| {
            text(file).is_some_and(|text| markers(text).iter().any(|marker| marker.is_up && marker.is_seen))
        };
        if files.iter().filter(|file| version(&file.path).is_some()).any(|file| marked(&file)) {
            95
        } else {
            0
        }
    }

    fn needs_whole_files(&self) -> bool {
        true
    }

    fn read(&self, files: &[&SourceFile], _: &ReadOptions) -> Result<Folder, Vec<SourceProblem>> {
        let mut reading = Reading::default();
        let mut versions: BTreeMap<&str, &str> = BTreeMap::new();
        // They come in the order of their names.
        for file in files {
            let Some((digits, name)) = version(&file.path) else {
                if seems_sql(&file.path) {
                    let why =
                        "runs only names that start with digits and end in `.sql`, directly in the folder";
                    reading.skipped(&file.path, "dbmate", why, "rename it, or move it out of the folder");
                }
                continue;
            };
            if let Some(first) = versions.insert(digits, &file.path) {
                let what = format!("has the same version as `{first}`: {digits}");
                reading.problem(&file.path, what, "give one of them another version");
            }
            let Some(text) = reading.whole_text(file) else { continue };
            match migration(&file.path, &text, digits, name) {
                Ok(migration) => reading.migrations.push(migration),
                Err(problem) => reading.problems.push(problem),
            }
        }
        warn_of_order(&mut reading.migrations);
        reading.finish(self.id())
    }

    fn written(&self, migration: &Written<'_>) -> Vec<NewFile> {
        let option = |script: &WrittenScript| if script.transaction { "" } else { " transaction:false" };
        let mut text = format!("-- migrate:up{}\n{}\n", option(&migration.up), migration.up.text);
        match &migration.down {
            Some(down) => text.push_str(&format!("-- migrate:down{}\n{}", option(down), down.text)),
            None => text.push_str("-- migrate:down\n"),
        }
        self.new_files(&migration.new)
            .into_iter()
            .map(|file| NewFile { text: text.clone(), ..file })
            .collect()
    }

    fn new_files(&self, new: &NewMigration<'_>) -> Vec<NewFile> {
        let path = format!("{}_{}.sql", new.version, new.name);
        vec![NewFile { path, text: "-- migrate:up\n\n\n-- migrate:down\n\n".to_owned() }]
    }
}

/// Version and name in a file name: `^(\d+).*\.sql$`.
fn version(path: &str) -> Option<(&str, &str)> {
    let (digits, rest) = leading_digits(path);
    let name = rest.strip_suffix(".sql").filter(|_| !digits.is_empty() && !rest.contains('/'))?;
    Some((digits, name.strip_prefix(['_', '-']).unwrap_or(name)))
}

/// All lines that are, or seem to be meant as, markers.
fn markers(text: &str) -> Vec<Marker> {
    lines(text).filter_map(marker).collect()
}

/// `^--\s*migrate:(up|down)(\s*$|\s+\S+)`, or the same behind a blank, where dbmate does not see it.
fn marker(line: Line<'_>) -> Option<Marker> {
    let word = line.text.trim_start().strip_prefix("--")?.trim_start().strip_prefix("migrate:")?;
    let (is_up, options) = match word.strip_prefix("up") {
        Some(rest) => (true, rest),
        None => (false, word.strip_prefix("down")?),
    };
    if options.starts_with(|first: char| !first.is_whitespace()) {
        return None;
    }
    // The last one counts, and only pairs of two do.
    let transaction = options
        .split_whitespace()
        .filter_map(|option| option.split_once(':').filter(|(_, value)| !value.contains(':')))
        .rfind(|(key, _)| *key == "transaction");
    Some(Marker {
        line: line.number,
        start: line.start,
        is_up,
        transaction: transaction.is_none_or(|(_, value)| value != "false"),
        is_unclear: transaction.is_some_and(|(_, value)| !matches!(value, "false" | "true")),
        is_seen: line.text.starts_with("--"),
    })
}

fn migration(path: &str, text: &Arc<str>, digits: &str, name: &str) -> Result<Migration, SourceProblem> {
    let problem = |line: Option<usize>, what: &str, help: &str| {
        let problem = SourceProblem::new(path, what).with_help(help);
        line.map_or(problem.clone(), |line| problem.on_line(line))
    };
    let all = markers(text);
    let seen: Vec<Marker> = all.iter().copied().filter(|marker| marker.is_seen).collect();
    let ups: Vec<Marker> = seen.iter().copied().filter(|marker| marker.is_up).collect();
    let Some(up) = ups.first() else {
        return Err(problem(
            None,
            "has no `-- migrate:up`",
            "write it above what brings the database forward",
        ));
    };
    if let Some(second) = ups.get(1) {
        return Err(problem(
            Some(second.line),
            "is a second `-- migrate:up`: dbmate marks the file as applied after the first, and fails",
            "make a file of its own of it",
        ));
    }
    if !is_only_comments(&text[..up.start]) {
        return Err(problem(None, "has statements above `-- migrate:up`", "move them below it"));
    }
    let mut warnings = Vec::new();
    let down = match seen.iter().find(|marker| !marker.is_up) {
        Some(down) => *down,
        None => {
            let meant = all.iter().find(|marker| !marker.is_up && !marker.is_seen);
            let down = meant.ok_or_else(|| {
                problem(
                    None,
                    "has no `-- migrate:down`, which dbmate demands",
                    "write it at the end, if only that",
                )
            })?;
            warnings.push(problem(
                Some(down.line),
                "dbmate does not see `-- migrate:down` behind a blank, and refuses the file; it is taken as meant",
                "move it to the start of its line",
            ));
            *down
        }
    };
    if down.start < up.start {
        return Err(problem(Some(down.line), "`-- migrate:down` stands above `-- migrate:up`", "swap them"));
    }
    if let Some(second) = seen.iter().filter(|marker| !marker.is_up).nth(1) {
        return Err(problem(Some(second.line), "is a second `-- migrate:down`", "put the two together"));
    }
    for unclear in [*up, down].iter().filter(|marker| marker.is_unclear) {
        warnings.push(problem(
            Some(unclear.line),
            "its option `transaction` is neither true nor false, and dbmate takes it for true",
            "write `transaction:false` or `transaction:true`",
        ));
    }
    let mut migration = versioned(
        digits.to_owned(),
        name,
        // Comments above the marker belong to the up.
        part(path, text, Span::new(0, down.start), up.transaction),
        Some(part(path, text, Span::new(down.start, text.len()), down.transaction)),
    );
    migration.warnings = warnings;
    Ok(migration)
}

/// Names are ordered as text, so that `10_b.sql` runs before `9_a.sql`.
fn warn_of_order(migrations: &mut [Migration]) {
    let order = |one: &Migration| number(one.version.as_str());
    for at in 1..migrations.len() {
        let (before, here) = (&migrations[at - 1], &migrations[at]);
        if order(before) > order(here) {
            let what = format!("runs before `{}`: dbmate goes by the names as text", here.up.path);
            let warning = SourceProblem::new(&before.up.path, what)
                .with_help("give both numbers the same count of digits");
            migrations[at - 1].warnings.push(warning);
        }
    }
}

fn part(path: &str, text: &Arc<str>, span: Span, transaction: bool) -> Script {
    let mut script = sql_part(path, text, span);
    script.transaction &= transaction;
    script
}

#[cfg(test)]
mod tests {
    use crate::source::format::testing::{check, check_new, detected};

    #[test]
    fn the_order_is_that_of_the_names() {
        let files = [
            "9_a.sql: -- migrate:up\nselect 9;\n-- migrate:down\n",
            "10-b.sql: -- why\n--migrate:up transaction:false\nselect 10;\n-- migrate:down  foo:x\nselect -10;",
            "seed.sql",
        ];
        check(
            "dbmate",
            &files,
            "10 b: 10-b.sql \"-- why\\n--migrate:up transaction:false\\nselect 10;\\n\" (no transaction) | \
             10-b.sql \"-- migrate:down  foo:x\\nselect -10;\"\n\
             warning: 10-b.sql: runs before `9_a.sql`: dbmate goes by the names as text\n\
             9 a: 9_a.sql \"-- migrate:up\\nselect 9;\\n\" | 9_a.sql \"-- migrate:down\\n\"\n\
             warning: seed.sql: is not run: dbmate runs only names that start with digits and end in `.sql`, \
             directly in the folder",
        );
        assert_eq!(detected(&files), "dbmate");
    }

    #[test]
    fn an_option_belongs_to_its_own_direction() {
        check(
            "dbmate",
            &[
                "1_a.sql: -- migrate:up\n-- migrate:down transaction:false a:b:c transaction:true transaction:false\n",
            ],
            "1 a: 1_a.sql \"-- migrate:up\\n\" | 1_a.sql \"-- migrate:down transaction:false a:b:c \
             transaction:true transaction:false\\n\" (no transaction)",
        );
    }

    #[test]
    fn an_option_that_says_nothing() {
        check(
            "dbmate",
            &["1_a.sql: -- migrate:up transaction:no\n-- migrate:down\n"],
            "1 a: 1_a.sql \"-- migrate:up transaction:no\\n\" | 1_a.sql \"-- migrate:down\\n\"\n\
             warning: 1_a.sql:1: its option `transaction` is neither true nor false, and dbmate takes it for true",
        );
    }

    #[test]
    fn what_dbmate_refuses() {
        check(
            "dbmate",
            &[
                "1_a.sql: select 1;\n-- migrate:up\n-- migrate:down\n",
                "2_b.sql: -- migrate:up\n",
                "3_c.sql: -- migrate:upward\n-- migrate:down\n",
                "4_d.sql: -- migrate:down\n-- migrate:up\n",
                "5_e.sql: -- migrate:up\n-- migrate:down\n-- migrate:down\n",
                "6_f.sql: -- migrate:up\n-- migrate:down\n-- migrate:up\n-- migrate:down\n",
                "6_g.sql: -- migrate:up\n-- migrate:down\n",
            ],
            "error: 1_a.sql: has statements above `-- migrate:up`\n\
             error: 2_b.sql: has no `-- migrate:down`, which dbmate demands\n\
             error: 3_c.sql: has no `-- migrate:up`\n\
             error: 4_d.sql:1: `-- migrate:down` stands above `-- migrate:up`\n\
             error: 5_e.sql:3: is a second `-- migrate:down`\n\
             error: 6_f.sql:3: is a second `-- migrate:up`: dbmate marks the file as applied after the first, and fails\n\
             error: 6_g.sql: has the same version as `6_f.sql`: 6",
        );
    }

    #[test]
    fn a_marker_behind_a_blank_is_taken_as_meant() {
        check(
            "dbmate",
            &["1_a.sql: -- migrate:up\nselect 1\n    -- migrate:down\nselect 2"],
            "1 a: 1_a.sql \"-- migrate:up\\nselect 1\\n\" | 1_a.sql \"    -- migrate:down\\nselect 2\"\n\
             warning: 1_a.sql:3: dbmate does not see `-- migrate:down` behind a blank, and refuses the file; it is \
             taken as meant",
        );
    }

    #[test]
    fn new_files() {
        check_new(
            "dbmate",
            &["20250101000000_a.sql: -- migrate:up\n-- migrate:down\n"],
            "20260301115959_new.sql",
        );
    }
}
