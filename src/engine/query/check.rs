//! Whether a check takes a value: three answers, and never a guess. What it does not know (functions, other columns,
//! the order of texts) it does not tell.

use super::lower::parser_of;
use super::lower_value::elements;
use super::tree::Value;
use crate::dialect::Dialect;
use crate::name::Name;
use sqlparser::ast::{
    self, BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator,
};
use sqlparser::parser::Parser;
use std::cmp::Ordering;

/// Whole numbers up to this one have a floating point number of their own.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// Whether the check `text` on the one column `column` takes `value`: a check refuses what makes it false, not what
/// makes it null. None where that cannot be told.
pub fn takes(text: &str, column: &Name, value: &Value, dialect: Dialect) -> Option<bool> {
    let parser = parser_of(dialect);
    let expr = Parser::new(parser).try_with_sql(text).ok()?.parse_expr().ok()?;
    match (Check { column, value, dialect }).of(&expr) {
        Known::Null | Known::Bool(true) => Some(true),
        Known::Bool(false) => Some(false),
        Known::Text(_) | Known::Number(_) | Known::Length(_) | Known::Nothing => None,
    }
}

/// What is known of a part of a check.
#[derive(Debug, Clone, PartialEq)]
enum Known {
    Null,
    Bool(bool),
    Text(String),
    Number(f64),
    /// A text of this length.
    Length(usize),
    Nothing,
}

struct Check<'a> {
    column: &'a Name,
    value: &'a Value,
    dialect: Dialect,
}

