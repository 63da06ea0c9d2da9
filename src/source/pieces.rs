//! Statements that goose and sql-migrate cut out of a file by its lines, and what stands in each piece.
//!
//! A piece ends at a line that ends with `;`, or is a block between `StatementBegin` and `StatementEnd`.

use super::one_piece;
use super::reading::lines;
use super::{GivenStatement, SourceProblem};
use crate::dialect::Dialect;
use crate::sql::split::{StatementKind, split};
use crate::text::Span;

/// Whether the last word in front of a comment ends with `;`: how goose and sql-migrate tell the end of a
/// statement.
pub(super) fn ends_with_semicolon(line: &str) -> bool {
    let before = line.split_whitespace().take_while(|word| !word.starts_with("--"));
    before.last().is_some_and(|word| word.ends_with(';'))
}

/// The statements of the pieces of one direction. Outside of a transaction (`in_transaction`) a piece of several
/// statements is one on PostgreSQL.
pub(super) fn statements(
    pieces: Vec<GivenStatement>,
    file: &str,
    dialect: Dialect,
    in_transaction: bool,
) -> Vec<GivenStatement> {
    let whole = whole_pieces(pieces, file, dialect);
    whole.iter().flat_map(|(piece, _)| piece_statements(piece, file, dialect, in_transaction)).collect()
}

/// Warnings for the statements that the tool cuts in two, and fails on.
pub(super) fn cut_warnings(
    path: &str,
    pieces: &[GivenStatement],
    file: &str,
    dialect: Dialect,
    begin: &str,
) -> Vec<SourceProblem> {
    let whole = whole_pieces(pieces.to_vec(), file, dialect);
    let cut = whole.into_iter().filter(|(_, is_put_together)| *is_put_together);
    cut.map(|(piece, _)| {
        let line = lines(file).take_while(|line| line.start <= piece.span.start).count();
        let what = "a `;` at the end of a line cuts this statement in two; it is taken as one";
        SourceProblem::new(path, what)
            .on_line(line)
            .with_help(format!("put it between `{begin}` and its end"))
    })
    .collect()
}

/// The pieces, those put together whose cut goes through a string or a body: no server takes half of one. Says of
/// each whether it was cut.
fn whole_pieces(pieces: Vec<GivenStatement>, file: &str, dialect: Dialect) -> Vec<(GivenStatement, bool)> {
    let is_open = |text: &str| split(text, dialect).unterminated.is_some();
    let mut whole = Vec::with_capacity(pieces.len());
    let mut rest = pieces.into_iter().peekable();
    while let Some(first) = rest.next() {
        if rest.peek().is_none() || !is_open(&first.text) {
            whole.push((first, false));
            continue;
        }
        let (mut parts, mut joined) = (vec![first.clone()], first.clone());
        // As it stands in the file, unless variables were put in.
        let is_verbatim = first.span.of(file).contains(&*first.text);
        for next in rest.by_ref() {
            let span = Span::new(first.span.start, next.span.end);
            let text = if is_verbatim {
                span.of(file).to_owned()
            } else {
                format!("{}\n{}", joined.text, next.text)
            };
            joined = GivenStatement { text, span };
            parts.push(next);
            if !is_open(&joined.text) {
                break;
            }
        }
        if is_open(&joined.text) {
            // Not a cut but a mistake: each piece stays what it is.
            whole.extend(parts.into_iter().map(|part| (part, false)));
        } else {
            whole.push((joined, true));
        }
    }
    whole
}

