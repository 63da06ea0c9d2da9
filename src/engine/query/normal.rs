//! A query's text without comments and literals: what may be stored, and what the server can prepare.
//!
//! Each literal becomes a parameter, as in `pg_stat_statements`. Positions in `ORDER BY` and `GROUP BY` and the sizes
//! of types stay, because the statement means something else without them, and what is the schema's own word
//! (`constants`).

use super::constants::{Constants, Place};
use crate::dialect::Dialect;
use crate::engine::read::literal;
use crate::engine::read::words;
use crate::sql::lex::{Token, TokenKind, significant};
use std::collections::BTreeSet;

/// Types whose literals are written `type 'text'`.
const TYPED: &[&str] = &[
    "date",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "interval",
    "json",
    "jsonb",
    "uuid",
    "bytea",
    "inet",
];
/// Types that have a size in parentheses.
const SIZED: &[&str] = &[
    "varchar",
    "char",
    "character",
    "varying",
    "numeric",
    "decimal",
    "dec",
    "bit",
    "varbit",
    "timestamp",
    "timestamptz",
    "time",
    "timetz",
    "interval",
    "float",
    "binary",
    "varbinary",
    "nchar",
    "datetime",
    "bpchar",
];
/// Words that start a clause behind `ORDER BY` and `GROUP BY`.
const AFTER_BY: &str = " limit offset having order group window fetch for union except intersect returning where select rows range groups ";

/// `text` without comments and literals, on one line; parameters of all kinds (`$1`, `?`, `:name`, `@name`) in the
/// engine's own form.
pub fn normalize(text: &str, dialect: Dialect) -> String {
    normalize_with(text, dialect, Known::default()).text
}

/// What is known of the schema whose queries are read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// Its names, in small letters: SQLite reads what stands in double quotes as a string where nothing has that name.
    pub names: Option<&'a BTreeSet<String>>,
    /// Its constants, which stay.
    pub constants: Option<&'a Constants>,
}

/// A query without its literals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Normalized {
    /// Its text.
    pub text: String,
    /// What is known of the literals that became parameters.
    pub literals: Vec<Literal>,
}

/// A literal that became a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Literal {
    /// The number of the parameter: on PostgreSQL that behind its `$`, else which one it is, counted from 1.
    pub parameter: usize,
    /// What it is.
    pub kind: LiteralKind,
    /// How long it is, where that is known.
    pub chars: Option<usize>,
}

/// What a literal is; never `NULL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LiteralKind {
    /// A string.
    Text,
    /// A number.
    Number,
}

/// The words in `text` that can be names, in small letters.
pub fn identifiers(text: &str, dialect: Dialect) -> impl Iterator<Item = String> {
    significant(text, dialect)
        .filter(|token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedWord))
        .map(|token| inner(token.text(text)).to_lowercase())
}

/// [`normalize`], where something may be known of the schema.
pub fn normalize_with(text: &str, dialect: Dialect, known: Known<'_>) -> Normalized {
    let mut tokens: Vec<Token> = significant(text, dialect).collect();
    while tokens.last().is_some_and(|token| token.is_punct(b';')) {
        tokens.pop();
    }
    let mut run = Normal {
        text,
        dialect,
        known,
        tokens: &tokens,
        literals: Vec::new(),
        out: String::with_capacity(text.len()),
        names: Vec::new(),
        count: 0,
        place: 0,
        in_by: 0,
        depth: 0,
        sized: None,
    };
    run.count = (tokens.iter())
        .filter(|token| token.kind == TokenKind::Param)
        .filter_map(|token| token.text(text).strip_prefix('$')?.parse::<usize>().ok())
        .filter(|number| *number < 10_000)
        .max()
        .unwrap_or(0);
    let mut at = 0;
    while at < tokens.len() {
        at = run.token(at);
    }
    Normalized { text: run.out, literals: run.literals }
}

struct Normal<'a> {
    text: &'a str,
    dialect: Dialect,
    known: Known<'a>,
    tokens: &'a [Token],
    out: String,
    literals: Vec<Literal>,
    /// Named parameters, and the number that each got.
    names: Vec<(String, usize)>,
    /// The highest parameter so far.
    count: usize,
    /// The number of the last parameter, as [`Literal::parameter`] counts.
    place: usize,
    /// The depth of parentheses, plus one, of the `ORDER BY` or `GROUP BY` that we stand in.
    in_by: usize,
    depth: usize,
    /// The depth of the parentheses that hold the size of a type.
    sized: Option<usize>,
}

