//! The parts of an `UPDATE`, by their places in its text: what a backfill adds a range of keys to.

use crate::dialect::Dialect;
use crate::name::Name;
use crate::sql::lex::{Token, TokenKind, significant};
use crate::text::Span;

/// The parts of an `UPDATE` of one table that reads no other one beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateParts {
    /// The table, and an alias if it has one.
    pub table: Span,
    /// The name by which its columns are qualified: the alias, or the table as it is written.
    pub qualifier: Span,
    /// What stands behind `SET`.
    pub set: Span,
    /// What stands behind `WHERE`.
    pub condition: Option<Span>,
}

/// The parts of `sql`; none where it is another statement, reads other tables beside its own (`FROM`), gives rows
/// back, or is limited.
pub fn update_parts(sql: &str, dialect: Dialect) -> Option<UpdateParts> {
    let tokens: Vec<Token> = significant(sql, dialect).collect();
    let first = tokens.first().filter(|token| token.is_word(sql, "update"))?;
    let mut depth = 0_usize;
    let mut set = None;
    let mut condition = None;
    for token in &tokens[1..] {
        match token.kind {
            TokenKind::Punct(b'(' | b'[') => depth += 1,
            TokenKind::Punct(b')' | b']') => depth = depth.saturating_sub(1),
            TokenKind::Punct(b';') => return None,
            TokenKind::Punct(b',') if depth == 0 && set.is_none() => return None,
            TokenKind::Word if depth == 0 => {
                let is = |word: &str| token.is_word(sql, word);
                if set.is_none() && is("set") {
                    set = Some(*token);
                } else if set.is_some() && condition.is_none() && is("where") {
                    condition = Some(*token);
                } else if ["from", "returning", "limit"].into_iter().any(is) && set.is_some()
                    || ["join", "only"].into_iter().any(is) && set.is_none()
                    || is("current")
                {
                    // `IS DISTINCT FROM` is no second table.
                    let before = tokens.iter().rfind(|before| before.span.end <= token.span.start);
                    if is("from") && before.is_some_and(|before| before.is_word(sql, "distinct")) {
                        continue;
                    }
                    return None;
                }
            }
            _ => {}
        }
    }
    let set = set?;
    let end = tokens.last()?.span.end;
    let table = Span::new(first.span.end, set.span.start);
    let names: Vec<&Token> = tokens
        .iter()
        .filter(|token| token.span.start >= table.start && token.span.end <= table.end)
        .filter(|token| !token.is_word(sql, "as"))
        .collect();
    let qualifier = match names.as_slice() {
        [name] => name.span,
        [schema, dot, name] if dot.is_punct(b'.') => Span::new(schema.span.start, name.span.end),
        [_, alias] => alias.span,
        [_, dot, _, alias] if dot.is_punct(b'.') => alias.span,
        _ => return None,
    };
    let set_end = condition.map_or(end, |condition: Token| condition.span.start);
    Some(UpdateParts {
        table: trimmed(sql, table),
        qualifier,
        set: trimmed(sql, Span::new(set.span.end, set_end)),
        condition: condition.map(|condition| trimmed(sql, Span::new(condition.span.end, end))),
    })
}

impl UpdateParts {
    /// The one column that is set, and the expression that it is set to.
    pub fn only_assignment<'s>(&self, sql: &'s str, dialect: Dialect) -> Option<(Name, &'s str)> {
        let set = self.set.of(sql);
        let mut tokens = significant(set, dialect);
        let (column, equals) = (tokens.next()?, tokens.next()?);
        let name = match column.kind {
            TokenKind::Word => Name::unquoted(column.text(set), dialect),
            TokenKind::QuotedWord => unquoted(column.text(set)),
            _ => return None,
        };
        if equals.text(set) != "=" {
            return None;
        }
        let mut depth = 0_usize;
        for token in tokens {
            match token.kind {
                TokenKind::Punct(b'(' | b'[') => depth += 1,
                TokenKind::Punct(b')' | b']') => depth = depth.saturating_sub(1),
                TokenKind::Punct(b',') if depth == 0 => return None,
                _ => {}
            }
        }
        Some((name, set[equals.span.end..].trim()))
    }

    /// The same statement for the rows that satisfy `more` as well.
    pub fn narrowed(&self, sql: &str, more: &str) -> String {
        match self.condition {
            Some(condition) => format!(
                "{}({}) AND {more}{}",
                &sql[..condition.start],
                condition.of(sql),
                &sql[condition.end..]
            ),
            None => format!("{} WHERE {more}{}", &sql[..self.set.end], &sql[self.set.end..]),
        }
    }
}

/// A quoted identifier as a name.
pub fn unquoted(text: &str) -> Name {
    let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or("");
    let quote = &text[..text.len().min(1)];
    Name::new(inner.replace(&format!("{quote}{quote}"), quote))
}

