//! PostgreSQL's types in the spelling of `format_type`
//! (<https://www.postgresql.org/docs/current/datatype.html#DATATYPE-TABLE>).

use crate::engine::read::cursor::{Cursor, Read};
use crate::schema::change::DataType;

/// Reads a type; whether it is one of the `serial` pseudo-types.
pub fn column_type(cursor: &mut Cursor<'_>) -> Read<(DataType, bool)> {
    let serial = match cursor.word(cursor.at()).to_ascii_lowercase().as_str() {
        "serial" | "serial4" => "integer",
        "bigserial" | "serial8" => "bigint",
        "smallserial" | "serial2" => "smallint",
        _ => return data_type(cursor).map(|data_type| (data_type, false)),
    };
    cursor.bump();
    Ok((dimensions(cursor, DataType::plain(serial)), true))
}

/// Reads a type.
pub fn data_type(cursor: &mut Cursor<'_>) -> Read<DataType> {
    let found = base_type(cursor)?;
    Ok(dimensions(cursor, found))
}

/// `[]`, `[3]`, `ARRAY`, behind a type.
fn dimensions(cursor: &mut Cursor<'_>, mut found: DataType) -> DataType {
    loop {
        if cursor.is_punct(b'[') {
            cursor.set(cursor.after(cursor.at()));
        } else if !cursor.eat(&["ARRAY"]) {
            break;
        }
        found.dimensions = found.dimensions.saturating_add(1);
    }
    found
}

fn base_type(cursor: &mut Cursor<'_>) -> Read<DataType> {
    let word = cursor.word(cursor.at()).to_ascii_lowercase();
    // A quoted name, or one with a schema, is never a keyword.
    let dotted = cursor.punct_at(cursor.at() + 1, b'.');
    let known = if dotted { None } else { keyword_type(cursor, &word)? };
    if let Some(known) = known {
        return Ok(known);
    }
    let quoted = word.starts_with('"');
    if !cursor.name_at(cursor.at()) {
        return Err(cursor.unexpected("a data type"));
    }
    let mut name = cursor.object_name()?;
    let mut text = name.name.to_string();
    if name.schema.as_ref().is_some_and(|schema| schema.as_str() == "pg_catalog") {
        name.schema = None;
    }
    if cursor.eat_op("%") {
        // `table.column%TYPE`, `table%ROWTYPE`.
        let kind = cursor.any_name()?;
        text = format!("{text}%{}", kind.as_str().to_uppercase());
    }
    let arguments = modifiers(cursor)?;
    let text = match (quoted, name.schema.is_some()) {
        (false, false) => internal_name(&text).map_or(text, str::to_owned),
        // The type "char" is not char.
        (true, false) if text == "char" => "\"char\"".to_owned(),
        _ => text,
    };
    Ok(DataType { schema: name.schema, arguments, ..DataType::plain(&text) })
}

/// `(20)`, `(10, 2)`, `(geometry, 4326)`: each modifier as written.
fn modifiers(cursor: &mut Cursor<'_>) -> Read<Vec<String>> {
    if !cursor.is_punct(b'(') {
        return Ok(Vec::new());
    }
    cursor.in_parens(|cursor| {
        let start = cursor.at();
        let stop = cursor.find(|cursor, at| cursor.punct_at(at, b',') || cursor.punct_at(at, b')'));
        if stop == start {
            return Err(cursor.unexpected("a type modifier"));
        }
        cursor.set(stop);
        Ok(cursor.span_from(start).of(cursor.text()).to_owned())
    })
}