impl Normal<'_> {
    /// Takes in the token at `at`; gives the number of the next.
    fn token(&mut self, at: usize) -> usize {
        let token = self.tokens[at];
        let text = token.text(self.text);
        let lower = text.to_ascii_lowercase();
        match token.kind {
            TokenKind::Param => self.param(text, at),
            TokenKind::String | TokenKind::DollarString if self.is_alias(at) => self.put(text, at),
            TokenKind::String | TokenKind::Number if self.is_constant(at) => self.put(text, at),
            TokenKind::Number if self.keeps_number(text, at) => self.put(text, at),
            TokenKind::String | TokenKind::DollarString | TokenKind::Unterminated(_) | TokenKind::Number => {
                self.literal(at)
            }
            TokenKind::QuotedWord if self.dialect == Dialect::Sqlite && self.is_quoted_string(at) => {
                self.literal(at);
            }
            TokenKind::Operator if self.dialect == Dialect::Postgres => return self.operator(text, at),
            TokenKind::Word => {
                if TYPED.contains(&lower.as_str()) && self.is_typed_literal(at) {
                    let literal = self.tokens[at + 1];
                    let next = match literal.kind {
                        TokenKind::Param => literal.text(self.text).to_owned(),
                        _ => self.next_literal(at + 1),
                    };
                    let typed = match self.dialect {
                        Dialect::Postgres => format!("{next}::{lower}"),
                        Dialect::Mysql | Dialect::Sqlite => format!("CAST({next} AS {lower})"),
                    };
                    self.put(&typed, at);
                    return at + 2;
                }
                if lower == "by" {
                    self.in_by = self.depth + 1;
                } else if self.in_by == self.depth + 1 && words::contains(AFTER_BY, &lower) {
                    self.in_by = 0;
                }
                self.put(text, at);
            }
            TokenKind::Punct(b'(') => {
                let type_before = at > 0 && self.is_sized_type(at - 1);
                self.depth += 1;
                if type_before && self.sized.is_none() {
                    self.sized = Some(self.depth);
                }
                self.put(text, at);
            }
            TokenKind::Punct(b')') => {
                if self.sized == Some(self.depth) {
                    self.sized = None;
                }
                self.depth = self.depth.saturating_sub(1);
                if self.in_by > self.depth + 1 {
                    self.in_by = 0;
                }
                self.put(text, at);
            }
            _ => self.put(text, at),
        }
        at + 1
    }

    /// Appends `text` for the token at `at`, with one space where there was any.
    fn put(&mut self, text: &str, at: usize) {
        let gap = at > 0 && self.tokens[at - 1].span.end < self.tokens[at].span.start;
        if gap && !self.out.is_empty() && !self.out.ends_with(' ') {
            self.out.push(' ');
        }
        self.out.push_str(text);
    }

    /// A parameter instead of the literal at `at`.
    fn literal(&mut self, at: usize) {
        let next = self.next_literal(at);
        self.put(&next, at);
    }

    fn next_literal(&mut self, at: usize) -> String {
        let next = self.next_param();
        let token = self.tokens[at];
        let text = token.text(self.text);
        let (kind, chars) = match token.kind {
            TokenKind::Number => (LiteralKind::Number, text.len()),
            TokenKind::DollarString => (LiteralKind::Text, literal::dollar_body(text).0.chars().count()),
            _ => (LiteralKind::Text, literal::string(text, self.dialect).chars().count()),
        };
        if !matches!(token.kind, TokenKind::Unterminated(_)) {
            self.literals.push(Literal { parameter: self.place, kind, chars: Some(chars) });
        }
        next
    }

    /// Whether the literal at `at` is the schema's own word.
    fn is_constant(&self, at: usize) -> bool {
        let place = Place { text: self.text, tokens: self.tokens, dialect: self.dialect };
        self.known.constants.is_some_and(|constants| place.is_constant(at, constants))
    }

    fn next_param(&mut self) -> String {
        self.count += 1;
        self.shown(self.count)
    }

    fn shown(&mut self, number: usize) -> String {
        match self.dialect {
            Dialect::Postgres => {
                self.place = number;
                format!("${number}")
            }
            Dialect::Mysql | Dialect::Sqlite => {
                self.place += 1;
                "?".to_owned()
            }
        }
    }

    fn param(&mut self, text: &str, at: usize) {
        let numbered = text.strip_prefix('$').is_some_and(|rest| rest.parse::<usize>().is_ok());
        let shown = if numbered && self.dialect == Dialect::Postgres {
            text.to_owned()
        } else if text == "?" {
            self.next_param()
        } else {
            self.named(text)
        };
        self.put(&shown, at);
    }

    /// The parameter that stands for the named one `name`.
    fn named(&mut self, name: &str) -> String {
        if let Some((_, number)) = self.names.iter().find(|(known, _)| known == name) {
            return self.shown(*number);
        }
        self.count += 1;
        self.names.push((name.to_owned(), self.count));
        self.shown(self.count)
    }

    /// An operator of PostgreSQL, whose end can be a `?` or the `@` of `@name`, parameters that client libraries
    /// replace.
    fn operator(&mut self, text: &str, at: usize) -> usize {
        const BEFORE: &[&str] = &["", "=", "<", ">", "<=", ">=", "<>", "!=", "+", "-", "*", "/", "||", "%"];
        let operand_before = at > 0 && self.is_operand(at - 1);
        if let Some(front) = text.strip_suffix('?')
            && BEFORE.contains(&front)
            && (!front.is_empty() || !operand_before)
        {
            let next = self.next_param();
            let separator = if front.is_empty() { "" } else { " " };
            self.put(&format!("{front}{separator}{next}"), at);
            return at + 1;
        }
        let name = self
            .tokens
            .get(at + 1)
            .filter(|next| next.kind == TokenKind::Word && next.span.start == self.tokens[at].span.end);
        if let (Some(front), Some(name)) = (text.strip_suffix('@'), name)
            && BEFORE.contains(&front)
            && (!front.is_empty() || !operand_before)
        {
            let shown = self.named(name.text(self.text));
            let separator = if front.is_empty() { "" } else { " " };
            self.put(&format!("{front}{separator}{shown}"), at);
            return at + 2;
        }
        self.put(text, at);
        at + 1
    }

    /// Whether the token at `at` ends an operand.
    fn is_operand(&self, at: usize) -> bool {
        match self.tokens[at].kind {
            TokenKind::Word => !words::is_reserved(self.tokens[at].text(self.text), self.dialect),
            TokenKind::QuotedWord | TokenKind::String | TokenKind::Number | TokenKind::Param => true,
            TokenKind::Punct(punct) => matches!(punct, b')' | b']'),
            _ => false,
        }
    }

    /// Whether the word in double quotes at `at` is a string (SQLite): nothing is called so, or, where the names are not
    /// known, it stands where a value does.
    fn is_quoted_string(&self, at: usize) -> bool {
        let text = self.tokens[at].text(self.text);
        let is_dot =
            |at: Option<usize>| at.and_then(|at| self.tokens.get(at)).is_some_and(|one| one.is_punct(b'.'));
        if !text.starts_with('"') || is_dot(at.checked_sub(1)) || is_dot(Some(at + 1)) {
            return false;
        }
        if !is_plain_name(text) {
            return true;
        }
        // What the query itself calls so.
        const NAMED: &[&str] = &["as", "from", "join", "into", "update", "with"];
        let is_named_here = self.tokens.windows(2).any(|pair| {
            NAMED.iter().any(|word| pair[0].is_word(self.text, word))
                && inner(pair[1].text(self.text)).eq_ignore_ascii_case(inner(text))
        });
        match self.known.names {
            _ if is_named_here => false,
            Some(names) => !names.contains(&inner(text).to_lowercase()),
            None => self.is_value_place(at),
        }
    }

    /// Whether a value stands at `at`: behind a comparison, or in the list of `IN` or `VALUES`.
    fn is_value_place(&self, at: usize) -> bool {
        const BEFORE: &[&str] = &["=", "==", "<>", "!=", "<", ">", "<=", ">=", "||"];
        const WORDS: &[&str] = &["like", "glob", "match", "regexp", "then", "else", "between", "is"];
        let Some(before) = at.checked_sub(1).map(|before| self.tokens[before]) else { return false };
        if BEFORE.contains(&before.text(self.text))
            || WORDS.iter().any(|word| before.is_word(self.text, word))
        {
            return true;
        }
        let mut depth = 0_usize;
        for open in (0..at).rev() {
            let token = self.tokens[open];
            if token.is_punct(b')') {
                depth += 1;
            } else if token.is_punct(b'(') && depth > 0 {
                depth -= 1;
            } else if token.is_punct(b'(') {
                let of = open.checked_sub(1).map(|before| self.tokens[before]);
                return of.is_some_and(|of| {
                    of.is_word(self.text, "in") || of.is_word(self.text, "values") || of.is_punct(b',')
                });
            }
        }
        false
    }

    /// Whether the string at `at` is a name behind `AS` (MySQL).
    fn is_alias(&self, at: usize) -> bool {
        self.dialect == Dialect::Mysql
            && at > 0
            && self.tokens[at - 1].is_word(self.text, "as")
            && is_plain_name(self.tokens[at].text(self.text))
    }

    /// Whether the word at `at` is the type of the string behind it.
    fn is_typed_literal(&self, at: usize) -> bool {
        // As `pg_stat_statements` has it, the literal is a parameter already.
        let string = |token: &Token| match token.kind {
            TokenKind::String | TokenKind::DollarString => true,
            TokenKind::Param => self.dialect == Dialect::Postgres,
            _ => false,
        };
        self.tokens.get(at + 1).is_some_and(string)
            // MySQL's `INTERVAL '1' DAY` is no literal of its own.
            && (self.dialect == Dialect::Postgres || !self.tokens[at].is_word(self.text, "interval"))
            && !self.tokens.get(at + 2).is_some_and(|unit| {
                self.tokens[at].is_word(self.text, "interval")
                    && ["year", "month", "day", "hour", "minute", "second"]
                        .iter()
                        .any(|word| unit.is_word(self.text, word))
            })
    }

    fn is_sized_type(&self, at: usize) -> bool {
        let token = self.tokens[at];
        token.kind == TokenKind::Word && SIZED.contains(&token.text(self.text).to_ascii_lowercase().as_str())
    }

    /// Whether the number at `at` is a position or a size, no data.
    fn keeps_number(&self, text: &str, at: usize) -> bool {
        let small = |digits: usize| text.len() <= digits && text.bytes().all(|byte| byte.is_ascii_digit());
        if self.sized == Some(self.depth) {
            return small(5);
        }
        let alone =
            at > 0 && (self.tokens[at - 1].is_word(self.text, "by") || self.tokens[at - 1].is_punct(b','));
        self.in_by == self.depth + 1 && alone && small(3)
    }
}