fn trimmed(sql: &str, span: Span) -> Span {
    let text = span.of(sql);
    let start = span.start + (text.len() - text.trim_start().len());
    Span::new(start, start + text.trim().len())
}

/// `text`, an expression, with each of `columns` replaced by what `to` makes of it where it stands for a column: not
/// behind a dot, not in front of a parenthesis, not in a string. A qualifier `of` in front of one goes.
pub fn replace_columns(
    text: &str,
    dialect: Dialect,
    of: &Name,
    columns: &[Name],
    to: impl Fn(&Name) -> String,
) -> String {
    let tokens: Vec<Token> = significant(text, dialect).collect();
    let name = |token: &Token| match token.kind {
        TokenKind::Word => Some(Name::unquoted(token.text(text), dialect)),
        TokenKind::QuotedWord => Some(unquoted(token.text(text))),
        _ => None,
    };
    let mut out = String::with_capacity(text.len() * 2);
    let mut copied = 0;
    for (at, token) in tokens.iter().enumerate() {
        let Some(column) = name(token).filter(|name| columns.contains(name)) else { continue };
        let next = tokens.get(at + 1);
        let called = next.is_some_and(|next| next.is_punct(b'(') || next.is_punct(b'.'));
        if called && token.kind == TokenKind::Word || next.is_some_and(|next| next.is_punct(b'.')) {
            continue;
        }
        let dotted = at.checked_sub(1).is_some_and(|before| tokens[before].is_punct(b'.'));
        let mut start = token.span.start;
        if dotted {
            let qualifier = at.checked_sub(2).map(|before| &tokens[before]);
            match qualifier.filter(|token| name(token).as_ref() == Some(of)) {
                Some(qualifier) => start = qualifier.span.start,
                None => continue,
            }
        }
        out.push_str(&text[copied..start]);
        out.push_str(&to(&column));
        copied = token.span.end;
    }
    out.push_str(&text[copied..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str, expect: Option<(&str, &str, &str)>) {
        let parts = update_parts(sql, Dialect::Postgres);
        let shown = parts.as_ref().map(|parts| {
            let condition = parts.condition.map_or("", |condition| condition.of(sql));
            (parts.qualifier.of(sql), parts.set.of(sql), condition)
        });
        assert_eq!(shown, expect, "{sql}");
    }

    #[test]
    fn parts() {
        check("update t set a = 1", Some(("t", "a = 1", "")));
        check("UPDATE s.t SET a = b WHERE a IS NULL", Some(("s.t", "a = b", "a IS NULL")));
        check(
            "update \"T\" as x set a = (select 1 from y where z) where b",
            Some(("x", "a = (select 1 from y where z)", "b")),
        );
        check("update t set a = 1 where b is distinct from c", Some(("t", "a = 1", "b is distinct from c")));
        check("update t set a = o.a from o where o.id = t.id", None);
        check("update t set a = 1 returning a", None);
        check("update t join o using (id) set a = 1", None);
        check("delete from t", None);
    }

    #[test]
    fn narrowing_keeps_the_text_around_it() {
        let narrowed =
            |sql: &str| update_parts(sql, Dialect::Postgres).expect("an update").narrowed(sql, "id > 5");
        assert_eq!(narrowed("update t set a = 1"), "update t set a = 1 WHERE id > 5");
        assert_eq!(
            narrowed("update t set a = 1 where b or c"),
            "update t set a = 1 where (b or c) AND id > 5"
        );
    }

    #[test]
    fn one_assignment() {
        let sql = "update t set \"A b\" = coalesce(x, 'y, z') where c";
        let parts = update_parts(sql, Dialect::Postgres).expect("an update");
        assert_eq!(
            parts.only_assignment(sql, Dialect::Postgres),
            Some((Name::new("A b"), "coalesce(x, 'y, z')"))
        );
        let two = "update t set a = 1, b = 2";
        let parts = update_parts(two, Dialect::Postgres).expect("an update");
        assert_eq!(parts.only_assignment(two, Dialect::Postgres), None);
    }

    #[test]
    fn columns_are_replaced_where_they_are_columns() {
        let columns = [Name::new("id"), Name::new("Mixed")];
        let replaced = |text: &str| {
            replace_columns(text, Dialect::Postgres, &Name::new("t"), &columns, |name| {
                format!("NEW.{}", name.readable(Dialect::Postgres))
            })
        };
        assert_eq!(replaced("valid + ID + t.id + o.id + id(1)"), "valid + NEW.id + NEW.id + o.id + id(1)");
        assert_eq!(replaced("'id' || \"Mixed\" || mixed"), "'id' || NEW.\"Mixed\" || mixed");
    }
}
