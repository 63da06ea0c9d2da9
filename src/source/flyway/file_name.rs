//! What a file name means to Flyway
//! (<https://github.com/flyway/flyway/blob/main/flyway-core/src/main/java/org/flywaydb/core/internal/resource/ResourceNameParser.java>).

use crate::source::names::{is_code, split_path};
use std::cmp::Ordering;

/// What the name of a file says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry<'a> {
    Versioned {
        version: &'a str,
        name: &'a str,
    },
    Undo {
        version: &'a str,
        name: &'a str,
    },
    Baseline {
        version: &'a str,
        name: &'a str,
    },
    Repeatable {
        name: &'a str,
    },
    /// Run by Flyway before or after something.
    Callback,
    /// `NAME.sql.conf`.
    Settings,
    /// A migration in Java, Kotlin, ….
    Code,
    /// Starts as a migration does, and is none: why.
    Unknown(&'static str),
    Other,
}

/// The numbers of a version: `1.10` comes behind `1.9`, and `1.0` is `1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Numbers(Vec<String>);

impl Numbers {
    /// The numbers of `version`, with `.` or `_` between them. They may have any length.
    pub fn parse(version: &str) -> Option<Self> {
        let mut numbers = Vec::new();
        for part in version.split(['.', '_']) {
            if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            numbers.push(part.trim_start_matches('0').to_owned());
        }
        while numbers.len() > 1 && numbers.last().is_some_and(String::is_empty) {
            numbers.pop();
        }
        Some(Self(numbers))
    }
}

impl Ord for Numbers {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_number = |(one, two): (&String, &String)| one.len().cmp(&two.len()).then_with(|| one.cmp(two));
        let differing = self.0.iter().zip(&other.0).map(by_number).find(|order| order.is_ne());
        differing.unwrap_or_else(|| self.0.len().cmp(&other.0.len()))
    }
}

impl PartialOrd for Numbers {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What Flyway reads in a path: folders do not matter to it.
pub(super) fn entry(path: &str) -> Entry<'_> {
    let file_name = split_path(path).1;
    if file_name.to_ascii_lowercase().ends_with(".sql.conf") {
        return Entry::Settings;
    }
    if is_code(file_name) {
        let stem = file_name.split('.').next().unwrap_or("");
        let is_migration = stem
            .strip_prefix(['V', 'U', 'B'])
            .and_then(|rest| rest.split_once("__"))
            .is_some_and(|(version, _)| Numbers::parse(version).is_some());
        let is_migration = is_migration || stem.starts_with("R__");
        return if is_migration { Entry::Code } else { Entry::Other };
    }
    let Some(stem) = file_name.len().checked_sub(4).and_then(|end| {
        let (stem, ending) = file_name.split_at_checked(end)?;
        ending.eq_ignore_ascii_case(".sql").then_some(stem)
    }) else {
        return Entry::Other;
    };
    if is_callback(stem.split("__").next().unwrap_or("")) {
        return Entry::Callback;
    }
    let mut characters = stem.chars();
    let prefix = characters.next();
    let (version, name) = characters.as_str().split_once("__").unwrap_or((characters.as_str(), ""));
    match prefix {
        Some('R') if version.is_empty() => Entry::Repeatable { name },
        Some('R') if Numbers::parse(version).is_some() => {
            Entry::Unknown("wants no version in a repeatable migration")
        }
        Some('V' | 'U' | 'B') if version.is_empty() => Entry::Unknown("finds no version in its name"),
        Some('V') if Numbers::parse(version).is_some() => Entry::Versioned { version, name },
        Some('U') if Numbers::parse(version).is_some() => Entry::Undo { version, name },
        Some('B') if Numbers::parse(version).is_some() => Entry::Baseline { version, name },
        Some('V' | 'U' | 'B') if version.starts_with(|first: char| first.is_ascii_digit()) => {
            Entry::Unknown("does not understand its version")
        }
        Some(_) | None => Entry::Other,
    }
}

/// Whether Flyway runs a file of that name at some event
/// (<https://documentation.red-gate.com/fd/callback-events-277579002.html>).
fn is_callback(name: &str) -> bool {
    const WHEN: [&str; 2] = ["before", "after"];
    const WHAT: [&str; 13] = [
        "Clean",
        "Migrate",
        "EachMigrate",
        "Repeatables",
        "Versioned",
        "Undo",
        "EachUndo",
        "Validate",
        "Baseline",
        "Repair",
        "Info",
        "CreateSchema",
        "Connect",
    ];
    let event = WHEN.iter().find_map(|when| name.strip_prefix(when));
    name == "createSchema" || event.is_some_and(|event| WHAT.iter().any(|what| event.starts_with(what)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_number_by_number() {
        let numbers = |version: &str| Numbers::parse(version).unwrap();
        for (one, two) in [
            ("1.9", "1.10"),
            ("1", "1.0.1"),
            ("2", "10"),
            ("12_1.5.9", "12.1.5.10"),
            ("9", "99999999999999999999"),
        ] {
            assert!(numbers(one) < numbers(two), "{one} < {two}");
        }
        assert_eq!(numbers("1.0.0"), numbers("001"));
        assert_eq!(numbers("0"), numbers("0.0"));
        for none in ["", "1.", ".1", "1a", "1_x"] {
            assert_eq!(Numbers::parse(none), None, "{none}");
        }
    }
}
