//! `-- twostep: allow RULE because REASON`: silence for one statement, or for the file, with a reason.

use crate::dialect::Dialect;
use crate::source::{Body, GivenStatement, Script};
use crate::sql::directive::{Directive, DirectiveProblem, Placed, directives, place};
use crate::sql::split::split;
use crate::text::Span;
use std::collections::BTreeSet;

/// An allow of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allow {
    /// The rules that it names.
    pub rules: Vec<String>,
    /// The statement that it is about, by its number among the steps; none for the whole file.
    pub statement: Option<usize>,
    /// Where it stands in the file.
    pub span: Span,
    /// Which of `rules` have silenced something.
    used: BTreeSet<usize>,
}

impl Allow {
    fn new(directive: Directive, statement: Option<usize>, offset: usize) -> Option<Self> {
        let rules = directive.words;
        let span = directive.span.shifted(offset);
        (directive.name == "allow").then(|| Self { rules, statement, span, used: BTreeSet::new() })
    }

    /// Whether it silences `rule` at the statement of number `number` (none for what is about the whole file), and
    /// remembers that it did.
    pub fn silences(&mut self, rule: &str, number: Option<usize>) -> bool {
        let fits = self.statement.is_none() || number.is_none() || self.statement == number;
        let Some(at) = self.rules.iter().position(|name| name == rule).filter(|_| fits) else { return false };
        self.used.insert(at);
        true
    }

    /// The rules that it names, and whether each has silenced something.
    pub fn rules(&self) -> impl Iterator<Item = (&str, bool)> {
        self.rules.iter().enumerate().map(|(at, rule)| (rule.as_str(), self.used.contains(&at)))
    }
}

/// The allows of a script, and the directives in it that are not right.
pub fn allows(script: &Script, dialect: Dialect) -> (Vec<Allow>, Vec<DirectiveProblem>) {
    let (placed, offset) = match &script.body {
        Body::Sql { file, span } => {
            let text = span.of(file);
            if !text.contains("twostep") {
                return Default::default();
            }
            (place(text, &split(text, dialect), dialect), span.start)
        }
        Body::Statements { file, statements } => (of_given(file, statements, dialect), 0),
        Body::LargeFile { .. } | Body::Program { .. } => return Default::default(),
    };
    let file = placed.file.into_iter().filter_map(|directive| Allow::new(directive, None, offset));
    let of_statement = |(number, directive)| Allow::new(directive, Some(number), offset);
    let allows = file.chain(placed.statements.into_iter().filter_map(of_statement)).collect();
    let shifted =
        |problem: DirectiveProblem| DirectiveProblem { span: problem.span.shifted(offset), ..problem };
    (allows, placed.problems.into_iter().map(shifted).collect())
}

/// The directives of a file whose statements its format has separated: each is about the statement below it, or the
/// one that it stands in.
fn of_given(file: &str, statements: &[GivenStatement], dialect: Dialect) -> Placed {
    let mut placed = Placed::default();
    let mut from = 0;
    for (number, statement) in statements.iter().enumerate() {
        let region = Span::new(from.min(statement.span.start), statement.span.end);
        let mut found = directives(file, region, dialect);
        placed.problems.append(&mut found.problems);
        placed.statements.extend(found.found.into_iter().map(|directive| (number, directive)));
        from = statement.span.end;
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Checksum;
    use std::sync::Arc;

    fn check(file: &str, body: Body) -> Vec<(String, Option<usize>, String)> {
        let script = Script {
            path: "1.sql".to_owned(),
            body,
            transaction: true,
            directives: Vec::new(),
            checksum: Checksum::of(file),
        };
        let allows = allows(&script, Dialect::Postgres).0;
        let shown = |allow: Allow| (allow.rules.join("+"), allow.statement, allow.span.of(file).to_owned());
        allows.into_iter().map(shown).collect()
    }

    #[test]
    fn each_allow_is_about_the_statement_that_it_stands_at() {
        let file = "x\n-- twostep: allow a because b\n\n-- twostep: allow b, c because d\ndrop table t;\n\
            -- twostep: no-transaction\nalter table v\n  -- twostep: allow q because r\n  drop column w;\n";
        let expected = [
            ("a", None, "-- twostep: allow a because b"),
            ("b+c", Some(0), "-- twostep: allow b, c because d"),
            ("q", Some(1), "-- twostep: allow q because r"),
        ];
        let expected = expected.map(|(rules, at, text)| (rules.to_owned(), at, text.to_owned()));
        let body = Body::Sql { file: Arc::from(file), span: Span::new(2, file.len()) };
        assert_eq!(check(file, body), expected);
    }

    #[test]
    fn statements_that_a_format_separates() {
        let file = "-- twostep: allow a because b\ndrop table t;;\ndrop table u;;\n";
        let given = |text: &str| {
            let start = file.find(text).unwrap();
            GivenStatement { text: text.to_owned(), span: Span::new(start, start + text.len()) }
        };
        let statements = vec![given("drop table t"), given("drop table u")];
        let found = check(file, Body::Statements { file: Arc::from(file), statements });
        assert_eq!(found, [("a".to_owned(), Some(0), "-- twostep: allow a because b".to_owned())]);
    }
}
