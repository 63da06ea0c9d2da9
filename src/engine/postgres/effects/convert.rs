//! What changing the type of a column costs. `ALTER COLUMN … TYPE` keeps the rows where the cast is a relabelling or
//! a length coercion that keeps every value (<https://www.postgresql.org/docs/current/sql-altertable.html>, Notes);
//! the pairs below were each run on PostgreSQL 14 to 18.

use crate::schema::change::{DataType, Expr};
use crate::schema::model::{Schema, UserTypeKind};

/// What becomes of the rows of a column whose type changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Conversion {
    /// They stay, and so do the column's plain indexes.
    Relabel,
    /// They stay; indexes on the column are built anew, since the operators change.
    RelabelNewOperators,
    /// All are written anew.
    Rewrite,
}

/// What a change from `from` to `to` comes to. `utc`: whether the session's time zone is known to be UTC.
pub fn conversion(from: &DataType, to: &DataType, schema: &Schema, utc: bool) -> Conversion {
    if from == to {
        return Conversion::Relabel;
    }
    if let Some((base, checked)) = domain(to, schema) {
        // A domain with constraints checks every row, and does so by writing it.
        return if checked { Conversion::Rewrite } else { conversion(from, &base, schema, utc) };
    }
    if let Some((base, _)) = domain(from, schema) {
        return conversion(&base, to, schema, utc);
    }
    if from.dimensions > 0 || to.dimensions > 0 {
        // Elements are coerced one by one, also where that changes nothing.
        return Conversion::Rewrite;
    }
    match (kind(from), kind(to)) {
        (Kind::Text(old), Kind::Text(new)) if holds(old, new) => Conversion::Relabel,
        (Kind::Text(_), Kind::Citext) => Conversion::RelabelNewOperators,
        (Kind::Citext, Kind::Text(None)) => Conversion::RelabelNewOperators,
        (Kind::Xml, Kind::Text(None)) => Conversion::RelabelNewOperators,
        (Kind::Cidr, Kind::Inet) => Conversion::Relabel,
        (Kind::Integer, Kind::Oid) | (Kind::Oid, Kind::Integer) => Conversion::RelabelNewOperators,
        (Kind::Oid, Kind::Oid) => Conversion::Relabel,
        (Kind::Numeric, Kind::Numeric) if numeric_holds(from, to) => Conversion::Relabel,
        (Kind::Varbit(old), Kind::Varbit(new)) if holds(old, new) => Conversion::Relabel,
        (Kind::Timestamp(old, zone), Kind::Timestamp(new, other)) if holds(old, new) => {
            match (zone == other, utc) {
                (true, _) => Conversion::Relabel,
                (false, true) => Conversion::RelabelNewOperators,
                (false, false) => Conversion::Rewrite,
            }
        }
        (Kind::Time(old, zone), Kind::Time(new, other)) if zone == other && holds(old, new) => {
            Conversion::Relabel
        }
        (Kind::Interval, Kind::Interval) if interval_holds(from, to) => Conversion::Relabel,
        _ => Conversion::Rewrite,
    }
}

/// Whether `USING` only says what the server does anyway: the column, with or without a cast to the new type.
pub fn is_plain_using(using: &Expr, column: &str, to: &DataType) -> bool {
    if !using.calls.is_empty() || using.columns.len() != 1 || using.columns[0].as_str() != column {
        return false;
    }
    let text: String = using.text.chars().filter(|c| !c.is_whitespace() && !"()\"".contains(*c)).collect();
    let text = text.to_ascii_lowercase();
    let Some(rest) = text.strip_prefix(&column.to_ascii_lowercase()) else { return false };
    let Some(cast) = rest.strip_prefix("::") else { return rest.is_empty() };
    let squeezed =
        |text: &str| text.chars().filter(|c| !c.is_whitespace() && !"()".contains(*c)).collect::<String>();
    let named = squeezed(&to.to_string());
    cast == named || cast == named.replace("charactervarying", "varchar")
}

/// What a type is, as far as conversions go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text(Option<i64>),
    Citext,
    Xml,
    Cidr,
    Inet,
    Integer,
    Oid,
    Numeric,
    Varbit(Option<i64>),
    /// Fractional digits, and whether with time zone.
    Timestamp(Option<i64>, bool),
    Time(Option<i64>, bool),
    Interval,
    Other,
}

