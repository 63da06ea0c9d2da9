//! Expressions: where one ends, and the facts about it that rules ask for. They are not parsed: the server does that.

use super::cursor::{Cursor, Read};
use super::{literal, words};
use crate::dialect::Dialect;
use crate::name::{Name, ObjectName};
use crate::schema::change::{Call, Expr, Volatility};
use crate::sql::lex::TokenKind;

/// Words that stand between operands, so that one must follow.
const INFIX: &str = " and or is in like ilike between similar collate at div mod xor regexp rlike glob match escape \
    overlaps from operator member soundex binary to ";
/// Words that never name a column, although not all of them are reserved, when they stand where they do.
const NOT_COLUMNS: &str = " and or not null true false is in like ilike similar between symmetric case when then else \
    end distinct from for any some all array row cast collate isnull notnull exists select where group by order asc \
    desc having limit offset union except intersect join left right inner outer full cross natural on using with \
    recursive values unknown escape lateral returning set into nothing conflict div mod xor regexp rlike glob \
    default only as if ";
/// Words before a parenthesis that are not functions.
const NOT_CALLS: &str = " cast and or not in like ilike similar between case when then else any some all array row exists \
    select where by having limit offset union except intersect join on using as values over filter within from is \
    distinct lateral returning set into conflict key rollup cube sets materialized only interval binary ";
/// Functions that are called without parentheses.
const BARE_CALLS: &str = " current_catalog current_date current_role current_schema current_time current_timestamp \
    current_user localtime localtimestamp session_user user utc_date utc_time utc_timestamp system_user ";

/// Reads an expression up to a comma or a closing parenthesis outside its own, the end, or one of the keywords
/// `stops` (upper case) where no operand is due.
pub fn expr(cursor: &mut Cursor<'_>, stops: &[&str]) -> Read<Expr> {
    let from = cursor.at();
    let to = expr_end(cursor, stops);
    if to == from {
        return Err(cursor.unexpected("an expression"));
    }
    cursor.set(to);
    Ok(describe(cursor, from, to))
}

/// Reads `( expression )`; the expression is what stands inside.
pub fn paren_expr(cursor: &mut Cursor<'_>) -> Read<Expr> {
    let (from, to) = cursor.parens()?;
    if from == to {
        cursor.set(to);
        return Err(cursor.unexpected("an expression"));
    }
    Ok(describe(cursor, from, to))
}

/// The number of the token behind the expression that starts here.
fn expr_end(cursor: &Cursor<'_>, stops: &[&str]) -> usize {
    let mut at = cursor.at();
    let mut operand_due = true;
    let mut cases = 0usize;
    while let Some(token) = cursor.token(at) {
        match token.kind {
            TokenKind::Punct(b',' | b')' | b']' | b'}' | b';') => break,
            TokenKind::Punct(b'(' | b'[' | b'{') => operand_due = false,
            TokenKind::Punct(_) | TokenKind::Operator => operand_due = true,
            TokenKind::Word => {
                let word = cursor.word(at);
                if cases > 0 && word.eq_ignore_ascii_case("end") {
                    cases -= 1;
                    operand_due = false;
                } else if word.eq_ignore_ascii_case("case") && operand_due {
                    cases += 1;
                } else if cases > 0 {
                    // Up to its END all belongs to a CASE.
                } else if !operand_due && stops.iter().any(|stop| word.eq_ignore_ascii_case(stop)) {
                    break;
                } else if !operand_due && (words::contains(INFIX, word) || word.eq_ignore_ascii_case("not")) {
                    operand_due = true;
                } else if !(operand_due && word.eq_ignore_ascii_case("not")) {
                    operand_due = false;
                }
            }
            _ => operand_due = false,
        }
        at = cursor.after(at);
    }
    at.min(cursor.end())
}

/// The expression that the tokens `from` to `to` make up.
pub fn describe(cursor: &Cursor<'_>, from: usize, to: usize) -> Expr {
    let span = cursor.span_between(from, to);
    let facts = scan(cursor, from, to);
    let (inner, end) = without_parens(cursor, from, to);
    let mut requires_not_null = Vec::new();
    conjuncts(cursor, inner, end, &mut requires_not_null);
    Expr {
        text: span.of(cursor.text()).to_owned(),
        span,
        literal: literal_value(cursor, inner, end),
        is_null: cursor.word_at(inner, "NULL") && (inner + 1 == end || cursor.op_at(inner + 1, "::")),
        volatility: volatility(&facts.calls, cursor.dialect()),
        calls: facts.calls,
        columns: facts.columns,
        requires_not_null,
        has_query: facts.has_query,
    }
}

