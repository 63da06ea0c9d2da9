//! Queries: which relations they read, under which aliases, and what columns come out.

use super::cursor::Cursor;
use super::{expr, from, words};
use crate::name::{Name, TableName};
use crate::schema::change::{DataType, From, OutputColumn, OutputItem, Query};
use crate::sql::lex::TokenKind;

/// Words behind a relation in `FROM` that are not its alias.
pub(super) const NOT_ALIASES: &str = " where group order having limit offset fetch for union except intersect on using join \
    inner left right full cross natural outer set returning window when then values select as tablesample lateral \
    straight_join use force ignore partition do with not and or default conflict into qualify from locked nowait skip ";
/// Words that end the list of a `FROM`.
const ENDS_FROM: &str = " where group order having limit offset fetch union except intersect set returning window \
    values when on_conflict for into ";

/// How deep queries in `FROM` and `WITH` are described by themselves.
const DEPTH_LIMIT: usize = 8;

/// What the statement or query in the tokens `from` to `to` reads.
pub fn describe(cursor: &Cursor<'_>, from: usize, to: usize) -> Query {
    describe_at(cursor, from, to, 0)
}

pub(super) fn describe_at(cursor: &Cursor<'_>, from: usize, to: usize, depth: usize) -> Query {
    let span = cursor.span_between(from, to);
    let facts = expr::scan(cursor, from, to);
    let mut relations = Relations { cursor, reads: Vec::new(), aliases: Vec::new(), local: Vec::new() };
    relations.collect(from, to);
    let Relations { reads, aliases, .. } = relations;
    Query {
        text: span.of(cursor.text()).to_owned(),
        span,
        reads,
        aliases,
        calls: facts.calls,
        columns: facts.columns,
        output: output(cursor, from, to),
        from: if depth < DEPTH_LIMIT { from::clause(cursor, from, to, depth + 1) } else { From::default() },
        with: if depth < DEPTH_LIMIT { from::with(cursor, from, to, depth + 1) } else { Vec::new() },
    }
}

/// The relations of a query, as they are found.
struct Relations<'a, 'b> {
    cursor: &'a Cursor<'b>,
    reads: Vec<TableName>,
    aliases: Vec<(Name, TableName)>,
    /// Names that `WITH` defines.
    local: Vec<Name>,
}

/// What is known of one level of parentheses.
#[derive(Clone, Copy, Default)]
struct Level {
    /// It is a query (else arguments or an expression, where `FROM` belongs to `extract` or `trim`).
    query: bool,
    /// Commas separate relations.
    in_from: bool,
    /// A relation comes next.
    due: bool,
}

impl Relations<'_, '_> {
    fn collect(&mut self, from: usize, to: usize) {
        let cursor = self.cursor;
        let mut levels = vec![Level { query: true, ..Level::default() }];
        let mut at = from;
        while at < to {
            let Some(token) = cursor.token(at) else { break };
            let nested = levels.len() > 1;
            let Some(level) = levels.last_mut() else { break };
            match token.kind {
                TokenKind::Punct(b'(') => {
                    let due = std::mem::take(&mut level.due);
                    levels.push(Level { query: due, in_from: due, due });
                }
                // The first level is that of the query itself.
                TokenKind::Punct(b')') if nested => {
                    levels.pop();
                }
                TokenKind::Punct(b',') => level.due = level.in_from,
                TokenKind::QuotedWord if level.due => {
                    level.due = false;
                    at = self.relation(at);
                    continue;
                }
                TokenKind::Word => match self.keyword(at, level) {
                    Some(behind) => {
                        at = behind;
                        continue;
                    }
                    None if level.due => {
                        level.due = false;
                        at = self.relation(at);
                        continue;
                    }
                    None => {}
                },
                _ => {}
            }
            at += 1;
        }
        let local = &self.local;
        self.reads.retain(|name| name.schema.is_some() || !local.contains(&name.name));
        self.aliases.retain(|(_, name)| name.schema.is_some() || !local.contains(&name.name));
    }