impl Check<'_> {
    fn of(&self, expr: &Expr) -> Known {
        match expr {
            Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => self.of(inner),
            Expr::Identifier(ident) => self.named(ident),
            Expr::CompoundIdentifier(path) => path.last().map_or(Known::Nothing, |ident| self.named(ident)),
            Expr::Value(value) => literal(&value.value),
            Expr::IsNull(inner) => is_null(&self.of(inner)),
            Expr::IsNotNull(inner) => not(is_null(&self.of(inner))),
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => not(self.of(expr)),
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match self.of(expr) {
                Known::Number(number) => Known::Number(-number),
                _ => Known::Nothing,
            },
            Expr::BinaryOp { left, op, right } => self.binary(&self.of(left), op, &self.of(right)),
            Expr::InList { expr, list, negated } => {
                let found = self.any(&self.of(expr), list, &BinaryOperator::Eq);
                if *negated { not(found) } else { found }
            }
            Expr::AnyOp { left, compare_op, right, .. } => match elements(right) {
                Some(list) => self.any(&self.of(left), list, compare_op),
                None => Known::Nothing,
            },
            Expr::AllOp { left, compare_op: BinaryOperator::NotEq, right } => match elements(right) {
                Some(list) => not(self.any(&self.of(left), list, &BinaryOperator::Eq)),
                None => Known::Nothing,
            },
            Expr::Between { expr, negated, low, high } => {
                let value = self.of(expr);
                let above = self.binary(&value, &BinaryOperator::GtEq, &self.of(low));
                let below = self.binary(&value, &BinaryOperator::LtEq, &self.of(high));
                let found = and(above, below);
                if *negated { not(found) } else { found }
            }
            Expr::Function(function) => self.call(function),
            _ => Known::Nothing,
        }
    }

    fn named(&self, ident: &ast::Ident) -> Known {
        let is_column = self.column.as_str().eq_ignore_ascii_case(&ident.value);
        match self.value {
            _ if !is_column => Known::Nothing,
            Value::Text(text) => Known::Text(text.clone()),
            Value::Number(text) => number(text),
            Value::Literal(super::normal::LiteralKind::Text, Some(chars)) => Known::Length(*chars),
            Value::Null => Known::Null,
            Value::Literal(..) | Value::Default | Value::Column(_) | Value::Unknown => Known::Nothing,
        }
    }

    /// Whether one of `list` is to `value` as `operator` wants it.
    fn any(&self, value: &Known, list: &[Expr], operator: &BinaryOperator) -> Known {
        let each = list.iter().map(|item| self.binary(value, operator, &self.of(item)));
        each.fold(Known::Bool(false), or)
    }

    fn binary(&self, left: &Known, operator: &BinaryOperator, right: &Known) -> Known {
        let told = |fits: fn(Ordering) -> bool| match self.compare(left, right) {
            Compared::Null => Known::Null,
            Compared::Ordered(order) => Known::Bool(fits(order)),
            Compared::Different => match operator {
                BinaryOperator::Eq => Known::Bool(false),
                BinaryOperator::NotEq => Known::Bool(true),
                _ => Known::Nothing,
            },
            Compared::Nothing => Known::Nothing,
        };
        match operator {
            BinaryOperator::And => and(left.clone(), right.clone()),
            BinaryOperator::Or => or(left.clone(), right.clone()),
            BinaryOperator::Eq => told(Ordering::is_eq),
            BinaryOperator::NotEq => told(Ordering::is_ne),
            BinaryOperator::Lt => told(Ordering::is_lt),
            BinaryOperator::LtEq => told(Ordering::is_le),
            BinaryOperator::Gt => told(Ordering::is_gt),
            BinaryOperator::GtEq => told(Ordering::is_ge),
            _ => Known::Nothing,
        }
    }

    fn compare(&self, left: &Known, right: &Known) -> Compared {
        let ordered = |one: f64, other: f64| match one.partial_cmp(&other) {
            Some(order) if one.abs() < EXACT_MAX && other.abs() < EXACT_MAX => Compared::Ordered(order),
            Some(_) | None => Compared::Nothing,
        };
        match (left, right) {
            (Known::Null, _) | (_, Known::Null) => Compared::Null,
            (Known::Text(one), Known::Text(other)) => match one == other {
                true => Compared::Ordered(Ordering::Equal),
                // A collation may take them for the same.
                false if one.trim_end().to_lowercase() == other.trim_end().to_lowercase() => {
                    Compared::Nothing
                }
                // It decides the order too, and what accents and signs are worth.
                false if one.is_ascii() && other.is_ascii() => Compared::Different,
                false => Compared::Nothing,
            },
            (Known::Number(one), Known::Number(other)) => ordered(*one, *other),
            // `'5'` for a number.
            (Known::Text(text), Known::Number(other)) => match number(text) {
                Known::Number(one) if self.dialect != Dialect::Sqlite => ordered(one, *other),
                _ => Compared::Nothing,
            },
            (Known::Number(one), Known::Text(text)) => match number(text) {
                Known::Number(other) if self.dialect != Dialect::Sqlite => ordered(*one, other),
                _ => Compared::Nothing,
            },
            // Texts of other lengths are other texts, but for spaces at the end, which code does not have.
            (Known::Length(chars), Known::Text(text)) | (Known::Text(text), Known::Length(chars))
                if *chars != text.chars().count() && text.is_ascii() =>
            {
                Compared::Different
            }
            _ => Compared::Nothing,
        }
    }

    fn call(&self, function: &ast::Function) -> Known {
        let FunctionArguments::List(list) = &function.args else { return Known::Nothing };
        let [FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))] = list.args.as_slice() else {
            return Known::Nothing;
        };
        let name = function.name.to_string().to_ascii_lowercase();
        // MySQL counts bytes, and SQLite up to the first null character.
        let counts = match self.dialect {
            Dialect::Postgres => matches!(name.as_str(), "length" | "char_length" | "character_length"),
            Dialect::Mysql => matches!(name.as_str(), "char_length" | "character_length"),
            Dialect::Sqlite => name == "length",
        };
        match self.of(argument) {
            Known::Null if counts || name == "lower" || name == "upper" => Known::Null,
            Known::Text(text) if counts => Known::Number(text.chars().count() as f64),
            Known::Length(chars) if counts => Known::Number(chars as f64),
            Known::Text(text) if name == "lower" && text.is_ascii() => Known::Text(text.to_lowercase()),
            Known::Text(text) if name == "upper" && text.is_ascii() => Known::Text(text.to_uppercase()),
            _ => Known::Nothing,
        }
    }
}

