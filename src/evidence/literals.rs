//! What is kept of the literals of a query in the file: `1:text:7 3:number`, which is parameter, kind and length.

use crate::engine::query::normal::{Literal, LiteralKind};
use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// Writes `literals` as one text.
pub(super) fn serialize<S: Serializer>(literals: &[Literal], serializer: S) -> Result<S::Ok, S::Error> {
    let one = |literal: &Literal| {
        let kind = match literal.kind {
            LiteralKind::Text => "text",
            LiteralKind::Number => "number",
        };
        let chars = literal.chars.map(|chars| format!(":{chars}")).unwrap_or_default();
        format!("{}:{kind}{chars}", literal.parameter)
    };
    serializer.serialize_str(&literals.iter().map(one).collect::<Vec<_>>().join(" "))
}

/// Reads them.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Literal>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let all: Option<Vec<Literal>> = text.split_whitespace().map(literal).collect();
    all.ok_or_else(|| D::Error::custom("`literals` is not of the form `1:text:7 2:number`"))
}

fn literal(text: &str) -> Option<Literal> {
    let mut parts = text.split(':');
    let parameter = parts.next()?.parse().ok()?;
    let kind = match parts.next()? {
        "text" => LiteralKind::Text,
        "number" => LiteralKind::Number,
        _ => return None,
    };
    let chars = parts.next().map(str::parse).transpose().ok()?;
    parts.next().is_none().then_some(Literal { parameter, kind, chars })
}