    /// Takes in a keyword of a query at `at`; none if it is not one. Else the number of the token behind it.
    fn keyword(&mut self, at: usize, level: &mut Level) -> Option<usize> {
        let cursor = self.cursor;
        let word = cursor.word(at).to_ascii_lowercase();
        match word.as_str() {
            "select" | "values" => *level = Level { query: true, ..Level::default() },
            "with" if level.query && !cursor.punct_at(at + 1, b'(') => return Some(self.with(at)),
            // Further members of the WITH list.
            "as" if cursor.punct_at(at + 1, b'(')
                || cursor.word_at(at + 1, "MATERIALIZED")
                || (cursor.word_at(at + 1, "NOT") && cursor.word_at(at + 2, "MATERIALIZED")) => {}
            "from"
                if level.query && !(at > 0 && cursor.word_at(at - 1, "DISTINCT") && self.is_distinct(at)) =>
            {
                (level.in_from, level.due) = (true, true);
            }
            "join" | "straight_join" if level.query || level.in_from => level.due = true,
            // `USING` of a DELETE or MERGE, not of a JOIN.
            "using" if level.query && !cursor.punct_at(at + 1, b'(') => {
                (level.in_from, level.due) = (true, true)
            }
            "only" | "lateral" | "table" if level.due => {}
            "rows" if level.due && cursor.word_at(at + 1, "FROM") => level.due = false,
            "on" if level.in_from => level.due = false,
            _ if level.in_from && !level.due && words::contains(ENDS_FROM, &word) => level.in_from = false,
            _ if level.due && words::is_reserved(&word, cursor.dialect()) => level.due = false,
            _ => return None,
        }
        Some(at + 1)
    }

    /// Whether the `FROM` at `at` belongs to `IS [NOT] DISTINCT FROM`.
    fn is_distinct(&self, at: usize) -> bool {
        at >= 2 && (self.cursor.word_at(at - 2, "IS") || self.cursor.word_at(at - 2, "NOT"))
    }

    /// `WITH [RECURSIVE] name [(…)] AS [MATERIALIZED] ( … ), …`: notes the names; goes on inside the first body.
    fn with(&mut self, at: usize) -> usize {
        let cursor = self.cursor;
        let mut next = if cursor.word_at(at + 1, "RECURSIVE") { at + 2 } else { at + 1 };
        let first = next;
        while cursor.name_at(next) {
            self.local.push(name_of(cursor, next));
            next += 1;
            if cursor.punct_at(next, b'(') {
                next = cursor.mate(next) + 1;
            }
            if !cursor.word_at(next, "AS") {
                break;
            }
            while cursor.token(next).is_some() && !cursor.punct_at(next, b'(') {
                next += 1;
            }
            next = cursor.mate(next) + 1;
            if !cursor.punct_at(next, b',') {
                break;
            }
            next += 1;
        }
        first
    }

    /// A relation with its alias at `at`; the number of the token behind it.
    fn relation(&mut self, at: usize) -> usize {
        let cursor = self.cursor;
        let mut parts = vec![name_of(cursor, at)];
        let mut next = at + 1;
        while cursor.punct_at(next, b'.') && cursor.token(next + 1).is_some() {
            parts.push(name_of(cursor, next + 1));
            next += 2;
        }
        if cursor.punct_at(next, b'(') {
            // A function in FROM.
            return next;
        }
        let name = parts.pop().unwrap_or_default();
        let relation = TableName { schema: parts.pop(), name };
        if cursor.op_at(next, "*") {
            next += 1;
        }
        let explicit = cursor.word_at(next, "AS");
        let alias = if explicit { next + 1 } else { next };
        let is_name = match cursor.token(alias).map(|token| token.kind) {
            Some(TokenKind::QuotedWord) => true,
            Some(TokenKind::Word) => explicit || !words::contains(NOT_ALIASES, cursor.word(alias)),
            _ => false,
        };
        if is_name {
            self.aliases.push((name_of(cursor, alias), relation.clone()));
            next = alias + 1;
        }
        if !self.reads.contains(&relation) {
            self.reads.push(relation);
        }
        next
    }
}

