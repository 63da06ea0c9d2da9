//! Where each statement of a text ends, with byte spans.
//!
//! A statement that is not valid SQL still ends at its `;`, so that one bad statement does not hide the others.

use super::cut::{Cut, Cutter, PieceKind};
use crate::dialect::Dialect;
use crate::text::Span;

/// One statement as it stands in its file. `leading`, `span` and `rest` touch, and so do the statements of a
/// text: together with [`Split::tail`] they cover it (but for a byte order mark).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement<'a> {
    /// The statement's own text: no leading comments, no terminator. What is executed and shown.
    pub text: &'a str,
    /// Where `text` stands.
    pub span: Span,
    /// Blank space and comments in front of it: where its directives stand. Empty statements are part of it.
    pub leading: Span,
    /// What stands behind the text and still belongs to it: comments, the terminator, the rows of a `COPY`.
    pub rest: Span,
    /// What kind of input it is.
    pub kind: StatementKind,
}

/// What kind of input a statement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementKind {
    /// SQL for the server.
    Sql,
    /// `COPY … FROM stdin` with its rows, which end before the line `\.`.
    Copy {
        /// The rows, without the closing line.
        data: Span,
    },
    /// A line for psql, sqlite3 or the mysql client (`\set`, `.mode`, `DELIMITER`, …), which no server understands.
    ClientCommand,
}

/// A construct that the text opens and never closes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unterminated {
    /// What was opened: `string`, `comment`, `dollar quote $body$`, ….
    pub what: String,
    /// Where it was opened.
    pub at: usize,
}

/// All statements of a text, in order, and the construct that is left open at its end, if any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split<'a> {
    /// The statements; an unterminated one is the last.
    pub statements: Vec<Statement<'a>>,
    /// Blank space and comments behind the last statement.
    pub tail: Span,
    /// What was not closed.
    pub unterminated: Option<Unterminated>,
}

