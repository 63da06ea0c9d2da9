//! How the values of two types compare: whether one only lifts a limit of the other, or takes fewer values.

use crate::dialect::Dialect;
use crate::engine::query::normal::LiteralKind;
use crate::engine::query::tree::Value;
use crate::schema::change::DataType;

/// Whether `to` is the same kind of type as `from`, with a limit lifted or none changed: a longer `varchar`, more
/// digits, but never another kind of value.
pub fn is_same_kind(from: &DataType, to: &DataType, dialect: Dialect) -> bool {
    let (Some(one), Some(other)) = (kind(from, dialect), kind(to, dialect)) else { return false };
    let is_longer = one.family != Family::Labels || to.arguments.starts_with(&from.arguments);
    from.dimensions == to.dimensions && one.family == other.family && one.holds(&other) && is_longer
}

/// Whether `to` holds numbers of another width than `from`: programs read it into another type of theirs.
pub fn is_other_number(from: &DataType, to: &DataType, dialect: Dialect) -> bool {
    let (Some(one), Some(other)) = (kind(from, dialect), kind(to, dialect)) else { return false };
    matches!(one.family, Family::Integer | Family::Float) && one.family == other.family && one != other
}

/// Whether `to` is the widest type of its kind, so that whatever is usually converted to it fits.
pub fn is_widest(to: &DataType, dialect: Dialect) -> bool {
    let Some(kind) = kind(to, dialect) else { return false };
    match kind.family {
        Family::Text | Family::Decimal => kind.limits.iter().all(Option::is_none),
        Family::Integer
        | Family::Float
        | Family::Bits
        | Family::Timestamp
        | Family::TimestampWithZone
        | Family::Time
        | Family::Interval
        | Family::Labels => false,
    }
}

/// Whether `to` takes fewer of the values that `from` takes.
pub fn is_narrower(from: &DataType, to: &DataType, dialect: Dialect) -> bool {
    let (Some(one), Some(other)) = (kind(from, dialect), kind(to, dialect)) else { return false };
    // Labels that are missing are told by name elsewhere.
    let is_measured = one.family != Family::Labels;
    from.dimensions == to.dimensions && one.family == other.family && is_measured && !one.holds(&other)
}

/// Whether `value` fits into the limits of `to`; none where that cannot be told.
pub fn fits(value: &Value, to: &DataType, dialect: Dialect) -> Option<bool> {
    let kind = kind(to, dialect).filter(|_| to.dimensions == 0)?;
    let chars = match value {
        Value::Null => return Some(true),
        // The server cuts spaces at the end.
        Value::Text(text) => text.trim_end().chars().count(),
        Value::Literal(LiteralKind::Text, Some(chars)) => *chars,
        Value::Number(text) if kind.family == Family::Integer => {
            let number: i128 = text.parse().ok()?;
            let [Some(largest), Some(smallest)] = kind.limits else { return None };
            let power = |bits: i64| u32::try_from(bits).ok().and_then(|bits| 1_i128.checked_shl(bits));
            let lowest = if smallest == 0 { 0 } else { -power(smallest)? };
            return Some(number >= lowest && number < power(largest)?);
        }
        _ => return None,
    };
    match (kind.family, kind.limits) {
        (Family::Text, [None, _]) => Some(true),
        // MySQL's types without a length of their own count bytes: a character has up to four.
        (Family::Text, [Some(most), _]) if to.arguments.is_empty() => {
            i64::try_from(chars * 4).is_ok_and(|chars| chars <= most).then_some(true)
        }
        (Family::Text, [Some(most), _]) => Some(i64::try_from(chars).is_ok_and(|chars| chars <= most)),
        _ => None,
    }
}

/// The labels that the column type `of` lists itself, where the engine has such types.
pub fn own_labels(of: &DataType, dialect: Dialect) -> Option<&[String]> {
    (dialect == Dialect::Mysql && (of.is("enum") || of.is("set"))).then_some(of.arguments.as_slice())
}

