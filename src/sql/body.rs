//! Statements that hold statements: which `;` ends one, for rules, routines, triggers and compound statements.
//!
//! Fed with one statement's significant tokens, in order. No recursion: blocks are counted or kept on a stack of
//! a few bytes each.

use super::lex::{Token, TokenKind};
use crate::dialect::Dialect;

/// What is known of the statement that is being read.
#[derive(Debug, Clone)]
pub(super) enum Body {
    /// No token yet.
    Start,
    /// Behind `CREATE` and what may follow it, before the word that tells.
    Create { tokens: usize },
    /// Behind MySQL's `ALTER` or `BEGIN`, of which few forms have a body.
    MysqlSecondWord { first: MysqlFirst },
    /// Each `;` ends it.
    Plain,
    /// `COPY`: whether rows follow.
    Copy { depth: usize, from: bool, stdin: bool },
    /// `CREATE RULE … DO (a; b)`.
    Rule { depth: usize },
    /// `CREATE FUNCTION … BEGIN ATOMIC … END`.
    Routine(Routine),
    /// SQLite's `CREATE TRIGGER … BEGIN …; END`.
    Trigger(TriggerEnd),
    /// MySQL's stored program or MariaDB's compound statement.
    Program(Program),
}

/// First words of MySQL statements that need a second one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MysqlFirst {
    Alter,
    Begin,
}

/// What MySQL creates with a body (`PACKAGE` is MariaDB's).
const MYSQL_PROGRAMS: [&str; 5] = ["procedure", "function", "trigger", "event", "package"];

/// What MySQL creates without one.
const MYSQL_PLAIN: [&str; 13] = [
    "table",
    "view",
    "index",
    "user",
    "database",
    "schema",
    "role",
    "server",
    "sequence",
    "unique",
    "fulltext",
    "spatial",
    "temporary",
];

/// What [`Body::take`] says of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// It belongs to the statement.
    Part,
    /// It ends the statement.
    End,
}

/// Words behind `CREATE` before the one that tells what is created; anything else in between ends the search,
/// except on MySQL, where `DEFINER = …` takes several tokens.
const BEFORE_OBJECT: [&str; 9] =
    ["or", "replace", "definer", "aggregate", "temp", "temporary", "if", "not", "exists"];

impl Body {
    /// Takes the next token, which is not a comment; `text` is its text.
    pub(super) fn take(&mut self, dialect: Dialect, token: Token, text: &[u8]) -> Flow {
        let semicolon = token.is_punct(b';');
        match self {
            Body::Start => *self = Body::first(dialect, token, text),
            Body::Create { tokens } => {
                *tokens += 1;
                let tokens = *tokens;
                if let Some(body) = Body::created(dialect, token, text, tokens) {
                    *self = body;
                }
            }
            Body::MysqlSecondWord { first } => {
                *self = match first {
                    MysqlFirst::Alter if is(token, text, "event") => Body::Program(Program::default()),
                    MysqlFirst::Begin if is(token, text, "not") => Body::Program(Program::compound(false)),
                    MysqlFirst::Alter | MysqlFirst::Begin => Body::Plain,
                }
            }
            Body::Plain => {}
            Body::Copy { depth, from, stdin } => match token.kind {
                TokenKind::Punct(b'(') => *depth += 1,
                TokenKind::Punct(b')') => *depth = depth.saturating_sub(1),
                _ if *depth > 0 => {}
                _ if *from => {
                    *stdin |= is(token, text, "stdin");
                    *from = false;
                }
                _ => *from = is(token, text, "from"),
            },
            Body::Rule { depth } => match token.kind {
                TokenKind::Punct(b'(') => *depth += 1,
                TokenKind::Punct(b')') => *depth = depth.saturating_sub(1),
                _ if semicolon && *depth > 0 => return Flow::Part,
                _ => {}
            },
            Body::Routine(routine) => return routine.take(token, text),
            Body::Trigger(end) => return end.take(token, text),
            Body::Program(program) => return program.take(token, text),
        }
        if semicolon { Flow::End } else { Flow::Part }
    }

    fn first(dialect: Dialect, token: Token, text: &[u8]) -> Body {
        if matches!(token.kind, TokenKind::ExecutableOpen) {
            return Body::Start;
        }
        if token.kind != TokenKind::Word {
            return Body::Plain;
        }
        let word = |word: &str| text.eq_ignore_ascii_case(word.as_bytes());
        match dialect {
            _ if word("create") => Body::Create { tokens: 0 },
            Dialect::Postgres if word("copy") => Body::Copy { depth: 0, from: false, stdin: false },
            Dialect::Sqlite if word("explain") => Body::Start,
            Dialect::Mysql if word("alter") => Body::MysqlSecondWord { first: MysqlFirst::Alter },
            Dialect::Mysql if word("begin") => Body::MysqlSecondWord { first: MysqlFirst::Begin },
            // MariaDB: https://mariadb.com/kb/en/using-compound-statements-outside-of-stored-programs/
            Dialect::Mysql if word("if") || word("case") || word("while") || word("for") => {
                Body::Program(Program::compound(false))
            }
            Dialect::Mysql if word("loop") || word("repeat") => Body::Program(Program::compound(true)),
            Dialect::Postgres | Dialect::Mysql | Dialect::Sqlite => Body::Plain,
        }
    }

