//! `CREATE TABLE` as SQLite keeps it: columns, and all constraints in one form wherever they stood
//! (<https://sqlite.org/lang_createtable.html>).

use super::{DIALECT, canonical};
use crate::engine::read::words::is_reserved;
use crate::name::Name;
use crate::schema::catalog::ObjectText;
use crate::sql::lex::TokenKind;
use crate::sql::phrase::Phrase;

/// The table whose definition follows in `phrase`, behind its name. None where it is not of a form that we know.
pub(super) fn read(phrase: &mut Phrase<'_>) -> Option<ObjectText> {
    let mut text = ObjectText::default();
    if !phrase.eats_punct(b'(') {
        return None;
    }
    let mut constraints = Vec::new();
    let mut comma = true;
    while !phrase.eats_punct(b')') {
        if phrase.sees_any(&["constraint", "primary", "unique", "check", "foreign"]) {
            // The comma between table constraints may be missing.
            table_constraint(phrase, &mut constraints)?;
        } else if comma {
            text.columns.push(column(phrase, &mut constraints)?);
        } else {
            return None;
        }
        comma = phrase.eats_punct(b',');
    }
    loop {
        if phrase.eats("without rowid") {
            text.properties.push("without rowid".to_owned());
        } else if phrase.eats("strict") {
            text.properties.push("strict".to_owned());
        } else if !phrase.eats_punct(b',') {
            break;
        }
    }
    if !phrase.is_done() {
        return None;
    }
    text.properties.sort_unstable();
    constraints.sort_unstable();
    text.parts = constraints.into_iter().map(|constraint: Constraint| constraint.text).collect();
    Some(text)
}

/// A constraint in its one form; the primary key comes first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Constraint {
    rank: u8,
    text: String,
}

/// What the clauses of one constraint need.
struct Clauses<'p, 'a> {
    phrase: &'p mut Phrase<'a>,
    /// `CONSTRAINT name `, if there was one.
    name: String,
}

impl Clauses<'_, '_> {
    fn constraint(&mut self, rank: u8, text: &str) -> Constraint {
        Constraint { rank, text: format!("{}{text}", std::mem::take(&mut self.name)) }
    }

    /// `ON CONFLICT …`, with a blank before it.
    fn conflict(&mut self) -> Option<String> {
        if !self.phrase.eats("on conflict") {
            return Some(String::new());
        }
        let action = self.phrase.name()?.as_str().to_ascii_lowercase();
        // What happens without it.
        Some(if action == "abort" { String::new() } else { format!(" on conflict {action}") })
    }

    /// What stands in parentheses, in one line, with them.
    fn group(&mut self) -> Option<String> {
        let start = self.phrase.peek()?.span.start;
        if !self.phrase.skip_group() {
            return None;
        }
        let end = self.phrase.peek().map_or(self.phrase.text().len(), |token| token.span.start);
        Some(canonical::line(self.phrase.text().get(start..end)?))
    }

    /// `REFERENCES t (…) …`, behind its first word.
    fn references(&mut self) -> Option<String> {
        let table = self.phrase.table()?;
        let mut text = format!("references {}", lowered(&table.name));
        if self.phrase.peek().is_some_and(|token| token.is_punct(b'(')) {
            text.push_str(&format!(" {}", self.group()?));
        }
        let mut actions = Vec::new();
        loop {
            if self.phrase.eats("match") {
                let word = lowered(&self.phrase.name()?);
                if word != "simple" {
                    actions.push(format!("match {word}"));
                }
            } else if let Some(event) = self.phrase.eats_any(&["on delete", "on update", "on insert"]) {
                let action =
                    self.phrase.eats_any(&["set null", "set default", "cascade", "restrict", "no action"])?;
                actions.retain(|other: &String| !other.starts_with(event));
                if action != "no action" {
                    actions.push(format!("{event} {action}"));
                }
            } else {
                break;
            }
        }
        actions.sort_unstable();
        actions.iter().for_each(|action| text.push_str(&format!(" {action}")));
        text.push_str(self.deferrable());
        Some(text)
    }

    /// `DEFERRABLE …` where a foreign key is checked at the end of the transaction: that is the only form in which
    /// it means something (<https://sqlite.org/foreignkeys.html#fk_deferred>).
    fn deferrable(&mut self) -> &'static str {
        let deferrable = !self.phrase.eats("not deferrable") && self.phrase.eats("deferrable");
        let deferred = self.phrase.eats("initially deferred");
        self.phrase.eats("initially immediate");
        if deferrable && deferred { " deferrable initially deferred" } else { "" }
    }
}

