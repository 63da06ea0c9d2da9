//! What a rule is, and what it finds.

use super::migration::Judged;
use super::place::Place;
use crate::dialect::Dialect;
use crate::text::Span;
use std::fmt;

/// A hazard that is looked for.
pub struct Rule {
    /// The bad thing's name, which reads after "allow". It never changes.
    pub id: &'static str,
    /// What kind of harm it does.
    pub group: Group,
    /// How bad it is where nothing says otherwise.
    pub severity: Severity,
    /// The engines on which it exists; the first is that of its page's examples.
    pub engines: &'static [Dialect],
    /// Whether the engine may know two steps that do the same without harm.
    pub splits: bool,
    /// Its page: what it is about, with the examples that are its tests.
    pub page: &'static str,
    /// How it is found.
    pub check: Check,
}

/// How a rule finds its hazard.
pub enum Check {
    /// By looking at each change of each statement.
    Change(fn(&Place<'_>) -> Option<Draft>),
    /// By looking at a migration as a whole.
    Migration(fn(&Judged<'_>) -> Vec<Draft>),
    /// It is about the lint itself, or about what only the command knows, and found there.
    Elsewhere,
}

impl Rule {
    /// A rule that looks at each change.
    pub const fn on_change(
        id: &'static str,
        group: Group,
        severity: Severity,
        engines: &'static [Dialect],
        page: &'static str,
        check: fn(&Place<'_>) -> Option<Draft>,
    ) -> Self {
        Self { id, group, severity, engines, splits: false, page, check: Check::Change(check) }
    }

    /// A rule that looks at a migration as a whole.
    pub const fn on_migration(
        id: &'static str,
        group: Group,
        severity: Severity,
        engines: &'static [Dialect],
        page: &'static str,
        check: fn(&Judged<'_>) -> Vec<Draft>,
    ) -> Self {
        Self { id, group, severity, engines, splits: false, page, check: Check::Migration(check) }
    }

    /// A rule about the lint itself, or about what only the command knows.
    pub const fn elsewhere(
        id: &'static str,
        group: Group,
        severity: Severity,
        engines: &'static [Dialect],
        page: &'static str,
    ) -> Self {
        Self { id, group, severity, engines, splits: false, page, check: Check::Elsewhere }
    }

    /// The same, whose hazard the engine may know two steps for.
    #[must_use]
    pub const fn splitting(self) -> Self {
        Self { splits: true, ..self }
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rule").field(&self.id).finish()
    }
}

/// What kind of harm a hazard does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// Breaks the code that is still running.
    Compat,
    /// Blocks the code that is still running.
    Lock,
    /// Loses rows.
    Loss,
    /// Goes wrong by itself.
    Wrong,
    /// A matter of taste; off unless asked for.
    Style,
}

impl Group {
    /// All groups, in the order in which they are listed.
    pub const ALL: [Group; 5] = [Group::Compat, Group::Lock, Group::Loss, Group::Wrong, Group::Style];

    /// The word in settings and reports.
    pub const fn id(self) -> &'static str {
        match self {
            Group::Compat => "compat",
            Group::Lock => "lock",
            Group::Loss => "loss",
            Group::Wrong => "wrong",
            Group::Style => "style",
        }
    }

    /// What its rules have in common, in prose.
    pub const fn title(self) -> &'static str {
        match self {
            Group::Compat => "breaks the code that is still running",
            Group::Lock => "blocks the code that is still running",
            Group::Loss => "loses rows",
            Group::Wrong => "goes wrong by itself",
            Group::Style => "a matter of taste; off unless asked for",
        }
    }

    /// The group called `id`.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.id() == id)
    }
}

/// How bad a finding is, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Harm under some circumstances.
    Warning,
    /// Harm.
    Error,
}

impl Severity {
    /// The word in settings and reports.
    pub const fn id(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }

    /// The severity called `id`.
    pub fn from_id(id: &str) -> Option<Self> {
        [Severity::Note, Severity::Warning, Severity::Error].into_iter().find(|known| known.id() == id)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// What a rule has to say about a place, before it is known where that stands in which file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Where it is, if not at the change that was looked at.
    pub at: Option<At>,
    /// What and where, in one line that stands alone.
    pub message: String,
    /// Why: which lock on which table, which query.
    pub why: String,
    /// What to do instead: SQL that can be pasted, or a sentence.
    pub help: Vec<String>,
    /// How bad, if not as bad as the rule says.
    pub severity: Option<Severity>,
    /// Edits of the statement's text that do what `help` says and change nothing else.
    pub fix: Vec<Edit>,
    /// Whether `fix` is right only if its file also says that it runs without a transaction.
    pub outside: bool,
    /// Whether the two steps of the change are no answer to it.
    pub whole: bool,
}

/// A place in a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// A part of a statement's text, by the statement's number among the steps.
    Statement(usize, Span),
    /// The statement as a whole.
    Step(usize),
    /// A line of its up file, from 1.
    Line(usize),
    /// The first line of its up file.
    File,
    /// The first line of its down file.
    Down,
}

/// A change of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty where something is put in.
    pub span: Span,
    /// By what.
    pub text: String,
}

impl Draft {
    /// A finding at the change that was looked at.
    pub fn new(message: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            at: None,
            message: message.into(),
            why: why.into(),
            help: Vec::new(),
            severity: None,
            fix: Vec::new(),
            outside: false,
            whole: false,
        }
    }

    /// Where the two steps of the change are no answer to it.
    #[must_use]
    pub fn whole(self) -> Self {
        Self { whole: true, ..self }
    }

    /// With something to do instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// At another place.
    #[must_use]
    pub fn at(mut self, at: At) -> Self {
        self.at = Some(at);
        self
    }

    /// With another severity than the rule's own.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// With an edit that does what the help says.
    #[must_use]
    pub fn fix(mut self, edits: Vec<Edit>) -> Self {
        self.fix = edits;
        self
    }

    /// With an edit that is right only if the file says that it runs without a transaction.
    #[must_use]
    pub fn fix_outside(self, edit: Edit) -> Self {
        Self { outside: true, ..self.fix(vec![edit]) }
    }
}