/// `word` without its quotes.
fn inner(word: &str) -> &str {
    word.trim_matches(['"', '`', '\'', '[', ']'])
}

/// Whether `quoted` is, between its quotes, what people call columns.
fn is_plain_name(quoted: &str) -> bool {
    let inner = inner(quoted);
    inner.len() <= 63 && inner.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ' ' | '$' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;

    fn check(dialect: Dialect, text: &str, expect: &str) {
        let once = normalize(text, dialect);
        assert_eq!(once, expect, "{text}");
        assert_eq!(normalize(&once, dialect), expect, "a second time changes it");
    }

    #[test]
    fn literals_become_parameters() {
        let check = |text, expect| check(Dialect::Postgres, text, expect);
        check("select 'a', 12, $tag$x$tag$, E'\\'', -1.5e3 from t;", "select $1, $2, $3, $4, -$5 from t");
        check("select a from t where b = $2 and c = 'x'", "select a from t where b = $2 and c = $3");
        check("select /* user=1 */ a -- secret\n from t", "select a from t");
        check("select date '2020-01-01' + interval '1 day'", "select $1::date + $2::interval");
        check("select interval $2 + date $1 + f($3)", "select $2::interval + $1::date + f($3)");
        check(
            "select a::varchar(20), b::numeric(10, 2) from t",
            "select a::varchar(20), b::numeric(10, 2) from t",
        );
        check(
            "select a, count(*) from t group by 1 order by 2, 1 limit 10",
            "select a, count(*) from t group by 1 order by 2, 1 limit $1",
        );
        check("select x from t order by a = 4111, f(3)", "select x from t order by a = $1, f($2)");
        check("select 'never closed", "select $1");
    }

    #[test]
    fn strings_in_double_quotes_of_sqlite() {
        let known: BTreeSet<String> = ["t", "a", "b"].map(str::to_owned).into();
        let check = |names: Option<&BTreeSet<String>>, text: &str, expect: &str| {
            let known = Known { names, constants: None };
            assert_eq!(normalize_with(text, Dialect::Sqlite, known).text, expect, "{text}");
        };
        let text = "select \"a\", \"hunter2\" from \"t\" where \"b\" = \"hunter2\" and a in (\"x\", \"y\")";
        check(Some(&known), text, "select \"a\", ? from \"t\" where \"b\" = ? and a in (?, ?)");
        check(
            Some(&known),
            "select a as \"n\" from t order by \"n\"",
            "select a as \"n\" from t order by \"n\"",
        );
        check(
            None,
            "select \"a\" from \"t\" where \"t\".\"b\" = \"hunter2\"",
            "select \"a\" from \"t\" where \"t\".\"b\" = ?",
        );
        check(
            None,
            "insert into t (\"a\", \"b\") values (\"x\", 1), (\"y\", 2)",
            "insert into t (\"a\", \"b\") values (?, ?), (?, ?)",
        );
        check(None, "update t set \"a\" = \"x\" where b like \"y\"", "update t set \"a\" = ? where b like ?");
        check(None, "select `hunter`, [b] from t", "select `hunter`, [b] from t");
    }

    #[test]
    fn parameters_of_every_kind() {
        let postgres = |text, expect| check(Dialect::Postgres, text, expect);
        postgres(
            "select a from t where b=? and c in (?, ?)",
            "select a from t where b= $1 and c in ($2, $3)",
        );
        postgres("select d ? 'k', d->>'k' from t limit ?", "select d ? $1, d->>$2 from t limit $3");
        postgres(
            "select a from t where b = :id or c = :other or d = :id",
            "select a from t where b = $1 or c = $2 or d = $1",
        );
        postgres(
            "select a from t where b = @id::int and c=@other",
            "select a from t where b = $1::int and c= $2",
        );
        check(
            Dialect::Mysql,
            "select a from t where b = \"x\" and c = ? and d = 0x1f",
            "select a from t where b = ? and c = ? and d = ?",
        );
        check(
            Dialect::Sqlite,
            "select a from t where b = ?1 and c = $name and d = \"one, two!\"",
            "select a from t where b = ? and c = ? and d = ?",
        );
    }

    #[test]
    fn the_schemas_own_words_stay_and_the_rest_is_counted() {
        let mut constants = Constants::default();
        constants.add(&Name::new("kind"), "new");
        constants.add(&Name::new("tries"), "0");
        let check = |dialect, text: &str, expect: &str, literals: &[(usize, LiteralKind, usize)]| {
            let known = Known { names: None, constants: Some(&constants) };
            let found = normalize_with(text, dialect, known);
            assert_eq!(found.text, expect, "{text}");
            let all: Vec<_> =
                found.literals.iter().map(|one| (one.parameter, one.kind, one.chars.unwrap())).collect();
            assert_eq!(all, literals, "{text}");
        };
        use LiteralKind::{Number, Text};
        check(
            Dialect::Postgres,
            "insert into t (kind, name, tries) values ('new', 'hunter2', 0), ($1, 'it''s', 17)",
            "insert into t (kind, name, tries) values ('new', $2, 0), ($1, $3, $4)",
            &[(2, Text, 7), (3, Text, 4), (4, Number, 2)],
        );
        check(
            Dialect::Mysql,
            "select ? from t where kind = \"new\" and name = 'new' and tries = -1 and at = date '2020-01-01'",
            "select ? from t where kind = \"new\" and name = ? and tries = -? and at = CAST(? AS date)",
            &[(2, Text, 3), (3, Number, 1), (4, Text, 10)],
        );
        check(Dialect::Sqlite, "select 'never closed", "select ?", &[]);
    }
}
