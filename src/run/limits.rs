//! The time limits that a migration sets for itself: `-- twostep: set lock-timeout=2s`. Pure.

use crate::sql::directive::Directive;
use std::time::Duration;

/// Limits that hold for one migration instead of the settings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Longest time that a statement stands in a lock's queue.
    pub lock_timeout: Option<Duration>,
    /// How long the migration tries again to get its locks.
    pub lock_deadline: Option<Duration>,
    /// Longest time for one statement; none where it is zero.
    pub statement_timeout: Option<Duration>,
}

impl Limits {
    /// What the directives of a file say, or the word that is no duration, and what it must be.
    pub fn of(directives: &[Directive]) -> Result<Self, (String, String)> {
        let mut limits = Limits::default();
        for set in directives.iter().filter(|directive| directive.name == "set") {
            let limit = |key: &str| match set.value(key) {
                None => Ok(None),
                Some(text) => {
                    parse_duration(text).map(Some).map_err(|why| (format!("`{key}` cannot be `{text}`"), why))
                }
            };
            limits.lock_timeout = limit("lock-timeout")?.or(limits.lock_timeout);
            limits.lock_deadline = limit("lock-deadline")?.or(limits.lock_deadline);
            limits.statement_timeout = limit("statement-timeout")?.or(limits.statement_timeout);
        }
        Ok(limits)
    }
}

/// `250ms`, `30s`, `5m`, `1h`, `0`.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let wrong = || "it is a duration like `250ms`, `30s`, `5m` or `1h`".to_owned();
    let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
    let milliseconds = match text[digits..].trim() {
        "ms" => Some(number),
        "s" => number.checked_mul(1_000),
        "m" | "min" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        "" if number == 0 => Some(0),
        _ => return Err(wrong()),
    };
    milliseconds.map(Duration::from_millis).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;
    use crate::sql::directive::directives;
    use crate::text::Span;

    #[test]
    fn a_file_sets_its_own_limits() {
        let of = |text: &str| {
            let found = directives(text, Span::new(0, text.len()), Dialect::Postgres);
            assert_eq!(found.problems, [], "{text}");
            Limits::of(&found.found)
        };
        let seconds = |count| Some(Duration::from_secs(count));
        let limits = of("-- twostep: set lock-timeout=2s, statement-timeout=10m").unwrap();
        assert_eq!(limits.lock_timeout, seconds(2));
        assert_eq!((limits.lock_deadline, limits.statement_timeout), (None, seconds(600)));
        assert_eq!(of("-- twostep: set lock-deadline=1h").unwrap().lock_deadline, seconds(3600));
        let (what, why) = of("-- twostep: set lock-timeout=soon").unwrap_err();
        assert_eq!(what, "`lock-timeout` cannot be `soon`");
        assert!(why.contains("`250ms`"), "{why}");
    }
}
