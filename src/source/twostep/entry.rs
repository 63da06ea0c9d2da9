//! What the name of a file in the native format says, and what nearly says it.

use crate::source::names::{is_plain_name, leading_digits, number, seems_sql, split_path};
use crate::source::reading::Direction;
use crate::source::slug;

/// What a file name says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry<'a> {
    Versioned {
        digits: &'a str,
        version: u128,
        name: &'a str,
        direction: Direction,
        program: bool,
    },
    Repeatable {
        name: &'a str,
    },
    /// Has nothing of a migration.
    Other,
    /// Nearly is one: what is wrong, and what to do.
    Nearly(String, String),
}

/// What the name of a file says.
pub(super) fn entry(path: &str) -> Entry<'_> {
    let (folder, file_name) = split_path(path);
    let entry = root_entry(file_name);
    if folder.is_empty() {
        return entry;
    }
    match entry {
        Entry::Versioned { .. } | Entry::Repeatable { .. } => Entry::Nearly(
            format!("stands in the folder `{folder}`, where it would not be found"),
            format!("move it up: `{file_name}`"),
        ),
        Entry::Nearly(what, help)
            if file_name.starts_with(|start: char| start.is_ascii_digit()) && seems_sql(file_name) =>
        {
            Entry::Nearly(what, help)
        }
        Entry::Nearly(..) | Entry::Other => Entry::Other,
    }
}

/// What the name of a file that stands directly in the folder says.
fn root_entry(file_name: &str) -> Entry<'_> {
    if let Some(entry) = repeatable_entry(file_name) {
        return entry;
    }
    let (digits, rest) = leading_digits(file_name);
    if digits.is_empty() {
        if !seems_sql(file_name) {
            return Entry::Other;
        }
        return Entry::Nearly(
            "has no version: a migration starts with digits".to_owned(),
            format!("rename it to `VERSION_{}`, or move it out of the folder", suggested(file_name)),
        );
    }
    let nearly = |what: &str| {
        let help = format!("rename it to `{digits}_{}`, or move it out of the folder", suggested(rest));
        Entry::Nearly(what.to_owned(), help)
    };
    let Some(version) = number(digits) else {
        return Entry::Nearly(
            format!("has a version that is too large: {digits}"),
            format!("at most {}", u128::MAX),
        );
    };
    let (stem, direction, program) = match ending(rest) {
        Ok(parts) => parts,
        Err(what) => return nearly(what),
    };
    match stem.strip_prefix('_') {
        _ if stem.is_empty() => nearly("has no name behind its version"),
        Some("") => nearly("has no name behind its version"),
        Some(name) if is_plain_name(name) => Entry::Versioned { digits, version, name, direction, program },
        Some(_) => nearly("has a name with other characters than letters, digits, `_` and `-`"),
        None => nearly("has no `_` between its version and its name"),
    }
}

/// What stands in front of the ending, the direction, and whether it is a program's; or what is wrong with it.
fn ending(rest: &str) -> Result<(&str, Direction, bool), &'static str> {
    for direction in [Direction::Up, Direction::Down] {
        let word = direction.word();
        let stem =
            |text: &'_ str| text.strip_suffix(word).and_then(|stem| stem.strip_suffix('.')).map(str::len);
        if let Some(at) = rest.strip_suffix(".sql").and_then(stem) {
            return Ok((&rest[..at], direction, false));
        }
        if let Some(at) = stem(rest) {
            return Ok((&rest[..at], direction, true));
        }
    }
    let lower = rest.to_ascii_lowercase();
    if lower != rest && ending(&lower).is_ok() {
        return Err("has an ending that is not in lower case");
    }
    if lower.ends_with(".sql") {
        return Err("does not say its direction: it ends neither in `.up.sql` nor in `.down.sql`");
    }
    Err("ends neither in `.up.sql` nor in `.down.sql`")
}

/// `R__name.sql`, and what nearly is that.
fn repeatable_entry(file_name: &str) -> Option<Entry<'_>> {
    let rest = file_name.strip_prefix(['R', 'r'])?.strip_prefix('_')?;
    let nearly = |what: &str| {
        let help = "a repeatable migration is named `R__name.sql`".to_owned();
        Some(Entry::Nearly(what.to_owned(), help))
    };
    let Some(rest) = rest.strip_prefix('_') else {
        return file_name
            .to_ascii_lowercase()
            .ends_with(".sql")
            .then(|| nearly("has one `_` behind its `R`"))?;
    };
    if file_name.starts_with('r') {
        return nearly("starts with a small `r`");
    }
    let Some(name) = rest.strip_suffix(".sql") else { return nearly("does not end in `.sql`") };
    if name.ends_with(".up") || name.ends_with(".down") {
        return nearly("is repeatable and has a direction");
    }
    match name {
        "" => nearly("has no name"),
        name if is_plain_name(name) => Some(Entry::Repeatable { name }),
        _ => nearly("has a name with other characters than letters, digits, `_` and `-`"),
    }
}

/// A name and ending in the right form, as near as can be to what stands behind a version.
fn suggested(rest: &str) -> String {
    let lower = rest.to_ascii_lowercase();
    let direction = if lower.contains(".down") { "down" } else { "up" };
    let stem = rest.split('.').next().unwrap_or("");
    let name = slug(stem);
    format!("{}.{direction}.sql", if name.is_empty() { "name" } else { &name })
}