/// The statements of a piece.
///
/// PostgreSQL runs a piece of several statements in one transaction; outside of one (`in_transaction`) that becomes a
/// `BEGIN` and a `COMMIT` around them, unless the piece has its own, or a statement refuses that.
fn piece_statements(
    piece: &GivenStatement,
    file: &str,
    dialect: Dialect,
    in_transaction: bool,
) -> Vec<GivenStatement> {
    let split = split(&piece.text, dialect);
    let is_clear = split.unterminated.is_none()
        && !split.statements.is_empty()
        && split.statements.iter().all(|statement| statement.kind == StatementKind::Sql);
    if !is_clear {
        return vec![piece.clone()];
    }
    let span = piece.span;
    // Lines may have been left out of the piece: then its own places say nothing.
    let shift = span.of(file).find(&*piece.text).map(|at| span.start + at);
    let given = |text: &str, place: Span| GivenStatement {
        text: text.to_owned(),
        span: shift.map_or(span, |shift| place.shifted(shift)),
    };
    let mut found: Vec<_> = split.statements.iter().map(|one| given(one.text, one.span)).collect();
    let is_one_transaction = dialect == Dialect::Postgres
        && !in_transaction
        && found.len() > 1
        && !split.statements.iter().any(|one| {
            one_piece::controls_transaction(one.text) || one_piece::refuses_transaction(one.text, dialect)
        });
    if is_one_transaction {
        let at = |place: usize| Span::new(place, place);
        found.insert(0, GivenStatement { text: "BEGIN".to_owned(), span: at(span.start) });
        found.push(GivenStatement { text: "COMMIT".to_owned(), span: at(span.end) });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The statements of a piece outside of a transaction, and what stands at their places.
    fn check_piece(dialect: Dialect, file: &str, piece: &str, expected: &[(&str, &str)]) {
        let at = file.find(piece).unwrap_or(0);
        let piece = GivenStatement { text: piece.to_owned(), span: Span::new(at, file.len()) };
        let found = statements(vec![piece], file, dialect, false);
        let found: Vec<_> = found.iter().map(|one| (one.text.as_str(), one.span.of(file))).collect();
        assert_eq!(found, expected, "{file}");
    }

    #[test]
    fn a_piece_of_several_statements_is_one_transaction_on_postgres() {
        let piece = "set local lock_timeout = 1; -- x\nselect 2;";
        let file = format!("-- a\n{piece}");
        let (one, two) = ("set local lock_timeout = 1", "select 2");
        check_piece(
            Dialect::Postgres,
            &file,
            piece,
            &[("BEGIN", ""), (one, one), (two, two), ("COMMIT", "")],
        );
        check_piece(Dialect::Sqlite, &file, piece, &[(one, one), (two, two)]);
        for piece in ["begin; select 1; commit", "select 1; vacuum", "-- a\nselect ';'; -- b\n"] {
            let given = GivenStatement { text: piece.to_owned(), span: Span::new(0, 1) };
            let found = statements(vec![given], piece, Dialect::Postgres, false);
            assert!(!found.iter().any(|one| one.text == "BEGIN"), "{piece}");
        }
        // What cannot be told apart is sent as it is.
        check_piece(
            Dialect::Postgres,
            "select 'a; b;",
            "select 'a; b;",
            &[("select 'a; b;", "select 'a; b;")],
        );
        // Lines were left out of it.
        check_piece(Dialect::Sqlite, "a\n-- b\nc", "a\nc", &[("a\nc", "a\n-- b\nc")]);
    }

    #[test]
    fn a_statement_that_was_cut_is_put_together() {
        let file = "create function f() as $$\nbegin;\n-- why\nend;\n$$;\nselect 1;\nselect 'a;\n";
        let pieces = |texts: &[&str]| -> Vec<GivenStatement> {
            let at = |text: &str| file.find(text).unwrap();
            let given = |text: &&str| GivenStatement {
                text: (*text).to_owned(),
                span: Span::new(at(text), at(text) + text.len()),
            };
            texts.iter().map(given).collect()
        };
        let cut = pieces(&["create function f() as $$\nbegin;", "end;", "$$;", "select 1;", "select 'a;"]);
        let warnings = cut_warnings("f", &cut, file, Dialect::Postgres, "B");
        assert_eq!(warnings.len(), 1);
        assert_eq!(warnings[0].line, Some(1));
        let found = statements(cut, file, Dialect::Postgres, true);
        let found: Vec<_> = found.iter().map(|one| one.text.as_str()).collect();
        assert_eq!(found, ["create function f() as $$\nbegin;\n-- why\nend;\n$$", "select 1", "select 'a;"]);
    }
}