/// A constraint of the table.
fn table_constraint(phrase: &mut Phrase<'_>, constraints: &mut Vec<Constraint>) -> Option<()> {
    let mut clauses = Clauses { phrase, name: String::new() };
    if clauses.phrase.eats("constraint") {
        clauses.name = constraint_name(clauses.phrase)?;
    }
    let constraint = if clauses.phrase.eats("primary key") {
        let columns = clauses.group()?;
        // `AUTOINCREMENT` may stand within the parentheses.
        let (columns, auto) = match columns.strip_suffix(" autoincrement)") {
            Some(columns) => (format!("{columns})"), " autoincrement"),
            None => (columns, ""),
        };
        let conflict = clauses.conflict()?;
        clauses.constraint(0, &format!("primary key {}{auto}{conflict}", ascending(&columns)))
    } else if clauses.phrase.eats("unique") {
        let (columns, conflict) = (clauses.group()?, clauses.conflict()?);
        clauses.constraint(1, &format!("unique {}{conflict}", ascending(&columns)))
    } else if clauses.phrase.eats("check") {
        let condition = clauses.group()?;
        clauses.conflict()?;
        clauses.constraint(1, &format!("check {condition}"))
    } else if clauses.phrase.eats("foreign key") {
        let columns = clauses.group()?;
        if !clauses.phrase.eats("references") {
            return None;
        }
        let references = clauses.references()?;
        clauses.constraint(1, &format!("foreign key {columns} {references}"))
    } else {
        return None;
    };
    constraints.push(constraint);
    Some(())
}

/// `CONSTRAINT name `, behind its first word.
fn constraint_name(phrase: &mut Phrase<'_>) -> Option<String> {
    Some(format!("constraint {} ", lowered(&phrase.name()?)))
}

/// A column; its constraints but for those that are about its value alone join those of the table.
fn column(phrase: &mut Phrase<'_>, constraints: &mut Vec<Constraint>) -> Option<String> {
    let name = phrase.name()?;
    let data_type = data_type(phrase)?;
    let mut clauses = Clauses { phrase, name: String::new() };
    let of = format!("({})", lowered(&name));
    let (mut collation, mut not_null, mut value) = (String::new(), String::new(), String::new());
    loop {
        if clauses.phrase.eats("constraint") {
            clauses.name = constraint_name(clauses.phrase)?;
        } else if clauses.phrase.eats("primary key") {
            // A column that descends is no alias of the rowid, which `PRIMARY KEY (id DESC)` is.
            clauses.phrase.eats("asc");
            let descends = if clauses.phrase.eats("desc") { " desc" } else { "" };
            let conflict = clauses.conflict()?;
            let auto = if clauses.phrase.eats("autoincrement") { " autoincrement" } else { "" };
            constraints.push(clauses.constraint(0, &format!("primary key {of}{descends}{auto}{conflict}")));
        } else if clauses.phrase.eats("not null") {
            let conflict = clauses.conflict()?;
            not_null = clauses.constraint(0, &format!("not null{conflict}")).text;
        } else if clauses.phrase.eats("null") {
            clauses.conflict()?;
        } else if clauses.phrase.eats("unique") {
            let conflict = clauses.conflict()?;
            constraints.push(clauses.constraint(1, &format!("unique {of}{conflict}")));
        } else if clauses.phrase.eats("check") {
            let condition = clauses.group()?;
            clauses.conflict()?;
            constraints.push(clauses.constraint(1, &format!("check {condition}")));
        } else if clauses.phrase.eats("references") {
            let references = clauses.references()?;
            constraints.push(clauses.constraint(1, &format!("foreign key {of} {references}")));
        } else if clauses.phrase.eats("collate") {
            collation = format!(" collate {}", lowered(&clauses.phrase.name()?));
        } else if clauses.phrase.eats("default") {
            value = format!(" default {}", default(&mut clauses)?);
        } else if clauses.phrase.eats("generated always as") || clauses.phrase.eats("as") {
            let expression = clauses.group()?;
            let stored = if clauses.phrase.eats("stored") { "stored" } else { "virtual" };
            clauses.phrase.eats("virtual");
            value = format!(" generated always as {expression} {stored}");
        } else if clauses
            .phrase
            .peek()
            .is_some_and(|token| matches!(token.kind, TokenKind::Punct(b',' | b')')))
        {
            break;
        } else {
            return None;
        }
    }
    if !not_null.is_empty() {
        not_null.insert(0, ' ');
    }
    Some(format!("column {}{data_type}{collation}{not_null}{value}", name.shown(DIALECT)))
}