/// Splits `source`, in time linear in its length. Empty statements are none, and neither is a comment alone.
pub fn split(source: &str, dialect: Dialect) -> Split<'_> {
    let bytes = source.as_bytes();
    let start = if bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    let mut cutter = Cutter::new(dialect, start);
    let mut statements: Vec<Statement<'_>> = Vec::new();
    loop {
        match cutter.next(bytes, true) {
            Cut::Statement(piece) => statements.push(Statement {
                text: piece.text.of(source),
                span: piece.text,
                leading: piece.leading,
                rest: piece.rest,
                kind: match piece.kind {
                    PieceKind::Sql => StatementKind::Sql,
                    PieceKind::Copy => {
                        StatementKind::Copy { data: Span::new(piece.rest.end, piece.rest.end) }
                    }
                    PieceKind::ClientCommand => StatementKind::ClientCommand,
                },
            }),
            Cut::Rows(rows) => {
                if let Some(Statement { kind: StatementKind::Copy { data }, .. }) = statements.last_mut() {
                    data.end = rows.end;
                }
            }
            Cut::RowsEnd(end) => {
                if let Some(statement) = statements.last_mut() {
                    statement.rest.end = end;
                }
            }
            Cut::More | Cut::End { .. } => break,
        }
    }
    Split { statements, tail: Span::new(cutter.leading(), bytes.len()), unterminated: cutter.unterminated }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The statements' texts. The spans must cover the text without a gap.
    fn check(dialect: Dialect, source: &str, expect: &[&str]) {
        let split = split(source, dialect);
        let mut at = if source.starts_with('\u{feff}') { 3 } else { 0 };
        for statement in &split.statements {
            assert_eq!(statement.leading.start, at, "{source:?}");
            assert_eq!(statement.leading.end, statement.span.start, "{source:?}");
            assert_eq!(statement.span.end, statement.rest.start, "{source:?}");
            assert_eq!(statement.span.of(source), statement.text);
            at = statement.rest.end;
        }
        assert_eq!(split.tail, Span::new(at, source.len()), "{source:?}");
        let texts: Vec<&str> = split.statements.iter().map(|statement| statement.text).collect();
        assert_eq!(texts, expect, "{source:?}");
        let unterminated = expect.last().is_some_and(|text| text.contains("OPEN"));
        assert_eq!(split.unterminated.is_some(), unterminated, "{:?} in {source:?}", split.unterminated);
    }

    fn unterminated(dialect: Dialect, source: &str, what: &str, at: usize) {
        let unterminated = split(source, dialect).unterminated;
        assert_eq!(unterminated, Some(Unterminated { what: what.to_owned(), at }), "{source:?}");
    }

    #[test]
    fn semicolons_comments_and_blank_space() {
        for dialect in Dialect::ALL {
            check(dialect, "", &[]);
            check(dialect, " ; ;; -- a;b\n", &[]);
            check(dialect, "\u{feff}select 1;\r\nselect 2", &["select 1", "select 2"]);
            check(
                dialect,
                "-- a\nselect /* ; */ 1 -- b;\n ; select 2 -- c",
                &["select /* ; */ 1", "select 2"],
            );
            check(dialect, "select ';', 1;select 2;", &["select ';', 1", "select 2"]);
            check(dialect, "select (1; select 2);", &["select (1", "select 2)"]);
        }
    }

    #[test]
    fn an_empty_statement_leaves_its_comments_to_the_next() {
        let source = "a;\n-- b\n; ;c";
        let split = split(source, Dialect::Postgres);
        assert_eq!(split.statements[1].leading.of(source), "\n-- b\n; ;");
    }

    #[test]
    fn rules_hold_statements_in_parentheses() {
        let rule =
            "create or replace rule r as on insert to t do also (insert into a values (1); delete from b)";
        check(Dialect::Postgres, &format!("{rule}; select 1"), &[rule, "select 1"]);
        unterminated(
            Dialect::Postgres,
            "create rule r as on insert to t do (a; b;",
            "parenthesis of CREATE RULE",
            0,
        );
    }

    #[test]
    fn bodies_of_sql_routines() {
        let body = "create or replace function f(begin int) returns int language sql begin atomic\n\
            select case when a then 1 else case b when 1 then 2 end end as end, x.end from t; select 2; end";
        check(Dialect::Postgres, &format!("{body}; select 1"), &[body, "select 1"]);
        check(
            Dialect::Postgres,
            "create procedure begin() as $$begin; end$$; end",
            &["create procedure begin() as $$begin; end$$", "end"],
        );
        check(Dialect::Postgres, "begin; select 1; end;", &["begin", "select 1", "end"]);
        unterminated(Dialect::Postgres, "create function f() begin atomic select 1; ", "BEGIN ATOMIC", 0);
    }

    fn copies(source: &str) -> Vec<String> {
        let split = split(source, Dialect::Postgres);
        let kinds = split.statements.iter().map(|statement| match statement.kind {
            StatementKind::Copy { data } => format!("copy:{}", data.of(source)),
            StatementKind::Sql => statement.text.to_owned(),
            StatementKind::ClientCommand => format!("client:{}", statement.text),
        });
        kinds.chain(split.unterminated.map(|unterminated| unterminated.what)).collect()
    }

    #[test]
    fn rows_of_copy() {
        assert_eq!(
            copies("copy t (a) from stdin;\n1;'\n\\.x\n\\.\nselect 1"),
            ["copy:1;'\n\\.x\n", "select 1"]
        );
        assert_eq!(copies("COPY t FROM STDIN with csv; -- rows\r\na\r\n\\.\r\nb"), ["copy:a\r\n", "b"]);
        assert_eq!(copies("copy t from stdin;\n\\."), ["copy:"]);
        assert_eq!(copies("copy t from stdin;\n1\n2"), ["copy:1\n2", COPY_ROWS]);
        assert_eq!(copies("copy t from stdin"), ["copy:", COPY_ROWS]);
        assert_eq!(copies("copy t from 'stdin'; a"), ["copy t from 'stdin'", "a"]);
        assert_eq!(
            copies("copy (select 1 from stdin) to stdout; a"),
            ["copy (select 1 from stdin) to stdout", "a"]
        );
        assert_eq!(copies("copy t from stdin; select 1;"), ["copy:", "select 1"]);
    }

    #[test]
    fn lines_for_psql_and_sqlite3() {
        assert_eq!(
            copies("\\set x 1;2\nselect 1;\n  \\c db"),
            ["client:\\set x 1;2", "select 1", "client:\\c db"]
        );
        let split = split(".mode csv\nselect 1;", Dialect::Sqlite);
        assert_eq!(split.statements[0].kind, StatementKind::ClientCommand);
        assert_eq!(split.statements[1].text, "select 1");
    }

    #[test]
    fn triggers_of_sqlite() {
        let trigger = "create temp trigger if not exists t after update on a begin\n\
            update a set b = case when c then 1 end; -- end;\n select 1; end";
        check(Dialect::Sqlite, &format!("{trigger} ; select 1"), &[trigger, "select 1"]);
        check(Dialect::Sqlite, trigger, &[trigger]);
        check(Dialect::Sqlite, "create table trigger_x (a); end;", &["create table trigger_x (a)", "end"]);
        unterminated(Dialect::Sqlite, "create trigger t begin select 1; ", "body of CREATE TRIGGER", 0);
    }

    #[test]
    fn delimiters_of_the_mysql_client() {
        let check = |source: &str, expect: &[&str]| check(Dialect::Mysql, source, expect);
        check(
            "delimiter //\ncreate procedure p() begin select 1; end//\nDELIMITER ;\nselect 2;",
            &["delimiter //", "create procedure p() begin select 1; end", "DELIMITER ;", "select 2"],
        );
        check(
            "DELIMITER $$\ncreate trigger t before insert on a for each row begin set new.b = '$$'; END$$\nDELIMITER ;",
            &[
                "DELIMITER $$",
                "create trigger t before insert on a for each row begin set new.b = '$$'; END",
                "DELIMITER ;",
            ],
        );
        check("select 1\nDELIMITER ;;\na;;b", &["select 1", "DELIMITER ;;", "a", "b"]);
        check(
            "delimiter '|'\ncreate function f() return 1; | a|",
            &["delimiter '|'", "create function f() return 1", "a"],
        );
        check(
            "delimiter //\ndrop table a; drop table b//",
            &["delimiter //", "drop table a", "drop table b"],
        );
        check(
            "create table t (\n  delimiter int,\n  b int); a",
            &["create table t (\n  delimiter int,\n  b int)", "a"],
        );
        check("select 1\\G select \\N\\g source x;\nb", &["select 1", "select \\N", "source x;", "b"]);
    }

    /// Whole files are sent by some tools, so that people write programs without `DELIMITER`.
    #[test]
    fn programs_of_mysql_without_delimiter() {
        let programs = [
            "create procedure p(in a int) begin if a then select 1; elseif b then select 2; else select if(a, b, c); end if; end",
            "create definer=`root`@`localhost` procedure if not exists p() comment 'x' begin declare exit handler for sqlexception begin rollback; end; end",
            "create function f() returns int deterministic return case when a then 1 else 2 end",
            "create function f(a int) returns int begin return case a when 1 then (case when b then 1 end) else 2 end; end",
            "create procedure p() l: loop leave l; end loop l",
            "create procedure p() begin repeat set i = i + repeat('a', 1); until i > 5 end repeat; while a do set b = 1; end while; end",
            "create procedure p() begin case a when 1 then select 1; else begin end; end case; insert into t (begin, end) values (1, 2); end",
            "create procedure p() begin drop table if exists t; select t.end, t.begin from t; end",
            "create event e on schedule every 1 day do begin delete from t; end",
            "alter event e do begin delete from t; end",
            "create trigger t before insert on a for each row set new.b = 1",
            "begin not atomic declare x int; if x then select 1; end if; end",
            "if exists(select 1) then select 1; end if",
            "/*!50003 create*/ /*!50017 definer=`a`@`b`*/ /*!50003 trigger t before insert on a for each row begin set a = 1; end */",
        ];
        for program in programs {
            check(
                Dialect::Mysql,
                &format!("select 0; {program}; select 1"),
                &["select 0", program, "select 1"],
            );
            let delimited = format!("delimiter ;;\n{program};;\nselect 1;;");
            check(Dialect::Mysql, &delimited, &["delimiter ;;", program, "select 1"]);
        }
        check(Dialect::Mysql, "begin; select 1; commit", &["begin", "select 1", "commit"]);
        unterminated(Dialect::Mysql, "create procedure p() begin select 1; ", "BEGIN", 0);
    }

    #[test]
    fn what_is_not_closed_is_said() {
        check(Dialect::Postgres, "a; select 'OPEN; b", &["a", "select 'OPEN; b"]);
        unterminated(Dialect::Postgres, "a; select 'b;", "string", 10);
        unterminated(Dialect::Postgres, "a; /* b;", "comment", 3);
        unterminated(Dialect::Postgres, "do $body$ b; $$", "dollar quote $body$", 3);
        unterminated(Dialect::Sqlite, "select [a;", "quoted identifier", 7);
    }

    const COPY_ROWS: &str = "rows of COPY, which end with the line \\.";

    /// Hostile texts take no longer, per byte, than others, and no stack.
    #[test]
    fn time_is_linear() {
        // A tenth of a second each; what is quadratic takes minutes.
        let many = 200_000;
        let texts = [
            "/*".repeat(many),
            "$".repeat(many),
            "$a".repeat(many),
            "(".repeat(many),
            "create rule (".repeat(many / 10),
            "create procedure p() begin ".to_owned() + &"case ".repeat(many),
            "select 1;".repeat(many / 10),
            "'".repeat(many),
            "E'a'\n".repeat(many / 10),
            "\\a\n".repeat(many / 10),
            "copy t from stdin;\n".to_owned() + &"\\.x\n".repeat(many / 10),
            "+-".repeat(many),
            "\ndelimiter a".repeat(many / 10),
        ];
        for text in &texts {
            for dialect in Dialect::ALL {
                let start = std::time::Instant::now();
                let split = split(text, dialect);
                assert!(split.statements.len() <= text.len());
                let seconds = start.elapsed().as_secs_f64();
                assert!(seconds < 20.0, "{seconds} s for {:?} on {dialect}", &text[..20]);
            }
        }
    }
}