/// How two values compare.
enum Compared {
    Null,
    Ordered(Ordering),
    /// Which comes first is not known.
    Different,
    Nothing,
}

fn literal(value: &ast::Value) -> Known {
    match value {
        ast::Value::Null => Known::Null,
        ast::Value::Boolean(value) => Known::Bool(*value),
        ast::Value::Number(text, _) => number(text),
        ast::Value::SingleQuotedString(text) | ast::Value::DoubleQuotedString(text) => {
            Known::Text(text.clone())
        }
        _ => Known::Nothing,
    }
}

fn number(text: &str) -> Known {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    text.parse().ok().filter(|_| plain).map_or(Known::Nothing, Known::Number)
}

fn is_null(of: &Known) -> Known {
    match of {
        Known::Null => Known::Bool(true),
        Known::Nothing => Known::Nothing,
        Known::Bool(_) | Known::Text(_) | Known::Number(_) | Known::Length(_) => Known::Bool(false),
    }
}

fn not(of: Known) -> Known {
    match of {
        Known::Bool(value) => Known::Bool(!value),
        Known::Null => Known::Null,
        _ => Known::Nothing,
    }
}

fn and(one: Known, other: Known) -> Known {
    match (one, other) {
        (Known::Bool(false), _) | (_, Known::Bool(false)) => Known::Bool(false),
        (Known::Bool(true), Known::Bool(true)) => Known::Bool(true),
        (Known::Null | Known::Bool(_), Known::Null | Known::Bool(_)) => Known::Null,
        _ => Known::Nothing,
    }
}

fn or(one: Known, other: Known) -> Known {
    not(and(not(one), not(other)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::query::normal::LiteralKind;

    fn check(text: &str, value: &Value, expect: Option<bool>) {
        let found = takes(text, &Name::new("kind"), value, Dialect::Postgres);
        assert_eq!(found, expect, "{text}: {value:?}");
    }

    #[test]
    fn lists_and_comparisons() {
        let text = |text: &str| Value::Text(text.to_owned());
        let number = |text: &str| Value::Number(text.to_owned());
        for list in [
            "kind in ('a', 'b')",
            "(kind = ANY (ARRAY['a'::text, 'b'::text]))",
            "((kind)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))",
            "kind = 'a' or kind = 'b'",
            "kind is null or kind in ('a', 'b')",
            "not (kind not in ('a', 'b'))",
        ] {
            check(list, &text("a"), Some(true));
            check(list, &text("c"), Some(false));
            check(list, &text("A"), None);
            check(list, &text("ä"), None);
            check(list, &Value::Null, Some(true));
            check(list, &Value::Unknown, None);
        }
        check("kind < 2", &number("1"), Some(true));
        check("kind < 2", &number("2"), Some(false));
        check("kind between 1 and 3", &text("4"), Some(false));
        check("kind > -1 and kind <= 5", &number("0"), Some(true));
        check("kind > 90071992547409930", &number("90071992547409931"), None);
        check("kind <> ''", &text("x"), Some(true));
        check("kind <> ''", &text(""), Some(false));
        check("kind < 'b'", &text("a"), None);
        check("kind ~ '^a'", &text("a"), None);
        check("kind is not null", &Value::Null, Some(false));
        check("kind is not null", &Value::Literal(LiteralKind::Text, Some(3)), Some(true));
        check("other > 3 and kind = 'a'", &text("b"), Some(false));
        check("other > 3 and kind = 'a'", &text("a"), None);
        check("kind = f('a')", &text("a"), None);
        check("kind like", &text("a"), None);
    }

    #[test]
    fn lengths_of_what_was_taken_out() {
        let of = |chars| Value::Literal(LiteralKind::Text, Some(chars));
        check("char_length(kind) <= 5", &of(6), Some(false));
        check("length(kind) <= 5", &of(5), Some(true));
        check("kind <> ''", &of(0), None);
        check("kind in ('long', 'longer')", &of(7), Some(false));
        check("kind in ('long', 'longer')", &of(3), Some(false));
        check("kind in ('long', 'longer')", &of(4), None);
        check("length(kind) <= 5", &Value::Literal(LiteralKind::Text, None), None);
    }
}
