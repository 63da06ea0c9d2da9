//! `-- twostep: …` comments: instructions that a migration carries for us.
//!
//! A directive is a line comment (`-- twostep: …`, on MySQL `# twostep: …` too) or a whole block comment
//! (`/* twostep: … */`, which may have several lines). `twostep` and the name may be in any case. Words are separated
//! by blanks, a comma behind a word does not count; a word, or the value behind its `=`, may stand in single or double
//! quotes. What stands behind `because` is the reason, as it is written.

mod known;
mod place;

pub use known::{DirectiveScope, DirectiveWords, KNOWN, KnownDirective, known};
pub use place::{Placed, head, place};

use super::lex::{Token, TokenKind, tokens};
use crate::dialect::Dialect;
use crate::text::{Span, nearest};

/// One `-- twostep: name key=value … [because REASON]` comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// The first word, in lower case: `no-transaction`, `allow`, `irreversible`, `exec`, ….
    pub name: String,
    /// The words behind it, up to `because`; a quoted word stands without its quotes.
    pub words: Vec<String>,
    /// What stands behind `because`.
    pub because: Option<String>,
    /// The whole comment.
    pub span: Span,
}

impl Directive {
    /// The value of the word `key=value`.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.words.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }
}

/// A comment that is meant as a directive and is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectiveProblem {
    /// The whole comment.
    pub span: Span,
    /// What is wrong, one line that stands alone.
    pub what: String,
    /// What to write instead.
    pub help: String,
}

/// The directives in a part of a text, and what is wrong with those that are none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directives {
    /// The directives, in order.
    pub found: Vec<Directive>,
    /// The comments that are not right.
    pub problems: Vec<DirectiveProblem>,
}

/// The directives in the comments of `region`, with spans in `source`. A region may be what stands before a statement
/// ([`Statement::leading`](super::split::Statement::leading)), or the statement itself.
pub fn directives(source: &str, region: Span, dialect: Dialect) -> Directives {
    let mut directives = Directives::default();
    let text = region.of(source);
    // Most texts have none.
    if mentions(text) {
        for token in tokens(text, dialect).filter(|token| token.is_comment()) {
            directives.read(text, token, region.start);
        }
    }
    directives
}

/// Whether `twostep` stands anywhere in `text`.
fn mentions(text: &str) -> bool {
    let word = b"twostep";
    let bytes = text.as_bytes();
    let candidates = bytes.iter().enumerate().filter(|(_, byte)| byte.eq_ignore_ascii_case(&b't'));
    candidates
        .into_iter()
        .any(|(at, _)| bytes.get(at..at + word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word)))
}

impl Directives {
    /// Takes the comment `token` of `text`, which starts at `offset` of the whole.
    fn read(&mut self, text: &str, token: Token, offset: usize) {
        let span = token.span.shifted(offset);
        let Some(said) = said(text, token) else { return };
        let problem = |what: String, help: String| DirectiveProblem { span, what, help };
        match said {
            Said::WithoutColon(name) => self.problems.push(problem(
                format!("`twostep {name}` has no colon, so that it is a plain comment"),
                format!("write `twostep: {name}`"),
            )),
            Said::Directive(words) => match parse(words, span) {
                Ok(directive) => match fault(&directive) {
                    Some((what, help)) => self.problems.push(problem(what, help)),
                    None => self.found.push(directive),
                },
                Err((what, help)) => self.problems.push(problem(what.to_owned(), help.to_owned())),
            },
        }
    }

    /// Takes in what stands further on in the same text.
    fn append(&mut self, mut other: Directives) {
        self.found.append(&mut other.found);
        self.problems.append(&mut other.problems);
    }
}

/// What a comment says to us.
enum Said<'a> {
    /// What stands behind the colon.
    Directive(&'a str),
    /// Something that would be a directive if there was a colon: its name.
    WithoutColon(&'static str),
}

fn said(text: &str, token: Token) -> Option<Said<'_>> {
    let comment = token.text(text);
    let inner = match token.kind {
        TokenKind::LineComment => comment.strip_prefix("--").or_else(|| comment.strip_prefix('#'))?,
        TokenKind::BlockComment => comment.strip_prefix("/*")?.strip_suffix("*/")?,
        _ => return None,
    };
    let inner = inner.trim_start();
    let word = inner.get(.."twostep".len()).filter(|word| word.eq_ignore_ascii_case("twostep"))?;
    let rest = &inner[word.len()..];
    if let Some(words) = rest.trim_start().strip_prefix(':') {
        return Some(Said::Directive(words));
    }
    // Prose may start with our name as well.
    if !rest.starts_with(char::is_whitespace) {
        return None;
    }
    known(rest.split_whitespace().next()?).map(|known| Said::WithoutColon(known.name))
}