/// The most volatile of `calls`.
fn volatility(calls: &[Call], dialect: Dialect) -> Volatility {
    let of = |call: &Call| super::functions::volatility(call, dialect);
    calls.iter().map(of).max().unwrap_or(Volatility::Immutable)
}

/// What a stretch of tokens calls and names.
#[derive(Default)]
pub struct Facts {
    /// Functions, each with the literals of each call.
    pub calls: Vec<Call>,
    /// Names that can be columns, each once.
    pub columns: Vec<Name>,
    /// Whether it holds a query.
    pub has_query: bool,
}

/// What the tokens `from` to `to` call and name.
pub fn scan(cursor: &Cursor<'_>, from: usize, to: usize) -> Facts {
    let mut facts = Facts::default();
    let mut at = from;
    while at < to {
        let Some(token) = cursor.token(at) else { break };
        at = match token.kind {
            TokenKind::Operator if token.text(cursor.text()) == "::" => type_end(cursor, at + 1),
            TokenKind::Word | TokenKind::QuotedWord => scan_name(cursor, at, &mut facts),
            _ => at + 1,
        };
    }
    facts
}

/// Takes in the name (or keyword) at `at`; gives the number of the token behind it.
fn scan_name(cursor: &Cursor<'_>, at: usize, facts: &mut Facts) -> usize {
    let word = cursor.word(at);
    let quoted = cursor.token(at).is_some_and(|token| token.kind == TokenKind::QuotedWord);
    let dotted = cursor.punct_at(at + 1, b'.');
    if !quoted && !dotted {
        let before_paren = cursor.punct_at(at + 1, b'(');
        if words::contains(BARE_CALLS, word) {
            let name = ObjectName::bare(Name::new(word.to_ascii_lowercase()));
            facts.calls.push(Call { name, literals: Vec::new(), has_arguments: false });
            return at + 1;
        }
        if word.eq_ignore_ascii_case("select") {
            facts.has_query = true;
        }
        match word.to_ascii_lowercase().as_str() {
            "as" | "collate" => return if before_paren { at + 1 } else { type_end(cursor, at + 1) },
            "at" if cursor.word_at(at + 1, "TIME") && cursor.word_at(at + 2, "ZONE") => return at + 3,
            "nulls" if cursor.word_at(at + 1, "FIRST") || cursor.word_at(at + 1, "LAST") => return at + 2,
            _ => {}
        }
        if before_paren && words::contains(NOT_CALLS, word)
            || !before_paren && words::contains(NOT_COLUMNS, word)
        {
            return at + 1;
        }
        // `interval '1 day'`, `date '2020-01-01'`, `timestamp with time zone '…'`.
        if cursor.token(at + 1).is_some_and(|token| token.kind == TokenKind::String) {
            return at + 2;
        }
        if cursor.word_at(at + 1, "WITH") && cursor.word_at(at + 2, "TIME") {
            return at + 4;
        }
    }
    let (name, behind) = dotted_name(cursor, at);
    if cursor.punct_at(behind, b'(') {
        let close = cursor.mate(behind);
        let literals = (behind + 1..close).filter_map(|at| argument_literal(cursor, at)).collect();
        let field = name.name.as_str() == "extract" && cursor.word_at(behind + 2, "FROM");
        facts.calls.push(Call { name, literals, has_arguments: close > behind + 1 });
        return if field { behind + 2 } else { behind + 1 };
    }
    let star = cursor.op_at(behind, "*") && cursor.punct_at(behind.saturating_sub(1), b'.');
    if !star && !facts.columns.contains(&name.name) {
        facts.columns.push(name.name);
    }
    behind
}

/// The value of the token at `at`, if it is a string that stands where an argument starts.
fn argument_literal(cursor: &Cursor<'_>, at: usize) -> Option<String> {
    let token = cursor.token(at).filter(|token| token.kind == TokenKind::String)?;
    let starts = cursor.punct_at(at - 1, b'(') || cursor.punct_at(at - 1, b',');
    starts.then(|| literal::string(token.text(cursor.text()), cursor.dialect()))
}

