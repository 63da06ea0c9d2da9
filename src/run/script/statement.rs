//! One statement of a script, and what the runner must know of it.

use crate::dialect::Dialect;
use crate::engine::update::unquoted;
use crate::engine::{self, Conflict, ConflictKind, LockRequest, Resume, SessionChange, TransactionControl};
use crate::name::{Name, TableName};
use crate::source::Checksum;
use crate::sql::directive::{self, Directive};
use crate::sql::lex::{TokenKind, significant};
use crate::sql::split::split;
use crate::text::Span;
use std::sync::Arc;

/// One statement, ready to be sent.
#[derive(Debug, Clone)]
pub struct Statement {
    pub(super) text: Text,
    /// Line of its first word in the file, from 1.
    pub line: usize,
    /// Rows for `COPY … FROM stdin`.
    pub rows: Option<Text>,
    /// What the runner must know of it.
    pub traits: Traits,
    /// Where it is a backfill, the columns that it goes by; none for the primary key.
    pub backfill: Option<Vec<Name>>,
}

impl Statement {
    /// A statement that stands by itself.
    pub fn own(text: String, line: usize, dialect: Dialect) -> Self {
        let traits = Traits::of(&text, dialect);
        let backfill =
            directive::place(&text, &split(&text, dialect), dialect).of(0).find_map(keyed(dialect));
        Self { text: Text::Own(text), line, rows: None, traits, backfill }
    }

    /// What is sent.
    pub fn sql(&self) -> &str {
        self.text.as_str()
    }

    /// A checksum of its text, for the journal.
    pub fn checksum(&self) -> String {
        Checksum::of(self.sql()).as_str()[..16].to_owned()
    }

    /// Its first words, for people.
    pub fn title(&self) -> String {
        title(self.sql())
    }
}

/// A text that is a part of a file, or stands by itself.
#[derive(Debug, Clone)]
pub enum Text {
    /// A part of a file.
    Part(Arc<str>, Span),
    /// A text of its own.
    Own(String),
}

impl Text {
    /// The text.
    pub fn as_str(&self) -> &str {
        match self {
            Text::Part(file, span) => span.of(file),
            Text::Own(text) => text,
        }
    }

    /// The rows of a COPY, in the pieces in which they are sent.
    pub fn in_pieces(&self) -> impl Iterator<Item = Vec<u8>> {
        const BYTES: usize = 64 * 1024;
        self.as_str().as_bytes().chunks(BYTES).map(<[u8]>::to_vec)
    }
}

/// The first words of a statement, on one line.
pub fn title(sql: &str) -> String {
    let mut words = String::new();
    for word in sql.split_whitespace() {
        if words.len() + word.len() > 60 {
            words.push_str(" …");
            break;
        }
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    // One word may be longer than a line.
    if words.chars().count() > 72 {
        words = words.chars().take(70).collect::<String>() + " …";
    }
    words
}

/// What the runner must know of a statement.
#[derive(Debug, Clone)]
pub struct Traits {
    /// Why it cannot run in a transaction, if it cannot.
    pub conflict: Option<Conflict>,
    /// Whether it begins or ends one.
    pub control: Option<TransactionControl>,
    /// What it changes in the session.
    pub session: Vec<SessionChange>,
    /// What is done about it when the run goes on in another session.
    pub resume: Resume,
    /// Whether it does nothing but change the session.
    pub only_session: bool,
    /// Whether it asks the session what the statement before it did.
    pub asks_for_the_last: bool,
    /// The user's variables that it names, whose values are kept for another session.
    pub variables: Vec<String>,
    /// Whether it reads or writes rows, so that waiting for a lock keeps nobody else waiting.
    pub rows_only: bool,
    /// Whether it is an `INSERT` or `REPLACE`.
    pub inserts: bool,
    /// The locks that are surely needed, so that they can be asked for without queueing.
    pub locks: Vec<LockRequest>,
    /// Whether it may end transactions by itself, so that it only runs outside of ours.
    pub ends_transactions: bool,
    /// The table that it makes: nobody else can hold a lock on it.
    pub makes: Option<TableName>,
}

impl Traits {
    /// Looks at `sql`.
    pub fn of(sql: &str, dialect: Dialect) -> Self {
        Self {
            // What only does nothing there stops no run.
            conflict: engine::transaction_conflict(sql, dialect)
                .filter(|conflict| conflict.kind != ConflictKind::NoEffect),
            control: engine::transaction_control(sql, dialect),
            session: engine::session_changes(sql, dialect),
            resume: engine::resume(sql, dialect),
            only_session: engine::only_session(sql, dialect),
            asks_for_the_last: engine::asks_for_the_last(sql, dialect),
            variables: engine::user_variables(sql, dialect),
            rows_only: engine::touches_rows_only(sql, dialect),
            inserts: engine::inserts(sql, dialect),
            locks: engine::relations_locked(sql, dialect),
            ends_transactions: engine::may_end_transactions(sql, dialect),
            makes: engine::table_made(sql, dialect),
        }
    }
}

impl Traits {
    /// Whether it adds rows, and nothing of the session decides which.
    pub fn is_insert(&self) -> bool {
        self.inserts && self.variables.is_empty() && self.session.is_empty()
    }
}

/// The columns that a `backfill` directive names.
pub(super) fn keyed(dialect: Dialect) -> impl Fn(&Directive) -> Option<Vec<Name>> {
    move |directive| {
        if directive.name != "backfill" {
            return None;
        }
        let columns = directive.value("key").unwrap_or("");
        let named = significant(columns, dialect).filter_map(|token| match token.kind {
            TokenKind::Word => Some(Name::unquoted(token.text(columns), dialect)),
            TokenKind::QuotedWord => Some(unquoted(token.text(columns))),
            _ => None,
        });
        Some(named.collect())
    }
}
