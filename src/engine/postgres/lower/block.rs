//! `DO` blocks and bodies of routines: their static statements are read like any other.

use super::{change, lower_into};
use crate::engine::read::cursor::{Cursor, Read};
use crate::engine::read::literal;
use crate::engine::read::words;
use crate::schema::change::*;
use crate::sql::lex::TokenKind;
use crate::text::Span;

/// Words that start a statement of SQL within PL/pgSQL. (`SELECT` and its like are read for what they call.)
const SQL: [&str; 27] = [
    "SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "CREATE", "ALTER", "DROP", "TRUNCATE",
    "COMMENT", "GRANT", "REVOKE", "LOCK", "SET", "RESET", "REINDEX", "REFRESH", "ANALYZE", "VACUUM",
    "CLUSTER", "COPY", "CALL", "DO", "NOTIFY", "SECURITY",
];

/// `DO [LANGUAGE name] body`: the block, then what stands in it.
pub fn do_block(cursor: &mut Cursor<'_>, out: &mut Vec<Change>) -> Read<()> {
    let start = cursor.at();
    cursor.expect(&["DO"])?;
    let mut language = "plpgsql".to_owned();
    let mut text = None;
    loop {
        if cursor.eat(&["LANGUAGE"]) {
            language = if cursor.is_string() { cursor.string()? } else { cursor.any_name()?.to_string() };
        } else if cursor.is_string() && text.is_none() {
            text = Some(cursor.at());
            cursor.string()?;
        } else {
            break;
        }
    }
    let Some(at) = text else { return Err(cursor.unexpected("the block as a string")) };
    let language = language.to_lowercase();
    let mut body = body(cursor, at, &language);
    let mut changes = std::mem::take(&mut body.changes);
    let is_known = language == "plpgsql";
    let span = cursor.span_from(start);
    out.push(Change::new(span, ChangeKind::Block { language: language.clone(), body }));
    if !is_known {
        let why = format!("a block in the language `{language}`");
        out.push(Change::new(
            span,
            ChangeKind::Opaque(Opaque { reason: OpaqueReason::Unknown, why, may_make: true }),
        ));
    }
    out.append(&mut changes);
    Ok(())
}

/// The body in the string at the token `at`.
pub fn body(cursor: &Cursor<'_>, at: usize, language: &str) -> RoutineBody {
    let Some(token) = cursor.token(at) else { return RoutineBody::default() };
    let written = token.text(cursor.text());
    let (text, inside) = match token.kind {
        TokenKind::DollarString => {
            let (body, offset) = literal::dollar_body(written);
            let start = token.span.start + offset;
            (body.to_owned(), Some(Span::new(start, start + body.len())))
        }
        _ => {
            let text = literal::string(written, cursor.dialect());
            // Without escapes the text stands in the statement as it is.
            let plain = written.len() == text.len() + 2;
            (text, plain.then(|| Span::new(token.span.start + 1, token.span.end - 1)))
        }
    };
    let mut body = RoutineBody { span: inside.unwrap_or(token.span), ..RoutineBody::default() };
    let mut read = |inner: Option<Cursor<'_>>| {
        if let Some(mut inner) = inner {
            match language {
                "plpgsql" => Plpgsql { cursor: &mut inner, body: &mut body, blocks: Vec::new() }.read(),
                "sql" => statements(&mut inner, &mut body),
                _ => {}
            }
        }
    };
    match inside {
        Some(span) => read(cursor.nested(span)),
        None => {
            read(cursor.nested_text(&text));
            // Places in the text without its escapes mean nothing outside.
            for change in &mut body.changes {
                change.span = token.span;
            }
            body.dynamic.fill(token.span);
        }
    }
    body.text = text;
    body
}

/// `BEGIN ATOMIC statement; … END`.
pub fn atomic(cursor: &mut Cursor<'_>) -> Read<RoutineBody> {
    cursor.expect(&["BEGIN", "ATOMIC"])?;
    let from = cursor.at();
    let end = cursor.end();
    if !cursor.word_at(end.saturating_sub(1), "END") {
        cursor.set(end);
        return Err(cursor.unexpected("`END`"));
    }
    let span = cursor.span_between(from, end - 1);
    let mut body = RoutineBody { text: span.of(cursor.text()).to_owned(), span, ..RoutineBody::default() };
    cursor.within(from, end - 1, |cursor| statements(cursor, &mut body));
    cursor.set(end);
    Ok(body)
}

/// Reads statements with `;` between them.
fn statements(cursor: &mut Cursor<'_>, body: &mut RoutineBody) {
    while !cursor.is_done() {
        let to = cursor.find(|cursor, at| cursor.punct_at(at, b';'));
        cursor.within(cursor.at(), to, |cursor| lower_into(cursor, &mut body.changes));
        cursor.set(to + 1);
    }
}

