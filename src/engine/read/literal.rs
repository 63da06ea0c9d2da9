//! The values of string literals and quoted names.

use crate::dialect::Dialect;
use crate::name::Name;

/// The name that `"a""b"`, `` `a` ``, `[a]` or `U&"\0061"` stands for.
pub fn quoted_name(written: &str) -> Name {
    if let Some(inner) = written.strip_prefix("U&").or_else(|| written.strip_prefix("u&")) {
        return Name::new(unicode(&inside(inner)));
    }
    Name::new(inside(written))
}

/// What stands between the quotes; a doubled closing quote is one.
fn inside(written: &str) -> String {
    let mut characters = written.chars();
    let (open, close) = (characters.next(), characters.next_back());
    let inner = characters.as_str();
    match (open, close) {
        (Some('['), Some(']')) | (None, _) | (_, None) => inner.to_owned(),
        (Some(_), Some(quote)) => {
            let doubled: String = [quote, quote].iter().collect();
            inner.replace(&doubled, &quote.to_string())
        }
    }
}

/// The value of a string in quotes, with any prefix.
pub fn string(written: &str, dialect: Dialect) -> String {
    let quote = written.find(['\'', '"']).unwrap_or(0);
    let (prefix, quoted) = written.split_at(quote);
    let value = inside(quoted);
    match (dialect, prefix) {
        (Dialect::Postgres, "e" | "E") | (Dialect::Mysql, "" | "n" | "N") => backslashes(&value),
        (Dialect::Postgres, "u&" | "U&") => unicode(&value),
        _ => value,
    }
}

/// The body of `$tag$ … $tag$`, and where it begins.
pub fn dollar_body(written: &str) -> (&str, usize) {
    let tag = written.get(1..).and_then(|rest| rest.find('$')).map_or(0, |at| at + 2);
    let end = written.len().saturating_sub(tag).max(tag);
    (written.get(tag..end).unwrap_or(""), tag)
}

/// Takes back the escapes of C that PostgreSQL's `E''` and MySQL know; an unknown one is its character.
fn backslashes(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match (character, character == '\\') {
            (other, false) => out.push(other),
            (_, true) => match characters.next() {
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some('t') => out.push('\t'),
                Some('0') => out.push('\0'),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
        }
    }
    out
}

/// Takes back `\0061` and `\+000061`.
fn unicode(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (digits, skip) = match rest.strip_prefix('+') {
            Some(long) => (long.get(..6), 7),
            None => (rest.get(..4), 4),
        };
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
        match code {
            Some(character) => {
                out.push(character);
                rest = &rest[skip..];
            }
            None => {
                out.push('\\');
                rest = rest.strip_prefix('\\').unwrap_or(rest);
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_escapes_are_taken_back() {
        assert_eq!(quoted_name("\"a\"\"b\"").as_str(), "a\"b");
        assert_eq!(quoted_name("[a b]").as_str(), "a b");
        assert_eq!(quoted_name("U&\"d\\0061t\\+000061\"").as_str(), "data");
        assert_eq!(string("'it''s'", Dialect::Postgres), "it's");
        assert_eq!(string(r"'a\n'", Dialect::Postgres), r"a\n");
        assert_eq!(string(r"E'a\n'", Dialect::Postgres), "a\n");
        assert_eq!(string(r"'a\'b'", Dialect::Mysql), "a'b");
        assert_eq!(string("\"a\"", Dialect::Mysql), "a");
        assert_eq!(string("U&'\\zzz'", Dialect::Postgres), "\\zzz");
        assert_eq!(dollar_body("$x$ a $ b $x$"), (" a $ b ", 3));
        assert_eq!(dollar_body("$$$$"), ("", 2));
    }
}
