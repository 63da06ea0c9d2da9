//! Where a token ends: one function for each form of token, over bytes that may not all have arrived.

use crate::dialect::Dialect;

/// Longest number or parameter that is taken as one token.
pub(super) const ABSURD: usize = 4096;

/// Longest operator: PostgreSQL's is one byte shorter.
const LONGEST_OPERATOR: usize = 64;

const BLANK: u8 = 1;
const WORD: u8 = 2;
const STARTS_WORD: u8 = 4;
const OPERATOR: u8 = 8;

static CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => BLANK,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80..=0xff => WORD | STARTS_WORD,
            b'0'..=b'9' | b'$' => WORD,
            b'+' | b'-' | b'*' | b'/' | b'<' | b'>' | b'=' | b'~' | b'!' | b'@' | b'#' | b'%' | b'^'
            | b'&' | b'|' | b'`' | b'?' => OPERATOR,
            _ => 0,
        };
        byte += 1;
    }
    table
}

/// Blank space, as PostgreSQL's lexer has it.
pub(super) fn is_blank(byte: u8) -> bool {
    CLASS[byte as usize] & BLANK != 0
}

/// Whether a word may hold it.
pub(super) fn in_word(byte: u8) -> bool {
    CLASS[byte as usize] & WORD != 0
}

/// Whether a word may start with it.
pub(super) fn starts_word(byte: u8) -> bool {
    CLASS[byte as usize] & STARTS_WORD != 0
}

/// Whether an operator may hold it.
pub(super) fn is_operator(byte: u8) -> bool {
    CLASS[byte as usize] & OPERATOR != 0
}

/// What looking for the end of a token found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scan {
    /// It ends just before this offset.
    End(usize),
    /// Its end has not arrived; looking goes on at this offset.
    Open(usize),
    /// It is not such a token.
    No,
}

/// The end of a word.
pub(super) fn word(bytes: &[u8], from: usize, last: bool) -> Scan {
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        if !in_word(*byte) {
            return Scan::End(at);
        }
        at += 1;
    }
    if last { Scan::End(at) } else { Scan::Open(at) }
}

/// The end of something in quotes; a doubled quote is a part of it, and so is what stands behind a backslash.
pub(super) fn quoted(bytes: &[u8], from: usize, quote: u8, backslash: bool, last: bool) -> Scan {
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        if *byte == quote {
            match bytes.get(at + 1) {
                // SQLite's brackets do not double: https://sqlite.org/lang_keywords.html
                Some(next) if *next == quote && quote != b']' => at += 2,
                None if !last && quote != b']' => return Scan::Open(at),
                Some(_) | None => return Scan::End(at + 1),
            }
        } else if *byte == b'\\' && backslash {
            if at + 1 == bytes.len() {
                return Scan::Open(at);
            }
            at += 2;
        } else {
            at += 1;
        }
    }
    Scan::Open(at)
}

/// The end of the opening tag of a dollar quote (`$$`, `$body$`) that starts at `start`.
pub(super) fn dollar_tag(bytes: &[u8], start: usize, from: usize, last: bool) -> Scan {
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        match *byte {
            b'$' => return Scan::End(at + 1),
            byte if !in_word(byte) || (at == start + 1 && !starts_word(byte)) => return Scan::No,
            _ => at += 1,
        }
    }
    if last { Scan::No } else { Scan::Open(at) }
}

/// The end of a dollar-quoted string with the opening `tag`. The tag holds a `$` only at its ends, so that no
/// byte is compared twice for the same reason.
pub(super) fn dollar(bytes: &[u8], from: usize, tag: &[u8]) -> Scan {
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        if *byte == b'$' {
            let rest = &bytes[at..];
            if rest.starts_with(tag) {
                return Scan::End(at + tag.len());
            }
            if rest.len() < tag.len() && tag.starts_with(rest) {
                return Scan::Open(at);
            }
        }
        at += 1;
    }
    Scan::Open(at)
}

