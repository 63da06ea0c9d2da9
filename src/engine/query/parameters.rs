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

/// A query with types behind some of its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    /// Its text.
    pub text: String,
    /// What was put in: where it ends in the text, and how long it is, in bytes.
    added: Vec<(usize, usize)>,
}

impl Typed {
    /// Where in the text without the types the byte `offset` of this one stands.
    pub fn original(&self, offset: usize) -> usize {
        let before = self.added.iter().filter(|(end, _)| *end <= offset).map(|(_, length)| length).sum();
        offset.saturating_sub(before)
    }
}

/// `sql` with types behind the parameters that `types` names.
pub fn typed(sql: &str, types: &[(u32, &str)]) -> Typed {
    let mut out = Typed { text: String::with_capacity(sql.len() + 12 * types.len()), added: Vec::new() };
    let mut end = 0;
    for token in significant(sql, Dialect::Postgres) {
        let of = number(token, sql).and_then(|number| types.iter().find(|(known, _)| *known == number));
        let Some((_, data_type)) = of else { continue };
        out.text.push_str(&sql[end..token.span.end]);
        out.text.push_str("::");
        out.text.push_str(data_type);
        out.added.push((out.text.len(), data_type.len() + 2));
        end = token.span.end;
    }
    out.text.push_str(&sql[end..]);
    out
}

#[cfg(test)]
mod tests {
    use super::{parameters, typed};

    #[test]
    fn types_stand_behind_parameters() {
        let sql = "select $2 + $1, '$3', a from t where b = $2";
        assert_eq!(parameters(sql), [1, 2]);
        let found = typed(sql, &[(2, "int4")]);
        assert_eq!(found.text, "select $2::int4 + $1, '$3', a from t where b = $2::int4");
        for word in ["select", "$1", "from", "where b"] {
            let offset = found.text.find(word).unwrap();
            assert_eq!(found.original(offset), sql.find(word).unwrap(), "{word}");
        }
        assert_eq!(typed("select 1", &[(1, "int4")]).text, "select 1");
    }
}