/// Whether the server has no operator between `value` and a column of the type `to`, whatever that is: PostgreSQL takes
/// no number for a text.
pub fn lacks_operator(value: &Value, to: &DataType, dialect: Dialect) -> bool {
    let is_number = matches!(value, Value::Number(_) | Value::Literal(LiteralKind::Number, _));
    let is_text = kind(to, dialect).is_some_and(|kind| kind.family == Family::Text) && to.dimensions == 0;
    dialect == Dialect::Postgres && is_number && is_text
}

/// Kinds of types whose limits compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Text,
    Integer,
    Float,
    Decimal,
    Bits,
    Timestamp,
    TimestampWithZone,
    Time,
    Interval,
    Labels,
}

/// A type as its kind and its limits; none for no limit.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kind {
    family: Family,
    limits: [Option<i64>; 2],
}

impl Kind {
    /// Whether every value of this type fits into `other`, which is of the same kind.
    fn holds(&self, other: &Kind) -> bool {
        self.limits.iter().zip(&other.limits).all(|(own, other)| match (own, other) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(own), Some(other)) => own <= other,
        })
    }
}

fn kind(data_type: &DataType, dialect: Dialect) -> Option<Kind> {
    let first = data_type.number(0);
    let of = |family, limit: Option<i64>| Some(Kind { family, limits: [limit, None] });
    let fraction = |default| Some(first.unwrap_or(default));
    let name = data_type.name.to_ascii_lowercase();
    match (dialect, name.as_str()) {
        (Dialect::Postgres, "text") => of(Family::Text, None),
        (Dialect::Postgres, "character varying") => of(Family::Text, first),
        (Dialect::Mysql, "varchar") => of(Family::Text, first),
        (Dialect::Mysql, "tinytext") => of(Family::Text, Some(255)),
        (Dialect::Mysql, "text") => of(Family::Text, Some(65_535)),
        (Dialect::Mysql, "mediumtext") => of(Family::Text, Some(16_777_215)),
        (Dialect::Mysql, "longtext") => of(Family::Text, None),
        (_, "smallint" | "tinyint" | "mediumint" | "integer" | "int" | "bigint") => {
            let bits = match name.as_str() {
                "tinyint" => 8,
                "smallint" => 16,
                "mediumint" => 24,
                "integer" | "int" => 32,
                _ => 64,
            };
            // The largest and the smallest value, as powers of two: an unsigned type has no negative ones.
            let (largest, smallest) = if data_type.unsigned { (bits, 0) } else { (bits - 1, bits - 1) };
            Some(Kind { family: Family::Integer, limits: [Some(largest), Some(smallest)] })
        }
        (_, "real" | "float") => of(Family::Float, Some(24)),
        (_, "double precision" | "double") => of(Family::Float, Some(53)),
        (_, "numeric" | "decimal") => {
            let digits = match (first, dialect) {
                (None, Dialect::Mysql) => Some((10, 0)),
                (None, Dialect::Postgres | Dialect::Sqlite) => None,
                (Some(precision), _) => Some((precision, data_type.number(1).unwrap_or(0))),
            };
            let limits =
                digits.map_or([None, None], |(precision, scale)| [Some(precision - scale), Some(scale)]);
            Some(Kind { family: Family::Decimal, limits })
        }
        (Dialect::Postgres, "bit varying") => of(Family::Bits, first),
        (Dialect::Postgres, "timestamp without time zone") => of(Family::Timestamp, fraction(6)),
        (Dialect::Postgres, "timestamp with time zone") => of(Family::TimestampWithZone, fraction(6)),
        (Dialect::Postgres, "time without time zone") => of(Family::Time, fraction(6)),
        (Dialect::Postgres, "interval") => of(Family::Interval, fraction(6)),
        (Dialect::Mysql, "enum" | "set") => of(Family::Labels, i64::try_from(data_type.arguments.len()).ok()),
        (Dialect::Mysql, "datetime") => of(Family::Timestamp, fraction(0)),
        (Dialect::Mysql, "timestamp") => of(Family::TimestampWithZone, fraction(0)),
        (Dialect::Mysql, "time") => of(Family::Time, fraction(0)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data_type(name: &str, arguments: &[&str]) -> DataType {
        let arguments = arguments.iter().map(|one| (*one).to_owned()).collect();
        DataType { arguments, ..DataType::plain(name) }
    }

    #[test]
    fn limits_compare() {
        let text = |length: &str| data_type("character varying", &[length]);
        let pg = Dialect::Postgres;
        assert!(is_same_kind(&text("20"), &text("50"), pg) && !is_narrower(&text("20"), &text("50"), pg));
        assert!(is_narrower(&text("50"), &text("20"), pg));
        assert!(is_narrower(&data_type("text", &[]), &text("20"), pg));
        assert!(is_same_kind(&text("50"), &data_type("text", &[]), pg));
        assert!(is_narrower(&data_type("bigint", &[]), &data_type("integer", &[]), pg));
        assert!(!is_same_kind(&data_type("integer", &[]), &data_type("text", &[]), pg));
        let numeric = |precision, scale| data_type("numeric", &[precision, scale]);
        assert!(is_narrower(&numeric("10", "2"), &numeric("10", "4"), pg));
        assert!(is_same_kind(&numeric("10", "2"), &numeric("12", "2"), pg));
        let unsigned = DataType { unsigned: true, ..data_type("int", &[]) };
        assert!(is_narrower(&data_type("int", &[]), &unsigned, Dialect::Mysql));
        let label = |labels: &[&str]| data_type("enum", labels);
        assert!(is_same_kind(&label(&["a", "b"]), &label(&["a", "b", "c"]), Dialect::Mysql));
        assert!(!is_same_kind(&label(&["a", "b"]), &label(&["a", "c", "b"]), Dialect::Mysql));
        assert!(is_other_number(&data_type("int", &[]), &data_type("bigint", &[]), Dialect::Mysql));
        assert!(is_widest(&data_type("text", &[]), pg) && !is_widest(&text("20"), pg));
    }

    #[test]
    fn values_fit_or_not() {
        let check = |value: &Value, name: &str, arguments: &[&str], expect: Option<bool>| {
            let found = fits(value, &data_type(name, arguments), Dialect::Postgres);
            assert_eq!(found, expect, "{value:?} in {name}{arguments:?}");
        };
        let text = |text: &str| Value::Text(text.to_owned());
        let number = |text: &str| Value::Number(text.to_owned());
        check(&text("abcde "), "character varying", &["5"], Some(true));
        check(&text("abcdef"), "character varying", &["5"], Some(false));
        check(&Value::Literal(LiteralKind::Text, Some(6)), "character varying", &["5"], Some(false));
        check(&Value::Literal(LiteralKind::Text, None), "character varying", &["5"], None);
        check(&text("abcdef"), "text", &[], Some(true));
        check(&number("32767"), "smallint", &[], Some(true));
        check(&number("32768"), "smallint", &[], Some(false));
        check(&number("-32768"), "smallint", &[], Some(true));
        check(&number("1.5"), "smallint", &[], None);
        check(&Value::Unknown, "smallint", &[], None);
        let long = Value::Literal(LiteralKind::Text, Some(100));
        assert_eq!(fits(&long, &data_type("tinytext", &[]), Dialect::Mysql), None);
        assert_eq!(fits(&text("short"), &data_type("tinytext", &[]), Dialect::Mysql), Some(true));
        let unsigned = DataType { unsigned: true, ..data_type("tinyint", &[]) };
        assert_eq!(fits(&number("-1"), &unsigned, Dialect::Mysql), Some(false));
        assert_eq!(fits(&number("255"), &unsigned, Dialect::Mysql), Some(true));
    }
}