/// The end of a line, before its `\n` or `\r\n`; a lone `\r` ends it where `carriage_return`.
pub(super) fn line(bytes: &[u8], from: usize, carriage_return: bool, last: bool) -> Scan {
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        match *byte {
            b'\n' => return Scan::End(at),
            b'\r' if carriage_return => return Scan::End(at),
            b'\r' => match bytes.get(at + 1) {
                Some(b'\n') => return Scan::End(at),
                None if last => return Scan::End(at),
                None => return Scan::Open(at),
                Some(_) => at += 1,
            },
            _ => at += 1,
        }
    }
    if last { Scan::End(at) } else { Scan::Open(at) }
}

/// The end of a block comment; `depth` counts the open ones.
pub(super) fn block(bytes: &[u8], from: usize, nests: bool, depth: &mut usize) -> Scan {
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        if *byte != b'*' && *byte != b'/' {
            at += 1;
            continue;
        }
        match (*byte, bytes.get(at + 1)) {
            (_, None) => return Scan::Open(at),
            (b'*', Some(b'/')) => {
                at += 2;
                *depth -= 1;
                if *depth == 0 {
                    return Scan::End(at);
                }
            }
            (b'/', Some(b'*')) if nests => {
                at += 2;
                *depth += 1;
            }
            _ => at += 1,
        }
    }
    Scan::Open(at)
}

/// The end of a number, and whether it is one in every dialect (`1st` is not). `None` asks for more bytes.
pub(super) fn number(bytes: &[u8], start: usize, last: bool) -> Option<(usize, bool)> {
    let based =
        bytes[start] == b'0' && matches!(bytes.get(start + 1), Some(b'x' | b'X' | b'o' | b'O' | b'b' | b'B'));
    let (mut at, mut dot, mut exponent, mut plain) = (start, false, false, true);
    while at - start < ABSURD {
        let Some(byte) = bytes.get(at) else { return last.then_some((at, plain)) };
        match *byte {
            b'0'..=b'9' | b'_' => {}
            b'.' if !dot && !exponent && !based => {
                match bytes.get(at + 1) {
                    None if !last => return None,
                    // `1..10` is a range.
                    Some(b'.') => break,
                    Some(_) | None => dot = true,
                }
            }
            b'e' | b'E' if !exponent && !based => {
                let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
                match bytes.get(at + 1 + sign) {
                    None if !last => return None,
                    Some(digit) if digit.is_ascii_digit() => {
                        exponent = true;
                        at += sign;
                    }
                    Some(_) | None => plain = false,
                }
            }
            byte if in_word(byte) && byte != b'$' => plain &= based,
            _ => break,
        }
        at += 1;
    }
    Some((at, plain))
}

/// The end of an operator. PostgreSQL takes the longest run, with the exceptions of
/// <https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-OPERATORS>; the others have a
/// fixed list. `None` asks for more bytes.
pub(super) fn operator(bytes: &[u8], start: usize, dialect: Dialect, last: bool) -> Option<usize> {
    let rest = &bytes[start..];
    if dialect != Dialect::Postgres {
        const LONG: [&[u8]; 13] =
            [b"->>", b"<=>", b"->", b"||", b"&&", b"<>", b"!=", b"<=", b">=", b"==", b"<<", b">>", b"=>"];
        if rest.len() < 3 && !last {
            return None;
        }
        let length = LONG.iter().find(|operator| rest.starts_with(operator)).map_or(1, |found| found.len());
        return Some(start + length);
    }
    let mut length = 0;
    while rest.get(length).is_some_and(|byte| is_operator(*byte)) && length < LONGEST_OPERATOR {
        if length > 0 && (rest[length..].starts_with(b"--") || rest[length..].starts_with(b"/*")) {
            break;
        }
        length += 1;
    }
    if length == rest.len() && !last {
        return None;
    }
    let special =
        |byte: &u8| matches!(byte, b'~' | b'!' | b'@' | b'#' | b'%' | b'^' | b'&' | b'|' | b'`' | b'?');
    // Past the last special character no `+` or `-` may end an operator.
    if !rest[..length].iter().any(special) {
        while length > 1 && matches!(rest[length - 1], b'+' | b'-') {
            length -= 1;
        }
    }
    Some(start + length)
}