/// A column's type, in upper case and with a blank before it; empty where it has none.
fn data_type(phrase: &mut Phrase<'_>) -> Option<String> {
    const ENDS: &[&str] = &[
        "constraint",
        "primary",
        "not",
        "null",
        "unique",
        "check",
        "default",
        "collate",
        "references",
        "generated always",
        "as",
    ];
    let start = phrase.peek()?.span.start;
    while !phrase.sees_any(ENDS) {
        let token = phrase.peek()?;
        match token.kind {
            TokenKind::Punct(b',' | b')') => break,
            TokenKind::Punct(b'(') => drop(phrase.skip_group()),
            TokenKind::Word if is_reserved(phrase.text_of(token), DIALECT) => return None,
            _ => drop(phrase.step()),
        }
    }
    let end = phrase.peek()?.span.start;
    let words = canonical::line(phrase.text().get(start..end)?).to_ascii_uppercase();
    Some(if words.is_empty() { words } else { format!(" {words}") })
}

/// A default, without parentheses around it.
fn default(clauses: &mut Clauses<'_, '_>) -> Option<String> {
    if clauses.phrase.peek()?.is_punct(b'(') {
        let group = clauses.group()?;
        return Some(group.strip_prefix('(')?.strip_suffix(')')?.to_owned());
    }
    let start = clauses.phrase.peek()?.span.start;
    let _ = clauses.phrase.eats_operator("-") || clauses.phrase.eats_operator("+");
    let end = clauses.phrase.step()?.span.end;
    Some(canonical::line(clauses.phrase.text().get(start..end)?))
}

/// A list of columns without the `asc` that holds anyway.
fn ascending(columns: &str) -> String {
    columns.replace(" asc,", ",").replace(" asc)", ")")
}

/// A name in the spelling of expressions.
fn lowered(name: &Name) -> String {
    Name::new(name.as_str().to_ascii_lowercase()).shown(DIALECT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(definition: &str) -> String {
        let mut phrase = Phrase::new(definition, DIALECT);
        let text = read(&mut phrase).unwrap_or_else(|| panic!("not read: {definition}"));
        text.items().collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn constraints_have_one_form_wherever_they_stand() {
        let at_columns = "(id INTEGER PRIMARY KEY AUTOINCREMENT, a text unique on conflict ignore, \
            b int references Other(X) on update set null ON DELETE CASCADE not deferrable check (b > 0), \
            c CONSTRAINT c_there NOT NULL DEFAULT (lower('X')) COLLATE NoCase)";
        let at_table = "(\"id\" integer, [a] TEXT, b INT, c collate nocase default (lower('X')) constraint C_there not null, \
            PRIMARY KEY (id ASC AUTOINCREMENT), UNIQUE(a)ON CONFLICT IGNORE CHECK(b>0), \
            FOREIGN KEY(b) REFERENCES \"other\" ( \"x\" ) MATCH SIMPLE ON DELETE CASCADE ON UPDATE SET NULL)";
        assert_eq!(text(at_columns), text(at_table));
        insta::assert_snapshot!(text(at_columns), @r"
        column id INTEGER
        column a TEXT
        column b INT
        column c collate nocase constraint c_there not null default lower('X')
        primary key (id) autoincrement
        check (b > 0)
        foreign key (b) references other (x) on delete cascade on update set null
        unique (a) on conflict ignore
        ");
    }

    #[test]
    fn all_that_a_column_can_have() {
        insta::assert_snapshot!(text(
            "(a varchar ( 10 ), b DECIMAL(10,2) DEFAULT -1.5, c unsigned big int NULL, d, e DEFAULT CURRENT_TIMESTAMP, \
             f AS (a || 'x'), g text GENERATED ALWAYS AS (upper(a)) STORED NOT NULL, h DEFAULT 'it''s', \
             \"two words\" text default \"x\", i references t deferrable initially deferred, \
             j integer primary key desc) WITHOUT ROWID, STRICT"
        ), @r#"
        strict
        without rowid
        column a VARCHAR(10)
        column b DECIMAL(10, 2) default -1.5
        column c UNSIGNED BIG INT
        column d
        column e default current_timestamp
        column f generated always as (a || 'x') virtual
        column g TEXT not null generated always as (upper(a)) stored
        column h default 'it''s'
        column "two words" TEXT default x
        column i
        column j INTEGER
        primary key (j) desc
        foreign key (i) references t deferrable initially deferred
        "#);
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        for definition in
            ["", "(a text nonsense not null", "(a int, check)", "(a text default)", "(a int) with magic"]
        {
            assert!(read(&mut Phrase::new(definition, DIALECT)).is_none(), "{definition}");
        }
    }
}