/// The token at `at` as a name.
pub(super) fn name_of(cursor: &Cursor<'_>, at: usize) -> Name {
    match cursor.token(at).map(|token| token.kind) {
        Some(TokenKind::QuotedWord) => super::literal::quoted_name(cursor.word(at)),
        _ => Name::unquoted(cursor.word(at), cursor.dialect()),
    }
}

/// The select list of the outermost query; none where there is none, or it cannot be told.
fn output(cursor: &Cursor<'_>, from: usize, to: usize) -> Option<Vec<OutputItem>> {
    let mut at = from;
    // `((SELECT …) UNION …)`: the first member names the columns.
    while cursor.punct_at(at, b'(') {
        at += 1;
    }
    if cursor.word_at(at, "WITH") {
        while at < to && !cursor.word_at(at, "SELECT") {
            at = cursor.after(at);
        }
    }
    if !cursor.word_at(at, "SELECT") {
        return None;
    }
    at += 1;
    if cursor.word_at(at, "DISTINCT") || cursor.word_at(at, "ALL") {
        at += 1;
        if cursor.word_at(at, "ON") && cursor.punct_at(at + 1, b'(') {
            at = cursor.mate(at + 1) + 1;
        }
    }
    let mut items = Vec::new();
    let mut start = at;
    while at <= to {
        let clause =
            ["FROM", "INTO", "WHERE", "UNION", "ORDER", "GROUP", "LIMIT", "EXCEPT", "INTERSECT", "HAVING"];
        let distinct_from = at > 0 && cursor.word_at(at - 1, "DISTINCT") && at > start + 1;
        let ends = at == to
            || cursor.punct_at(at, b')')
            || (!distinct_from && clause.iter().any(|word| cursor.word_at(at, word)));
        if ends || cursor.punct_at(at, b',') {
            if at > start {
                items.push(item(cursor, start, at));
            }
            start = at + 1;
        }
        if ends {
            return Some(items);
        }
        at = cursor.after(at);
    }
    None
}

/// One item of a select list, in the tokens `from` to `to`.
fn item(cursor: &Cursor<'_>, from: usize, to: usize) -> OutputItem {
    if cursor.op_at(to - 1, "*") && (to - from == 1 || cursor.punct_at(to - 2, b'.')) {
        let qualifier = (to - from > 2).then(|| name_of(cursor, to - 3));
        return OutputItem::Star(qualifier);
    }
    let is_name = |at: usize| {
        cursor.token(at).is_some_and(|token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedWord))
    };
    let mut end = to;
    let mut alias = None;
    if to - from >= 3 && cursor.word_at(to - 2, "AS") && is_name(to - 1) {
        alias = Some(name_of(cursor, to - 1));
        end = to - 2;
    } else if to - from >= 2 && cursor.name_at(to - 1) && operand_before(cursor, to - 1) {
        alias = Some(name_of(cursor, to - 1));
        end = to - 1;
    }
    let dotted = (from..end)
        .all(|at| if (at - from).is_multiple_of(2) { is_name(at) } else { cursor.punct_at(at, b'.') });
    let column = (dotted && (end - from) % 2 == 1 && cursor.name_at(from)).then(|| {
        let qualifier = (end - from >= 3).then(|| name_of(cursor, end - 3));
        (qualifier, name_of(cursor, end - 1))
    });
    let name = alias.or_else(|| figured_name(cursor, from, end));
    OutputItem::Column(OutputColumn { name, column, data_type: cast_type(cursor, from, end) })
}

/// The type of an expression that ends with a cast, in the tokens `from` to `to`.
fn cast_type(cursor: &Cursor<'_>, from: usize, to: usize) -> Option<DataType> {
    let cast = (from..to).rev().find(|at| cursor.op_at(*at, "::"))?;
    let mut inner = cursor.clone();
    inner.within(cast + 1, to, |inner| {
        let data_type = crate::engine::postgres::lower::types::data_type(inner).ok()?;
        inner.is_done().then_some(data_type)
    })
}

