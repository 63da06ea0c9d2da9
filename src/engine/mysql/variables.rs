//! The user's variables of a session (`@name`): which ones a statement names, and how their values are kept in the
//! journal, so that a run that goes on in another session has them.

use crate::dialect::Dialect;
use crate::name::Name;
use crate::sql::lex::{TokenKind, tokens};
use crate::sql::phrase::Phrase;
use std::collections::BTreeSet;

const DIALECT: Dialect = Dialect::Mysql;

/// The variables that `text` names, in lower case. Statements about accounts (`user@host`) and definitions name none.
pub fn named(text: &str) -> Vec<String> {
    const OF_ACCOUNTS: [&str; 6] = ["create", "alter", "drop", "grant", "revoke", "rename"];
    if !text.contains('@') || Phrase::new(text, DIALECT).sees_any(&OF_ACCOUNTS) {
        return Vec::new();
    }
    let is_plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let mut names = BTreeSet::new();
    let mut mark = false;
    for token in tokens(text, DIALECT) {
        let word = token.text(text);
        let name = match token.kind {
            TokenKind::Variable => word.strip_prefix('@').unwrap_or(word),
            // @`name`
            TokenKind::QuotedWord if mark => word.trim_matches('`'),
            _ => "",
        };
        mark = token.kind == TokenKind::Variable && word == "@";
        if !name.is_empty() && is_plain(name) {
            names.insert(name.to_ascii_lowercase());
        }
    }
    names.into_iter().collect()
}

/// What stands for the number that `LAST_INSERT_ID()` gives, among the names of variables.
pub const LAST_ID: &str = "last_insert_id()";

/// Whether `text` asks what the statement before it did: how many rows, which number. That is known to the session
/// only, and any statement in between takes its place.
pub fn asks_for_the_last(text: &str) -> bool {
    const FUNCTIONS: [&str; 3] = ["last_insert_id", "row_count", "found_rows"];
    let is_asked = |token: crate::sql::lex::Token| {
        let word = token.text(text).trim_start_matches("@@");
        matches!(token.kind, TokenKind::Word | TokenKind::Variable)
            && (FUNCTIONS.iter().any(|function| word.eq_ignore_ascii_case(function))
                || token.text(text).eq_ignore_ascii_case("@@identity"))
    };
    tokens(text, DIALECT).any(is_asked)
}

/// An expression whose value keeps the values of `names`: for each its name, a letter for its kind, and its text:
/// `d` a number, `t` a text in UTF-8 and `b` bytes, both in hexadecimal digits, `n` NULL.
pub fn keep(names: &[String]) -> String {
    let one = |name: &String| {
        if name == LAST_ID {
            return format!("'{name}=d', LAST_INSERT_ID()");
        }
        let variable = format!("@{}", Name::new(name).quoted(DIALECT));
        format!(
            "'{name}=', CASE WHEN {variable} IS NULL THEN 'n' \
             WHEN CHARSET({variable}) <> 'binary' THEN CONCAT('t', HEX(CONVERT({variable} USING utf8mb4))) \
             WHEN CONVERT({variable} USING utf8mb4) REGEXP '^-?[0-9]+([.][0-9]+)?(e[-+]?[0-9]+)?$' \
             THEN CONCAT('d', CONVERT({variable} USING utf8mb4)) ELSE CONCAT('b', HEX({variable})) END"
        )
    };
    format!("CONCAT({})", names.iter().map(one).collect::<Vec<_>>().join(", ' ', "))
}

/// The statement that gives the variables the values that `kept` has of them; none where it is not of [`keep`].
pub fn put_back(kept: &str) -> Option<String> {
    let one = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        let (kind, text) = (value.get(..1)?, value.get(1..)?);
        let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_number = text.parse::<f64>().is_ok();
        let value = match kind {
            "n" => "NULL".to_owned(),
            "d" if is_number => text.to_owned(),
            "t" if is_hex => format!("_utf8mb4 x'{text}'"),
            "b" if is_hex => format!("x'{text}'"),
            _ => return None,
        };
        Some(if name == LAST_ID {
            format!("last_insert_id = {value}")
        } else {
            format!("@{} = {value}", Name::new(name).quoted(DIALECT))
        })
    };
    let values = kept.split(' ').map(one).collect::<Option<Vec<_>>>()?;
    (!values.is_empty()).then(|| format!("SET {}", values.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_a_statement() {
        assert_eq!(named("set @A = @b + 1, @@sql_mode = 'x@y'"), ["a", "b"]);
        assert_eq!(named("select max(id) into @`last id`, @`m` from t"), ["m"]);
        assert!(named("grant select on t to me@localhost").is_empty() && named("set a = 1").is_empty());
    }

    #[test]
    fn what_only_the_session_knows() {
        assert!(asks_for_the_last("set @a = LAST_INSERT_ID()") && asks_for_the_last("select @@identity"));
        assert!(!asks_for_the_last("insert into t values ('row_count()')"));
    }

    #[test]
    fn values_come_back() {
        let set = put_back("a=d-12.5 b=t6162 c=n d=b00ff e=t").unwrap();
        assert_eq!(
            set,
            "SET @`a` = -12.5, @`b` = _utf8mb4 x'6162', @`c` = NULL, @`d` = x'00ff', @`e` = _utf8mb4 x''"
        );
        assert_eq!(put_back("a=n last_insert_id()=d7").unwrap(), "SET @`a` = NULL, last_insert_id = 7");
        assert_eq!(put_back("a=d1; drop table t"), None);
        assert_eq!(put_back("a=tzz"), None);
        assert!(keep(&["a".to_owned()]).starts_with("CONCAT('a=', CASE WHEN @`a` IS NULL"));
    }
}
