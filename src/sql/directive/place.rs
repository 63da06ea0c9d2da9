//! Which directive is about what: the whole file, or which statement.
//!
//! Above the first statement stand those about the file; `allow` is one of them where a blank line separates it from
//! the statement. All others are about the statement below them, or about the one within which they stand.

use super::super::lex::tokens;
use super::super::split::Split;
use super::{Directive, DirectiveProblem, DirectiveScope, Directives, directives, known};
use crate::dialect::Dialect;
use crate::text::Span;

/// The directives of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Placed {
    /// Those about the whole text.
    pub file: Vec<Directive>,
    /// Those about one statement, with its number from 0; in order.
    pub statements: Vec<(usize, Directive)>,
    /// What is not right, a directive in a place where it means nothing among it.
    pub problems: Vec<DirectiveProblem>,
}

impl Placed {
    /// The directives about statement `number`.
    pub fn of(&self, number: usize) -> impl Iterator<Item = &Directive> {
        self.statements.iter().filter(move |(of, _)| *of == number).map(|(_, directive)| directive)
    }

    fn misplaced(&mut self, directive: &Directive, what: &str, help: &str) {
        self.problems.push(DirectiveProblem {
            span: directive.span,
            what: format!("`{}` {what}", directive.name),
            help: help.to_owned(),
        });
    }
}

/// Finds all directives of `source`, which was split into `split`.
pub fn place(source: &str, split: &Split<'_>, dialect: Dialect) -> Placed {
    let mut placed = Placed::default();
    for (number, statement) in split.statements.iter().enumerate() {
        let mut above = directives(source, statement.leading, dialect);
        placed.problems.append(&mut above.problems);
        for directive in above.found {
            if number > 0 && !source[statement.leading.start..directive.span.start].contains('\n') {
                placed.misplaced(&directive, BEHIND, ABOVE);
            } else {
                put(&mut placed, source, directive, number, statement.span.start);
            }
        }
        let mut within = directives(source, statement.span, dialect);
        let rest = Span::new(statement.span.end, statement.rest.end);
        within.append(directives(source, rest, dialect));
        placed.problems.append(&mut within.problems);
        for directive in within.found {
            match scope(&directive) {
                DirectiveScope::File => placed.misplaced(&directive, INSIDE, FIRST),
                DirectiveScope::Statement | DirectiveScope::Either => {
                    placed.statements.push((number, directive));
                }
            }
        }
    }
    let mut tail = directives(source, split.tail, dialect);
    placed.problems.append(&mut tail.problems);
    for directive in tail.found {
        // A file may have nothing but directives.
        if split.statements.is_empty() && scope(&directive) != DirectiveScope::Statement {
            placed.file.push(directive);
        } else {
            placed.misplaced(&directive, "stands below the last statement, where it means nothing", ABOVE);
        }
    }
    placed
}

const BEHIND: &str = "stands behind a statement, where it means nothing";
const INSIDE: &str = "is about the whole file, and stands in a statement";
const ABOVE: &str = "put it on a line above the statement that it is about";
const FIRST: &str = "put it above the first statement";

/// Puts a directive that stands above statement `number`, which starts at `start`.
fn put(placed: &mut Placed, source: &str, directive: Directive, number: usize, start: usize) {
    match scope(&directive) {
        DirectiveScope::File if number == 0 => placed.file.push(directive),
        DirectiveScope::File => {
            placed.misplaced(
                &directive,
                "is about the whole file, and stands below its first statement",
                FIRST,
            );
        }
        DirectiveScope::Either if number == 0 && has_blank_line(&source[directive.span.end..start]) => {
            placed.file.push(directive);
        }
        DirectiveScope::Statement | DirectiveScope::Either => placed.statements.push((number, directive)),
    }
}

fn scope(directive: &Directive) -> DirectiveScope {
    known(&directive.name).map_or(DirectiveScope::Statement, |known| known.scope)
}

/// Whether a line of `text`, which starts in the midst of one, is blank.
fn has_blank_line(text: &str) -> bool {
    let mut lines = text.split('\n').skip(1).peekable();
    while let Some(line) = lines.next() {
        // The last one is where the statement starts.
        if lines.peek().is_some() && line.trim().is_empty() {
            return true;
        }
    }
    false
}