/// The name with dots that starts at `at` (its last two parts), and the number of the token behind it. Behind
/// `t.` of `t.*` it ends at the star.
fn dotted_name(cursor: &Cursor<'_>, at: usize) -> (ObjectName, usize) {
    let mut parts: Vec<Name> = Vec::new();
    let mut at = at;
    while let Some(token) = cursor.token(at) {
        let text = token.text(cursor.text());
        match token.kind {
            TokenKind::Word => parts.push(Name::unquoted(text, cursor.dialect())),
            TokenKind::QuotedWord => parts.push(literal::quoted_name(text)),
            _ => break,
        }
        at += 1;
        if !cursor.punct_at(at, b'.') {
            break;
        }
        at += 1;
    }
    let name = parts.pop().unwrap_or_default();
    (ObjectName { schema: parts.pop(), name }, at)
}

/// The number of the token behind the type (or alias, or collation) that starts at `at`.
fn type_end(cursor: &Cursor<'_>, at: usize) -> usize {
    let (_, mut behind) = dotted_name(cursor, at);
    if cursor.word_at(at, "DOUBLE") && cursor.word_at(behind, "PRECISION")
        || (cursor.word_at(at, "CHARACTER") || cursor.word_at(at, "BIT")) && cursor.word_at(behind, "VARYING")
    {
        behind += 1;
    }
    // `varchar(20)`, but not the query of `WITH name AS (…)` and not `x::int IN (…)`.
    if cursor.punct_at(behind, b'(')
        && cursor.token(behind + 1).is_some_and(|token| token.kind == TokenKind::Number)
    {
        behind = cursor.mate(behind) + 1;
    }
    if (cursor.word_at(behind, "WITH") || cursor.word_at(behind, "WITHOUT"))
        && cursor.word_at(behind + 1, "TIME")
    {
        behind += 3;
    }
    while cursor.punct_at(behind, b'[') {
        behind = cursor.mate(behind) + 1;
    }
    behind.max(at + 1)
}

/// The same tokens without the parentheses around all of them.
fn without_parens(cursor: &Cursor<'_>, mut from: usize, mut to: usize) -> (usize, usize) {
    while to > from + 1 && cursor.punct_at(from, b'(') && cursor.mate(from) == to - 1 {
        (from, to) = (from + 1, to - 1);
    }
    (from, to)
}

/// The value, where the tokens are one literal with or without casts.
fn literal_value(cursor: &Cursor<'_>, from: usize, to: usize) -> Option<String> {
    let cast_or_end = |at: usize| at == to || cursor.op_at(at, "::");
    let sign = if cursor.op_at(from, "-") { "-" } else { "" };
    let at = if cursor.op_at(from, "-") || cursor.op_at(from, "+") { from + 1 } else { from };
    let token = cursor.token(at).filter(|_| at < to)?;
    let text = token.text(cursor.text());
    match token.kind {
        TokenKind::Number if cast_or_end(at + 1) => Some(format!("{sign}{text}")),
        TokenKind::String if at == from && cast_or_end(at + 1) => {
            Some(literal::string(text, cursor.dialect()))
        }
        TokenKind::Word if at == from => {
            let lowered = text.to_ascii_lowercase();
            match lowered.as_str() {
                "true" | "false" if cast_or_end(at + 1) => Some(lowered),
                // A type in front of a string: `interval '1 day'`.
                _ => {
                    let next = cursor.token(at + 1).filter(|_| at + 1 < to)?;
                    (next.kind == TokenKind::String && cast_or_end(at + 2))
                        .then(|| literal::string(next.text(cursor.text()), cursor.dialect()))
                }
            }
        }
        _ => None,
    }
}

/// Adds the columns that are not null wherever all of the tokens `from` to `to` is true.
fn conjuncts(cursor: &Cursor<'_>, from: usize, to: usize, columns: &mut Vec<Name>) {
    let (from, to) = without_parens(cursor, from, to);
    let mut ands = Vec::new();
    let mut at = from;
    while at < to {
        if cursor.word_at(at, "OR") || cursor.word_at(at, "CASE") {
            return;
        }
        if cursor.word_at(at, "AND") {
            ands.push(at);
        }
        at = cursor.after(at);
    }
    if ands.is_empty() {
        if let Some(column) = not_null_test(cursor, from, to)
            && !columns.contains(&column)
        {
            columns.push(column);
        }
        return;
    }
    let mut start = from;
    for and in ands.into_iter().chain([to]) {
        // Each piece is shorter than the whole, so this ends; its depth is that of the parentheses.
        conjuncts(cursor, start, and, columns);
        start = and + 1;
    }
}

