//! A column in the one form that MySQL and MariaDB share.

use super::{DIALECT, Fields};
use crate::dialect::Dialect;
use crate::name::{Name, literal};

/// A column; `collation` is its table's.
pub(super) fn column(row: Fields<'_>, collation: &str) -> String {
    let data_type = plain_type(row.text(4));
    let extra = row.text(7).to_lowercase();
    let generated = row.get(9).filter(|expression| !expression.is_empty());
    let mut words = vec!["column".to_owned(), Name::new(row.text(3)).shown(DIALECT), data_type];
    words.extend(row.get(8).filter(|own| *own != collation).map(|own| format!("collate {own}")));
    words.extend(row.get(12).map(|system| format!("srid {system}")));
    words.extend((row.text(5) == "NO").then(|| "not null".to_owned()));
    if let Some(expression) = generated {
        let stored =
            if extra.contains("stored") || extra.contains("persistent") { "stored" } else { "virtual" };
        words.push(format!("generated always as ({}) {stored}", plain_expression(expression)));
    } else if let Some(value) = row.get(6).and_then(|value| default(value, row.text(11) == "1")) {
        words.push(format!("default {value}"));
    }
    for (mark, word) in [
        ("auto_increment", "auto_increment"),
        ("on update", "on update current_timestamp"),
        ("invisible", "invisible"),
        ("without system versioning", "without system versioning"),
    ] {
        words.extend(extra.contains(mark).then(|| word.to_owned()));
    }
    let comment = row.text(10);
    let comment = if comment.is_empty() { String::new() } else { format!("\ncomment: {comment}") };
    format!("{}{comment}", words.join(" "))
}

/// A type without the display width, which MySQL does not keep any more. `tinyint(1)` stays: both keep it, as the
/// type of truth values. With `zerofill` the width means something.
/// <https://dev.mysql.com/doc/refman/8.4/en/numeric-type-attributes.html>
pub(super) fn plain_type(written: &str) -> String {
    const INTEGERS: &[&str] = &["tinyint(", "smallint(", "mediumint(", "int(", "bigint(", "year("];
    if written.contains("zerofill") || written.contains("tinyint(1)") {
        return written.to_owned();
    }
    let start = INTEGERS.iter().find_map(|name| {
        let at = written.find(name)?;
        let whole_word = !written[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        whole_word.then_some(at + name.len() - 1)
    });
    let width = start.and_then(|start| written[start..].find(')').map(|end| (start, start + end + 1)));
    match width {
        Some((start, end)) => format!("{}{}", &written[..start], &written[end..]),
        None => written.to_owned(),
    }
}

/// An expression without what MySQL puts before each string, the character set of the connection that made it, and
/// without the backslashes that come with that. MariaDB's are as they are.
pub(super) fn plain_expression(written: &str) -> String {
    const MARKS: &[&str] = &["_utf8mb4", "_utf8mb3", "_latin1"];
    let is_escaped = MARKS.iter().any(|mark| written.contains(&format!("{mark}\\'")));
    if !is_escaped {
        return written.to_owned();
    }
    let mut plain = String::with_capacity(written.len());
    let mut characters = written.chars().peekable();
    while let Some(character) = characters.next() {
        let escapes = character == '\\' && characters.peek().is_some_and(|next| matches!(next, '\'' | '\\'));
        plain.extend(if escapes { characters.next() } else { Some(character) });
    }
    MARKS.iter().fold(plain, |text, mark| text.replace(&format!("{mark}'"), "'"))
}

/// A default as an expression; none where it is NULL. MariaDB gives expressions, MySQL mostly the value itself.
fn default(value: &str, is_value: bool) -> Option<String> {
    if value == "NULL" && !is_value {
        return None;
    }
    if is_value {
        return Some(literal(value, Dialect::Sqlite));
    }
    let lowered = value.to_lowercase();
    Some(match lowered.strip_prefix("current_timestamp") {
        Some(precision) => format!("current_timestamp{}", precision.trim_end_matches("()")),
        None => plain_expression(value),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(row: &[&str], expect: &str) {
        let row: Vec<Option<String>> =
            row.iter().map(|value| (*value != "-").then(|| (*value).to_owned())).collect();
        assert_eq!(column(Fields(&row), "utf8mb4_bin"), expect);
    }

    #[test]
    fn what_means_the_same_has_one_form() {
        for (data_type, default, extra) in [
            ("timestamp", "current_timestamp()", "on update current_timestamp()"),
            ("timestamp", "CURRENT_TIMESTAMP", "DEFAULT_GENERATED on update CURRENT_TIMESTAMP"),
        ] {
            let row = ["column", "t", "1", "at", data_type, "NO", default, extra, "-", "-", ""];
            check(&row, "column at timestamp not null default current_timestamp on update current_timestamp");
        }
        for (data_type, default) in [("int(10) unsigned", "7"), ("int unsigned", "7")] {
            let row = ["column", "t", "1", "a", data_type, "YES", default, "", "-", "", ""];
            check(&row, "column a int unsigned default 7");
        }
        for (default, is_value) in [("'x'", "0"), ("x", "1"), (r"_utf8mb4\'x\'", "0")] {
            let row = [
                "column",
                "t",
                "1",
                "a",
                "varchar(9)",
                "YES",
                default,
                "",
                "utf8mb4_bin",
                "",
                "two",
                is_value,
            ];
            check(&row, "column a varchar(9) default 'x'\ncomment: two");
        }
        for default in ["NULL", "-"] {
            let row = ["column", "t", "1", "a", "text", "YES", default, "", "latin1_bin", "", ""];
            check(&row, "column a text collate latin1_bin");
        }
    }

    #[test]
    fn the_character_set_of_a_connection_is_left_out() {
        for (written, plain) in [
            (r"(`a` <> _utf8mb3\'\')", "(`a` <> '')"),
            (r"(`a` <> _latin1\'x\')", "(`a` <> 'x')"),
            (r"concat(_utf8mb4\'it\\\'s\',`b`)", r"concat('it\'s',`b`)"),
            (r"`a` <> 'it\'s'", r"`a` <> 'it\'s'"),
        ] {
            assert_eq!(plain_expression(written), plain);
        }
    }

    #[test]
    fn widths_are_left_out_where_they_mean_nothing() {
        for (written, plain) in [
            ("bigint(20) unsigned", "bigint unsigned"),
            ("tinyint(1)", "tinyint(1)"),
            ("tinyint(4)", "tinyint"),
            ("int(5) unsigned zerofill", "int(5) unsigned zerofill"),
            ("varchar(20)", "varchar(20)"),
            ("IN a int(11)", "IN a int"),
            ("point", "point"),
        ] {
            assert_eq!(plain_type(written), plain);
        }
    }
}
