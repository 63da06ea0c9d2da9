//! Values that a column's type takes, and those that its checks hint at.

use super::tables::{Column, Table};
use crate::dialect::Dialect;
use crate::name::literal;

/// How many values are tried for one column.
const CANDIDATES_MAX: usize = 24;

/// The value of `column` in row `number` (from 1), as SQL; none where no value of its type is known.
pub(crate) fn usual(column: &Column, number: usize, dialect: Dialect) -> Option<String> {
    if !column.labels.is_empty() {
        return column.labels.get((number - 1) % column.labels.len()).map(|label| literal(label, dialect));
    }
    let kind = column.kind.as_str();
    if let Some(of) = kind.strip_suffix("[]") {
        let one = usual(&Column { kind: of.to_owned(), ..Column::default() }, number, dialect);
        return Some(one.map_or_else(|| "'{}'".to_owned(), |one| format!("ARRAY[{one}]::{kind}")));
    }
    let (name, length) = parts(kind);
    let text = |text: String| Some(literal(&text, dialect));
    let cut = |value: String| {
        let length = length.unwrap_or(usize::MAX);
        // What differs stands at the end.
        let from = value.len().saturating_sub(length);
        text(value[from..].to_owned())
    };
    match name {
        "boolean" | "bool" => match dialect {
            Dialect::Postgres => Some((number % 2 == 1).to_string()),
            Dialect::Mysql | Dialect::Sqlite => Some((number % 2).to_string()),
        },
        "date" => text(format!("2020-01-{:02}", number % 28 + 1)),
        name if name.starts_with("timestamp") || name.starts_with("datetime") => {
            text(format!("2020-01-{:02} 12:00:00", number % 28 + 1))
        }
        name if name.starts_with("time") => text(format!("12:00:{:02}", number % 60)),
        "interval" => text(format!("{number} hours")),
        "uuid" => text(format!("00000000-0000-4000-8000-{number:012}")),
        "json" | "jsonb" => text(format!("{{\"a\": {number}}}")),
        "xml" => text(format!("<a>{number}</a>")),
        "bytea" => text(format!("\\x{number:02x}")),
        "inet" => text(format!("10.0.0.{}", number % 255)),
        "cidr" => text(format!("10.0.{}.0/24", number % 255)),
        "macaddr" => text(format!("08:00:2b:01:02:{:02x}", number % 255)),
        "point" if dialect == Dialect::Postgres => text(format!("({number},{number})")),
        "tsvector" | "ltree" => text(format!("a{number}")),
        "hstore" => text(format!("a=>{number}")),
        "year" => Some((2000 + number).to_string()),
        "bit" if dialect == Dialect::Postgres => text("1".repeat(length.unwrap_or(1))),
        "bit varying" => text("1".to_owned()),
        "bit" => Some((number % 2).to_string()),
        name if name.ends_with("range") => text("empty".to_owned()),
        name if is_number(name) => Some(number.to_string()),
        name if is_text(name) => cut(format!("a{number}")),
        name if name.contains("blob") || name.contains("binary") => cut(format!("b{number}")),
        // SQLite takes anything in a column without a type.
        _ if dialect == Dialect::Sqlite => cut(format!("a{number}")),
        _ => None,
    }
}

/// A type's name without its modifiers, and its first modifier.
fn parts(kind: &str) -> (&str, Option<usize>) {
    let Some((name, rest)) = kind.split_once('(') else { return (kind.trim(), None) };
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (name.trim(), digits.parse().ok())
}

fn is_number(name: &str) -> bool {
    let first = name.split(' ').next().unwrap_or("");
    first.ends_with("int")
        || [
            "integer",
            "int2",
            "int4",
            "int8",
            "smallserial",
            "serial",
            "bigserial",
            "numeric",
            "decimal",
            "dec",
            "real",
        ]
        .contains(&first)
        || ["float", "float4", "float8", "double", "money", "oid", "number"].contains(&first)
}

