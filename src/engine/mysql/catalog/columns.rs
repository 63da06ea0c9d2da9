//! A column in the one form that MySQL and MariaDB share.

use super::{DIALECT, Fields};
use crate::dialect::Dialect;
use crate::name::{Name, literal};

/// A column; `collation` is its table's.
pub(super) fn column(row: Fields<'_>, collation: &str) -> String {
    let data_type = plain_type(row.text(4));
    let extra = row.text(7).to_lowercase();
    let generated = row.get(9).filter(|expression| !expression.is_empty());
    let mut words = vec!["column".to_owned(), Name::new(row.text(3)).shown(DIALECT), data_type.clone()];
    words.extend(row.get(8).filter(|own| *own != collation).map(|own| format!("collate {own}")));
    words.extend((row.text(5) == "NO").then(|| "not null".to_owned()));
    if let Some(expression) = generated {
        let stored =
            if extra.contains("stored") || extra.contains("persistent") { "stored" } else { "virtual" };
        words.push(format!("generated always as ({expression}) {stored}"));
    } else if let Some(value) = row.get(6).and_then(|value| default(value, &data_type, &extra)) {
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

/// A default in the form of an expression; none where it is NULL. MariaDB gives expressions with quoted strings;
/// MySQL gives the value itself, and marks expressions in `extra`.
fn default(value: &str, data_type: &str, extra: &str) -> Option<String> {
    if value == "NULL" {
        return None;
    }
    let lowered = value.to_lowercase();
    if let Some(precision) = lowered.strip_prefix("current_timestamp") {
        return Some(format!("current_timestamp{}", precision.trim_end_matches("()")));
    }
    let is_expression = extra.contains("default_generated")
        || value.starts_with(['\'', '(', 'b', 'x', '_'])
        || value.ends_with(')')
        || is_number(value);
    let holds_numbers = ["int", "decimal", "float", "double", "bit", "year"]
        .iter()
        .any(|numeric| data_type.contains(numeric));
    if is_number(value) && !holds_numbers {
        // The same value of a text column: MariaDB has quoted it already.
        return Some(literal(value, Dialect::Sqlite));
    }
    Some(if is_expression { value.to_owned() } else { literal(value, Dialect::Sqlite) })
}

fn is_number(value: &str) -> bool {
    value.parse::<f64>().is_ok()
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
        for default in ["'x'", "x"] {
            let row = ["column", "t", "1", "a", "varchar(9)", "YES", default, "", "utf8mb4_bin", "", "two"];
            check(&row, "column a varchar(9) default 'x'\ncomment: two");
        }
        for default in ["NULL", "-"] {
            let row = ["column", "t", "1", "a", "text", "YES", default, "", "latin1_bin", "", ""];
            check(&row, "column a text collate latin1_bin");
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
