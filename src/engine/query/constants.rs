//! Literals that are the schema's own words: labels of enums, constants of checks and defaults, each with the columns
//! that have it. One that a query puts against such a column is no data of anybody's, and stays in its text.

use crate::dialect::Dialect;
use crate::engine::read::literal;
use crate::engine::read::words;
use crate::name::Name;
use crate::sql::lex::{Token, TokenKind};
use std::collections::{BTreeMap, BTreeSet};

/// The constants of a schema, by the columns and the types that have them; names in small letters, without their tables:
/// which migration a query was written for is not known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Constants {
    columns: BTreeMap<String, BTreeSet<String>>,
    types: BTreeMap<String, BTreeSet<String>>,
    all: BTreeSet<String>,
}

impl Constants {
    /// Adds `constant` to those of the columns called `column`.
    pub fn add(&mut self, column: &Name, constant: &str) {
        self.all.insert(constant.to_owned());
        self.columns.entry(column.as_str().to_lowercase()).or_default().insert(constant.to_owned());
    }

    /// Adds `label` to those of the type `name`.
    pub fn add_label(&mut self, name: &Name, label: &str) {
        self.all.insert(label.to_owned());
        self.types.entry(name.as_str().to_lowercase()).or_default().insert(label.to_owned());
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    fn of_column(&self, column: &str, constant: &str) -> bool {
        self.columns.get(column).is_some_and(|known| known.contains(constant))
    }

    fn of_type(&self, name: &str, constant: &str) -> bool {
        self.types.get(name).is_some_and(|known| known.contains(constant))
    }
}

/// The tokens of a query, comments left out.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Its text.
    pub text: &'a str,
    /// Its tokens.
    pub tokens: &'a [Token],
    /// Its dialect.
    pub dialect: Dialect,
}

/// Operators between a column and a value.
const COMPARISONS: &[&str] = &["=", "==", "<>", "!=", "<", ">", "<=", ">=", "<=>"];
/// Functions whose value is one of their arguments.
const CHOICES: &[&str] = &["coalesce", "ifnull", "nullif", "greatest", "least"];
/// How deep values are looked for in each other.
const DEPTH_MAX: usize = 16;