type Fault<T> = (T, T);

/// The words of a directive.
fn parse(text: &str, span: Span) -> Result<Directive, Fault<&'static str>> {
    let mut words = Vec::new();
    let mut because = None;
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (word, quoted, behind) = next_word(rest).ok_or((
            "a quote of the directive is not closed",
            "close it, or write it twice to have it in a word",
        ))?;
        if !quoted && word.eq_ignore_ascii_case("because") {
            because = Some(behind.split_whitespace().collect::<Vec<_>>().join(" "));
            break;
        }
        let word = if quoted { &word } else { word.strip_suffix(',').unwrap_or(&word) };
        if !word.is_empty() {
            words.push(word.to_owned());
        }
        rest = behind.trim_start();
    }
    if words.is_empty() {
        return Err(("the directive says nothing", "write its name behind the colon"));
    }
    let name = words.remove(0).to_lowercase();
    Ok(Directive { name, words, because, span })
}

/// The first word of `text`, which is not blank; whether it ends with a quote; and what stands behind it. None if a
/// quote is not closed.
fn next_word(text: &str) -> Option<(String, bool, &str)> {
    let mut word = String::new();
    let mut quoted = false;
    let mut rest = text;
    while let Some(first) = rest.chars().next().filter(|first| !first.is_whitespace()) {
        rest = &rest[first.len_utf8()..];
        let opens = matches!(first, '\'' | '"') && (word.is_empty() || word.ends_with('='));
        quoted = opens;
        if !opens {
            word.push(first);
            continue;
        }
        loop {
            let end = rest.find(first)?;
            word.push_str(&rest[..end]);
            rest = &rest[end + 1..];
            match rest.strip_prefix(first) {
                Some(behind) => {
                    word.push(first);
                    rest = behind;
                }
                None => break,
            }
        }
    }
    Some((word, quoted, rest))
}

/// What is wrong with a directive, and what to write instead.
fn fault(directive: &Directive) -> Option<Fault<String>> {
    let name = &directive.name;
    let Some(known) = known(name) else {
        let help = match nearest(name, KNOWN.iter().map(|known| known.name)) {
            Some(nearest) => format!("write `{nearest}`"),
            None => {
                let names: Vec<String> = KNOWN.iter().map(|known| format!("`{}`", known.name)).collect();
                format!("there are {}", names.join(", "))
            }
        };
        return Some((format!("there is no directive `{name}`"), help));
    };
    let help = || format!("write `twostep: {}`", known.syntax);
    if !known.works {
        let what = format!("`{name}` is kept for later versions and does nothing yet");
        return Some((what, "take it out".to_owned()));
    }
    let what = match known.words {
        DirectiveWords::None if !directive.words.is_empty() => {
            format!("`{name}` takes nothing behind it")
        }
        DirectiveWords::One if directive.words.len() != 1 => format!("`{name}` needs one word behind it"),
        DirectiveWords::Some if directive.words.is_empty() => format!("`{name}` needs a word behind it"),
        DirectiveWords::OneOf(some)
            if directive.words.len() != 1 || !some.contains(&&*directive.words[0]) =>
        {
            format!("`{name}` needs one of {}", some.join(", "))
        }
        DirectiveWords::Keys { required, optional } => keys_fault(directive, required, optional)?,
        DirectiveWords::None | DirectiveWords::One | DirectiveWords::OneOf(_) | DirectiveWords::Some => {
            let reason = directive.because.as_deref();
            if reason == Some("") || (known.reason && reason.is_none()) {
                format!("`{name}` does not say why")
            } else {
                return None;
            }
        }
    };
    Some((what, help()))
}

