//! The directives that there are.

/// One directive that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownDirective {
    /// Its name.
    pub name: &'static str,
    /// What it is about.
    pub scope: DirectiveScope,
    /// What stands behind its name.
    pub words: DirectiveWords,
    /// Whether it needs a reason.
    pub reason: bool,
    /// How it is written.
    pub syntax: &'static str,
    /// What it does, one line.
    pub about: &'static str,
    /// Whether it does it. A name that is only kept for later is an error, not silence.
    pub works: bool,
}

/// What a directive is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DirectiveScope {
    /// The whole file: it stands above the first statement.
    File,
    /// The statement below it, or around it.
    Statement,
    /// The statement below it; the whole file where it stands above the first statement with a blank line between.
    Either,
}

/// What stands behind a directive's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DirectiveWords {
    /// Nothing.
    None,
    /// One word.
    One,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Words, at least one.
    Some,
    /// `key=value` words.
    Keys {
        /// Those that must be there, with a value.
        required: &'static [&'static str],
        /// Those that may be there.
        optional: &'static [&'static str],
    },
}

/// All of them, in the order in which they are listed to people.
pub const KNOWN: &[KnownDirective] = &[
    KnownDirective {
        name: "no-transaction",
        scope: DirectiveScope::File,
        words: DirectiveWords::None,
        reason: false,
        syntax: "no-transaction",
        about: "each statement runs by itself; a run that was broken off goes on behind the last one that was done",
        works: true,
    },
    KnownDirective {
        name: "irreversible",
        scope: DirectiveScope::File,
        words: DirectiveWords::None,
        reason: true,
        syntax: "irreversible because REASON",
        about: "there is no way back, and why",
        works: true,
    },
    KnownDirective {
        name: "exec",
        scope: DirectiveScope::File,
        words: DirectiveWords::One,
        reason: false,
        syntax: "exec PROGRAM",
        about: "the migration is this program, by its path below the migrations folder",
        works: true,
    },
    KnownDirective {
        name: "allow",
        scope: DirectiveScope::Either,
        words: DirectiveWords::Some,
        reason: true,
        syntax: "allow RULE [RULE …] because REASON",
        about: "lint does not report these rules for the statement, or the file",
        works: true,
    },
    KnownDirective {
        name: "phase",
        scope: DirectiveScope::File,
        words: DirectiveWords::OneOf(&["expand", "contract"]),
        reason: false,
        syntax: "phase expand|contract",
        about: "in which of the two steps of a deploy the migration runs; `migrate` holds a contract back",
        works: true,
    },
    KnownDirective {
        name: "stands-for",
        scope: DirectiveScope::File,
        words: DirectiveWords::One,
        reason: false,
        syntax: "stands-for NAME",
        about: "the plain migration that the deploy stands for is in the lines `-- | …` below it; `plan --verify` compares with it",
        works: true,
    },
    KnownDirective {
        name: "backfill",
        scope: DirectiveScope::Statement,
        words: DirectiveWords::Keys { required: &[], optional: &["key"] },
        reason: false,
        syntax: "backfill [key=COLUMN,COLUMN]",
        about: "the UPDATE below it runs in chunks of rows, by the primary key or these columns, while the application runs",
        works: true,
    },
    KnownDirective {
        name: "set",
        scope: DirectiveScope::File,
        words: DirectiveWords::Keys {
            required: &[],
            optional: &["lock-timeout", "lock-deadline", "statement-timeout"],
        },
        reason: false,
        syntax: "set [lock-timeout=TIME] [lock-deadline=TIME] [statement-timeout=TIME]",
        about: "time limits of this migration, instead of those in the settings",
        works: true,
    },
];

/// The directive called `name`, in any case.
pub fn known(name: &str) -> Option<&'static KnownDirective> {
    KNOWN.iter().find(|known| known.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_open_their_syntax() {
        for (index, entry) in KNOWN.iter().enumerate() {
            assert!(entry.syntax.split(' ').next() == Some(entry.name), "{}", entry.name);
            assert_eq!(KNOWN.iter().position(|other| other.name == entry.name), Some(index));
            assert_eq!(entry.syntax.contains("because"), entry.reason, "{}", entry.name);
        }
        assert!(known("NO-transaction").is_some() && known("no_transaction").is_none());
    }
}