fn is_text(name: &str) -> bool {
    name.contains("char")
        || name.contains("text")
        || name.contains("clob")
        || ["name", "citext"].contains(&name)
}

/// Other values for `column`, in the order in which they are tried where the usual one is refused: what its table's
/// checks name, then what checks often ask for.
pub(crate) fn candidates(table: &Table, column: &Column, number: usize, dialect: Dialect) -> Vec<String> {
    let mut all: Vec<String> = usual(column, number, dialect).into_iter().collect();
    let checks: Vec<&String> = table.checks.iter().filter(|check| check.contains(&column.name)).collect();
    let (name, _) = parts(&column.kind);
    if is_number(name) {
        for value in checks.iter().flat_map(|check| numbers(check)) {
            all.extend([value + number as i64, value, value - number as i64].map(|value| value.to_string()));
        }
        all.extend(["0".to_owned(), "1".to_owned()]);
    } else {
        let words = checks.iter().flat_map(|check| check.split('\'').skip(1).step_by(2));
        all.extend(words.map(|word| literal(word, dialect)));
        if is_text(name) {
            let lengths = checks.iter().flat_map(|check| numbers(check));
            let long = lengths.filter(|length| (1..=512).contains(length)).map(|length| {
                let digits = format!("{number:x}");
                format!("{digits:a>width$}", width = usize::try_from(length).unwrap_or(1))
            });
            let usual = [
                format!("a{number}@example.org"),
                format!("https://example.org/{number}"),
                format!("A{number}"),
            ];
            all.extend(long.chain(usual).map(|text| literal(&text, dialect)));
            all.push(literal("", dialect));
        }
        if name.starts_with("json") {
            all.extend(["[]", "{}", "1"].map(|text| literal(text, dialect)));
        }
        if name.starts_with("bool") || name.starts_with("tinyint") {
            all.extend(["true", "false"].map(str::to_owned));
        }
    }
    if column.nullable {
        all.insert(1.min(all.len()), "NULL".to_owned());
    }
    let mut seen = std::collections::HashSet::new();
    all.retain(|value| seen.insert(value.clone()));
    all.truncate(CANDIDATES_MAX);
    all
}

/// The whole numbers in a check.
fn numbers(check: &str) -> Vec<i64> {
    let words = check.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    words.filter_map(|word| word.parse().ok()).filter(|number: &i64| number.abs() < 1_000_000_000).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(dialect: Dialect, kind: &str, expect: &str) {
        let column = Column { kind: kind.to_owned(), ..Column::default() };
        assert_eq!(usual(&column, 2, dialect).unwrap_or_default(), expect, "{kind}");
    }

    #[test]
    fn each_type_takes_its_value() {
        let postgres = |kind, expect| check(Dialect::Postgres, kind, expect);
        postgres("integer", "2");
        postgres("double precision", "2");
        postgres("character varying(1)", "E'2'");
        postgres("text", "E'a2'");
        postgres("timestamp with time zone", "E'2020-01-03 12:00:00'");
        postgres("uuid[]", "ARRAY[E'00000000-0000-4000-8000-000000000002']::uuid[]");
        postgres("geometry", "");
        check(Dialect::Mysql, "int(10) unsigned", "2");
        check(Dialect::Mysql, "tinyint(1)", "2");
        check(Dialect::Sqlite, "", "'a2'");
    }

    #[test]
    fn checks_say_what_they_want() {
        let column = Column { name: "size".to_owned(), kind: "integer".to_owned(), ..Column::default() };
        let table = Table { checks: vec!["CHECK ((size > 100))".to_owned()], ..Table::default() };
        assert_eq!(candidates(&table, &column, 1, Dialect::Postgres)[..2], ["1", "101"]);
        let column = Column { name: "state".to_owned(), kind: "text".to_owned(), ..Column::default() };
        let table =
            Table { checks: vec!["CHECK ((state = ANY ('open'::text)))".to_owned()], ..Table::default() };
        assert_eq!(candidates(&table, &column, 1, Dialect::Postgres)[1], "E'open'");
    }
}