fn keys_fault(directive: &Directive, required: &[&str], optional: &[&str]) -> Option<String> {
    let name = &directive.name;
    if let Some(missing) = required.iter().find(|key| directive.value(key).is_none_or(str::is_empty)) {
        return Some(format!("`{name}` needs `{missing}=…`"));
    }
    let is_known = |word: &&String| {
        let key = word.split('=').next().unwrap_or("");
        word.contains('=') && (required.contains(&key) || optional.contains(&key))
    };
    let other = directive.words.iter().find(|word| !is_known(word))?;
    Some(format!("`{name}` does not know `{other}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(dialect: Dialect, source: &str, expect: &[&str]) {
        let directives = directives(source, Span::new(0, source.len()), dialect);
        let found = directives.found.iter().map(|directive| {
            let because = directive.because.as_ref().map(|reason| format!(" because [{reason}]"));
            format!("{} {:?}{}", directive.name, directive.words, because.unwrap_or_default())
        });
        let problems =
            directives.problems.iter().map(|problem| format!("{}: {}", problem.what, problem.help));
        assert_eq!(found.chain(problems).collect::<Vec<_>>(), expect, "{source}");
    }

    fn postgres(source: &str, expect: &[&str]) {
        check(Dialect::Postgres, source, expect);
    }

    #[test]
    fn each_kind_of_comment() {
        postgres("-- twostep: no-transaction", &["no-transaction []"]);
        postgres("--TwoStep :  No-Transaction\r\n", &["no-transaction []"]);
        postgres("/* twostep: exec bin/fill */", &["exec [\"bin/fill\"]"]);
        postgres(
            "/* twostep: allow drop-column,\n   drop-table because  nobody\n   reads it */",
            &["allow [\"drop-column\", \"drop-table\"] because [nobody reads it]"],
        );
        check(
            Dialect::Mysql,
            "# twostep: no-transaction\n-- twostep: exec a",
            &["no-transaction []", "exec [\"a\"]"],
        );
        postgres("select '-- twostep: exec a' -- twostep: exec b", &["exec [\"b\"]"]);
        postgres("-- see twostep: exec b\n-- twostepper: a\n-- twostep makes this table", &[]);
    }

    #[test]
    fn words_quotes_and_reasons() {
        postgres("-- twostep: exec 'a b'", &["exec [\"a b\"]"]);
        postgres("-- twostep: exec \"it's\"\"x\"", &["exec [\"it's\\\"x\"]"]);
        postgres(
            "-- twostep: allow it's, b because it's 'so'",
            &["allow [\"it's\", \"b\"] because [it's 'so']"],
        );
        postgres("-- twostep: allow 'because' because so", &["allow [\"because\"] because [so]"]);
        let directive = parse("x set='a = b', c=d e='' because f", Span::default()).unwrap();
        assert_eq!((directive.value("set"), directive.value("c")), (Some("a = b"), Some("d")));
        assert_eq!((directive.value("e"), directive.value("f")), (Some(""), None));
    }

    #[test]
    fn what_is_wrong_is_said() {
        postgres(
            "-- twostep no-transaction",
            &[
                "`twostep no-transaction` has no colon, so that it is a plain comment: write `twostep: no-transaction`",
            ],
        );
        postgres("-- twostep:", &["the directive says nothing: write its name behind the colon"]);
        postgres("-- twostep: because so", &["the directive says nothing: write its name behind the colon"]);
        postgres(
            "-- twostep: no-transation",
            &["there is no directive `no-transation`: write `no-transaction`"],
        );
        postgres(
            "-- twostep: no-transaction now",
            &["`no-transaction` takes nothing behind it: write `twostep: no-transaction`"],
        );
        postgres(
            "-- twostep: irreversible",
            &["`irreversible` does not say why: write `twostep: irreversible because REASON`"],
        );
        postgres(
            "-- twostep: allow drop-column because ",
            &["`allow` does not say why: write `twostep: allow RULE [RULE …] because REASON`"],
        );
        postgres(
            "-- twostep: allow because so",
            &["`allow` needs a word behind it: write `twostep: allow RULE [RULE …] because REASON`"],
        );
        postgres("-- twostep: exec", &["`exec` needs one word behind it: write `twostep: exec PROGRAM`"]);
        postgres(
            "-- twostep: exec 'a",
            &["a quote of the directive is not closed: close it, or write it twice to have it in a word"],
        );
        let unknown = directives("-- twostep: xyzzy", Span::new(0, 17), Dialect::Postgres);
        assert!(unknown.problems[0].help.starts_with("there are `no-transaction`, "));
    }

    #[test]
    fn keys() {
        let fault =
            |text: &str| keys_fault(&parse(text, Span::default()).unwrap(), &["table", "set"], &["where"]);
        assert_eq!(fault("backfill table=t set='a = 1' where='b > 2'"), None);
        assert_eq!(fault("backfill table=t").unwrap(), "`backfill` needs `set=…`");
        assert_eq!(fault("backfill table= set=a").unwrap(), "`backfill` needs `table=…`");
        assert_eq!(fault("backfill table=t set=a limit=3").unwrap(), "`backfill` does not know `limit=3`");
        assert_eq!(fault("backfill table=t set=a where").unwrap(), "`backfill` does not know `where`");
    }
}