impl Place<'_> {
    /// Whether the literal at `at` is one of `constants`, and stands against a column or a type that has it.
    pub fn is_constant(&self, at: usize, constants: &Constants) -> bool {
        let token = self.tokens[at];
        let value = match token.kind {
            // A prefix changes what the quotes hold.
            TokenKind::String if token.text(self.text).starts_with(['\'', '"']) => {
                literal::string(token.text(self.text), self.dialect)
            }
            TokenKind::Number => token.text(self.text).to_owned(),
            _ => return false,
        };
        if !constants.all.contains(&value) {
            return false;
        }
        let of_type = |at: Option<usize>| {
            at.and_then(|at| self.name(at)).is_some_and(|name| constants.of_type(&name, &value))
        };
        let is_cast = self.is(at + 1, "::") && of_type(Some(self.last_of_path(at + 2)))
            || self.is_word(at + 1, "as") && of_type(Some(self.last_of_path(at + 2)))
            || of_type(at.checked_sub(1));
        is_cast || self.against(at, 0).iter().any(|column| constants.of_column(column, &value))
    }

    /// The columns that the value which begins at `at` is compared with, or given to.
    fn against(&self, at: usize, depth: usize) -> Vec<String> {
        let Some(before) = at.checked_sub(1).filter(|_| depth < DEPTH_MAX) else { return Vec::new() };
        let token = self.tokens[before];
        let word = |words: &[&str]| words.iter().any(|word| token.is_word(self.text, word));
        if COMPARISONS.contains(&token.text(self.text))
            || word(&["from"]) && self.is_word_before(before, "distinct")
        {
            let distinct = if word(&["from"]) { before.saturating_sub(1) } else { before };
            return self.column_before(self.without_words(distinct, &["not", "is"])).into_iter().collect();
        }
        if let Some(column) = self.column_behind(at) {
            return vec![column];
        }
        if word(&["then", "else"]) {
            return self.case_start(before).map_or_else(Vec::new, |case| self.against(case, depth + 1));
        }
        if word(&["when"]) {
            let operand = self.case_start(before).map(|case| self.last_of_path(case + 1));
            let is_operand = |end: &usize| self.is_word(end + 1, "when");
            return operand.filter(is_operand).and_then(|end| self.name(end)).into_iter().collect();
        }
        if word(&["select", "distinct"]) || token.is_punct(b',') && self.opening(before).is_none() {
            return self.selected(before).into_iter().collect();
        }
        if !token.is_punct(b'(') && !token.is_punct(b'[') && !token.is_punct(b',') {
            return Vec::new();
        }
        let open = if token.is_punct(b',') { self.opening(before) } else { Some(before) };
        open.map_or_else(Vec::new, |open| self.in_list(open, at, depth))
    }

    /// The same for a value in the list that opens at `open`.
    fn in_list(&self, open: usize, at: usize, depth: usize) -> Vec<String> {
        let Some(of) = open.checked_sub(1) else { return Vec::new() };
        let word = |word: &str| self.is_word(of, word);
        if word("in") {
            return self.column_before(self.without_words(of, &["not"])).into_iter().collect();
        }
        if word("array") {
            return self.against(of, depth + 1);
        }
        if word("any") || word("all") || word("some") {
            return self.against(of, depth + 1);
        }
        let place = self.commas(open, at);
        if word("values") || self.tokens[of].is_punct(b',') {
            return self
                .row_columns(of)
                .and_then(|columns| columns.get(place).cloned())
                .into_iter()
                .collect();
        }
        if CHOICES.iter().any(|name| word(name)) {
            let mut columns = self.against(of, depth + 1);
            columns.extend(self.siblings(open));
            return columns;
        }
        if self.name(of).is_none() {
            return self.against(open, depth + 1);
        }
        Vec::new()
    }

    /// The columns of the `INSERT` whose row of values opens behind `before`, which is `VALUES` or a comma.
    fn row_columns(&self, mut before: usize) -> Option<Vec<String>> {
        while self.tokens[before].is_punct(b',') {
            let close = before.checked_sub(1).filter(|close| self.tokens[*close].is_punct(b')'))?;
            before = self.opening(close)?.checked_sub(1)?;
        }
        self.is_word(before, "values").then(|| self.inserted(before))?
    }

    /// The columns that an `INSERT` lists right before `end`.
    fn inserted(&self, end: usize) -> Option<Vec<String>> {
        let close = end.checked_sub(1).filter(|close| self.tokens[*close].is_punct(b')'))?;
        let open = self.opening(close)?;
        let columns: Option<Vec<String>> = self.tokens[open + 1..close]
            .iter()
            .enumerate()
            .filter(|(_, token)| !token.is_punct(b','))
            .map(|(at, _)| self.name(open + 1 + at))
            .collect();
        columns
    }

    /// The column that an `INSERT … SELECT` gives the item to which `before` leads.
    fn selected(&self, before: usize) -> Option<String> {
        let (mut at, mut depth, mut place) = (before, 0_usize, 0_usize);
        loop {
            let token = self.tokens[at];
            match token.kind {
                TokenKind::Punct(b')' | b']') => depth += 1,
                TokenKind::Punct(b'(' | b'[') => depth = depth.checked_sub(1)?,
                TokenKind::Punct(b',') if depth == 0 => place += 1,
                TokenKind::Word if depth == 0 && token.is_word(self.text, "select") => break,
                // Not in a select list.
                TokenKind::Word
                    if depth == 0
                        && ["from", "where", "by", "set"]
                            .iter()
                            .any(|word| token.is_word(self.text, word)) =>
                {
                    return None;
                }
                _ => {}
            }
            at = at.checked_sub(1)?;
        }
        self.inserted(at)?.get(place).cloned()
    }

    /// The names that stand alone in the list that opens at `open`.
    fn siblings(&self, open: usize) -> Vec<String> {
        let mut depth = 0_usize;
        let mut found = Vec::new();
        for at in open..self.tokens.len() {
            match self.tokens[at].kind {
                TokenKind::Punct(b'(' | b'[') => depth += 1,
                TokenKind::Punct(b')' | b']') if depth == 1 => break,
                TokenKind::Punct(b')' | b']') => depth -= 1,
                _ if depth == 1 => found.extend(self.name(at)),
                _ => {}
            }
        }
        found
    }

    /// How many commas of the list that opens at `open` stand before `at`.
    fn commas(&self, open: usize, at: usize) -> usize {
        let (mut depth, mut count) = (0_usize, 0);
        for token in &self.tokens[open + 1..at] {
            match token.kind {
                TokenKind::Punct(b'(' | b'[') => depth += 1,
                TokenKind::Punct(b')' | b']') => depth = depth.saturating_sub(1),
                TokenKind::Punct(b',') if depth == 0 => count += 1,
                _ => {}
            }
        }
        count
    }

    /// Where the parenthesis or bracket opens that `at` stands in, or that closes at `at`.
    fn opening(&self, at: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for open in (0..at).rev() {
            match self.tokens[open].kind {
                TokenKind::Punct(b')' | b']') => depth += 1,
                TokenKind::Punct(b'(' | b'[') if depth == 0 => return Some(open),
                TokenKind::Punct(b'(' | b'[') => depth -= 1,
                _ => {}
            }
        }
        None
    }

    /// The `CASE` that the word at `at` belongs to.
    fn case_start(&self, at: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for before in (0..at).rev() {
            if self.is_word(before, "end") {
                depth += 1;
            } else if self.is_word(before, "case") {
                match depth.checked_sub(1) {
                    Some(less) => depth = less,
                    None => return Some(before),
                }
            }
        }
        None
    }

    /// The column whose name ends right before `at`, also with a cast behind it.
    fn column_before(&self, at: usize) -> Option<String> {
        let last = at.checked_sub(1)?;
        let cast = last.checked_sub(1).filter(|cast| self.is(*cast, "::"));
        match cast.and_then(|cast| cast.checked_sub(1)) {
            Some(column) => self.name(column),
            None => self.name(last),
        }
    }

    /// The column that the value at `at` is compared with behind it: `'a' = kind`.
    fn column_behind(&self, at: usize) -> Option<String> {
        let operator = self.tokens.get(at + 1)?;
        if !COMPARISONS.contains(&operator.text(self.text)) {
            return None;
        }
        self.name(self.last_of_path(at + 2))
    }

    /// The last token of the dotted name that begins at `at`.
    fn last_of_path(&self, mut at: usize) -> usize {
        while self.tokens.get(at + 1).is_some_and(|dot| dot.is_punct(b'.')) {
            at += 2;
        }
        at
    }

    /// `at`, moved to the left over `words` that stand before it.
    fn without_words(&self, mut at: usize, words: &[&str]) -> usize {
        while let Some(before) = at.checked_sub(1)
            && words.iter().any(|word| self.is_word(before, word))
        {
            at = before;
        }
        at
    }

    fn is_word_before(&self, at: usize, word: &str) -> bool {
        at.checked_sub(1).is_some_and(|before| self.is_word(before, word))
    }

    fn is_word(&self, at: usize, word: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is_word(self.text, word))
    }

    fn is(&self, at: usize, operator: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.text(self.text) == operator)
    }

    /// The name at `at`, in small letters, if one stands there.
    fn name(&self, at: usize) -> Option<String> {
        let token = self.tokens.get(at)?;
        let text = token.text(self.text);
        match token.kind {
            TokenKind::Word if !words::is_reserved(text, self.dialect) => Some(text.to_lowercase()),
            TokenKind::QuotedWord => Some(literal::quoted_name(text).as_str().to_lowercase()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::lex::significant;

    /// Whether the only literal `'x'` of `text` is kept, where the column `kind` and the type `mood` have it.
    fn check(dialect: Dialect, text: &str, expect: bool) {
        let mut constants = Constants::default();
        constants.add(&Name::new("kind"), "x");
        constants.add_label(&Name::new("mood"), "x");
        let tokens: Vec<Token> = significant(text, dialect).collect();
        let at = tokens.iter().position(|token| token.text(text) == "'x'").unwrap();
        let place = Place { text, tokens: &tokens, dialect };
        assert_eq!(place.is_constant(at, &constants), expect, "{text}");
    }

    #[test]
    fn what_stands_against_its_column_is_kept() {
        for text in [
            "select 1 from t where kind = 'x'",
            "select 1 from t where t.\"kind\" <> 'x' and b = $1",
            "select 1 from t where 'x' = t.kind",
            "select 1 from t where kind::text = 'x'",
            "select 1 from t where kind is not distinct from 'x'",
            "select 1 from t where kind not in ($1, 'x')",
            "select 1 from t where kind = any (array['x', $1])",
            "update t set a = $1, kind = 'x' where id = $2",
            "update t set kind = case when a then 'x' else $1 end",
            "update t set kind = case when a then case when b then 1 end else 'x' end",
            "select case kind when 'x' then 1 end from t",
            "select coalesce(t.kind, 'x') from t",
            "insert into t (a, kind) values ($1, 'x')",
            "insert into t (a, kind) values (f(1, 2), $1), ((1), 'x')",
            "insert into t (a, kind) select f(1, 2), 'x' from u",
            "insert into t (a, kind) values (1, coalesce($1, 'x'))",
            "select 'x'::mood",
            "select 'x'::public.mood",
            "select cast('x' as mood)",
            "select mood 'x'",
        ] {
            check(Dialect::Postgres, text, true);
        }
        check(Dialect::Mysql, "insert into t (kind, b) values ('x', ?) on duplicate key update b = 1", true);
        check(Dialect::Mysql, "insert into t (b) values (?) on duplicate key update kind = 'x'", true);
    }

    #[test]
    fn the_same_word_elsewhere_is_data() {
        for text in [
            "select 'x'",
            "select 1 from t where name = 'x'",
            "select 1 from t where name in ('x', $1) and kind = $2",
            "insert into t (kind, name) values ($1, 'x')",
            "insert into t values ('x')",
            "insert into t (kind, name) select $1, 'x' from u",
            "select kind, 'x' from t",
            "select kind from t order by a, 'x'",
            "select f(kind, 'x') from t",
            "select 1 from t where lower(kind) = 'x'",
            "update t set name = case when kind = $1 then 'x' end",
            "select 'x'::text from t",
        ] {
            check(Dialect::Postgres, text, false);
        }
    }
}
