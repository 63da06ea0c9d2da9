//! The parameters of a query of PostgreSQL, `$1`, and types for those that have none.

use crate::dialect::Dialect;
use crate::sql::lex::{Token, TokenKind, significant};

/// The number of `token`, if it is a parameter.
fn number(token: Token, sql: &str) -> Option<u32> {
    (token.kind == TokenKind::Param).then(|| token.text(sql).strip_prefix('$')?.parse().ok())?
}

/// The numbers of the parameters of `sql`, each once, in order.
pub fn parameters(sql: &str) -> Vec<u32> {
    let mut found: Vec<u32> =
        significant(sql, Dialect::Postgres).filter_map(|token| number(token, sql)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// `sql` with `::data_type` behind each of the parameters `numbers`.
pub fn with_type(sql: &str, numbers: &[u32], data_type: &str) -> String {
    let (mut out, mut end) = (String::with_capacity(sql.len() + 8 * numbers.len()), 0);
    for token in significant(sql, Dialect::Postgres) {
        if number(token, sql).is_some_and(|number| numbers.contains(&number)) {
            out.push_str(&sql[end..token.span.end]);
            out.push_str("::");
            out.push_str(data_type);
            end = token.span.end;
        }
    }
    out.push_str(&sql[end..]);
    out
}

#[cfg(test)]
mod tests {
    use super::{parameters, with_type};

    #[test]
    fn types_stand_behind_parameters() {
        let sql = "select $2 + $1, '$3', a from t where b = $2";
        assert_eq!(parameters(sql), [1, 2]);
        assert_eq!(with_type(sql, &[2], "int4"), "select $2::int4 + $1, '$3', a from t where b = $2::int4");
        assert_eq!(with_type("select 1", &[1], "int4"), "select 1");
    }
}