/// Whether an operand ends just before `at`, so that a name there is an alias.
fn operand_before(cursor: &Cursor<'_>, at: usize) -> bool {
    let Some(before) = at.checked_sub(1).and_then(|at| cursor.token(at)) else { return false };
    match before.kind {
        TokenKind::Operator | TokenKind::Punct(b'.' | b',' | b'(') => false,
        TokenKind::Word => {
            let word = before.text(cursor.text());
            word.eq_ignore_ascii_case("end")
                || word.eq_ignore_ascii_case("null")
                || word.eq_ignore_ascii_case("true")
                || word.eq_ignore_ascii_case("false")
                || !words::is_reserved(word, cursor.dialect())
        }
        _ => true,
    }
}

/// The name that PostgreSQL gives a column without an alias (`FigureColname`): that of the column or function.
pub fn figured_name(cursor: &Cursor<'_>, from: usize, to: usize) -> Option<Name> {
    let (mut from, mut to) = (from, to);
    while to > from + 1 && cursor.punct_at(from, b'(') && cursor.mate(from) == to - 1 {
        (from, to) = (from + 1, to - 1);
    }
    if cursor.word_at(from, "CASE") {
        return Some(Name::new("case"));
    }
    // A column or a call, then nothing or casts.
    let mut at = from;
    let mut name = None;
    while at < to
        && cursor.token(at).is_some_and(|token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedWord))
    {
        name = Some(name_of(cursor, at));
        at += 1;
        if !cursor.punct_at(at, b'.') {
            break;
        }
        at += 1;
    }
    if cursor.punct_at(at, b'(') {
        at = cursor.mate(at) + 1;
    }
    if at >= to || cursor.op_at(at, "::") { name } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;

    fn check(text: &str, reads: &[&str]) -> Query {
        let cursor = Cursor::new(text, Dialect::Postgres);
        let query = describe(&cursor, 0, cursor.end());
        assert_eq!(query.reads.iter().map(ToString::to_string).collect::<Vec<_>>(), reads, "{text}");
        query
    }

    #[test]
    fn relations_are_found_wherever_they_stand() {
        check(
            "select * from a, only b as x join c using (id) left join lateral (select 1 from d) e on true",
            &["a", "b", "c", "d"],
        );
        check("select extract(epoch from t), trim(both from u), a is distinct from b from s.\"T\"", &["s.T"]);
        check(
            "with recursive x (i) as (select 1 from a union all select i from x), y as materialized (select * from b) \
               select * from x join y on x.i = (select max(i) from c)",
            &["a", "b", "c"],
        );
        check(
            "select * from generate_series(1, 2) g, (values (1)) v(i), ((a join b on true) join c on true)",
            &["a", "b", "c"],
        );
        check(
            "select 1 from a where exists (select 1 from b) and x in (select y from c) order by 1, 2",
            &["a", "b", "c"],
        );
        check("delete from a using b, c where a.i = b.i returning a.x, b.y", &["a", "b", "c"]);
        check("select a.x from a where a.x not in (select distinct y from b group by y, z)", &["a", "b"]);
    }

    #[test]
    fn aliases_and_columns_of_the_result() {
        let query = check(
            "select u.id, u.name as n, count(*), lower(x)::text, u.*, a + b, case when t then 1 end c from users u",
            &["users"],
        );
        assert_eq!(query.aliases, [(Name::new("u"), TableName::bare(Name::new("users")))]);
        let names: Vec<String> = query
            .output
            .unwrap()
            .iter()
            .map(|item| match item {
                OutputItem::Star(of) => {
                    format!("{}*", of.as_ref().map(|of| format!("{of}.")).unwrap_or_default())
                }
                OutputItem::Column(column) => column.name.as_ref().map_or("?".into(), ToString::to_string),
            })
            .collect();
        assert_eq!(names, ["id", "n", "count", "lower", "u.*", "?", "c"]);
    }
}