/// The column of `column IS NOT NULL`, `column NOTNULL`, `NOT column IS NULL`, `NOT (column IS NULL)`.
fn not_null_test(cursor: &Cursor<'_>, from: usize, to: usize) -> Option<Name> {
    let matches = |at: usize, words: &[&str]| {
        at + words.len() == to
            && words.iter().enumerate().all(|(index, word)| cursor.word_at(at + index, word))
    };
    if cursor.word_at(from, "NOT") {
        let (from, to) = without_parens(cursor, from + 1, to);
        let (name, behind) = dotted_name(cursor, from);
        let is_null = cursor.word_at(behind, "IS") && cursor.word_at(behind + 1, "NULL") && behind + 2 == to;
        return is_null.then_some(name.name);
    }
    let (name, behind) = dotted_name(cursor, from);
    (behind > from && (matches(behind, &["IS", "NOT", "NULL"]) || matches(behind, &["NOTNULL"])))
        .then_some(name.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, stops: &[&str]) -> Expr {
        expr(&mut Cursor::new(text, Dialect::Postgres), stops).unwrap()
    }

    fn columns(text: &str) -> Vec<String> {
        read(text, &[]).columns.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn ends_where_an_operand_is_complete_and_a_stop_word_comes() {
        let stops = ["NOT", "NULL", "CHECK", "DEFAULT"];
        assert_eq!(read("NULL NOT NULL", &stops).text, "NULL");
        assert_eq!(read("now() CHECK (a > 1)", &stops).text, "now()");
        assert_eq!(read("1 + not_a_stop NOT NULL", &stops).text, "1 + not_a_stop");
        assert_eq!(
            read("case when a is not null then 1 end not null", &stops).text,
            "case when a is not null then 1 end"
        );
        assert_eq!(read("'{}'::text[], b", &stops).text, "'{}'::text[]");
        assert!(expr(&mut Cursor::new(", a", Dialect::Postgres), &[]).is_err());
    }

    #[test]
    fn columns_are_neither_keywords_nor_functions_nor_types() {
        assert_eq!(
            columns("lower(a) = 'x' AND t.b::varchar(20) IS NOT NULL OR \"C\" IN (d, 1)"),
            ["a", "b", "C", "d"]
        );
        assert_eq!(columns("extract(epoch from a) > 1 and b at time zone 'utc' < now()"), ["a", "b"]);
        assert_eq!(columns("cast(a as numeric(10,2)) > interval '1 day' collate \"C\""), ["a"]);
    }

    #[test]
    fn literals_and_constants() {
        assert_eq!(read("'a'::text", &[]).literal.as_deref(), Some("a"));
        assert_eq!(read("((-1))", &[]).literal.as_deref(), Some("-1"));
        assert_eq!(read("interval '1 day'", &[]).literal.as_deref(), Some("1 day"));
        assert_eq!(read("1 + 1", &[]).literal, None);
        assert!(read("1 + 1", &[]).is_constant());
        assert!(read("NULL::text", &[]).is_null);
        assert!(!read("now()", &[]).is_constant());
        assert_eq!(read("nextval('a.b_seq'::regclass)", &[]).calls[0].literals, ["a.b_seq"]);
    }

    #[test]
    fn not_null_is_required_by_conjunctions_only() {
        let required = |text: &str| -> Vec<String> {
            read(text, &[]).requires_not_null.iter().map(ToString::to_string).collect()
        };
        assert_eq!(required("(a IS NOT NULL) AND (b NOTNULL AND NOT (c IS NULL))"), ["a", "b", "c"]);
        assert_eq!(required("a IS NOT NULL OR b IS NOT NULL"), [""; 0]);
        assert_eq!(required("a IS NOT NULL AND (b IS NOT NULL OR c > 1)"), ["a"]);
        assert_eq!(required("lower(a) IS NOT NULL"), [""; 0]);
    }

    #[test]
    fn volatility_is_that_of_the_worst_call() {
        assert_eq!(read("1", &[]).volatility, Volatility::Immutable);
        assert_eq!(read("lower('A')", &[]).volatility, Volatility::Immutable);
        assert_eq!(read("now() + interval '1 day'", &[]).volatility, Volatility::Stable);
        assert_eq!(read("current_timestamp", &[]).volatility, Volatility::Stable);
        assert_eq!(read("md5(random()::text)", &[]).volatility, Volatility::Volatile);
        assert_eq!(read("my_function(1)", &[]).volatility, Volatility::Unknown);
        assert_eq!(read("now(1)", &[]).volatility, Volatility::Unknown);
    }
}
