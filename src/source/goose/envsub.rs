//! Variables in goose migrations, as the shell writes them
//! (<https://github.com/mfridman/interpolate>): `$A`, `${A}`, `${A:-b}`, `${A-b}`, `${A?why}`, `${A:1:2}`.
//!
//! One thing differs: a variable that is not given and has no other value is an error here, and nothing in goose.

use super::parse::PlaceholderError;
use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::CharIndices;

/// Puts the variables into one line.
pub(super) fn substitute(
    line: &str,
    variables: &BTreeMap<String, String>,
) -> Result<String, PlaceholderError> {
    let mut reader = Reader { text: line, rest: line.char_indices().peekable(), variables };
    reader.expression(None)
}

struct Reader<'a> {
    text: &'a str,
    rest: Peekable<CharIndices<'a>>,
    variables: &'a BTreeMap<String, String>,
}

impl<'a> Reader<'a> {
    fn peek(&mut self) -> Option<char> {
        self.rest.peek().map(|(_, character)| *character)
    }

    fn take(&mut self) -> Option<char> {
        self.rest.next().map(|(_, character)| character)
    }

    /// The text that comes, from here on.
    fn ahead(&mut self) -> &'a str {
        let at = self.rest.peek().map_or(self.text.len(), |(at, _)| *at);
        &self.text[at..]
    }

    /// Text and variables up to `stop`, or to the end.
    fn expression(&mut self, stop: Option<char>) -> Result<String, PlaceholderError> {
        let mut out = String::new();
        while let Some(character) = self.peek().filter(|character| Some(*character) != stop) {
            let ahead = self.ahead();
            // A pair of characters that stands for itself, or for a dollar.
            let pair = [(r"\\", r"\\"), (r"\$", "$"), ("$$", "$"), ("$(", "$(")]
                .into_iter()
                .find(|(written, _)| ahead.starts_with(written));
            if let Some((_, meant)) = pair {
                self.take();
                self.take();
                out.push_str(meant);
            } else if character == '$' && ahead.len() > 1 {
                out.push_str(&self.expansion()?);
            } else {
                self.take();
                out.push(character);
            }
        }
        Ok(out)
    }

    fn expansion(&mut self) -> Result<String, PlaceholderError> {
        self.take();
        if self.peek() == Some('{') {
            self.take();
            return self.in_braces();
        }
        let name = self.name()?;
        self.value(&name)
    }

    fn in_braces(&mut self) -> Result<String, PlaceholderError> {
        let name = self.name()?;
        let given = self.variables.get(&name).cloned();
        let value = match self.take() {
            Some('}') => return self.value(&name),
            Some(':') if self.peek() == Some('-') => {
                self.take();
                let other = self.expression(Some('}'));
                given.filter(|value| !value.is_empty()).map_or(other, Ok)?
            }
            Some(':') => {
                let value = self.value(&name)?;
                self.part_of(&value)?
            }
            Some('-') => {
                let other = self.expression(Some('}'));
                given.map_or(other, Ok)?
            }
            Some('?') => {
                let why = self.expression(Some('}'))?;
                given.ok_or_else(|| {
                    let mut missing = PlaceholderError::missing(&name);
                    if !why.is_empty() {
                        missing.what = format!("{}: {why}", missing.what);
                    }
                    missing
                })?
            }
            Some(_) | None => return Err(malformed(&format!("`${{{name}` is not closed"))),
        };
        match self.take() {
            Some('}') => Ok(value),
            Some(_) | None => Err(malformed(&format!("`${{{name}` is not closed"))),
        }
    }

    /// `offset` or `offset:length` in bytes, negative ones from the end.
    fn part_of(&mut self, value: &str) -> Result<String, PlaceholderError> {
        let offset = self.number()?;
        let length = if self.peek() == Some(':') {
            self.take();
            Some(self.number()?)
        } else {
            None
        };
        let size = i64::try_from(value.len()).unwrap_or(i64::MAX);
        let from = if offset < 0 { (offset + size).max(0) } else { offset.min(size) };
        let to = match length {
            None => size,
            Some(length) if length >= 0 => (from + length).min(size),
            Some(length) => (length + size).max(from),
        };
        let index = |at: i64| usize::try_from(at).unwrap_or(0);
        let part = value.get(index(from)..index(to));
        part.map(str::to_owned).ok_or_else(|| malformed("a part of a variable cuts a character in two"))
    }

    fn number(&mut self) -> Result<i64, PlaceholderError> {
        let mut digits = String::new();
        while let Some(character) = self.peek().filter(|character| !matches!(character, ':' | '}')) {
            self.take();
            digits.push(character);
        }
        // Far beyond any text, and small enough to be added to.
        let limit = 1 << 40;
        let number: Result<i64, _> = digits.trim().parse();
        number
            .map(|number| number.clamp(-limit, limit))
            .map_err(|_| malformed(&format!("`{digits}` is no number")))
    }

    fn name(&mut self) -> Result<String, PlaceholderError> {
        if !self.peek().is_some_and(char::is_alphabetic) {
            return Err(malformed("a `$` is not followed by a name"));
        }
        let mut name = String::new();
        while let Some(character) = self.peek().filter(|c| c.is_alphanumeric() || *c == '_') {
            self.take();
            name.push(character);
        }
        Ok(name)
    }

    fn value(&self, name: &str) -> Result<String, PlaceholderError> {
        self.variables.get(name).cloned().ok_or_else(|| PlaceholderError::missing(name))
    }
}

fn malformed(what: &str) -> PlaceholderError {
    PlaceholderError {
        what: format!("{what}, and goose stops at it"),
        help: "write `$$` for a dollar, or turn it off with `-- +goose ENVSUB OFF`".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &str) {
        let variables =
            [("A", "abcd"), ("EMPTY", "")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let found = match substitute(line, &BTreeMap::from(variables)) {
            Ok(text) => text,
            Err(error) => format!("error: {}", error.what),
        };
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn variables_are_put_in() {
        check("x $A_b ${A}b $A.", "error: needs the variable `A_b`");
        check("${A}b $A.", "abcdb abcd.");
        check("${EMPTY:-x$A}|${EMPTY-x}|${B-y}|${B:-}", "xabcd||y|");
        check("${A?why}${A:1}|${A:1:2}|${A:-2}|${A: -2}|${A:9}|${A:0:-1}", "abcdbcd|bc|abcd|cd||abc");
        check("${B?must be given}", "error: needs the variable `B`: must be given");
    }

    #[test]
    fn dollars_are_written_twice() {
        check(r"$$ \$A \\ $(x) $", r"$ $A \\ $(x) $");
        check("select $1", "error: a `$` is not followed by a name, and goose stops at it");
        check("${A", "error: `${A` is not closed, and goose stops at it");
        check("${A:x}", "error: `x` is no number, and goose stops at it");
    }
}