fn kind(data_type: &DataType) -> Kind {
    let length = data_type.number(0);
    match data_type.name.as_str() {
        "text" => Kind::Text(None),
        "character varying" => Kind::Text(length),
        "citext" => Kind::Citext,
        "xml" => Kind::Xml,
        "cidr" => Kind::Cidr,
        "inet" => Kind::Inet,
        "integer" => Kind::Integer,
        "oid" | "regclass" | "regtype" | "regproc" | "regprocedure" | "regrole" | "regnamespace" => Kind::Oid,
        "numeric" => Kind::Numeric,
        "bit varying" => Kind::Varbit(length),
        "timestamp without time zone" => Kind::Timestamp(length.filter(|digits| *digits < 6), false),
        "timestamp with time zone" => Kind::Timestamp(length.filter(|digits| *digits < 6), true),
        "time without time zone" => Kind::Time(length.filter(|digits| *digits < 6), false),
        "time with time zone" => Kind::Time(length.filter(|digits| *digits < 6), true),
        name if name.starts_with("interval") => Kind::Interval,
        _ => Kind::Other,
    }
}

/// Whether every value within the old limit is within the new one.
fn holds(old: Option<i64>, new: Option<i64>) -> bool {
    match (old, new) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(old), Some(new)) => old <= new,
    }
}

fn numeric_holds(from: &DataType, to: &DataType) -> bool {
    match (from.number(0), to.number(0)) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(old), Some(new)) => old <= new && from.number(1).unwrap_or(0) == to.number(1).unwrap_or(0),
    }
}

/// The fields and fractional digits of an interval: `interval`, `interval(3)`, `interval day to second(3)`.
fn interval_holds(from: &DataType, to: &DataType) -> bool {
    let plain = |data_type: &DataType| data_type.name == "interval" && data_type.arguments.len() <= 1;
    if to.name == "interval" && to.arguments.is_empty() {
        return true;
    }
    let digits = |data_type: &DataType| data_type.number(0).filter(|digits| *digits < 6);
    plain(from) && plain(to) && holds(digits(from), digits(to))
}

/// Base type of a domain, and whether the domain (or one below it) has constraints.
fn domain(data_type: &DataType, schema: &Schema) -> Option<(DataType, bool)> {
    if data_type.dimensions > 0 {
        return None;
    }
    match &schema.user_type(&data_type.object_name())?.kind {
        UserTypeKind::Domain(domain) => {
            let checked = domain.not_null || !domain.checks.is_empty();
            Some((domain.base.clone(), checked))
        }
        _ => None,
    }
}

/// Whether a column of `data_type` is checked row by row when it is added: a domain with constraints, at any depth.
pub fn is_constrained_domain(data_type: &DataType, schema: &Schema) -> bool {
    let mut found = domain(data_type, schema);
    for _ in 0..16 {
        match found {
            Some((_, true)) => return true,
            Some((base, false)) => found = domain(&base, schema),
            None => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;
    use crate::engine::lower;
    use crate::schema::change::{ChangeKind, TableAction};

    /// The type that `text` names.
    fn data_type(text: &str) -> DataType {
        let changes = lower(&format!("alter table t alter c type {text}"), Dialect::Postgres);
        match &changes[0].kind {
            ChangeKind::AlterTable(alter) => match &alter.action {
                TableAction::SetType { data_type, .. } => data_type.clone(),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    fn check(from: &str, to: &str, utc: bool) -> Conversion {
        conversion(&data_type(from), &data_type(to), &Schema::new(Dialect::Postgres), utc)
    }

    /// What was measured: (old, new, time zone is UTC, rewritten).
    #[test]
    fn conversions_as_measured() {
        let measured = include_str!("../../../../fixtures/effects/conversions.tsv");
        let mut rows = 0;
        for line in measured.lines().filter(|line| !line.starts_with('#')) {
            let [from, to, zone, rewritten] = line.split('\t').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            let found = check(from, to, zone == "UTC") == Conversion::Rewrite;
            assert_eq!(found, rewritten == "rewritten", "{line}");
            rows += 1;
        }
        assert!(rows > 50);
    }

    #[test]
    fn using_that_says_nothing_new() {
        let plain = |using: &str, to: &str| {
            let changes = lower(&format!("alter table t alter c type {to} using {using}"), Dialect::Postgres);
            match changes[0].table_action() {
                Some((_, TableAction::SetType { using: Some(using), data_type, .. })) => {
                    is_plain_using(using, "c", data_type)
                }
                other => panic!("{other:?}"),
            }
        };
        assert!(plain("c", "text"));
        assert!(plain("\"c\"::text", "text"));
        assert!(plain("c::varchar(255)", "varchar(255)"));
        assert!(plain("(c)::timestamp with time zone", "timestamptz"));
        assert!(!plain("c || ''", "text"));
        assert!(!plain("lower(c)", "text"));
        assert!(!plain("c::bytea", "text"));
    }
}