/// A type that the grammar knows by keywords of its own; none where it is an ordinary name.
fn keyword_type(cursor: &mut Cursor<'_>, word: &str) -> Read<Option<DataType>> {
    let plain = |name: &str| Ok(Some(DataType::plain(name)));
    let start = cursor.at();
    cursor.set(start + 1);
    match word {
        "int" | "integer" | "int4" => plain("integer"),
        "bigint" | "int8" => plain("bigint"),
        "smallint" | "int2" => plain("smallint"),
        "real" | "float4" => plain("real"),
        "float8" => plain("double precision"),
        "double" if cursor.eat(&["PRECISION"]) => plain("double precision"),
        "boolean" | "bool" => plain("boolean"),
        "float" => {
            let bits = modifiers(cursor)?.first().and_then(|bits| bits.parse::<u8>().ok());
            plain(if bits.is_some_and(|bits| bits <= 24) { "real" } else { "double precision" })
        }
        "decimal" | "dec" | "numeric" => {
            let mut arguments = modifiers(cursor)?;
            if arguments.len() == 1 {
                arguments.push("0".to_owned());
            }
            Ok(Some(DataType { arguments, ..DataType::plain("numeric") }))
        }
        "varchar" => with_length(cursor, "character varying", None),
        "bpchar" => match modifiers(cursor)? {
            arguments if arguments.is_empty() => plain("bpchar"),
            arguments => Ok(Some(DataType { arguments, ..DataType::plain("character") })),
        },
        "char" | "character" | "nchar" if cursor.eat(&["VARYING"]) => {
            with_length(cursor, "character varying", None)
        }
        "char" | "character" | "nchar" => with_length(cursor, "character", Some("1")),
        "national" if cursor.eat_any(&["CHAR", "CHARACTER"]).is_some() => {
            let varying = cursor.eat(&["VARYING"]);
            if varying {
                with_length(cursor, "character varying", None)
            } else {
                with_length(cursor, "character", Some("1"))
            }
        }
        "bit" if cursor.eat(&["VARYING"]) => with_length(cursor, "bit varying", None),
        "bit" => with_length(cursor, "bit", Some("1")),
        "varbit" => with_length(cursor, "bit varying", None),
        "timestamp" | "time" => {
            let arguments = modifiers(cursor)?;
            let zone = cursor.eat(&["WITH", "TIME", "ZONE"]);
            if !zone {
                cursor.eat(&["WITHOUT", "TIME", "ZONE"]);
            }
            let name = format!("{word} {} time zone", if zone { "with" } else { "without" });
            Ok(Some(DataType { arguments, ..DataType::plain(&name) }))
        }
        "timestamptz" => with_length(cursor, "timestamp with time zone", None),
        "timetz" => with_length(cursor, "time with time zone", None),
        "interval" => interval(cursor),
        _ => {
            cursor.set(start);
            Ok(None)
        }
    }
}

fn with_length(cursor: &mut Cursor<'_>, name: &str, default: Option<&str>) -> Read<Option<DataType>> {
    let mut arguments = modifiers(cursor)?;
    if arguments.is_empty() {
        arguments.extend(default.map(str::to_owned));
    }
    Ok(Some(DataType { arguments, ..DataType::plain(name) }))
}

/// `interval`, `interval(3)`, `interval day to second(3)`.
fn interval(cursor: &mut Cursor<'_>) -> Read<Option<DataType>> {
    const FIELDS: [&str; 6] = ["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"];
    let mut name = "interval".to_owned();
    if let Some(from) = cursor.eat_any(&FIELDS) {
        name = format!("{name} {}", from.to_ascii_lowercase());
        if cursor.eat(&["TO"]) {
            let Some(to) = cursor.eat_any(&FIELDS) else {
                return Err(cursor.unexpected("a field of an interval"));
            };
            name = format!("{name} to {}", to.to_ascii_lowercase());
        }
    }
    let arguments = modifiers(cursor)?;
    Ok(Some(DataType { arguments, ..DataType::plain(&name) }))
}

/// The name that `format_type` shows for an internal one (`pg_catalog.int4`).
fn internal_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "int4" => "integer",
        "int8" => "bigint",
        "int2" => "smallint",
        "float4" => "real",
        "float8" => "double precision",
        "bool" => "boolean",
        "varchar" => "character varying",
        "timestamptz" => "timestamp with time zone",
        "timestamp" => "timestamp without time zone",
        "timetz" => "time with time zone",
        "time" => "time without time zone",
        "varbit" => "bit varying",
        "decimal" => "numeric",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;

    #[test]
    fn canonical_spelling_is_that_of_format_type() {
        for (written, shown) in [
            ("int", "integer"),
            ("INT8[]", "bigint[]"),
            ("varchar(20)", "character varying(20)"),
            ("varchar ( 255 ) [5]", "character varying(255)[]"),
            ("char", "character(1)"),
            ("\"char\"", "\"char\""),
            ("bpchar", "bpchar"),
            ("numeric(10)", "numeric(10,0)"),
            ("decimal(10, 2)", "numeric(10,2)"),
            ("timestamp(3) with time zone", "timestamp(3) with time zone"),
            ("timestamptz(3)", "timestamp(3) with time zone"),
            ("timestamp", "timestamp without time zone"),
            ("double precision", "double precision"),
            ("float(24)", "real"),
            ("interval day to second(3)", "interval day to second(3)"),
            ("pg_catalog.int4", "integer"),
            ("public.citext", "public.citext"),
            ("geometry(Point, 4326)", "geometry(Point,4326)"),
            ("text ARRAY", "text[]"),
            ("bit varying(5)", "bit varying(5)"),
            ("My_Type", "my_type"),
        ] {
            let mut cursor = Cursor::new(written, Dialect::Postgres);
            assert_eq!(data_type(&mut cursor).unwrap().to_string(), shown, "{written}");
            assert!(cursor.is_done(), "{written}");
        }
        assert!(data_type(&mut Cursor::new(", a", Dialect::Postgres)).is_err());
        assert!(data_type(&mut Cursor::new("select", Dialect::Postgres)).is_err());
    }
}