/// What a piece of PL/pgSQL stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Frame {
    /// `BEGIN … END`.
    Block,
    /// Behind `EXCEPTION WHEN … THEN` of a block.
    Handler,
    /// `IF`, `CASE`, a loop.
    Conditional,
}

/// Reads the statements of a PL/pgSQL body (<https://www.postgresql.org/docs/current/plpgsql-statements.html>).
struct Plpgsql<'a, 'b> {
    cursor: &'a mut Cursor<'b>,
    body: &'a mut RoutineBody,
    blocks: Vec<Frame>,
}

impl Plpgsql<'_, '_> {
    fn read(mut self) {
        while !self.cursor.is_done() {
            let before = self.cursor.at();
            self.statement();
            if self.cursor.at() == before {
                self.cursor.bump();
            }
        }
    }

    fn is_conditional(&self) -> bool {
        self.blocks.iter().any(|frame| *frame != Frame::Block)
    }

    /// The number of the next `;` outside parentheses.
    fn semicolon(&self) -> usize {
        self.cursor.find(|cursor, at| cursor.punct_at(at, b';'))
    }

    /// Steps behind the next `word` outside parentheses and outside a `CASE … END` in between, at most to the `;`.
    fn skip_behind(&mut self, word: &str) {
        let mut cases = 0usize;
        let mut at = self.cursor.at();
        while at < self.cursor.end() && !self.cursor.punct_at(at, b';') {
            if self.cursor.word_at(at, "CASE") {
                cases += 1;
            } else if cases > 0 && self.cursor.word_at(at, "END") {
                cases -= 1;
            } else if cases == 0 && self.cursor.word_at(at, word) {
                at += 1;
                break;
            }
            at = self.cursor.after(at);
        }
        self.cursor.set(at);
    }

    fn skip_statement(&mut self) {
        let to = self.semicolon();
        self.cursor.set(to + 1);
    }

    fn statement(&mut self) {
        let word = self.cursor.word(self.cursor.at()).to_ascii_uppercase();
        match word.as_str() {
            ";" => {
                self.cursor.bump();
            }
            "DECLARE" => self.declarations(),
            "BEGIN" => {
                self.blocks.push(Frame::Block);
                self.cursor.bump();
            }
            "EXCEPTION" => {
                // Its block is left by now.
                if let Some(frame) = self.blocks.last_mut() {
                    *frame = Frame::Handler;
                }
                self.cursor.bump();
            }
            "IF" => {
                self.blocks.push(Frame::Conditional);
                self.cursor.bump();
                self.skip_behind("THEN");
            }
            "ELSIF" | "ELSEIF" | "WHEN" => self.skip_behind("THEN"),
            "ELSE" => {
                self.cursor.bump();
            }
            "CASE" => {
                self.blocks.push(Frame::Conditional);
                self.cursor.bump();
                let when = self.cursor.find(|cursor, at| cursor.word_at(at, "WHEN"));
                self.cursor.set(when);
            }
            "LOOP" => {
                self.blocks.push(Frame::Conditional);
                self.cursor.bump();
            }
            "FOR" | "FOREACH" | "WHILE" => {
                self.blocks.push(Frame::Conditional);
                self.skip_behind("LOOP");
            }
            "END" => {
                self.blocks.pop();
                self.skip_statement();
            }
            "EXECUTE" => self.execute(),
            "PERFORM" => self.perform(),
            "RETURN"
                if self.cursor.is(&["RETURN", "QUERY"])
                    && !self.cursor.is(&["RETURN", "QUERY", "EXECUTE"]) =>
            {
                self.cursor.set(self.cursor.at() + 2);
                self.sql();
            }
            _ if SQL.contains(&word.as_str()) && !self.is_assignment() => self.sql(),
            "<<" => self.skip_label(),
            _ => self.skip_statement(),
        }
    }

    /// Whether the word here is a variable that a value is given to.
    fn is_assignment(&self) -> bool {
        let next = self.cursor.at() + 1;
        self.cursor.op_at(next, ":=") || self.cursor.op_at(next, "=") || self.cursor.punct_at(next, b'.')
    }

    fn skip_label(&mut self) {
        let close = self.cursor.find(|cursor, at| cursor.op_at(at, ">>"));
        self.cursor.set(close + 1);
    }

    /// `DECLARE` up to `BEGIN`: cursors and defaults are not run for their effects.
    fn declarations(&mut self) {
        self.cursor.bump();
        while !self.cursor.is_done() && !self.cursor.is(&["BEGIN"]) {
            self.skip_statement();
        }
    }

    /// A statement of SQL.
    fn sql(&mut self) {
        let (from, to) = (self.cursor.at(), self.semicolon());
        let mut changes = Vec::new();
        self.cursor.within(from, to, |cursor| lower_into(cursor, &mut changes));
        self.add(changes);
        self.cursor.set(to + 1);
    }

