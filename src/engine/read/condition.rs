//! Whether a condition holds for every row, whatever is in it: `1 = 1`, `NOT false`, `id > 0 OR true`.

use super::cursor::Cursor;
use super::literal;
use crate::sql::lex::TokenKind;

/// How deep parentheses are looked into.
const DEPTH_LIMIT: usize = 16;

/// What is known of a condition before any row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Truth {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It is NULL, which is no match either.
    Null,
    /// It depends on the row.
    Unknown,
}

/// A literal, or a condition in its place.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Truth(Truth),
    Number(f64),
    Text(String),
}

/// Whether the condition between the tokens `from` and `to` is true for every row.
pub fn is_always_true(cursor: &Cursor<'_>, from: usize, to: usize) -> bool {
    let mut cursor = cursor.clone();
    cursor.set(from);
    let to = to.min(cursor.end());
    from < to && cursor.within(from, to, |cursor| any(cursor, 0)) == Truth::True
}

/// `a OR b OR …`.
fn any(cursor: &mut Cursor<'_>, depth: usize) -> Truth {
    let mut truth = all(cursor, depth);
    while cursor.eat(&["OR"]) {
        truth = match (truth, all(cursor, depth)) {
            (Truth::True, _) | (_, Truth::True) => Truth::True,
            (Truth::Unknown, _) | (_, Truth::Unknown) => Truth::Unknown,
            (Truth::Null, _) | (_, Truth::Null) => Truth::Null,
            (Truth::False, Truth::False) => Truth::False,
        };
    }
    truth
}

/// `a AND b AND …`.
fn all(cursor: &mut Cursor<'_>, depth: usize) -> Truth {
    let mut truth = negated(cursor, depth);
    while cursor.eat(&["AND"]) {
        truth = match (truth, negated(cursor, depth)) {
            (Truth::False, _) | (_, Truth::False) => Truth::False,
            (Truth::Unknown, _) | (_, Truth::Unknown) => Truth::Unknown,
            (Truth::Null, _) | (_, Truth::Null) => Truth::Null,
            (Truth::True, Truth::True) => Truth::True,
        };
    }
    truth
}

/// `NOT a`. What is not read up to its end is unknown.
fn negated(cursor: &mut Cursor<'_>, depth: usize) -> Truth {
    let mut not = false;
    while cursor.eat(&["NOT"]) {
        not = !not;
    }
    let truth = test(cursor, depth);
    let ends = |cursor: &Cursor<'_>, at: usize| cursor.word_at(at, "AND") || cursor.word_at(at, "OR");
    let end = cursor.find(ends);
    let whole = end == cursor.at();
    cursor.set(end);
    match truth {
        _ if !whole => Truth::Unknown,
        Truth::True if not => Truth::False,
        Truth::False if not => Truth::True,
        other => other,
    }
}

/// A value, a comparison of two, or `value IS [NOT] NULL`, `TRUE`, `FALSE`.
fn test(cursor: &mut Cursor<'_>, depth: usize) -> Truth {
    let left = value(cursor, depth);
    if cursor.eat(&["IS"]) {
        let not = cursor.eat(&["NOT"]);
        let asked = match cursor.eat_any(&["NULL", "TRUE", "FALSE"]) {
            Some("NULL") => Truth::Null,
            Some("TRUE") => Truth::True,
            Some(_) => Truth::False,
            None => return Truth::Unknown,
        };
        return match truth_of(&left) {
            Truth::Unknown => Truth::Unknown,
            found if (found == asked) != not => Truth::True,
            _ => Truth::False,
        };
    }
    let Some(operator) =
        ["=", "<=>", "<>", "!=", "<", ">", "<=", ">="].into_iter().find(|op| cursor.eat_op(op))
    else {
        return truth_of(&left);
    };
    let right = value(cursor, depth);
    let order = match (&left, &right) {
        (Value::Number(left), Value::Number(right)) => left.partial_cmp(right),
        // Which of two strings comes first, the collation says.
        (Value::Text(left), Value::Text(right)) if left == right => Some(std::cmp::Ordering::Equal),
        _ => None,
    };
    let Some(order) = order else { return Truth::Unknown };
    let holds = match operator {
        "=" | "<=>" => order.is_eq(),
        "<>" | "!=" => order.is_ne(),
        "<" => order.is_lt(),
        ">" => order.is_gt(),
        "<=" => order.is_le(),
        _ => order.is_ge(),
    };
    if holds { Truth::True } else { Truth::False }
}

fn value(cursor: &mut Cursor<'_>, depth: usize) -> Value {
    let unknown = Value::Truth(Truth::Unknown);
    if cursor.is_punct(b'(') {
        let Ok((from, to)) = cursor.parens() else { return unknown };
        if depth >= DEPTH_LIMIT || from >= to {
            return unknown;
        }
        return Value::Truth(cursor.within(from, to, |inner| any(inner, depth + 1)));
    }
    if let Some(word) = cursor.eat_any(&["TRUE", "FALSE", "NULL"]) {
        return Value::Truth(match word {
            "TRUE" => Truth::True,
            "FALSE" => Truth::False,
            _ => Truth::Null,
        });
    }
    let Some(token) = cursor.peek() else { return unknown };
    let text = token.text(cursor.text());
    let value = match token.kind {
        TokenKind::Number => text.parse().map_or(unknown, Value::Number),
        TokenKind::String => Value::Text(literal::string(text, cursor.dialect())),
        _ => return unknown,
    };
    cursor.bump();
    value
}

/// A value as a condition: MySQL and SQLite take a number for one.
fn truth_of(value: &Value) -> Truth {
    match value {
        Value::Truth(truth) => *truth,
        Value::Number(0.0) => Truth::False,
        Value::Number(_) => Truth::True,
        Value::Text(_) => Truth::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;

    #[test]
    fn what_depends_on_no_row_is_told() {
        let check = |condition: &str, always: bool| {
            let cursor = Cursor::new(condition, Dialect::Postgres);
            assert_eq!(is_always_true(&cursor, 0, cursor.end()), always, "{condition}");
        };
        for condition in [
            "true",
            "1",
            "1=1",
            "1 = 1.0",
            "2 > 1",
            "(1 = 1)",
            "'a' = 'a'",
            "NOT false",
            "NULL IS NULL",
            "1 IS NOT NULL",
            "id > 0 OR true",
            "true AND (1 <> 2 OR id = 1)",
            "NOT (id = 1 AND false)",
        ] {
            check(condition, true);
        }
        for condition in [
            "",
            "id = 1",
            "1 = id",
            "1 = 2",
            "0",
            "NULL",
            "NULL IS NOT NULL",
            "NULL = NULL",
            "true AND id = 1",
            "1 = 1 AND id = 1",
            "1 + id = 2",
            "a BETWEEN 1 AND 2",
            "CASE WHEN a OR true THEN false END",
            "true = ANY (flags)",
            "'a' < 'b'",
            "1 IN (SELECT 2)",
            "()",
        ] {
            check(condition, false);
        }
    }
}
