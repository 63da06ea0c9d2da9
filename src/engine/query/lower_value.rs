//! What the values of a query are, and which columns stand against them.

use super::lower::Reader;
use super::lower_expr::name;
use super::normal::LiteralKind;
use super::tree::Value;
use sqlparser::ast::{
    self, BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator,
};

/// What the value of `expr` can be: one, or each that a `CASE` can give.
pub(super) fn values(reader: &Reader<'_>, expr: &Expr) -> Vec<Value> {
    match expr {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => values(reader, inner),
        Expr::Value(literal) => vec![value(reader, literal)],
        Expr::Identifier(ident)
            if ident.quote_style.is_none() && ident.value.eq_ignore_ascii_case("default") =>
        {
            vec![Value::Default]
        }
        Expr::Identifier(ident) => vec![Value::Column(vec![name(ident, reader.dialect)])],
        Expr::CompoundIdentifier(path) => {
            vec![Value::Column(path.iter().map(|part| name(part, reader.dialect)).collect())]
        }
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => {
            let negative = |value| match value {
                Value::Number(text) => Value::Number(format!("-{text}")),
                literal @ Value::Literal(LiteralKind::Number, _) => literal,
                _ => Value::Unknown,
            };
            values(reader, expr).into_iter().map(negative).collect()
        }
        Expr::Case { conditions, else_result, .. } => {
            let mut found: Vec<Value> =
                conditions.iter().flat_map(|when| values(reader, &when.result)).collect();
            match else_result {
                Some(other) => found.extend(values(reader, other)),
                None => found.push(Value::Null),
            }
            found
        }
        Expr::Function(function) => match choice(function) {
            Some(arguments) => arguments.into_iter().flat_map(|one| values(reader, one)).collect(),
            None => vec![Value::Unknown],
        },
        _ => vec![Value::Unknown],
    }
}

/// What the literal or parameter `of` is.
pub(super) fn value(reader: &Reader<'_>, of: &ast::ValueWithSpan) -> Value {
    match &of.value {
        ast::Value::Null => Value::Null,
        ast::Value::Number(text, _) => Value::Number(text.clone()),
        ast::Value::SingleQuotedString(text) | ast::Value::DoubleQuotedString(text) => {
            Value::Text(text.clone())
        }
        ast::Value::Placeholder(text) => {
            let start = (of.span.start.line, of.span.start.column);
            let number = match text.strip_prefix('$') {
                Some(digits) => digits.parse().ok(),
                None => reader.marks.iter().position(|mark| *mark == start).map(|at| at + 1),
            };
            let literal =
                number.and_then(|number| reader.literals.iter().find(|one| one.parameter == number));
            literal.map_or(Value::Unknown, |one| Value::Literal(one.kind, one.chars))
        }
        _ => Value::Unknown,
    }
}

/// The arguments of a function whose value is one of them.
fn choice(function: &ast::Function) -> Option<Vec<&Expr>> {
    const CHOICES: &[&str] = &["coalesce", "ifnull", "greatest", "least"];
    let name = function.name.to_string();
    let arguments = arguments(function)?;
    CHOICES.iter().any(|choice| name.eq_ignore_ascii_case(choice)).then_some(arguments)
}

/// The plain arguments of `function`.
fn arguments(function: &ast::Function) -> Option<Vec<&Expr>> {
    let FunctionArguments::List(list) = &function.args else { return None };
    let plain = |argument| match argument {
        &FunctionArg::Unnamed(FunctionArgExpr::Expr(ref expr)) => Some(expr),
        _ => None,
    };
    list.args.iter().map(plain).collect()
}

/// A part of an expression, and what stands against it: none where that is something without a value of its own.
pub(super) type Against<'e> = (&'e Expr, Vec<Option<&'e Expr>>);

/// The parts of `expr` that it compares, or makes one value of, each with what stands against it.
pub(super) fn compared(expr: &Expr) -> Vec<Against<'_>> {
    match expr {
        Expr::BinaryOp { left, op, right } => match op {
            BinaryOperator::And | BinaryOperator::Or => vec![(left, Vec::new()), (right, Vec::new())],
            // It takes values of any type.
            BinaryOperator::StringConcat => vec![(left, vec![None]), (right, vec![None])],
            _ => vec![(left, vec![Some(right)]), (right, vec![Some(left)])],
        },
        Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right) => {
            vec![(left, vec![Some(right)]), (right, vec![Some(left)])]
        }
        Expr::IsNull(inner) | Expr::IsNotNull(inner) => vec![(inner, Vec::new())],
        Expr::InList { expr, list, .. } => {
            let mut found = vec![(&**expr, list.iter().map(Some).collect())];
            found.extend(list.iter().map(|item| (item, vec![Some(&**expr)])));
            found
        }
        Expr::Between { expr, low, high, .. } => {
            vec![(expr, vec![Some(low), Some(high)]), (low, vec![Some(expr)]), (high, vec![Some(expr)])]
        }
        Expr::AnyOp { left, right, .. } | Expr::AllOp { left, right, .. } => match elements(right) {
            Some(items) => vec![(left, items.iter().map(Some).collect())],
            None => vec![(left, vec![None])],
        },
        Expr::Case { operand, conditions, else_result, .. } => {
            let mut found = Vec::new();
            if let Some(operand) = operand {
                found.push((&**operand, conditions.iter().map(|when| Some(&when.condition)).collect()));
            }
            let mut results: Vec<&Expr> = conditions.iter().map(|when| &when.result).collect();
            results.extend(else_result.as_deref());
            found.extend(beside_each_other(&results));
            found
        }
        Expr::Function(function) => match (choice(function), arguments(function).as_deref()) {
            (Some(arguments), _) => beside_each_other(&arguments),
            (None, Some([only])) => vec![(only, Vec::new())],
            (None, _) => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Each of `all` with the others against it.
fn beside_each_other<'e>(all: &[&'e Expr]) -> Vec<Against<'e>> {
    let others = |at: usize| {
        let others = all.iter().enumerate().filter(move |(other, _)| *other != at);
        others.map(|(_, expr)| Some(*expr)).collect()
    };
    all.iter().enumerate().map(|(at, expr)| (*expr, others(at))).collect()
}

/// The elements of `ARRAY[…]`, also cast.
pub(super) fn elements(expr: &Expr) -> Option<&[Expr]> {
    match expr {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => elements(inner),
        Expr::Array(array) => Some(&array.elem),
        _ => None,
    }
}