    /// `PERFORM expression`: a SELECT for what it calls.
    fn perform(&mut self) {
        self.cursor.bump();
        let (from, to) = (self.cursor.at(), self.semicolon());
        let query = crate::engine::read::query::describe(self.cursor, from, to);
        let kind = ChangeKind::Select(Box::new(Select { query, locks_rows: false }));
        let change = Change::new(self.cursor.span_between(from, to), kind);
        self.add(vec![change]);
        self.cursor.set(to + 1);
    }

    /// `EXECUTE expression [INTO …] [USING …]`: read where it is a literal, else opaque.
    fn execute(&mut self) {
        let start = self.cursor.at();
        self.cursor.bump();
        let from = self.cursor.at();
        let to = self.cursor.find(|cursor, at| {
            cursor.punct_at(at, b';') || cursor.word_at(at, "INTO") || cursor.word_at(at, "USING")
        });
        let span = self.cursor.span_between(from, to);
        let literal = self.cursor.within(from, to, |cursor| {
            let wrapped = cursor.word_at(from, "FORMAT")
                && cursor.punct_at(from + 1, b'(')
                && cursor.mate(from + 1) == to - 1;
            if wrapped {
                cursor.set(from + 2);
            }
            let inner_end = if wrapped { to - 1 } else { to };
            let text = cursor.string().ok()?;
            // A format without a placeholder is a literal as well.
            (cursor.at() == inner_end && !(wrapped && text.contains('%'))).then_some(text)
        });
        match literal.as_deref().and_then(|text| Some((text, self.cursor.nested_text(text)?))) {
            Some((_, mut inner)) => {
                let mut inside = RoutineBody::default();
                statements(&mut inner, &mut inside);
                for change in &mut inside.changes {
                    change.span = span;
                }
                self.add(inside.changes);
            }
            None => {
                self.body.dynamic.push(span);
                let may_make = may_make(span.of(self.cursor.text()));
                let why = format!(
                    "EXECUTE of SQL that is put together when it runs: `{}`",
                    short(span.of(self.cursor.text()))
                );
                let kind = ChangeKind::Opaque(Opaque { reason: OpaqueReason::Dynamic, why, may_make });
                let change = change(self.cursor, start, kind);
                self.add(vec![Change { span, ..change }]);
            }
        }
        self.skip_statement();
    }

    /// Adds `changes`, with how they are come to.
    fn add(&mut self, changes: Vec<Change>) {
        let conditional = self.is_conditional();
        self.body.changes.extend(changes.into_iter().map(|change| {
            let conditional = conditional || change.via.is_conditional();
            Change { via: Via::Block { conditional }, ..change }
        }));
    }
}

/// Whether the SQL that `expression` puts together may make tables or views: the words that it begins with tell.
fn may_make(expression: &str) -> bool {
    const OTHERS: &str = " insert update delete drop truncate grant revoke comment set reset analyze vacuum lock notify \
                          refresh cluster reindex ";
    const MADE: &str = " trigger index function procedure policy type domain extension role user rule statistics \
                        publication aggregate operator cast schema sequence ";
    const BEFORE: &str = " create or replace unique constraint event ";
    let lower = expression.to_ascii_lowercase();
    // The beginning is the first string: 'create trigger ' || …, format('create trigger …', …).
    let begins =
        lower.strip_prefix("format").map_or(lower.as_str(), |rest| rest.trim_start_matches([' ', '(', '\n']));
    let Some(begin) = begins.trim_start().strip_prefix('\'') else { return true };
    let mut all = begin.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    match all.next() {
        _ if begin.trim_start().starts_with('%') => true,
        Some("create") => {
            let object = all.find(|word| !words::contains(BEFORE, word));
            !object.is_some_and(|object| words::contains(MADE, object))
        }
        // A rename makes a name, a partition may come from elsewhere.
        Some("alter") => ["rename", "attach", "schema"].iter().any(|word| lower.contains(word)),
        Some(first) => !words::contains(OTHERS, first),
        None => true,
    }
}

/// `text` on one line, cut where it gets long.
fn short(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(80) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::may_make;

    #[test]
    fn what_begins_with_other_words_makes_no_table() {
        for text in [
            "format('CREATE TRIGGER set_it BEFORE UPDATE ON %s', t)",
            "'create or replace function ' || name",
            "FORMAT(\n  'alter table %s add column a int', t)",
            "'drop table ' || t",
        ] {
            assert!(!may_make(text), "{text}");
        }
        for text in [
            "format('create table %s (a int)', t)",
            "'create temp table ' || t",
            "'alter table ' || t || ' rename to x'",
            "format('%s', t)",
            "t",
            "'select a into ' || t",
        ] {
            assert!(may_make(text), "{text}");
        }
    }
}