    /// What the `tokens`th token behind `CREATE` tells, if it tells.
    fn created(dialect: Dialect, token: Token, text: &[u8], tokens: usize) -> Option<Body> {
        let word = |word: &str| text.eq_ignore_ascii_case(word.as_bytes());
        let is_word = token.kind == TokenKind::Word;
        match dialect {
            _ if token.is_punct(b';') => Some(Body::Plain),
            Dialect::Postgres if is_word && word("rule") => Some(Body::Rule { depth: 0 }),
            Dialect::Postgres if is_word && (word("function") || word("procedure")) => {
                Some(Body::Routine(Routine::default()))
            }
            Dialect::Sqlite if is_word && word("trigger") => Some(Body::Trigger(TriggerEnd::Inside)),
            Dialect::Mysql if is_word && MYSQL_PROGRAMS.iter().any(|program| word(program)) => {
                Some(Body::Program(Program::default()))
            }
            Dialect::Mysql if is_word && MYSQL_PLAIN.iter().any(|plain| word(plain)) => Some(Body::Plain),
            Dialect::Mysql if tokens < 24 => None,
            _ if is_word && BEFORE_OBJECT.iter().any(|before| word(before)) => None,
            Dialect::Postgres | Dialect::Mysql | Dialect::Sqlite => Some(Body::Plain),
        }
    }

    /// Whether the statement takes rows from the lines behind it.
    pub(super) fn copies_from_stdin(&self) -> bool {
        matches!(self, Body::Copy { stdin: true, .. })
    }

    /// Whether only its own end, not each `;`, ends it.
    pub(super) fn is_program(&self) -> bool {
        matches!(self, Body::Program(_))
    }

    /// What is still open when the text ends here.
    pub(super) fn unclosed(&self) -> Option<&'static str> {
        match self {
            Body::Rule { depth } if *depth > 0 => Some("parenthesis of CREATE RULE"),
            Body::Routine(routine) if routine.depth > 0 => Some("BEGIN ATOMIC"),
            Body::Trigger(TriggerEnd::Inside | TriggerEnd::Semicolon) => Some("body of CREATE TRIGGER"),
            Body::Program(program) if !program.blocks.is_empty() => Some("BEGIN"),
            _ => None,
        }
    }
}

fn is(token: Token, text: &[u8], word: &str) -> bool {
    token.kind == TokenKind::Word && text.eq_ignore_ascii_case(word.as_bytes())
}

/// A PostgreSQL routine, which may have a body of its own syntax
/// (<https://www.postgresql.org/docs/current/sql-createfunction.html>, `sql_body`).
#[derive(Debug, Clone, Default)]
pub(super) struct Routine {
    parentheses: usize,
    /// `BEGIN ATOMIC` and the `CASE`s in it that have no `END` yet.
    depth: usize,
    before: Before,
}

/// What the token before was, as far as it matters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Before {
    #[default]
    Other,
    Begin,
    /// A `.` or `AS`: a name follows, also one that is spelled like a keyword.
    Names,
}

impl Routine {
    fn take(&mut self, token: Token, text: &[u8]) -> Flow {
        let before = std::mem::take(&mut self.before);
        match token.kind {
            TokenKind::Punct(b'(') => self.parentheses += 1,
            TokenKind::Punct(b')') => self.parentheses = self.parentheses.saturating_sub(1),
            TokenKind::Punct(b'.') => self.before = Before::Names,
            TokenKind::Punct(b';') if self.depth == 0 => return Flow::End,
            TokenKind::Word if before != Before::Names => self.word(before, text),
            _ => {}
        }
        Flow::Part
    }

    fn word(&mut self, before: Before, text: &[u8]) {
        let word = |word: &str| text.eq_ignore_ascii_case(word.as_bytes());
        if self.depth == 0 {
            if before == Before::Begin && word("atomic") {
                self.depth = 1;
            } else if word("begin") && self.parentheses == 0 {
                self.before = Before::Begin;
            }
        } else if word("case") {
            self.depth += 1;
        } else if word("end") {
            self.depth -= 1;
        } else if word("as") {
            self.before = Before::Names;
        }
    }
}

/// How much of `; END` was read: a SQLite trigger ends with `; END ;`, as `sqlite3_complete` has it
/// (<https://sqlite.org/c3ref/complete.html>), so that the `END` of a `CASE` is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TriggerEnd {
    Inside,
    Semicolon,
    End,
}

impl TriggerEnd {
    fn take(&mut self, token: Token, text: &[u8]) -> Flow {
        let semicolon = token.is_punct(b';');
        if semicolon && *self == TriggerEnd::End {
            return Flow::End;
        }
        *self = match self {
            _ if semicolon => TriggerEnd::Semicolon,
            TriggerEnd::Semicolon if is(token, text, "end") => TriggerEnd::End,
            TriggerEnd::Inside | TriggerEnd::Semicolon | TriggerEnd::End => TriggerEnd::Inside,
        };
        Flow::Part
    }
}