/// The directives about the whole of the part `span` of a file, whatever the dialect: what its format's reader needs
/// before it knows more. The problems are those above the first statement.
pub fn head(file: &str, span: Span) -> Directives {
    let text = span.of(file);
    // Comments with `#` are MySQL's; to the others a statement cannot start so.
    let dialect = match text.trim_start_matches('\u{feff}').trim_start().starts_with('#') {
        true => Dialect::Mysql,
        false => Dialect::Postgres,
    };
    let mut above = Directives::default();
    let mut end = text.len();
    for token in tokens(text, dialect) {
        if !token.is_comment() && !text[token.span.start..].starts_with('\u{feff}') {
            end = token.span.start;
            break;
        }
        above.read(text, token, span.start);
    }
    let end = span.start + end;
    let is_file = |directive: &Directive| match scope(directive) {
        DirectiveScope::File => true,
        DirectiveScope::Statement => false,
        DirectiveScope::Either => has_blank_line(&file[directive.span.end..end]) || end == span.end,
    };
    above.found.retain(is_file);
    above
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::split::split;

    fn check(source: &str, expect: &[&str]) {
        let placed = place(source, &split(source, Dialect::Postgres), Dialect::Postgres);
        let shown = |directive: &Directive| format!("{} {}", directive.name, directive.words.join(" "));
        let file = placed.file.iter().map(|directive| format!("file: {}", shown(directive)));
        let statements =
            placed.statements.iter().map(|(of, directive)| format!("{of}: {}", shown(directive)));
        let problems = placed.problems.iter().map(|problem| problem.what.clone());
        let found: Vec<String> =
            file.chain(statements).chain(problems).map(|line| line.trim().to_owned()).collect();
        assert_eq!(found, expect, "{source}");
    }

    #[test]
    fn of_the_file_or_of_a_statement() {
        check("-- twostep: no-transaction\nvacuum;", &["file: no-transaction"]);
        check("-- twostep: allow a because b\nvacuum;", &["0: allow a"]);
        check("-- twostep: allow a because b\n\nvacuum;", &["file: allow a"]);
        check(
            "-- twostep: allow a because b\n\n-- twostep: allow c because d\nvacuum;",
            &["file: allow a", "0: allow c"],
        );
        check("vacuum;\n\n-- twostep: allow a because b\n\nvacuum;", &["1: allow a"]);
        check(
            "alter table t\n -- twostep: allow a because b\n drop c -- twostep: allow d because e\n;",
            &["0: allow a", "0: allow d"],
        );
        check("-- twostep: exec a\n", &["file: exec a"]);
        check("-- twostep: exec a", &["file: exec a"]);
    }

    #[test]
    fn where_it_means_nothing() {
        check(
            "vacuum;\n-- twostep: no-transaction\nvacuum;",
            &["`no-transaction` is about the whole file, and stands below its first statement"],
        );
        check(
            "vacuum; -- twostep: allow a because b\nvacuum;",
            &["`allow` stands behind a statement, where it means nothing"],
        );
        check(
            "vacuum;\n-- twostep: allow a because b\n",
            &["`allow` stands below the last statement, where it means nothing"],
        );
        check(
            "vacuum -- twostep: no-transaction\n;",
            &["`no-transaction` is about the whole file, and stands in a statement"],
        );
        check("-- twostep: alow a because b\nvacuum;", &["there is no directive `alow`"]);
    }

    #[test]
    fn heads_in_any_dialect() {
        let names = |text: &str| -> Vec<String> {
            head(text, Span::new(0, text.len())).found.into_iter().map(|directive| directive.name).collect()
        };
        assert_eq!(names("\u{feff}-- twostep: no-transaction\nselect 1"), ["no-transaction"]);
        assert_eq!(names("-- a\r\n\r\n/* twostep: irreversible because b */ select 1"), ["irreversible"]);
        assert_eq!(names("# a\n# twostep: no-transaction\nselect 1"), ["no-transaction"]);
        assert_eq!(names("select 1; -- twostep: no-transaction"), [""; 0]);
        assert_eq!(names("-- twostep: allow a because b\nselect 1"), [""; 0]);
        assert_eq!(names("-- twostep: allow a because b\n\nselect 1"), ["allow"]);
        let text = "x;\n-- twostep: exec a\n";
        assert_eq!(head(text, Span::new(2, text.len())).found[0].span.of(text), "-- twostep: exec a");
    }
}