/// A MySQL stored program (<https://dev.mysql.com/doc/refman/8.4/en/sql-compound-statements.html>).
///
/// `BEGIN`, `END`, `IF` and `REPEAT` are also names or functions there, so each is believed only where a
/// statement of the body can start.
#[derive(Debug, Clone, Default)]
pub(super) struct Program {
    parentheses: u32,
    /// What waits for its `END`, and the parentheses that are open around it.
    blocks: Vec<(Block, u32)>,
    /// Whether a statement of the body can start with the next token.
    at_start: bool,
    statement: Inner,
    before: ProgramBefore,
}

/// What waits for an `END`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    /// `BEGIN`, `IF`, `CASE`, `LOOP`, `WHILE`, `REPEAT`, `FOR`.
    Statement,
    /// A `CASE` within an expression.
    Expression,
}

/// What statement of the body we are in, as far as it matters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Inner {
    #[default]
    Other,
    /// `DECLARE`: its handler may be a `BEGIN`.
    Declare,
    /// `UNTIL condition END REPEAT`: the `END` stands behind an expression.
    Until,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum ProgramBefore {
    #[default]
    Other,
    /// A name follows.
    Dot,
    /// The word that may follow closes nothing and opens nothing.
    End,
}

impl Program {
    /// A statement that starts with a block, outside a stored program.
    fn compound(at_start: bool) -> Self {
        Self { blocks: vec![(Block::Statement, 0)], at_start, ..Self::default() }
    }

    fn take(&mut self, token: Token, text: &[u8]) -> Flow {
        let before = std::mem::take(&mut self.before);
        let at_start = std::mem::take(&mut self.at_start);
        let in_header = self.blocks.is_empty();
        match token.kind {
            TokenKind::Punct(b'(') => self.parentheses += 1,
            TokenKind::Punct(b')') => {
                self.parentheses = self.parentheses.saturating_sub(1);
                self.at_start = in_header && self.parentheses == 0;
            }
            TokenKind::Punct(b'.') => self.before = ProgramBefore::Dot,
            TokenKind::Punct(b':') => self.at_start = true,
            TokenKind::Punct(b';') => match self.blocks.last() {
                None => return Flow::End,
                Some((_, parentheses)) => {
                    // A parenthesis that a statement left open ends with it.
                    self.parentheses = *parentheses;
                    self.at_start = true;
                    self.statement = Inner::Other;
                }
            },
            TokenKind::Word if before != ProgramBefore::Dot => self.word(before, at_start, text),
            // COMMENT 'text' before the body.
            TokenKind::String => self.at_start = in_header,
            // The parts of /*! … */ are read as if the marks were not there.
            TokenKind::ExecutableOpen | TokenKind::ExecutableClose => {
                (self.before, self.at_start) = (before, at_start);
            }
            _ => {}
        }
        Flow::Part
    }

    fn word(&mut self, before: ProgramBefore, at_start: bool, text: &[u8]) {
        let word = |word: &str| text.eq_ignore_ascii_case(word.as_bytes());
        let any = |words: &[&str]| words.iter().any(|candidate| word(candidate));
        let in_header = self.blocks.is_empty();
        if word("begin") {
            let in_declare = self.statement == Inner::Declare;
            if at_start || in_declare || (in_header && self.parentheses == 0) {
                self.open(Block::Statement);
                self.at_start = true;
            }
        } else if word("end") {
            self.end(at_start);
        } else if before == ProgramBefore::End && any(&["if", "case", "loop", "repeat", "while", "for"]) {
            // END IF: closed already.
        } else if at_start && any(&["if", "case", "while", "for"]) {
            self.open(Block::Statement);
        } else if at_start && any(&["loop", "repeat"]) {
            self.open(Block::Statement);
            self.at_start = true;
        } else if word("case") && !in_header {
            self.open(Block::Expression);
        } else if any(&["then", "else", "do"]) {
            self.at_start = !matches!(self.blocks.last(), Some((Block::Expression, _)));
        } else if at_start && word("declare") {
            self.statement = Inner::Declare;
        } else if at_start && word("until") {
            self.statement = Inner::Until;
        } else {
            let before_body = ["row", "sql", "data", "deterministic", "definer", "invoker"];
            self.at_start = word("atomic") || (in_header && any(&before_body));
        }
    }

    fn open(&mut self, block: Block) {
        self.blocks.push((block, self.parentheses));
        self.statement = Inner::Other;
    }

    fn end(&mut self, at_start: bool) {
        let closes = match self.blocks.last() {
            Some((Block::Expression, parentheses)) => *parentheses == self.parentheses,
            Some((Block::Statement, _)) => at_start || self.statement == Inner::Until,
            None => false,
        };
        if closes {
            self.blocks.pop();
            self.before = ProgramBefore::End;
        }
    }
}
